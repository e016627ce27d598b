//! The benchmark as a table on the terminal.
//!
//! A line is one set, delivered in one way, to the daemon or to the peer.

use std::fmt::{self, Display, Formatter};

use crate::eval::report::terminal::{count, plain};
use crate::streams::benchmark::{BenchmarkRun, StreamBenchmark};
use crate::streams::camera::delivery::StreamDelivery;
use crate::streams::score::figures::StreamFigures;

/// Prints a benchmark as a table.
pub struct StreamTable<'a>(pub &'a StreamBenchmark);

/// The columns and their widths.
pub const COLUMNS: [(&str, usize); 20] = [
    ("who", 5),
    ("fps", 3),
    ("", 9),
    ("hours", 6),
    ("false", 5),
    ("an hour (95 %)", 20),
    ("signs", 5),
    ("missed", 7),
    ("wrong", 7),
    ("right", 7),
    ("top-1 found", 11),
    ("cut", 7),
    ("clip", 7),
    ("IoU", 5),
    ("F1@2", 5),
    ("F1@5", 5),
    ("1/6 s", 5),
    ("split/dup/merged", 16),
    ("latency p50/95/99", 17),
    ("leads after", 14),
];

impl Display for StreamTable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let StreamTable(benchmark) = self;
        for (fold, model) in benchmark.models.iter().enumerate() {
            writeln!(f, "model {fold}      {} {}", plain(&model.name), short(&model.sha256))?;
        }
        if let Some(peer) = &benchmark.peer {
            writeln!(f, "peer         {} {}", plain(&peer.name), short(&peer.sha256))?;
        }
        writeln!(f, "seed         {}", benchmark.seed)?;
        writeln!(f, "not used     {}", count(benchmark.left_out, "recording"))?;
        if !benchmark.failures.is_empty() {
            writeln!(f, "failed       {}", count(benchmark.failures.len(), "recording"))?;
        }
        for set in benchmark.sets() {
            self.set(f, set)?;
        }
        Ok(())
    }
}

impl StreamTable<'_> {
    fn set(&self, f: &mut Formatter<'_>, set: &str) -> fmt::Result {
        let StreamTable(benchmark) = self;
        let of_set = || benchmark.streams.iter().filter(|s| s.set == set);
        let timed = || of_set().filter(|s| s.gapless);
        let minutes = timed().map(|s| s.seconds).sum::<f64>() / 60.0;
        let signs = timed().flat_map(|s| &s.signs);
        let mut signers: Vec<&str> = signs.map(|sign| &*sign.signer).collect();
        signers.sort_unstable();
        signers.dedup();
        writeln!(f)?;
        write!(
            f,
            "{}: {}, {minutes:.1} distinct minutes",
            plain(set),
            count(of_set().count(), "stream")
        )?;
        if !signers.is_empty() {
            write!(f, ", {}", count(signers.len(), "signer"))?;
        }
        writeln!(f)?;
        for (name, width) in COLUMNS {
            write!(f, "{name:>width$} ")?;
        }
        writeln!(f)?;
        for peer in [false, true] {
            for delivery in benchmark.deliveries() {
                let runs = benchmark.select(Some(set), peer, Some(delivery));
                if !runs.is_empty() {
                    line(f, peer, delivery, &runs)?;
                }
            }
        }
        Ok(())
    }
}

fn line(
    f: &mut Formatter<'_>,
    peer: bool,
    delivery: StreamDelivery,
    runs: &[&BenchmarkRun],
) -> fmt::Result {
    let figures = StreamBenchmark::figures(runs);
    let cells = cells(&figures);
    let how = if delivery.disturbed { "disturbed" } else { "clean" };
    let head =
        [if peer { "peer" } else { "signd" }.to_owned(), delivery.fps.to_string(), how.into()];
    for (cell, (_, width)) in head.iter().chain(&cells).zip(COLUMNS) {
        write!(f, "{cell:>width$} ")?;
    }
    if let Some(order) = StreamBenchmark::order(runs) {
        let share = |edits: usize, of: usize| 1.0 - edits as f64 / of.max(1) as f64;
        write!(
            f,
            " order: {:.2} of {} glosses, {:.2} of the {} known",
            share(order.edits, order.glosses),
            order.glosses,
            share(order.known_edits, order.known),
            order.known
        )?;
    }
    writeln!(f)
}

/// The figures as they are written. A dash where there is nothing to take one from.
pub fn cells(figures: &StreamFigures) -> [String; 17] {
    let dash = || "-".to_owned();
    let share = |n: usize| match figures.signs {
        0 => dash(),
        signs => format!("{:.1} %", 100.0 * n as f64 / signs as f64),
    };
    let percent = |x: Option<f64>| x.map_or_else(dash, |x| format!("{:.1} %", 100.0 * x));
    let plain = |x: Option<f64>| x.map_or_else(dash, |x| format!("{x:.2}"));
    let rate = figures.false_per_hour.zip(figures.false_interval);
    [
        format!("{:.3}", figures.hours),
        figures.false_decisions.to_string(),
        rate.map_or_else(dash, |(rate, [low, high])| format!("{rate:.1} ({low:.1}–{high:.1})")),
        figures.signs.to_string(),
        share(figures.misses),
        share(figures.wrong),
        share(figures.right),
        percent(figures.segment_top1),
        percent(figures.cut_top1),
        percent(figures.clip_top1),
        plain(figures.iou),
        plain(figures.f1_two),
        plain(figures.f1_five),
        plain(figures.f1_sixth),
        format!("{}/{}/{}", figures.splits, figures.duplicates, figures.merged),
        figures.latency_ms.map_or_else(dash, |l| l.map(|x| format!("{x:.0}")).join("/")),
        figures
            .lead_ms
            .zip(figures.lead_share)
            .map_or_else(dash, |(ms, share)| format!("{ms:.0} ms, {:.0} %", 100.0 * share)),
    ]
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
