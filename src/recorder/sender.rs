//! A stage's end of the recording.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender};
use serde::Serialize;

use crate::plumbing::counters::DaemonCounters;
use signd_core::frame::{ArrivalTime, SourceTime};
use signd_engine::recording::{RecordingChannel, RunDigests};

/// What a stage adds to the recording.
pub enum RecordingEntry {
    /// A message of a channel.
    Message { channel: RecordingChannel, arrival: ArrivalTime, t: SourceTime, data: Vec<u8> },
    /// Configuration and model were read again.
    Reload(ArrivalTime, RunDigests),
}

/// A stage's end of the recording. The default leads nowhere.
#[derive(Clone, Default)]
pub struct RecordingSender(Option<RecordingQueue>);

#[derive(Clone)]
struct RecordingQueue {
    to: Sender<RecordingEntry>,
    /// Written buffers on their way back.
    spare: Receiver<Vec<u8>>,
    stopped: Arc<AtomicBool>,
    counters: Arc<DaemonCounters>,
}

impl RecordingSender {
    /// Leads to the thread that takes from the other end of `to` and gives its buffers to `spare`.
    pub(super) fn new(
        to: Sender<RecordingEntry>,
        spare: Receiver<Vec<u8>>,
        counters: Arc<DaemonCounters>,
    ) -> RecordingSender {
        RecordingSender(Some(RecordingQueue { to, spare, stopped: Arc::default(), counters }))
    }

    /// Adds a message that `fill` writes into an empty buffer.
    pub fn message(
        &mut self,
        channel: RecordingChannel,
        arrival: ArrivalTime,
        t: SourceTime,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(queue) = &self.0 else { return };
        let mut data = queue.spare.try_recv().unwrap_or_default();
        data.clear();
        fill(&mut data);
        self.put(RecordingEntry::Message { channel, arrival, t, data });
    }

    /// Adds a value as JSON.
    pub fn json(
        &mut self,
        channel: RecordingChannel,
        arrival: ArrivalTime,
        value: &impl Serialize,
    ) {
        self.message(channel, arrival, SourceTime(arrival.0), |data| {
            // Our own small values: writing them to memory cannot fail.
            drop(serde_json::to_writer(data, value));
        });
    }

    /// Configuration and model were read again.
    pub fn reload(&mut self, arrival: ArrivalTime, digests: &RunDigests) {
        self.put(RecordingEntry::Reload(arrival, digests.clone()));
    }

    fn put(&mut self, entry: RecordingEntry) {
        let Some(queue) = &self.0 else { return };
        // What one stage could not add must not be followed by what another can.
        if queue.stopped.load(Ordering::Acquire) {
            self.0 = None;
            return;
        }
        queue.counters.levels.tape.enter();
        if queue.to.try_send(entry).is_err() {
            queue.counters.levels.tape.leave();
            queue.stopped.store(true, Ordering::Release);
            tracing::error!("the recording stopped: its writer is behind or the disk is full");
            self.0 = None;
        }
    }
}
