//! The landmarks that matter for signs, in signer space, seen as a right-handed signer's.
//!
//! Both hands, lips, nose, eyes, shoulders, elbows, wrists: of these a schema makes columns. A few places
//! on the head follow, for drawing the signer. Each has x and y. Depth is left out, since no column
//! has it.
//!
//! A left-handed signer is mirrored: x changes sign, left and right change places.

use std::ops::Range;

use crate::frame::{BodyPart, Frame, Hand, Landmark, is_missing};
use crate::signer::SignerSpace;
use crate::signer::hands::HandParts;

/// Landmarks kept of each frame.
pub const COUNT: usize = 131;
/// The dominant hand: wrist, then thumb to little finger, each from the palm outwards.
pub const HAND: Range<usize> = 0..21;
/// The other hand.
pub const OTHER: Range<usize> = 21..42;
/// Lips: outer lower, outer upper, inner lower, inner upper, each from the dominant side's corner.
pub const LIPS: Range<usize> = 42..82;
/// Nose: tip, below it, then the nostrils, the dominant side's first.
pub const NOSE: Range<usize> = 82..86;
/// Around the eyes: sixteen of the dominant side, then sixteen of the other. Each begins with the lower
/// lid from the outer corner to the inner one. The upper lid without corners follows, the same way.
pub const EYES: Range<usize> = 86..118;
/// Shoulder, elbow, wrist of the body model: each dominant side first.
pub const ARMS: Range<usize> = 118..124;
/// Where the head is: nose, chin, forehead; outer eye corner and ear, each dominant side first. Nose, eye
/// and ear are known without a face mesh too.
pub const HEAD: Range<usize> = 124..131;

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

/// Points of the nose of the face mesh: tip, below it; right and left nostril.
const NOSE_MIDDLE: [usize; 2] = [1, 2];
const NOSE_SIDES: [usize; 2] = [98, 327];
/// Points around the eyes of the face mesh, right and left. Each mirrors the one above or below it.
const EYE_POINTS: [[usize; 16]; 2] = [
    [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173],
    [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398],
];

/// Body points of shoulders, elbows, wrists: right, left.
const ARM_POINTS: [[usize; 2]; 3] = [[12, 11], [14, 13], [16, 15]];
/// Nose tip, chin, forehead of the face mesh; the body model has a nose only.
const HEAD_MIDDLE: [(usize, Option<usize>); 3] = [(1, Some(0)), (152, None), (10, None)];
/// Outer eye corner, ear: right and left, each in the face mesh and in the body model.
const HEAD_SIDES: [[(usize, usize); 2]; 2] = [[(33, 6), (263, 3)], [(234, 8), (454, 7)]];

/// The kept landmarks of one moment: x and y in shoulder widths, both `NaN` where missing.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedLandmarks(pub [[f32; 2]; COUNT]);

impl Default for PlacedLandmarks {
    fn default() -> Self {
        PlacedLandmarks([[f32::NAN; 2]; COUNT])
    }
}

impl PlacedLandmarks {
    /// Takes the landmarks of a frame, `dominant` telling which hand is whose.
    pub fn take(&mut self, frame: &Frame, hands: HandParts, dominant: Hand, space: &SignerSpace) {
        let mirrored = dominant == Hand::Left;
        let (x_sign, near, far) = if mirrored { (-1.0, 1, 0) } else { (1.0, 0, 1) };
        let place = |points: Option<&[Landmark]>, i: usize| {
            let Some(p) = points.map(|points| &points[i]).filter(|p| !is_missing(p)) else {
                return [f32::NAN; 2];
            };
            let [x, y] = space.place(p);
            [x * x_sign, y]
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
        let nose = [NOSE_MIDDLE[0], NOSE_MIDDLE[1], NOSE_SIDES[near], NOSE_SIDES[far]];
        for (at, point) in NOSE.zip(nose) {
            out[at] = place(face, point);
        }
        let eyes = [EYE_POINTS[near], EYE_POINTS[far]];
        for (at, &point) in EYES.zip(eyes.as_flattened()) {
            out[at] = place(face, point);
        }
        for (k, sides) in ARM_POINTS.iter().enumerate() {
            out[ARMS.start + 2 * k] = place(pose, sides[near]);
            out[ARMS.start + 2 * k + 1] = place(pose, sides[far]);
        }
        // A camera client may send no face mesh: the body model's few head points stand in.
        let or_pose = |p: [f32; 2], i: Option<usize>| match i {
            Some(i) if is_missing(&p) => place(pose, i),
            _ => p,
        };
        for (k, &(mesh, body)) in HEAD_MIDDLE.iter().enumerate() {
            out[HEAD.start + k] = or_pose(place(face, mesh), body);
        }
        for (k, sides) in HEAD_SIDES.iter().enumerate() {
            for (j, side) in [near, far].into_iter().enumerate() {
                let (mesh, body) = sides[side];
                out[HEAD.start + 3 + 2 * k + j] = or_pose(place(face, mesh), Some(body));
            }
        }
    }
}

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
        for [a, b] in ARM_POINTS.iter().chain(&[[6, 3], [8, 7]]) {
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
        let nose = (NOSE_SIDES[0], NOSE_SIDES[1]);
        let ears = HEAD_SIDES[1].map(|(point, _)| point);
        let eyes = EYE_POINTS[0].into_iter().zip(EYE_POINTS[1]);
        for (a, b) in eyes.chain([nose, (ears[0], ears[1])]) {
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
            for d in 0..2 {
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
        for mesh in [LIPS, NOSE, EYES] {
            assert!(placed.0[mesh].iter().all(is_missing));
        }
        let head = [true, false, false, true, true, true, true];
        assert_eq!(placed.0[HEAD].iter().map(|p| !is_missing(p)).collect::<Vec<_>>(), head);
    }
}
