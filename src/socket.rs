//! ZeroMQ, all of it that signd uses: the one file that knows the binding, so that another can take its
//! place.
//!
//! Sizes are bytes, queues are messages. No call waits unless its name or its documentation says so.

use std::io;
use std::ops::Deref;
use std::os::fd::RawFd;
use std::time::Duration;

use zmq::SocketEvent;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// A call to ZeroMQ failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct SocketError(zmq::Error);

impl SocketError {
    /// The caller has not what it takes.
    pub const DENIED: SocketError = SocketError(zmq::Error::EACCES);

    /// A signal came in between. The call can be made again.
    pub fn is_interrupted(self) -> bool {
        self.0 == zmq::Error::EINTR
    }

    /// The context of the socket ends.
    pub fn is_ended(self) -> bool {
        self.0 == zmq::Error::ETERM
    }
}

impl From<SocketError> for io::Error {
    fn from(error: SocketError) -> io::Error {
        error.0.into()
    }
}

type Result<T> = std::result::Result<T, SocketError>;

/// What a socket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// Receives what it has subscribed to.
    Sub,
    /// Sends to those who have subscribed, and sees subscriptions arrive.
    Xpub,
    /// Receives its share.
    Pull,
    /// Shares out.
    Push,
    /// Answers many.
    Router,
    /// Asks without waiting for the answer.
    Dealer,
    /// One of two.
    Pair,
}

/// The home of sockets. It ends when it and all its sockets are dropped.
#[derive(Clone)]
pub struct SocketContext(zmq::Context);

impl Default for SocketContext {
    fn default() -> Self {
        SocketContext(zmq::Context::new())
    }
}

impl SocketContext {
    /// Opens a socket.
    pub fn socket(&self, kind: SocketKind) -> Result<ZmqSocket> {
        let kind = match kind {
            SocketKind::Sub => zmq::SUB,
            SocketKind::Xpub => zmq::XPUB,
            SocketKind::Pull => zmq::PULL,
            SocketKind::Push => zmq::PUSH,
            SocketKind::Router => zmq::ROUTER,
            SocketKind::Dealer => zmq::DEALER,
            SocketKind::Pair => zmq::PAIR,
        };
        self.0.socket(kind).map(ZmqSocket).map_err(SocketError)
    }
}

/// One part of a message received. Its memory is reused.
pub struct MessagePart(zmq::Message);

impl Default for MessagePart {
    fn default() -> Self {
        MessagePart(zmq::Message::new())
    }
}

impl Deref for MessagePart {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl MessagePart {
    /// Who sent it, as the handler of keys has named it. None where no keys are asked for.
    pub fn sender(&mut self) -> Option<&str> {
        self.0.gets("User-Id")
    }
}

/// A socket.
pub struct ZmqSocket(zmq::Socket);

impl ZmqSocket {
    /// How long what is unsent is kept when the socket is closed.
    pub fn set_linger(&self, time: Duration) -> Result<()> {
        self.0.set_linger(milliseconds(time)).map_err(SocketError)
    }

    /// A longer part closes its connection.
    pub fn set_largest_part(&self, bytes: i64) -> Result<()> {
        self.0.set_maxmsgsize(bytes).map_err(SocketError)
    }

    /// Most messages that wait to be received from one peer.
    pub fn set_receive_queue(&self, messages: i32) -> Result<()> {
        self.0.set_rcvhwm(messages).map_err(SocketError)
    }

    /// Most messages that wait to be sent to one peer.
    pub fn set_send_queue(&self, messages: i32) -> Result<()> {
        self.0.set_sndhwm(messages).map_err(SocketError)
    }

    /// A peer that takes longer to introduce itself is disconnected.
    pub fn set_handshake_time(&self, time: Duration) -> Result<()> {
        self.0.set_handshake_ivl(milliseconds(time)).map_err(SocketError)
    }

    /// The longest wait of [`ZmqSocket::receive`].
    pub fn set_receive_time(&self, time: Duration) -> Result<()> {
        self.0.set_rcvtimeo(milliseconds(time)).map_err(SocketError)
    }

    /// Receives messages that begin like this.
    pub fn subscribe(&self, prefix: &[u8]) -> Result<()> {
        self.0.set_subscribe(prefix).map_err(SocketError)
    }

    /// Passes up every subscription, also one that another peer has already.
    pub fn pass_every_subscription(&self) -> Result<()> {
        self.0.set_xpub_verbose(true).map_err(SocketError)
    }

    /// Uses IPv6 too.
    pub fn set_ipv6(&self, ipv6: bool) -> Result<()> {
        self.0.set_ipv6(ipv6).map_err(SocketError)
    }

    /// Binds to an endpoint.
    pub fn bind(&self, endpoint: &str) -> Result<()> {
        self.0.bind(endpoint).map_err(SocketError)
    }

    /// Closes a bound endpoint and all its connections.
    pub fn unbind(&self, endpoint: &str) -> Result<()> {
        self.0.unbind(endpoint).map_err(SocketError)
    }

    /// Connects to an endpoint, and goes on trying for as long as nothing answers.
    pub fn connect(&self, endpoint: &str) -> Result<()> {
        self.0.connect(endpoint).map_err(SocketError)
    }

    /// The endpoint bound or connected last, the port a real one. Empty without one.
    pub fn last_endpoint(&self) -> Result<String> {
        Ok(self.0.get_last_endpoint().map_err(SocketError)?.unwrap_or_default())
    }

    /// Makes it a server that has this secret key. Its callers are judged in this domain.
    pub fn serve_keys(&self, secret: &[u8; KEY_BYTES], domain: &str) -> Result<()> {
        let set = || {
            self.0.set_curve_server(true)?;
            self.0.set_curve_secretkey(secret)?;
            self.0.set_zap_domain(domain)
        };
        set().map_err(SocketError)
    }

    /// Makes it a client that has this pair of keys and accepts no server with another key.
    pub fn call_with_keys(
        &self,
        server: &[u8; KEY_BYTES],
        public: &[u8; KEY_BYTES],
        secret: &[u8; KEY_BYTES],
    ) -> Result<()> {
        let set = || {
            self.0.set_curve_serverkey(server)?;
            self.0.set_curve_publickey(public)?;
            self.0.set_curve_secretkey(secret)
        };
        set().map_err(SocketError)
    }

    /// Keys are exchanged here.
    pub fn has_keys(&self) -> Result<bool> {
        let mechanism = self.0.get_mechanism().map_err(SocketError)?;
        Ok(mechanism == zmq::Mechanism::ZMQ_CURVE)
    }

    /// It is the server in that exchange.
    pub fn is_key_server(&self) -> Result<bool> {
        self.0.is_curve_server().map_err(SocketError)
    }

    /// Sends a message of these parts. Waits while a queue is full that must not lose any.
    pub fn send(&self, parts: &[&[u8]]) -> Result<()> {
        for (i, part) in parts.iter().enumerate() {
            let more = if i + 1 < parts.len() { zmq::SNDMORE } else { 0 };
            self.0.send(*part, more).map_err(SocketError)?;
        }
        Ok(())
    }

    /// Receives the first part of a message; false when none waits.
    pub fn try_receive_part(&self, part: &mut MessagePart) -> Result<bool> {
        match self.0.recv(&mut part.0, zmq::DONTWAIT) {
            Ok(()) => Ok(true),
            Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => Ok(false),
            Err(error) => Err(SocketError(error)),
        }
    }

    /// Receives the next part of the same message; false when there is none.
    pub fn receive_next_part(&self, part: &mut MessagePart) -> Result<bool> {
        if !self.0.get_rcvmore().map_err(SocketError)? {
            return Ok(false);
        }
        // Parts of one message arrive together, so this does not wait.
        self.0.recv(&mut part.0, 0).map(|()| true).map_err(SocketError)
    }

    /// Waits for a message; none when the longest wait is over.
    pub fn receive(&self) -> Result<Option<Vec<Vec<u8>>>> {
        self.receive_all(0)
    }

    /// Receives a message; none when none waits.
    pub fn try_receive(&self) -> Result<Option<Vec<Vec<u8>>>> {
        self.receive_all(zmq::DONTWAIT)
    }

    fn receive_all(&self, flags: i32) -> Result<Option<Vec<Vec<u8>>>> {
        match self.0.recv_multipart(flags) {
            Ok(parts) => Ok(Some(parts)),
            Err(zmq::Error::EAGAIN) => Ok(None),
            Err(error) => Err(SocketError(error)),
        }
    }

    /// Tells what becomes of this socket's connections. `name` is the socket's own in its context. A socket
    /// has room for one monitor.
    pub fn monitor(&self, context: &SocketContext, name: &str) -> Result<SocketMonitor> {
        let endpoint = format!("inproc://monitor-{name}");
        let mask = MONITORED
            .iter()
            .fold(SocketEvent::MONITOR_STOPPED.to_raw(), |mask, (event, _)| mask | event.to_raw());
        self.0.monitor(&endpoint, mask.into()).map_err(SocketError)?;
        let pair = context.socket(SocketKind::Pair)?;
        pair.set_linger(Duration::ZERO)?;
        pair.connect(&endpoint)?;
        Ok(SocketMonitor(pair))
    }
}

/// How a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// The other side refused our key.
    Refused,
    /// One side asks for keys and the other does not, or this is not the key expected.
    Mismatch,
    /// The other side left or said nothing.
    Unfinished,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionChange {
    /// It stands: both sides have introduced themselves.
    Established,
    /// It has ended.
    Ended,
    /// It was not to be.
    Failed(HandshakeFailure),
}

const MONITORED: [(SocketEvent, ConnectionChange); 5] = [
    (SocketEvent::HANDSHAKE_FAILED_AUTH, ConnectionChange::Failed(HandshakeFailure::Refused)),
    (SocketEvent::HANDSHAKE_FAILED_PROTOCOL, ConnectionChange::Failed(HandshakeFailure::Mismatch)),
    (
        SocketEvent::HANDSHAKE_FAILED_NO_DETAIL,
        ConnectionChange::Failed(HandshakeFailure::Unfinished),
    ),
    (SocketEvent::HANDSHAKE_SUCCEEDED, ConnectionChange::Established),
    (SocketEvent::DISCONNECTED, ConnectionChange::Ended),
];

/// What a monitor has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorEvent {
    /// A connection changed.
    Changed(ConnectionChange),
    /// Nothing, for as long as it was waited for.
    Nothing,
    /// The socket is closed.
    Closed,
}

/// Hears of a socket's connections.
pub struct SocketMonitor(ZmqSocket);

impl SocketMonitor {
    /// Waits for a change for so long.
    pub fn wait(&self, time: Duration) -> MonitorEvent {
        let received = self.0.set_receive_time(time).and_then(|()| self.0.receive());
        let message = match received {
            Ok(Some(message)) => message,
            Ok(None) => return MonitorEvent::Nothing,
            Err(error) if error.is_interrupted() => return MonitorEvent::Nothing,
            Err(_) => return MonitorEvent::Closed, // the context ends
        };
        // Number of the event and a value, then the endpoint.
        let Some([low, high, ..]) = message.first().map(Vec::as_slice) else {
            return MonitorEvent::Nothing;
        };
        let event = u16::from_ne_bytes([*low, *high]);
        let known = MONITORED.iter().find(|(known, _)| known.to_raw() == event);
        known.map_or(MonitorEvent::Closed, |(_, change)| MonitorEvent::Changed(*change))
    }
}

/// Sockets to be read from, looked at together.
pub struct SocketPoll<'a>(Vec<zmq::PollItem<'a>>);

impl<'a> SocketPoll<'a> {
    /// All of these.
    pub fn of(sockets: impl IntoIterator<Item = &'a ZmqSocket>) -> SocketPoll<'a> {
        SocketPoll(sockets.into_iter().map(|socket| socket.0.as_poll_item(zmq::POLLIN)).collect())
    }

    /// Waits for a message for so long at most.
    pub fn wait(&mut self, longest: Duration) -> Result<()> {
        poll(&mut self.0, i64::from(milliseconds(longest)))
    }

    /// Whether there was a message at each of them, in order.
    pub fn readable(&self) -> impl Iterator<Item = bool> {
        self.0.iter().map(zmq::PollItem::is_readable)
    }
}

/// Waits until this descriptor or this socket has something to be read; which of them.
pub fn wait_for(descriptor: RawFd, socket: &ZmqSocket) -> Result<[bool; 2]> {
    let item = zmq::PollItem::from_fd(descriptor, zmq::POLLIN);
    let mut items = [item, socket.0.as_poll_item(zmq::POLLIN)];
    poll(&mut items, -1)?;
    Ok(items.map(|item| item.is_readable()))
}

/// Whether this descriptor has something to be read, waiting for so long at most.
#[cfg(test)]
pub fn is_readable(descriptor: RawFd, longest: Duration) -> bool {
    let mut items = [zmq::PollItem::from_fd(descriptor, zmq::POLLIN)];
    poll(&mut items, i64::from(milliseconds(longest))).is_ok() && items[0].is_readable()
}

/// A wait interrupted by a signal is one that found nothing.
fn poll(items: &mut [zmq::PollItem<'_>], longest_ms: i64) -> Result<()> {
    match zmq::poll(items, longest_ms) {
        Ok(_) | Err(zmq::Error::EINTR) => Ok(()),
        Err(error) => Err(SocketError(error)),
    }
}

/// Whether the library can exchange keys at all.
pub fn has_curve() -> bool {
    zmq::has("curve") == Some(true)
}

/// A new pair of keys: public and secret.
pub fn key_pair() -> Result<[[u8; KEY_BYTES]; 2]> {
    let pair = zmq::CurveKeyPair::new().map_err(SocketError)?;
    Ok([pair.public_key, pair.secret_key])
}

/// A key as 40 characters of Z85.
pub fn z85(key: &[u8; KEY_BYTES]) -> String {
    // Only another length can fail.
    zmq::z85_encode(key).unwrap_or_default()
}

/// A key from 40 characters of Z85.
pub fn from_z85(text: &str) -> Option<[u8; KEY_BYTES]> {
    let key: [u8; KEY_BYTES] = zmq::z85_decode(text).ok()?.try_into().ok()?;
    // The binding hides whether the library could read it.
    (z85(&key) == text).then_some(key)
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
