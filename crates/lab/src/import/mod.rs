//! Reads other people's landmark files into frames.
//!
//! A *clip* is a recording in which frame follows frame at an even rate; it has no clock of its
//! own, so its frames get their times from a start and the frame rate. Four kinds of file are
//! read: the parquet of Google's isolated-sign competition, `.pose` of sign-language-processing,
//! and plain or packed numpy arrays. What a file does not say is assumed, and every assumption is
//! listed for the user to see. Files are taken to be hostile: sizes are checked against the bytes
//! that are there before memory is asked for.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use signd_core::frame::{Frame, POINTS, Point, SourceTime};
use signd_core::plausibility::order::PartOrder;
use signd_core::plausibility::{InputDoubt, USUAL_RATES};
use signd_core::wire::landmarks::MAX_SIDE;
use signd_engine::file_kind;

mod amend;
mod error;
mod layout;
mod npy;
mod numpy;
mod parquet;
mod pose;

pub use error::ImportError;

/// Most frames in one clip, an hour at 30 a second: 700 MB of points.
pub const MAX_FRAMES: usize = 108_000;

/// Frames a second that a file can be right about. `.pose` files made from WebM say 1000.
const RECORDED_FPS: RangeInclusive<f64> = 1.0..=480.0;

/// Largest `.pose` file, in bytes: `MAX_FRAMES` with two people of 586 points each.
const MAX_POSE_BYTES: u64 = 2 << 30;

/// What the cameras behind a kind of file mostly were; taken where nothing is recorded.
#[derive(Clone, Copy, Debug)]
struct Camera {
    /// Frames a second.
    fps: f64,
    /// Image width and height in pixels.
    size: (u32, u32),
}

/// Behind numpy arrays: recordings made for webcam tutorials.
const WEBCAM: Camera = Camera { fps: 20.0, size: (640, 480) };

/// Behind the competition's parquet: a phone held upright.
const PHONE: Camera = Camera { fps: 30.0, size: (1080, 1440) };

/// What the user knows better than the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Frames a second, 0.1 to 1000.
    pub fps: Option<f64>,
    /// Image width and height in pixels, each at least 1. In a `.pose` file it is also what the
    /// coordinates are divided by.
    pub size: Option<(u32, u32)>,
    /// Points whose x and y are this value are missing.
    pub missing: Option<f32>,
    /// The coordinates are pixels.
    pub pixels: bool,
    /// x was mirrored after the estimator.
    pub mirrored: bool,
    /// In which order the parts lie in an array; the usual one if not given.
    pub order: Option<PartOrder>,
}

/// Something taken for granted that the file does not say; its `Display` is for the user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Assumption {
    /// No frame rate.
    FrameRate {
        /// Frames a second.
        fps: f64,
    },
    /// No image size.
    ImageSize {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Several people: the first is the signer.
    FirstPerson {
        /// People in the file.
        people: u16,
    },
    /// Frame numbers that leave some out: the frames there are follow evenly all the same.
    Gaps {
        /// Numbers left out between the first and the last.
        missing: u64,
    },
    /// A part whose points all lie at one place.
    RepeatedValue {
        /// Its name, as on the wire.
        part: &'static str,
        /// In how many frames.
        frames: usize,
        /// x and y, in the first of them.
        place: [f32; 2],
    },
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assumption::FrameRate { fps } => {
                write!(f, "frame rate not recorded: taken as {fps} a second")
            }
            Assumption::ImageSize { width, height } => {
                write!(f, "image size not recorded: taken as {width}x{height}")
            }
            Assumption::FirstPerson { people } => {
                write!(f, "{people} people recorded: the first taken for the signer")
            }
            Assumption::Gaps { missing } => {
                write!(f, "{missing} frame numbers left out: the frames taken as evenly spaced")
            }
            Assumption::RepeatedValue { part, frames, place: [x, y] } => {
                write!(
                    f,
                    "{part}: all points at one place in {frames} frames, as {x}, {y}: taken as not detected"
                )
            }
        }
    }
}

/// An imported recording: at least one frame, no infinite coordinate, missing points all `NaN`.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Frames a second, 0.1 to 1000.
    pub fps: f64,
    /// Image width in pixels, at least 1.
    pub width: u32,
    /// Image height in pixels, at least 1.
    pub height: u32,
    points: Vec<[Point; POINTS]>,
    /// What the file does not say, in the order in which it was missed.
    pub assumed: Vec<Assumption>,
    /// What is doubtful, each with an example for [`InputDoubt::found`].
    pub doubts: Vec<(InputDoubt, [f32; 2])>,
}

/// What a reader found in a file, before overrides and assumptions.
struct Raw {
    points: Vec<[Point; POINTS]>,
    /// Frames a second as recorded; 0, `NaN` or `None` where not.
    fps: Option<f64>,
    /// Width and height in pixels as recorded; 0 or `None` where not.
    size: Option<(u32, u32)>,
    /// What is taken for granted where neither is.
    camera: Camera,
    assumed: Vec<Assumption>,
}

impl Clip {
    /// Number of frames, 1 to [`MAX_FRAMES`].
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// The 543 points of each frame.
    pub fn points(&self) -> &[[Point; POINTS]] {
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
    fn settle(raw: Raw, overrides: &Overrides) -> Result<Clip, ImportError> {
        let Raw { mut points, fps, size, camera, mut assumed } = raw;
        if points.is_empty() {
            return Err(ImportError::Empty);
        }
        let recorded = fps.filter(|fps| *fps > 0.0);
        let fps = overrides.fps.or(recorded).unwrap_or_else(|| {
            assumed.push(Assumption::FrameRate { fps: camera.fps });
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
            return Err(error::unexpected("image size", most, format!("{w}x{h}")));
        }
        let size = overrides.size.or(size).filter(|(width, height)| *width > 0 && *height > 0);
        if overrides.pixels && size.is_none() {
            return Err(ImportError::PixelsWithoutSize);
        }
        let (width, height) = size.unwrap_or_else(|| {
            let (width, height) = camera.size;
            assumed.push(Assumption::ImageSize { width, height });
            camera.size
        });
        amend::find_missing(&mut points, overrides, (width, height), &mut assumed)?;
        amend::clean(&mut points)?;
        amend::convert(&mut points, overrides, (width, height));
        let mut doubts = amend::judge(&points, (width, height), overrides)?;
        if overrides.fps.is_none() && !USUAL_RATES.contains(&fps) {
            doubts.push((InputDoubt::FrameRate, [fps as f32, 0.0]));
        }
        Ok(Clip { fps, width, height, points, assumed, doubts })
    }
}

/// Refuses a file that begins as no file of its ending does. The formats' own readers would call it damaged.
fn refuse_other_kind(path: &Path, ending: Option<&str>) -> Result<(), ImportError> {
    let (expected, begins): (&str, &[u8]) = match ending {
        Some("parquet") => ("a .parquet file", b"PAR1"),
        Some("npy") => ("a .npy file", b"\x93NUMPY"),
        Some("npz") => ("a zip archive, as .npz files are", b"PK"),
        Some("mcap") => {
            let found = "a recording already: give it to `signd replay`, `send` or `view`";
            return Err(error::unexpected("file", "another landmark file", found));
        }
        _ => return Ok(()),
    };
    let mut head = Vec::new();
    File::open(path)?.take(file_kind::HEAD as u64).read_to_end(&mut head)?;
    match head.starts_with(begins) || head.is_empty() {
        true => Ok(()),
        false if head.starts_with(b"PARE") => {
            Err(error::unexpected("file", "an unencrypted .parquet file", "an encrypted one"))
        }
        false => Err(error::unexpected("file", expected, file_kind::describe(&head))),
    }
}

/// Reads a landmark file; the ending of its name says which kind it is.
///
/// # Errors
///
/// When the file cannot be read, is none of the four kinds, is damaged, lacks points that are
/// needed, has no or too many frames or an infinite coordinate, shows what no person before a camera
/// shows (see [`InputDoubt::is_certain`]), or when an override is impossible.
pub fn read(path: &Path, overrides: &Overrides) -> Result<Clip, ImportError> {
    if let Some((width, height)) = overrides.size.filter(|(width, height)| *width.min(height) == 0)
    {
        let found = format!("{width}x{height}");
        return Err(error::unexpected("image size given", "at least 1x1", found));
    }
    let ending = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    refuse_other_kind(path, ending.as_deref())?;
    let raw = match ending.as_deref() {
        Some("parquet") => parquet::read(File::open(path)?)?,
        Some("pose") => {
            let mut bytes = Vec::new();
            File::open(path)?.take(MAX_POSE_BYTES + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > MAX_POSE_BYTES {
                let most = format!("at most {MAX_POSE_BYTES} bytes");
                return Err(error::unexpected("file size", most, "more"));
            }
            pose::read(&bytes, overrides)?
        }
        Some("npy") => numpy::read_npy(BufReader::new(File::open(path)?), overrides)?,
        Some("npz") => numpy::read_npz(BufReader::new(File::open(path)?), overrides)?,
        _ => {
            let found =
                path.extension().map_or("no ending".into(), |e| format!(".{}", e.display()));
            return Err(ImportError::Extension { found });
        }
    };
    Clip::settle(raw, overrides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::frame::Part;

    /// Every point at a place of its own.
    fn somewhere() -> [Point; POINTS] {
        std::array::from_fn(|i| [0.5 + 1e-4 * i as f32, 0.5, 0.0])
    }

    fn raw(fps: Option<f64>, size: Option<(u32, u32)>) -> Raw {
        Raw { points: vec![somewhere(); 3], fps, size, camera: WEBCAM, assumed: Vec::new() }
    }

    #[test]
    fn an_override_beats_the_record_and_the_record_beats_the_assumption() {
        let given = Overrides { fps: Some(50.0), size: Some((8, 4)), ..Overrides::default() };
        let clip = Clip::settle(raw(Some(25.0), Some((320, 240))), &given).unwrap();
        assert_eq!((clip.fps, clip.width, clip.height), (50.0, 8, 4));

        let clip = Clip::settle(raw(Some(25.0), Some((320, 240))), &Overrides::default()).unwrap();
        assert_eq!((clip.fps, clip.width, clip.height), (25.0, 320, 240));
        assert_eq!(clip.assumed, []);
    }

    #[test]
    fn what_is_not_recorded_is_assumed_and_said() {
        let nothing = [raw(None, None), raw(Some(0.0), Some((0, 480))), raw(Some(f64::NAN), None)];
        for raw in nothing {
            let clip = Clip::settle(raw, &Overrides::default()).unwrap();
            assert_eq!((clip.fps, clip.width, clip.height), (20.0, 640, 480));
            let said: Vec<String> = clip.assumed.iter().map(Assumption::to_string).collect();
            let frame_rate = "frame rate not recorded: taken as 20 a second";
            assert_eq!(said, [frame_rate, "image size not recorded: taken as 640x480"]);
        }
    }

    #[test]
    fn frames_are_evenly_spaced_without_drift() {
        let mut raw = raw(Some(30.0), None);
        // Four frames are too few to be judged.
        raw.points = vec![somewhere(); 4];
        let clip = Clip::settle(raw, &Overrides::default()).unwrap();
        let frames: Vec<Frame> = clip.frames(SourceTime(7)).collect();
        assert_eq!((frames.len(), clip.len()), (4, 4));
        assert_eq!((frames[0].seq, frames[0].t), (0, SourceTime(7)));
        assert_eq!((frames[1].seq, frames[1].t), (1, SourceTime(33_333_340)));
        assert_eq!(frames[3].t, SourceTime(100_000_007));
        assert_eq!((frames[3].width, frames[3].height), (640, 480));
        assert!(frames[3].part(Part::Face).is_some());
    }

    #[test]
    fn half_a_point_is_missing_but_a_lacking_z_is_not() {
        let mut raw = raw(None, None);
        raw.points[1][0] = [f32::NAN, 0.5, 0.5];
        raw.points[1][1] = [0.5, 0.5, f32::NAN];
        let clip = Clip::settle(raw, &Overrides::default()).unwrap();
        assert!(clip.points()[1][0].iter().all(|v| v.is_nan()));
        assert_eq!(clip.points()[1][1][..2], [0.5, 0.5]);
    }

    #[test]
    fn an_infinite_coordinate_is_named() {
        for (far, found) in [(f32::INFINITY, "inf"), (-200_000.0, "-200000.0")] {
            let mut raw = raw(None, None);
            raw.points[2][Part::Pose.range().start + 5] = [0.5, far, 0.5];
            let error = Clip::settle(raw, &Overrides::default()).unwrap_err().to_string();
            let expected =
                "frame 2, pose point 5: expected finite coordinates within 100000, found";
            assert!(error.starts_with(&format!("{expected} [0.5, {found}, 0.5]. ")), "{error}");
            assert!(error.contains("--missing"), "{error}");
        }
    }

    #[test]
    fn impossible_rates_sizes_and_names_are_refused() {
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
            let given = Overrides { fps: Some(fps), ..Overrides::default() };
            assert!(Clip::settle(raw(None, None), &given).is_err(), "{fps}");
        }
        assert!(Clip::settle(raw(Some(1e-9), None), &Overrides::default()).is_err());
        let given = Overrides { size: Some((0, 4)), ..Overrides::default() };
        let error = read(Path::new("a.npy"), &given).unwrap_err().to_string();
        assert_eq!(error, "image size given: expected at least 1x1, found 0x4");
        let error = read(Path::new("a.csv"), &Overrides::default()).unwrap_err().to_string();
        assert!(error.ends_with("found .csv"), "{error}");
    }
}
