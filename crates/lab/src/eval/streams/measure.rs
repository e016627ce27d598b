//! One stream's decisions against its truth. `docs/benchmark.md` has the definitions in words.

use serde::Serialize;

use super::compose::Sign;
use super::drive::{Decision, Glimpse};

/// From one moment to another, s.
pub type Span = (f64, f64);

/// How a known sign fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
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
    pub span: Span,
    /// How it fared; none for a gloss that the model does not know.
    pub outcome: Option<Outcome>,
    /// The highest probability of any known label over it, at any threshold.
    pub named: Option<f32>,
    /// The same of the right label.
    pub right: Option<f32>,
    /// Intersection over union with the segment that overlaps it best; 0 without any.
    pub iou: f64,
    /// That segment's best output is the sign, sure enough or not.
    pub segment_top1: bool,
    /// The same for the sign cut out at its true boundaries; none where it was not asked.
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
pub struct Alarm {
    /// The segment.
    pub span: Span,
    /// The output.
    pub label: u16,
    /// Its probability.
    pub p: f32,
    /// It was sure enough to be decided: a false decision.
    pub decided: bool,
}

/// Found, true and rightly found boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Boundaries {
    /// Of all segments.
    pub found: usize,
    /// Of all signs.
    pub truly: usize,
    /// Within two frames.
    pub two: usize,
    /// Within five frames.
    pub five: usize,
    /// Within a sixth of a second: five frames at 30 a second.
    pub sixth: usize,
}

/// What is measured of one stream.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StreamScore {
    /// How long it is.
    pub seconds: f64,
    /// Its signs.
    pub signs: Vec<SignScore>,
    /// Known labels where no sign is, at any threshold.
    pub alarms: Vec<Alarm>,
    /// Decisions with a known label over signs that the model does not know, and no others.
    pub unknown_named: usize,
    /// Boundaries.
    pub boundaries: Boundaries,
}

fn overlap(a: Span, b: Span) -> f64 {
    (a.1.min(b.1) - a.0.max(b.0)).max(0.0)
}

fn length(a: Span) -> f64 {
    a.1 - a.0
}

fn iou(a: Span, b: Span) -> f64 {
    let both = overlap(a, b);
    if both > 0.0 { both / (length(a) + length(b) - both) } else { 0.0 }
}

/// Measures a stream of `fps` frames a second.
pub fn stream(
    seconds: f64,
    signs: &[Sign],
    decisions: &[Decision],
    glimpses: &[Glimpse],
    fps: f64,
) -> StreamScore {
    let overlapping = |d: &Decision| -> Vec<&Sign> {
        signs.iter().filter(|sign| overlap(d.span, sign.span) > 0.0).collect()
    };
    let mut alarms = Vec::new();
    let mut unknown_named = 0;
    for decision in decisions {
        let over = overlapping(decision);
        if let Some((label, p)) = decision.best
            && over.is_empty()
        {
            alarms.push(Alarm { span: decision.span, label, p, decided: decision.label.is_some() });
        }
        let unknown = !over.is_empty() && over.iter().all(|sign| sign.label.is_none());
        unknown_named += usize::from(unknown && decision.label.is_some());
    }
    let signs: Vec<SignScore> =
        signs.iter().map(|sign| score(sign, signs, decisions, glimpses)).collect();
    let boundaries = boundaries(&signs, decisions, fps);
    StreamScore { seconds, signs, alarms, unknown_named, boundaries }
}

fn score(sign: &Sign, all: &[Sign], decisions: &[Decision], glimpses: &[Glimpse]) -> SignScore {
    let over: Vec<&Decision> =
        decisions.iter().filter(|d| overlap(d.span, sign.span) > 0.0).collect();
    let right = |d: &&&Decision| sign.label.is_some() && d.label == sign.label;
    let first_right = over.iter().find(right);
    let outcome = sign.label.map(|_| {
        if first_right.is_some() {
            Outcome::Right
        } else if over.iter().any(|d| d.label.is_some()) {
            Outcome::Wrong
        } else {
            Outcome::Miss
        }
    });
    let most = |of: &dyn Fn(u16) -> bool| {
        let p = over.iter().filter_map(|d| d.best).filter(|(l, _)| of(*l)).map(|(_, p)| p);
        p.max_by(f32::total_cmp)
    };
    let best = over.iter().max_by(|a, b| iou(a.span, sign.span).total_cmp(&iou(b.span, sign.span)));
    let within = |d: &&&Decision| overlap(d.span, sign.span) > length(d.span) / 2.0;
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
        lead_ms: first_right.and_then(|d| lead(sign, d, glimpses)),
        segments: over.iter().filter(within).count(),
        decisions: over.iter().filter(within).filter(|d| d.label.is_some()).count(),
        merged: merged(sign, all, decisions),
    }
}

/// From the sign's start to where its label takes the lead for good, ms.
fn lead(sign: &Sign, decision: &Decision, glimpses: &[Glimpse]) -> Option<f64> {
    let before = glimpses.iter().rev().skip_while(|g| g.t > decision.at);
    // While no sign is open there are no hypotheses: those of the sign before are another matter.
    let open = before.skip_while(|g| g.best.is_none()).take_while(|g| g.best.is_some());
    let leading = open.take_while(|g| g.best.map(|(label, _)| label) == sign.label);
    leading.last().map(|g| (g.t - sign.span.0) * 1e3)
}

/// One segment covers more than half of this sign and of another one.
fn merged(sign: &Sign, all: &[Sign], decisions: &[Decision]) -> bool {
    let covers = |d: &Decision, s: &Sign| overlap(d.span, s.span) > length(s.span) / 2.0;
    decisions.iter().any(|d| covers(d, sign) && all.iter().filter(|s| covers(d, s)).count() > 1)
}

fn boundaries(signs: &[SignScore], decisions: &[Decision], fps: f64) -> Boundaries {
    // Half a frame more: a boundary lies on a frame, the truth between two.
    let matched = |within: f64| {
        let ends = |of: fn(Span) -> f64| {
            let truly: Vec<f64> = signs.iter().map(|s| of(s.span)).collect();
            let found: Vec<f64> = decisions.iter().map(|d| of(d.span)).collect();
            pairs(&truly, &found, within)
        };
        ends(|span| span.0) + ends(|span| span.1)
    };
    Boundaries {
        found: 2 * decisions.len(),
        truly: 2 * signs.len(),
        two: matched(2.5 / fps),
        five: matched(5.5 / fps),
        sixth: matched(1.0 / 6.0),
    }
}

/// How many pairs can be made of rising times that differ by at most this; each is in one pair.
fn pairs(truly: &[f64], found: &[f64], within: f64) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(a), Some(b)) = (truly.get(i), found.get(j)) {
        if (a - b).abs() <= within {
            count += 1;
            (i, j) = (i + 1, j + 1);
        } else if a < b {
            i += 1;
        } else {
            j += 1;
        }
    }
    count
}

/// Changes (a sign too many, missing or wrong) that make one sequence of the other: Levenshtein.
pub fn edits<T: PartialEq>(from: &[T], to: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::event::State;

    /// Signs as `label from to`, seconds.
    fn signs(list: &[(u16, f64, f64)]) -> Vec<Sign> {
        let sign = |(label, from, to): &(u16, f64, f64)| Sign {
            label: (*label < 90).then_some(*label),
            gloss: label.to_string(),
            signer: "a".into(),
            path: "a.npz".into(),
            span: (*from, *to),
            clip: (*from, *to),
        };
        list.iter().map(sign).collect()
    }

    /// Decisions as `label from to probability`, made 0.3 s after their end; sure from 0.5 on.
    fn decisions(list: &[(u16, f64, f64, f32)]) -> Vec<Decision> {
        let decision = |(label, from, to, p): &(u16, f64, f64, f32)| Decision {
            span: (*from, *to),
            at: to + 0.3,
            label: (*p >= 0.5).then_some(*label),
            best: Some((*label, *p)),
            ended: None,
        };
        list.iter().map(decision).collect()
    }

    fn outcomes(s: &[(u16, f64, f64)], d: &[(u16, f64, f64, f32)]) -> Vec<Option<Outcome>> {
        let score = stream(60.0, &signs(s), &decisions(d), &[], 30.0);
        score.signs.iter().map(|s| s.outcome).collect()
    }

    #[test]
    fn right_wrong_and_missed() {
        let true_signs =
            [(1, 1.0, 2.0), (2, 4.0, 5.0), (3, 7.0, 8.0), (4, 9.0, 9.5), (99, 11.0, 12.0)];
        let made = [
            (1, 1.1, 2.0, 0.9),   // right
            (5, 4.0, 5.0, 0.9),   // wrong
            (3, 7.0, 8.0, 0.3),   // right but unsure: missed
            (4, 9.5, 9.9, 0.9),   // beside it: missed, and a false decision
            (6, 11.0, 12.0, 0.9), // over a sign that the model does not know
        ];
        use Outcome::{Miss, Right, Wrong};
        assert_eq!(
            outcomes(&true_signs, &made),
            [Some(Right), Some(Wrong), Some(Miss), Some(Miss), None]
        );
        let score = stream(60.0, &signs(&true_signs), &decisions(&made), &[], 30.0);
        assert_eq!((score.alarms.len(), score.unknown_named), (1, 1));
        assert!(score.alarms[0].decided && score.alarms[0].label == 4);
        let named: Vec<_> = score.signs.iter().map(|s| (s.named, s.right)).collect();
        assert_eq!(named[1], (Some(0.9), None));
        assert_eq!(named[2], (Some(0.3), Some(0.3)));
        assert_eq!(named[3], (None, None));
        assert!(score.signs[2].segment_top1 && !score.signs[1].segment_top1);
    }

    #[test]
    fn an_unsure_alarm_is_no_false_decision() {
        let score = stream(60.0, &[], &decisions(&[(1, 1.0, 2.0, 0.3)]), &[], 30.0);
        assert_eq!(score.alarms.len(), 1);
        assert!(!score.alarms[0].decided);
    }

    #[test]
    fn latency_counts_from_the_true_end_and_overlap_is_measured() {
        let score =
            stream(60.0, &signs(&[(1, 1.0, 2.0)]), &decisions(&[(1, 1.5, 2.5, 0.9)]), &[], 30.0);
        let sign = &score.signs[0];
        assert!((sign.latency_ms.expect("right") - 800.0).abs() < 1e-6);
        assert!((sign.iou - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn split_duplicate_and_merged() {
        let split = stream(
            60.0,
            &signs(&[(1, 1.0, 3.0)]),
            &decisions(&[(1, 1.0, 1.8, 0.9), (2, 2.0, 2.9, 0.3), (3, 2.9, 4.9, 0.9)]),
            &[],
            30.0,
        );
        assert_eq!((split.signs[0].segments, split.signs[0].decisions), (2, 1));
        assert!(!split.signs[0].merged);
        let merged = stream(
            60.0,
            &signs(&[(1, 1.0, 2.0), (2, 3.0, 4.0), (3, 4.1, 5.0)]),
            &decisions(&[(1, 1.2, 4.2, 0.9)]),
            &[],
            30.0,
        );
        assert_eq!(merged.signs.iter().map(|s| s.merged).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn boundaries_within_two_and_five_frames() {
        // At 10 frames a second: 0.2 s and 0.5 s, half a frame more.
        let true_signs = signs(&[(1, 1.0, 2.0), (2, 5.0, 6.0)]);
        let made = decisions(&[(1, 1.2, 2.5, 0.9), (2, 5.05, 7.0, 0.9), (2, 8.0, 9.0, 0.9)]);
        let found = stream(60.0, &true_signs, &made, &[], 10.0).boundaries;
        let expected = Boundaries { found: 6, truly: 4, two: 2, five: 3, sixth: 1 };
        assert_eq!(found, expected);
        assert_eq!(pairs(&[1.0], &[0.9, 1.1], 0.2), 1, "each in one pair");
    }

    #[test]
    fn the_lead_is_taken_when_no_other_label_comes_between() {
        let glimpse = |t: f64, label: Option<u16>| Glimpse {
            t,
            visible: true,
            state: State::Signing,
            motion: 0.0,
            best: label.map(|label| (label, 0.5)),
        };
        // A sign before, then 1 leads for a moment, 2 for another, and 1 from 1.4 s on.
        let labels = [Some(1), None, Some(1), Some(2), Some(1), Some(1), None, None];
        let glimpses: Vec<_> = labels
            .iter()
            .zip([0.2, 0.6, 1.0, 1.2, 1.4, 1.8, 2.0, 2.3])
            .map(|(l, t)| glimpse(t, *l))
            .collect();
        let made = decisions(&[(1, 1.0, 2.0, 0.9)]);
        let score = stream(60.0, &signs(&[(1, 1.1, 2.0)]), &made, &glimpses, 30.0);
        assert!((score.signs[0].lead_ms.expect("leads") - 300.0).abs() < 1e-6);
    }

    #[test]
    fn edit_distance_by_hand() {
        assert_eq!(edits(&[1, 2, 3], &[1, 2, 3]), 0);
        assert_eq!(edits(&[1, 2, 3], &[1, 3]), 1);
        assert_eq!(edits(&[1, 2], &[2, 1]), 2);
        assert_eq!(edits(&[] as &[u8], &[1, 2]), 2);
        assert_eq!(edits(&[1, 2, 3, 4], &[9, 2, 4, 5]), 3);
    }
}
