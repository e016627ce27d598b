//! Stage 6, *publish*: events to whoever subscribed.
//!
//! The socket is an XPUB, so that a subscription is seen when it arrives: a new subscriber to a
//! stream's status learns its present one at once. A subscriber that reads too slowly loses events
//! at its high-water mark; nobody else notices.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::config::Settings;
use crate::event::{Body, Event, Status};
use crate::run::flow::Receiver;
use crate::wire::events::{self, Delivery, Encoding};
use crate::wire::topic::StreamId;

/// An event on its way from infer to publish.
pub struct Outbound {
    /// The event.
    pub event: Event,
    /// When the frame that led to it arrived.
    pub received: Instant,
}

/// Opens the socket.
pub fn open(context: &zmq::Context, settings: &Settings) -> Result<zmq::Socket, zmq::Error> {
    let socket = context.socket(zmq::XPUB)?;
    socket.set_linger(500)?;
    socket.set_maxmsgsize(1024)?; // subscribers send nothing but subscriptions
    socket.set_handshake_ivl(3000)?;
    socket.set_sndhwm(settings.high_water_mark)?;
    // Every subscription is passed up, also one that somebody else has already: a second late
    // subscriber needs the status as much as the first.
    socket.set_xpub_verbose(true)?;
    socket.bind(&settings.publish)?;
    Ok(socket)
}

/// The publish stage.
pub struct Publish {
    socket: zmq::Socket,
    events: Receiver<Outbound>,
    encoding: Encoding,
    retained: BTreeMap<StreamId, Event>,
    topic: Vec<u8>,
    body: Vec<u8>,
}

impl Publish {
    /// Publishes from this ring on this socket.
    pub fn new(socket: zmq::Socket, events: Receiver<Outbound>, encoding: Encoding) -> Self {
        let retained = BTreeMap::new();
        let (topic, body) = (Vec::with_capacity(256), Vec::with_capacity(4096));
        Publish { socket, events, encoding, retained, topic, body }
    }

    /// Publishes until the writer of the ring is gone and the ring is empty.
    pub fn run(mut self) -> Result<(), zmq::Error> {
        let mut subscription = zmq::Message::new();
        loop {
            // In this order: a bell that announces the end is not silenced unheard.
            self.events.hush();
            let ended = self.events.closed();
            while let Some(outbound) = self.events.try_receive() {
                self.publish(outbound)?;
            }
            if ended {
                return Ok(());
            }
            while self.socket.recv(&mut subscription, zmq::DONTWAIT).is_ok() {
                if let [1, prefix @ ..] = &subscription[..] {
                    self.resend(prefix)?;
                }
            }
            let mut items = [
                zmq::PollItem::from_fd(self.events.descriptor(), zmq::POLLIN),
                self.socket.as_poll_item(zmq::POLLIN),
            ];
            match zmq::poll(&mut items, -1) {
                Ok(_) | Err(zmq::Error::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn publish(&mut self, Outbound { event, received }: Outbound) -> Result<(), zmq::Error> {
        let latency_us = Some(received.elapsed().as_micros() as u64);
        self.send(&event, Delivery { latency_us, retained: false })?;
        if let Body::Status(status) = &event.body {
            match status.status {
                Status::Gone => drop(self.retained.remove(&event.stream)),
                _ => drop(self.retained.insert(event.stream, event)),
            }
        }
        Ok(())
    }

    fn resend(&mut self, prefix: &[u8]) -> Result<(), zmq::Error> {
        let retained = std::mem::take(&mut self.retained);
        for event in retained.values() {
            events::topic(event, &mut self.topic);
            if self.topic.starts_with(prefix) {
                self.send(event, Delivery { latency_us: None, retained: true })?;
            }
        }
        self.retained = retained;
        Ok(())
    }

    fn send(&mut self, event: &Event, delivery: Delivery) -> Result<(), zmq::Error> {
        events::topic(event, &mut self.topic);
        events::encode(event, delivery, self.encoding, &mut self.body);
        self.socket.send(&self.topic, zmq::SNDMORE)?;
        self.socket.send(&self.body, 0)
    }
}
