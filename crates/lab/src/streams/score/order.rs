//! The order of a sentence's glosses, as an edit distance.

use serde::Serialize;

use crate::streams::judge::trace::StreamDecision;
use crate::streams::truth::AnnotatedStream;

/// Order of the glosses of a sentence: edits and length, of all glosses and of known ones alone.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct GlossOrder {
    /// Changes that make the decided labels of all glosses.
    pub edits: usize,
    /// All glosses.
    pub glosses: usize,
    /// The same of the glosses that the model knows.
    pub known_edits: usize,
    /// Those.
    pub known: usize,
}

/// Compares the decided labels with the glosses. None for what is no sentence.
pub fn gloss_order(stream: &AnnotatedStream, decisions: &[StreamDecision]) -> Option<GlossOrder> {
    stream.sentence.then(|| {
        let decided: Vec<Option<u16>> =
            decisions.iter().filter(|d| d.label.is_some()).map(|d| d.label).collect();
        let all: Vec<Option<u16>> = stream.signs.iter().map(|sign| sign.label).collect();
        let known: Vec<Option<u16>> = all.iter().copied().filter(Option::is_some).collect();
        GlossOrder {
            edits: edit_distance(&all, &decided),
            glosses: all.len(),
            known_edits: edit_distance(&known, &decided),
            known: known.len(),
        }
    })
}

/// Changes (a sign too many, missing or wrong) that make one sequence of the other: Levenshtein.
fn edit_distance<T: PartialEq>(from: &[T], to: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_by_hand() {
        assert_eq!(edit_distance(&[1, 2, 3], &[1, 2, 3]), 0);
        assert_eq!(edit_distance(&[1, 2, 3], &[1, 3]), 1);
        assert_eq!(edit_distance(&[1, 2], &[2, 1]), 2);
        assert_eq!(edit_distance(&[] as &[u8], &[1, 2]), 2);
        assert_eq!(edit_distance(&[1, 2, 3, 4], &[9, 2, 4, 5]), 3);
    }
}
