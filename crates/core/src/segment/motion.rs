//! What the segmenter goes by: how fast the hand moves, and how high it is.

use crate::features::PlacedLandmarks;
use crate::features::placement::{HAND, TIPS};
use crate::frame::{SourceTime, is_missing};

/// Smoothing of motion: longer than an estimator's jitter, shorter than a movement.
const MOTION_TAU_S: f64 = 0.06;

/// Where the palm is, and where it may be while the estimator does not see it.
#[derive(Clone, Debug, Default)]
pub struct PalmHeight {
    last: Option<(SourceTime, f32)>,
    /// Downwards, shoulder widths a second.
    speed: f32,
}

impl PalmHeight {
    /// Takes its height in a frame, shoulder widths below the shoulders; gives it or, unseen, the one it
    /// has if it goes on as it went.
    pub fn push(&mut self, t: SourceTime, seen: Option<f32>) -> f32 {
        let dt = self.last.map_or(0.0, |(then, _)| t.seconds_since(then));
        match (seen, self.last) {
            (Some(y), before) => {
                if let Some((_, last)) = before
                    && dt > 0.0
                {
                    let blend = (1.0 - (-dt / MOTION_TAU_S).exp()) as f32;
                    self.speed += ((y - last) / dt as f32 - self.speed) * blend;
                }
                self.last = Some((t, y));
                y
            }
            (None, Some((_, y))) => y + self.speed * dt as f32,
            (None, None) => f32::NAN,
        }
    }
}

/// Measures how fast the dominant hand and its fingers move.
#[derive(Clone, Debug, Default)]
pub struct HandMotion {
    last: Option<(SourceTime, Spots)>,
    smooth: f32,
}

/// Palm centre, and fingertips from there.
type Spots = ([f32; 2], [[f32; 2]; 5]);

impl HandMotion {
    /// Motion in shoulder widths a second: the palm's speed, or the fingertips' mean speed about
    /// the palm if that is more (some signs move nothing but fingers). While the hand is missing,
    /// the last value decays.
    pub fn push(&mut self, t: SourceTime, placed: &PlacedLandmarks) -> f32 {
        let seen = spots(&placed.0[HAND]);
        let (Some((then, before)), Some(now)) = (self.last, seen) else {
            self.last = seen.map(|spots| (t, spots)).or(self.last);
            return self.smooth;
        };
        let dt = t.seconds_since(then);
        let palm = length(now.0, before.0);
        let tips = now.1.iter().zip(&before.1).map(|(a, b)| length(*a, *b)).sum::<f32>() / 5.0;
        let speed = palm.max(tips) / dt as f32;
        let blend = (1.0 - (-dt / MOTION_TAU_S).exp()) as f32;
        self.smooth += (speed - self.smooth) * blend;
        self.last = Some((t, now));
        self.smooth
    }

    /// Forgets everything.
    pub fn restart(&mut self) {
        *self = HandMotion::default();
    }
}

fn spots(hand: &[[f32; 2]]) -> Option<Spots> {
    let palm = [hand[0], hand[5], hand[17]];
    if palm.iter().chain(TIPS.map(|i| hand[i]).iter()).any(is_missing) {
        return None;
    }
    let centre = [0, 1].map(|d| palm.iter().map(|p| p[d]).sum::<f32>() / 3.0);
    Some((centre, TIPS.map(|i| [hand[i][0] - centre[0], hand[i][1] - centre[1]])))
}

fn length(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_unseen_goes_on_as_it_went() {
        let mut height = PalmHeight::default();
        let at = |i: u64| SourceTime(i * 40_000_000);
        for i in 0..25 {
            height.push(at(i), Some(i as f32 * 0.1));
        }
        assert!((height.push(at(29), None) - 2.9).abs() < 1e-3);
        assert!((height.push(at(30), None) - 3.0).abs() < 1e-3);
        assert_eq!(height.push(at(31), Some(0.5)), 0.5);
        assert!(PalmHeight::default().push(at(0), None).is_nan());
    }
}
