//! The real daemon under test: started, talked to over its sockets, stopped by signal.

pub mod browser;
pub mod http;
pub mod keyed;
pub mod mirror;
pub mod models;
pub mod mutate;
pub mod npy;
pub mod onnx;
pub mod pace;
pub mod paths;
pub mod stick_figure;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use signd_core::frame::{Frame, SourceTime};
use signd_core::wire::landmarks;

/// How long a test waits for what has to come, ms, before it fails. Half of the minute that the daemon
/// is given. No test that passes waits this long.
pub const PATIENCE_MS: i32 = 30_000;
pub const PATIENCE: Duration = Duration::from_millis(PATIENCE_MS as u64);

/// Waits until there is one.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    const MOMENT_MS: i32 = 10;
    for _ in 0..PATIENCE_MS / MOMENT_MS {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(MOMENT_MS as u64));
    }
    panic!("waited in vain for {what}");
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary with the runtime as `make setup` leaves it and a model that tells whether the hand is
/// high or low. It is given a minute: a test that hangs tells less than one that fails.
pub fn signd() -> Command {
    let mut command = Command::new("timeout");
    // In the foreground it passes a signal on once and not twice.
    command.args(["--foreground", "--kill-after=5", "60", env!("CARGO_BIN_EXE_signd")]);
    command.env("SIGND_MODEL", root().join("tests/models/place.onnx"));
    command.env("RUST_LOG", "info").env("ORT_DISABLE_TELEMETRY", "1");
    // Several run at once, and there is one default port.
    command.env("SIGND_HTTP__LISTEN", "");
    command
}

/// Sends SIGTERM, which `timeout` passes on; killed outright it would leave its child behind.
pub fn terminate(child: &Child) {
    kill("TERM", &child.id().to_string());
}

fn kill(signal: &str, pid: &str) {
    Command::new("kill").args([&format!("-{signal}"), pid]).status().expect("kill");
}

/// The stream, of one frame, by which a subscriber learns that it is heard; see [`Daemon::listen`].
pub const HELLO: &str = "hello";

/// A running daemon; ended when dropped.
pub struct Daemon {
    child: Child,
    /// Its first input, a bound SUB.
    pub ingest: String,
    /// Where it publishes.
    pub publish: String,
    /// Address and port of its HTTP endpoint; empty if it was started without `--http`.
    pub http: String,
    log: BufReader<ChildStderr>,
    folder: tempfile::TempDir,
}

impl Daemon {
    /// A daemon with these flags; further `--ingest` come on top of its first input.
    pub fn start(flags: &[&str]) -> Daemon {
        Daemon::configured("", flags)
    }

    /// A daemon with this configuration file and these flags.
    pub fn configured(config: &str, flags: &[&str]) -> Daemon {
        Daemon::launched(&mut signd(), config, flags)
    }

    /// The same, from a command of the caller's.
    pub fn launched(command: &mut Command, config: &str, flags: &[&str]) -> Daemon {
        let folder = tempfile::tempdir().expect("folder");
        let endpoint = |name: &str| format!("ipc://{}", folder.path().join(name).display());
        let (ingest, publish) = (endpoint("in"), endpoint("out"));
        let file = folder.path().join("signd.toml");
        std::fs::write(&file, config).expect("writes");
        let mut child = command
            .args(["run", "--ingest", &ingest, "--publish", &publish, "--config"])
            .arg(&file)
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let mut daemon = Daemon { child, ingest, publish, http: String::new(), log, folder };
        if flags.contains(&"--http") {
            let line = daemon.wait_for("http=");
            let words = line.split_whitespace();
            let address = words.filter_map(|word| word.strip_prefix("http=")).next();
            daemon.http = address.expect("an address").to_owned();
        }
        daemon.wait_for("ready");
        daemon
    }

    /// Reads the log up to the next line with these words.
    pub fn wait_for(&mut self, words: &str) -> String {
        let mut line = String::new();
        while self.log.read_line(&mut line).expect("reads") > 0 {
            if line.contains(words) {
                return line;
            }
            line.clear();
        }
        panic!("the daemon ended without saying `{words}`");
    }

    /// Sends a signal that `timeout` does not pass on to its child.
    pub fn signal(&self, name: &str) {
        let parent = self.child.id().to_string();
        let found = Command::new("pgrep").args(["-P", &parent]).output().expect("pgrep");
        kill(name, String::from_utf8_lossy(&found.stdout).trim());
    }

    /// Waits until it has ended.
    pub fn wait_to_end(&mut self) {
        self.child.wait().expect("ends");
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("signd.toml")
    }

    /// Sends SIGTERM; returns the exit code and the summary of counters.
    pub fn stop(mut self) -> (Option<i32>, String) {
        terminate(&self.child);
        let asked = Instant::now();
        let summary = self.wait_for("ended:");
        let code = self.child.wait().expect("ends").code();
        assert!(asked.elapsed() < Duration::from_secs(2), "drains within two seconds");
        (code, summary)
    }

    /// A subscriber. Its subscription may still be on the way; see [`Daemon::listen`].
    pub fn watch(&self, context: &zmq::Context, prefix: &str) -> zmq::Socket {
        let socket = context.socket(zmq::SUB).expect("socket");
        socket.set_subscribe(prefix.as_bytes()).expect("subscribes");
        socket.set_rcvtimeo(PATIENCE_MS).expect("sets");
        socket.set_rcvhwm(1_000_000).expect("sets");
        socket.connect(&self.publish).expect("connects");
        socket
    }

    /// A subscriber to everything, whose subscription has arrived: it has been sent the retained
    /// status of the stream [`HELLO`], of which [`receive`] says nothing further.
    pub fn listen(&self, context: &zmq::Context) -> zmq::Socket {
        send_frame(&self.camera(context), HELLO, &Frame::new(0, SourceTime(1), 640, 480));
        let told = |socket: &zmq::Socket| -> Value {
            let parts = socket.recv_multipart(0).expect("an event of the stream");
            rmp_serde::from_slice(&parts[1]).expect("MessagePack")
        };
        told(&self.watch(context, "")); // now the stream is known
        let socket = self.watch(context, "");
        while told(&socket)["retained"] != true {}
        socket
    }

    /// A camera: a socket on which the daemon already listens.
    pub fn camera(&self, context: &zmq::Context) -> zmq::Socket {
        let socket = context.socket(zmq::XPUB).expect("socket");
        socket.set_sndhwm(1_000_000).expect("sets");
        socket.set_rcvtimeo(PATIENCE_MS).expect("sets");
        socket.connect(&self.ingest).expect("connects");
        socket.recv_bytes(0).expect("the daemon subscribes");
        socket
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            terminate(&self.child);
            drop(self.child.wait());
        }
    }
}

/// A frame's message.
pub fn encode(frame: &Frame) -> Vec<u8> {
    let mut body = Vec::new();
    landmarks::encode(frame, &mut body);
    body
}

/// Sends one message as a camera does.
pub fn send(camera: &zmq::Socket, stream: &str, body: &[u8]) {
    camera.send(stream, zmq::SNDMORE).expect("sends");
    camera.send(body, 0).expect("sends");
}

/// Sends one frame as a camera does.
pub fn send_frame(camera: &zmq::Socket, stream: &str, frame: &Frame) {
    send(camera, stream, &encode(frame));
}

/// The next event with its topic; `None` when none comes for the socket's time-out. Doubts about the
/// input are passed over: the frames of most tests are of no real time and show no real body.
pub fn receive(socket: &zmq::Socket) -> Option<(String, Value)> {
    loop {
        let event = receive_with_doubts(socket)?;
        if event.1["status"] != "doubtful" {
            return Some(event);
        }
    }
}

/// The same, doubts included.
pub fn receive_with_doubts(socket: &zmq::Socket) -> Option<(String, Value)> {
    loop {
        let parts = socket.recv_multipart(0).ok()?;
        let topic = String::from_utf8(parts[0].clone()).expect("UTF-8");
        let event: Value = rmp_serde::from_slice(&parts[1]).expect("MessagePack");
        if event["stream"] != HELLO {
            return Some((topic, event));
        }
    }
}

/// What a daemon's summary counts, but for hypotheses skipped, which is the load's to say.
pub fn counts(summary: &str) -> String {
    let words = summary.split_whitespace();
    let counts = words.filter(|w| w.starts_with("received=") || w.starts_with("dropped."));
    counts.collect::<Vec<_>>().join(" ")
}

/// Everything up to and including `gone`, doubts too.
pub fn until_gone(socket: &zmq::Socket) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    while let Some(event) = receive_with_doubts(socket) {
        let gone = event.1["status"] == "gone";
        events.push(event);
        if gone {
            return events;
        }
    }
    panic!("no `gone` after {} events", events.len());
}
