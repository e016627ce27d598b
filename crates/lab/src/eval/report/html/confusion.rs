//! Which signs are taken for which.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{charts, escape};
use crate::eval::vocabulary::{GroundTruth, SignVocabulary};
use crate::eval::{ClipEvaluation, EvaluatedClip};

/// Pairs in the table.
const PAIRS: usize = 20;
/// Labels in the matrix, those with most clips: more would make a page of megabytes.
const LABELS: usize = 250;

/// The best output of an answer in words.
pub fn answer_name<'a>(clip: &EvaluatedClip, vocabulary: &'a SignVocabulary) -> &'a str {
    match clip.answer.top.first() {
        None => "(nothing)",
        Some((best, _)) => vocabulary.name(*best).unwrap_or("(no sign)"),
    }
}

/// How often each label was answered by each: known clips, by label, then answer.
fn counts(evaluation: &ClipEvaluation) -> BTreeMap<&str, BTreeMap<&str, usize>> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for clip in evaluation.clips.iter().filter(|clip| matches!(clip.truth, GroundTruth::Known(_))) {
        let answers = counts.entry(&clip.entry.label).or_default();
        *answers.entry(answer_name(clip, &evaluation.vocabulary)).or_default() += 1;
    }
    counts
}

/// The most confused pairs as a table, and the matrix of the labels that occur.
pub fn section(evaluation: &ClipEvaluation) -> String {
    let counts = counts(evaluation);
    let mut pairs: Vec<(usize, usize, &str, &str)> = Vec::new();
    for (label, answers) in &counts {
        let all = answers.values().sum();
        let wrong = answers.iter().filter(|(answer, _)| *answer != label);
        pairs.extend(wrong.map(|(answer, n)| (*n, all, *label, *answer)));
    }
    if pairs.is_empty() {
        return "<p>No known sign was taken for anything else.</p>".into();
    }
    // Sorted stably: pairs of one count stay in alphabetical order.
    pairs.sort_by_key(|pair| Reverse(pair.0));
    let rows = pairs.iter().take(PAIRS).map(|(n, all, label, answer)| {
        let (label, answer) = (escape(label), escape(answer));
        format!("<tr><td>{label}</td><td>{answer}</td><td>{n} of {all}</td></tr>")
    });
    let rows: String = rows.collect();
    let head = "<tr><th>sign</th><th>taken for</th><th>clips</th></tr>";
    format!("<table>{head}{rows}</table>{}", picture(&counts))
}

fn picture(counts: &BTreeMap<&str, BTreeMap<&str, usize>>) -> String {
    let mut rows: Vec<(&str, usize)> =
        counts.iter().map(|(label, answers)| (*label, answers.values().sum())).collect();
    rows.sort_by_key(|(_, n)| Reverse(*n));
    rows.truncate(LABELS);
    rows.sort_unstable();
    let rows: Vec<&str> = rows.into_iter().map(|(label, _)| label).collect();
    let mut columns: Vec<&str> = rows.clone();
    columns.extend(rows.iter().flat_map(|row| counts[row].keys().copied()));
    columns.sort_unstable();
    columns.dedup();
    let mut cells = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let all: usize = counts[row].values().sum();
        for (answer, n) in &counts[row] {
            if let Ok(column) = columns.binary_search(answer) {
                cells.push((i, column, *n as f64 / all as f64));
            }
        }
    }
    let left_out = counts.len() - rows.len();
    let note = match left_out {
        0 => String::new(),
        n => format!(" The {n} labels with fewest clips are left out."),
    };
    let matrix = charts::matrix("Confusion matrix", &rows, &columns, &cells);
    format!(
        "<p>Rows are signs shown, columns are answers: blue right, orange wrong, stronger for a larger share \
         of the row.{note}</p>\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"confusion matrix\">{matrix}</div>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::tests::{clip, evaluation};

    #[test]
    fn the_commonest_mistake_comes_first_and_what_is_not_known_is_left_out() {
        let section = section(&evaluation(&[
            clip("a", "s", &[(0, 0.9)]),
            clip("b", "s", &[(0, 0.9)]),
            clip("a", "s", &[(2, 0.9)]),
            clip("a", "s", &[(2, 0.9)]),
            clip("a", "s", &[]),
            clip("dog", "s", &[(0, 0.9)]),
        ]));
        let rows: Vec<&str> =
            section.split("<tr>").skip(2).map(|row| &row[..row.len().min(60)]).collect();
        assert_eq!(rows.len(), 3, "{section}");
        assert!(rows[0].starts_with("<td>a</td><td>(no sign)</td><td>2 of 4</td>"), "{rows:?}");
        assert!(rows[1].starts_with("<td>a</td><td>(nothing)</td><td>1 of 4</td>"), "{rows:?}");
        assert!(rows[2].starts_with("<td>b</td><td>a</td><td>1 of 1</td>"), "{rows:?}");
        assert!(section.contains("<svg") && !section.contains("dog"));
    }

    #[test]
    fn without_a_mistake_there_is_no_table() {
        assert!(!section(&evaluation(&[clip("a", "s", &[(0, 0.9)])])).contains("<table"));
    }
}
