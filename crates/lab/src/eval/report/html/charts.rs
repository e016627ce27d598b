//! Pictures as inline SVG.
//!
//! Each is drawn 360 units wide, the width of a phone, so that its text stays readable there. The
//! page's style sheet colours the classes. Names come from files, so all text is escaped.

use std::fmt::Write;

use super::escape;
use crate::eval::interval::ConfidenceInterval;
use crate::eval::metrics::ReliabilityBin;
use crate::eval::report::terminal::{PERCENT, count};

const WIDTH: f64 = 360.0;
/// Left edge and width of the area for values 0..1.
const LEFT: f64 = 34.0;
const SPAN: f64 = 312.0;

/// A named share as a bar, with the clips that it is taken from and, drawn as a line across its end,
/// its interval.
pub fn bar(name: &str, share: f64, interval: Option<ConfidenceInterval>, n: usize) -> String {
    const AT: f64 = 4.0;
    const LENGTH: f64 = 348.0;
    let (safe, counted) = (escape(name), format!("{} of {n}", PERCENT.value(share)));
    let mut body = format!(
        "<text x=\"{AT}\" y=\"12\">{safe}</text>\
         <text x=\"{}\" y=\"12\" text-anchor=\"end\" class=\"soft\">{counted}</text>",
        AT + LENGTH
    );
    rectangle(&mut body, "track", [AT, 17.0, LENGTH, 10.0]);
    rectangle(&mut body, "bar", [AT, 17.0, LENGTH * share, 10.0]);
    if let Some([low, high]) = interval {
        let (low, high) = (AT + LENGTH * low, AT + LENGTH * high);
        let path = format!("M{low:.1} 22H{high:.1}M{low:.1} 19v6M{high:.1} 19v6");
        add(&mut body, format_args!("<path class=\"whisker\" d=\"{path}\"/>"));
    }
    svg(&format!("{name}: {counted}"), 32.0, &body)
}

/// Accuracy over confidence: a dot for each bin that has answers, its area as their number.
pub fn reliability(bins: &[ReliabilityBin]) -> String {
    const TOP: f64 = 10.0;
    const HEIGHT: f64 = 240.0;
    let most = bins.iter().map(|bin| bin.n).fold(1.0, f64::max);
    let (x, y) = (|p: f64| LEFT + SPAN * p, |p: f64| TOP + HEIGHT * (1.0 - p));
    let mut body = axis(TOP + HEIGHT, "confidence");
    for tick in [0.0, 0.5, 1.0] {
        let label = format_args!(
            "<text x=\"28\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
            y(tick) + 4.0
        );
        add(&mut body, label);
    }
    add(&mut body, format_args!("<path class=\"grid\" d=\"M{LEFT} {TOP}V{}\"/>", TOP + HEIGHT));
    let diagonal = format!("M{} {}L{} {}", x(0.0), y(0.0), x(1.0), y(1.0));
    add(&mut body, format_args!("<path class=\"ideal\" d=\"{diagonal}\"/>"));
    for bin in bins.iter().filter(|bin| bin.n > 0.0) {
        let (cx, cy) = (x(bin.confidence), y(bin.accuracy));
        let r = 2.0 + 10.0 * (bin.n / most).sqrt();
        let gap = format!("M{cx:.1} {cy:.1}V{:.1}", y(bin.confidence));
        add(&mut body, format_args!("<path class=\"gap\" d=\"{gap}\"/>"));
        let title = format!(
            "{} right where {} is claimed, of {}",
            PERCENT.value(bin.accuracy),
            PERCENT.value(bin.confidence),
            count(bin.n as usize, "clip")
        );
        let place = format!("cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{r:.1}\"");
        add(
            &mut body,
            format_args!("<circle class=\"dot\" {place}><title>{title}</title></circle>"),
        );
    }
    svg("Reliability: share right over confidence", TOP + HEIGHT + 34.0, &body)
}

/// Scores of one kind of clip.
pub struct ScoreGroup<'a> {
    /// Class for the style sheet: `known`, `unknown` or `nosign`.
    pub class: &'a str,
    /// What kind.
    pub name: &'a str,
    /// Scores, 0..1.
    pub scores: Vec<f64>,
}

/// A histogram for each kind, one below the other over one axis. Each is as high as its fullest bin.
/// A dashed line stands at the threshold.
pub fn histograms(kinds: &[ScoreGroup<'_>], threshold: Option<f64>) -> String {
    const BINS: usize = 20;
    const ROW: f64 = 84.0;
    const HIGH: f64 = 60.0;
    let mut body = String::new();
    for (i, kind) in kinds.iter().enumerate() {
        let mut counts = [0usize; BINS];
        for score in &kind.scores {
            counts[((score * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let foot = i as f64 * ROW + 18.0 + HIGH;
        let name = format!("{}: {}", escape(kind.name), count(kind.scores.len(), "clip"));
        add(
            &mut body,
            format_args!("<text x=\"{LEFT}\" y=\"{:.1}\">{name}</text>", foot - HIGH - 5.0),
        );
        let width = SPAN / BINS as f64;
        for (k, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let high = HIGH * *count as f64 / most;
            let place = [LEFT + k as f64 * width + 0.5, foot - high, width - 1.0, high];
            rectangle(&mut body, kind.class, place);
        }
        add(&mut body, format_args!("<path class=\"grid\" d=\"M{LEFT} {foot}h{SPAN}\"/>"));
    }
    let foot = kinds.len() as f64 * ROW - 6.0;
    if let Some(threshold) = threshold {
        let x = LEFT + SPAN * threshold;
        add(&mut body, format_args!("<path class=\"ideal\" d=\"M{x:.1} 0V{foot}\"/>"));
    }
    body.push_str(&axis(foot, "probability of the best sign"));
    svg("Scores of known and other clips", foot + 34.0, &body)
}

/// A matrix of shares: `cells` are (row, column, share 0..1 of its row), and only those that are not 0.
/// Wide: made to be scrolled.
pub fn matrix(
    title: &str,
    rows: &[&str],
    columns: &[&str],
    cells: &[(usize, usize, f64)],
) -> String {
    const CELL: f64 = 12.0;
    const MARGIN: f64 = 96.0;
    /// Steps of shade.
    const SHADES: usize = 4;
    let (width, height) = (columns.len() as f64 * CELL, rows.len() as f64 * CELL);
    let mut body = String::new();
    for (i, name) in rows.iter().enumerate() {
        let (y, name) = (MARGIN + (i as f64 + 0.75) * CELL, escape(name));
        let x = MARGIN - 4.0;
        add(&mut body, format_args!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{name}</text>"));
    }
    for (i, name) in columns.iter().enumerate() {
        let (x, name) = (MARGIN + (i as f64 + 0.75) * CELL, escape(name));
        let y = MARGIN - 4.0;
        add(
            &mut body,
            format_args!("<text transform=\"translate({x} {y}) rotate(-90)\">{name}</text>"),
        );
    }
    let place = [MARGIN, MARGIN, width, height];
    rectangle(&mut body, "track", place);
    // A path for each shade and not an element for each cell: many labels have many cells.
    for right in [true, false] {
        for shade in 1..=SHADES {
            let among = cells.iter().filter(|(row, column, share)| {
                let of = (share * SHADES as f64).ceil().clamp(1.0, SHADES as f64);
                (rows[*row] == columns[*column]) == right && of as usize == shade
            });
            let path = among.fold(String::new(), |mut path, (row, column, _)| {
                let (x, y) = (MARGIN + *column as f64 * CELL, MARGIN + *row as f64 * CELL);
                add(&mut path, format_args!("M{x} {y}h{CELL}v{CELL}h-{CELL}z"));
                path
            });
            if !path.is_empty() {
                let (class, opacity) =
                    (if right { "right" } else { "wrong" }, shade as f64 / SHADES as f64);
                let path =
                    format_args!("<path class=\"{class}\" opacity=\"{opacity}\" d=\"{path}\"/>");
                add(&mut body, path);
            }
        }
    }
    let (width, height) = (width + MARGIN + 8.0, height + MARGIN + 8.0);
    let size = format!("width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
    format!(
        "<svg class=\"matrix\" role=\"img\" {size}><title>{}</title>{body}</svg>",
        escape(title)
    )
}

/// The axis of values 0..1, at this height.
fn axis(y: f64, name: &str) -> String {
    let mut body = format!("<path class=\"grid\" d=\"M{LEFT} {y}h{SPAN}\"/>");
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (x, below) = (LEFT + SPAN * tick, y + 14.0);
        let label =
            format_args!("<text x=\"{x}\" y=\"{below}\" text-anchor=\"middle\">{tick}</text>");
        add(&mut body, label);
    }
    let (x, below) = (LEFT + SPAN / 2.0, y + 29.0);
    let place = format!("x=\"{x}\" y=\"{below}\" text-anchor=\"middle\" class=\"soft\"");
    add(&mut body, format_args!("<text {place}>{name}</text>"));
    body
}

fn rectangle(out: &mut String, class: &str, [x, y, width, height]: [f64; 4]) {
    let place = format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
    add(out, format_args!("<rect class=\"{class}\" {place}/>"));
}

fn svg(title: &str, height: f64, body: &str) -> String {
    let title = escape(title);
    format!("<svg role=\"img\" viewBox=\"0 0 {WIDTH} {height}\"><title>{title}</title>{body}</svg>")
}

fn add(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn a_bar_is_as_long_as_its_value_and_its_name_is_escaped() {
        let picture = bar("<b>Ann", 0.5, Some([0.25, 0.75]), 8);
        assert!(
            picture.contains("class=\"bar\" x=\"4.0\" y=\"17.0\" width=\"174.0\""),
            "{picture}"
        );
        assert!(picture.contains("M91.0 22H265.0"), "{picture}");
        assert!(
            picture.contains(">&lt;b&gt;Ann</text>") && picture.contains("50.0 % of 8"),
            "{picture}"
        );
        assert!(!picture.contains("<b>"), "{picture}");
    }

    #[test]
    fn only_bins_with_answers_are_dots() {
        let mut bins = [ReliabilityBin::default(); 15];
        bins[14] = ReliabilityBin { n: 4.0, confidence: 1.0, accuracy: 0.5 };
        let picture = reliability(&bins);
        assert_eq!(count(&picture, "<circle"), 1);
        assert!(picture.contains("cx=\"346.0\" cy=\"130.0\" r=\"12.0\""), "{picture}");
    }

    #[test]
    fn a_histogram_takes_in_both_ends() {
        let kind = ScoreGroup { class: "known", name: "known", scores: vec![0.0, 0.99, 1.0] };
        let picture = histograms(&[kind], Some(0.5));
        assert_eq!(count(&picture, "class=\"known\""), 2);
        assert!(picture.contains("M190.0 0V78"), "{picture}");
        assert!(picture.contains("height=\"30.0\"") && picture.contains("height=\"60.0\""));
    }

    #[test]
    fn cells_are_right_on_rows_of_their_own_name_and_wrong_elsewhere() {
        let cells = [(0, 1, 1.0), (1, 0, 0.2)];
        let picture = matrix("Confusion", &["a", "b"], &["(no sign)", "a"], &cells);
        assert!(
            picture.contains("<path class=\"right\" opacity=\"1\" d=\"M108 96h12"),
            "{picture}"
        );
        assert!(
            picture.contains("<path class=\"wrong\" opacity=\"0.25\" d=\"M96 108h12"),
            "{picture}"
        );
    }
}
