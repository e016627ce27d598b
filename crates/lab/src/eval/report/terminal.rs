//! The evaluation as a table on the terminal.

use std::fmt::{self, Display, Formatter};

use crate::eval::ClipEvaluation;
use crate::eval::figures::{IntervalEstimate, OpenSetFigures};
use crate::eval::interval::ConfidenceInterval;

/// Widest name of a signer that is printed whole.
const NAME: usize = 32;

/// Prints an evaluation as a table.
pub struct ClipTable<'a>(pub &'a ClipEvaluation);

impl Display for ClipTable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ClipTable(evaluation) = self;
        let figures = &evaluation.figures;
        writeln!(f, "model        {}", plain(&evaluation.model.name))?;
        writeln!(f, "sha256       {}", evaluation.model.sha256)?;
        writeln!(f, "vocabulary   {} signs", evaluation.vocabulary.len())?;
        let cut = if evaluation.segmented { "found by the segmenter" } else { "whole clips" };
        writeln!(f, "segments     {cut}")?;
        writeln!(
            f,
            "known        {}, {}, {}",
            count(figures.n, "clip"),
            count(figures.signers, "signer"),
            count(figures.labels, "label")
        )?;
        if evaluation.segmented {
            writeln!(f, "undecided    {}", count(figures.undecided, "clip"))?;
            writeln!(
                f,
                "several      {} with more than one decision",
                count(figures.several, "clip")
            )?;
        }
        if !evaluation.failures.is_empty() {
            writeln!(f, "failed       {}", count(evaluation.failures.len(), "clip"))?;
        }
        writeln!(f)?;
        writeln!(f, "{:<24} {:>7}   {:<15} {:<15}", "", "value", "95 % by clips", "by signers")?;
        row(f, "top-1", &figures.top1, PERCENT)?;
        row(f, "top-5", &figures.top5, PERCENT)?;
        row(f, "calibration error", &figures.ece, PERCENT)?;
        for (what, set) in [("unknown signs", &figures.unknown), ("no sign", &figures.no_sign)] {
            if let Some(set) = set {
                open_set(f, what, set)?;
            }
        }
        if figures.per_signer.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        writeln!(f, "{:<NAME$} {:>6} {:>7} {:>7}   95 %", "signer", "clips", "top-1", "top-5")?;
        for signer in &figures.per_signer {
            let (n, name) = (signer.n, shortened(&plain(&signer.signer)));
            let (top1, top5) = (PERCENT.value(signer.top1), PERCENT.value(signer.top5));
            writeln!(
                f,
                "{name:<NAME$} {n:>6} {top1:>7} {top5:>7}   {}",
                PERCENT.range(signer.wilson)
            )?;
        }
        Ok(())
    }
}

fn open_set(f: &mut Formatter<'_>, what: &str, set: &OpenSetFigures) -> fmt::Result {
    writeln!(f, "against {what}: {}, {}", count(set.n, "clip"), count(set.signers, "signer"))?;
    row(f, "  AUROC", &set.auroc, PLAIN)?;
    row(f, "  accepted at 95 %", &set.fpr95, PERCENT)
}

fn row(
    f: &mut Formatter<'_>,
    name: &str,
    figure: &IntervalEstimate,
    unit: FigureUnit,
) -> fmt::Result {
    let value = figure.value.map_or("-".into(), |value| unit.value(value));
    let (clips, signers) = (unit.range(figure.wilson), unit.range(figure.signers));
    writeln!(f, "{name:<24} {value:>7}   {clips:<15} {signers:<15}")
}

/// How a figure is written.
pub struct FigureUnit {
    factor: f64,
    digits: usize,
    sign: &'static str,
}

/// Shares.
pub const PERCENT: FigureUnit = FigureUnit { factor: 100.0, digits: 1, sign: " %" };
/// Areas.
pub const PLAIN: FigureUnit = FigureUnit { factor: 1.0, digits: 3, sign: "" };

impl FigureUnit {
    /// A figure with its unit.
    pub fn value(&self, value: f64) -> String {
        format!("{:.*}{}", self.digits, self.factor * value, self.sign)
    }

    /// An interval without it. A dash where there is none.
    pub fn range(&self, interval: Option<ConfidenceInterval>) -> String {
        let end = |value: f64| format!("{:.*}", self.digits, self.factor * value);
        interval.map_or("-".into(), |[low, high]| format!("{}–{}", end(low), end(high)))
    }
}

/// How many there are of what.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Without the characters by which a name from a file could steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME - 1) {
        Some((at, _)) if name.chars().count() > NAME => format!("{}…", &name[..at]),
        _ => name.to_owned(),
    }
}
