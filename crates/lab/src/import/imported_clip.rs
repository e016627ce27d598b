//! An imported clip: what a reader found in a file, with overrides and assumptions settled.

use super::assumption::ImportAssumption;
use super::correction;
use super::error::{ImportError, unexpected};
use super::limits::RECORDED_FPS;
use super::overrides::ImportOverrides;
use signd_core::frame::{Frame, Landmark, POINTS, SourceTime};
use signd_core::plausibility::{InputDoubt, USUAL_RATES};
use signd_core::wire::landmarks::MAX_SIDE;

/// What the cameras behind a kind of file mostly were. Taken where nothing is recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct AssumedCamera {
    /// Frames a second.
    fps: f64,
    /// Image width and height in pixels.
    size: (u32, u32),
}

/// Behind numpy arrays: recordings made for webcam tutorials.
pub(super) const WEBCAM: AssumedCamera = AssumedCamera { fps: 20.0, size: (640, 480) };

/// Behind the competition's parquet: a phone held upright.
pub(super) const PHONE: AssumedCamera = AssumedCamera { fps: 30.0, size: (1080, 1440) };

/// An imported recording: at least one frame, no infinite coordinate, missing points all `NaN`.
#[derive(Clone, Debug)]
pub struct ImportedClip {
    /// Frames a second, 0.1 to 1000.
    pub fps: f64,
    /// Image width in pixels, at least 1.
    pub width: u32,
    /// Image height in pixels, at least 1.
    pub height: u32,
    points: Vec<[Landmark; POINTS]>,
    /// What the file does not say, in the order in which it was missed.
    pub assumptions: Vec<ImportAssumption>,
    /// What is doubtful, each with an example for [`InputDoubt::found`].
    pub doubts: Vec<(InputDoubt, [f32; 2])>,
}

/// What a reader found in a file, before overrides and assumptions.
pub(super) struct RawClip {
    pub(super) points: Vec<[Landmark; POINTS]>,
    /// Frames a second as recorded. 0, `NaN` or `None` where not.
    pub(super) fps: Option<f64>,
    /// Width and height in pixels as recorded. 0 or `None` where not.
    pub(super) size: Option<(u32, u32)>,
    /// What is taken for granted where neither is.
    pub(super) camera: AssumedCamera,
    pub(super) assumptions: Vec<ImportAssumption>,
}

impl ImportedClip {
    /// Number of frames, 1 to [`MAX_FRAMES`](super::MAX_FRAMES).
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// The 543 points of each frame.
    pub fn points(&self) -> &[[Landmark; POINTS]] {
        &self.points
    }

    /// The clip as a stream that begins at `start`: `seq` from 0, frames `1/fps` apart, each time
    /// rounded by itself so that the rounding does not add up.
    pub fn frames(&self, start: SourceTime) -> impl Iterator<Item = Frame> + '_ {
        self.points.iter().zip(0u64..).map(move |(points, seq)| {
            let mut frame = Frame::default();
            let after = (seq as f64 * 1e9 / self.fps).round() as u64;
            frame.seq = seq;
            frame.t = SourceTime(start.0.saturating_add(after));
            frame.width = self.width;
            frame.height = self.height;
            frame.set_points(points);
            frame
        })
    }

    /// Settles rate and size (override, else recorded, else assumed) and checks every point.
    pub(super) fn settle(
        raw: RawClip,
        overrides: &ImportOverrides,
    ) -> Result<ImportedClip, ImportError> {
        let RawClip { mut points, fps, size, camera, mut assumptions } = raw;
        if points.is_empty() {
            return Err(ImportError::Empty);
        }
        let recorded = fps.filter(|fps| *fps > 0.0);
        let fps = overrides.fps.or(recorded).unwrap_or_else(|| {
            assumptions.push(ImportAssumption::FrameRate { fps: camera.fps });
            camera.fps
        });
        match overrides.fps {
            Some(found) if !(0.1..=1000.0).contains(&found) => {
                return Err(ImportError::FrameRate { found });
            }
            None if !RECORDED_FPS.contains(&fps) => {
                return Err(ImportError::RecordedRate { found: fps });
            }
            _ => {}
        }
        if let Some((w, h)) = overrides.size.or(size).filter(|(w, h)| *w.max(h) > MAX_SIDE) {
            let most = format!("at most {MAX_SIDE} pixels a side");
            return Err(unexpected("image size", most, format!("{w}x{h}")));
        }
        let size = overrides.size.or(size).filter(|(width, height)| *width > 0 && *height > 0);
        if overrides.pixels && size.is_none() {
            return Err(ImportError::PixelsWithoutSize);
        }
        let (width, height) = size.unwrap_or_else(|| {
            let (width, height) = camera.size;
            assumptions.push(ImportAssumption::ImageSize { width, height });
            camera.size
        });
        correction::find_missing(&mut points, overrides, (width, height), &mut assumptions)?;
        correction::clean(&mut points)?;
        correction::convert(&mut points, overrides, (width, height));
        let mut doubts = correction::judge(&points, (width, height), overrides)?;
        if overrides.fps.is_none() && !USUAL_RATES.contains(&fps) {
            doubts.push((InputDoubt::FrameRate, [fps as f32, 0.0]));
        }
        Ok(ImportedClip { fps, width, height, points, assumptions, doubts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::frame::BodyPart;

    /// Every point at a place of its own.
    fn somewhere() -> [Landmark; POINTS] {
        std::array::from_fn(|i| [0.5 + 1e-4 * i as f32, 0.5, 0.0])
    }

    fn raw(fps: Option<f64>, size: Option<(u32, u32)>) -> RawClip {
        RawClip { points: vec![somewhere(); 3], fps, size, camera: WEBCAM, assumptions: Vec::new() }
    }

    #[test]
    fn an_override_beats_the_record_and_the_record_beats_the_assumption() {
        let given =
            ImportOverrides { fps: Some(50.0), size: Some((8, 4)), ..ImportOverrides::default() };
        let clip = ImportedClip::settle(raw(Some(25.0), Some((320, 240))), &given).unwrap();
        assert_eq!((clip.fps, clip.width, clip.height), (50.0, 8, 4));

        let clip =
            ImportedClip::settle(raw(Some(25.0), Some((320, 240))), &ImportOverrides::default())
                .unwrap();
        assert_eq!((clip.fps, clip.width, clip.height), (25.0, 320, 240));
        assert_eq!(clip.assumptions, []);
    }

    #[test]
    fn what_is_not_recorded_is_assumed_and_said() {
        let nothing = [raw(None, None), raw(Some(0.0), Some((0, 480))), raw(Some(f64::NAN), None)];
        for raw in nothing {
            let clip = ImportedClip::settle(raw, &ImportOverrides::default()).unwrap();
            assert_eq!((clip.fps, clip.width, clip.height), (20.0, 640, 480));
            let said: Vec<String> =
                clip.assumptions.iter().map(ImportAssumption::to_string).collect();
            let frame_rate = "frame rate not recorded: taken as 20 a second";
            assert_eq!(said, [frame_rate, "image size not recorded: taken as 640x480"]);
        }
    }

    #[test]
    fn frames_are_evenly_spaced_without_drift() {
        let mut raw = raw(Some(30.0), None);
        // Four frames are too few to be judged.
        raw.points = vec![somewhere(); 4];
        let clip = ImportedClip::settle(raw, &ImportOverrides::default()).unwrap();
        let frames: Vec<Frame> = clip.frames(SourceTime(7)).collect();
        assert_eq!((frames.len(), clip.len()), (4, 4));
        assert_eq!((frames[0].seq, frames[0].t), (0, SourceTime(7)));
        assert_eq!((frames[1].seq, frames[1].t), (1, SourceTime(33_333_340)));
        assert_eq!(frames[3].t, SourceTime(100_000_007));
        assert_eq!((frames[3].width, frames[3].height), (640, 480));
        assert!(frames[3].part(BodyPart::Face).is_some());
    }

    #[test]
    fn half_a_point_is_missing_but_a_lacking_z_is_not() {
        let mut raw = raw(None, None);
        raw.points[1][0] = [f32::NAN, 0.5, 0.5];
        raw.points[1][1] = [0.5, 0.5, f32::NAN];
        let clip = ImportedClip::settle(raw, &ImportOverrides::default()).unwrap();
        assert!(clip.points()[1][0].iter().all(|v| v.is_nan()));
        assert_eq!(clip.points()[1][1][..2], [0.5, 0.5]);
    }

    #[test]
    fn an_infinite_coordinate_is_named() {
        for (far, found) in [(f32::INFINITY, "inf"), (-200_000.0, "-200000.0")] {
            let mut raw = raw(None, None);
            raw.points[2][BodyPart::Pose.range().start + 5] = [0.5, far, 0.5];
            let error =
                ImportedClip::settle(raw, &ImportOverrides::default()).unwrap_err().to_string();
            let expected =
                "frame 2, pose point 5: expected finite coordinates within 100000, found";
            assert!(error.starts_with(&format!("{expected} [0.5, {found}, 0.5]. ")), "{error}");
            assert!(error.contains("--missing"), "{error}");
        }
    }

    #[test]
    fn impossible_rates_are_refused() {
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
            let given = ImportOverrides { fps: Some(fps), ..ImportOverrides::default() };
            assert!(ImportedClip::settle(raw(None, None), &given).is_err(), "{fps}");
        }
        assert!(ImportedClip::settle(raw(Some(1e-9), None), &ImportOverrides::default()).is_err());
    }
}
