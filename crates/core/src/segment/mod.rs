//! Stage 4, the *segmenter*: where in a sign is this frame?
//!
//! Four states. *Idle*: no sign. *Onset*: one seems to begin. *Signing*: the sign. *Offset*: it seems to
//! be over. Lead-in and lead-out are trimmed by construction, causally; everything is measured in
//! capture time. Two ways to find signs give the same [`SegmentChange`]s: the model's own [`tagger`], if it
//! brings one ([`TaggerSegmenter`]), or else [`RuleSegmenter`].

mod arrival;
mod history;
mod motion;
mod rule_segmenter;
pub mod tagger;
mod tagger_segmenter;

use std::sync::Arc;

use crate::event::{EndReason, SignState};
use crate::frame::SourceTime;
pub use motion::{HandMotion, PalmHeight};
pub use rule_segmenter::RuleSegmenter;
use tagger::Tagger;
pub use tagger_segmenter::TaggerSegmenter;

/// Settings of the segmenter; `conf/signd.toml` documents each.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentSettings {
    /// Signs are found by the model's tagger if it brings one, else by rules.
    pub tagger: bool,
    /// By the tagger: least probability with which it begins a sign, 0..1.
    pub enter: f32,
    /// By the tagger: a sign goes on while it gives this probability or more, 0..1.
    pub leave: f32,
    /// By rules, as all down to `offset_ms`: motion above which a raised hand begins a sign, shoulder widths a
    /// second.
    pub start_speed: f32,
    /// Motion below which a hand is still, shoulder widths a second.
    pub still_speed: f32,
    /// A hand on its way has arrived, or has not set out yet, when it moves less than this share of the
    /// fastest on that way, 0..1.
    pub arrived: f32,
    /// Longest lead-in and lead-out, ms.
    pub lead_in_ms: f64,
    /// Still for this long is an end, ms.
    pub still_ms: f64,
    /// At rest or hidden for this long is an end, ms.
    pub offset_ms: f64,
    /// Taken in before the sign, ms.
    pub pre_roll_ms: f64,
    /// Taken in after the sign, ms.
    pub post_roll_ms: f64,
    /// Shorter than this is no sign, ms.
    pub min_ms: f64,
    /// Longer than this is cut and decided, ms.
    pub max_ms: f64,
}

impl Default for SegmentSettings {
    fn default() -> Self {
        SegmentSettings {
            tagger: true,
            enter: 0.6,
            leave: 0.4,
            start_speed: 0.8,
            still_speed: 0.1,
            arrived: 0.5,
            lead_in_ms: 500.0,
            still_ms: 1000.0,
            offset_ms: 100.0,
            pre_roll_ms: 150.0,
            post_roll_ms: 250.0,
            min_ms: 300.0,
            max_ms: 6500.0,
        }
    }
}

/// What the segmenter needs to know of a frame.
#[derive(Clone, Copy, Debug)]
pub struct SegmenterInput {
    /// Number of the frame.
    pub seq: u64,
    /// Capture time.
    pub t: SourceTime,
    /// Index of the newest row made when the frame was taken in.
    pub row: u64,
    /// Frames missing just before it.
    pub lost: u64,
    /// The estimator found the dominant hand in this very frame.
    pub seen: bool,
    /// The gate sees it: it may be missing for a moment.
    pub visible: bool,
    /// It is above the rest line.
    pub raised: bool,
    /// How fast hand and fingers move, shoulder widths a second, 0 or more.
    pub motion: f32,
}

/// A sign, trimmed to itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// First frame.
    pub start_seq: u64,
    /// Last frame.
    pub end_seq: u64,
    /// Capture time of the first frame.
    pub start_t: SourceTime,
    /// Capture time of the last frame.
    pub end_t: SourceTime,
    /// Last row, post-roll included.
    pub end_row: u64,
    /// Frames missing inside.
    pub lost: u64,
    /// Why it ended.
    pub ended: EndReason,
    /// Odds that this is signing at all, in those of a usual sign; 1 where the segmenter cannot tell.
    pub presence: f32,
}

/// What a frame, or a row of it, changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SegmentChange {
    /// A sign ended before this frame.
    pub end: Option<Segment>,
    /// Then a sign (again) begins.
    pub begin: Option<SegmentStart>,
}

/// Where a sign begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentStart {
    /// First row, pre-roll included.
    pub row: u64,
    /// First frame.
    pub seq: u64,
    /// Its capture time.
    pub t: SourceTime,
    /// Frames missing between it and the latest.
    pub lost: u64,
}

/// Odds of a probability: `p / (1 - p)`.
#[must_use]
pub fn odds(p: f32) -> f32 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    p / (1.0 - p)
}

/// The segmenter of one stream.
#[derive(Clone, Debug)]
pub enum Segmenter {
    /// By rules.
    Rules(RuleSegmenter),
    /// By a tagger.
    Tagger(TaggerSegmenter),
}

impl Segmenter {
    /// A segmenter that has seen nothing.
    #[must_use]
    pub fn new(settings: SegmentSettings, tagger: Option<Arc<Tagger>>) -> Self {
        match tagger.filter(|_| settings.tagger) {
            Some(tagger) => Segmenter::Tagger(TaggerSegmenter::new(settings, tagger)),
            None => Segmenter::Rules(RuleSegmenter::new(settings)),
        }
    }

    /// The state after the latest frame.
    #[must_use]
    pub fn state(&self) -> SignState {
        match self {
            Segmenter::Rules(rules) => rules.state(),
            Segmenter::Tagger(tagged) => tagged.state(),
        }
    }

    /// What it was told of the latest frame; none after an end that forgot all frames.
    #[must_use]
    pub fn latest(&self) -> Option<&SegmenterInput> {
        match self {
            Segmenter::Rules(rules) => rules.latest(),
            Segmenter::Tagger(tagged) => tagged.latest(),
        }
    }

    /// Takes a frame and the rows that it settled, one after the other. `told` hears of each change with
    /// the state after it, in order: a frame that settles many rows may end one sign and begin another.
    pub fn push(
        &mut self,
        now: SegmenterInput,
        rows: &[f32],
        mut told: impl FnMut(SegmentChange, SignState),
    ) {
        match self {
            Segmenter::Rules(rules) => {
                let change = rules.push(now);
                told(change, rules.state());
            }
            Segmenter::Tagger(tagged) => tagged.push(now, rows, told),
        }
    }

    /// Ends an open sign at the last frame known, and forgets all frames.
    pub fn close(&mut self, ended: EndReason) -> Option<Segment> {
        match self {
            Segmenter::Rules(rules) => rules.close(ended),
            Segmenter::Tagger(tagged) => tagged.close(ended),
        }
    }
}
