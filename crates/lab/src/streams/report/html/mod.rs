//! The benchmark as one HTML page: the table, the trade, and a picture of each stream, worst first.
//!
//! Like the page on clips it needs nothing else. It runs no script at all.

mod picture;
mod trade;

use super::terminal::{COLUMNS, cells};
use crate::eval::report::html::escape;
use crate::eval::report::terminal::count;
use crate::streams::benchmark::{BenchmarkRun, StreamBenchmark, USUAL_FPS};
use crate::streams::camera::delivery::StreamDelivery;
use crate::streams::score::stream_score::SignOutcome;

const STYLE: &str =
    concat!(include_str!("../../../eval/report/html/page.css"), include_str!("page.css"));
/// Pictures that are open at once.
const OPEN: usize = 12;

/// The page.
pub fn write(benchmark: &StreamBenchmark) -> String {
    let sections = [
        ("Figures", figures(benchmark)),
        ("The trade", trade::section(benchmark)),
        ("Streams, worst first", pictures(benchmark)),
    ];
    let sections = sections.iter().filter(|(_, body)| !body.is_empty());
    let sections: String =
        sections.map(|(name, body)| format!("<section><h2>{name}</h2>{body}</section>")).collect();
    let models = benchmark.models.iter().map(|model| escape(&model.name));
    let models = models.collect::<Vec<_>>().join(", ");
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Streams</title><style>{STYLE}</style></head><body><main class=\"wide\">\
         <h1>Signs in streams</h1><p>{models}. Seed {}.</p>{sections}</main></body></html>\n",
        benchmark.seed,
    )
}

fn figures(benchmark: &StreamBenchmark) -> String {
    let mut out = String::new();
    for set in benchmark.sets() {
        let streams: Vec<_> = benchmark.streams.iter().filter(|s| s.set == set).collect();
        let timed = streams.iter().filter(|s| s.gapless).map(|s| s.seconds);
        let minutes = timed.sum::<f64>() / 60.0;
        let head: String = COLUMNS.iter().map(|(name, _)| format!("<th>{name}</th>")).collect();
        let mut lines = String::new();
        for peer in [false, true] {
            for delivery in benchmark.deliveries() {
                let runs = benchmark.select(Some(set), peer, Some(delivery));
                if !runs.is_empty() {
                    lines.push_str(&line(peer, delivery, &runs));
                }
            }
        }
        out.push_str(&format!(
            "<h3>{}: {}, {minutes:.1} distinct minutes</h3><div class=\"scroll\"><table>\
             <tr>{head}</tr>{lines}</table></div>",
            escape(set),
            count(streams.len(), "stream"),
        ));
    }
    out
}

fn line(peer: bool, delivery: StreamDelivery, runs: &[&BenchmarkRun]) -> String {
    let how = if delivery.disturbed { "disturbed" } else { "clean" };
    let who = if peer { "peer" } else { "signd" };
    let head = [who.to_owned(), delivery.fps.to_string(), how.to_owned()];
    let cells = cells(&StreamBenchmark::figures(runs));
    let all: String = head.iter().chain(&cells).map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{all}</tr>")
}

fn pictures(benchmark: &StreamBenchmark) -> String {
    let usual = StreamDelivery { fps: USUAL_FPS, disturbed: true };
    let mut all = benchmark.select(None, false, Some(usual));
    let wrong = |run: &&BenchmarkRun| {
        let alarms = run.score.alarms.iter().filter(|alarm| alarm.decided).count();
        let signs = run.score.signs.iter();
        let bad =
            |o: &Option<SignOutcome>| matches!(o, Some(SignOutcome::Miss | SignOutcome::Wrong));
        alarms + signs.filter(|sign| bad(&sign.outcome)).count()
    };
    all.sort_by_key(|run| std::cmp::Reverse(wrong(run)));
    let picture = |(i, run): (usize, &&BenchmarkRun)| {
        let stream = &benchmark.streams[run.stream];
        let peer = benchmark.select(None, true, Some(usual));
        let peer = peer.into_iter().find(|p| p.stream == run.stream);
        format!(
            "<details{}><summary>{} <span class=\"soft\">{:.0} s, {}, {} wrong, missed or false\
             </span></summary><div class=\"scroll\">{}</div></details>",
            if i < OPEN { " open" } else { "" },
            escape(&stream.name),
            stream.seconds,
            count(stream.signs.len(), "sign"),
            wrong(run),
            picture::svg(benchmark, run, peer),
        )
    };
    let pictures: String = all.iter().enumerate().map(picture).collect();
    if pictures.is_empty() {
        return String::new();
    }
    format!(
        "<p>At {USUAL_FPS} frames a second, disturbed. From above: the true signs; what was decided, \
         from the segment's start to its end and, thin, to the moment of the decision; the peer; the \
         best hypothesis and its probability; the segmenter's state; where the gate sees the dominant \
         hand; its motion, 0 to 6 shoulder widths a second. \
         <span class=\"key good\">right</span> <span class=\"key bad\">wrong, or false</span> \
         <span class=\"key none\">missed, or no known sign</span> \
         <span class=\"key onset\">onset</span> <span class=\"key signing\">signing</span> \
         <span class=\"key offset\">offset</span></p>{pictures}"
    )
}
