//! Endpoints with the kind of socket that is opened there: `pull+connect:cam1@tcp://10.0.0.7:5556`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SocketEndpoint;

/// Where frames come in: `[sub|pull][+bind|+connect:][CLIENT@]ENDPOINT`. It prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InputEndpoint {
    text: String,
    /// `PULL` instead of `SUB` (all topics).
    pub pull: bool,
    /// Connect instead of bind.
    pub connect: bool,
    /// The client whose key is expected there; only with `connect`.
    pub client: Option<String>,
    /// Where.
    pub endpoint: SocketEndpoint,
}

/// Where frames are sent to: `[pub|push][+connect|+bind:]ENDPOINT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputEndpoint {
    /// `PUSH` instead of `PUB`.
    pub push: bool,
    /// Bind instead of connect.
    pub bind: bool,
    /// Where.
    pub endpoint: SocketEndpoint,
}

/// Splits off the kind of socket. Bare endpoints have none.
fn split<'a>(text: &'a str, kinds: &[&str]) -> (&'a str, &'a str) {
    let end = kinds.iter().find(|kind| text.starts_with(**kind)).map_or(0, |kind| kind.len());
    text.split_at(end)
}

impl FromStr for InputEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = ["sub+bind:", "sub+connect:", "sub:", "pull+bind:", "pull+connect:", "pull:"];
        let (kind, rest) = split(text, &kinds);
        let (client, endpoint) = match rest.split_once('@') {
            Some((client, endpoint)) if is_client_name(client) => {
                (Some(client.to_owned()), endpoint)
            }
            _ => (None, rest),
        };
        let endpoint: SocketEndpoint = endpoint.parse()?;
        let (pull, connect) = (kind.starts_with("pull"), kind.contains("+connect"));
        if client.is_some() && !connect {
            return Err(format!(
                "{text}: CLIENT@ only with +connect: a client that connects is known by its key"
            ));
        }
        if connect {
            endpoint.connectable()?;
        } else {
            endpoint.bindable()?;
        }
        Ok(InputEndpoint { text: text.to_owned(), pull, connect, client, endpoint })
    }
}

impl fmt::Display for InputEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<InputEndpoint> for String {
    fn from(input: InputEndpoint) -> String {
        input.text
    }
}

impl TryFrom<String> for InputEndpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for OutputEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = ["pub+connect:", "pub+bind:", "pub:", "push+connect:", "push+bind:", "push:"];
        let (kind, endpoint) = split(text, &kinds);
        let endpoint: SocketEndpoint = endpoint.parse()?;
        let bind = kind.contains("+bind");
        if bind {
            endpoint.bindable()?;
        } else {
            endpoint.connectable()?;
        }
        Ok(OutputEndpoint { push: kind.starts_with("push"), bind, endpoint })
    }
}

/// Whether a text can name a client.
pub fn is_client_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_as_documented() {
        let input = |text: &str| {
            text.parse::<InputEndpoint>().map(|i| (i.pull, i.connect, i.endpoint.to_string()))
        };
        let e = || "tcp://127.0.0.1:1".to_owned();
        assert_eq!(input("tcp://127.0.0.1:1"), Ok((false, false, e())));
        assert_eq!(input("sub+connect:tcp://127.0.0.1:1"), Ok((false, true, e())));
        assert_eq!(input("pull:tcp://127.0.0.1:1"), Ok((true, false, e())));
        assert_eq!(input("pull+bind:ipc:///tmp/x"), Ok((true, false, "ipc:///tmp/x".into())));
        let camera: InputEndpoint = "pull+connect:cam-1@tcp://10.0.0.7:1".parse().expect("valid");
        assert_eq!(camera.client.as_deref(), Some("cam-1"));
        assert_eq!(camera.to_string(), "pull+connect:cam-1@tcp://10.0.0.7:1");
        assert_eq!(input("ipc://@x"), Ok((false, false, "ipc://@x".into())));
        for bad in [
            "sub:cam@tcp://127.0.0.1:1",
            "@tcp://127.0.0.1:1",
            "push:tcp://127.0.0.1:1",
            "sub+connect:tcp://*:5556",
            "pull+connect:tcp://127.0.0.1:0",
            "tcp://127.0.0.1:1;127.0.0.1:2",
        ] {
            assert!(bad.parse::<InputEndpoint>().is_err(), "{bad}");
        }
        assert!(input("sub+connect:tcp://127.0.0.1:0;127.0.0.1:5556").is_ok());
    }

    #[test]
    fn outputs_as_documented() {
        let output = |text: &str| text.parse::<OutputEndpoint>().map(|o| (o.push, o.bind));
        assert_eq!(output("tcp://127.0.0.1:1"), Ok((false, false)));
        assert_eq!(output("pub+bind:tcp://*:1"), Ok((false, true)));
        assert_eq!(output("push:ipc:///tmp/x"), Ok((true, false)));
        assert!(output("sub:tcp://127.0.0.1:1").is_err_and(|e| e.contains("`sub:`")));
        assert!(output("tcp://*:1").is_err_and(|e| e.contains("one machine")));
    }
}
