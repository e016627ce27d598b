//! The hand: 21 points from a *handshape*, which is the angles of its joints.
//!
//! A hand has its own axes: x out of the palm, y along the fingers, z towards the thumb. The wrist is the
//! origin, and the distance from the wrist to the middle knuckle is the unit. Everything is described for
//! the left hand. The right hand is its mirror image (see `body`).

use crate::space::{SpaceVector, v};

/// Where the four knuckles lie: index to little finger, as (towards the thumb, along the fingers).
const KNUCKLES: [[f32; 2]; 4] = [[0.25, 1.00], [0.0, 1.0], [-0.23, 0.92], [-0.43, 0.79]];

/// Lengths of the three bones of each finger.
const BONES: [[f32; 3]; 4] =
    [[0.48, 0.29, 0.23], [0.52, 0.31, 0.24], [0.49, 0.28, 0.23], [0.38, 0.22, 0.19]];

/// The joint at the root of the thumb, and the thumb's bones.
const THUMB_ROOT: SpaceVector = v(0.07, 0.28, 0.24);
const THUMB_BONES: [f32; 3] = [0.43, 0.34, 0.27];

/// The last joint of a finger bends along with the one before it, by about this share.
const LAST_JOINT: f32 = 0.65;

/// Joint angles of one hand, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HandShape {
    /// Per finger, index to little: spread towards the thumb, bend of the knuckle, bend of the
    /// middle joint. The last joint follows the middle one.
    pub fingers: [[f32; 3]; 4],
    /// Per bone of the thumb: direction in the plane of the palm (0 along the fingers, 90 straight
    /// out, negative across the palm) and out of that plane.
    pub thumb: [[f32; 2]; 3],
}

/// How many angles a shape has.
pub const ANGLES: usize = 18;

const STRAIGHT: [[f32; 2]; 3] = [[45.0, 10.0], [18.0, 12.0], [8.0, 8.0]];
const FOLDED: [f32; 2] = [82.0, 98.0];

/// The same bend in all four fingers.
const fn fingers(spread: [f32; 4], knuckle: f32, middle: f32) -> [[f32; 3]; 4] {
    [
        [spread[0], knuckle, middle],
        [spread[1], knuckle, middle],
        [spread[2], knuckle, middle],
        [spread[3], knuckle, middle],
    ]
}

/// Index and middle finger bent as given, the other two folded away.
const fn two_fingers(spread: f32, knuckle: f32, middle: f32) -> [[f32; 3]; 4] {
    [
        [spread, knuckle, middle],
        [-spread, knuckle, middle],
        [-2.0, FOLDED[0], FOLDED[1]],
        [-4.0, FOLDED[0], FOLDED[1]],
    ]
}

impl HandShape {
    /// Flat hand, fingers together, thumb alongside.
    pub const FLAT: HandShape =
        HandShape { fingers: fingers([2.0, 0.0, -2.0, -4.0], 6.0, 6.0), thumb: STRAIGHT };
    /// All five fingers spread.
    pub const FIVE: HandShape = HandShape {
        fingers: fingers([16.0, 4.0, -9.0, -24.0], 3.0, 6.0),
        thumb: [[56.0, 18.0], [52.0, 12.0], [50.0, 6.0]],
    };
    /// Index finger out, the others folded, thumb across them.
    pub const POINT: HandShape = HandShape {
        fingers: [
            [2.0, 4.0, 6.0],
            [0.0, FOLDED[0], FOLDED[1]],
            [-2.0, FOLDED[0], FOLDED[1]],
            [-5.0, FOLDED[0], FOLDED[1]],
        ],
        thumb: [[42.0, 42.0], [-12.0, 48.0], [-62.0, 24.0]],
    };
    /// Fingers and thumb curved around a glass (the letter C).
    pub const CURVED: HandShape = HandShape {
        fingers: fingers([3.0, 0.0, -2.0, -5.0], 38.0, 44.0),
        thumb: [[52.0, 52.0], [34.0, 60.0], [14.0, 50.0]],
    };
    /// Index and middle finger held apart from the thumb, ready to snap.
    pub const BEAK_OPEN: HandShape = HandShape {
        fingers: two_fingers(5.0, 22.0, 8.0),
        thumb: [[54.0, 42.0], [44.0, 40.0], [34.0, 30.0]],
    };
    /// Index and middle finger on the thumb.
    pub const BEAK_SHUT: HandShape = HandShape {
        fingers: two_fingers(3.0, 62.0, 34.0),
        thumb: [[44.0, 46.0], [16.0, 54.0], [4.0, 50.0]],
    };
    /// A hand that does nothing in particular.
    pub const LOOSE: HandShape = HandShape {
        fingers: fingers([6.0, 1.0, -4.0, -10.0], 26.0, 32.0),
        thumb: [[44.0, 22.0], [28.0, 22.0], [18.0, 18.0]],
    };
    /// Index finger out, the others half folded: scratching, pushing glasses up.
    pub const CROOKED: HandShape = HandShape {
        fingers: [[3.0, 22.0, 38.0], [0.0, 50.0, 66.0], [-3.0, 58.0, 74.0], [-6.0, 60.0, 76.0]],
        thumb: [[42.0, 34.0], [14.0, 38.0], [0.0, 34.0]],
    };

    /// The angles one after the other, for blending.
    pub fn angles(&self) -> [f32; ANGLES] {
        std::array::from_fn(|i| match i {
            0..12 => self.fingers[i / 3][i % 3],
            _ => self.thumb[(i - 12) / 2][i % 2],
        })
    }

    /// The reverse of [`angles`](HandShape::angles).
    pub fn from_angles(angles: [f32; ANGLES]) -> HandShape {
        HandShape {
            fingers: std::array::from_fn(|f| std::array::from_fn(|j| angles[3 * f + j])),
            thumb: std::array::from_fn(|b| std::array::from_fn(|j| angles[12 + 2 * b + j])),
        }
    }

    /// The 21 points in the hand's own axes, in MediaPipe's order: wrist, thumb, then index to
    /// little finger, each from its root to its tip.
    pub fn points(&self) -> [SpaceVector; 21] {
        let mut points = [SpaceVector::default(); 21];
        let mut at = THUMB_ROOT;
        points[1] = at;
        for (bone, [out, up]) in self.thumb.iter().enumerate() {
            let (sin_up, cos_up) = up.to_radians().sin_cos();
            let (sin_out, cos_out) = out.to_radians().sin_cos();
            at = at + v(sin_up, cos_up * cos_out, cos_up * sin_out) * THUMB_BONES[bone];
            points[2 + bone] = at;
        }
        for (f, &[spread, knuckle, middle]) in self.fingers.iter().enumerate() {
            let [side, along] = KNUCKLES[f];
            let (sin, cos) = spread.to_radians().sin_cos();
            let ahead = v(0.0, cos, sin);
            let mut at = v(0.0, along, side);
            points[5 + 4 * f] = at;
            let mut bend = 0.0_f32;
            for (bone, more) in [knuckle, middle, middle * LAST_JOINT].into_iter().enumerate() {
                bend += more.to_radians();
                let (sin, cos) = bend.sin_cos();
                at = at + (ahead * cos + v(1.0, 0.0, 0.0) * sin) * BONES[f][bone];
                points[6 + 4 * f + bone] = at;
            }
        }
        points
    }
}

/// The part of the hand that touches a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HandContact {
    /// Middle of the wrist.
    Wrist,
    /// Tip of the middle finger.
    Fingertips,
    /// Tip of the index finger.
    Index,
    /// Middle of the index finger.
    IndexMiddle,
    /// Tip of the thumb.
    Thumb,
}

impl HandContact {
    /// Where that part is in the hand's own axes.
    pub fn of(self, shape: &HandShape) -> SpaceVector {
        let points = shape.points();
        match self {
            HandContact::Wrist => points[0],
            HandContact::Fingertips => points[12],
            HandContact::Index => points[8],
            HandContact::IndexMiddle => (points[6] + points[7]) * 0.5,
            HandContact::Thumb => points[4],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshapes_look_as_their_names_say() {
        let [flat, five, point] =
            [HandShape::FLAT, HandShape::FIVE, HandShape::POINT].map(|s| s.points());
        let far = |a: SpaceVector, b: SpaceVector| (a - b).length();
        assert!(far(five[8], five[20]) > 1.3 && far(flat[8], flat[20]) < 1.0);
        assert!(point[8].length() > 1.8 && [12, 16, 20].iter().all(|i| point[*i].length() < 0.95));
        // Shut, the beak's finger tips meet the thumb; open, they do not.
        let gap = |s: HandShape| far(s.points()[8], s.points()[4]);
        assert!(gap(HandShape::BEAK_SHUT) < 0.35 && gap(HandShape::BEAK_OPEN) > 0.6);
    }
}
