//! Answers libzmq's question whether a key may come in: the ZeroMQ Authentication Protocol, RFC 27.
//!
//! For each handshake libzmq sends a request to a fixed address inside the process, and lets a client
//! in when the answer is 200. It lets everybody in when nobody is bound there, so the socket is bound
//! before the first door opens and closed after the last one, and a handler that panics takes the
//! daemon with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::PublicKey;
use super::clients::{ClientTable, GuardedSocket};
use crate::plumbing::refusals::RefusalReason;
use crate::socket::{SocketContext, SocketKind, ZmqSocket};

const ENDPOINT: &str = "inproc://zeromq.zap.01";
const VERSION: &[u8] = b"1.0";
const STOP: &str = "stop";

/// The clients as they are now; replaced at a reload.
pub type SharedClients = Arc<Mutex<ClientTable>>;

/// The running handler; ended when dropped.
pub struct ZapHandler {
    /// A message that comes in here without an empty part ends the handler; libzmq sends none.
    stop: ZmqSocket,
    thread: Option<JoinHandle<()>>,
}

impl ZapHandler {
    /// Answers from here on for all sockets of this context. Told of every client refused: why, at
    /// which door, and the address it came from.
    pub fn start(
        context: &SocketContext,
        clients: SharedClients,
        refused: impl Fn(RefusalReason, &str, &str) + Send + 'static,
    ) -> std::io::Result<ZapHandler> {
        let socket = context.socket(SocketKind::Router)?;
        socket.set_linger(Duration::ZERO)?;
        socket.bind(ENDPOINT)?;
        let stop = context.socket(SocketKind::Dealer)?;
        stop.set_linger(Duration::ZERO)?;
        stop.connect(ENDPOINT)?;
        let thread = Builder::new().name("zap".into()).spawn(move || {
            let _bolt = Bolt;
            while let Some(message) = receive(&socket) {
                let request = Request::parse(&message);
                let verdict = match &request {
                    Some(request) => {
                        let clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
                        request.judge(&clients)
                    }
                    None => Verdict::Malformed,
                };
                if let (Verdict::Refused(why), Some(request)) = (&verdict, &request) {
                    let (door, from) = (request.domain, request.address);
                    refused(*why, &String::from_utf8_lossy(door), &String::from_utf8_lossy(from));
                }
                // Nobody waits for an answer that cannot be sent: the handshake times out.
                let reply = verdict.reply(&message);
                let _ = socket.send(&reply.iter().map(Vec::as_slice).collect::<Vec<_>>());
            }
        })?;
        Ok(ZapHandler { stop, thread: Some(thread) })
    }
}

impl Drop for ZapHandler {
    fn drop(&mut self) {
        if let (Ok(()), Some(thread)) = (self.stop.send(&[STOP.as_bytes()]), self.thread.take()) {
            drop(thread.join());
        }
    }
}

/// Without a handler the doors would stand open.
struct Bolt;

impl Drop for Bolt {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

/// The next request; `None` when the handler is to end.
fn receive(socket: &ZmqSocket) -> Option<Vec<Vec<u8>>> {
    loop {
        match socket.receive() {
            Ok(Some(message)) if message.len() == 2 && message[1] == STOP.as_bytes() => {
                return None;
            }
            Ok(Some(message)) => return Some(message),
            Err(error) if error.is_ended() => return None,
            Ok(None) | Err(_) => {}
        }
    }
}

/// A request of the mechanism CURVE.
struct Request<'a> {
    domain: &'a [u8],
    address: &'a [u8],
    key: PublicKey,
}

enum Verdict {
    /// Let in; what it sends comes with this as its `User-Id`.
    Enter(String),
    Refused(RefusalReason),
    Malformed,
}

impl<'a> Request<'a> {
    fn parse(message: &'a [Vec<u8>]) -> Option<Self> {
        let (_, body) = split(message);
        let [version, _id, domain, address, _routing_id, mechanism, key] = body else {
            return None;
        };
        let key = <[u8; 32]>::try_from(key.as_slice()).ok().map(PublicKey)?;
        (version == VERSION && mechanism == b"CURVE").then_some(Request { domain, address, key })
    }

    fn judge(&self, clients: &ClientTable) -> Verdict {
        let doors = [GuardedSocket::Ingest, GuardedSocket::Publish];
        let Some(door) = doors.into_iter().find(|door| door.domain().as_bytes() == self.domain)
        else {
            return Verdict::Malformed;
        };
        let key = self.key.to_string();
        match clients.may_enter(&key, door) {
            Some(true) => Verdict::Enter(key),
            Some(false) => Verdict::Refused(RefusalReason::NotAllowed),
            None => Verdict::Refused(RefusalReason::UnknownKey),
        }
    }
}

impl Verdict {
    /// The answer to this request. A refused client learns no more than that it is.
    fn reply(&self, message: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let (envelope, body) = split(message);
        let (status, text, user) = match self {
            Verdict::Enter(key) => ("200", "OK", key.as_str()),
            Verdict::Refused(_) => ("400", "refused", ""),
            Verdict::Malformed => ("500", "malformed request", ""),
        };
        let id = body.get(1).cloned().unwrap_or_default();
        let words = [status.into(), text.into(), user.into(), Vec::new()];
        [envelope, &[Vec::new(), VERSION.to_vec(), id], &words].concat()
    }
}

/// The way back to who asked, and the request: parts before and after the first empty one.
fn split(message: &[Vec<u8>]) -> (&[Vec<u8>], &[Vec<u8>]) {
    match message.iter().position(Vec::is_empty) {
        Some(at) => (&message[..at], &message[at + 1..]),
        None => (message, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::secret::KeyPair;

    /// What libzmq sends, but for the empty part in front.
    fn request<'a>(domain: &'a str, mechanism: &'a str, key: &'a [u8]) -> Vec<&'a [u8]> {
        let address = b"192.168.0.9";
        vec![b"1.0", b"7", domain.as_bytes(), address, b"", mechanism.as_bytes(), key]
    }

    #[test]
    fn a_malformed_request_is_answered_and_the_next_one_judged() {
        let listed = KeyPair::generate().expect("a pair").public;
        let clients = Arc::new(Mutex::new(ClientTable::only_subscriber("eye", listed)));
        let context = SocketContext::default();
        let (tell, told) = std::sync::mpsc::channel();
        let refused = move |why, door: &str, from: &str| {
            tell.send((why, door.to_owned(), from.to_owned())).expect("is heard");
        };
        let zap = ZapHandler::start(&context, clients, refused).expect("starts");
        let asker = context.socket(SocketKind::Dealer).expect("socket");
        asker.set_linger(Duration::ZERO).expect("sets");
        asker.set_receive_time(Duration::from_secs(5)).expect("sets");
        asker.connect(ENDPOINT).expect("connects");
        let ask = |parts: Vec<&[u8]>| -> (String, String, String) {
            asker.send(&[&[b"".as_slice()], &parts[..]].concat()).expect("sends");
            let reply = asker.receive().expect("receives").expect("an answer");
            let text = |i: usize| String::from_utf8_lossy(&reply[i]).into_owned();
            assert_eq!((reply.len(), text(0), text(1)), (7, String::new(), "1.0".into()));
            (text(2), text(3), text(5))
        };
        let answer =
            |status: &str, user: &str| ("7".to_owned(), status.to_owned(), user.to_owned());

        for malformed in [
            vec![&b""[..]],
            vec![&b"1.0"[..]],
            vec![&b"1.0"[..], b"7"],
            request("publish", "CURVE", &listed.0)[..6].to_vec(),
            [request("publish", "CURVE", &listed.0), vec![b"more"]].concat(),
            request("publish", "NULL", &listed.0),
            request("publish", "CURVE", &listed.0[1..]),
            request("publish", "CURVE", b""),
            request("elsewhere", "CURVE", &listed.0),
            [vec![&b"2.0"[..]], request("publish", "CURVE", &listed.0)[1..].to_vec()].concat(),
            vec![&[0xff; 300][..]; 40],
        ] {
            assert_eq!(ask(malformed).1, "500");
        }
        let name = listed.to_string();
        assert_eq!(ask(request("publish", "CURVE", &listed.0)), answer("200", &name));
        assert_eq!(ask(request("ingest", "CURVE", &listed.0)), answer("400", ""));
        assert_eq!(ask(request("publish", "CURVE", &[7; 32])), answer("400", ""));
        let from = || "192.168.0.9".to_owned();
        let said: Vec<_> = told.try_iter().collect();
        assert_eq!(said[0], (RefusalReason::NotAllowed, "ingest".into(), from()));
        assert_eq!(said[1..], [(RefusalReason::UnknownKey, "publish".into(), from())]);

        drop(asker);
        drop(zap); // ends, although nobody asks any more
    }
}
