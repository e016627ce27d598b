//! The trade between false decisions and misses, as the threshold changes.

use serde::Serialize;

use super::stream_score::StreamScore;

/// Thresholds of the trade curve.
pub const THRESHOLDS: [f32; 18] = [
    0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98,
    0.99,
];

/// A point of the trade.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TradePoint {
    /// Least probability of a decision.
    pub threshold: f32,
    /// False decisions.
    pub false_decisions: usize,
    /// Known signs without any decision of a known label.
    pub misses: usize,
    /// Known signs with a right one.
    pub right: usize,
}

/// The trade at these thresholds, had one threshold held for all labels.
pub fn trade_curve(scores: &[&StreamScore], thresholds: &[f32]) -> Vec<TradePoint> {
    let at = |threshold: &f32| {
        let sure = |p: Option<f32>| p.is_some_and(|p| p >= *threshold);
        let known = || scores.iter().flat_map(|s| &s.signs).filter(|sign| sign.outcome.is_some());
        let alarms = scores.iter().flat_map(|s| &s.alarms);
        TradePoint {
            threshold: *threshold,
            false_decisions: alarms.filter(|alarm| alarm.p >= *threshold).count(),
            misses: known().filter(|sign| !sure(sign.named)).count(),
            right: known().filter(|sign| sure(sign.right)).count(),
        }
    };
    thresholds.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::score::figures::tests::score;

    #[test]
    fn a_higher_threshold_trades_false_decisions_for_misses() {
        let score = score();
        let points = trade_curve(&[&score], &[0.3, 0.5, 0.75, 0.95]);
        let seen: Vec<_> = points.iter().map(|p| (p.false_decisions, p.misses, p.right)).collect();
        assert_eq!(seen, [(2, 1, 1), (1, 1, 1), (1, 2, 1), (0, 3, 0)]);
    }
}
