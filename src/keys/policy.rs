//! Which endpoints ask for keys, and which may not be opened without.
//!
//! | endpoint | with a key | without |
//! |---|---|---|
//! | `ipc://PATH` | open: the file's permissions say who comes in | open |
//! | tcp on loopback, `ipc://@NAME` | open, unless `keys.loopback` | open |
//! | any other tcp | asks for keys | refused, unless `keys.allow_open` |
//!
//! An input that connects to a camera may name the camera's client, and off this machine it must:
//! the camera proves that it has that client's key, and its frames are held to that client's list.

use std::path::Path;

use super::clients::GuardedSocket;
use super::reach::EndpointReach;
use super::secret::{KeyPair, SecretError};
use super::{KeySettings, PublicKey};
use crate::endpoint::{InputEndpoint, SocketEndpoint};
use crate::socket::{self, SocketError, ZmqSocket};

/// Name of the systemd credential.
const CREDENTIAL: &str = "signd.key";

/// Why the daemon may not open its endpoints.
#[derive(Debug, thiserror::Error)]
pub enum KeyPolicyError {
    /// The daemon's own key cannot be read.
    #[error("the daemon's key: {0}")]
    Secret(SecretError),
    /// Keys are asked for, and there is no key of the daemon's own.
    #[error(
        "{0} needs the daemon's own key, and there is none: make one with `signd keygen FILE` and \
         name the file in keys.secret"
    )]
    NoSecret(String),
    /// libzmq was built without CURVE.
    #[error("keys are configured, but this libzmq was built without CURVE")]
    NoCurve,
    /// Open to other machines, and nobody said so.
    #[error(
        "{0} can be reached from other machines, and there is no key: make one with \
         `signd keygen FILE`, name the file in keys.secret and list who may come in under \
         keys.clients; or use 127.0.0.1 or ipc; or, to let everybody send and see, set \
         keys.allow_open = true"
    )]
    Open(String),
    /// A camera off this machine of which nobody says who it is.
    #[error(
        "{0} is on another machine, and nothing says which key is expected there: write \
         CLIENT@{0} with a CLIENT of keys.clients"
    )]
    Anybody(String),
    /// A client that is not listed.
    #[error("ingest: there is no keys.clients.{0}")]
    NoClient(String),
}

/// The daemon's own key and where it is asked for.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    pair: Option<KeyPair>,
    loopback: bool,
}

impl KeyPolicy {
    /// Reads the daemon's key, and checks that every endpoint is guarded as far as it has to be.
    pub fn load(
        keys: &KeySettings,
        publish: &SocketEndpoint,
        inputs: &[InputEndpoint],
    ) -> Result<KeyPolicy, KeyPolicyError> {
        let pair = own_key(keys).map_err(KeyPolicyError::Secret)?;
        let wanted = [(keys.loopback, "keys.loopback"), (!keys.clients.is_empty(), "keys.clients")];
        match wanted.into_iter().find(|(wanted, _)| *wanted) {
            Some((_, what)) if pair.is_none() => return Err(KeyPolicyError::NoSecret(what.into())),
            _ => {}
        }
        if pair.is_some() && !socket::has_curve() {
            return Err(KeyPolicyError::NoCurve);
        }
        let guard = KeyPolicy { pair, loopback: keys.loopback };
        guard.admit(publish, keys)?;
        for input in inputs {
            match &input.client {
                Some(client) if keys.clients.key(client).is_none() => {
                    return Err(KeyPolicyError::NoClient(client.clone()));
                }
                Some(_) => {}
                None if input.connect && guard.asks(&input.endpoint) => {
                    return Err(KeyPolicyError::Anybody(input.endpoint.to_string()));
                }
                None => guard.admit(&input.endpoint, keys)?,
            }
        }
        Ok(guard)
    }

    fn admit(&self, endpoint: &SocketEndpoint, keys: &KeySettings) -> Result<(), KeyPolicyError> {
        if self.pair.is_some() || EndpointReach::of(endpoint) != EndpointReach::Remote {
            return Ok(());
        }
        if !keys.allow_open {
            return Err(KeyPolicyError::Open(endpoint.to_string()));
        }
        tracing::warn!(%endpoint, "open, without keys, to everybody who reaches it");
        Ok(())
    }

    /// Whether there is a key, so that some endpoint may ask for one.
    pub fn has_key(&self) -> bool {
        self.pair.is_some()
    }

    /// Whether who connects to, or answers at, this endpoint has to have a key.
    pub fn asks(&self, endpoint: &SocketEndpoint) -> bool {
        let guarded = match EndpointReach::of(endpoint) {
            EndpointReach::File => false,
            EndpointReach::Loopback => self.loopback,
            EndpointReach::Remote => true,
        };
        self.pair.is_some() && guarded
    }

    /// Prepares a socket to be bound to this endpoint; whether it will ask for keys.
    pub fn serve(
        &self,
        socket: &ZmqSocket,
        endpoint: &SocketEndpoint,
        door: GuardedSocket,
    ) -> Result<bool, SocketError> {
        match &self.pair {
            Some(pair) if self.asks(endpoint) => {
                pair.serve(socket, door.domain())?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Prepares a socket to be connected to who has this key.
    pub fn call(&self, socket: &ZmqSocket, camera: &PublicKey) -> Result<(), SocketError> {
        match &self.pair {
            Some(pair) => pair.call(socket, camera),
            None => Err(SocketError::DENIED),
        }
    }
}

fn own_key(keys: &KeySettings) -> Result<Option<KeyPair>, SecretError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    let credentials = credentials.as_deref().map(Path::new);
    let Some(secret) = &keys.secret else {
        let path = credentials.map(|folder| folder.join(CREDENTIAL));
        let there = |path: &std::path::PathBuf| path.metadata().is_ok_and(|file| file.len() > 0);
        return path.filter(there).map(|path| KeyPair::read_credential(&path)).transpose();
    };
    match credentials.is_some_and(|folder| secret.starts_with(folder)) {
        true => KeyPair::read_credential(secret).map(Some),
        false => KeyPair::read(secret).map(Some),
    }
}
