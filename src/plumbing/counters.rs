//! What was received and what was dropped, where and why, never silently; and all else that is
//! counted of a run. Plain atomics: counting takes no lock and allocates nothing. Only a refusal is also kept
//! in words, and locks for it.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::doubts::DoubtCounts;
use super::histogram::AtomicHistogram;
use super::refusals::{LastRefusal, RefusalRecord};
use super::roster::StreamRoster;
use crate::plumbing::refusals::RefusalReason;
use signd_core::drop_reason::DropReason;
use signd_core::event::{EndReason, EventBody};
use signd_core::stream_id::StreamId;

/// How long each stage takes, and all of them together.
#[derive(Debug, Default)]
pub struct StageTimings {
    /// Message to frame, of each frame that is well formed.
    pub decode: AtomicHistogram,
    /// Gate, features and segmenter, of each frame received; of a camera that is new, also making its core.
    pub front: AtomicHistogram,
    /// In stage 5, of each frame event; a call to the model counts in full for all that share it.
    pub infer: AtomicHistogram,
    /// Writing and sending, of each event.
    pub publish: AtomicHistogram,
    /// From received to published, of each frame event.
    pub latency: AtomicHistogram,
}

/// How much there is of something.
#[derive(Debug, Default)]
pub struct LevelGauge(AtomicU64);

impl LevelGauge {
    /// One more; to be called before it is put in, so that nobody can take it out first.
    pub fn enter(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One less.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// Just so much.
    pub fn set(&self, amount: u64) {
        self.0.store(amount, Relaxed);
    }

    /// How much there is.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Queues and other things that grow and shrink.
#[derive(Debug, Default)]
pub struct LevelGauges {
    /// The ring between ingest and worker.
    pub ring: LevelGauge,
    /// Batches that wait for the model.
    pub waiting: LevelGauge,
    /// Messages that wait for the writer of the recording.
    pub tape: LevelGauge,
    /// Streams that send.
    pub active: LevelGauge,
    /// Streams that have stopped to.
    pub stalled: LevelGauge,
    /// A recording is being written.
    pub recording: AtomicBool,
    /// Size of the file that is being written, bytes.
    pub recorded: LevelGauge,
}

/// At most one log line per reason in this time.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Counts at one moment; the fields are those of [`DaemonCounters`].
#[derive(Clone, Copy, Debug)]
pub struct CounterSnapshot {
    /// Frames taken into the pipeline.
    pub received: u64,
    /// Frames whose hypotheses were skipped.
    pub skipped: u64,
    /// Frames dropped, by reason.
    pub dropped: [(DropReason, u64); DropReason::ALL.len()],
    /// Clients not let in, by reason.
    pub refused: [(RefusalReason, u64); RefusalReason::ALL.len()],
    /// Frame, sign and status events.
    pub published: [u64; 3],
    /// Decisions that name no sign, and those that do, in the order of [`EndReason::ALL`].
    pub decided: [[u64; EndReason::ALL.len()]; 2],
    /// Reloads refused, and those that took effect.
    pub reloads: [u64; 2],
}

/// The daemon's counters.
#[derive(Debug)]
pub struct DaemonCounters {
    start: Instant,
    received: AtomicU64,
    skipped: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    /// Frame, sign and status events.
    published: [AtomicU64; 3],
    /// Decisions that name no sign, and those that do, by why the sign ended.
    decided: [[AtomicU64; EndReason::ALL.len()]; 2],
    /// Reloads refused, and those that took effect.
    reloads: [AtomicU64; 2],
    /// How long things take.
    pub timings: StageTimings,
    /// How much there is.
    pub levels: LevelGauges,
    /// What was doubtful about the input.
    pub doubts: DoubtCounts,
    /// The streams there are.
    pub roster: StreamRoster,
    last_dropped: [LastRefusal; DropReason::ALL.len()],
    last_refused: [LastRefusal; RefusalReason::ALL.len()],
    /// Milliseconds after the start, plus one, at which each reason was last logged.
    logged: [AtomicU64; DropReason::ALL.len()],
    /// Clients not let in.
    refused: [AtomicU64; RefusalReason::ALL.len()],
    refused_logged: [AtomicU64; RefusalReason::ALL.len()],
}

impl Default for DaemonCounters {
    fn default() -> Self {
        DaemonCounters {
            start: Instant::now(),
            received: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            dropped: Default::default(),
            published: Default::default(),
            decided: Default::default(),
            reloads: Default::default(),
            timings: StageTimings::default(),
            levels: LevelGauges::default(),
            doubts: DoubtCounts::default(),
            roster: StreamRoster::default(),
            last_dropped: Default::default(),
            last_refused: Default::default(),
            logged: Default::default(),
            refused: Default::default(),
            refused_logged: Default::default(),
        }
    }
}

impl DaemonCounters {
    /// A frame was taken into the pipeline.
    pub fn received(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    /// Hypotheses of a frame were skipped under load.
    pub fn skipped(&self) {
        self.skipped.fetch_add(1, Relaxed);
    }

    /// A frame was dropped; logged unless the same reason just was.
    pub fn refuse(&self, reason: DropReason, stream: Option<&StreamId>, why: &dyn Display) {
        let i = reason as usize;
        let total = self.dropped[i].fetch_add(1, Relaxed) + 1;
        let stream = stream.map_or("", |s| s.as_str());
        self.last_dropped[i].set(stream, why);
        if self.may_log(&self.logged[i]) {
            let reason = reason.name();
            tracing::warn!(reason, stream, total, "frame dropped: {why}");
        }
    }

    /// A client was not let in at this door; logged unless the same reason just was.
    pub fn refuse_client(&self, reason: RefusalReason, door: &str, address: &str) {
        let i = reason as usize;
        let total = self.refused[i].fetch_add(1, Relaxed) + 1;
        self.last_refused[i].set(address, &door);
        if self.may_log(&self.refused_logged[i]) {
            tracing::warn!(reason = reason.name(), door, address, total, "client refused");
        }
    }

    /// Whether it is time for another line; takes the time if so.
    fn may_log(&self, logged: &AtomicU64) -> bool {
        let now = self.start.elapsed().as_millis() as u64 + 1;
        let before = logged.load(Relaxed);
        // Another thread may have logged since `now`.
        let due = before == 0 || now.saturating_sub(before) >= LOG_EVERY.as_millis() as u64;
        if due {
            logged.store(now, Relaxed);
        }
        due
    }

    /// An event was published, begun at `begun`; the frame that led to it came at `received`.
    pub fn published(&self, body: &EventBody, begun: Instant, received: Instant) {
        let now = Instant::now();
        self.timings.publish.add(now.saturating_duration_since(begun));
        let kind = match body {
            EventBody::Frame(_) => {
                self.timings.latency.add(now.saturating_duration_since(received));
                0
            }
            EventBody::Sign(sign) => {
                let known = usize::from(sign.label.is_some());
                self.decided[known][sign.ended as usize].fetch_add(1, Relaxed);
                1
            }
            EventBody::Status(_) => 2,
        };
        self.published[kind].fetch_add(1, Relaxed);
    }

    /// Configuration and model were read again; with success or not.
    pub fn reloaded(&self, success: bool) {
        self.reloads[usize::from(success)].fetch_add(1, Relaxed);
    }

    /// How much has been counted so far.
    pub fn snapshot(&self) -> CounterSnapshot {
        let get = |count: &AtomicU64| count.load(Relaxed);
        CounterSnapshot {
            received: get(&self.received),
            skipped: get(&self.skipped),
            dropped: DropReason::ALL.map(|reason| (reason, get(&self.dropped[reason as usize]))),
            refused: RefusalReason::ALL.map(|reason| (reason, get(&self.refused[reason as usize]))),
            published: [0, 1, 2].map(|i| get(&self.published[i])),
            decided: [0, 1]
                .map(|known| EndReason::ALL.map(|e| get(&self.decided[known][e as usize]))),
            reloads: [0, 1].map(|i| get(&self.reloads[i])),
        }
    }

    /// The last frame dropped for this reason.
    pub fn last_dropped(&self, reason: DropReason) -> Option<RefusalRecord> {
        self.last_dropped[reason as usize].get()
    }

    /// The last client not let in for this reason: its address, and at which door.
    pub fn last_refused(&self, reason: RefusalReason) -> Option<RefusalRecord> {
        self.last_refused[reason as usize].get()
    }

    /// All counts as one line: `received=… skipped=… dropped.<reason>=… refused.<reason>=…`, zeros of
    /// the latter two left out.
    pub fn summary(&self) -> String {
        let CounterSnapshot { received, skipped, dropped, refused, .. } = self.snapshot();
        let mut line = format!("received={received} skipped={skipped}");
        for (reason, n) in dropped.into_iter().filter(|(_, n)| *n > 0) {
            line += &format!(" dropped.{}={n}", reason.name());
        }
        for (reason, n) in refused.into_iter().filter(|(_, n)| *n > 0) {
            line += &format!(" refused.{}={n}", reason.name());
        }
        line
    }
}
