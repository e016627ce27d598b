//! The exact mirror image of a frame: the same signing with the other hand.

use signd_core::frame::{BodyPart, Frame, Landmark};

/// Pairs of the body model: the signer's left and right of everything.
const POSE: [[usize; 2]; 16] = [
    [1, 4],
    [2, 5],
    [3, 6],
    [7, 8],
    [9, 10],
    [11, 12],
    [13, 14],
    [15, 16],
    [17, 18],
    [19, 20],
    [21, 22],
    [23, 24],
    [25, 26],
    [27, 28],
    [29, 30],
    [31, 32],
];

/// Pairs of the face mesh, as far as any feature looks at it: lips, nostrils, eyes, ears.
const FACE: [[usize; 2]; 36] = [
    [61, 291],
    [146, 375],
    [91, 321],
    [181, 405],
    [84, 314],
    [185, 409],
    [40, 270],
    [39, 269],
    [37, 267],
    [78, 308],
    [95, 324],
    [88, 318],
    [178, 402],
    [87, 317],
    [191, 415],
    [80, 310],
    [81, 311],
    [82, 312],
    [98, 327],
    [33, 263],
    [7, 249],
    [163, 390],
    [144, 373],
    [145, 374],
    [153, 380],
    [154, 381],
    [155, 382],
    [133, 362],
    [246, 466],
    [161, 388],
    [160, 387],
    [159, 386],
    [158, 385],
    [157, 384],
    [173, 398],
    [234, 454],
];

/// The mirror image.
pub fn mirrored(frame: &Frame) -> Frame {
    let mut image = Frame::new(frame.seq, frame.t, frame.width, frame.height);
    for (part, of, pairs) in [
        (BodyPart::Face, BodyPart::Face, &FACE[..]),
        (BodyPart::Pose, BodyPart::Pose, &POSE[..]),
        (BodyPart::LeftHand, BodyPart::RightHand, &[]),
        (BodyPart::RightHand, BodyPart::LeftHand, &[]),
    ] {
        let Some(source) = frame.part(of) else { continue };
        let points = image.detect(part);
        let flip = |p: &Landmark| [1.0 - p[0], p[1], p[2]];
        points.iter_mut().zip(source).for_each(|(point, p)| *point = flip(p));
        for [a, b] in pairs {
            points.swap(*a, *b);
        }
    }
    image
}
