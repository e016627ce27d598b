//! The benchmark as JSON. `docs/benchmark.md` describes its keys.

use serde::Serialize;

use crate::eval::clip_list::ListFailure;
use crate::streams::benchmark::StreamBenchmark;
use crate::streams::camera::delivery::StreamDelivery;
use crate::streams::compose::real::TruthCheck;
use crate::streams::judge::trace::StreamDecision;
use crate::streams::score::figures::StreamFigures;
use crate::streams::score::order::GlossOrder;
use crate::streams::score::stream_score::StreamScore;
use crate::streams::score::trade::TradePoint;
use crate::streams::truth::TrueSign;
use signd_core::event::EndReason;
use signd_engine::model::ModelIdentity;

#[derive(Serialize)]
struct StreamReport<'a> {
    hours: f64,
    false_decisions: usize,
    misses: usize,
    signs: usize,
    seed: u64,
    models: &'a [ModelIdentity],
    peer: Option<&'a ModelIdentity>,
    left_out: usize,
    failures: &'a [ListFailure],
    truth_checks: &'a [TruthCheck],
    groups: Vec<DeliveryGroup<'a>>,
    streams: Vec<StreamLine<'a>>,
    played: Vec<RunLine<'a>>,
}

/// Streams of one set, delivered in one way to the daemon or the peer.
#[derive(Serialize)]
struct DeliveryGroup<'a> {
    set: &'a str,
    who: &'static str,
    #[serde(flatten)]
    delivery: StreamDelivery,
    #[serde(flatten)]
    figures: StreamFigures,
    order: Option<GlossOrder>,
    trade: Vec<TradePoint>,
}

#[derive(Serialize)]
struct StreamLine<'a> {
    name: &'a str,
    set: &'a str,
    model: usize,
    seconds: f64,
    gapless: bool,
    signs: Vec<SignLine<'a>>,
}

#[derive(Serialize)]
struct SignLine<'a> {
    gloss: &'a str,
    known: bool,
    signer: &'a str,
    path: &'a str,
    span: (f64, f64),
    clip: (f64, f64),
}

impl<'a> From<&'a TrueSign> for SignLine<'a> {
    fn from(sign: &'a TrueSign) -> Self {
        let TrueSign { label, gloss, signer, path, span, clip } = sign;
        SignLine { gloss, known: label.is_some(), signer, path, span: *span, clip: *clip }
    }
}

#[derive(Serialize)]
struct RunLine<'a> {
    /// Index into `streams`.
    stream: usize,
    who: &'static str,
    #[serde(flatten)]
    delivery: StreamDelivery,
    #[serde(flatten)]
    score: &'a StreamScore,
    order: Option<GlossOrder>,
    decisions: Vec<DecisionLine<'a>>,
}

#[derive(Serialize)]
struct DecisionLine<'a> {
    span: (f64, f64),
    at: f64,
    label: Option<&'a str>,
    best: Option<(&'a str, f32)>,
    ended: Option<EndReason>,
}

/// The report as JSON, with a line end.
pub fn write(benchmark: &StreamBenchmark) -> serde_json::Result<Vec<u8>> {
    let who = |peer: bool| if peer { "peer" } else { "signd" };
    let mut groups = Vec::new();
    for set in benchmark.sets() {
        for peer in [false, true] {
            for delivery in benchmark.deliveries() {
                let runs = benchmark.select(Some(set), peer, Some(delivery));
                if runs.is_empty() {
                    continue;
                }
                groups.push(DeliveryGroup {
                    set,
                    who: who(peer),
                    delivery,
                    figures: StreamBenchmark::figures(&runs),
                    order: StreamBenchmark::order(&runs),
                    trade: StreamBenchmark::trade(&runs),
                });
            }
        }
    }
    let all = StreamBenchmark::figures(&benchmark.select(None, false, None));
    let streams = benchmark.streams.iter().map(|stream| StreamLine {
        name: &stream.name,
        set: &stream.set,
        model: stream.fold,
        seconds: stream.seconds,
        gapless: stream.gapless,
        signs: stream.signs.iter().map(SignLine::from).collect(),
    });
    let name = |label: u16| benchmark.vocabulary.name(label).unwrap_or_default();
    let decided = |d: &StreamDecision| DecisionLine {
        span: d.span,
        at: d.at,
        label: d.label.map(name),
        best: d.best.map(|(label, p)| (name(label), p)),
        ended: d.ended,
    };
    let played = benchmark.runs.iter().map(|run| RunLine {
        stream: run.stream,
        who: who(run.peer),
        delivery: run.delivery,
        score: &run.score,
        order: run.order,
        decisions: run.decisions.iter().map(decided).collect(),
    });
    let report = StreamReport {
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
