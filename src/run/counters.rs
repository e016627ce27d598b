//! What was received and what was dropped, where and why. Never silently.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::keys::zap::Refused;
use crate::wire::topic::StreamId;

/// Reasons for which a frame is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
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
    /// An impossible image size.
    ImageSize,
    /// The ring between ingest and front was full.
    RingFull,
    /// Capture time did not rise.
    TimeNotRising,
    /// A second producer on one stream id.
    TwoProducers,
}

impl Dropped {
    /// All reasons with their names, in the order of their numbers.
    pub const ALL: [(Dropped, &'static str); 14] = [
        (Dropped::Parts, "parts"),
        (Dropped::StreamId, "stream_id"),
        (Dropped::NotAllowed, "not_allowed"),
        (Dropped::TooManyStreams, "too_many_streams"),
        (Dropped::Oversized, "oversized"),
        (Dropped::Version, "version"),
        (Dropped::Malformed, "malformed"),
        (Dropped::Trailing, "trailing"),
        (Dropped::Length, "length"),
        (Dropped::Infinite, "infinite"),
        (Dropped::ImageSize, "image_size"),
        (Dropped::RingFull, "ring_full"),
        (Dropped::TimeNotRising, "time_not_rising"),
        (Dropped::TwoProducers, "two_producers"),
    ];

    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// At most one log line per reason in this time.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// The daemon's counters.
#[derive(Debug)]
pub struct Counters {
    start: Instant,
    received: AtomicU64,
    skipped: AtomicU64,
    dropped: [AtomicU64; 14],
    /// Milliseconds after the start, plus one, at which each reason was last logged.
    logged: [AtomicU64; 14],
    /// Clients not let in.
    refused: [AtomicU64; 3],
    refused_logged: [AtomicU64; 3],
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            start: Instant::now(),
            received: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            dropped: Default::default(),
            logged: Default::default(),
            refused: Default::default(),
            refused_logged: Default::default(),
        }
    }
}

impl Counters {
    /// A frame was taken into the pipeline.
    pub fn received(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    /// Hypotheses of a frame were skipped under load.
    pub fn skipped(&self) {
        self.skipped.fetch_add(1, Relaxed);
    }

    /// A frame was dropped; logged unless the same reason just was.
    pub fn refuse(&self, reason: Dropped, stream: Option<&StreamId>, why: &dyn Display) {
        let i = reason as usize;
        let total = self.dropped[i].fetch_add(1, Relaxed) + 1;
        if self.may_log(&self.logged[i]) {
            let (reason, stream) = (reason.name(), stream.map_or("", |s| s.as_str()));
            tracing::warn!(reason, stream, total, "frame dropped: {why}");
        }
    }

    /// A client was not let in at this door; logged unless the same reason just was.
    pub fn turn_away(&self, reason: Refused, door: &str, address: &str) {
        let i = reason as usize;
        let total = self.refused[i].fetch_add(1, Relaxed) + 1;
        if self.may_log(&self.refused_logged[i]) {
            tracing::warn!(reason = reason.name(), door, address, total, "client refused");
        }
    }

    /// Whether it is time for another line; takes the time if so.
    fn may_log(&self, logged: &AtomicU64) -> bool {
        let now = self.start.elapsed().as_millis() as u64 + 1;
        let before = logged.load(Relaxed);
        let due = before == 0 || now - before >= LOG_EVERY.as_millis() as u64;
        if due {
            logged.store(now, Relaxed);
        }
        due
    }

    /// All counts as one line: `received=… skipped=… dropped.<reason>=… refused.<reason>=…`, zeros of
    /// the latter two left out.
    pub fn summary(&self) -> String {
        let (received, skipped) = (self.received.load(Relaxed), self.skipped.load(Relaxed));
        let mut line = format!("received={received} skipped={skipped}");
        for ((_, name), count) in Dropped::ALL.iter().zip(&self.dropped) {
            match count.load(Relaxed) {
                0 => {}
                n => line += &format!(" dropped.{name}={n}"),
            }
        }
        for ((_, name), count) in Refused::ALL.iter().zip(&self.refused) {
            match count.load(Relaxed) {
                0 => {}
                n => line += &format!(" refused.{name}={n}"),
            }
        }
        line
    }
}
