//! The evaluation as one HTML page that needs nothing else: no network, no build step.
//!
//! Labels, paths and signers come from files of unknown origin. They are escaped wherever they become
//! text. They stand in no script, and the page's own policy runs no script but its own.

mod charts;
mod confusion;
mod worst;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::terminal::{FigureUnit, PERCENT, PLAIN, count};
use crate::eval::ClipEvaluation;
use crate::eval::clip_list::ListEntry;
use crate::eval::figures::{IntervalEstimate, SignerFigures};
use crate::eval::vocabulary::GroundTruth;
use charts::ScoreGroup;
use signd_core::frame::Frame;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Signers with a bar, those with most clips.
const SIGNERS: usize = 200;
/// Those of them that are seen at once.
const SEEN: usize = 24;
/// Characters of a text that are shown.
const LONGEST: usize = 200;
/// Clips listed as failed.
const FAILURES: usize = 100;

/// The page. `frames` reads a clip again, to draw it.
pub fn write(
    evaluation: &ClipEvaluation,
    frames: impl FnMut(&ListEntry) -> Option<Vec<Frame>>,
) -> serde_json::Result<String> {
    let figures = &evaluation.figures;
    let (worst, drawings) = worst::section(evaluation, frames)?;
    let sections = [
        ("Figures", headline(evaluation)),
        ("Signers", signers(evaluation)),
        ("Confusion", confusion::section(evaluation)),
        ("Confidently wrong", worst),
        ("Reliability", reliability(evaluation)),
        ("Known or not", open_set(evaluation)),
        ("Not evaluated", failures(evaluation)),
    ];
    let sections: String = sections
        .iter()
        .filter(|(_, body)| !body.is_empty())
        .map(|(name, body)| format!("<section><h2>{name}</h2>{body}</section>"))
        .collect();
    let name = escape(&evaluation.model.name);
    let segments = match evaluation.segmented {
        true => format!(
            "Signs found by the daemon's gate and segmenter; nothing found in {}, more than one sign \
             in {}.",
            count(figures.undecided, "clip"),
            count(figures.several, "clip")
        ),
        false => "Each clip is one sign as its maker cut it.".into(),
    };
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; \
         form-action 'none'"
    );
    Ok(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Evaluation of {name}</title><style>{STYLE}</style></head><body><main>\
         <h1>{name}</h1><p>Known signs: {} of {}, {} of a vocabulary of {}. {segments}\
         </p><p class=\"soft digest\">model {}</p>{sections}</main>\
         <script type=\"application/json\" id=\"drawings\">{drawings}</script>\
         <script>{SCRIPT}</script></body></html>\n",
        count(figures.n, "clip"),
        count(figures.signers, "signer"),
        count(figures.labels, "label"),
        evaluation.vocabulary.len(),
        evaluation.model.sha256,
    ))
}

fn headline(evaluation: &ClipEvaluation) -> String {
    let figures = &evaluation.figures;
    let mut cards = String::new();
    let mut card = |name: &str, figure: &IntervalEstimate, unit: FigureUnit, of: String| {
        let value = figure.value.map_or("–".into(), |value| unit.value(value));
        let intervals = [("signers", figure.signers), ("clips", figure.wilson)];
        let intervals = intervals.iter().filter(|(_, interval)| interval.is_some());
        let intervals: String = intervals
            .map(|(what, interval)| {
                format!("<div>{} <span>by {what}</span></div>", unit.range(*interval))
            })
            .collect();
        cards.push_str(&format!(
            "<div class=\"card\"><h3>{name}</h3><strong>{value}</strong>{intervals}\
             <div class=\"soft\">{of}</div></div>"
        ));
    };
    let known = format!("{}, {}", count(figures.n, "clip"), count(figures.signers, "signer"));
    card("Top-1", &figures.top1, PERCENT, known.clone());
    card("Top-5", &figures.top5, PERCENT, known.clone());
    card("Calibration error", &figures.ece, PERCENT, known);
    let others = [("unknown signs", &figures.unknown), ("no sign", &figures.no_sign)];
    for (what, set) in others.iter().filter_map(|(what, set)| Some((what, set.as_ref()?))) {
        let of = format!("{}, {}", count(set.n, "clip"), count(set.signers, "signer"));
        card(&format!("AUROC, {what}"), &set.auroc, PLAIN, of.clone());
        card(&format!("Accepted, {what}"), &set.fpr95, PERCENT, of);
    }
    format!(
        "<div class=\"cards\">{cards}</div><p class=\"soft\">Intervals are at 95&nbsp;%: a bootstrap over \
         signers, the one to quote, and Wilson's over clips as if they were independent. Accepted: at \
         the threshold that accepts 95&nbsp;% of known signs.</p>"
    )
}

fn signers(evaluation: &ClipEvaluation) -> String {
    let mut signers: Vec<_> = evaluation.figures.per_signer.iter().collect();
    signers.sort_by_key(|s| std::cmp::Reverse(s.n));
    let left_out = signers.len().saturating_sub(SIGNERS);
    signers.truncate(SIGNERS);
    if signers.is_empty() {
        return String::new();
    }
    let (first, rest) = signers.split_at(SEEN.min(signers.len()));
    let bars = |signers: &[&SignerFigures]| {
        let bars = signers.iter().map(|s| charts::bar(&s.signer, s.top1, s.wilson, s.n));
        format!("<div class=\"bars\">{}</div>", bars.collect::<String>())
    };
    let rest = match rest.len() {
        0 => String::new(),
        n => format!("<details><summary>{n} more</summary>{}</details>", bars(rest)),
    };
    let note = match left_out {
        0 => String::new(),
        n => format!("<p>{n} signers with fewer clips are left out.</p>"),
    };
    format!(
        "<p>Top-1 of each signer, those with most clips first; the line is Wilson's 95&nbsp;% interval.</p>\
         {}{rest}{note}",
        bars(first)
    )
}

fn reliability(evaluation: &ClipEvaluation) -> String {
    if evaluation.figures.ece.value.is_none() {
        return String::new();
    }
    format!(
        "<p>Share of answers that are right, over the probability that the model gives them. On the \
         dashed line it means what it says; below it claims too much. Larger dots are more clips.</p>{}",
        charts::reliability(&evaluation.figures.reliability)
    )
}

fn open_set(evaluation: &ClipEvaluation) -> String {
    let kinds = [
        ("known", "known signs", true, GroundTruth::Unknown),
        ("unknown", "unknown signs", false, GroundTruth::Unknown),
        ("nosign", "no sign", false, GroundTruth::NoSign),
    ];
    let kinds = kinds.map(|(class, name, known, truth)| {
        let of_kind = evaluation.clips.iter().filter(|clip| match clip.truth {
            GroundTruth::Known(_) => known,
            other => !known && other == truth,
        });
        let scores =
            of_kind.map(|clip| clip.score(&evaluation.vocabulary).unwrap_or(0.0)).collect();
        ScoreGroup { class, name, scores }
    });
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| !kind.scores.is_empty()).collect();
    if kinds.is_empty() {
        return String::new();
    }
    let sets = [&evaluation.figures.unknown, &evaluation.figures.no_sign];
    // The same in both: it follows from the known signs.
    let threshold = sets.into_iter().flatten().find_map(|set| set.threshold);
    format!(
        "<p>How probable the best sign is in clips that show a known sign, and in others. The dashed \
         line is the threshold that accepts 95&nbsp;% of the known.</p>{}",
        charts::histograms(&kinds, threshold)
    )
}

fn failures(evaluation: &ClipEvaluation) -> String {
    let all = &evaluation.failures;
    if all.is_empty() {
        return String::new();
    }
    let rows = all.iter().take(FAILURES).map(|failure| {
        format!("<tr><td>{}</td><td>{}</td></tr>", escape(&failure.path), escape(&failure.reason))
    });
    let rows: String = rows.collect();
    let note = match all.len().saturating_sub(FAILURES) {
        0 => String::new(),
        n => format!("<p>And {n} more.</p>"),
    };
    format!(
        "<p>{} clips.</p><table><tr><th>clip</th><th>why</th></tr>{rows}</table>{note}",
        all.len()
    )
}

/// Text as HTML, for elements and quoted attributes. Control characters, and those that turn the
/// direction of text, become replacement characters. No name needs more than [`LONGEST`] characters.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == LONGEST {
            out.push('…');
            break;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_text_or_attribute() {
        let hostile = "</title><script>alert('1')</script>\" onload=\"x\u{202e}\u{0}&";
        let expected = "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; \
                        onload=&quot;x\u{fffd}\u{fffd}&amp;";
        assert_eq!(escape(hostile), expected);
        assert_eq!(escape(&"<".repeat(1000)).len(), 200 * 4 + 3);
    }
}
