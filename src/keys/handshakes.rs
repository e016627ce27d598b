//! Handshakes that fail, and connections that come and go, as libzmq's monitor of a socket tells of them.
//!
//! [`super::zap`] hears only of clients that came with a key and knew the daemon's. A camera that was
//! given no key, or another daemon's, fails before that, and would do so without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::socket::{ConnectionChange, HandshakeFailure, MonitorEvent, SocketContext, ZmqSocket};

/// Longest sleep, so that the end is seen soon.
const NAP: Duration = Duration::from_millis(100);

/// The thread that tells; ended when dropped, so that the context can end as well.
pub struct HandshakeWatch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for HandshakeWatch {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Tells of this socket's failed handshakes from a thread. `name` is the socket's own in its context.
pub fn watch(
    context: &SocketContext,
    socket: &ZmqSocket,
    name: &str,
    told: impl Fn(HandshakeFailure) + Send + 'static,
) -> std::io::Result<HandshakeWatch> {
    follow(context, socket, name, move |change| {
        if let ConnectionChange::Failed(failure) = change {
            told(failure);
        }
    })
}

/// Tells of all that becomes of this socket's connections from a thread. `name` is as in [`watch`]; a socket
/// has room for one of the two.
pub fn follow(
    context: &SocketContext,
    socket: &ZmqSocket,
    name: &str,
    told: impl Fn(ConnectionChange) + Send + 'static,
) -> std::io::Result<HandshakeWatch> {
    let monitor = socket.monitor(context, name)?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let thread = Builder::new().name("handshakes".into()).spawn(move || {
        while !asked.load(Relaxed) {
            match monitor.wait(NAP) {
                MonitorEvent::Changed(change) => told(change),
                MonitorEvent::Nothing => {}
                MonitorEvent::Closed => return,
            }
        }
    })?;
    Ok(HandshakeWatch { stop, thread: Some(thread) })
}
