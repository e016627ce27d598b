//! The figures of several streams together.

use serde::Serialize;

use super::stream_score::{SignOutcome, StreamScore};
use crate::eval::interval::{ConfidenceInterval, poisson};

/// What is said of some streams together. Shares are fractions, `None` where there is nothing to take
/// them from.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StreamFigures {
    /// Streams.
    pub streams: usize,
    /// Their length together.
    pub hours: f64,
    /// Decisions with a known label that overlap no sign.
    pub false_decisions: usize,
    /// These an hour.
    pub false_per_hour: Option<f64>,
    /// Exact 95 % interval of that (Garwood), as if each stream were time of its own.
    pub false_interval: Option<ConfidenceInterval>,
    /// Decisions over signs that the model does not know.
    pub unknown_named: usize,
    /// Known signs.
    pub signs: usize,
    /// Known signs with no decision of a known label.
    pub misses: usize,
    /// Known signs with such decisions, none of them right.
    pub wrong: usize,
    /// Known signs with a right decision.
    pub right: usize,
    /// Top-1 of the segment that overlaps a sign best.
    pub segment_top1: Option<f64>,
    /// Top-1 of the same signs cut at their true boundaries.
    pub cut_top1: Option<f64>,
    /// Top-1 of the same signs as whole clips.
    pub clip_top1: Option<f64>,
    /// Mean intersection over union.
    pub iou: Option<f64>,
    /// Boundary F1 at two frames, five frames, a sixth of a second.
    pub f1_two: Option<f64>,
    /// See `f1_two`.
    pub f1_five: Option<f64>,
    /// See `f1_two`.
    pub f1_sixth: Option<f64>,
    /// Signs with several segments.
    pub splits: usize,
    /// Signs with several decisions of a known label.
    pub duplicates: usize,
    /// Signs that share a segment.
    pub merged: usize,
    /// From the true end to the right decision, ms: median, 95 and 99 of 100.
    pub latency_ms: Option<[f64; 3]>,
    /// From the true start until the right label leads for good, ms, median.
    pub lead_ms: Option<f64>,
    /// The same as a share of the sign's duration.
    pub lead_share: Option<f64>,
}

impl StreamFigures {
    /// Sums up.
    pub fn of(scores: &[&StreamScore]) -> StreamFigures {
        let signs: Vec<_> = scores.iter().flat_map(|s| &s.signs).collect();
        let known: Vec<_> = signs.iter().filter(|s| s.outcome.is_some()).collect();
        let outcome = |o: SignOutcome| known.iter().filter(|s| s.outcome == Some(o)).count();
        let alarms = scores.iter().flat_map(|s| &s.alarms);
        let false_decisions = alarms.filter(|alarm| alarm.decided).count();
        let hours = scores.iter().map(|s| s.seconds).sum::<f64>() / 3600.0;
        let share = |of: &dyn Fn(usize) -> Option<bool>| {
            let answered: Vec<bool> = (0..known.len()).filter_map(of).collect();
            let right = answered.iter().filter(|right| **right).count();
            (!answered.is_empty()).then(|| right as f64 / answered.len() as f64)
        };
        let f1 = |matched: &dyn Fn(&StreamScore) -> usize| {
            let sum = |of: &dyn Fn(&StreamScore) -> usize| -> usize {
                scores.iter().map(|score| of(score)).sum()
            };
            let all = sum(&|s| s.boundaries.found + s.boundaries.truly);
            (sum(&|s| s.boundaries.truly) > 0).then(|| 2.0 * sum(matched) as f64 / all as f64)
        };
        let latencies = sorted(known.iter().filter_map(|s| s.latency_ms));
        let leads = sorted(known.iter().filter_map(|s| s.lead_ms));
        let shares = known.iter().filter_map(|s| Some(s.lead_ms? / 1e3 / (s.span.1 - s.span.0)));
        StreamFigures {
            streams: scores.len(),
            hours,
            false_decisions,
            false_per_hour: (hours > 0.0).then(|| false_decisions as f64 / hours),
            false_interval: (hours > 0.0).then(|| poisson(false_decisions).map(|x| x / hours)),
            unknown_named: scores.iter().map(|s| s.unknown_named).sum(),
            signs: known.len(),
            misses: outcome(SignOutcome::Miss),
            wrong: outcome(SignOutcome::Wrong),
            right: outcome(SignOutcome::Right),
            segment_top1: share(&|i| Some(known[i].segment_top1)),
            cut_top1: share(&|i| known[i].cut_top1),
            clip_top1: share(&|i| known[i].clip_top1),
            iou: (!signs.is_empty())
                .then(|| signs.iter().map(|s| s.iou).sum::<f64>() / signs.len() as f64),
            f1_two: f1(&|s| s.boundaries.two),
            f1_five: f1(&|s| s.boundaries.five),
            f1_sixth: f1(&|s| s.boundaries.sixth),
            splits: signs.iter().filter(|s| s.segments > 1).count(),
            duplicates: signs.iter().filter(|s| s.decisions > 1).count(),
            merged: signs.iter().filter(|s| s.merged).count(),
            latency_ms: (!latencies.is_empty())
                .then(|| [0.5, 0.95, 0.99].map(|share| quantile(&latencies, share))),
            lead_ms: (!leads.is_empty()).then(|| quantile(&leads, 0.5)),
            lead_share: Some(sorted(shares))
                .filter(|all| !all.is_empty())
                .map(|all| quantile(&all, 0.5)),
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The smallest value that at least this share of all do not exceed. `sorted` is not empty.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::streams::judge::trace::StreamDecision;
    use crate::streams::score::stream_score::score_stream;
    use crate::streams::truth::TrueSign;

    /// Three signs, the first decided rightly with 0.9, the second wrongly with 0.7, the third not at
    /// all. A false decision with 0.8 and an alarm of 0.4.
    pub fn score() -> StreamScore {
        let sign = |label: u16, from: f64| TrueSign {
            label: Some(label),
            gloss: label.to_string(),
            signer: "a".into(),
            path: "a.npz".into(),
            span: (from, from + 1.0),
            clip: (from, from + 1.0),
        };
        let decision = |label: u16, from: f64, p: f32| StreamDecision {
            span: (from, from + 1.0),
            at: from + 1.2,
            label: (p >= 0.5).then_some(label),
            best: Some((label, p)),
            ended: None,
        };
        let signs = [sign(1, 1.0), sign(2, 4.0), sign(3, 7.0)];
        let decisions = [
            decision(1, 1.0, 0.9),
            decision(9, 4.0, 0.7),
            decision(9, 12.0, 0.8),
            decision(9, 15.0, 0.4),
        ];
        score_stream(1800.0, &signs, &decisions, &[], 30.0)
    }

    #[test]
    fn figures_by_hand() {
        let score = score();
        let figures = StreamFigures::of(&[&score, &score]);
        assert_eq!((figures.streams, figures.signs, figures.hours), (2, 6, 1.0));
        assert_eq!((figures.right, figures.wrong, figures.misses), (2, 2, 2));
        assert_eq!((figures.false_decisions, figures.false_per_hour), (2, Some(2.0)));
        let [low, high] = figures.false_interval.expect("hours");
        assert!((low - 0.242).abs() < 1e-3 && (high - 7.225).abs() < 1e-3, "{low} {high}");
        assert_eq!(figures.iou.map(|x| (x * 3.0).round()), Some(2.0));
        // Of 8 found and 6 true boundaries, 4 are rightly found: in each stream.
        assert_eq!(figures.f1_five, Some(2.0 * 4.0 / 14.0));
        let latency = figures.latency_ms.expect("decided");
        assert!(latency.iter().all(|x| (x - 200.0).abs() < 1e-6));
        assert_eq!(StreamFigures::of(&[]).false_per_hour, None);
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.95, 0.99].map(|share| quantile(&values, share)), [50.0, 95.0, 99.0]);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }
}
