//! `signd watch`: live events on a terminal.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::keys::KeyFlags;
use super::{Outcome, print};
use crate::endpoint::SocketEndpoint;

/// Flags of `signd watch`.
#[derive(Debug, Args)]
pub struct Watch {
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

impl Watch {
    pub fn execute(self) -> Result<Outcome> {
        let context = zmq::Context::new();
        let socket = context.socket(zmq::SUB)?;
        let _watch = self.keys.read()?.prepare(&context, &socket, false)?;
        self.from.connect(&socket)?;
        if self.topic.is_empty() {
            socket.set_subscribe(b"")?;
        }
        for prefix in &self.topic {
            socket.set_subscribe(prefix.as_bytes())?;
        }
        let (mut out, live) = (print::out(), std::io::stdout().is_terminal());
        loop {
            let parts = match socket.recv_multipart(0) {
                Err(zmq::Error::EINTR) => continue,
                parts => parts?,
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

/// One line per decision and status; frames overwrite each other on a terminal and are left out
/// elsewhere.
fn line(event: &Value, live: bool) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
    let top = || -> String {
        let pairs = event["top"].as_array().into_iter().flatten().take(3);
        let words = pairs.map(|pair| {
            let p = pair[1].as_f64().unwrap_or(0.0);
            format!("{} {:.0} %", pair[0].as_str().unwrap_or("no sign"), 100.0 * p)
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let clear = if live { "\r\x1b[K" } else { "" };
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
            let label = event["label"].as_str().unwrap_or("(no known sign)");
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
        let expected = "cam1         SIGN book  0.80 s, ended by rest [book 91 %, no sign 5 %]\n";
        assert_eq!(line(&event, false), expected);
    }
}
