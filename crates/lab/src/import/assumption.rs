//! What is assumed because a file does not say it.

use std::fmt;

/// Something taken for granted that the file does not say. Its `Display` is for the user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ImportAssumption {
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

impl fmt::Display for ImportAssumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportAssumption::FrameRate { fps } => {
                write!(f, "frame rate not recorded: taken as {fps} a second")
            }
            ImportAssumption::ImageSize { width, height } => {
                write!(f, "image size not recorded: taken as {width}x{height}")
            }
            ImportAssumption::FirstPerson { people } => {
                write!(f, "{people} people recorded: the first taken for the signer")
            }
            ImportAssumption::Gaps { missing } => {
                write!(f, "{missing} frame numbers left out: the frames taken as evenly spaced")
            }
            ImportAssumption::RepeatedValue { part, frames, place: [x, y] } => {
                write!(
                    f,
                    "{part}: all points at one place in {frames} frames, as {x}, {y}: taken as not detected"
                )
            }
        }
    }
}
