//! The sockets that frames come in at.

use std::time::Duration;

use crate::endpoint::InputEndpoint;
use crate::endpoint::place::PlaceError;
use crate::endpoint::socket_file::SocketFile;
use crate::keys::clients::{ClientTable, GuardedSocket};
use crate::keys::policy::KeyPolicy;
use crate::socket::{SocketContext, SocketError, SocketKind, ZmqSocket};

/// A part longer than this closes its connection inside libzmq. Below it, messages that are merely
/// too long are received, refused and counted.
const MAX_PART: i64 = 1024 * 1024;

/// Whose frames a socket receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedSender {
    /// Anybody's.
    Anybody,
    /// Those of clients; libzmq says with each message whose it is.
    Clients,
    /// Those of the one client with this public key.
    One(String),
}

/// An input that is open.
pub struct OpenInput {
    /// Its socket.
    pub socket: ZmqSocket,
    /// Whose frames it receives.
    pub source: AllowedSender,
    /// Its socket file, if it has one; to be dropped after the context.
    pub file: Option<SocketFile>,
}

/// Opens an input.
pub fn open(
    input: &InputEndpoint,
    context: &SocketContext,
    policy: &KeyPolicy,
    clients: &ClientTable,
) -> Result<OpenInput, PlaceError> {
    let endpoint = &input.endpoint;
    let prepare = || {
        let socket = context.socket(if input.pull { SocketKind::Pull } else { SocketKind::Sub })?;
        socket.set_linger(Duration::ZERO)?;
        socket.set_largest_part(MAX_PART)?;
        socket.set_receive_queue(1000)?;
        // A client that connects and says nothing is disconnected; the default is 30 s.
        socket.set_handshake_time(Duration::from_secs(3))?;
        if !input.pull {
            socket.subscribe(b"")?;
        }
        let source = match &input.client {
            Some(client) => {
                let key = clients.key(client).ok_or(SocketError::DENIED)?;
                policy.call(&socket, &key)?;
                AllowedSender::One(key.to_string())
            }
            None if !input.connect && policy.serve(&socket, endpoint, GuardedSocket::Ingest)? => {
                AllowedSender::Clients
            }
            None => AllowedSender::Anybody,
        };
        Ok((socket, source))
    };
    let (socket, source) = prepare().map_err(|error| endpoint.failed(error))?;
    let file = match input.connect {
        true => endpoint.connect(&socket).map(|()| None)?,
        false => endpoint.bind(&socket)?,
    };
    Ok(OpenInput { socket, source, file })
}
