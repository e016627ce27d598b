//! The evaluation as JSON. `docs/benchmark.md` describes its keys.

use serde::Serialize;

use crate::eval::ClipEvaluation;
use crate::eval::clip_list::ListFailure;
use crate::eval::figures::{IntervalEstimate, OpenSetFigures, SignerFigures};
use crate::eval::metrics::ReliabilityBin;
use signd_engine::model::ModelIdentity;

#[derive(Serialize)]
struct ClipReport<'a> {
    model: &'a ModelIdentity,
    vocabulary: usize,
    segmented: bool,
    n: usize,
    signers: usize,
    labels: usize,
    failed: usize,
    undecided: usize,
    several: usize,
    top1: Option<f64>,
    top5: Option<f64>,
    ece: Option<f64>,
    intervals: HeadlineIntervals<'a>,
    open_set: OpenSetPair<'a>,
    per_signer: &'a [SignerFigures],
    reliability: &'a [ReliabilityBin],
    failures: &'a [ListFailure],
    clips: Vec<ClipLine<'a>>,
}

#[derive(Serialize)]
struct HeadlineIntervals<'a> {
    top1: &'a IntervalEstimate,
    top5: &'a IntervalEstimate,
    ece: &'a IntervalEstimate,
}

#[derive(Serialize)]
struct OpenSetPair<'a> {
    unknown: Option<&'a OpenSetFigures>,
    no_sign: Option<&'a OpenSetFigures>,
}

#[derive(Serialize)]
struct ClipLine<'a> {
    path: &'a str,
    label: &'a str,
    signer: &'a str,
    decisions: usize,
    /// `null` for *no sign*.
    top: Vec<(Option<&'a str>, f32)>,
}

/// The report as JSON, with a line end.
pub fn write(evaluation: &ClipEvaluation) -> serde_json::Result<Vec<u8>> {
    let figures = &evaluation.figures;
    let clips = evaluation.clips.iter().map(|clip| {
        let top = clip.answer.top.iter().map(|(i, p)| (evaluation.vocabulary.name(*i), *p));
        ClipLine {
            path: &clip.entry.path,
            label: &clip.entry.label,
            signer: &clip.entry.signer,
            decisions: clip.answer.decisions,
            top: top.collect(),
        }
    });
    let report = ClipReport {
        model: &evaluation.model,
        vocabulary: evaluation.vocabulary.len(),
        segmented: evaluation.segmented,
        n: figures.n,
        signers: figures.signers,
        labels: figures.labels,
        failed: evaluation.failures.len(),
        undecided: figures.undecided,
        several: figures.several,
        top1: figures.top1.value,
        top5: figures.top5.value,
        ece: figures.ece.value,
        intervals: HeadlineIntervals {
            top1: &figures.top1,
            top5: &figures.top5,
            ece: &figures.ece,
        },
        open_set: OpenSetPair {
            unknown: figures.unknown.as_ref(),
            no_sign: figures.no_sign.as_ref(),
        },
        per_signer: &figures.per_signer,
        reliability: &figures.reliability,
        failures: &evaluation.failures,
        clips: clips.collect(),
    };
    let mut out = serde_json::to_vec(&report)?;
    out.push(b'\n');
    Ok(out)
}
