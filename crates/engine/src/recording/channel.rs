//! The channels of a recording, each with its topic.

use signd_core::stream_id::StreamId;

pub(super) const LANDMARKS: &str = "landmarks/";
pub(super) const TICKS: &str = "ticks/";
pub(super) const DROPS: &str = "drops/";
pub(super) const EVENTS: &str = "events/";
pub(super) const RUN: &str = "run";

/// What a message of a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordingChannel {
    /// A frame.
    Landmarks(StreamId),
    /// What the clock decided.
    Ticks(StreamId),
    /// A frame not let in.
    Drops(StreamId),
    /// An event.
    Events(StreamId),
    /// Model and settings.
    Run,
}

impl RecordingChannel {
    /// Its topic.
    #[must_use]
    pub fn topic(self) -> String {
        match self {
            RecordingChannel::Landmarks(stream) => format!("{LANDMARKS}{stream}"),
            RecordingChannel::Ticks(stream) => format!("{TICKS}{stream}"),
            RecordingChannel::Drops(stream) => format!("{DROPS}{stream}"),
            RecordingChannel::Events(stream) => format!("{EVENTS}{stream}"),
            RecordingChannel::Run => RUN.to_owned(),
        }
    }

    /// How its messages are encoded, in MCAP's words.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self {
            RecordingChannel::Landmarks(_) | RecordingChannel::Events(_) => "msgpack",
            RecordingChannel::Ticks(_) | RecordingChannel::Drops(_) | RecordingChannel::Run => {
                "json"
            }
        }
    }
}

/// Whether a topic is one that signd writes and reads.
pub(super) fn is_ours(topic: &str) -> bool {
    topic == RUN || [LANDMARKS, TICKS, EVENTS].iter().any(|prefix| topic.starts_with(prefix))
}
