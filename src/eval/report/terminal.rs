//! The summary for people at a terminal.

use std::fmt::{self, Display, Formatter};

use crate::eval::Evaluation;
use crate::eval::figures::{Figure, OpenSet};
use crate::eval::interval::Interval;

/// Widest name of a signer that is printed whole.
const NAME: usize = 32;

/// Prints an evaluation as a table.
pub struct Table<'a>(pub &'a Evaluation);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Table(evaluation) = self;
        let figures = &evaluation.figures;
        writeln!(f, "model        {}", plain(&evaluation.model.name))?;
        writeln!(f, "sha256       {}", evaluation.model.sha256)?;
        writeln!(f, "vocabulary   {} signs", evaluation.vocabulary.len())?;
        let cut = if evaluation.segmented { "found by the segmenter" } else { "whole clips" };
        writeln!(f, "segments     {cut}")?;
        writeln!(
            f,
            "known        {} clips, {} signers, {} labels",
            figures.n, figures.signers, figures.labels
        )?;
        if evaluation.segmented {
            writeln!(f, "undecided    {} clips", figures.undecided)?;
            writeln!(f, "several      {} clips with more than one decision", figures.several)?;
        }
        if !evaluation.failures.is_empty() {
            writeln!(f, "failed       {} clips", evaluation.failures.len())?;
        }
        writeln!(f)?;
        writeln!(f, "{:<24} {:>7}   {:<15} {:<15}", "", "value", "95 % by clips", "by signers")?;
        row(f, "top-1", &figures.top1)?;
        row(f, "top-5", &figures.top5)?;
        row(f, "calibration error", &figures.ece)?;
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
            let (top1, top5) = (percent(signer.top1), percent(signer.top5));
            writeln!(f, "{name:<NAME$} {n:>6} {top1:>7} {top5:>7}   {}", range(signer.wilson))?;
        }
        Ok(())
    }
}

fn open_set(f: &mut Formatter<'_>, what: &str, set: &OpenSet) -> fmt::Result {
    writeln!(f, "against {what}: {} clips, {} signers", set.n, set.signers)?;
    row(f, "  AUROC", &set.auroc)?;
    row(f, "  accepted at 95 %", &set.fpr95)
}

fn row(f: &mut Formatter<'_>, name: &str, figure: &Figure) -> fmt::Result {
    let value = figure.value.map_or("-".into(), percent);
    let (clips, signers) = (range(figure.wilson), range(figure.signers));
    writeln!(f, "{name:<24} {value:>7}   {clips:<15} {signers:<15}")
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// An interval in percent.
pub fn range(interval: Option<Interval>) -> String {
    interval.map_or("-".into(), |[low, high]| format!("{:.1}..{:.1}", 100.0 * low, 100.0 * high))
}

/// Without the characters by which a name from a file could steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME - 1) {
        Some((at, _)) if name.chars().count() > NAME => format!("{}…", &name[..at]),
        _ => name.to_owned(),
    }
}
