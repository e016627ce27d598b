//! Whether the pipeline gets on, seen from outside.
//!
//! Whatever the worker takes out of the ring says that both threads turn. So that there is something to
//! take without a camera too, ingest puts a token in once a second. When a stage hangs, in the model or
//! anywhere else, nothing comes through.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Time between two tokens.
const EVERY: Duration = Duration::from_secs(1);
/// With nothing taken for this long the pipeline stands still.
const LATE: Duration = Duration::from_secs(10);

/// The state of the pipeline.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    /// Milliseconds after the start at which the last token was sent, and at which anything
    /// last came through.
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

    /// Something came through the ring.
    pub fn came_through(&self) {
        self.came.store(self.now(), Relaxed);
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
    fn that_nothing_comes_through_is_noticed() {
        let progress = Progress::standing_still();
        assert!(progress.late().is_some_and(|late| late >= Duration::from_secs(11)));
        progress.came_through();
        assert_eq!(progress.late(), None);
    }

    #[test]
    fn a_token_is_due_once_a_second() {
        assert!(!Progress::default().due());
        let progress = Progress::standing_still();
        assert_eq!((progress.due(), progress.due()), (true, false));
    }
}
