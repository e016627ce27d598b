//! A *landmark frame*: what a pose estimator saw in one camera image.
//!
//! The layout is MediaPipe Holistic's: 543 points in four *parts* (face, left hand, pose, right
//! hand). An estimator may not find a part at all, and a found part may lack single points. Both
//! are `NaN` here and never zero: a forgotten check then poisons a result instead of bending it.

use std::ops::Range;

use serde::Serialize;

/// x, y, z of one landmark: x in image widths, y in image heights (both 0..1 inside the image, but
/// not bounded to it), z as the estimator gives it. `NaN` in all three when missing.
pub type Landmark = [f32; 3];

/// Farthest coordinate accepted, in image widths or heights to either side. Estimators guess hands outside
/// the image, and some clients send pixels; what is farther is damage, and as bad as infinity.
pub const FARTHEST: f32 = 1e5;

/// Points in one frame, all parts together.
pub const POINTS: usize = 543;

/// One of the four groups of landmarks that an estimator finds or misses as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyPart {
    /// The face mesh without irises, 468 points.
    Face,
    /// The signer's own left hand, 21 points.
    LeftHand,
    /// The body, 33 points.
    Pose,
    /// The signer's own right hand, 21 points.
    RightHand,
}

impl BodyPart {
    /// All parts in the order in which their points lie in a frame.
    pub const ALL: [BodyPart; 4] =
        [BodyPart::Face, BodyPart::LeftHand, BodyPart::Pose, BodyPart::RightHand];

    /// Where this part's points lie among a frame's 543.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        match self {
            BodyPart::Face => 0..468,
            BodyPart::LeftHand => 468..489,
            BodyPart::Pose => 489..522,
            BodyPart::RightHand => 522..543,
        }
    }

    /// The key of this part on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            BodyPart::Face => "face",
            BodyPart::LeftHand => "left_hand",
            BodyPart::Pose => "pose",
            BodyPart::RightHand => "right_hand",
        }
    }
}

/// One of the signer's own hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// The signer's left hand.
    Left,
    /// The signer's right hand.
    Right,
}

impl Hand {
    /// The other hand.
    #[must_use]
    pub fn other(self) -> Hand {
        match self {
            Hand::Left => Hand::Right,
            Hand::Right => Hand::Left,
        }
    }
}

/// Capture time by the camera's clock: nanoseconds since the Unix epoch, from the wire at most
/// [`i64::MAX`]. All durations of the
/// pipeline (hysteresis, segment lengths, speeds) are differences of this clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceTime(pub u64);

impl SourceTime {
    /// Seconds from `earlier` to `self`; negative when `earlier` is the later one.
    #[must_use]
    pub fn seconds_since(self, earlier: SourceTime) -> f64 {
        let ns = i128::from(self.0) - i128::from(earlier.0);
        ns as f64 * 1e-9
    }
}

/// When a frame reached this machine, by its own clock: nanoseconds since the Unix epoch. Recorded
/// with the frame, so that a replay knows it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArrivalTime(pub u64);

/// One landmark frame, owned; its buffer is reused from frame to frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Number of the frame in its stream, +1 per frame captured.
    pub seq: u64,
    /// Capture time.
    pub t: SourceTime,
    /// Image width in pixels, at least 1.
    pub width: u32,
    /// Image height in pixels, at least 1.
    pub height: u32,
    points: Box<[Landmark; POINTS]>,
    detected: [bool; 4],
    repeated: [Option<[f32; 2]>; 4],
}

impl Default for Frame {
    fn default() -> Self {
        Frame {
            seq: 0,
            t: SourceTime(0),
            width: 1,
            height: 1,
            points: Box::new([[f32::NAN; 3]; POINTS]),
            detected: [false; 4],
            repeated: [None; 4],
        }
    }
}

impl Frame {
    /// A frame in which nothing has been found yet.
    #[must_use]
    pub fn new(seq: u64, t: SourceTime, width: u32, height: u32) -> Self {
        Frame { seq, t, width, height, ..Frame::default() }
    }

    /// The points of a part, or `None` when the estimator did not find it.
    #[must_use]
    pub fn part(&self, part: BodyPart) -> Option<&[Landmark]> {
        self.detected[part as usize].then(|| &self.points[part.range()])
    }

    /// All 543 points, `NaN` where missing.
    #[must_use]
    pub fn points(&self) -> &[Landmark; POINTS] {
        &self.points
    }

    /// Marks a part as found and hands out its points to be filled in.
    pub fn detect(&mut self, part: BodyPart) -> &mut [Landmark] {
        self.detected[part as usize] = true;
        self.repeated[part as usize] = None;
        &mut self.points[part.range()]
    }

    /// Marks a part as not found; its points become `NaN`.
    pub fn miss(&mut self, part: BodyPart) {
        self.detected[part as usize] = false;
        self.repeated[part as usize] = None;
        self.points[part.range()].fill([f32::NAN; 3]);
    }

    /// Where all points of a part lay that is taken for not found because of it; see
    /// [`Frame::miss_repeated`].
    #[must_use]
    pub fn repeated(&self, part: BodyPart) -> Option<[f32; 2]> {
        self.repeated[part as usize]
    }

    /// Marks a part as not found if all its points lie at one place: no estimator gives that, and
    /// many a client writes 0 or -1 for what is missing.
    pub fn miss_repeated(&mut self, part: BodyPart) {
        if let Some(place) = one_place(&self.points[part.range()]) {
            self.miss(part);
            self.repeated[part as usize] = Some(place);
        }
    }

    /// Takes all 543 points at once; a part in which every point is `NaN` counts as not found.
    pub fn set_points(&mut self, points: &[Landmark; POINTS]) {
        self.points.copy_from_slice(points);
        self.repeated = [None; 4];
        for part in BodyPart::ALL {
            self.detected[part as usize] = points[part.range()].iter().any(|p| !is_missing(p));
        }
    }
}

/// Whether a landmark is missing: x or y is `NaN` (an estimator may lack z alone).
#[must_use]
pub fn is_missing<const AXES: usize>(p: &[f32; AXES]) -> bool {
    p[0].is_nan() || p[1].is_nan()
}

/// The place of all these points, if they have but one.
#[must_use]
pub fn one_place(points: &[Landmark]) -> Option<[f32; 2]> {
    let &[x, y, _] = points.first()?;
    points.iter().all(|p| p[0] == x && p[1] == y).then_some([x, y])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_tile_the_frame_in_order() {
        let mut next = 0;
        for part in BodyPart::ALL {
            assert_eq!(part.range().start, next);
            next = part.range().end;
        }
        assert_eq!(next, POINTS);
    }

    #[test]
    fn a_part_that_is_all_nan_is_not_detected() {
        let mut points = [[f32::NAN; 3]; POINTS];
        points[BodyPart::Pose.range().start] = [0.5, 0.5, f32::NAN];
        let mut frame = Frame::default();
        frame.set_points(&points);
        assert!(frame.part(BodyPart::Pose).is_some());
        assert!(frame.part(BodyPart::LeftHand).is_none());
        frame.miss(BodyPart::Pose);
        assert!(frame.points().iter().all(is_missing));
    }
}
