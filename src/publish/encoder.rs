//! An event as bytes, in each form that is asked for, written once.

use signd_core::event::Event;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};

/// The bytes of the event at hand. Its buffers are reused.
#[derive(Debug)]
pub struct EventEncoder {
    topic: Vec<u8>,
    msgpack: EncodedForm,
    json: EncodedForm,
}

/// An event in one form.
#[derive(Debug)]
struct EncodedForm {
    bytes: Vec<u8>,
    /// They are the bytes of the event at hand.
    written: bool,
}

impl Default for EventEncoder {
    fn default() -> Self {
        let form = || EncodedForm { bytes: Vec::with_capacity(4096), written: false };
        EventEncoder { topic: Vec::with_capacity(256), msgpack: form(), json: form() }
    }
}

impl EventEncoder {
    /// From here on this event is at hand. Gives its topic.
    pub fn begin(&mut self, event: &Event) -> &[u8] {
        self.msgpack.written = false;
        self.json.written = false;
        events::topic(event, &mut self.topic);
        &self.topic
    }

    /// The topic and the body of the event at hand, written when it is asked for first.
    pub fn message(
        &mut self,
        event: &Event,
        delivery: EventDelivery,
        encoding: EventEncoding,
    ) -> [&[u8]; 2] {
        let form = match encoding {
            EventEncoding::Msgpack => &mut self.msgpack,
            EventEncoding::Json => &mut self.json,
        };
        if !form.written {
            events::encode(event, delivery, encoding, &mut form.bytes);
            form.written = true;
        }
        [&self.topic, &form.bytes]
    }

    /// The body alone.
    pub fn body(
        &mut self,
        event: &Event,
        delivery: EventDelivery,
        encoding: EventEncoding,
    ) -> &[u8] {
        let [_, body] = self.message(event, delivery, encoding);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::event::{EventBody, StatusEvent, StatusKind, StatusReason};
    use signd_core::frame::SourceTime;
    use signd_core::stream_id;

    fn status(stream: &str) -> Event {
        let (status, reason) = (StatusKind::Appeared, StatusReason::FirstFrame);
        let body = StatusEvent { status, seq: 7, t: SourceTime(1), reason };
        let stream = stream_id::parse(stream.as_bytes()).expect("valid");
        Event { stream, body: EventBody::Status(body), labels: Default::default() }
    }

    #[test]
    fn no_form_holds_an_event_that_was_at_hand_before() {
        let (mut encoder, delivery) = (EventEncoder::default(), EventDelivery::default());
        for stream in ["cam1", "cam2"] {
            let event = status(stream);
            assert_eq!(encoder.begin(&event), format!("status/{stream}/").as_bytes());
            for encoding in [EventEncoding::Json, EventEncoding::Msgpack] {
                for _ in 0..2 {
                    let body = encoder.body(&event, delivery, encoding);
                    assert!(body.windows(4).any(|four| four == stream.as_bytes()), "{stream}");
                }
            }
        }
    }
}
