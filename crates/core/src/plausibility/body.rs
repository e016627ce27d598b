//! What one frame shows: which questions it can answer, and which it answers oddly.
//!
//! Places are compared in image heights, so that distances are the same in every direction. Each bound
//! stands where recordings of people end and a client's mistakes begin; the comment beside it says how
//! far people go.

use super::InputDoubt;
use crate::frame::{BodyPart, Frame, Landmark, is_missing};

/// A head or hand further from the image's corner than this, in image sizes, is outside any image.
/// Heads and hands of people stay within 1.3.
const OUTSIDE: f32 = 3.0;
/// Shoulders this close to the upper edge have no head in the picture. People's lie at 0.17 and below.
const TOP: f32 = 0.02;
/// A face's width over its height. Medians of people: 0.58 to 0.99.
const FACE_SHAPES: std::ops::RangeInclusive<f32> = 0.52..=1.1;
/// The face mesh's middle this far from the body's nose, in face heights, is not on the head. Medians
/// of people: at most 0.9.
const FACE_APART: f32 = 1.0;
/// A hand's wrist this far from both wrists of the body, in palms, is not on an arm. Medians of people:
/// at most 3.5.
const HAND_APART: f32 = 5.0;
/// A palm is no shorter than this, in shoulder widths: a hand that points at the camera looks shorter.
const SHORTEST_PALM: f32 = 0.1;

/// What clients write for a coordinate of a missing point.
const SENTINELS: [f32; 2] = [0.0, -1.0];

const NOSE: usize = 0;
const LEFT_SHOULDER: usize = 11;
const RIGHT_SHOULDER: usize = 12;
const LEFT_WRIST: usize = 15;
const RIGHT_WRIST: usize = 16;
const FACE_NOSE: usize = 1;
const FOREHEAD: usize = 10;
const CHIN: usize = 152;
/// The signer's right and left side of the face.
const CHEEKS: [usize; 2] = [234, 454];
const HAND_WRIST: usize = 0;
const MIDDLE_KNUCKLE: usize = 9;

/// Takes what a frame answers: the question, whether the answer is odd, and an example.
pub(super) type AnswerSink<'a> = dyn FnMut(InputDoubt, bool, [f32; 2]) + 'a;

/// The anchors of one frame that the questions need, in image widths and heights.
struct Anchors {
    aspect: f32,
    nose: Option<[f32; 2]>,
    shoulders: Option<[[f32; 2]; 2]>,
    wrists: [Option<[f32; 2]>; 2],
    face: Option<Face>,
    /// Wrist and middle knuckle of the left and the right hand.
    hands: [Option<[[f32; 2]; 2]>; 2],
}

struct Face {
    nose: [f32; 2],
    forehead: [f32; 2],
    chin: [f32; 2],
    cheeks: [[f32; 2]; 2],
}

impl Anchors {
    fn of(frame: &Frame) -> Anchors {
        let at = |part: BodyPart, i: usize| frame.part(part).and_then(|points| place(&points[i]));
        let pose = |i| at(BodyPart::Pose, i);
        let mesh = |i| at(BodyPart::Face, i);
        let face = || {
            let [right, left] = CHEEKS;
            Some(Face {
                nose: mesh(FACE_NOSE)?,
                forehead: mesh(FOREHEAD)?,
                chin: mesh(CHIN)?,
                cheeks: [mesh(right)?, mesh(left)?],
            })
        };
        let hand = |part| Some([at(part, HAND_WRIST)?, at(part, MIDDLE_KNUCKLE)?]);
        Anchors {
            aspect: frame.width as f32 / frame.height as f32,
            nose: pose(NOSE),
            shoulders: pose(LEFT_SHOULDER).zip(pose(RIGHT_SHOULDER)).map(|(l, r)| [l, r]),
            wrists: [pose(LEFT_WRIST), pose(RIGHT_WRIST)],
            face: face(),
            hands: [hand(BodyPart::LeftHand), hand(BodyPart::RightHand)],
        }
    }

    /// Image heights.
    fn apart(&self, a: [f32; 2], b: [f32; 2]) -> f32 {
        ((a[0] - b[0]) * self.aspect).hypot(a[1] - b[1])
    }
}

/// Asks one frame everything.
pub(super) fn look(frame: &Frame, tell: &mut AnswerSink<'_>) {
    let repeated = BodyPart::ALL.into_iter().find_map(|part| frame.repeated(part));
    let sentinel = repeated.or_else(|| single_sentinel(frame));
    tell(InputDoubt::RepeatedValue, sentinel.is_some(), sentinel.unwrap_or_default());
    let seen = |part: BodyPart| frame.part(part).is_some();
    let hands = seen(BodyPart::LeftHand) || seen(BodyPart::RightHand);
    tell(InputDoubt::NoHands, !hands, [0.0; 2]);
    tell(InputDoubt::NoPerson, !BodyPart::ALL.into_iter().any(seen), [0.0; 2]);
    if hands {
        tell(InputDoubt::NoBody, !seen(BodyPart::Pose), [0.0; 2]);
    }
    if sentinel.is_some() && repeated.is_none() {
        return; // what else is odd follows from that
    }
    let anchors = Anchors::of(frame);
    image(&anchors, tell);
    upright(&anchors, tell);
    face(&anchors, tell);
    arms(&anchors, tell);
}

/// Is it in an image at all?
fn image(anchors: &Anchors, tell: &mut AnswerSink<'_>) {
    let face = anchors.face.as_ref().map(|face| face.nose);
    let hands = anchors.hands.iter().flatten().map(|[wrist, _]| *wrist);
    let all = anchors.nose.into_iter().chain(face).chain(hands);
    let reach = |p: &[f32; 2]| p[0].abs().max(p[1].abs());
    if let Some(furthest) = all.max_by(|a, b| reach(a).total_cmp(&reach(b))) {
        tell(InputDoubt::Pixels, reach(&furthest) > OUTSIDE, furthest);
    }
}

/// Is the head where heads are?
fn upright(anchors: &Anchors, tell: &mut AnswerSink<'_>) {
    let (Some(nose), Some([left, right])) = (anchors.nose, anchors.shoulders) else { return };
    let middle = [0, 1].map(|d| (left[d] + right[d]) / 2.0);
    // -1 to 1 around the image's middle puts half of the body left of the image and the head above it.
    let centred = nose[1] < -0.05 && middle[0] < 0.25;
    let origin = nose == [0.0; 2];
    tell(InputDoubt::BodyRelative, middle[1] < TOP || centred || origin, middle);
    let beside = ((nose[0] - middle[0]) * anchors.aspect).abs();
    let upright = middle[1] - nose[1] > beside;
    tell(InputDoubt::NotUpright, !upright, nose);
    if let Some(face) = anchors.face.as_ref().filter(|_| upright) {
        // A person seen from behind has the shoulders this way round, but shows no face.
        let [right_cheek, left_cheek] = face.cheeks;
        let mirrored = left[0] < right[0] && left_cheek[0] < right_cheek[0];
        tell(InputDoubt::Mirrored, mirrored, left);
    }
}

fn face(anchors: &Anchors, tell: &mut AnswerSink<'_>) {
    let Some(face) = &anchors.face else { return };
    let height = anchors.apart(face.forehead, face.chin);
    let shape = anchors.apart(face.cheeks[0], face.cheeks[1]) / height;
    if shape.is_finite() {
        tell(InputDoubt::ImageShape, !FACE_SHAPES.contains(&shape), [shape, 0.0]);
    }
    if let Some(nose) = anchors.nose {
        let apart = anchors.apart(face.nose, nose) > FACE_APART * height;
        tell(InputDoubt::FaceApart, apart, face.nose);
    }
}

fn arms(anchors: &Anchors, tell: &mut AnswerSink<'_>) {
    for [wrist, _] in anchors.hands.iter().flatten() {
        tell(InputDoubt::HandRelative, *wrist == [0.0; 2], *wrist);
    }
    let ([Some(left), Some(right)], Some(shoulders)) = (anchors.wrists, anchors.shoulders) else {
        return;
    };
    let width = anchors.apart(shoulders[0], shoulders[1]);
    for (hand, [own, other]) in anchors.hands.iter().zip([[left, right], [right, left]]) {
        let Some([wrist, knuckle]) = *hand else { continue };
        let palm = anchors.apart(wrist, knuckle).max(SHORTEST_PALM * width);
        let [own, other] = [own, other].map(|place| anchors.apart(wrist, place));
        tell(InputDoubt::HandApart, own.min(other) > HAND_APART * palm, wrist);
        tell(InputDoubt::HandsExchanged, 2.0 * other < own, wrist);
    }
}

/// A point of the body or of a hand where no estimator puts one, but many a client what is missing. The
/// nose and the wrists of the hands are left out: they are where relative coordinates begin.
fn single_sentinel(frame: &Frame) -> Option<[f32; 2]> {
    let parts = [BodyPart::Pose, BodyPart::LeftHand, BodyPart::RightHand];
    let points = parts.into_iter().filter_map(|part| frame.part(part)).flat_map(|part| &part[1..]);
    let odd = |p: &&Landmark| p[0] == p[1] && SENTINELS.contains(&p[0]);
    points.into_iter().find(odd).map(|p| [p[0], p[1]])
}

fn place(p: &Landmark) -> Option<[f32; 2]> {
    (!is_missing(p)).then_some([p[0], p[1]])
}
