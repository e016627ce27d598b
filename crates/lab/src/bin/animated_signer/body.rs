//! Arms that reach for a place, and the 33 points of the pose.
//!
//! Every arm is computed as a left arm, with x pointing away from the middle of the body. A right arm is
//! its mirror image.

use crate::hand::{ANGLES, HandShape};
use crate::person::SignerProfile;
use crate::space::{SpaceRotation, SpaceVector, v};

/// Where a hand is and how it is held, as numbers that can be blended: wrist (3), turn of the hand
/// (4), joint angles.
pub type HandPose = [f32; HAND_POSE];

/// How many numbers that is.
pub const HAND_POSE: usize = 7 + ANGLES;

/// Packs a hand into blendable numbers.
pub fn pack_pose(wrist: SpaceVector, turn: SpaceRotation, shape: &HandShape) -> HandPose {
    let mut held = [0.0; HAND_POSE];
    held[..3].copy_from_slice(&[wrist.x, wrist.y, wrist.z]);
    held[3..7].copy_from_slice(&turn.0);
    held[7..].copy_from_slice(&shape.angles());
    held
}

/// The same hand with the turn written so that blending from `before` takes the short way around:
/// a turn and its negative are the same, but lie apart as numbers.
pub fn short_way(before: &HandPose, mut next: HandPose) -> HandPose {
    let along: f32 = (3..7).map(|i| before[i] * next[i]).sum();
    if along < 0.0 {
        next[3..7].iter_mut().for_each(|q| *q = -*q);
    }
    next
}

/// A wrist bends about this far, radians.
const WRIST_LIMIT: f32 = 1.22;

/// One arm with its hand.
#[derive(Clone, Debug)]
pub struct ArmPose {
    /// The joint at the shoulder.
    pub shoulder: SpaceVector,
    /// The elbow.
    pub elbow: SpaceVector,
    /// The 21 points of the hand. The first is the wrist.
    pub hand: [SpaceVector; 21],
}

impl ArmPose {
    /// The arm that brings a hand where it is wanted, or as near as it can reach. `breath` lifts
    /// the shoulder by so much.
    pub fn reach(person: &SignerProfile, held: &HandPose, breath: f32) -> ArmPose {
        let target = v(held[0], held[1], held[2]);
        // A raised arm takes the shoulder along a little.
        let raised = ((0.9 - target.y) / 1.6).clamp(0.0, 1.0);
        let shoulder = v(0.5, -0.06 * raised - breath, 0.0);
        let (upper, fore) = (person.upper_arm, person.forearm);
        let way = target - shoulder;
        let distance = way.length().clamp((upper - fore).abs() + 0.05, 0.995 * (upper + fore));
        let ahead = way.unit();
        // The elbow hangs down and outwards from the line between shoulder and wrist; the higher
        // the hand, the further out.
        let out = 0.15 + 0.3 * person.elbows_out + 0.35 * raised;
        let hang = v(out, 1.0, 0.25).off(ahead);
        // An arm hanging straight down bends outwards and back.
        let side = (hang + v(0.3, 0.0, 0.5).off(ahead) * (0.3 - hang.length()).max(0.0)).unit();
        let along = (distance * distance + upper * upper - fore * fore) / (2.0 * distance);
        let across = (upper * upper - along * along).max(0.0).sqrt();
        let elbow = shoulder + ahead * along + side * across;
        let wrist = shoulder + ahead * distance;

        let wanted = SpaceRotation([held[3], held[4], held[5], held[6]]).normal();
        let turn = ease_wrist(wanted, (wrist - elbow).unit());
        let shape = HandShape::from_angles(std::array::from_fn(|i| held[7 + i]));
        let hand = shape.points().map(|p| wrist + turn.apply(p) * person.hand);
        ArmPose { shoulder, elbow, hand }
    }

    /// The same arm on the other side of the body.
    pub fn mirrored(mut self) -> ArmPose {
        self.shoulder = self.shoulder.mirrored();
        self.elbow = self.elbow.mirrored();
        self.hand = self.hand.map(SpaceVector::mirrored);
        self
    }
}

/// Turns the hand back when the wrist would bend further than a wrist does.
fn ease_wrist(turn: SpaceRotation, forearm: SpaceVector) -> SpaceRotation {
    let fingers = turn.apply(v(0.0, 1.0, 0.0));
    let bent = fingers.dot(forearm).clamp(-1.0, 1.0).acos();
    if bent <= WRIST_LIMIT {
        return turn;
    }
    SpaceRotation::about(fingers.cross(forearm).unit(), bent - WRIST_LIMIT).after(turn)
}

/// Hips to toes, seldom in the picture. Estimators guess them all the same. The left side.
const LEGS: [(usize, SpaceVector); 5] = [
    (23, v(0.32, 1.42, 0.05)),
    (25, v(0.31, 2.50, 0.0)),
    (27, v(0.31, 3.45, 0.15)),
    (29, v(0.31, 3.60, 0.20)),
    (31, v(0.24, 3.75, -0.15)),
];

/// Eyes (inner, middle, outer), mouth corners: pose landmark and the face landmark it equals.
const FROM_FACE: [(usize, usize); 7] =
    [(0, 4), (1, 362), (3, 263), (4, 133), (6, 33), (9, 291), (10, 61)];

/// The 33 points of the pose: nose, eyes, ears, mouth, arms, legs.
pub fn pose(face: &[SpaceVector; 468], left: &ArmPose, right: &ArmPose) -> [SpaceVector; 33] {
    let mut pose = [SpaceVector::default(); 33];
    for (to, from) in FROM_FACE {
        pose[to] = face[from];
    }
    for eye in [2, 5] {
        pose[eye] = (pose[eye - 1] + pose[eye + 1]) * 0.5;
    }
    // Ears lie behind the sides of the face.
    for (to, from) in [(7, 454), (8, 234)] {
        pose[to] = face[from] + v(0.0, 0.0, 0.12);
    }
    for (side, arm) in [left, right].into_iter().enumerate() {
        pose[11 + side] = arm.shoulder;
        pose[13 + side] = arm.elbow;
        pose[15 + side] = arm.hand[0];
        // The pose marks little finger, index and thumb, rather at their roots than their tips.
        pose[17 + side] = arm.hand[17];
        pose[19 + side] = arm.hand[5];
        pose[21 + side] = arm.hand[2];
    }
    for (left, at) in LEGS {
        pose[left] = at;
        pose[left + 1] = at.mirrored();
    }
    pose
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::SeededDraws;

    #[test]
    fn bones_keep_their_lengths_and_wrists_their_limits_wherever_the_hand_is_wanted() {
        let c = &mut SeededDraws::new(3);
        for _ in 0..300 {
            let person = SignerProfile::new(c);
            let wrist = v(c.between(-1.5, 1.5), c.between(-1.5, 1.8), c.between(-1.2, 0.2));
            let held = pack_pose(
                wrist,
                SpaceRotation::from_xy(c.normal3(1.0), c.normal3(1.0)),
                &HandShape::LOOSE,
            );
            let arm = ArmPose::reach(&person, &held, 0.0);
            for (bone, length) in [
                (arm.elbow - arm.shoulder, person.upper_arm),
                (arm.hand[0] - arm.elbow, person.forearm),
                (arm.hand[9] - arm.hand[0], person.hand),
            ] {
                assert!((bone.length() - length).abs() < 1e-3, "{bone:?} {length}");
            }
            let bend = (arm.hand[0] - arm.elbow).unit().dot((arm.hand[9] - arm.hand[0]).unit());
            assert!(bend > WRIST_LIMIT.cos() - 1e-3, "{bend}");
        }
    }
}
