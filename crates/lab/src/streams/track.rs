//! Landmarks over time, without a camera or a frame rate. Streams are composed of them.
//!
//! Coordinates are in image heights on both axes. Moving, scaling and joining recordings of different
//! shapes is then plain geometry. A frame of any rate is read off by its capture time.

use signd_core::frame::{BodyPart, Frame, Landmark, POINTS, is_missing};

/// All landmarks of a moment, in image heights, `NaN` where missing.
pub type LandmarkSet = [Landmark; POINTS];

/// Nothing found.
pub const NO_LANDMARKS: LandmarkSet = [[f32::NAN; 3]; POINTS];

/// Landmarks at rising times.
#[derive(Clone, Debug, Default)]
pub struct LandmarkTrack {
    /// Seconds.
    pub t: Vec<f64>,
    /// The landmarks at each.
    pub points: Vec<LandmarkSet>,
}

impl LandmarkTrack {
    /// The track of a recording, its first frame at 0 s.
    pub fn of(frames: &[Frame]) -> LandmarkTrack {
        let mut track = LandmarkTrack::default();
        for frame in frames {
            let aspect = frame.width as f32 / frame.height as f32;
            let points = frame.points().map(|[x, y, z]| [x * aspect, y, z * aspect]);
            track.push(frame.t.seconds_since(frames[0].t), points);
        }
        track
    }

    /// Appends a moment, later than all before.
    pub fn push(&mut self, t: f64, points: LandmarkSet) {
        self.t.push(t);
        self.points.push(points);
    }

    /// From the first to the last moment, seconds.
    pub fn length(&self) -> f64 {
        self.t.last().zip(self.t.first()).map_or(0.0, |(last, first)| last - first)
    }

    /// The landmarks at a time: linear between the moments around it, missing where one of them
    /// lacks the landmark. Before the first moment and after the last one it is theirs.
    pub fn at(&self, t: f64) -> LandmarkSet {
        let after = self.t.partition_point(|x| *x < t - SAME_S);
        let Some(b) = self.points.get(after) else {
            return self.points.last().copied().unwrap_or(NO_LANDMARKS);
        };
        if after == 0 || self.t[after] - t < SAME_S {
            return *b;
        }
        let (a, before) = (&self.points[after - 1], self.t[after - 1]);
        mix(a, b, ((t - before) / (self.t[after] - before)) as f32)
    }
}

/// Times closer than this are the same moment: frame times are rounded.
const SAME_S: f64 = 1e-6;

/// Linear between two moments, `u` in 0..1. Missing where either is.
pub fn mix(a: &LandmarkSet, b: &LandmarkSet, u: f32) -> LandmarkSet {
    let mut out = NO_LANDMARKS;
    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
        *out = std::array::from_fn(|d| a[d] + (b[d] - a[d]) * u);
    }
    out
}

/// Where a signer is in the image: the middle of the shoulders and their width, image heights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignerPlacement {
    /// The middle.
    pub middle: [f32; 2],
    /// The width, above 0.
    pub width: f32,
}

const SHOULDERS: [usize; 2] = [11, 12];
/// Narrower is an estimator's guess.
const NARROWEST: f32 = 0.02;

impl SignerPlacement {
    /// The median over a recording. None when the shoulders are never seen.
    pub fn of(track: &LandmarkTrack) -> Option<SignerPlacement> {
        let mut seen: [Vec<f32>; 3] = Default::default();
        for points in &track.points {
            let pose = &points[BodyPart::Pose.range()];
            let [a, b] = SHOULDERS.map(|i| pose[i]);
            let width = (a[0] - b[0]).hypot(a[1] - b[1]);
            if width >= NARROWEST {
                let found = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0, width];
                seen.iter_mut().zip(found).for_each(|(all, x)| all.push(x));
            }
        }
        let median = |mut all: Vec<f32>| {
            all.sort_by(f32::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let [x, y, width] = seen.map(median);
        Some(SignerPlacement { middle: [x?, y?], width: width? })
    }

    /// A place relative to the body, in shoulder widths, y down.
    pub fn place(&self, p: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|d| (p[d] - self.middle[d]) / self.width)
    }

    /// Moves and scales landmarks so that this body becomes that one.
    pub fn move_to(&self, that: &SignerPlacement, points: &LandmarkSet) -> LandmarkSet {
        let scale = that.width / self.width;
        points.map(|[x, y, z]| {
            let [x, y] = [(x, 0), (y, 1)]
                .map(|(v, d): (f32, usize)| that.middle[d] + (v - self.middle[d]) * scale);
            [x, y, z * scale]
        })
    }
}

/// The middle of the palm: wrist, and the knuckles of index and little finger. None when missing.
pub fn palm(points: &LandmarkSet, hand: BodyPart) -> Option<[f32; 2]> {
    let hand = &points[hand.range()];
    let palm = [hand[0], hand[5], hand[17]];
    if palm.iter().any(is_missing) {
        return None;
    }
    Some([0, 1].map(|d| palm.iter().map(|p| p[d]).sum::<f32>() / 3.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_nose(x: f32) -> LandmarkSet {
        let mut points = NO_LANDMARKS;
        points[BodyPart::Pose.range().start] = [x, 0.5, 0.0];
        points
    }

    #[test]
    fn between_two_moments_linear_and_missing_where_one_is() {
        let mut track = LandmarkTrack::default();
        track.push(0.0, with_nose(0.0));
        track.push(1.0, with_nose(1.0));
        track.push(2.0, NO_LANDMARKS);
        let nose = |t: f64| track.at(t)[BodyPart::Pose.range().start][0];
        assert_eq!([-1.0, 0.0, 0.25, 1.0].map(nose), [0.0, 0.0, 0.25, 1.0]);
        assert!(nose(1.5).is_nan() && nose(3.0).is_nan());
        assert_eq!(track.length(), 2.0);
    }

    #[test]
    fn a_body_becomes_another() {
        let mut points = NO_LANDMARKS;
        let pose = BodyPart::Pose.range().start;
        points[pose + 11] = [0.4, 0.5, 0.0];
        points[pose + 12] = [0.6, 0.5, 0.0];
        points[pose + 15] = [0.4, 0.7, 0.1];
        let mut track = LandmarkTrack::default();
        track.push(0.0, points);
        let here = SignerPlacement::of(&track).expect("shoulders");
        assert!((here.width - 0.2).abs() < 1e-6);
        let there = SignerPlacement { middle: [1.0, 0.4], width: 0.4 };
        let moved = here.move_to(&there, &points);
        let near = |a: Landmark, b: Landmark| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near(moved[pose + 15], [0.8, 0.8, 0.2]), "{:?}", moved[pose + 15]);
        let wrist = |points: &LandmarkSet, body: &SignerPlacement| {
            body.place([points[pose + 15][0], points[pose + 15][1]])
        };
        let (a, b) = (wrist(&points, &here), wrist(&moved, &there));
        assert!((a[0] - b[0]).abs() < 1e-5 && (a[1] - b[1]).abs() < 1e-5);
        assert_eq!(SignerPlacement::of(&LandmarkTrack::default()), None);
    }
}
