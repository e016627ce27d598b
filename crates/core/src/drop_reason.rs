//! Why a frame was not let in: one name for each reason, in recordings, metrics and status alike.

use crate::continuity::Misplaced;
use crate::wire::landmarks::Refusal;

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

impl From<Misplaced> for DropReason {
    fn from(misplaced: Misplaced) -> DropReason {
        match misplaced {
            Misplaced::TimeNotRising => DropReason::TimeNotRising,
            Misplaced::TwoProducers => DropReason::TwoProducers,
        }
    }
}

impl From<&Refusal> for DropReason {
    fn from(refusal: &Refusal) -> DropReason {
        match refusal {
            Refusal::Oversized(_) => DropReason::Oversized,
            Refusal::Version(_) => DropReason::Version,
            Refusal::Malformed(_) => DropReason::Malformed,
            Refusal::Trailing => DropReason::Trailing,
            Refusal::Length { .. } => DropReason::Length,
            Refusal::Infinite { .. } => DropReason::Infinite,
            Refusal::Time(_) => DropReason::Time,
            Refusal::Size(..) => DropReason::ImageSize,
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
    pub fn stage(self) -> &'static str {
        match self {
            DropReason::TimeNotRising | DropReason::TwoProducers => "continuity",
            _ => "ingest",
        }
    }
}
