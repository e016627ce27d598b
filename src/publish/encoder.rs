//! An event as bytes, in each form that is asked for, written once.

use signd_core::event::Event;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};

/// Which forms an event is wanted in.
#[derive(Clone, Copy, Debug)]
pub struct WantedForms {
    /// MessagePack.
    pub msgpack: bool,
    /// JSON.
    pub json: bool,
}

/// The bytes of the event that was written last. Its buffers are reused.
#[derive(Debug)]
pub struct EventEncoder {
    topic: Vec<u8>,
    msgpack: Vec<u8>,
    json: Vec<u8>,
}

impl Default for EventEncoder {
    fn default() -> Self {
        let (topic, body) = (|| Vec::with_capacity(256), || Vec::with_capacity(4096));
        EventEncoder { topic: topic(), msgpack: body(), json: body() }
    }
}

impl EventEncoder {
    /// Writes the topic of an event, and the event in the forms wanted.
    pub fn write(&mut self, event: &Event, delivery: EventDelivery, wanted: WantedForms) {
        events::topic(event, &mut self.topic);
        if wanted.msgpack {
            events::encode(event, delivery, EventEncoding::Msgpack, &mut self.msgpack);
        }
        if wanted.json {
            events::encode(event, delivery, EventEncoding::Json, &mut self.json);
        }
    }

    /// The topic of the last event.
    pub fn topic(&self) -> &[u8] {
        &self.topic
    }

    /// The last event. Of use only in a form that was wanted.
    pub fn body(&self, encoding: EventEncoding) -> &[u8] {
        match encoding {
            EventEncoding::Msgpack => &self.msgpack,
            EventEncoding::Json => &self.json,
        }
    }
}
