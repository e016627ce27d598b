//! A real Chromium, driven over the WebDriver protocol.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Keys that are no characters, as WebDriver writes them.
pub const SHIFT: &str = "\u{e008}";
pub const END: &str = "\u{e010}";
pub const HOME: &str = "\u{e011}";
pub const LEFT: &str = "\u{e012}";
pub const RIGHT: &str = "\u{e014}";
pub const ESCAPE: &str = "\u{e00c}";

/// A browser with one empty page; ended when dropped.
pub struct Browser {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser whose page has this size, in CSS pixels; none, and said aloud, where none is
    /// installed.
    pub fn start(width: u32, height: u32) -> Option<Browser> {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn();
        let Ok(mut driver) = driver else {
            println!("SKIPPED: no chromedriver here; `make setup-browser` installs it");
            return None;
        };
        let lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.rsplit_once("successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let address = format!("http://127.0.0.1:{}/session", port.expect("it says its port"));
        let profile = tempfile::tempdir().expect("folder");
        let folder = format!("--user-data-dir={}", profile.path().display());
        let window = format!("--window-size={width},{height}");
        let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
            --disable-background-networking --disable-component-update --disable-sync";
        let flags: Vec<&str> = flags.split_whitespace().chain([&*folder, &*window]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let id = post(&address, &wanted)["sessionId"].as_str().expect("a session").to_owned();
        let browser = Browser { driver, session: format!("{address}/{id}"), _profile: profile };
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        browser.post(
            "goog/cdp/execute",
            json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size}),
        );
        Some(browser)
    }

    /// Opens a page.
    pub fn open(&self, url: &str) {
        self.post("url", json!({"url": url}));
    }

    /// What the body of a function gives in the page.
    pub fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
    }

    /// The text of the element with this id.
    pub fn text(&self, id: &str) -> String {
        let text = self.run(&format!("return document.getElementById('{id}').textContent"));
        text.as_str().expect("a text").to_owned()
    }

    /// Asks until the answer is true; fails when it is not for half a minute.
    pub fn until(&self, expression: &str) {
        let asked = Instant::now();
        while self.run(&format!("return Boolean({expression})")) != true {
            assert!(
                asked.elapsed() < Duration::from_secs(30),
                "not in half a minute: {expression}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses keys together and lets them go, as a hand on a keyboard does; then waits until the page
    /// has been drawn.
    pub fn press(&self, keys: &[&str]) {
        let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<Value> = down.chain(up).collect();
        self.post(
            "actions",
            json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
        let drawn =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))";
        self.post("execute/async", json!({"script": drawn, "args": []}));
    }

    /// What the console says: errors, policies broken, files not found.
    pub fn console(&self) -> Vec<Value> {
        let log = self.post("se/log", json!({"type": "browser"}));
        log.as_array().expect("a list").clone()
    }

    fn post(&self, command: &str, body: Value) -> Value {
        post(&format!("{}/{command}", self.session), &body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(ureq::delete(&self.session).call());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn post(url: &str, body: &Value) -> Value {
    let request = ureq::post(url).config().http_status_as_error(false).build();
    let mut answer = request.send_json(body).expect("chromedriver answers");
    let mut answer: Value = answer.body_mut().read_json().expect("JSON");
    let value = answer["value"].take();
    assert!(value.get("error").is_none(), "{value}");
    value
}
