//! The landmarks that matter for signs, in signer space, seen as a right-handed signer's.
//!
//! Lips, shoulders, elbows, wrists, both hands and a few places on the face that hands are near to.
//! A left-handed signer is mirrored: x changes sign, left and right change places.

use std::ops::Range;

use crate::frame::{BodyPart, Frame, Hand, Landmark, is_missing};
use crate::signer::SignerSpace;
use crate::signer::hands::HandParts;

/// Landmarks kept of each frame.
pub const COUNT: usize = 96;
/// The dominant hand: wrist, then thumb to little finger, each from the palm outwards.
pub const HAND: Range<usize> = 0..21;
/// The other hand.
pub const OTHER: Range<usize> = 21..42;
/// Lips: outer lower, outer upper, inner lower, inner upper, each from the dominant side's corner.
pub const LIPS: Range<usize> = 42..82;
/// Shoulder, elbow, wrist of the body model: each dominant side first.
pub const ARMS: Range<usize> = 82..88;
/// Nose, mouth, chin, forehead; eye and ear, each dominant side first.
pub const FACE: Range<usize> = 88..96;

/// Wrist of a hand.
pub const WRIST: usize = 0;
/// The middle knuckle of the dominant hand, in the palm whatever the wrist does.
pub const PALM: usize = HAND.start + 9;
/// Tips of thumb, index, middle, ring and little finger within a hand.
pub const TIPS: [usize; 5] = [4, 8, 12, 16, 20];

/// Runs of lip points of the face mesh, each from the right corner of the mouth to the left one, so
/// that reversing a run mirrors it.
const LIP_RUNS: [&[usize]; 4] = [
    &[61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
    &[185, 40, 39, 37, 0, 267, 269, 270, 409],
    &[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
    &[191, 80, 81, 82, 13, 312, 311, 310, 415],
];

/// Body points of shoulders, elbows, wrists: right, left.
const ARM_POINTS: [[usize; 2]; 3] = [[12, 11], [14, 13], [16, 15]];
/// Nose tip, inner upper lip, chin, forehead of the face mesh; the body model has a nose only.
const FACE_MIDDLE: [(usize, Option<usize>); 4] =
    [(1, Some(0)), (13, None), (152, None), (10, None)];
/// Outer eye corner, ear: right and left, each in the face mesh and in the body model.
const FACE_SIDES: [[(usize, usize); 2]; 2] = [[(33, 6), (263, 3)], [(234, 8), (454, 7)]];
/// Mouth corners of the body model.
const POSE_MOUTH: [usize; 2] = [9, 10];

/// The kept landmarks of one moment, in shoulder widths, `NaN` where missing.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedLandmarks(pub [Landmark; COUNT]);

impl Default for PlacedLandmarks {
    fn default() -> Self {
        PlacedLandmarks([[f32::NAN; 3]; COUNT])
    }
}

impl PlacedLandmarks {
    /// Takes the landmarks of a frame, `dominant` telling which hand is whose.
    pub fn take(&mut self, frame: &Frame, hands: HandParts, dominant: Hand, space: &SignerSpace) {
        let mirrored = dominant == Hand::Left;
        let (x_sign, near, far) = if mirrored { (-1.0, 1, 0) } else { (1.0, 0, 1) };
        let place = |points: Option<&[Landmark]>, i: usize| {
            let Some(p) = points.map(|points| &points[i]).filter(|p| !is_missing(p)) else {
                return [f32::NAN; 3];
            };
            let [x, y, z] = space.place(p);
            [x * x_sign, y, z]
        };
        let face = frame.part(BodyPart::Face);
        let pose = frame.part(BodyPart::Pose);
        let hand = |which: Hand| hands.part(which).and_then(|part| frame.part(part));
        let (mine, other) = (hand(dominant), hand(dominant.other()));

        let out = &mut self.0;
        for i in 0..21 {
            out[HAND.start + i] = place(mine, i);
            out[OTHER.start + i] = place(other, i);
        }
        let mut at = LIPS.start;
        for run in LIP_RUNS {
            for k in 0..run.len() {
                let point = if mirrored { run[run.len() - 1 - k] } else { run[k] };
                out[at] = place(face, point);
                at += 1;
            }
        }
        for (k, sides) in ARM_POINTS.iter().enumerate() {
            out[ARMS.start + 2 * k] = place(pose, sides[near]);
            out[ARMS.start + 2 * k + 1] = place(pose, sides[far]);
        }
        // A camera client may send no face mesh: the body model's few head points stand in.
        let or_pose = |p: Landmark, i: Option<usize>| match i {
            Some(i) if is_missing(&p) => place(pose, i),
            _ => p,
        };
        for (k, &(mesh, body)) in FACE_MIDDLE.iter().enumerate() {
            out[FACE.start + k] = or_pose(place(face, mesh), body);
        }
        if is_missing(&out[MOUTH]) {
            let [a, b] = POSE_MOUTH.map(|i| place(pose, i));
            out[MOUTH] = [0, 1, 2].map(|d| (a[d] + b[d]) / 2.0);
        }
        for (k, sides) in FACE_SIDES.iter().enumerate() {
            for (j, side) in [near, far].into_iter().enumerate() {
                let (mesh, body) = sides[side];
                out[FACE.start + 4 + 2 * k + j] = or_pose(place(face, mesh), Some(body));
            }
        }
    }
}

/// The mouth among the kept landmarks.
pub const MOUTH: usize = FACE.start + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SourceTime;
    use crate::signer::space::ShoulderTracker;

    /// A frame with every point somewhere of its own, and its mirror image.
    fn pair() -> [Frame; 2] {
        let mut right = Frame::new(0, SourceTime(0), 100, 100);
        for part in [BodyPart::Face, BodyPart::Pose, BodyPart::RightHand] {
            for (i, p) in right.detect(part).iter_mut().enumerate() {
                let spread = (i * 37 % 101) as f32 / 400.0;
                *p = [0.4 + spread, 0.3 + spread / 2.0, 0.01 * i as f32];
            }
        }
        let pose = right.detect(BodyPart::Pose);
        pose[11] = [0.65, 0.5, 0.0];
        pose[12] = [0.35, 0.5, 0.0];

        let flip = |p: &Landmark| [1.0 - p[0], p[1], p[2]];
        let mut left = Frame::new(0, SourceTime(0), 100, 100);
        let source = right.part(BodyPart::RightHand).expect("there").to_vec();
        for (p, q) in left.detect(BodyPart::LeftHand).iter_mut().zip(&source) {
            *p = flip(q);
        }
        let pose = right.part(BodyPart::Pose).expect("there").to_vec();
        let mirrored = left.detect(BodyPart::Pose);
        for (i, q) in pose.iter().enumerate() {
            mirrored[i] = flip(q);
        }
        for [a, b] in ARM_POINTS.iter().chain(&[[6, 3], [8, 7], [9, 10]]) {
            mirrored[*a] = flip(&pose[*b]);
            mirrored[*b] = flip(&pose[*a]);
        }
        let face = right.part(BodyPart::Face).expect("there").to_vec();
        let mirrored = left.detect(BodyPart::Face);
        for (i, q) in face.iter().enumerate() {
            mirrored[i] = flip(q);
        }
        for run in LIP_RUNS {
            for k in 0..run.len() {
                mirrored[run[k]] = flip(&face[run[run.len() - 1 - k]]);
            }
        }
        for [(a, _), (b, _)] in FACE_SIDES {
            mirrored[a] = flip(&face[b]);
            mirrored[b] = flip(&face[a]);
        }
        [right, left]
    }

    #[test]
    fn a_left_handed_signer_looks_like_the_right_handed_one() {
        let [right, left] = pair();
        let mut placed = [PlacedLandmarks::default(), PlacedLandmarks::default()];
        let hands = HandParts { left: Some(BodyPart::LeftHand), right: Some(BodyPart::RightHand) };
        placed[0].take(&right, hands, Hand::Right, &ShoulderTracker::default().push(&right));
        placed[1].take(&left, hands, Hand::Left, &ShoulderTracker::default().push(&left));
        for i in (0..COUNT).filter(|i| !OTHER.contains(i)) {
            for d in 0..3 {
                let (a, b) = (placed[0].0[i][d], placed[1].0[i][d]);
                assert!((a - b).abs() < 1e-4, "landmark {i} axis {d}: {a} {b}");
            }
        }
    }

    #[test]
    fn missing_parts_stay_missing_and_the_body_stands_in_for_the_face() {
        let [mut right, _] = pair();
        right.miss(BodyPart::Face);
        let mut placed = PlacedLandmarks::default();
        let hands = HandParts { left: None, right: Some(BodyPart::RightHand) };
        placed.take(&right, hands, Hand::Right, &ShoulderTracker::default().push(&right));
        assert!(placed.0[OTHER].iter().all(is_missing));
        assert!(placed.0[LIPS].iter().all(is_missing));
        assert!(!is_missing(&placed.0[FACE.start]), "nose");
        assert!(!is_missing(&placed.0[MOUTH]), "mouth");
        assert!(is_missing(&placed.0[FACE.start + 2]), "chin");
    }
}
