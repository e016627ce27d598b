//! Flags by which `signd send` and `signd watch` show a key and know the daemon by its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use clap::Args;

use super::print;
use signd::keys::PublicKey;
use signd::keys::clients::{ClientTable, GuardedSocket};
use signd::keys::handshakes::{self, HandshakeWatch};
use signd::keys::secret::KeyPair;
use signd::keys::zap::ZapHandler;
use signd::socket::{ConnectionChange, HandshakeFailure, SocketContext, ZmqSocket};

/// Flags of a client.
#[derive(Debug, Args)]
pub struct KeyFlags {
    /// File of this client's own secret key, made by `signd keygen`.
    #[arg(long, value_name = "FILE", requires = "daemon_key")]
    key: Option<PathBuf>,
    /// The daemon's public key.
    #[arg(long, value_name = "PUBLIC", requires = "key", allow_hyphen_values = true)]
    daemon_key: Option<PublicKey>,
}

/// This client's key and the daemon's.
pub struct ClientKeys(Option<(KeyPair, PublicKey)>);

impl KeyFlags {
    /// Reads the key file, if one is named.
    pub fn read(&self) -> Result<ClientKeys> {
        Ok(ClientKeys(match (&self.key, self.daemon_key) {
            (Some(file), Some(daemon)) => Some((KeyPair::read(file)?, daemon)),
            _ => None,
        }))
    }
}

impl ClientKeys {
    /// Lets nobody but the daemon come in where sockets of this context are bound. To be started
    /// before they are, and dropped after them.
    pub fn admit_the_daemon_alone(&self, context: &SocketContext) -> Result<Option<ZapHandler>> {
        let ClientKeys(Some((_, daemon))) = self else { return Ok(None) };
        let only = Arc::new(Mutex::new(ClientTable::only_subscriber("daemon", *daemon)));
        Ok(Some(ZapHandler::start(context, only, |_, _, from| {
            print::note(format_args!("{from} refused"));
        })?))
    }

    /// Prepares a socket that will be bound or connected, and says why if it meets with refusal, as
    /// long as what is returned is there.
    pub fn prepare(
        &self,
        context: &SocketContext,
        socket: &ZmqSocket,
        bind: bool,
    ) -> Result<Option<HandshakeWatch>> {
        if bind {
            if let ClientKeys(Some((own, _))) = self {
                own.serve(socket, GuardedSocket::Publish.domain())?;
            }
            return Ok(None);
        }
        self.call(context, socket, |_| {}).map(Some)
    }

    /// Prepares a socket that will be connected, says why if it meets with refusal, and tells `stands` when a
    /// connection stands or no longer does.
    pub fn call(
        &self,
        context: &SocketContext,
        socket: &ZmqSocket,
        stands: impl Fn(bool) + Send + 'static,
    ) -> Result<HandshakeWatch> {
        if let ClientKeys(Some((own, daemon))) = self {
            own.call(socket, daemon)?;
        }
        let with_key = self.0.is_some();
        let told = std::cell::Cell::new(None);
        let watch = handshakes::follow(context, socket, "client", move |change| {
            let failure = match change {
                ConnectionChange::Established => return stands(true),
                ConnectionChange::Ended => return stands(false),
                ConnectionChange::Failed(failure) => failure,
            };
            if told.replace(Some(failure)) != Some(failure) {
                print::note(words(failure, with_key));
            }
            if failure != HandshakeFailure::Unfinished {
                std::process::exit(1); // libzmq does not try again after that
            }
        })?;
        Ok(watch)
    }
}

fn words(failure: HandshakeFailure, with_key: bool) -> &'static str {
    match (failure, with_key) {
        (HandshakeFailure::Refused, _) => "refused: the daemon does not list this key for this",
        (HandshakeFailure::Mismatch, false) => "refused: keys are asked for (--key, --daemon-key)",
        (HandshakeFailure::Mismatch, true) => "refused: no keys are used there",
        // Which of the two a mismatch is seen as depends on whose greeting is read first.
        (HandshakeFailure::Unfinished, false) => {
            "the connection ended before it stood: are keys asked for (--key, --daemon-key)?"
        }
        (HandshakeFailure::Unfinished, true) => {
            "the connection ended before it stood: is --daemon-key the public key of this daemon?"
        }
    }
}
