//! A *stance*: one held position of a hand, said the way sign dictionaries say it: which handshape,
//! which part of the hand is at which place, where the fingers point and where the palm faces.
//!
//! Directions are those of the left hand as the camera sees it: x outwards (away from the middle of
//! the body), y down, z away from the camera (towards the signer). A right hand does the mirror
//! image.

use crate::body::{Held, hold};
use crate::chance::Chance;
use crate::face::skin;
use crate::hand::{Shape, Touch};
use crate::person::Person;
use crate::space::{Turn, V3, v};

/// Places on and before the body, on the hand's own side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Forehead,
    Temple,
    Nose,
    Cheek,
    Mouth,
    Chin,
    /// Top of the head.
    Crown,
    /// Free space in front of the own shoulder.
    Before,
    /// Beside the hip.
    Hip,
}

impl Place {
    /// Where that is on a person.
    fn on(self, person: &Person) -> V3 {
        let (x, y) = match self {
            Place::Forehead => (0.03, -0.20),
            Place::Temple => (0.19, -0.13),
            Place::Nose => (0.01, 0.05),
            Place::Cheek => (0.12, 0.07),
            Place::Mouth => (0.0, 0.158),
            Place::Chin => (0.0, 0.30),
            Place::Crown => (0.08, -0.36),
            Place::Before => return v(0.42, 0.05, -0.50),
            Place::Hip => return v(0.60, 1.50, -0.05),
        };
        let nose = if self == Place::Nose { -0.06 } else { 0.0 };
        person.head_at() + v(x * person.face_width, y, skin(x, y) + nose) * person.head
    }
}

/// One position of a hand.
#[derive(Clone, Copy, Debug)]
pub struct Stance {
    pub shape: Shape,
    /// The part of the hand that is at the place.
    pub touch: Touch,
    pub place: Place,
    /// How far off the place.
    pub off: V3,
    /// Where straight fingers would point.
    pub fingers: V3,
    /// Where the palm faces.
    pub palm: V3,
}

impl Stance {
    /// The same hand elsewhere.
    pub const fn at(self, off: V3) -> Stance {
        Stance { off, ..self }
    }

    /// The same hand in another shape.
    pub const fn shaped(self, shape: Shape) -> Stance {
        Stance { shape, ..self }
    }

    /// The hand held in another direction.
    pub const fn turned(self, fingers: V3, palm: V3) -> Stance {
        Stance { fingers, palm, ..self }
    }

    /// How a person holds it, missing it by about `miss`: 1 is 0.06 shoulder widths, 0.2 radians
    /// and 9 degrees in every joint.
    pub fn held(&self, person: &Person, c: &mut Chance, miss: f32) -> Held {
        let off = c.normal3(0.2 * miss);
        let turn =
            Turn::about(off.unit(), off.length()).after(Turn::from_xy(self.palm, self.fingers));
        let angles = self.shape.angles().map(|a| a + c.normal(0.0, 9.0 * miss));
        let shape = Shape::from_angles(angles);
        let reach = turn.apply(self.touch.of(&shape)) * person.hand;
        hold(self.place.on(person) + self.off + c.normal3(0.06 * miss) - reach, turn, &shape)
    }
}
