//! False decisions an hour against missed signs, over the threshold.

use std::fmt::Write;

use crate::eval::report::html::escape;
use crate::streams::benchmark::{BenchmarkRun, StreamBenchmark, USUAL_FPS};
use crate::streams::camera::delivery::StreamDelivery;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// False decisions an hour at the right edge. The scale is that of ln(1 + x).
const MOST: f64 = 1500.0;
const TICKS: [f64; 8] = [0.0, 0.5, 2.0, 10.0, 50.0, 200.0, 500.0, 1500.0];
const COLOURS: [&str; 6] = ["#2a6fbb", "#c2410c", "#4a9a62", "#7c5cbf", "#d9b23c", "#888"];

/// One colour for each set without known signs, and one for streams with signs: false decisions there against the
/// misses of all streams with signs. Dots mark what the models decide as they are.
pub fn section(benchmark: &StreamBenchmark) -> String {
    let usual = StreamDelivery { fps: USUAL_FPS, disturbed: true };
    let mut lines = String::new();
    let mut key = String::new();
    let with_signs = |set: &&str| {
        let runs = benchmark.select(Some(set), false, Some(usual));
        StreamBenchmark::figures(&runs).signs > 0
    };
    let sets = benchmark.sets();
    let (signing, silent): (Vec<&str>, Vec<&str>) = sets.iter().partition(|set| with_signs(set));
    let gather = |sets: &[&str], peer: bool| -> Vec<&BenchmarkRun> {
        sets.iter().flat_map(|set| benchmark.select(Some(set), peer, Some(usual))).collect()
    };
    let composed: Vec<&str> = signing;
    let mut curves: Vec<(String, Vec<&str>)> =
        silent.iter().map(|set| ((*set).to_owned(), vec![*set])).collect();
    curves.push(("streams with signs".into(), composed.clone()));
    for ((name, false_sets), colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        for peer in [false, true] {
            let (of_false, of_misses) = (gather(false_sets, peer), gather(&composed, peer));
            let (alarms, signs) =
                (StreamBenchmark::figures(&of_false), StreamBenchmark::figures(&of_misses));
            if alarms.hours == 0.0 || signs.signs == 0 {
                continue;
            }
            let at = |false_decisions: usize, misses: usize| {
                place(false_decisions as f64 / alarms.hours, misses as f64 / signs.signs as f64)
            };
            let (a, b) = (StreamBenchmark::trade(&of_false), StreamBenchmark::trade(&of_misses));
            let mut path = String::new();
            for (a, b) in a.iter().zip(&b) {
                let (x, y) = at(a.false_decisions, b.misses);
                let step = if path.is_empty() { 'M' } else { 'L' };
                let _ = write!(path, "{step}{x:.1} {y:.1}");
            }
            let dash = if peer { " stroke-dasharray=\"5 4\"" } else { "" };
            let _ = write!(lines, "<path class=\"curve\" stroke=\"{colour}\"{dash} d=\"{path}\"/>");
            let (x, y) = at(alarms.false_decisions, signs.misses);
            let _ =
                write!(lines, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{colour}\"/>");
            let who = if peer { "peer, dashed" } else { "signd" };
            let _ = write!(
                key,
                "<li><b style=\"color:{colour}\">●</b> false in {} ({:.1} minutes): {who}</li>",
                escape(name),
                alarms.hours * 60.0
            );
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut axes = String::new();
    for tick in TICKS {
        let (x, y) = place(tick, 0.0);
        let _ = write!(
            axes,
            "<path class=\"grid\" d=\"M{x:.1} {y:.1}V{TOP}\"/><text x=\"{x:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{tick}</text>",
            y + 15.0
        );
    }
    for tick in [0, 20, 40, 60, 80, 100] {
        let (x, y) = place(0.0, f64::from(tick) / 100.0);
        let _ = write!(
            axes,
            "<path class=\"grid\" d=\"M{x:.1} {y:.1}H{WIDTH}\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{tick} %</text>",
            x - 5.0,
            y + 4.0
        );
    }
    let (x, y) = place(0.5, 0.05);
    let (left, bottom) = place(0.0, 0.0);
    let goal = format!(
        "<rect class=\"band\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        x - left,
        bottom - y
    );
    format!(
        "<p>Known signs without any decision, of all streams with signs, over false decisions an hour; \
         {USUAL_FPS} frames a second, disturbed. Along a curve the threshold changes; the dot is what the \
         model decides as it ships. The tinted corner is the goal.</p>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">{axes}{goal}{lines}\
         <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">false decisions an hour</text></svg>\
         <ul class=\"soft\">{key}</ul>",
        (LEFT + WIDTH) / 2.0,
        HEIGHT - 6.0
    )
}

fn place(false_per_hour: f64, missed: f64) -> (f64, f64) {
    let share = (1.0 + false_per_hour.min(MOST)).ln() / (1.0 + MOST).ln();
    (LEFT + (WIDTH - LEFT - 15.0) * share, TOP + (HEIGHT - BOTTOM - TOP) * (1.0 - missed))
}
