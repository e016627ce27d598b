//! The figures of an evaluation, each with its confidence intervals.

use std::collections::BTreeMap;

use serde::Serialize;

use super::EvaluatedClip;
use super::interval::{ConfidenceInterval, over_signers, wilson};
use super::metrics::{NEVER, ReliabilityBin, RocCurve, calibration_error, reliability, share};
use super::vocabulary::{GroundTruth, SignVocabulary};

/// A figure and its 95 % intervals.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct IntervalEstimate {
    /// The figure, 0..1. None without clips to take it from.
    pub value: Option<f64>,
    /// Wilson's interval, for shares of clips: as if all were independent.
    pub wilson: Option<ConfidenceInterval>,
    /// Bootstrap over signers.
    pub signers: Option<ConfidenceInterval>,
}

/// Known signs against clips that show something else.
#[derive(Clone, Debug, Serialize)]
pub struct OpenSetFigures {
    /// Clips that show something else.
    pub n: usize,
    /// Their signers.
    pub signers: usize,
    /// Area under the ROC curve.
    pub auroc: IntervalEstimate,
    /// The threshold that accepts 95 % of the known. None when too many of them have no answer.
    pub threshold: Option<f64>,
    /// Share of `n` accepted at this threshold.
    pub fpr95: IntervalEstimate,
}

/// One signer's known signs.
#[derive(Clone, Debug, Serialize)]
pub struct SignerFigures {
    /// The signer.
    pub signer: String,
    /// Known signs.
    pub n: usize,
    /// Share answered rightly.
    pub top1: f64,
    /// Share with the sign among the five best.
    pub top5: f64,
    /// Wilson's interval of `top1`.
    pub wilson: Option<ConfidenceInterval>,
}

/// Everything that is summed up.
#[derive(Clone, Debug, Serialize)]
pub struct ClipFigures {
    /// Clips that show a sign of the vocabulary.
    pub n: usize,
    /// Their signers.
    pub signers: usize,
    /// Their labels.
    pub labels: usize,
    /// Share of `n` answered rightly.
    pub top1: IntervalEstimate,
    /// Share of `n` with the sign among the five best.
    pub top5: IntervalEstimate,
    /// Expected calibration error over those of `n` with an answer.
    pub ece: IntervalEstimate,
    /// Against signs outside the vocabulary. None when there are none.
    pub unknown: Option<OpenSetFigures>,
    /// Against clips without a sign. None when there are none.
    pub no_sign: Option<OpenSetFigures>,
    /// Clips, of any kind, in which nothing was decided.
    pub undecided: usize,
    /// Clips, of any kind, with more than one decision.
    pub several: usize,
    /// By signer, in alphabetical order.
    pub per_signer: Vec<SignerFigures>,
    /// The reliability curve that `ece` is taken from.
    pub reliability: Vec<ReliabilityBin>,
}

impl ClipFigures {
    /// Sums up clips.
    pub fn of(clips: &[EvaluatedClip], vocabulary: &SignVocabulary) -> ClipFigures {
        let known: Vec<&EvaluatedClip> =
            clips.iter().filter(|clip| matches!(clip.truth, GroundTruth::Known(_))).collect();
        let (ids, signers) = number(known.iter().copied());
        let once = vec![1.0; signers];
        let top1: Vec<bool> = known.iter().map(|clip| clip.top1()).collect();
        let top5: Vec<bool> = known.iter().map(|clip| clip.top5(vocabulary)).collect();
        let count = |right: &[bool]| right.iter().filter(|right| **right).count();
        let proportion = |right: &[bool]| {
            let of = |weights: &[f64]| {
                share(ids.iter().zip(right).map(|(signer, right)| (weights[*signer], *right)))
            };
            let wilson = wilson(count(right), right.len());
            IntervalEstimate { value: of(&once), wilson, signers: over_signers(signers, of) }
        };
        let bins = |weights: &[f64]| {
            let answered =
                known.iter().zip(&ids).zip(&top1).filter_map(|((clip, signer), right)| {
                    let (_, p) = clip.answer.top.first()?;
                    Some((weights[*signer], f64::from(*p), *right))
                });
            reliability(answered)
        };
        let ece = |weights: &[f64]| calibration_error(&bins(weights));
        let mut labels: Vec<&str> = known.iter().map(|clip| &*clip.entry.label).collect();
        labels.sort_unstable();
        labels.dedup();
        let against = |truth: GroundTruth| open_set(clips, &known, truth, vocabulary);
        ClipFigures {
            n: known.len(),
            signers,
            labels: labels.len(),
            top1: proportion(&top1),
            top5: proportion(&top5),
            ece: IntervalEstimate {
                value: ece(&once),
                wilson: None,
                signers: over_signers(signers, ece),
            },
            unknown: against(GroundTruth::Unknown),
            no_sign: against(GroundTruth::NoSign),
            undecided: clips.iter().filter(|clip| clip.answer.decisions == 0).count(),
            several: clips.iter().filter(|clip| clip.answer.decisions > 1).count(),
            per_signer: per_signer(&known, vocabulary),
            reliability: bins(&once).to_vec(),
        }
    }
}

fn open_set(
    clips: &[EvaluatedClip],
    known: &[&EvaluatedClip],
    truth: GroundTruth,
    vocabulary: &SignVocabulary,
) -> Option<OpenSetFigures> {
    let others: Vec<&EvaluatedClip> = clips.iter().filter(|clip| clip.truth == truth).collect();
    if others.is_empty() {
        return None;
    }
    let all = || known.iter().chain(&others).copied();
    let (ids, signers) = number(all());
    let scored = all().zip(&ids).map(|(clip, signer)| {
        (
            clip.score(vocabulary).unwrap_or(NEVER),
            matches!(clip.truth, GroundTruth::Known(_)),
            *signer,
        )
    });
    let separation = RocCurve::new(scored.collect());
    let once = vec![1.0; signers];
    let accepted = |weights: &[f64]| separation.at_tpr(weights).map(|(_, share)| share);
    let at_tpr = separation.at_tpr(&once);
    let n = others.len();
    let sides = [known, &others].map(|clips| number(clips.iter().copied()).1);
    // One signer on either side would be drawn or not, but never varied.
    let drawn = |statistic: &dyn Fn(&[f64]) -> Option<f64>| {
        if sides.contains(&1) { None } else { over_signers(signers, statistic) }
    };
    Some(OpenSetFigures {
        n,
        signers: sides[1],
        auroc: IntervalEstimate {
            value: separation.auroc(&once),
            wilson: None,
            signers: drawn(&|weights| separation.auroc(weights)),
        },
        threshold: at_tpr.map(|(threshold, _)| threshold),
        fpr95: IntervalEstimate {
            value: at_tpr.map(|(_, share)| share),
            wilson: at_tpr.and_then(|(_, share)| wilson((share * n as f64).round() as usize, n)),
            signers: at_tpr.and_then(|_| drawn(&accepted)),
        },
    })
}

/// The signers of clips as numbers from 0 in the order of appearance, and how many they are.
fn number<'a>(clips: impl Iterator<Item = &'a EvaluatedClip>) -> (Vec<usize>, usize) {
    let mut numbers = BTreeMap::new();
    let ids = clips.map(|clip| {
        let next = numbers.len();
        *numbers.entry(clip.entry.signer.as_str()).or_insert(next)
    });
    let ids = ids.collect();
    (ids, numbers.len())
}

fn per_signer(known: &[&EvaluatedClip], vocabulary: &SignVocabulary) -> Vec<SignerFigures> {
    let mut signers: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for clip in known {
        let counts = signers.entry(&clip.entry.signer).or_default();
        let adds = [true, clip.top1(), clip.top5(vocabulary)];
        counts.iter_mut().zip(adds).for_each(|(count, add)| *count += usize::from(add));
    }
    let figures = signers.into_iter().map(|(signer, [n, top1, top5])| SignerFigures {
        signer: signer.to_owned(),
        n,
        top1: top1 as f64 / n as f64,
        top5: top5 as f64 / n as f64,
        wilson: wilson(top1, n),
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::tests::{clip, vocabulary};
    use signd_core::event::ModelLabels;

    #[test]
    fn no_sign_costs_the_first_place_but_none_of_the_five() {
        let six = ["a", "b", "c", "d", "e", "f", "none"].map(str::to_owned).to_vec();
        let six =
            SignVocabulary::new(&ModelLabels { names: six, no_sign: Some(6) }, None).expect("fits");
        let top = [(6, 0.4), (0, 0.2), (1, 0.1), (2, 0.1), (3, 0.1), (4, 0.05), (5, 0.05)];
        let fifth = EvaluatedClip { truth: six.truth("e"), ..clip("e", "s", &top) };
        assert!(!fifth.top1() && fifth.top5(&six));
        let sixth = EvaluatedClip { truth: six.truth("f"), ..clip("f", "s", &top) };
        assert!(!sixth.top5(&six));
        assert_eq!(fifth.score(&six), Some(f64::from(0.2_f32)));
    }

    #[test]
    fn unknowns_and_no_sign_count_in_the_open_set_figures_alone() {
        let clips = [
            clip("a", "s", &[(0, 0.75), (1, 0.25)]),
            clip("b", "s", &[(2, 0.5), (1, 0.375), (0, 0.125)]),
            clip("b", "t", &[]),
            clip("dog", "u", &[(0, 0.5), (1, 0.5)]),
            clip("", "u", &[(2, 0.9), (0, 0.1)]),
        ];
        let figures = ClipFigures::of(&clips, &vocabulary());
        assert_eq!((figures.n, figures.signers, figures.labels), (3, 2, 2));
        assert_eq!(figures.top1.value, Some(1.0 / 3.0));
        assert_eq!(figures.top5.value, Some(2.0 / 3.0));
        // (|1 - 0.75| + |0 - 0.5|) / 2: the clip without an answer has no confidence.
        assert_eq!(figures.ece.value, Some(0.375));
        assert_eq!((figures.undecided, figures.several), (1, 0));
        let unknown = figures.unknown.expect("one");
        assert_eq!((unknown.n, unknown.auroc.value), (1, Some(1.0 / 3.0)));
        assert_eq!(unknown.auroc.signers, None, "one signer of unknown signs");
        // One of three known clips has no answer: nothing accepts 95 % of them.
        assert_eq!((unknown.threshold, unknown.fpr95.value), (None, None));
        let no_sign = figures.no_sign.expect("one");
        assert_eq!(no_sign.auroc.value, Some(2.0 / 3.0));
        let names: Vec<_> = figures.per_signer.iter().map(|s| (&*s.signer, s.n, s.top1)).collect();
        assert_eq!(names, [("s", 2, 0.5), ("t", 1, 0.0)]);
    }

    #[test]
    fn no_clips_no_figures() {
        let figures = ClipFigures::of(&[], &vocabulary());
        assert_eq!((figures.n, figures.top1.value, figures.ece.value), (0, None, None));
        assert!(figures.unknown.is_none());
    }
}
