//! Stages 2 to 4 of one camera: the pure core.
//!
//! A [`Stream`] is a value. It is given a frame or a tick and appends to a [`StepBatch`] what that
//! changed, as [`StreamStep`]s in order. It knows no clock, thread, socket or file, so the daemon and
//! replay drive the same code.

use std::sync::Arc;

use crate::continuity::{Continuity, ContinuityVerdict, MisplacedReason};
use crate::event::{EndReason, SignState, StatusKind, StatusReason};
use crate::features::placement::{HAND, PALM};
use crate::features::{PlacedLandmarks, RowBuilder, grid::RowKind};
use crate::frame::{ArrivalTime, Frame, Hand, SourceTime, is_missing};
use crate::gate::{Gate, GateSettings, HandView};
use crate::plausibility::{DoubtThreshold, InputDoubt, InputJudge};
use crate::segment::tagger::Tagger;
use crate::segment::{
    HandMotion, PalmHeight, Segment, SegmentSettings, SegmentStart, Segmenter, SegmenterInput,
};
use crate::signer::hands::HandRepair;
use crate::signer::space::ShoulderTracker;

/// Settings of the core. The default ones are those of `conf/signd.toml`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreSettings {
    /// A jump ahead in capture time longer than this ends the open sign, ms.
    pub gap_ms: f64,
    /// Stage 2.
    pub gate: GateSettings,
    /// Stage 4.
    pub segment: SegmentSettings,
}

impl Default for CoreSettings {
    fn default() -> Self {
        CoreSettings {
            gap_ms: 1000.0,
            gate: GateSettings::default(),
            segment: SegmentSettings::default(),
        }
    }
}

/// What a model asks of the core.
#[derive(Clone, Debug)]
pub struct ModelNeeds {
    /// What its rows hold.
    pub kind: RowKind,
    /// The tagger that it brings.
    pub tagger: Option<Arc<Tagger>>,
}

impl From<RowKind> for ModelNeeds {
    fn from(kind: RowKind) -> ModelNeeds {
        ModelNeeds { kind, tagger: None }
    }
}

/// What the clock decided; recorded like a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// No frame for the time-out.
    Stalled,
    /// No frame for so long that the stream is over.
    Gone,
    /// The daemon or the recording ends.
    End,
}

/// One consequence of a frame or a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamStep {
    /// A change of status.
    Status(StatusKind, StatusReason),
    /// The input is doubtful, for example like this; see [`InputDoubt::found`].
    Doubt(InputDoubt, [f32; 2]),
    /// Rows were appended to the batch, the first with this index.
    Rows(u64),
    /// A sign (again) begins.
    Begin(SegmentStart),
    /// A sign ended and is to be decided.
    End(Segment),
    /// No sign is open any more.
    Drop,
    /// The frame is accepted.
    Frame {
        /// Where in a sign it is.
        state: SignState,
        /// The visible dominant hand.
        hand: Option<Hand>,
        /// Frames missing just before it.
        lost: u64,
    },
}

/// Everything that one frame or tick changed.
#[derive(Clone, Debug, Default)]
pub struct StepBatch {
    /// Last frame of the stream.
    pub seq: u64,
    /// Its capture time.
    pub t: SourceTime,
    /// Consequences, in order.
    pub steps: Vec<StreamStep>,
    /// New rows, one after the other.
    pub rows: Vec<f32>,
    /// The frame had no place in its stream.
    pub misplaced: Option<MisplacedReason>,
}

impl StepBatch {
    /// Empties it; keeps its memory.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.rows.clear();
        self.misplaced = None;
    }
}

/// What the stages made of one frame, for whoever wants to look inside.
#[derive(Clone, Copy, Debug)]
pub struct StreamView<'a> {
    /// What the segmenter was told.
    pub input: &'a SegmenterInput,
    /// The dominant hand, once anything is known of either hand.
    pub dominant: Option<Hand>,
    /// The placed landmarks, mirrored if the left hand is dominant.
    pub placed: &'a PlacedLandmarks,
}

/// The core of one camera.
#[derive(Clone, Debug)]
pub struct Stream {
    gap_s: f64,
    rest_line: f32,
    continuity: Continuity,
    stalled: bool,
    judge: InputJudge,
    shoulders: ShoulderTracker,
    repair: HandRepair,
    gate: Gate,
    dominant: Option<Hand>,
    placed: PlacedLandmarks,
    raised: bool,
    height: PalmHeight,
    motion: HandMotion,
    segmenter: Segmenter,
    rows: RowBuilder,
}

impl Stream {
    /// The core of a camera that has sent nothing yet.
    pub fn new(settings: &CoreSettings, needs: impl Into<ModelNeeds>) -> Self {
        let ModelNeeds { kind, tagger } = needs.into();
        Stream {
            gap_s: settings.gap_ms * 1e-3,
            rest_line: settings.gate.rest_line as f32,
            continuity: Continuity::default(),
            stalled: false,
            judge: InputJudge::new(DoubtThreshold::Stream),
            shoulders: ShoulderTracker::default(),
            repair: HandRepair::default(),
            gate: Gate::new(settings.gate.clone()),
            dominant: None,
            placed: PlacedLandmarks::default(),
            raised: false,
            height: PalmHeight::default(),
            motion: HandMotion::default(),
            segmenter: Segmenter::new(settings.segment.clone(), tagger),
            rows: RowBuilder::new(kind),
        }
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: &Frame, arrival: ArrivalTime, out: &mut StepBatch) {
        let before = self.continuity.last();
        let lost = match self.continuity.judge(frame, arrival) {
            ContinuityVerdict::Drop(why) => {
                out.misplaced = Some(why);
                self.stamp(out);
                return;
            }
            ContinuityVerdict::Reset(reason) => {
                self.close(EndReason::Reset, out);
                self.forget();
                out.steps.push(StreamStep::Status(StatusKind::Reset, reason));
                0
            }
            ContinuityVerdict::Accept { lost } => lost,
        };
        self.stamp(out);
        match before {
            None => {
                out.steps.push(StreamStep::Status(StatusKind::Appeared, StatusReason::FirstFrame));
            }
            Some(_) if self.stalled => {
                out.steps.push(StreamStep::Status(StatusKind::Resumed, StatusReason::Frames));
            }
            Some((_, t)) if frame.t.seconds_since(t) > self.gap_s => {
                self.close(EndReason::Gap, out);
                self.restart();
            }
            Some(_) => {}
        }
        self.stalled = false;
        self.judge.push(frame, Some(arrival));
        self.judge.raise(|doubt, example| out.steps.push(StreamStep::Doubt(doubt, example)));
        self.stages(frame, lost, out);
    }

    /// Takes what the clock decided.
    pub fn tick(&mut self, tick: Tick, out: &mut StepBatch) {
        self.stamp(out);
        match tick {
            Tick::Stalled => {
                self.close(EndReason::Stalled, out);
                self.restart();
                self.stalled = true;
                out.steps.push(StreamStep::Status(StatusKind::Stalled, StatusReason::Silence));
            }
            Tick::Gone => {
                self.close(EndReason::Stalled, out);
                out.steps.push(StreamStep::Status(StatusKind::Gone, StatusReason::Silence));
            }
            Tick::End => {
                self.close(EndReason::End, out);
                out.steps.push(StreamStep::Status(StatusKind::Gone, StatusReason::Shutdown));
            }
        }
    }

    /// Goes on with other settings or another model's rows: the open sign is decided, and of the
    /// signer only the place in the stream is kept.
    pub fn adopt(&mut self, settings: &CoreSettings, needs: ModelNeeds, out: &mut StepBatch) {
        self.stamp(out);
        self.close(EndReason::End, out);
        let continuity = std::mem::take(&mut self.continuity);
        // What was told of the input once is not told again.
        let judge = self.judge.clone();
        let stalled = self.stalled;
        *self = Stream { continuity, stalled, judge, ..Stream::new(settings, needs) };
    }

    /// What the stages made of the frame taken last; none before the first one and after a tick. To
    /// be asked right after [`Stream::push`], and only if the frame had a place in its stream.
    #[must_use]
    pub fn view(&self) -> Option<StreamView<'_>> {
        let input = self.segmenter.latest()?;
        Some(StreamView { input, dominant: self.dominant, placed: &self.placed })
    }

    fn stages(&mut self, frame: &Frame, lost: u64, out: &mut StepBatch) {
        let space = self.shoulders.push(frame);
        let hands = self.repair.push(frame);
        let in_sign = self.segmenter.state() != SignState::Idle;
        let line = self.rest_line;
        let [left, right] = [Hand::Left, Hand::Right].map(|hand| {
            let sight = HandView::of(frame, hands.part(hand), &space, line);
            sight.or_wrist(frame, hand, &space, line)
        });
        let gated = self.gate.push(frame.t, left, right, in_sign);
        // Nothing known of either hand is seen as a right-handed signer's.
        let left_handed = |hand: Option<Hand>| hand == Some(Hand::Left);
        let turned = left_handed(gated.dominant) != left_handed(self.dominant);
        self.dominant = gated.dominant;
        if turned {
            self.rows.forget();
            self.motion.restart();
            self.height = PalmHeight::default();
        }
        self.placed.take(frame, hands, gated.dominant.unwrap_or(Hand::Right), &space);

        let (first, already) = (self.rows.made(), out.rows.len());
        self.rows.push(frame, &self.placed, &mut out.rows);
        if self.rows.made() > first {
            out.steps.push(StreamStep::Rows(first));
        }
        let raised = match gated.dominant {
            Some(Hand::Left) => left.raised,
            _ => right.raised,
        };
        let seen = !is_missing(&self.placed.0[HAND.start]);
        let height = self.height.push(frame.t, seen.then_some(self.placed.0[PALM][1]));
        self.raised = match seen || !gated.visible || !in_sign {
            true => raised,
            // While a hand vanishes for a moment it goes on as it went.
            false => height < self.rest_line,
        };
        let now = SegmenterInput {
            seq: frame.seq,
            t: frame.t,
            row: self.rows.made().saturating_sub(1),
            lost,
            seen,
            visible: gated.visible,
            raised: self.raised,
            motion: self.motion.push(frame.t, &self.placed),
        };
        let (rows, steps) = (&out.rows[already..], &mut out.steps);
        let mut open = in_sign;
        self.segmenter.push(now, rows, |change, state| {
            steps.extend(change.end.map(StreamStep::End));
            if open && state == SignState::Idle {
                steps.push(StreamStep::Drop);
            }
            steps.extend(change.begin.map(StreamStep::Begin));
            open = state != SignState::Idle;
        });
        let state = self.segmenter.state();
        let hand = gated.dominant.filter(|_| gated.visible);
        out.steps.push(StreamStep::Frame { state, hand, lost });
    }

    fn close(&mut self, ended: EndReason, out: &mut StepBatch) {
        if let Some(segment) = self.segmenter.close(ended) {
            out.steps.push(StreamStep::End(segment));
        }
        out.steps.push(StreamStep::Drop);
    }

    /// After a gap nothing is joined across it.
    fn restart(&mut self) {
        self.rows.restart();
        self.motion.restart();
        self.height = PalmHeight::default();
    }

    /// After a reset everything known of the signer is forgotten.
    fn forget(&mut self) {
        self.restart();
        self.judge = InputJudge::new(DoubtThreshold::Stream);
        self.shoulders = ShoulderTracker::default();
        self.repair = HandRepair::default();
        self.gate.restart();
        self.dominant = None;
    }

    fn stamp(&self, out: &mut StepBatch) {
        if let Some((seq, t)) = self.continuity.last() {
            out.seq = seq;
            out.t = t;
        }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
