//! The image of the camera that sees composed streams.

use signd_core::frame::BodyPart;

use crate::streams::track::{LandmarkSet, NO_LANDMARKS};

/// Width and height in pixels.
pub const SIZE: (u32, u32) = (1280, 720);

/// A hand of which most is outside the image is not seen.
pub(super) fn hide_outside(points: &mut LandmarkSet) {
    let width = SIZE.0 as f32 / SIZE.1 as f32;
    for hand in [BodyPart::LeftHand, BodyPart::RightHand] {
        let hand = &mut points[hand.range()];
        let inside = |p: &&[f32; 3]| (0.0..width).contains(&p[0]) && (0.0..1.0).contains(&p[1]);
        if 2 * hand.iter().filter(inside).count() <= hand.len() {
            hand.fill(NO_LANDMARKS[0]);
        }
    }
}
