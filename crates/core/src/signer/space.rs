//! *Signer space*: origin between the shoulders, unit one shoulder width, x to the image's right,
//! y down.
//!
//! Shoulder width changes only with the distance to the camera, so it is smoothed slowly, and more
//! slowly still when it shrinks: a signer who turns looks narrower without having moved. The origin
//! follows quickly, because a shaking camera moves hands and shoulders alike.
//!
//! While the shoulders are hidden: the last known ones for a few seconds; else the face (ratios of
//! adults, measured on recordings); else the middle of the image.

use crate::frame::{BodyPart, Frame, Landmark, SourceTime, is_missing};

const ORIGIN_TAU_S: f64 = 0.1;
const GROW_TAU_S: f64 = 0.5;
const SHRINK_TAU_S: f64 = 3.0;
/// Shoulders hidden for longer than this are forgotten.
const HOLD_S: f64 = 5.0;
/// Narrower than this, in image heights, is an estimator's guess from far or from the side.
const NARROWEST: f32 = 0.02;

/// Shoulder width over face width (points 234 to 454): median of fluent signers, 80 % in 2.0..2.4.
const FACE_TO_SHOULDERS: f32 = 2.2;
/// The shoulders' middle below the chin, shoulder widths: median of the same.
const BELOW_CHIN: f32 = 0.29;

const LEFT_SHOULDER: usize = 11;
const RIGHT_SHOULDER: usize = 12;
const CHIN: usize = 152;
const FACE_SIDES: [usize; 2] = [234, 454];

/// Where a frame's signer space comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceSource {
    /// The shoulders of this frame.
    Shoulders,
    /// The shoulders as last seen, at most five seconds ago.
    Held,
    /// The face.
    Face,
    /// The image: nothing else was there.
    Image,
}

/// The signer space of one frame, in image heights (the image's aspect is undone first).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignerSpace {
    aspect: f32,
    origin: [f32; 2],
    unit: f32,
    /// Where origin and unit come from.
    pub source: SpaceSource,
}

impl SignerSpace {
    /// x and y of a landmark in shoulder widths; `NaN` stays `NaN`.
    #[must_use]
    pub fn place(&self, p: &Landmark) -> [f32; 2] {
        [(p[0] * self.aspect - self.origin[0]) / self.unit, (p[1] - self.origin[1]) / self.unit]
    }
}

/// Follows one stream's shoulders.
#[derive(Clone, Debug, Default)]
pub struct ShoulderTracker {
    smooth: Option<Smooth>,
}

#[derive(Clone, Copy, Debug)]
struct Smooth {
    t: SourceTime,
    origin: [f32; 2],
    unit: f32,
}

impl ShoulderTracker {
    /// The signer space of this frame.
    pub fn push(&mut self, frame: &Frame) -> SignerSpace {
        let aspect = frame.width as f32 / frame.height as f32;
        if let Some((origin, unit)) = seen(frame, aspect) {
            let smooth = self.follow(frame.t, origin, unit);
            let Smooth { origin, unit, .. } = smooth;
            return SignerSpace { aspect, origin, unit, source: SpaceSource::Shoulders };
        }
        match self.smooth {
            Some(Smooth { t, origin, unit }) if frame.t.seconds_since(t) <= HOLD_S => {
                SignerSpace { aspect, origin, unit, source: SpaceSource::Held }
            }
            _ => from_face(frame, aspect).unwrap_or(SignerSpace {
                aspect,
                origin: [0.5 * aspect, 0.6],
                unit: 0.4 * aspect.min(1.0),
                source: SpaceSource::Image,
            }),
        }
    }

    fn follow(&mut self, t: SourceTime, origin: [f32; 2], unit: f32) -> Smooth {
        let next = match self.smooth {
            Some(old) if t.seconds_since(old.t) <= HOLD_S => {
                let dt = t.seconds_since(old.t);
                let step = |from: f32, to: f32, tau: f64| from + (to - from) * blend(dt, tau);
                let tau = if unit > old.unit { GROW_TAU_S } else { SHRINK_TAU_S };
                Smooth {
                    t,
                    origin: [0, 1].map(|i| step(old.origin[i], origin[i], ORIGIN_TAU_S)),
                    unit: step(old.unit, unit, tau),
                }
            }
            _ => Smooth { t, origin, unit },
        };
        self.smooth = Some(next);
        next
    }
}

/// Share of the way that first-order smoothing goes in `dt` seconds.
fn blend(dt: f64, tau: f64) -> f32 {
    (1.0 - (-dt / tau).exp()) as f32
}

fn seen(frame: &Frame, aspect: f32) -> Option<([f32; 2], f32)> {
    let pose = frame.part(BodyPart::Pose)?;
    span(&pose[LEFT_SHOULDER], &pose[RIGHT_SHOULDER], aspect)
}

fn from_face(frame: &Frame, aspect: f32) -> Option<SignerSpace> {
    let face = frame.part(BodyPart::Face)?;
    let (_, width) = span(&face[FACE_SIDES[0]], &face[FACE_SIDES[1]], aspect)?;
    let chin = &face[CHIN];
    let unit = width * FACE_TO_SHOULDERS;
    let origin = [chin[0] * aspect, chin[1] + BELOW_CHIN * unit];
    (!is_missing(chin)).then_some(SignerSpace { aspect, origin, unit, source: SpaceSource::Face })
}

/// Middle and length between two landmarks, in image heights.
fn span(a: &Landmark, b: &Landmark, aspect: f32) -> Option<([f32; 2], f32)> {
    let (ax, bx) = (a[0] * aspect, b[0] * aspect);
    let length = (ax - bx).hypot(a[1] - b[1]);
    // `NaN` fails the comparison as well.
    (length > NARROWEST).then_some(([(ax + bx) / 2.0, (a[1] + b[1]) / 2.0], length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(ms: u64, shoulders: Option<(f32, f32)>) -> Frame {
        let mut frame = Frame::new(0, SourceTime(ms * 1_000_000), 200, 100);
        if let Some((l, r)) = shoulders {
            let pose = frame.detect(BodyPart::Pose);
            pose[LEFT_SHOULDER] = [l, 0.5, 0.0];
            pose[RIGHT_SHOULDER] = [r, 0.5, 0.0];
        }
        frame
    }

    #[test]
    fn one_shoulder_width_is_one_and_the_aspect_is_undone() {
        let space = ShoulderTracker::default().push(&frame(0, Some((0.6, 0.4))));
        assert_eq!(space.source, SpaceSource::Shoulders);
        let [x, y] = space.place(&[0.6, 0.9, 0.0]);
        // 0.2 of 200 pixels across is 0.4 of 100 pixels down.
        assert!((x - 0.5).abs() < 1e-5 && (y - 1.0).abs() < 1e-5, "{x} {y}");
    }

    #[test]
    fn turning_sideways_shrinks_the_unit_slowly() {
        let mut shoulders = ShoulderTracker::default();
        shoulders.push(&frame(0, Some((0.6, 0.4))));
        let turned = (1..=15).map(|i| shoulders.push(&frame(i * 33, Some((0.52, 0.48))))).last();
        assert!(turned.is_some_and(|s| s.unit > 0.34), "{turned:?}");
    }

    #[test]
    fn hidden_shoulders_are_held_then_taken_from_the_face_then_from_the_image() {
        let mut shoulders = ShoulderTracker::default();
        let first = shoulders.push(&frame(0, Some((0.6, 0.4))));
        let held = shoulders.push(&frame(1000, None));
        assert_eq!(
            (held.source, held.unit, held.origin),
            (SpaceSource::Held, first.unit, first.origin)
        );

        let mut face = frame(7000, None);
        let points = face.detect(BodyPart::Face);
        points[234] = [0.45, 0.3, 0.0];
        points[454] = [0.55, 0.3, 0.0];
        points[CHIN] = [0.5, 0.4, 0.0];
        let from_face = shoulders.push(&face);
        assert_eq!(from_face.source, SpaceSource::Face);
        assert!((from_face.unit - 0.44).abs() < 1e-5);

        assert_eq!(shoulders.push(&frame(7033, None)).source, SpaceSource::Image);
    }
}
