//! Landmarks between two poses.
//!
//! They follow a minimum-jerk path (Flash and Hogan, *J. Neurosci.* 5, 1985) and take as long as hands
//! do. A hand that only one of the poses shows keeps its shape and goes with the wrist of the body
//! model.

use signd_core::frame::{BodyPart, is_missing};

use super::rest::WRISTS;
use crate::streams::track::{LandmarkSet, SignerPlacement, mix, palm};

/// Time for a way: this, and this for each shoulder width, s. Hands in real sentences fall by 1.4
/// shoulder widths in 0.25 to 0.35 s, at up to 8 a second.
const TRANSITION_S: (f64, f64) = (0.2, 0.1);
/// Longest way, s.
const LONGEST_S: f64 = 0.6;

/// How long hands take from one pose to the other, s.
pub(super) fn duration(from: &LandmarkSet, to: &LandmarkSet, body: &SignerPlacement) -> f64 {
    let (least, each) = TRANSITION_S;
    (least + each * f64::from(distance(from, to, body))).min(LONGEST_S)
}

/// Share of the way done after a share `u` of the time.
pub(super) fn minimum_jerk(u: f32) -> f32 {
    u * u * u * (10.0 - 15.0 * u + 6.0 * u * u)
}

/// The longer of both wrists' ways, shoulder widths.
fn distance(from: &LandmarkSet, to: &LandmarkSet, body: &SignerPlacement) -> f32 {
    let ways =
        [BodyPart::LeftHand, BodyPart::RightHand].iter().zip(WRISTS).filter_map(|(hand, wrist)| {
            let at = |points: &LandmarkSet| palm(points, *hand).or(wrist_of(points, wrist));
            let (a, b) = (at(from)?, at(to)?);
            Some((a[0] - b[0]).hypot(a[1] - b[1]) / body.width)
        });
    ways.fold(0.0, f32::max)
}

pub(super) fn wrist_of(points: &LandmarkSet, wrist: usize) -> Option<[f32; 2]> {
    let p = points[BodyPart::Pose.range()][wrist];
    (!is_missing(&p)).then_some([p[0], p[1]])
}

/// A moment on the way, `u` of it done.
pub(super) fn between(
    from: &LandmarkSet,
    to: &LandmarkSet,
    body: &SignerPlacement,
    u: f32,
) -> LandmarkSet {
    let mut out = mix(from, to, u);
    for part in [BodyPart::Face, BodyPart::Pose] {
        for i in part.range() {
            // What one end lacks is taken from the other.
            if is_missing(&out[i]) {
                out[i] = if is_missing(&from[i]) { to[i] } else { from[i] };
            }
        }
    }
    for (hand, wrist) in [BodyPart::LeftHand, BodyPart::RightHand].into_iter().zip(WRISTS) {
        let (shape, done) = match (palm(from, hand), palm(to, hand)) {
            (Some(_), None) => (from, u),
            (None, Some(_)) => (to, 1.0 - u),
            _ => continue,
        };
        // It leaves along the wrist's way, or straight down where the body model has no wrist.
        let step = match (wrist_of(shape, wrist), wrist_of(&out, wrist)) {
            (Some(own), Some(now))
                if wrist_of(from, wrist).is_some() && wrist_of(to, wrist).is_some() =>
            {
                [0, 1].map(|d| now[d] - own[d])
            }
            _ => [0.0, 1.5 * body.width * done],
        };
        for i in hand.range() {
            let [x, y, z] = shape[i];
            out[i] = [x + step[0], y + step[1], z];
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::streams::compose::image::hide_outside;
    use crate::streams::track::NO_LANDMARKS;

    /// A signer whose right palm is `height` shoulder widths below the shoulders, or not seen.
    pub fn pose(height: f32, seen: bool) -> LandmarkSet {
        let mut points = NO_LANDMARKS;
        let pose = BodyPart::Pose.range().start;
        points[pose + 11] = [1.0, 0.4, 0.0];
        points[pose + 12] = [0.8, 0.4, 0.0];
        points[pose + 15] = [1.0, 0.9, 0.0];
        points[pose + 16] = [0.8, 0.4 + 0.2 * height, 0.0];
        if seen {
            points[BodyPart::RightHand.range()].fill([0.8, 0.4 + 0.2 * height, 0.0]);
        }
        points
    }

    #[test]
    fn a_hand_leaves_the_image_along_its_wrist() {
        let (up, down) = (pose(0.0, true), pose(4.0, false));
        let body = SignerPlacement { middle: [0.9, 0.4], width: 0.2 };
        let height = |u| {
            let mut points = between(&up, &down, &body, u);
            hide_outside(&mut points);
            palm(&points, BodyPart::RightHand).map(|p| p[1])
        };
        assert!((height(0.5).expect("seen") - 0.8).abs() < 1e-5);
        assert_eq!(height(0.9), None, "below the image");
        let back = between(&down, &up, &body, 0.5);
        assert!((palm(&back, BodyPart::RightHand).expect("seen")[1] - 0.8).abs() < 1e-5);
    }
}
