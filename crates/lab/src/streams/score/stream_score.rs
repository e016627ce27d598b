//! The score of one stream. `docs/benchmark.md` has the definitions in words.

use serde::Serialize;

use super::boundaries::{BoundaryCounts, boundaries};
use crate::streams::judge::trace::{FrameTrace, StreamDecision};
use crate::streams::span::{TimeSpan, iou, length, overlap};
use crate::streams::truth::TrueSign;

/// How a known sign fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOutcome {
    /// A decision with the right label overlaps it.
    Right,
    /// One with a known label overlaps it, none with the right one.
    Wrong,
    /// No decision with a known label overlaps it.
    Miss,
}

/// What is measured of one true sign.
#[derive(Clone, Debug, Serialize)]
pub struct SignScore {
    /// What it is called.
    pub gloss: String,
    /// Who signs.
    pub signer: String,
    /// The recording.
    pub path: String,
    /// First and last moment.
    pub span: TimeSpan,
    /// How it fared. None for a gloss that the model does not know.
    pub outcome: Option<SignOutcome>,
    /// The highest probability of any known label over it, at any threshold.
    pub named: Option<f32>,
    /// The same of the right label.
    pub right: Option<f32>,
    /// Intersection over union with the segment that overlaps it best. 0 without any.
    pub iou: f64,
    /// That segment's best output is the sign, sure enough or not.
    pub segment_top1: bool,
    /// The same for the sign cut out at its true boundaries. None where it was not asked.
    pub cut_top1: Option<bool>,
    /// The same for the whole clip as its maker cut it.
    pub clip_top1: Option<bool>,
    /// From the true end to the first right decision, ms.
    pub latency_ms: Option<f64>,
    /// From the true start to the moment from which on the right label leads the hypotheses until
    /// that decision, ms.
    pub lead_ms: Option<f64>,
    /// Segments that lie in it for more than half of themselves.
    pub segments: usize,
    /// Decisions with a known label that do.
    pub decisions: usize,
    /// It shares the segment that covers most of it with another sign.
    pub merged: bool,
}

/// A known label where no sign is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FalseAlarm {
    /// The segment.
    pub span: TimeSpan,
    /// The output.
    pub label: u16,
    /// Its probability.
    pub p: f32,
    /// It was sure enough to be decided: a false decision.
    pub decided: bool,
}

/// What is measured of one stream.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StreamScore {
    /// How long it is.
    pub seconds: f64,
    /// Its signs.
    pub signs: Vec<SignScore>,
    /// Known labels where no sign is, at any threshold.
    pub alarms: Vec<FalseAlarm>,
    /// Decisions with a known label over signs that the model does not know, and no others.
    pub unknown_named: usize,
    /// Boundaries.
    pub boundaries: BoundaryCounts,
}

/// Measures a stream of `fps` frames a second.
pub fn score_stream(
    seconds: f64,
    signs: &[TrueSign],
    decisions: &[StreamDecision],
    frames: &[FrameTrace],
    fps: f64,
) -> StreamScore {
    let overlapping = |d: &StreamDecision| -> Vec<&TrueSign> {
        signs.iter().filter(|sign| overlap(d.span, sign.span) > 0.0).collect()
    };
    let mut alarms = Vec::new();
    let mut unknown_named = 0;
    for decision in decisions {
        let over = overlapping(decision);
        if let Some((label, p)) = decision.best
            && over.is_empty()
        {
            alarms.push(FalseAlarm {
                span: decision.span,
                label,
                p,
                decided: decision.label.is_some(),
            });
        }
        let unknown = !over.is_empty() && over.iter().all(|sign| sign.label.is_none());
        unknown_named += usize::from(unknown && decision.label.is_some());
    }
    let boundaries = boundaries(signs, decisions, fps);
    let signs = signs.iter().map(|sign| score_sign(sign, signs, decisions, frames)).collect();
    StreamScore { seconds, signs, alarms, unknown_named, boundaries }
}

fn score_sign(
    sign: &TrueSign,
    all: &[TrueSign],
    decisions: &[StreamDecision],
    frames: &[FrameTrace],
) -> SignScore {
    let over: Vec<&StreamDecision> =
        decisions.iter().filter(|d| overlap(d.span, sign.span) > 0.0).collect();
    let right = |d: &&&StreamDecision| sign.label.is_some() && d.label == sign.label;
    let first_right = over.iter().find(right);
    let outcome = sign.label.map(|_| {
        if first_right.is_some() {
            SignOutcome::Right
        } else if over.iter().any(|d| d.label.is_some()) {
            SignOutcome::Wrong
        } else {
            SignOutcome::Miss
        }
    });
    let most = |of: &dyn Fn(u16) -> bool| {
        let p = over.iter().filter_map(|d| d.best).filter(|(l, _)| of(*l)).map(|(_, p)| p);
        p.max_by(f32::total_cmp)
    };
    let best = over.iter().max_by(|a, b| iou(a.span, sign.span).total_cmp(&iou(b.span, sign.span)));
    let within = |d: &&&StreamDecision| overlap(d.span, sign.span) > length(d.span) / 2.0;
    SignScore {
        gloss: sign.gloss.clone(),
        signer: sign.signer.clone(),
        path: sign.path.clone(),
        span: sign.span,
        outcome,
        named: most(&|_| true),
        right: most(&|label| Some(label) == sign.label),
        iou: best.map_or(0.0, |d| iou(d.span, sign.span)),
        segment_top1: best.and_then(|d| d.best).is_some_and(|(label, _)| Some(label) == sign.label),
        cut_top1: None,
        clip_top1: None,
        latency_ms: first_right.map(|d| (d.at - sign.span.1) * 1e3),
        lead_ms: first_right.and_then(|d| lead(sign, d, frames)),
        segments: over.iter().filter(within).count(),
        decisions: over.iter().filter(within).filter(|d| d.label.is_some()).count(),
        merged: merged(sign, all, decisions),
    }
}

/// From the sign's start to where its label takes the lead for good, ms.
fn lead(sign: &TrueSign, decision: &StreamDecision, frames: &[FrameTrace]) -> Option<f64> {
    let before = frames.iter().rev().skip_while(|g| g.t > decision.at);
    // While no sign is open there are no hypotheses: those of the sign before are another matter.
    let open = before.skip_while(|g| g.best.is_none()).take_while(|g| g.best.is_some());
    let leading = open.take_while(|g| g.best.map(|(label, _)| label) == sign.label);
    leading.last().map(|g| (g.t - sign.span.0) * 1e3)
}

/// One segment covers more than half of this sign and of another one.
fn merged(sign: &TrueSign, all: &[TrueSign], decisions: &[StreamDecision]) -> bool {
    let covers = |d: &StreamDecision, s: &TrueSign| overlap(d.span, s.span) > length(s.span) / 2.0;
    decisions.iter().any(|d| covers(d, sign) && all.iter().filter(|s| covers(d, s)).count() > 1)
}
