//! Whether the pipeline gets on, seen from outside.
//!
//! Once a second ingest sends a token down the ring, between the frames. That the worker has taken it
//! out again says that both threads turn; it needs no camera. A stage that hangs, in the model or
//! anywhere else, is a token that does not come through.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Time between two tokens.
const EVERY: Duration = Duration::from_secs(1);
/// Without a token for this long the pipeline stands still.
const LATE: Duration = Duration::from_secs(10);

/// The state of the pipeline.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    /// Milliseconds after the start at which the last token was sent and at which one came through.
    sent: AtomicU64,
    came: AtomicU64,
    ready: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        let (sent, came) = (AtomicU64::new(0), AtomicU64::new(0));
        Progress { start: Instant::now(), sent, came, ready: AtomicBool::new(false) }
    }
}

impl Progress {
    /// One through which nothing has come for eleven seconds.
    #[cfg(test)]
    pub fn standing_still() -> Self {
        let start = Instant::now().checked_sub(Duration::from_secs(11)).expect("up that long");
        Progress { start, ..Progress::default() }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// It is time to send a token; said once.
    pub fn due(&self) -> bool {
        let now = self.now();
        let due = now.saturating_sub(self.sent.load(Relaxed)) >= EVERY.as_millis() as u64;
        if due {
            self.sent.store(now, Relaxed);
        }
        due
    }

    /// A token came through.
    pub fn came_through(&self) {
        self.came.store(self.now(), Relaxed);
    }

    /// How long ago, if that is too long.
    pub fn late(&self) -> Option<Duration> {
        self.late_at(self.now())
    }

    fn late_at(&self, now: u64) -> Option<Duration> {
        let since = Duration::from_millis(now.saturating_sub(self.came.load(Relaxed)));
        (since >= LATE).then_some(since)
    }

    /// From here on the sockets are open and the model is warm, or no longer.
    pub fn ready(&self, ready: bool) {
        self.ready.store(ready, Relaxed);
    }

    /// Frames are taken.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_does_not_come_through_is_noticed() {
        let progress = Progress::default();
        progress.came_through();
        let came = progress.came.load(Relaxed);
        assert_eq!(progress.late_at(came + 9_999), None);
        assert_eq!(progress.late_at(came + 10_000), Some(Duration::from_secs(10)));
        assert!(!progress.due(), "the first is due after a second");
    }
}
