//! The JSON report; `docs/benchmark.md` describes its keys.

use serde::Serialize;

use crate::eval::clip_list::Failure;
use crate::eval::figures::{Figure, OpenSet, SignerFigures};
use crate::eval::metrics::Bin;
use crate::eval::{Evaluation, Subject};

#[derive(Serialize)]
struct Report<'a> {
    model: &'a Subject,
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
    intervals: Intervals<'a>,
    open_set: OpenSets<'a>,
    per_signer: &'a [SignerFigures],
    reliability: &'a [Bin],
    failures: &'a [Failure],
    clips: Vec<Clip<'a>>,
}

#[derive(Serialize)]
struct Intervals<'a> {
    top1: &'a Figure,
    top5: &'a Figure,
    ece: &'a Figure,
}

#[derive(Serialize)]
struct OpenSets<'a> {
    unknown: Option<&'a OpenSet>,
    no_sign: Option<&'a OpenSet>,
}

#[derive(Serialize)]
struct Clip<'a> {
    path: &'a str,
    label: &'a str,
    signer: &'a str,
    decisions: usize,
    /// `null` for *no sign*.
    top: Vec<(Option<&'a str>, f32)>,
}

/// The report as JSON, with a line end.
pub fn write(evaluation: &Evaluation) -> serde_json::Result<Vec<u8>> {
    let figures = &evaluation.figures;
    let clips = evaluation.clips.iter().map(|clip| {
        let top = clip.answer.top.iter().map(|(i, p)| (evaluation.vocabulary.name(*i), *p));
        Clip {
            path: &clip.entry.path,
            label: &clip.entry.label,
            signer: &clip.entry.signer,
            decisions: clip.answer.decisions,
            top: top.collect(),
        }
    });
    let report = Report {
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
        intervals: Intervals { top1: &figures.top1, top5: &figures.top5, ece: &figures.ece },
        open_set: OpenSets { unknown: figures.unknown.as_ref(), no_sign: figures.no_sign.as_ref() },
        per_signer: &figures.per_signer,
        reliability: &figures.reliability,
        failures: &evaluation.failures,
        clips: clips.collect(),
    };
    let mut out = serde_json::to_vec(&report)?;
    out.push(b'\n');
    Ok(out)
}
