//! `signd watch`: live events on a terminal.

use std::cell::Cell;
use std::io::{IsTerminal, Write};

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::keys::KeyFlags;
use super::{CommandOutcome, print};
use signd::endpoint::SocketEndpoint;
use signd::socket::{SocketContext, SocketKind};

/// Takes away the line of a frame.
const CLEAR: &str = "\r\x1b[K";

/// Flags of `signd watch`.
#[derive(Debug, Args)]
pub struct WatchFlags {
    /// Where the daemon publishes.
    #[arg(long, default_value = "tcp://127.0.0.1:5557", value_name = "ENDPOINT",
        value_parser = SocketEndpoint::to_connect)]
    from: SocketEndpoint,
    /// Only topics with this prefix, as `sign/cam1/`; repeatable.
    #[arg(long, value_name = "PREFIX")]
    topic: Vec<String>,
    /// Every event as a line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: KeyFlags,
}

impl WatchFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let context = SocketContext::default();
        let socket = context.socket(SocketKind::Sub)?;
        let presence =
            Presence { endpoint: self.from.to_string(), state: Cell::new(State::Awaited) };
        print::note(presence.line());
        let (mut out, live) = (print::out(), std::io::stdout().is_terminal());
        // Both on one terminal: what is said there begins a line of its own.
        let clear = if live && std::io::stderr().is_terminal() { CLEAR } else { "" };
        let keys = self.keys.read()?;
        let _watch = keys.call(&context, &socket, move |stands| {
            if let Some(line) = presence.turn(stands) {
                drop(write!(std::io::stderr(), "{clear}"));
                print::note(line);
            }
        })?;
        self.from.connect(&socket)?;
        if self.topic.is_empty() {
            socket.subscribe(b"")?;
        }
        for prefix in &self.topic {
            socket.subscribe(prefix.as_bytes())?;
        }
        loop {
            let parts = match socket.receive() {
                Ok(Some(parts)) => parts,
                Ok(None) => continue,
                Err(error) if error.is_interrupted() => continue,
                Err(error) => return Err(error.into()),
            };
            let body = parts.last().map_or(&[][..], Vec::as_slice);
            let event: Value = match body.first() {
                Some(b'{') => serde_json::from_slice(body)?,
                _ => rmp_serde::from_slice(body)?,
            };
            match self.json {
                true => writeln!(out, "{event}")?,
                false => out.write_all(line(&event, live).as_bytes())?,
            }
            out.flush()?;
        }
    }
}

/// Whether there is a daemon to be heard.
struct Presence {
    endpoint: String,
    state: Cell<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Awaited,
    Heard,
    Away,
    Back,
}

impl Presence {
    /// A connection stands, or no longer does: the line that says so if that is news.
    fn turn(&self, stands: bool) -> Option<String> {
        let next = match (self.state.get(), stands) {
            (State::Awaited, true) => State::Heard,
            (State::Away, true) => State::Back,
            (State::Heard | State::Back, false) => State::Away,
            _ => return None,
        };
        self.state.set(next);
        Some(self.line())
    }

    fn line(&self) -> String {
        let at = &self.endpoint;
        match self.state.get() {
            State::Awaited => format!("waiting for a daemon at {at}"),
            State::Heard => format!("connected to the daemon at {at}"),
            State::Away => format!("the daemon at {at} went away; waiting for it"),
            State::Back => format!("the daemon at {at} is back"),
        }
    }
}

/// Why a decision is no known sign, in words.
fn unknown(event: &Value) -> String {
    let why = match event["unknown"].as_str() {
        Some("threshold") => {
            let threshold = 100.0 * event["threshold"].as_f64().unwrap_or(0.0);
            format!(": below the threshold of {threshold:.0} %")
        }
        Some("doubted") => ": too little of a sign in the movement".into(),
        Some("no_sign") => ": no label fits better".into(),
        _ => String::new(),
    };
    format!("(no known sign{why})")
}

/// One line per decision and status; frames overwrite each other on a terminal and are left out
/// elsewhere.
fn line(event: &Value, live: bool) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
    let top = || -> String {
        let pairs = event["top"].as_array().into_iter().flatten().take(3);
        let words = pairs.map(|pair| {
            let p = pair[1].as_f64().unwrap_or(0.0);
            format!("{} {:.0} %", pair[0].as_str().unwrap_or("no known sign"), 100.0 * p)
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let clear = if live { CLEAR } else { "" };
    let stream = text("stream");
    match event["kind"].as_str() {
        Some("frame") if !live => String::new(),
        Some("frame") => {
            let (state, hand) = (text("state"), text("hand"));
            format!("{clear}{stream:12} {:>8} {state:8} {hand:5} {}", event["seq"], top())
        }
        Some("sign") => {
            let ns = event["end_t"]
                .as_u64()
                .unwrap_or(0)
                .saturating_sub(event["start_t"].as_u64().unwrap_or(0));
            let label = event["label"].as_str().map_or_else(|| unknown(event), str::to_owned);
            format!(
                "{clear}{stream:12} SIGN {label}  {:.2} s, ended by {} [{}]\n",
                ns as f64 * 1e-9,
                text("ended"),
                top()
            )
        }
        _ => format!("{clear}{stream:12} {} ({})\n", text("status"), text("reason")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_one_readable_line() {
        let event = serde_json::json!({"kind": "sign", "stream": "cam1", "label": "book", "ended": "rest",
            "start_t": 0, "end_t": 800_000_000u64, "top": [["book", 0.91], [null, 0.05]]});
        let expected =
            "cam1         SIGN book  0.80 s, ended by rest [book 91 %, no known sign 5 %]\n";
        assert_eq!(line(&event, false), expected);
    }

    // "Why `(no known sign) ... [book 58 %` when the threshold is 0.4?" had no answer in the line.
    #[test]
    fn a_decision_that_is_no_known_sign_says_why() {
        let said = |unknown: &str, p: f64| {
            let event = serde_json::json!({"kind": "sign", "stream": "cam1", "label": null, "ended": "rest",
                "unknown": unknown, "p": p, "threshold": 0.4, "start_t": 0, "end_t": 0, "top": []});
            let line = line(&event, false);
            line.split_once("SIGN ")
                .expect("a decision")
                .1
                .split_once("  ")
                .expect("a span")
                .0
                .to_owned()
        };
        assert_eq!(said("threshold", 0.22), "(no known sign: below the threshold of 40 %)");
        assert_eq!(said("doubted", 0.58), "(no known sign: too little of a sign in the movement)");
        assert_eq!(said("no_sign", 0.97), "(no known sign: no label fits better)");
    }

    #[test]
    fn only_news_of_the_daemon_is_told() {
        let presence = Presence { endpoint: "e".into(), state: Cell::new(State::Awaited) };
        let told = [false, true, true, false, false, true].map(|stands| presence.turn(stands));
        let words = told.map(|line| line.unwrap_or_default().replace("signd: ", ""));
        let away = "the daemon at e went away; waiting for it";
        assert_eq!(
            words,
            ["", "connected to the daemon at e", "", away, "", "the daemon at e is back"]
        );
    }
}
