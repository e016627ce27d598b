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
use crate::keys::clients::{ClientTable, GuardedSocket};
use crate::keys::policy::KeyPolicy;
use crate::observe::live::{LiveKind, LiveSender};
use crate::plumbing::counters::DaemonCounters;
use crate::plumbing::now;
use crate::recorder::RecordingSender;
use crate::socket::{MessagePart, SocketContext, SocketError, SocketKind, ZmqSocket};
use signd_core::event::{Event, EventBody, RunId, StatusKind};
use signd_core::plausibility::InputDoubt;
use signd_core::stream_id::StreamId;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};
use signd_engine::recording::RecordingChannel;

use encoder::EventEncoder;

/// How long an address may take to become free again. A millisecond is common.
const REBIND: Duration = Duration::from_secs(1);

/// Settings of the events that go out.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishSettings {
    /// Where the socket is bound.
    pub endpoint: SocketEndpoint,
    /// How events are written.
    pub encoding: EventEncoding,
    /// Events kept for a slow subscriber, at least 1.
    pub high_water_mark: i32,
}

/// Opens the socket; its socket file, if it has one, is to be dropped after the context.
pub fn open(
    context: &SocketContext,
    settings: &PublishSettings,
    policy: &KeyPolicy,
) -> Result<(ZmqSocket, Option<SocketFile>), PlaceError> {
    let socket = prepare(context, settings, policy);
    let socket = socket.map_err(|error| settings.endpoint.failed(error))?;
    let file = settings.endpoint.bind(&socket)?;
    Ok((socket, file))
}

fn prepare(
    context: &SocketContext,
    settings: &PublishSettings,
    policy: &KeyPolicy,
) -> Result<ZmqSocket, SocketError> {
    let socket = context.socket(SocketKind::Xpub)?;
    socket.set_linger(Duration::from_millis(500))?;
    socket.set_largest_part(1024)?; // subscribers send nothing but subscriptions
    socket.set_handshake_time(Duration::from_secs(3))?;
    socket.set_send_queue(settings.high_water_mark)?;
    // Every subscription is passed up, also one that somebody else has already: a second late
    // subscriber needs the status as much as the first.
    socket.pass_every_subscription()?;
    policy.serve(&socket, &settings.endpoint, GuardedSocket::Publish)?;
    Ok(socket)
}

/// The publish stage.
pub struct Publisher {
    socket: ZmqSocket,
    clients: ClientTable,
    encoding: EventEncoding,
    run: RunId,
    recording: RecordingSender,
    live: LiveSender,
    counters: Arc<DaemonCounters>,
    subscription: MessagePart,
    /// The last status of each stream, and after it each doubt about its input.
    retained: BTreeMap<(StreamId, Option<InputDoubt>), Event>,
    encoder: EventEncoder,
}

impl Publisher {
    /// Publishes on this socket, to the recording and to whoever looks on.
    pub fn new(
        socket: ZmqSocket,
        encoding: EventEncoding,
        clients: ClientTable,
        run: RunId,
        recording: RecordingSender,
        live: LiveSender,
        counters: &Arc<DaemonCounters>,
    ) -> Self {
        Publisher {
            socket,
            clients,
            encoding,
            run,
            recording,
            live,
            counters: Arc::clone(counters),
            subscription: MessagePart::default(),
            retained: BTreeMap::new(),
            encoder: EventEncoder::default(),
        }
    }

    /// The socket. It is readable when there is a subscription.
    pub fn socket(&self) -> &ZmqSocket {
        &self.socket
    }

    /// Takes in the subscriptions that have arrived.
    pub fn subscriptions(&mut self) -> Result<(), SocketError> {
        while self.socket.try_receive_part(&mut self.subscription)? {
            if let [1, prefix @ ..] = &self.subscription[..] {
                let prefix = prefix.to_vec();
                self.resend(&prefix)?;
            }
        }
        Ok(())
    }

    /// Publishes an event; `received` is when the frame that led to it arrived.
    pub fn publish(&mut self, event: Event, received: Instant) -> Result<(), SocketError> {
        let begun = Instant::now();
        let latency_us = Some(begun.saturating_duration_since(received).as_micros() as u64);
        let delivery = EventDelivery { latency_us, retained: false, run: Some(self.run) };
        let again = self.again();
        self.encoder.begin(&event);
        self.socket.send(&self.encoder.message(&event, delivery, self.encoding))?;
        self.counters.published(&event.body, begun, received);
        let channel = RecordingChannel::Events(event.stream);
        self.recording.message(channel, now(), event.t(), |data| {
            let body = self.encoder.body(&event, delivery, EventEncoding::Msgpack);
            data.extend_from_slice(body);
        });
        let EventBody::Status(status) = &event.body else {
            self.live.offer(event.stream, LiveKind::of(&event), |json| {
                let body = self.encoder.body(&event, delivery, EventEncoding::Json);
                json.extend_from_slice(body);
            });
            return Ok(());
        };
        if self.live.wanted(LiveKind::Status) {
            let body = self.encoder.body(&event, delivery, EventEncoding::Json);
            self.live.status(event.stream, status, body, |json| {
                events::encode(&event, again, EventEncoding::Json, json);
            });
        }
        let (kind, doubt) = (status.status, status.reason.doubt());
        // With a reset begins another camera, or a mended one.
        if matches!(kind, StatusKind::Gone | StatusKind::Reset) {
            self.retained.retain(|(stream, _), _| *stream != event.stream);
        }
        if kind != StatusKind::Gone {
            self.retained.insert((event.stream, doubt), event);
        }
        Ok(())
    }

    /// Goes on with these clients. libzmq cannot end one connection, but it ends those of an endpoint
    /// when that is unbound; so when somebody may not listen any more, everybody has to come in anew.
    pub fn adopt(&mut self, clients: &ClientTable) -> Result<(), SocketError> {
        if self.socket.has_keys()? && self.clients.lose_a_subscriber(clients) {
            let endpoint = self.socket.last_endpoint()?;
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

    fn resend(&mut self, prefix: &[u8]) -> Result<(), SocketError> {
        let again = self.again();
        for event in self.retained.values() {
            if self.encoder.begin(event).starts_with(prefix) {
                self.socket.send(&self.encoder.message(event, again, self.encoding))?;
            }
        }
        Ok(())
    }

    /// How a status is delivered to a late subscriber.
    fn again(&self) -> EventDelivery {
        EventDelivery { latency_us: None, retained: true, run: Some(self.run) }
    }
}
