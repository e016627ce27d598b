//! Events as MessagePack or JSON, with their topics.

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::{VERSION, topic};
use crate::event::{
    EndReason, Event, EventBody, Hypotheses, ModelLabels, RunId, SignState, StatusKind,
    StatusReason, UnknownReason,
};
use crate::frame::Hand;

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventEncoding {
    /// MessagePack maps.
    Msgpack,
    /// JSON objects.
    Json,
}

/// What the publisher knows of an event beyond the event.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventDelivery {
    /// Receive to publish, in microseconds; `None` in replay.
    pub latency_us: Option<u64>,
    /// A status sent again for a late subscriber.
    pub retained: bool,
    /// The run of the daemon; `None` in replay.
    pub run: Option<RunId>,
}

/// Writes an event's topic; `out` is cleared first.
pub fn topic(event: &Event, out: &mut Vec<u8>) {
    out.clear();
    match &event.body {
        EventBody::Frame(_) => topic::frame(out, &event.stream),
        EventBody::Status(_) => topic::status(out, &event.stream),
        EventBody::Sign(sign) => topic::sign(out, &event.stream, label(sign.label, &event.labels)),
    }
}

/// Writes an event; `out` is cleared first.
pub fn encode(event: &Event, delivery: EventDelivery, encoding: EventEncoding, out: &mut Vec<u8>) {
    out.clear();
    let message = EventMessage::new(event, &delivery);
    // Neither can fail: the values are finite and the writer is memory.
    let _ = match encoding {
        EventEncoding::Msgpack => rmp_serde::encode::write_named(out, &message).map_err(|_| ()),
        EventEncoding::Json => serde_json::to_writer(out, &message).map_err(|_| ()),
    };
}

fn label(output: Option<u16>, labels: &ModelLabels) -> Option<&str> {
    output.and_then(|i| labels.name(usize::from(i)))
}

/// The three messages, field by field in the order of `docs/wire-format.md`.
#[derive(Serialize)]
#[serde(untagged)]
enum EventMessage<'a> {
    Frame {
        v: u64,
        kind: &'static str,
        stream: &'a str,
        seq: u64,
        t: u64,
        state: SignState,
        hand: Option<Hand>,
        top: NamedHypotheses<'a>,
        top_seq: Option<u64>,
        lost: u64,
        latency_us: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<&'a str>,
    },
    Sign {
        v: u64,
        kind: &'static str,
        stream: &'a str,
        id: u64,
        label: Option<&'a str>,
        unknown: Option<UnknownReason>,
        p: f32,
        threshold: f32,
        top: NamedHypotheses<'a>,
        start_seq: u64,
        end_seq: u64,
        start_t: u64,
        end_t: u64,
        lost: u64,
        ended: EndReason,
        latency_us: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<&'a str>,
    },
    Status {
        v: u64,
        kind: &'static str,
        stream: &'a str,
        status: StatusKind,
        seq: u64,
        t: u64,
        reason: StatusReason,
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<&'a str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        retained: bool,
    },
}

impl<'a> EventMessage<'a> {
    fn new(event: &'a Event, delivery: &'a EventDelivery) -> Self {
        let (v, stream, labels) = (VERSION, event.stream.as_str(), event.labels.as_ref());
        let (latency_us, run) = (delivery.latency_us, delivery.run.as_ref().map(RunId::as_str));
        match &event.body {
            EventBody::Frame(e) => EventMessage::Frame {
                v,
                kind: "frame",
                stream,
                seq: e.seq,
                t: e.t.0,
                state: e.state,
                hand: e.hand,
                top: NamedHypotheses { top: &e.top, labels },
                top_seq: e.top_seq,
                lost: e.lost,
                latency_us,
                run,
            },
            EventBody::Sign(e) => EventMessage::Sign {
                v,
                kind: "sign",
                stream,
                id: e.id,
                label: label(e.label, labels),
                unknown: e.unknown,
                p: e.p,
                threshold: e.threshold,
                top: NamedHypotheses { top: &e.top, labels },
                start_seq: e.start_seq,
                end_seq: e.end_seq,
                start_t: e.start_t.0,
                end_t: e.end_t.0,
                lost: e.lost,
                ended: e.ended,
                latency_us,
                run,
            },
            EventBody::Status(e) => EventMessage::Status {
                v,
                kind: "status",
                stream,
                status: e.status,
                seq: e.seq,
                t: e.t.0,
                reason: e.reason,
                run,
                retained: delivery.retained,
            },
        }
    }
}

/// Hypotheses with names: `[[label, p], …]`, the label nil for *no known sign*.
struct NamedHypotheses<'a> {
    top: &'a Hypotheses,
    labels: &'a ModelLabels,
}

impl Serialize for NamedHypotheses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.top.len()))?;
        for &(output, p) in self.top {
            seq.serialize_element(&(self.labels.name(usize::from(output)), p))?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{FrameEvent, SignEvent, StatusEvent};
    use crate::frame::SourceTime;
    use crate::stream_id;

    fn json(body: EventBody, delivery: EventDelivery) -> (String, String) {
        let labels = ModelLabels { names: vec!["book".into(), "none".into()], no_sign: Some(1) };
        let stream = stream_id::parse(b"cam1").expect("valid");
        let event = Event { stream, body, labels: Arc::new(labels) };
        let (mut head, mut text) = (Vec::new(), Vec::new());
        topic(&event, &mut head);
        encode(&event, delivery, EventEncoding::Json, &mut text);
        // The two encodings carry the same values.
        let mut packed = Vec::new();
        encode(&event, delivery, EventEncoding::Msgpack, &mut packed);
        let unpacked: serde_json::Value = rmp_serde::from_slice(&packed).expect("msgpack");
        let parsed: serde_json::Value = serde_json::from_slice(&text).expect("json");
        assert_eq!(
            unpacked.as_object().map(serde_json::Map::len),
            parsed.as_object().map(serde_json::Map::len)
        );
        (String::from_utf8(head).expect("ASCII"), String::from_utf8(text).expect("UTF-8"))
    }

    fn top() -> Hypotheses {
        Hypotheses::from_iter([(0, 0.75), (1, 0.25)])
    }

    #[test]
    fn a_frame_event_as_documented() {
        let body = EventBody::Frame(FrameEvent {
            seq: 5,
            t: SourceTime(9),
            state: SignState::Signing,
            hand: Some(Hand::Right),
            top: top(),
            top_seq: Some(5),
            lost: 2,
        });
        let (topic, text) =
            json(body, EventDelivery { latency_us: Some(180), ..EventDelivery::default() });
        assert_eq!(topic, "frame/cam1/");
        assert_eq!(
            text,
            r#"{"v":1,"kind":"frame","stream":"cam1","seq":5,"t":9,"state":"signing","hand":"right","top":[["book",0.75],[null,0.25]],"top_seq":5,"lost":2,"latency_us":180}"#
        );
    }

    #[test]
    fn a_sign_event_as_documented() {
        let mut sign = SignEvent {
            id: 3,
            label: Some(0),
            unknown: None,
            p: 0.75,
            threshold: 0.4,
            top: top(),
            start_seq: 1,
            end_seq: 4,
            start_t: SourceTime(10),
            end_t: SourceTime(40),
            lost: 0,
            ended: EndReason::Rest,
        };
        let (topic, text) = json(EventBody::Sign(sign.clone()), EventDelivery::default());
        assert_eq!(topic, "sign/cam1/book");
        assert_eq!(
            text,
            r#"{"v":1,"kind":"sign","stream":"cam1","id":3,"label":"book","unknown":null,"p":0.75,"threshold":0.4,"top":[["book",0.75],[null,0.25]],"start_seq":1,"end_seq":4,"start_t":10,"end_t":40,"lost":0,"ended":"rest","latency_us":null}"#
        );
        // A user saw `no known sign ... [book 58 %` at a threshold of 0.4, and nowhere why.
        for (why, word) in [
            (UnknownReason::Threshold, "threshold"),
            (UnknownReason::Doubted, "doubted"),
            (UnknownReason::NoSign, "no_sign"),
        ] {
            (sign.label, sign.unknown) = (None, Some(why));
            let (topic, text) = json(EventBody::Sign(sign.clone()), EventDelivery::default());
            assert_eq!(topic, "sign/cam1/-");
            assert!(text.contains(&format!(r#""label":null,"unknown":"{word}","#)), "{text}");
        }
    }

    #[test]
    fn a_status_event_says_when_it_is_repeated() {
        let status = StatusEvent {
            status: StatusKind::Appeared,
            seq: 0,
            t: SourceTime(1),
            reason: StatusReason::FirstFrame,
        };
        let (topic, text) = json(EventBody::Status(status.clone()), EventDelivery::default());
        assert_eq!(topic, "status/cam1/");
        assert!(!text.contains("retained"));
        let (_, text) = json(
            EventBody::Status(status),
            EventDelivery { retained: true, ..EventDelivery::default() },
        );
        assert!(text.ends_with(r#""reason":"first_frame","retained":true}"#), "{text}");
    }

    // smg#2076: ids that begin anew must be told from a loss.
    #[test]
    fn every_event_of_the_daemon_names_its_run_and_none_of_a_replay_does() {
        let run = RunId::new(0x00c0_ffee);
        assert_eq!(run.as_str(), "00c0ffee");
        let status = StatusEvent {
            status: StatusKind::Gone,
            seq: 0,
            t: SourceTime(1),
            reason: StatusReason::Shutdown,
        };
        let named = |run| {
            let delivery = EventDelivery { run, ..EventDelivery::default() };
            let (_, text) = json(EventBody::Status(status.clone()), delivery);
            let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            event.get("run").cloned()
        };
        assert_eq!(named(Some(run)), Some(run.as_str().into()));
        assert_eq!(named(None), None);
    }
}
