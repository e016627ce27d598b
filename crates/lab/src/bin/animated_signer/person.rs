//! One signer, drawn from a seed: how they are built, how they move and where they rest.
//!
//! Lengths are shoulder widths (between the joints, some 34 cm). None of them depends on how near the
//! camera is.

use crate::draws::SeededDraws;
use crate::space::{SpaceVector, v};

/// Where hands rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestPlace {
    /// Beside the hips, out of the picture.
    Hanging,
    /// Before the belly, one on the other.
    Lap,
}

/// One signer.
#[derive(Clone, Debug)]
pub struct SignerProfile {
    /// Signs with the left hand.
    pub left_handed: bool,
    /// Shoulder to elbow.
    pub upper_arm: f32,
    /// Elbow to wrist.
    pub forearm: f32,
    /// Wrist to middle knuckle.
    pub hand: f32,
    /// Size of the head. 1 is average.
    pub head: f32,
    /// Height of the ears above the shoulders.
    pub neck: f32,
    /// Width of the face. 1 is average.
    pub face_width: f32,
    /// Thickness of the lips. 1 is average.
    pub lips: f32,
    /// Turn of the body away from the camera, radians.
    pub facing: f32,
    /// Speed of signing. 1 is average, 1.2 a fifth quicker.
    pub tempo: f32,
    /// 0 is a dictionary, 1 a tired learner: places, angles and joints miss by that much.
    pub sloppiness: f32,
    /// How far the elbows are held from the body, 0..1.
    pub elbows_out: f32,
    /// Mouths the words while signing, 0..1.
    pub mouthing: f32,
    /// How far the body sways.
    pub sway: f32,
    /// How the hands rest.
    pub rest: RestPlace,
}

impl SignerProfile {
    /// Draws a person.
    pub fn new(c: &mut SeededDraws) -> SignerProfile {
        SignerProfile {
            left_handed: c.happens(0.15),
            upper_arm: c.normal(0.86, 0.04),
            forearm: c.normal(0.74, 0.04),
            hand: c.normal(0.29, 0.015),
            head: c.normal(1.0, 0.05),
            neck: c.normal(0.60, 0.03),
            face_width: c.normal(1.0, 0.04),
            lips: c.normal(1.0, 0.12),
            facing: c.normal(0.0, 0.09),
            tempo: c.between(0.6, 1.2),
            sloppiness: c.between(0.05, 1.0),
            elbows_out: c.unit(),
            mouthing: c.unit(),
            sway: c.between(0.008, 0.03),
            rest: if c.happens(0.65) { RestPlace::Hanging } else { RestPlace::Lap },
        }
    }

    /// The middle between the ears.
    pub fn head_at(&self) -> SpaceVector {
        v(0.0, -self.neck, -0.10)
    }
}
