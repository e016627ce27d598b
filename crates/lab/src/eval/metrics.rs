//! Formulas of the figures.
//!
//! Each takes a weight for every clip. A bootstrap asks for a figure again with some signers counted
//! twice and others not at all.

/// Bins of the reliability curve.
pub const BINS: usize = 15;
/// Score of a clip without an answer: below all others, and accepted at no threshold.
pub const NEVER: f64 = f64::NEG_INFINITY;
/// Share of the known signs that must be accepted.
pub const TPR: f64 = 0.95;

/// Weighted share of what holds. None without any weight.
pub fn share(items: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let (mut holds, mut all) = (0.0, 0.0);
    for (weight, right) in items {
        all += weight;
        holds += if right { weight } else { 0.0 };
    }
    (all > 0.0).then_some(holds / all)
}

/// Answers of about the same confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct ReliabilityBin {
    /// Weight of the answers: their number, when each counts once.
    pub n: f64,
    /// Mean probability that they claim, 0..1, and 0 when there are none.
    pub confidence: f64,
    /// Share of them that are right, 0..1, and 0 when there are none.
    pub accuracy: f64,
}

/// Answers (weight, confidence 0..1, right) in [`BINS`] bins of equal width, bin m (from 1) holding
/// ((m-1)/15, m/15]: Guo, Pleiss, Sun, Weinberger, *On Calibration of Modern Neural Networks* (2017),
/// section 2.
pub fn reliability(answers: impl Iterator<Item = (f64, f64, bool)>) -> [ReliabilityBin; BINS] {
    let mut bins = [ReliabilityBin::default(); BINS];
    for (weight, confidence, right) in answers {
        let at = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut bins[at.clamp(1, BINS) - 1];
        bin.n += weight;
        bin.confidence += weight * confidence;
        bin.accuracy += if right { weight } else { 0.0 };
    }
    for bin in bins.iter_mut().filter(|bin| bin.n > 0.0) {
        bin.confidence /= bin.n;
        bin.accuracy /= bin.n;
    }
    bins
}

/// Expected calibration error, sum over bins of n/N |accuracy - confidence| (the same paper, equation
/// 3), 0..1. None without answers.
pub fn calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let all: f64 = bins.iter().map(|bin| bin.n).sum();
    let gaps = bins.iter().map(|bin| bin.n * (bin.accuracy - bin.confidence).abs());
    (all > 0.0).then(|| gaps.sum::<f64>() / all)
}

/// How well a score tells known signs from everything else.
#[derive(Clone, Debug)]
pub struct RocCurve {
    /// Score, known, signer: best scores first.
    clips: Vec<(f64, bool, usize)>,
}

impl RocCurve {
    /// Of clips given as score, known, and number of the signer.
    pub fn new(mut clips: Vec<(f64, bool, usize)>) -> Self {
        clips.sort_by(|a, b| b.0.total_cmp(&a.0));
        RocCurve { clips }
    }

    /// Area under the ROC curve, 0..1: the probability that a known clip scores above another one, ties
    /// counting half (Mann and Whitney's U over the number of pairs; Hanley and McNeil, *Radiology*
    /// 143, 1982). `weights`: one for each signer. None without clips of both kinds.
    pub fn auroc(&self, weights: &[f64]) -> Option<f64> {
        let (mut area, mut known, mut other) = (0.0, 0.0, 0.0);
        for (_, more_known, more_other) in self.steps(weights) {
            // Others here lie below all known so far and level with those of this step.
            area += more_other * (known + more_known / 2.0);
            known += more_known;
            other += more_other;
        }
        (known > 0.0 && other > 0.0).then(|| area / (known * other))
    }

    /// The highest threshold at which at least [`TPR`] of the known are accepted (score at or above
    /// it), and the share of the others accepted there. None without clips of both kinds, and when too
    /// many known clips score [`NEVER`].
    pub fn at_tpr(&self, weights: &[f64]) -> Option<(f64, f64)> {
        let (mut known, mut other) = (0.0, 0.0);
        for (_, is_known, signer) in &self.clips {
            *(if *is_known { &mut known } else { &mut other }) += weights[*signer];
        }
        if known == 0.0 || other == 0.0 {
            return None;
        }
        let (mut accepted, mut wrongly) = (0.0, 0.0);
        for (score, more_known, more_other) in self.steps(weights).filter(|step| step.0 > NEVER) {
            accepted += more_known;
            wrongly += more_other;
            if accepted >= TPR * known {
                return Some((score, wrongly / other));
            }
        }
        None
    }

    /// Clips of one score together: score, weight of the known, weight of the others.
    fn steps<'a>(&'a self, weights: &'a [f64]) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
        self.clips.chunk_by(|a, b| a.0 == b.0).map(move |level| {
            let weigh = |which: bool| -> f64 {
                level.iter().filter(|clip| clip.1 == which).map(|clip| weights[clip.2]).sum()
            };
            (level[0].0, weigh(true), weigh(false))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|x| (x - expected).abs() < 1e-12), "{found:?}, not {expected}");
    }

    #[test]
    fn shares_are_weighted() {
        near(share([(1.0, true), (3.0, false)].into_iter()), 0.25);
        assert_eq!(share([(0.0, true)].into_iter()), None);
    }

    #[test]
    fn calibration_error_by_hand() {
        // Bin 15 (0.933..1]: 0.95 right, 0.97 wrong: |1/2 - 0.96| = 0.46. Bin 8 (0.467..0.533]: 0.5
        // right, 0.5 wrong: 0. Bin 5 (0.267..0.333]: 0.3 right: 0.7. So (2 * 0.46 + 0.7) / 5.
        let answers =
            [(0.95, true), (0.97, false), (0.5, true), (0.5, false), (0.3, true)].into_iter();
        let bins = reliability(answers.map(|(p, right)| (1.0, p, right)));
        assert_eq!([4, 7, 14].map(|i: usize| bins[i].n), [1.0, 2.0, 2.0]);
        near(calibration_error(&bins), 0.324);
        assert_eq!(calibration_error(&reliability(std::iter::empty())), None);
    }

    #[test]
    fn bins_are_closed_above_and_take_in_both_ends() {
        let at = |p: f64| {
            let bins = reliability([(1.0, p, true)].into_iter());
            bins.iter().position(|bin| bin.n > 0.0)
        };
        assert_eq!([0.0, 1e-9, 0.2, 0.2001, 1.0].map(at), [0, 0, 2, 3, 14].map(Some));
    }

    #[test]
    fn auroc_counts_ties_half() {
        // Pairs: 0.9 beats both; 0.5 ties one, beats the other; 0.2 loses to 0.5, beats 0.1.
        let clips =
            vec![(0.9, true, 0), (0.5, true, 0), (0.2, true, 0), (0.5, false, 0), (0.1, false, 0)];
        near(RocCurve::new(clips).auroc(&[1.0]), 4.5 / 6.0);
        let level = vec![(0.5, true, 0), (0.5, false, 0), (0.5, false, 0)];
        near(RocCurve::new(level).auroc(&[1.0]), 0.5);
        assert_eq!(RocCurve::new(vec![(0.5, true, 0)]).auroc(&[1.0]), None);
    }

    #[test]
    fn a_weight_of_two_is_the_clip_twice() {
        let clips = vec![(0.9, true, 0), (0.3, true, 1), (0.5, false, 0), (0.2, false, 1)];
        let mut twice = clips.clone();
        twice.extend(clips.iter().filter(|clip| clip.2 == 1));
        let (weighted, repeated) = (RocCurve::new(clips), RocCurve::new(twice));
        assert_eq!(weighted.auroc(&[1.0, 2.0]), repeated.auroc(&[1.0, 1.0]));
        assert_eq!(weighted.at_tpr(&[1.0, 2.0]), repeated.at_tpr(&[1.0, 1.0]));
    }

    #[test]
    fn false_accepts_at_the_threshold_that_takes_in_95_of_100() {
        // Known: 1.00, 0.99 ... 0.01. The 95th is 0.06: of the others 0.06 and 0.5 lie at or above.
        let known = (1..=100).map(|i| (f64::from(i) / 100.0, true, 0));
        let others = [0.5, 0.06, 0.059, 0.01].map(|score| (score, false, 0));
        let separation = RocCurve::new(known.chain(others).collect());
        assert_eq!(separation.at_tpr(&[1.0]), Some((0.06, 0.5)));
        assert_eq!(RocCurve::new(vec![(0.5, false, 0)]).at_tpr(&[1.0]), None);
    }

    #[test]
    fn what_has_no_answer_is_never_accepted_but_is_ranked() {
        let clips = vec![(0.5, true, 0), (NEVER, true, 0), (NEVER, false, 0), (0.1, false, 0)];
        let separation = RocCurve::new(clips);
        assert_eq!(separation.at_tpr(&[1.0]), None);
        // Of four pairs the first known clip wins both, the other ties one and loses one.
        near(separation.auroc(&[1.0]), 2.5 / 4.0);
    }
}
