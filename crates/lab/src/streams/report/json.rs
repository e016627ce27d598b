//! The benchmark as JSON; `docs/benchmark.md` describes its keys.

use serde::Serialize;

use crate::eval::Subject;
use crate::eval::clip_list::Failure;
use crate::streams::bench::Benchmark;
use crate::streams::camera::delivery::Delivery;
use crate::streams::compose::real::Check;
use crate::streams::judge::trace::Decision;
use crate::streams::score::figures::Figures;
use crate::streams::score::order::Order;
use crate::streams::score::stream_score::StreamScore;
use crate::streams::score::trade::Trade;
use crate::streams::truth::Sign;
use signd_core::event::Ended;

#[derive(Serialize)]
struct Report<'a> {
    hours: f64,
    false_decisions: usize,
    misses: usize,
    signs: usize,
    seed: u64,
    models: &'a [Subject],
    peer: Option<&'a Subject>,
    left_out: usize,
    failures: &'a [Failure],
    truth_checks: &'a [Check],
    groups: Vec<Group<'a>>,
    streams: Vec<Stream<'a>>,
    played: Vec<Run<'a>>,
}

/// Streams of one set, delivered in one way to the daemon or the peer.
#[derive(Serialize)]
struct Group<'a> {
    set: &'a str,
    who: &'static str,
    #[serde(flatten)]
    delivery: Delivery,
    #[serde(flatten)]
    figures: Figures,
    order: Option<Order>,
    trade: Vec<Trade>,
}

#[derive(Serialize)]
struct Stream<'a> {
    name: &'a str,
    set: &'a str,
    model: usize,
    seconds: f64,
    gapless: bool,
    signs: Vec<Truth<'a>>,
}

#[derive(Serialize)]
struct Truth<'a> {
    gloss: &'a str,
    known: bool,
    signer: &'a str,
    path: &'a str,
    span: (f64, f64),
    clip: (f64, f64),
}

impl<'a> From<&'a Sign> for Truth<'a> {
    fn from(sign: &'a Sign) -> Self {
        let Sign { label, gloss, signer, path, span, clip } = sign;
        Truth { gloss, known: label.is_some(), signer, path, span: *span, clip: *clip }
    }
}

#[derive(Serialize)]
struct Run<'a> {
    /// Index into `streams`.
    stream: usize,
    who: &'static str,
    #[serde(flatten)]
    delivery: Delivery,
    #[serde(flatten)]
    score: &'a StreamScore,
    order: Option<Order>,
    decisions: Vec<Decided<'a>>,
}

#[derive(Serialize)]
struct Decided<'a> {
    span: (f64, f64),
    at: f64,
    label: Option<&'a str>,
    best: Option<(&'a str, f32)>,
    ended: Option<Ended>,
}

/// The report as JSON, with a line end.
pub fn write(benchmark: &Benchmark) -> serde_json::Result<Vec<u8>> {
    let who = |peer: bool| if peer { "peer" } else { "signd" };
    let mut groups = Vec::new();
    for set in benchmark.sets() {
        for peer in [false, true] {
            for delivery in benchmark.deliveries() {
                let played = benchmark.select(Some(set), peer, Some(delivery));
                if played.is_empty() {
                    continue;
                }
                groups.push(Group {
                    set,
                    who: who(peer),
                    delivery,
                    figures: Benchmark::figures(&played),
                    order: Benchmark::order(&played),
                    trade: Benchmark::trade(&played),
                });
            }
        }
    }
    let all = Benchmark::figures(&benchmark.select(None, false, None));
    let streams = benchmark.streams.iter().map(|stream| Stream {
        name: &stream.name,
        set: &stream.set,
        model: stream.fold,
        seconds: stream.seconds,
        gapless: stream.gapless,
        signs: stream.signs.iter().map(Truth::from).collect(),
    });
    let name = |label: u16| benchmark.vocabulary.name(label).unwrap_or_default();
    let decided = |d: &Decision| Decided {
        span: d.span,
        at: d.at,
        label: d.label.map(name),
        best: d.best.map(|(label, p)| (name(label), p)),
        ended: d.ended,
    };
    let played = benchmark.played.iter().map(|run| Run {
        stream: run.stream,
        who: who(run.peer),
        delivery: run.delivery,
        score: &run.score,
        order: run.order,
        decisions: run.decisions.iter().map(decided).collect(),
    });
    let report = Report {
        hours: all.hours,
        false_decisions: all.false_decisions,
        misses: all.misses,
        signs: all.signs,
        seed: benchmark.seed,
        models: &benchmark.models,
        peer: benchmark.peer.as_ref(),
        left_out: benchmark.left_out,
        failures: &benchmark.failures,
        truth_checks: &benchmark.checks,
        groups,
        streams: streams.collect(),
        played: played.collect(),
    };
    let mut out = serde_json::to_vec(&report)?;
    out.push(b'\n');
    Ok(out)
}
