//! The bare round trip: what the daemon would cost if it did nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Bytes of an event as the daemon publishes it, roughly: the relay answers with as many.
const EVENT_BYTES: usize = 160;

/// A thread that answers each message with the beginning of it, through sockets of the daemon's
/// kinds in a context of its own. Ends when dropped.
pub struct Relay {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    pub fn start(from: &str, to: &str) -> Relay {
        let context = zmq::Context::new();
        let (input, output) = (context.socket(zmq::SUB), context.socket(zmq::XPUB));
        let (input, output) = (input.expect("socket"), output.expect("socket"));
        input.set_subscribe(b"").expect("subscribes");
        input.set_rcvtimeo(100).expect("sets");
        input.bind(from).expect("binds");
        output.bind(to).expect("binds");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let relay = move || {
            let (mut id, mut body) = (zmq::Message::new(), zmq::Message::new());
            while !stopped.load(Ordering::Relaxed) {
                if input.recv(&mut id, 0).is_err() {
                    continue;
                }
                input.recv(&mut body, 0).expect("the second part");
                output.send(&id[..], zmq::SNDMORE).expect("sends");
                output.send(&body[..EVENT_BYTES], 0).expect("sends");
            }
        };
        Relay { stop, thread: Some(std::thread::spawn(relay)) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
