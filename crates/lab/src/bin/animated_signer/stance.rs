//! A *stance*: one held position of a hand, described as sign dictionaries do.
//!
//! It says which handshape, which part of the hand is at which place, where the fingers point and where
//! the palm faces. Directions are those of the left hand as the camera sees it: x outwards (away from
//! the middle of the body), y down, z away from the camera (towards the signer). A right hand does the
//! mirror image.

use crate::body::{HandPose, pack_pose};
use crate::draws::SeededDraws;
use crate::face::skin;
use crate::hand::{HandContact, HandShape};
use crate::person::SignerProfile;
use crate::space::{SpaceRotation, SpaceVector, v};

/// Places on and before the body, on the hand's own side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BodyPlace {
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

impl BodyPlace {
    /// Where that is on a person.
    fn on(self, person: &SignerProfile) -> SpaceVector {
        let (x, y) = match self {
            BodyPlace::Forehead => (0.03, -0.20),
            BodyPlace::Temple => (0.19, -0.13),
            BodyPlace::Nose => (0.01, 0.05),
            BodyPlace::Cheek => (0.12, 0.07),
            BodyPlace::Mouth => (0.0, 0.158),
            BodyPlace::Chin => (0.0, 0.30),
            BodyPlace::Crown => (0.08, -0.36),
            BodyPlace::Before => return v(0.42, 0.05, -0.50),
            BodyPlace::Hip => return v(0.60, 1.50, -0.05),
        };
        let nose = if self == BodyPlace::Nose { -0.06 } else { 0.0 };
        person.head_at() + v(x * person.face_width, y, skin(x, y) + nose) * person.head
    }
}

/// One position of a hand.
#[derive(Clone, Copy, Debug)]
pub struct HandStance {
    pub shape: HandShape,
    /// The part of the hand that is at the place.
    pub touch: HandContact,
    pub place: BodyPlace,
    /// How far off the place.
    pub off: SpaceVector,
    /// Where straight fingers would point.
    pub fingers: SpaceVector,
    /// Where the palm faces.
    pub palm: SpaceVector,
}

impl HandStance {
    /// The same hand elsewhere.
    pub const fn at(self, off: SpaceVector) -> HandStance {
        HandStance { off, ..self }
    }

    /// The same hand in another shape.
    pub const fn shaped(self, shape: HandShape) -> HandStance {
        HandStance { shape, ..self }
    }

    /// The hand held in another direction.
    pub const fn turned(self, fingers: SpaceVector, palm: SpaceVector) -> HandStance {
        HandStance { fingers, palm, ..self }
    }

    /// How a person holds it, missing it by about `miss`: 1 is 0.06 shoulder widths, 0.2 radians
    /// and 9 degrees in every joint.
    pub fn hand_pose(&self, person: &SignerProfile, c: &mut SeededDraws, miss: f32) -> HandPose {
        let off = c.normal3(0.2 * miss);
        let turn = SpaceRotation::about(off.unit(), off.length())
            .after(SpaceRotation::from_xy(self.palm, self.fingers));
        let angles = self.shape.angles().map(|a| a + c.normal(0.0, 9.0 * miss));
        let shape = HandShape::from_angles(angles);
        let reach = turn.apply(self.touch.of(&shape)) * person.hand;
        pack_pose(self.place.on(person) + self.off + c.normal3(0.06 * miss) - reach, turn, &shape)
    }
}
