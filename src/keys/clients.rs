//! Which client's key may do what.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::PublicKey;
use crate::endpoint::is_client_name;
use signd_core::stream_id::{self, StreamId};

/// A socket of the daemon that asks for keys; its name is the ZAP domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardedSocket {
    /// Frames come in.
    Ingest,
    /// Events go out.
    Publish,
}

impl GuardedSocket {
    /// Name of the ZAP domain.
    pub fn domain(self) -> &'static str {
        match self {
            GuardedSocket::Ingest => "ingest",
            GuardedSocket::Publish => "publish",
        }
    }
}

/// A client as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// Its public key, Z85.
    pub key: String,
    /// Streams it may send: ids, or beginnings of ids followed by `*`.
    #[serde(default)]
    pub publish: Vec<String>,
    /// It may receive events, those of all streams.
    #[serde(default)]
    pub subscribe: bool,
}

type Table = BTreeMap<String, ClientSettings>;

/// All clients, by the public key's text: the name under which libzmq hands up what they send. By
/// their name it would not do: a client that is given another key must lose what the old one could.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct ClientTable(HashMap<String, Client>);

/// What a client may do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Client {
    name: String,
    publish: Vec<String>,
    subscribe: bool,
}

/// Why a table of clients cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An impossible name.
    #[error("keys.clients: `{0}` is no client's name (1 to 64 of A-Za-z0-9_-)")]
    Name(String),
    /// Not a public key.
    #[error("keys.clients.{name}.key: not {expected}")]
    Key {
        /// The client.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Two clients with one key cannot be told apart.
    #[error("keys.clients: {0} and {1} have the same key")]
    Twice(String, String),
    /// Not a stream id or the beginning of one.
    #[error(
        "keys.clients.{name}.publish: `{pattern}` (expected a stream id, 1 to 64 of A-Za-z0-9._-, \
         or the beginning of some and `*`)"
    )]
    Pattern {
        /// The client.
        name: String,
        /// What was found.
        pattern: String,
    },
}

impl TryFrom<Table> for ClientTable {
    type Error = ClientError;

    fn try_from(table: Table) -> Result<Self, ClientError> {
        let mut clients: HashMap<String, Client> = HashMap::new();
        for (name, ClientSettings { key, publish, subscribe }) in table {
            if !is_client_name(&name) {
                return Err(ClientError::Name(name));
            }
            if let Err(expected) = key.parse::<PublicKey>() {
                return Err(ClientError::Key { name, expected });
            }
            if let Some(pattern) = publish.iter().find(|p| !is_pattern(p)).cloned() {
                return Err(ClientError::Pattern { name, pattern });
            }
            let client = Client { name: name.clone(), publish, subscribe };
            if let Some(other) = clients.insert(key, client) {
                return Err(ClientError::Twice(other.name, name));
            }
        }
        Ok(ClientTable(clients))
    }
}

impl From<ClientTable> for Table {
    fn from(clients: ClientTable) -> Table {
        let rows = clients.0.into_iter().map(|(key, Client { name, publish, subscribe })| {
            (name, ClientSettings { key, publish, subscribe })
        });
        rows.collect()
    }
}

impl ClientTable {
    /// One client that may receive and nothing else.
    pub fn only_subscriber(name: &str, key: PublicKey) -> ClientTable {
        let client = Client { name: name.to_owned(), publish: Vec::new(), subscribe: true };
        ClientTable(HashMap::from([(key.to_string(), client)]))
    }

    /// Nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key of the client with this name.
    pub fn key(&self, name: &str) -> Option<PublicKey> {
        self.0.iter().find(|(_, client)| client.name == name)?.0.parse().ok()
    }

    /// The name of the client with this key.
    pub fn name(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|client| client.name.as_str())
    }

    /// Whether this key may come in at this door; `None` when it is nobody's.
    pub fn may_enter(&self, key: &str, door: GuardedSocket) -> Option<bool> {
        self.0.get(key).map(|client| match door {
            GuardedSocket::Ingest => !client.publish.is_empty(),
            GuardedSocket::Publish => client.subscribe,
        })
    }

    /// Whether this key may send this stream.
    pub fn may_publish(&self, key: &str, stream: &StreamId) -> bool {
        self.0.get(key).is_some_and(|client| client.publish.iter().any(|p| matches(p, stream)))
    }

    /// Streams that clients may send, as far as their whole ids are listed: each with its client's name.
    pub fn streams(&self) -> Vec<(&str, &str)> {
        let clients = self.0.values();
        let listed =
            clients.flat_map(|c| c.publish.iter().map(|id| (c.name.as_str(), id.as_str())));
        listed.filter(|(_, id)| !id.ends_with('*')).collect()
    }

    /// A key that may subscribe here may not in `later`.
    pub fn lose_a_subscriber(&self, later: &ClientTable) -> bool {
        let mut subscribers = self.0.iter().filter(|(_, client)| client.subscribe);
        subscribers.any(|(key, _)| later.may_enter(key, GuardedSocket::Publish) != Some(true))
    }
}

fn is_pattern(pattern: &str) -> bool {
    let start = pattern.strip_suffix('*');
    start == Some("") || stream_id::parse(start.unwrap_or(pattern).as_bytes()).is_some()
}

fn matches(pattern: &str, stream: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => stream.starts_with(start),
        None => stream == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::secret::KeyPair;

    fn key() -> String {
        KeyPair::generate().expect("a pair").public.to_string()
    }

    fn clients(rows: &[(&str, &str, &[&str], bool)]) -> Result<ClientTable, String> {
        let rows = rows.iter().map(|(name, key, publish, subscribe)| {
            let publish = publish.iter().map(|p| (*p).to_owned()).collect();
            let (key, subscribe) = ((*key).to_owned(), *subscribe);
            ((*name).to_owned(), ClientSettings { key, publish, subscribe })
        });
        ClientTable::try_from(rows.collect::<Table>()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_may_do_what_its_client_is_listed_for() {
        let (cam, eye, nobody) = (key(), key(), key());
        let all = clients(&[("cam", &cam, &["cam1", "hall-*"], false), ("eye", &eye, &[], true)]);
        let all = all.expect("valid");
        assert_eq!(all.may_enter(&cam, GuardedSocket::Ingest), Some(true));
        assert_eq!(all.may_enter(&cam, GuardedSocket::Publish), Some(false));
        assert_eq!(all.may_enter(&eye, GuardedSocket::Ingest), Some(false));
        assert_eq!(all.may_enter(&eye, GuardedSocket::Publish), Some(true));
        assert_eq!(all.may_enter(&nobody, GuardedSocket::Publish), None);
        let may = |key: &str, stream: &str| {
            all.may_publish(key, &stream_id::parse(stream.as_bytes()).expect("an id"))
        };
        assert!(may(&cam, "cam1") && may(&cam, "hall-") && may(&cam, "hall-2.left"));
        assert!(!may(&cam, "cam10") && !may(&cam, "cam") && !may(&cam, "hall"));
        assert!(!may(&eye, "cam1") && !may(&nobody, "cam1") && !may("", "cam1"));
        assert_eq!((all.name(&cam), all.key("eye")), (Some("cam"), eye.parse().ok()));
        let table = Table::from(all.clone());
        assert_eq!(ClientTable::try_from(table).expect("valid"), all);
    }

    #[test]
    fn what_is_wrong_with_a_table_is_named() {
        let (a, b) = (key(), key());
        fn error(rows: &[(&str, &str, &[&str], bool)]) -> String {
            clients(rows).expect_err("refused")
        }
        let long = "a".repeat(65);
        assert_eq!(
            error(&[("cam", "secret", &[], true)]),
            "keys.clients.cam.key: not a public key: 40 characters of Z85, as `signd keygen` prints it"
        );
        assert_eq!(
            error(&[("cam", &a, &[], true), ("eye", &b, &[], true), ("eye2", &b, &[], true)]),
            "keys.clients: eye and eye2 have the same key"
        );
        for pattern in ["", "a*b", "*a", "a**", "a/b", &long] {
            let error = error(&[("cam", &a, &["ok", pattern], true)]);
            assert!(error.starts_with("keys.clients.cam.publish:"), "{error}");
        }
        assert!(error(&[("cam 1", &a, &[], true)]).contains("`cam 1`"));
    }

    #[test]
    fn a_subscriber_is_lost_when_its_right_or_its_key_is_gone() {
        let (a, b) = (key(), key());
        let before = clients(&[("eye", &a, &[], true), ("cam", &b, &["*"], false)]).expect("valid");
        for (rows, lost) in [
            (&[("eye", a.as_str(), &[][..], true)][..], false),
            (&[("other", a.as_str(), &["x"], true)], false),
            (&[("eye", a.as_str(), &[], false)], true),
            (&[("eye", b.as_str(), &[], true)], true),
            (&[], true),
        ] {
            assert_eq!(before.lose_a_subscriber(&clients(rows).expect("valid")), lost, "{rows:?}");
        }
    }
}
