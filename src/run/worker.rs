//! The thread of stages 2 to 6.
//!
//! Gate, features and segmenter cost little over a microsecond a frame and publishing not much more,
//! less than waking another thread would; only the model takes its time. So one thread does all of
//! it, and latest-wins is a matter of looking at what waits: everything that has arrived goes through
//! the front at once. Of the frames of a stream that then wait for a window model only the newest gets
//! hypotheses; a `stream` model is fed the rows that wait, one of each stream a call.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::RunError;
use crate::ingest::{IngestMessage, ReloadRequest, StreamInput};
use crate::observe::live::{LiveKind, LiveSender};
use crate::observe::scene::{FrameScene, SceneLines};
use crate::plumbing::counters::DaemonCounters;
use crate::plumbing::flow::{BufferReturns, RingReceiver};
use crate::plumbing::progress::PipelineProgress;
use crate::plumbing::roster::StreamCount;
use crate::plumbing::{StageMonitor, notify};
use crate::publish::Publisher;
use crate::socket::{self, SocketError};
use signd_core::continuity::MisplacedReason;
use signd_core::event::{EventBody, StatusKind};
use signd_core::stream::{StepBatch, StreamStep, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::pipeline::{Pipeline, StreamWork, WorkState};

/// Most batches that wait for the model; behind them frames wait in the ring.
const WAITING: usize = 64;

/// A frame or tick that waits for the model.
struct PendingWork {
    work: StreamWork,
    received: Instant,
    /// Time in stage 5 so far.
    inferred: Duration,
}

/// Stages 2 to 6.
pub struct PipelineWorker {
    pipeline: Pipeline,
    /// What is counted of each camera.
    counts: HashMap<StreamId, Arc<StreamCount>>,
    frames: RingReceiver<IngestMessage>,
    returns: BufferReturns<Box<StreamInput>>,
    waiting: VecDeque<PendingWork>,
    /// Those before this one wait for the next call to the model.
    at: usize,
    /// Of those that wait, how many came before the watchdog's token; none: no token is here.
    before_token: Option<usize>,
    /// StreamWork that is done, kept for its memory.
    spare: Vec<StreamWork>,
    publish: Publisher,
    live: LiveSender,
    counters: Arc<DaemonCounters>,
    progress: Arc<PipelineProgress>,
}

impl PipelineWorker {
    /// A worker that has seen no stream yet.
    pub fn new(
        pipeline: Pipeline,
        frames: RingReceiver<IngestMessage>,
        returns: BufferReturns<Box<StreamInput>>,
        publish: Publisher,
        live: LiveSender,
        watched: StageMonitor,
    ) -> Self {
        PipelineWorker {
            pipeline,
            counts: HashMap::new(),
            frames,
            returns,
            waiting: VecDeque::with_capacity(WAITING),
            at: 0,
            before_token: None,
            spare: Vec::with_capacity(WAITING),
            publish,
            live,
            counters: watched.counters,
            progress: watched.progress,
        }
    }

    /// Works until ingest is gone and everything it sent is published.
    pub fn run(mut self) -> Result<(), RunError> {
        loop {
            // Looked at before the ring: what was written before the end is not missed.
            let ended = self.frames.closed();
            while self.waiting.len() < WAITING
                && let Some(passed) = self.frames.try_receive()
            {
                self.counters.levels.ring.leave();
                match passed {
                    IngestMessage::Input(input) => self.front(input),
                    IngestMessage::Reload(reload) => self.reload(*reload)?,
                    // One on its way says enough; a later one says no more.
                    IngestMessage::Token => _ = self.before_token.get_or_insert(self.waiting.len()),
                }
            }
            self.counters.levels.waiting.set(self.waiting.len() as u64);
            if self.before_token == Some(0) {
                self.before_token = None;
                self.progress.came_through();
            }
            match self.waiting.is_empty() {
                false => self.turn()?,
                true if ended => return Ok(()),
                true => self.wait()?,
            }
            self.publish.subscriptions()?;
        }
    }

    /// Stages 2 to 4.
    fn front(&mut self, input: Box<StreamInput>) {
        let StreamInput { stream, tick, frame, arrival, received } = &*input;
        let mut work = self.spare.pop().unwrap_or_default();
        match tick {
            Some(tick) => self.pipeline.tick(*stream, *tick, &mut work),
            None => {
                let begun = Instant::now();
                let core = self.pipeline.frame(*stream, frame, *arrival, &mut work);
                self.counters.timings.front.add(begun.elapsed());
                if work.batch().misplaced.is_none() {
                    self.live.offer(*stream, LiveKind::Scene, |out| {
                        FrameScene::write(*stream, core, out);
                    });
                }
            }
        }
        self.count(&input, work.batch());
        self.waiting.push_back(PendingWork { work, received: *received, inferred: Duration::ZERO });
        self.returns.give(input);
    }

    /// Counts what a frame or tick changed.
    fn count(&mut self, input: &StreamInput, batch: &StepBatch) {
        let StreamInput { stream, tick, frame, received, .. } = input;
        let count = self.counts.entry(*stream);
        let count = count.or_insert_with(|| self.counters.roster.enter(*stream));
        for step in &batch.steps {
            match *step {
                StreamStep::Frame { lost, .. } => count.frame(frame, *received, lost),
                StreamStep::Status(StatusKind::Reset, _) => count.reset(),
                StreamStep::Status(StatusKind::Stalled, _) => count.stall(),
                StreamStep::Doubt(doubt, example) => {
                    count.doubt(doubt, example);
                    self.counters.doubts.count(doubt, stream, example);
                }
                _ => {}
            }
        }
        if matches!(tick, Some(Tick::Gone | Tick::End)) {
            self.counts.remove(stream);
            self.counters.roster.leave(stream);
        }
        let Some(misplaced) = batch.misplaced else { return };
        let why = match misplaced {
            MisplacedReason::TimeNotRising => {
                "its capture time is not after the last one's: `t` is in nanoseconds and rises"
            }
            MisplacedReason::TwoProducers => {
                "two producers send on this stream id, or `seq` does not rise"
            }
        };
        self.counters.refuse(misplaced.into(), Some(stream), &why);
    }

    /// Stages 5 and 6, one turn: work that waits is taken as far as it goes without the model's answer to a
    /// row, or, when there is no further one, the model is fed.
    fn turn(&mut self) -> Result<(), RunError> {
        let fresh = self.is_newest();
        let Some(PendingWork { work, received, inferred }) = self.waiting.get_mut(self.at) else {
            let begun = Instant::now();
            self.pipeline.feed()?;
            let took = begun.elapsed();
            self.waiting.iter_mut().for_each(|waiting| waiting.inferred += took);
            self.at = 0;
            return Ok(());
        };
        let mut published = Ok(());
        let (begun, mut publishing) = (Instant::now(), Duration::ZERO);
        let advanced = self.pipeline.advance(work, fresh, |event| {
            if let EventBody::Frame(frame) = &event.body
                && frame.top_seq != Some(frame.seq)
            {
                self.counters.skipped();
            }
            if published.is_ok() {
                let begun = Instant::now();
                published = self.publish.publish(event, *received);
                publishing += begun.elapsed();
            }
        })?;
        *inferred += begun.elapsed().saturating_sub(publishing);
        match advanced {
            WorkState::NeedsModel => self.at += 1,
            WorkState::Done => self.done(),
        }
        Ok(published?)
    }

    /// No later frame of the same camera waits.
    fn is_newest(&self) -> bool {
        let Some(PendingWork { work, .. }) = self.waiting.get(self.at) else { return true };
        let mut later = self.waiting.range(self.at + 1..);
        !later.any(|later| later.work.stream() == work.stream() && later.work.is_frame())
    }

    /// The work at hand is done.
    fn done(&mut self) {
        let Some(PendingWork { work, inferred, .. }) = self.waiting.remove(self.at) else { return };
        if work.is_frame() {
            self.counters.timings.infer.add(inferred);
        }
        if let Some(before) = self.before_token.as_mut().filter(|before| **before > self.at) {
            *before -= 1;
        }
        self.spare.push(work);
    }

    /// Decides with the old model all that is open, then goes on with the new one.
    fn reload(&mut self, reload: ReloadRequest) -> Result<(), RunError> {
        while !self.waiting.is_empty() {
            self.turn()?;
        }
        let ReloadRequest { clients, core, inference, digests, .. } = reload;
        self.publish.adopt(&clients)?;
        let (now, mut published) = (Instant::now(), Ok(()));
        self.pipeline.reload(core, inference, |event| {
            if published.is_ok() {
                published = self.publish.publish(event, now);
            }
        })?;
        published?;
        let card = self.pipeline.inference().card();
        self.live.model(card, SceneLines::of(self.pipeline.settings(), card), digests.settings);
        notify::ready(&format!("reloaded: {}", self.pipeline.inference().describe()));
        Ok(())
    }

    /// Sleeps until there is a frame or a subscription.
    fn wait(&mut self) -> Result<(), SocketError> {
        let [frames, _] = socket::wait_for(self.frames.descriptor(), self.publish.socket())?;
        if frames {
            self.frames.hush();
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
