//! Stage 6, *publish*: events to whoever subscribed.
//!
//! The socket is an XPUB, so that a subscription is seen when it arrives: a new subscriber to a
//! stream's status learns its present one at once. A subscriber that reads too slowly loses events
//! at its high-water mark; nobody else notices.

mod encoder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::endpoint::SocketEndpoint;
use crate::endpoint::place::PlaceError;
use crate::endpoint::socket_file::SocketFile;
use crate::keys::clients::{Clients, Door};
use crate::keys::guard::Guard;
use crate::observe::live::{Kind, Live};
use crate::plumbing::counters::Counters;
use crate::plumbing::now;
use crate::record::Tape;
use signd_core::event::{Body, Event, RunId, Status};
use signd_core::plausibility::InputDoubt;
use signd_core::stream_id::StreamId;
use signd_core::wire::events::{self, Delivery, Encoding};
use signd_engine::recording::Channel;

use encoder::{EventEncoder, WantedForms};

/// How long an address may take to become free again. A millisecond is common.
const REBIND: Duration = Duration::from_secs(1);

/// Settings of the events that go out.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishSettings {
    /// Where the socket is bound.
    pub endpoint: SocketEndpoint,
    /// How events are written.
    pub encoding: Encoding,
    /// Events kept for a slow subscriber, at least 1.
    pub high_water_mark: i32,
}

/// Opens the socket; its socket file, if it has one, is to be dropped after the context.
pub fn open(
    context: &zmq::Context,
    settings: &PublishSettings,
    guard: &Guard,
) -> Result<(zmq::Socket, Option<SocketFile>), PlaceError> {
    let socket = prepare(context, settings, guard);
    let socket = socket.map_err(|error| settings.endpoint.failed(error))?;
    let file = settings.endpoint.bind(&socket)?;
    Ok((socket, file))
}

fn prepare(
    context: &zmq::Context,
    settings: &PublishSettings,
    guard: &Guard,
) -> Result<zmq::Socket, zmq::Error> {
    let socket = context.socket(zmq::XPUB)?;
    socket.set_linger(500)?;
    socket.set_maxmsgsize(1024)?; // subscribers send nothing but subscriptions
    socket.set_handshake_ivl(3000)?;
    socket.set_sndhwm(settings.high_water_mark)?;
    // Every subscription is passed up, also one that somebody else has already: a second late
    // subscriber needs the status as much as the first.
    socket.set_xpub_verbose(true)?;
    guard.serve(&socket, &settings.endpoint, Door::Publish)?;
    Ok(socket)
}

/// The publish stage.
pub struct Publish {
    socket: zmq::Socket,
    clients: Clients,
    encoding: Encoding,
    run: RunId,
    tape: Tape,
    live: Live,
    counters: Arc<Counters>,
    subscription: zmq::Message,
    /// The last status of each stream, and after it each doubt about its input.
    retained: BTreeMap<(StreamId, Option<InputDoubt>), Event>,
    encoder: EventEncoder,
}

impl Publish {
    /// Publishes on this socket, to the recording and to whoever looks on.
    pub fn new(
        socket: zmq::Socket,
        encoding: Encoding,
        clients: Clients,
        run: RunId,
        tape: Tape,
        live: Live,
        counters: &Arc<Counters>,
    ) -> Self {
        Publish {
            socket,
            clients,
            encoding,
            run,
            tape,
            live,
            counters: Arc::clone(counters),
            subscription: zmq::Message::new(),
            retained: BTreeMap::new(),
            encoder: EventEncoder::default(),
        }
    }

    /// Readable when there is a subscription.
    pub fn poll_item(&self) -> zmq::PollItem<'_> {
        self.socket.as_poll_item(zmq::POLLIN)
    }

    /// Takes in the subscriptions that have arrived.
    pub fn subscriptions(&mut self) -> Result<(), zmq::Error> {
        while self.socket.recv(&mut self.subscription, zmq::DONTWAIT).is_ok() {
            if let [1, prefix @ ..] = &self.subscription[..] {
                let prefix = prefix.to_vec();
                self.resend(&prefix)?;
            }
        }
        Ok(())
    }

    /// Publishes an event; `received` is when the frame that led to it arrived.
    pub fn publish(&mut self, event: Event, received: Instant) -> Result<(), zmq::Error> {
        let begun = Instant::now();
        let latency_us = Some(begun.saturating_duration_since(received).as_micros() as u64);
        let delivery = Delivery { latency_us, retained: false, run: Some(self.run) };
        let kind = Kind::of(&event);
        let wanted = WantedForms {
            msgpack: self.encoding == Encoding::Msgpack || self.tape.records(),
            json: self.encoding == Encoding::Json || self.live.wanted(kind),
        };
        self.encoder.write(&event, delivery, wanted);
        self.send()?;
        self.counters.published(&event.body, begun, received);
        let (encoder, channel) = (&self.encoder, Channel::Events(event.stream));
        self.tape.message(channel, now(), event.t(), |data| {
            data.extend_from_slice(encoder.body(Encoding::Msgpack));
        });
        self.live.offer(event.stream, kind, |json| {
            json.extend_from_slice(encoder.body(Encoding::Json));
        });
        if let Body::Status(status) = &event.body {
            let doubt = status.reason.doubt();
            // With a reset begins another camera, or a mended one.
            if matches!(status.status, Status::Gone | Status::Reset) {
                self.retained.retain(|(stream, _), _| *stream != event.stream);
            }
            if status.status != Status::Gone {
                self.live.retain(event.stream, doubt, |json| {
                    events::encode(&event, self.again(), Encoding::Json, json);
                });
                self.retained.insert((event.stream, doubt), event);
            }
        }
        Ok(())
    }

    /// Goes on with these clients. libzmq cannot end one connection, but it ends those of an endpoint
    /// when that is unbound; so when somebody may not listen any more, everybody has to come in anew.
    pub fn adopt(&mut self, clients: &Clients) -> Result<(), zmq::Error> {
        let asks = self.socket.get_mechanism()? == zmq::Mechanism::ZMQ_CURVE;
        if asks && self.clients.lose_a_subscriber(clients) {
            let endpoint = self.socket.get_last_endpoint()?.map_err(|_| zmq::Error::EINVAL)?;
            self.socket.unbind(&endpoint)?;
            let begun = Instant::now();
            while let Err(error) = self.socket.bind(&endpoint) {
                if begun.elapsed() > REBIND {
                    return Err(error);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            tracing::info!("a subscriber has lost its right; all have to connect again");
        }
        self.clients.clone_from(clients);
        Ok(())
    }

    fn resend(&mut self, prefix: &[u8]) -> Result<(), zmq::Error> {
        let msgpack = self.encoding == Encoding::Msgpack;
        let wanted = WantedForms { msgpack, json: !msgpack };
        for event in self.retained.values() {
            self.encoder.write(event, self.again(), wanted);
            if self.encoder.topic().starts_with(prefix) {
                self.send()?;
            }
        }
        Ok(())
    }

    /// How a status is delivered to a late subscriber.
    fn again(&self) -> Delivery {
        Delivery { latency_us: None, retained: true, run: Some(self.run) }
    }

    /// Sends the event that was written last.
    fn send(&self) -> Result<(), zmq::Error> {
        self.socket.send(self.encoder.topic(), zmq::SNDMORE)?;
        self.socket.send(self.encoder.body(self.encoding), 0)
    }
}
