//! What comes out: one `frame` event per accepted frame, one `sign` event per decided sign, and
//! `status` events when a stream appears, stalls, resumes, is reset or goes.
//!
//! Events are plain values without heap data of their own, so that a ring slot holds one.

use std::fmt::Write;
use std::sync::Arc;

use arrayvec::{ArrayString, ArrayVec};
use serde::Serialize;

use crate::frame::{Hand, SourceTime};
use crate::plausibility::InputDoubt;
use crate::stream_id::StreamId;

/// Most hypotheses an event can carry.
pub const MAX_TOP: usize = 10;

/// Where in a sign a stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignState {
    /// No sign: the hand rests, is still or cannot be seen.
    #[default]
    Idle,
    /// The hand is on its way to where the sign will be made.
    Onset,
    /// The sign itself.
    Signing,
    /// The hand has come to rest or left; the sign may still go on.
    Offset,
}

/// Why a sign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The hand was lowered to rest, or is on its way.
    Rest,
    /// The hand was held still.
    Still,
    /// The hand could no longer be seen.
    Hidden,
    /// The sign reached the longest length allowed.
    Length,
    /// Capture times jumped ahead by more than the time-out.
    Gap,
    /// No frame arrived for the time-out.
    Stalled,
    /// The stream was reset.
    Reset,
    /// The recording, the stream or the daemon ended, or the model was exchanged.
    End,
    /// It had not: its label was stable before (`decide.early_ms`).
    Early,
}

impl EndReason {
    /// All of them, in the order of their numbers.
    pub const ALL: [EndReason; 9] = [
        EndReason::Rest,
        EndReason::Still,
        EndReason::Hidden,
        EndReason::Length,
        EndReason::Gap,
        EndReason::Stalled,
        EndReason::Reset,
        EndReason::End,
        EndReason::Early,
    ];

    /// Its name in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            EndReason::Rest => "rest",
            EndReason::Still => "still",
            EndReason::Hidden => "hidden",
            EndReason::Length => "length",
            EndReason::Gap => "gap",
            EndReason::Stalled => "stalled",
            EndReason::Reset => "reset",
            EndReason::End => "end",
            EndReason::Early => "early",
        }
    }
}

/// Why a decision is no known sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    /// The best hypothesis is less probable than its threshold.
    Threshold,
    /// The best hypothesis is probable enough, but so little of a sign was seen in the movement that it is doubted.
    Doubted,
    /// The best hypothesis is *no known sign* itself.
    NoSign,
}

/// What a status event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// First frame of a stream.
    Appeared,
    /// No frame for the time-out.
    Stalled,
    /// A frame again, after a stall.
    Resumed,
    /// Numbers or times began anew; what was known of the stream is forgotten.
    Reset,
    /// The stream is over.
    Gone,
    /// The stream goes on, but its landmarks or times are not those of a person before a camera.
    Doubtful,
}

/// Why a status changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusReason {
    /// The stream's first frame.
    FirstFrame,
    /// No frame arrived for the time-out.
    Silence,
    /// Frames arrive again.
    Frames,
    /// Capture time jumped back by more than a second.
    ClockBack,
    /// `seq` began anew while time went on: the producer restarted.
    Restart,
    /// The daemon, or the recording, ended.
    Shutdown,
    /// What is doubtful; only with [`StatusKind::Doubtful`].
    #[serde(untagged)]
    Doubt(InputDoubt),
}

impl StatusReason {
    /// The doubt, if it is one.
    #[must_use]
    pub fn doubt(self) -> Option<InputDoubt> {
        match self {
            StatusReason::Doubt(doubt) => Some(doubt),
            _ => None,
        }
    }
}

/// The labels of a model, in the order of its outputs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ModelLabels {
    /// One name per output.
    pub names: Vec<String>,
    /// Which output, if any, means *no known sign*.
    pub no_sign: Option<usize>,
}

impl ModelLabels {
    /// The public name of an output: `None` for *no known sign*.
    pub fn name(&self, output: usize) -> Option<&str> {
        if self.no_sign == Some(output) { None } else { self.names.get(output).map(String::as_str) }
    }
}

/// Which run of the daemon an event is from: eight hexadecimal digits, drawn at the start. A subscriber tells
/// a restart from a loss by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunId(ArrayString<8>);

impl RunId {
    /// The id that a number drawn at random gives.
    #[must_use]
    pub fn new(random: u32) -> RunId {
        let mut text = ArrayString::new();
        // Eight digits fit.
        let _ = write!(text, "{random:08x}");
        RunId(text)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The best hypotheses, most probable first: output index and probability 0..1.
pub type Hypotheses = ArrayVec<(u16, f32), MAX_TOP>;

/// One per accepted frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameEvent {
    /// Number of the frame.
    pub seq: u64,
    /// Its capture time.
    pub t: SourceTime,
    /// Where in a sign the stream is.
    pub state: SignState,
    /// The dominant hand, `None` while it cannot be seen.
    pub hand: Option<Hand>,
    /// Hypotheses for the sign so far; empty when idle.
    pub top: Hypotheses,
    /// The frame at which `top` was computed; `None` when there has been no time to compute one
    /// for this sign yet.
    pub top_seq: Option<u64>,
    /// Frames missing just before this one, by `seq`.
    pub lost: u64,
}

/// One per decided sign.
#[derive(Clone, Debug, PartialEq)]
pub struct SignEvent {
    /// Number of the decision in its stream, from 0, +1 each.
    pub id: u64,
    /// The decided output, `None` when it is no known sign.
    pub label: Option<u16>,
    /// Why it is no known sign; `None` when it is one.
    pub unknown: Option<UnknownReason>,
    /// Probability of the best hypothesis, 0..1.
    pub p: f32,
    /// The least probability at which the best hypothesis would have been decided, 0..1.
    pub threshold: f32,
    /// The best hypotheses.
    pub top: Hypotheses,
    /// First frame of the sign itself, lead-in trimmed.
    pub start_seq: u64,
    /// Last frame of the sign itself, lead-out trimmed.
    pub end_seq: u64,
    /// Capture time of the first frame.
    pub start_t: SourceTime,
    /// Capture time of the last frame.
    pub end_t: SourceTime,
    /// Frames missing inside the sign.
    pub lost: u64,
    /// Why it ended.
    pub ended: EndReason,
}

/// A change of a stream's status.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusEvent {
    /// The new status.
    pub status: StatusKind,
    /// The last frame known when it changed.
    pub seq: u64,
    /// Its capture time.
    pub t: SourceTime,
    /// Why it changed.
    pub reason: StatusReason,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// One per accepted frame.
    Frame(FrameEvent),
    /// One per decided sign.
    Sign(SignEvent),
    /// A change of status.
    Status(StatusEvent),
}

/// An event of one stream.
#[derive(Clone, Debug)]
pub struct Event {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// What it tells.
    pub body: EventBody,
    /// Names for the output indices inside.
    pub labels: Arc<ModelLabels>,
}

impl Event {
    /// Capture time of the last frame that it tells of.
    #[must_use]
    pub fn t(&self) -> SourceTime {
        match &self.body {
            EventBody::Frame(frame) => frame.t,
            EventBody::Sign(sign) => sign.end_t,
            EventBody::Status(status) => status.t,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_for_an_end_has_one_name_and_its_own_place() {
        for (i, reason) in EndReason::ALL.into_iter().enumerate() {
            let written = serde_json::to_value(reason).expect("JSON");
            assert_eq!(written, reason.name());
            assert_eq!(reason as usize, i, "counters are indexed by it");
        }
    }
}
