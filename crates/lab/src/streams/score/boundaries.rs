//! Boundaries of signs: how many were found, and how many of them at the right time.

use serde::Serialize;

use crate::streams::judge::trace::StreamDecision;
use crate::streams::span::TimeSpan;
use crate::streams::truth::TrueSign;

/// Found, true and rightly found boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BoundaryCounts {
    /// Of all segments.
    pub found: usize,
    /// Of all signs.
    pub truly: usize,
    /// Within two frames.
    pub two: usize,
    /// Within five frames.
    pub five: usize,
    /// Within a sixth of a second: five frames at 30 a second.
    pub sixth: usize,
}

/// Compares the boundaries of true signs and of decisions' segments, at `fps` frames a second.
pub(super) fn boundaries(
    signs: &[TrueSign],
    decisions: &[StreamDecision],
    fps: f64,
) -> BoundaryCounts {
    // Half a frame more: a boundary lies on a frame, the truth between two.
    let matched = |within: f64| {
        let ends = |of: fn(TimeSpan) -> f64| {
            let truly: Vec<f64> = signs.iter().map(|s| of(s.span)).collect();
            let found: Vec<f64> = decisions.iter().map(|d| of(d.span)).collect();
            pairs(&truly, &found, within)
        };
        ends(|span| span.0) + ends(|span| span.1)
    };
    BoundaryCounts {
        found: 2 * decisions.len(),
        truly: 2 * signs.len(),
        two: matched(2.5 / fps),
        five: matched(5.5 / fps),
        sixth: matched(1.0 / 6.0),
    }
}

/// How many pairs can be made of rising times that differ by at most this. Each is in one pair.
fn pairs(truly: &[f64], found: &[f64], within: f64) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(a), Some(b)) = (truly.get(i), found.get(j)) {
        if (a - b).abs() <= within {
            count += 1;
            (i, j) = (i + 1, j + 1);
        } else if a < b {
            i += 1;
        } else {
            j += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::score::tests::{decisions, signs};

    #[test]
    fn boundaries_within_two_and_five_frames() {
        // At 10 frames a second: 0.2 s and 0.5 s, half a frame more.
        let true_signs = signs(&[(1, 1.0, 2.0), (2, 5.0, 6.0)]);
        let made = decisions(&[(1, 1.2, 2.5, 0.9), (2, 5.05, 7.0, 0.9), (2, 8.0, 9.0, 0.9)]);
        let found = boundaries(&true_signs, &made, 10.0);
        let expected = BoundaryCounts { found: 6, truly: 4, two: 2, five: 3, sixth: 1 };
        assert_eq!(found, expected);
        assert_eq!(pairs(&[1.0], &[0.9, 1.1], 0.2), 1, "each in one pair");
    }
}
