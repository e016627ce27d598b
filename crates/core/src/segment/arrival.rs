//! The way of a hand to where a sign is made, and back.

use super::SegmenterInput;

/// A hand that has slowed down and is now this much faster again moves on from where it had arrived.
const ONWARD: f32 = 1.1;

/// A way so far: faster and faster, then slower. Backwards in time the way out is one too.
#[derive(Clone, Debug, Default)]
pub struct HandArrival {
    /// The fastest so far.
    pub peak: f32,
    /// The slowest since then.
    pub trough: Option<SegmenterInput>,
}

impl HandArrival {
    /// Takes the next frame; the one in which the hand arrived, as soon as it is known: it is slow, or it
    /// has been slower and now moves on.
    pub fn push(&mut self, now: &SegmenterInput, slow: f32) -> Option<SegmenterInput> {
        let Some(trough) = self.trough.filter(|_| now.motion <= self.peak) else {
            (self.peak, self.trough) = (now.motion, Some(*now));
            return None;
        };
        if now.motion < slow * self.peak {
            return Some(*now);
        }
        let trough = if now.motion < trough.motion { *now } else { trough };
        self.trough = Some(trough);
        (now.motion > ONWARD * trough.motion).then_some(trough)
    }
}
