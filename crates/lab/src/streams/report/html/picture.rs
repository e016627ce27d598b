//! The picture of one stream: its truth, its decisions and the pipeline on one time line.

use std::fmt::Write;

use crate::eval::report::html::escape;
use crate::streams::benchmark::{BenchmarkRun, StreamBenchmark};
use crate::streams::judge::trace::FrameTrace;
use crate::streams::judge::trace::StreamDecision;
use crate::streams::score::stream_score::SignOutcome;
use crate::streams::span::TimeSpan;
use signd_core::event::SignState;

/// Pixels a second.
const SCALE: f64 = 28.0;
/// Motion at the top of its row, shoulder widths a second.
const MOST: f32 = 6.0;
/// Points of a curve, a second.
const POINTS: f64 = 15.0;
/// A hypothesis that leads for less is not named, s.
const NAMED_S: f64 = 0.3;
/// Heights of the rows, from above: top and bottom.
const TRUTH: (f64, f64) = (2.0, 18.0);
const DECIDED: (f64, f64) = (22.0, 38.0);
const PEER: (f64, f64) = (42.0, 54.0);
const BELIEF: (f64, f64) = (58.0, 98.0);
const STATE: (f64, f64) = (102.0, 110.0);
const GATE: (f64, f64) = (113.0, 118.0);
const MOTION: (f64, f64) = (122.0, 162.0);
const HEIGHT: f64 = 178.0;

/// The picture.
pub fn svg(benchmark: &StreamBenchmark, run: &BenchmarkRun, peer: Option<&BenchmarkRun>) -> String {
    let stream = &benchmark.streams[run.stream];
    let name = |label: u16| benchmark.vocabulary.name(label).unwrap_or_default().to_owned();
    let mut out = String::new();
    for (sign, truth) in run.score.signs.iter().zip(&stream.signs) {
        let class = match sign.outcome {
            Some(SignOutcome::Right) => "good",
            Some(SignOutcome::Wrong) => "bad",
            _ => "none",
        };
        let whole = (TRUTH.0, MOTION.1);
        rect(&mut out, truth.span, whole, "band", "");
        rect(&mut out, truth.span, TRUTH, class, &truth.gloss);
    }
    let verdict = |d: &StreamDecision| match d.label {
        None => "none",
        Some(label) => {
            let over = |span: TimeSpan| d.span.0 < span.1 && span.0 < d.span.1;
            let right = stream.signs.iter().any(|s| s.label == Some(label) && over(s.span));
            if right { "good" } else { "bad" }
        }
    };
    for (decisions, row) in [(Some(run), DECIDED), (peer, PEER)] {
        for decision in decisions.iter().flat_map(|run| &run.decisions) {
            let text = decision.best.map(|(label, p)| format!("{} {p:.2}", name(label)));
            rect(&mut out, decision.span, row, verdict(decision), &text.unwrap_or_default());
            let (x, y) = (SCALE * decision.span.1, (row.0 + row.1) / 2.0);
            let _ =
                write!(out, "<path class=\"wait\" d=\"M{x:.1} {y}H{:.1}\"/>", SCALE * decision.at);
        }
    }
    if let Some(trace) = &run.trace {
        states(&mut out, &trace.frames);
        beliefs(&mut out, &trace.frames, name);
        motion(&mut out, &trace.frames);
    }
    let width = SCALE * stream.seconds + 20.0;
    for second in (0..stream.seconds as usize).step_by(5) {
        let x = SCALE * second as f64;
        let _ = write!(
            out,
            "<text class=\"soft\" x=\"{x:.0}\" y=\"{}\">{second} s</text>",
            HEIGHT - 3.0
        );
    }
    format!("<svg width=\"{width:.0}\" height=\"{HEIGHT}\" role=\"img\">{out}</svg>")
}

fn rect(out: &mut String, span: TimeSpan, (top, bottom): (f64, f64), class: &str, text: &str) {
    let (x, width) = (SCALE * span.0, SCALE * (span.1 - span.0));
    let height = bottom - top;
    let _ = write!(
        out,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
    );
    if !text.is_empty() {
        let (x, y) = (x + 2.0, bottom - 4.0);
        let _ = write!(out, "<text class=\"in\" x=\"{x:.1}\" y=\"{y}\">{}</text>", escape(text));
    }
}

/// Runs of glimpses of which this says the same, with what it says and how long they last.
fn stretches<T: PartialEq + Copy>(
    frames: &[FrameTrace],
    of: impl Fn(&FrameTrace) -> Option<T>,
) -> Vec<(T, TimeSpan)> {
    let mut found = Vec::new();
    let mut rest = frames;
    while let Some(first) = rest.first() {
        let kind = of(first);
        let length = rest.iter().take_while(|g| of(g) == kind).count();
        let end = rest.get(length).or(rest.last()).map_or(first.t, |g| g.t);
        if let Some(kind) = kind {
            found.push((kind, (first.t, end)));
        }
        rest = &rest[length..];
    }
    found
}

fn states(out: &mut String, frames: &[FrameTrace]) {
    for (state, span) in stretches(frames, |g| Some(g.state)) {
        let class = match state {
            SignState::Idle => continue,
            SignState::Onset => "onset",
            SignState::Signing => "signing",
            SignState::Offset => "offset",
        };
        rect(out, span, STATE, class, "");
    }
    for ((), span) in stretches(frames, |g| g.visible.then_some(())) {
        rect(out, span, GATE, "gate", "");
    }
}

fn beliefs(out: &mut String, frames: &[FrameTrace], name: impl Fn(u16) -> String) {
    let height = |p: f32| BELIEF.1 - (BELIEF.1 - BELIEF.0) * f64::from(p);
    for ((), span) in stretches(frames, |g| g.best.map(|_| ())) {
        let mut path = format!("M{:.1} {}", SCALE * span.0, BELIEF.1);
        let within = frames.iter().filter(|g| (span.0..span.1).contains(&g.t));
        for (t, p) in within.filter_map(|g| Some((g.t, g.best?.1))) {
            let _ = write!(path, "L{:.1} {:.1}", SCALE * t, height(p));
        }
        let _ = write!(
            out,
            "<path class=\"belief\" d=\"{path}L{:.1} {}Z\"/>",
            SCALE * span.1,
            BELIEF.1
        );
    }
    for (label, span) in stretches(frames, |g| g.best.map(|(label, _)| label)) {
        if span.1 - span.0 >= NAMED_S {
            let (x, y) = (SCALE * span.0 + 2.0, BELIEF.0 + 9.0);
            let text = escape(&name(label));
            let _ = write!(out, "<text class=\"in\" x=\"{x:.1}\" y=\"{y}\">{text}</text>");
        }
    }
}

fn motion(out: &mut String, frames: &[FrameTrace]) {
    let mut path = String::new();
    let mut next = f64::NEG_INFINITY;
    for g in frames.iter().filter(|g| g.motion.is_finite()) {
        if g.t < next {
            continue;
        }
        next = g.t + 1.0 / POINTS;
        let share = f64::from(g.motion.min(MOST) / MOST);
        let y = MOTION.1 - (MOTION.1 - MOTION.0) * share;
        let step = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{step}{:.1} {y:.1}", SCALE * g.t);
    }
    let _ = write!(out, "<path class=\"motion\" d=\"{path}\"/>");
}
