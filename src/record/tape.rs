//! A stage's end of the recording.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender};
use serde::Serialize;

use crate::plumbing::counters::Counters;
use signd_core::frame::{Arrival, SourceTime};
use signd_engine::recording::{Channel, Loaded};

/// What a stage adds to the recording.
pub enum Taken {
    /// A message of a channel.
    Message { channel: Channel, arrival: Arrival, t: SourceTime, data: Vec<u8> },
    /// Configuration and model were read again.
    Reload(Arrival, Loaded),
}

/// A stage's end of the recording. The default leads nowhere.
#[derive(Clone, Default)]
pub struct Tape(Option<Feed>);

#[derive(Clone)]
struct Feed {
    to: Sender<Taken>,
    /// Written buffers on their way back.
    spare: Receiver<Vec<u8>>,
    stopped: Arc<AtomicBool>,
    counters: Arc<Counters>,
}

impl Tape {
    /// Leads to the thread that takes from the other end of `to` and gives its buffers to `spare`.
    pub(super) fn new(
        to: Sender<Taken>,
        spare: Receiver<Vec<u8>>,
        counters: Arc<Counters>,
    ) -> Tape {
        Tape(Some(Feed { to, spare, stopped: Arc::default(), counters }))
    }

    /// Whether the run is being recorded.
    pub fn records(&self) -> bool {
        self.0.is_some()
    }

    /// Adds a message that `fill` writes into an empty buffer.
    pub fn message(
        &mut self,
        channel: Channel,
        arrival: Arrival,
        t: SourceTime,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(feed) = &self.0 else { return };
        let mut data = feed.spare.try_recv().unwrap_or_default();
        data.clear();
        fill(&mut data);
        self.put(Taken::Message { channel, arrival, t, data });
    }

    /// Adds a value as JSON.
    pub fn json(&mut self, channel: Channel, arrival: Arrival, value: &impl Serialize) {
        self.message(channel, arrival, SourceTime(arrival.0), |data| {
            // Our own small values: writing them to memory cannot fail.
            drop(serde_json::to_writer(data, value));
        });
    }

    /// Configuration and model were read again.
    pub fn reload(&mut self, arrival: Arrival, loaded: &Loaded) {
        self.put(Taken::Reload(arrival, loaded.clone()));
    }

    fn put(&mut self, taken: Taken) {
        let Some(feed) = &self.0 else { return };
        // What one stage could not add must not be followed by what another can.
        if feed.stopped.load(Ordering::Acquire) {
            self.0 = None;
            return;
        }
        feed.counters.levels.tape.enter();
        if feed.to.try_send(taken).is_err() {
            feed.counters.levels.tape.leave();
            feed.stopped.store(true, Ordering::Release);
            tracing::error!("the recording stopped: its writer is behind or the disk is full");
            self.0 = None;
        }
    }
}
