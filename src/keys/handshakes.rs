//! Handshakes that fail, and connections that come and go, as libzmq's monitor of a socket tells of them.
//!
//! [`super::zap`] hears only of clients that came with a key and knew the daemon's. A camera that was
//! given no key, or another daemon's, fails before that, and would do so without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Builder, JoinHandle};

use zmq::SocketEvent;

/// How a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The other side refused our key.
    Refused,
    /// One side asks for keys and the other does not, or this is not the key expected.
    Mismatch,
    /// The other side left or said nothing.
    Unfinished,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stands: the other side has been shaken hands with.
    Stands,
    /// It has ended.
    Ended,
    /// It was not to be.
    Failed(Failure),
}

const CHANGES: [(SocketEvent, Change); 5] = [
    (SocketEvent::HANDSHAKE_FAILED_AUTH, Change::Failed(Failure::Refused)),
    (SocketEvent::HANDSHAKE_FAILED_PROTOCOL, Change::Failed(Failure::Mismatch)),
    (SocketEvent::HANDSHAKE_FAILED_NO_DETAIL, Change::Failed(Failure::Unfinished)),
    (SocketEvent::HANDSHAKE_SUCCEEDED, Change::Stands),
    (SocketEvent::DISCONNECTED, Change::Ended),
];

/// Longest sleep, so that the end is seen soon.
const NAP_MS: i32 = 100;

/// The thread that tells; ended when dropped, so that the context can end as well.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Tells of this socket's failed handshakes from a thread. `name` is the socket's own in its context.
pub fn watch(
    context: &zmq::Context,
    socket: &zmq::Socket,
    name: &str,
    told: impl Fn(Failure) + Send + 'static,
) -> std::io::Result<Watch> {
    follow(context, socket, name, move |change| {
        if let Change::Failed(failure) = change {
            told(failure);
        }
    })
}

/// Tells of all that becomes of this socket's connections from a thread. `name` is as in [`watch`]; a socket
/// has room for one of the two.
pub fn follow(
    context: &zmq::Context,
    socket: &zmq::Socket,
    name: &str,
    told: impl Fn(Change) + Send + 'static,
) -> std::io::Result<Watch> {
    let (endpoint, pair) = (format!("inproc://handshakes-{name}"), context.socket(zmq::PAIR)?);
    let mask = CHANGES
        .iter()
        .fold(SocketEvent::MONITOR_STOPPED.to_raw(), |mask, (event, _)| mask | event.to_raw());
    socket.monitor(&endpoint, mask.into())?;
    pair.set_linger(0)?;
    pair.set_rcvtimeo(NAP_MS)?;
    pair.connect(&endpoint)?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let thread = Builder::new().name("handshakes".into()).spawn(move || {
        while !asked.load(Relaxed) {
            let message = match pair.recv_multipart(0) {
                Ok(message) => message,
                Err(zmq::Error::EINTR | zmq::Error::EAGAIN) => continue,
                Err(_) => return, // the context ends
            };
            // Number of the event and a value, then the endpoint.
            let Some([low, high, ..]) = message.first().map(Vec::as_slice) else { continue };
            let event = u16::from_ne_bytes([*low, *high]);
            match CHANGES.iter().find(|(change, _)| change.to_raw() == event) {
                Some((_, change)) => told(*change),
                None => return, // the socket is closed
            }
        }
    })?;
    Ok(Watch { stop, thread: Some(thread) })
}
