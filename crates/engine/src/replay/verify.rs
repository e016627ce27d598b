//! Does a replay say what the recorded run said?
//!
//! Per stream, the replay's events wait until the recorded ones come by: in a recording an event
//! follows the frame that led to it. Every field must be equal, to the bit, but for `latency_us` and `run`,
//! which no replay has, and, where inference was behind (`top_seq` is not `seq`), for the hypotheses of that
//! frame. A key that the recorded event has not, because an older version wrote it, is not compared.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde_json::Value;

use super::ReplayOutput;
use crate::recording::{RunDigests, RunMark};
use signd_core::event::Event;
use signd_core::stream_id::StreamId;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};

/// Compares the events of a replay with the recorded ones.
#[derive(Debug)]
pub struct ReplayVerifier {
    digests: RunDigests,
    waiting: BTreeMap<StreamId, VecDeque<Value>>,
    parted: BTreeMap<StreamId, ReplayDifference>,
    /// Run and number of the part that is being played; none before the first.
    part: Option<(u64, u32)>,
    /// Events cannot be compared from here to the end of the recording.
    blind: bool,
    cut: bool,
    report: VerifyReport,
    body: Vec<u8>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VerifyReport {
    /// Equal frame events, hypotheses included.
    pub frames: u64,
    /// Frame events whose hypotheses inference had skipped; the rest of them is equal.
    pub skipped: u64,
    /// Equal decisions.
    pub signs: u64,
    /// Equal status events.
    pub status: u64,
    /// Where streams part; the first difference of each.
    pub partings: Vec<ReplayDifference>,
    /// Why a recording, or the rest of it, was not compared.
    pub blind: Vec<&'static str>,
    /// Not all of the recordings could be read.
    pub incomplete: bool,
}

/// Where a stream's replay first differs from what was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayDifference {
    /// The stream.
    pub stream: StreamId,
    /// The fields that differ; `*` for an event that one side has and the other has not.
    pub fields: Vec<String>,
    /// The recorded event, or null.
    pub recorded: Value,
    /// The replay's, or null.
    pub replayed: Value,
}

impl ReplayVerifier {
    /// A comparison with a replay that has this model and these settings at work.
    #[must_use]
    pub fn new(digests: RunDigests) -> Self {
        ReplayVerifier {
            digests,
            waiting: BTreeMap::new(),
            parted: BTreeMap::new(),
            part: None,
            blind: false,
            cut: false,
            report: VerifyReport::default(),
            body: Vec::new(),
        }
    }

    /// Takes what the replay tells.
    pub fn take(&mut self, told: &ReplayOutput<'_>) {
        match told {
            ReplayOutput::Mark(RunMark::Begin { run, part, digests }) => {
                self.begin(*run, *part, digests);
            }
            ReplayOutput::Mark(RunMark::Reload(digests)) => self.at_work(digests),
            ReplayOutput::Event(event) if !self.blind => self.replayed(event),
            ReplayOutput::Recorded(stream, event) if !self.blind => self.recorded(*stream, event),
            ReplayOutput::Event(_)
            | ReplayOutput::Recorded(..)
            | ReplayOutput::Time(_)
            | ReplayOutput::Core(..) => {}
        }
    }

    /// Not all of the recording could be read: events of it may be missing.
    pub fn incomplete(&mut self) {
        self.cut = true;
        self.report.incomplete = true;
    }

    /// Everything is played.
    #[must_use]
    pub fn end(mut self) -> VerifyReport {
        self.close();
        if self.part.is_none() {
            self.report.blind.push("no run of the daemon is recorded here");
        }
        self.report
    }

    fn begin(&mut self, run: u64, part: u32, digests: &RunDigests) {
        let before = self.part.replace((run, part));
        // After a hole the parts no longer join.
        let joins = before.is_some_and(|(r, p)| (r, p.checked_add(1)) == (run, Some(part)));
        if !joins || self.cut {
            self.close();
            self.blind = part > 0;
            if self.blind {
                self.report.blind.push("the parts before it are missing");
            }
        }
        self.at_work(digests);
    }

    fn at_work(&mut self, recorded: &RunDigests) {
        let (model, settings) = (&self.digests.model, &self.digests.settings);
        let why = match (model == &recorded.model, settings == &recorded.settings) {
            (true, true) => return,
            (true, false) => "it was recorded with other settings",
            (false, true) => "it was recorded with another model",
            (false, false) => "it was recorded with another model and other settings",
        };
        if !std::mem::replace(&mut self.blind, true) {
            self.report.blind.push(why);
        }
    }

    /// Ends a recording.
    fn close(&mut self) {
        let cut = std::mem::take(&mut self.cut);
        let incomplete = self.blind || cut;
        for (stream, mut waiting) in std::mem::take(&mut self.waiting) {
            if let Some(replayed) = waiting.pop_front().filter(|_| !incomplete) {
                let fields = vec!["*".to_owned()];
                let parting = ReplayDifference { stream, fields, recorded: Value::Null, replayed };
                self.parted.entry(stream).or_insert(parting);
            }
        }
        self.report.partings.extend(std::mem::take(&mut self.parted).into_values());
    }

    fn replayed(&mut self, event: &Event) {
        events::encode(event, EventDelivery::default(), EventEncoding::Msgpack, &mut self.body);
        let value = rmp_serde::from_slice(&self.body).unwrap_or_default();
        self.waiting.entry(event.stream).or_default().push_back(value);
    }

    fn recorded(&mut self, stream: StreamId, event: &[u8]) {
        if self.parted.contains_key(&stream) {
            return; // what follows a difference differs
        }
        let recorded: Value = rmp_serde::from_slice(event).unwrap_or_default();
        let waiting = self.waiting.get_mut(&stream).and_then(VecDeque::pop_front);
        let replayed = waiting.unwrap_or_default();
        let skipped = recorded["kind"] == "frame" && recorded["top_seq"] != recorded["seq"];
        let fields = differences(&recorded, &replayed, skipped);
        if !fields.is_empty() {
            self.parted.insert(stream, ReplayDifference { stream, fields, recorded, replayed });
            return;
        }
        match recorded["kind"].as_str() {
            Some("frame") if skipped => self.report.skipped += 1,
            Some("frame") => self.report.frames += 1,
            Some("sign") => self.report.signs += 1,
            _ => self.report.status += 1,
        }
    }
}

fn differences(recorded: &Value, replayed: &Value, skipped: bool) -> Vec<String> {
    let (Some(a), Some(b)) = (recorded.as_object(), replayed.as_object()) else {
        return vec!["*".to_owned()];
    };
    let free = |key: &str| {
        matches!(key, "latency_us" | "run") || skipped && matches!(key, "top" | "top_seq")
    };
    a.iter()
        .filter(|(key, value)| !free(key) && b.get(*key) != Some(value))
        .map(|(key, _)| key.clone())
        .collect()
}

impl VerifyReport {
    /// Everything was compared, and nothing differs.
    #[must_use]
    pub fn equal(&self) -> bool {
        self.partings.is_empty() && self.blind.is_empty()
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ReplayDifference { stream, fields, recorded, replayed } in &self.partings {
            writeln!(f, "stream {stream} parts in: {}", fields.join(", "))?;
            writeln!(f, "  recorded {recorded}")?;
            writeln!(f, "  replayed {replayed}")?;
        }
        for why in &self.blind {
            writeln!(f, "a recording, or the rest of it, cannot be compared: {why}")?;
        }
        let VerifyReport { frames, skipped, signs, status, .. } = self;
        if self.incomplete {
            f.write_str("as far as it could be read, ")?;
        }
        writeln!(
            f,
            "equal: {frames} frame events, {signs} decisions, {status} status events; {skipped} \
             more frame events whose hypotheses were skipped live"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use signd_core::event::{EventBody, FrameEvent, Hypotheses, ModelLabels, RunId, SignState};
    use signd_core::frame::SourceTime;
    use signd_core::stream_id;

    fn event(seq: u64, top_seq: u64) -> Event {
        let labels = ModelLabels { names: vec!["book".into()], no_sign: None };
        Event {
            stream: stream_id::parse(b"cam1").expect("valid"),
            body: EventBody::Frame(FrameEvent {
                seq,
                t: SourceTime(seq),
                state: SignState::Signing,
                hand: None,
                top: Hypotheses::from_iter([(0, 1.0 / top_seq as f32)]),
                top_seq: Some(top_seq),
                lost: 0,
            }),
            labels: Arc::new(labels),
        }
    }

    fn digests(model: &str) -> RunDigests {
        RunDigests { model: model.into(), settings: "s".into() }
    }

    /// A recording with model `a`, replayed with model `a`.
    fn verify(part: u32) -> ReplayVerifier {
        let mut verify = ReplayVerifier::new(digests("a"));
        let mark = RunMark::Begin { run: 1, part, digests: digests("a") };
        verify.take(&ReplayOutput::Mark(&mark));
        verify
    }

    fn replayed(verify: &mut ReplayVerifier, event: &Event) {
        verify.take(&ReplayOutput::Event(event));
    }

    fn recorded(verify: &mut ReplayVerifier, event: &Event) {
        let mut body = Vec::new();
        let run = Some(RunId::new(7));
        let delivery = EventDelivery { latency_us: Some(99), run, ..EventDelivery::default() };
        events::encode(event, delivery, EventEncoding::Msgpack, &mut body);
        verify.take(&ReplayOutput::Recorded(event.stream, &body));
    }

    #[test]
    fn latency_run_and_skipped_hypotheses_may_differ() {
        let mut verify = verify(0);
        for seq in 1..4 {
            replayed(&mut verify, &event(seq, seq));
        }
        recorded(&mut verify, &event(1, 1));
        recorded(&mut verify, &event(2, 1));
        recorded(&mut verify, &event(3, 3));
        let report = verify.end();
        assert!(report.equal());
        assert_eq!((report.frames, report.skipped), (2, 1));
    }

    #[test]
    fn the_first_difference_is_named_and_what_follows_is_not_counted() {
        let mut verify = verify(0);
        (1..4).for_each(|seq| replayed(&mut verify, &event(seq, seq)));
        let mut other = event(1, 1);
        let EventBody::Frame(frame) = &mut other.body else { unreachable!() };
        frame.lost = 7;
        recorded(&mut verify, &other);
        recorded(&mut verify, &event(2, 2));
        let report = verify.end();
        assert_eq!((report.partings.len(), report.frames), (1, 0));
        assert_eq!(report.partings[0].fields, ["lost"]);
        assert_eq!(report.partings[0].recorded["lost"], 7);
    }

    #[test]
    fn an_event_too_many_on_either_side_is_a_difference_unless_the_recording_is_cut() {
        let ends = |act: fn(&mut ReplayVerifier)| {
            let mut verify = verify(0);
            act(&mut verify);
            verify.end().partings.len()
        };
        assert_eq!(ends(|v| recorded(v, &event(1, 1))), 1);
        assert_eq!(ends(|v| replayed(v, &event(1, 1))), 1);
        let cut = |v: &mut ReplayVerifier| {
            replayed(v, &event(1, 1));
            v.incomplete();
        };
        assert_eq!(ends(cut), 0);
    }

    #[test]
    fn what_cannot_be_compared_is_not_called_equal() {
        let unmarked = ReplayVerifier::new(digests("a"));
        assert!(!unmarked.end().equal());
        assert!(!verify(2).end().equal(), "parts 0 and 1 are missing");
        let mut reloaded = verify(0);
        reloaded.take(&ReplayOutput::Mark(&RunMark::Reload(digests("a"))));
        recorded(&mut reloaded, &event(1, 1));
        reloaded.take(&ReplayOutput::Mark(&RunMark::Reload(digests("b"))));
        recorded(&mut reloaded, &event(2, 2));
        let report = reloaded.end();
        assert_eq!(report.partings.len(), 1, "only what came before the other model is compared");
        assert_eq!(report.blind, ["it was recorded with another model"]);
    }

    #[test]
    fn a_key_that_an_older_version_did_not_write_is_no_difference() {
        let [old, new] = [r#"{"p":1}"#, r#"{"p":1,"threshold":0.4}"#]
            .map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
        assert!(differences(&old, &new, false).is_empty());
        assert_eq!(differences(&new, &old, false), ["threshold"]);
    }
}
