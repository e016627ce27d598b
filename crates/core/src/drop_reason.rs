//! Why a frame was not let in: one name for each reason, in recordings, metrics and status alike.

use crate::continuity::MisplacedReason;
use crate::wire::landmarks::DecodeError;

/// Reasons for which a frame is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Not two message parts.
    Parts,
    /// No valid stream id.
    StreamId,
    /// Not a stream that this client may send.
    NotAllowed,
    /// More streams than configured.
    TooManyStreams,
    /// Message too long.
    Oversized,
    /// Another version.
    Version,
    /// Not a landmark frame.
    Malformed,
    /// Bytes after the end.
    Trailing,
    /// A part of the wrong length.
    Length,
    /// An infinite coordinate.
    Infinite,
    /// An impossible capture time.
    Time,
    /// An impossible image size.
    ImageSize,
    /// The ring between ingest and front was full.
    RingFull,
    /// Capture time did not rise.
    TimeNotRising,
    /// A second producer on one stream id.
    TwoProducers,
}

impl From<MisplacedReason> for DropReason {
    fn from(misplaced: MisplacedReason) -> DropReason {
        match misplaced {
            MisplacedReason::TimeNotRising => DropReason::TimeNotRising,
            MisplacedReason::TwoProducers => DropReason::TwoProducers,
        }
    }
}

impl From<&DecodeError> for DropReason {
    fn from(refusal: &DecodeError) -> DropReason {
        match refusal {
            DecodeError::Oversized(_) => DropReason::Oversized,
            DecodeError::Version(_) => DropReason::Version,
            DecodeError::Malformed(_) => DropReason::Malformed,
            DecodeError::Trailing => DropReason::Trailing,
            DecodeError::Length { .. } => DropReason::Length,
            DecodeError::Infinite { .. } => DropReason::Infinite,
            DecodeError::Time(_) => DropReason::Time,
            DecodeError::Size(..) => DropReason::ImageSize,
        }
    }
}

impl DropReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [DropReason; 15] = [
        DropReason::Parts,
        DropReason::StreamId,
        DropReason::NotAllowed,
        DropReason::TooManyStreams,
        DropReason::Oversized,
        DropReason::Version,
        DropReason::Malformed,
        DropReason::Trailing,
        DropReason::Length,
        DropReason::Infinite,
        DropReason::Time,
        DropReason::ImageSize,
        DropReason::RingFull,
        DropReason::TimeNotRising,
        DropReason::TwoProducers,
    ];

    /// The name under which it is counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            DropReason::Parts => "parts",
            DropReason::StreamId => "stream_id",
            DropReason::NotAllowed => "not_allowed",
            DropReason::TooManyStreams => "too_many_streams",
            DropReason::Oversized => "oversized",
            DropReason::Version => "version",
            DropReason::Malformed => "malformed",
            DropReason::Trailing => "trailing",
            DropReason::Length => "length",
            DropReason::Infinite => "infinite",
            DropReason::Time => "time",
            DropReason::ImageSize => "image_size",
            DropReason::RingFull => "ring_full",
            DropReason::TimeNotRising => "time_not_rising",
            DropReason::TwoProducers => "two_producers",
        }
    }

    /// The stage that drops for this reason.
    #[must_use]
    pub fn stage(self) -> &'static str {
        match self {
            DropReason::TimeNotRising | DropReason::TwoProducers => "continuity",
            _ => "ingest",
        }
    }
}
