//! Whether the pipeline gets on, seen from outside.
//!
//! Ingest puts a token into the ring now and then, and the worker says so when it has come through
//! everything that was before it, its publishing included. So a box without a camera is healthy, and a
//! stuck model is not. The service manager's watchdog and `/healthz` both go by it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::notify;

/// Longest time between two tokens; a quarter of the watchdog's interval if that is shorter.
const EVERY: Duration = Duration::from_secs(1);
/// With no token for this long the pipeline stands still.
const LATE: Duration = Duration::from_secs(10);

/// The state of the pipeline.
#[derive(Debug)]
pub struct PipelineProgress {
    start: Instant,
    every: Duration,
    /// Milliseconds after the start at which the last token was sent, and at which one last came
    /// through.
    sent: AtomicU64,
    came: AtomicU64,
    ready: AtomicBool,
}

impl Default for PipelineProgress {
    fn default() -> Self {
        let (sent, came) = (AtomicU64::new(0), AtomicU64::new(0));
        let every = notify::watchdog().map_or(EVERY, |interval| EVERY.min(interval / 4));
        PipelineProgress { start: Instant::now(), every, sent, came, ready: AtomicBool::new(false) }
    }
}

impl PipelineProgress {
    /// One through which no token has come for eleven seconds.
    #[cfg(test)]
    pub fn standing_still() -> Self {
        let start = Instant::now().checked_sub(Duration::from_secs(11)).expect("up that long");
        PipelineProgress { start, ..PipelineProgress::default() }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// It is time to send a token; said once.
    pub fn due(&self) -> bool {
        let now = self.now();
        let due = now.saturating_sub(self.sent.load(Relaxed)) >= self.every.as_millis() as u64;
        if due {
            self.sent.store(now, Relaxed);
        }
        due
    }

    /// A token came through.
    pub fn came_through(&self) {
        self.came.store(self.now(), Relaxed);
        notify::alive();
    }

    /// How long ago that was.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.came.load(Relaxed)))
    }

    /// The same, if it is too long.
    pub fn late(&self) -> Option<Duration> {
        Some(self.age()).filter(|age| *age >= LATE)
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
    fn that_no_token_comes_through_is_noticed() {
        let progress = PipelineProgress::standing_still();
        assert!(progress.late().is_some_and(|late| late >= Duration::from_secs(11)));
        progress.came_through();
        assert_eq!(progress.late(), None);
    }

    #[test]
    fn a_token_is_due_once_a_second() {
        assert!(!PipelineProgress::default().due());
        let progress = PipelineProgress::standing_still();
        assert_eq!((progress.due(), progress.due()), (true, false));
    }
}
