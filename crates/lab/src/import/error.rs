//! Why a file cannot be imported.
//!
//! Every message says what was expected and what was found. None names the file, because the caller
//! knows it and puts it in front.

use super::limits::{MAX_FRAMES, RECORDED_FPS};
use signd_core::frame::FARTHEST;
use signd_core::plausibility::InputDoubt;
use signd_core::plausibility::order::{PartOrder, words};

/// A landmark file that cannot be imported. None of these goes away by trying again. Where another
/// argument would help, the message says so.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The operating system could not read the file.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),

    /// The file's name ends in nothing known here.
    #[error("expected a file name ending in .parquet, .pose, .npy or .npz, found {found}")]
    Extension {
        /// The ending found, with its dot, or words for none.
        found: String,
    },

    /// The file is whole but says something that does not fit.
    #[error("{what}: expected {expected}, found {found}")]
    Unexpected {
        /// The field, column or array in question.
        what: String,
        /// What would have been accepted.
        expected: String,
        /// What the file has.
        found: String,
    },

    /// The file ends in the middle of something.
    #[error("ends too early, in {what}: expected {expected} bytes, found {found}")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes that belong there.
        expected: u64,
        /// Bytes left in the file.
        found: u64,
    },

    /// The container (parquet pages, zip archive) is broken or encrypted.
    #[error("expected a whole {container} file, found a damaged one: {cause}")]
    Damaged {
        /// `parquet` or `npz`.
        container: &'static str,
        /// The words of the library that reads it.
        cause: String,
    },

    /// The container is whole, but written in a way that is not read here.
    #[error("not supported in a {container} file: {cause}: write it with snappy or zstd")]
    Unsupported {
        /// `parquet`.
        container: &'static str,
        /// The words of the library that reads it.
        cause: String,
    },

    /// The file holds no frame.
    #[error("expected at least one frame, found none")]
    Empty,

    /// The file holds, or claims to hold, more than is imported at once.
    #[error("expected at most {MAX_FRAMES} frames (an hour at 30 a second), found {found}")]
    TooLong {
        /// Frames in the file.
        found: u64,
    },

    /// Some points that are needed are not in the file's layout at all.
    #[error("a reduced layout: {0}")]
    Reduced(String),

    /// A coordinate is infinite or as good as that, which no estimator gives: the file is damaged or was
    /// scaled by 0.
    #[error(
        "frame {frame}, {part} point {point}: expected finite coordinates within {FARTHEST}, found {found:?}. \
         If that value stands for a missing point, --missing VALUE says so"
    )]
    Infinite {
        /// Position of the frame in the file, from 0.
        frame: usize,
        /// The part's name, as on the wire.
        part: &'static str,
        /// Number of the point within its part, from 0.
        point: usize,
        /// x, y, z as found.
        found: [f32; 3],
    },

    /// Frames a second, as given, that no camera has.
    #[error("frame rate: expected 0.1 to 1000 a second, found {found}")]
    FrameRate {
        /// Frames a second.
        found: f64,
    },

    /// Frames a second, as recorded, that no camera has.
    #[error(
        "the file says {found} frames a second. Expected {low} to {high}. --fps N gives the right \
         rate",
        low = RECORDED_FPS.start(),
        high = RECORDED_FPS.end()
    )]
    RecordedRate {
        /// Frames a second.
        found: f64,
    },

    /// What no recording of a person shows.
    #[error("{}. Expected {}. {}", doubt.found(*example), doubt.expected(), doubt.file_remedy())]
    Implausible {
        /// What it is.
        doubt: InputDoubt,
        /// For example here. See [`InputDoubt::found`].
        example: [f32; 2],
    },

    /// Single points at a value that stands for missing ones.
    #[error(
        "{points} single points lie at exactly {value}, {value}. Expected NaN for a missing point. \
         --missing {value} takes them for missing"
    )]
    Sentinel {
        /// How many points in all frames.
        points: usize,
        /// x and y of each.
        value: f32,
    },

    /// An option that makes wrong what was right.
    #[error("with {0} the landmarks are not those of a person before a camera. Leave it out")]
    NeedlessOption(&'static str),

    /// A `.pose` file without pixels.
    #[error(
        "no coordinate is beyond {most:.2}. Expected pixels, as .pose files have. The file was \
         normalised: export it again without that"
    )]
    NoPixels {
        /// The largest coordinate.
        most: f32,
    },

    /// An array whose parts lie in another order.
    #[error(
        "the points do not fit the order {}. They fit the order {order}. --order {order} reads them \
         so",
        words(*given),
        order = words(*better)
    )]
    PartOrder {
        /// The order in which they were read.
        given: PartOrder,
        /// The order that they fit.
        better: PartOrder,
    },

    /// Pixels, and no image size to divide them by.
    #[error("--pixels needs the image size, and the file has none. --size WxH gives it")]
    PixelsWithoutSize,
}

/// Shorthand for the commonest error.
pub(super) fn unexpected(
    what: impl Into<String>,
    expected: impl Into<String>,
    found: impl ToString,
) -> ImportError {
    ImportError::Unexpected {
        what: what.into(),
        expected: expected.into(),
        found: found.to_string(),
    }
}
