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
use crate::ingest::{Inbound, Passed, Reload};
use crate::observe::live::{Kind, Live};
use crate::observe::scene::{Lines, Scene};
use crate::plumbing::counters::Counters;
use crate::plumbing::flow::{Receiver, Returns};
use crate::plumbing::progress::Progress;
use crate::plumbing::roster::StreamCount;
use crate::plumbing::{Watched, notify};
use crate::publish::Publish;
use crate::socket::{self, SocketError};
use signd_core::continuity::Misplaced;
use signd_core::event::{Body, Status};
use signd_core::stream::{Batch, Step, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::pipeline::{Advanced, Pipeline, Work};

/// Most batches that wait for the model; behind them frames wait in the ring.
const WAITING: usize = 64;

/// A frame or tick that waits for the model.
struct Waiting {
    work: Work,
    received: Instant,
    /// Time in stage 5 so far.
    inferred: Duration,
}

/// Stages 2 to 6.
pub struct Worker {
    pipeline: Pipeline,
    /// What is counted of each camera.
    counts: HashMap<StreamId, Arc<StreamCount>>,
    frames: Receiver<Passed>,
    returns: Returns<Box<Inbound>>,
    waiting: VecDeque<Waiting>,
    /// Those before this one wait for the next call to the model.
    at: usize,
    /// Of those that wait, how many came before the watchdog's token; none: no token is here.
    before_token: Option<usize>,
    /// Work that is done, kept for its memory.
    spare: Vec<Work>,
    publish: Publish,
    live: Live,
    counters: Arc<Counters>,
    progress: Arc<Progress>,
}

impl Worker {
    /// A worker that has seen no stream yet.
    pub fn new(
        pipeline: Pipeline,
        frames: Receiver<Passed>,
        returns: Returns<Box<Inbound>>,
        publish: Publish,
        live: Live,
        watched: Watched,
    ) -> Self {
        Worker {
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
                    Passed::Inbound(inbound) => self.front(inbound),
                    Passed::Reload(reload) => self.reload(*reload)?,
                    // One on its way says enough; a later one says no more.
                    Passed::Token => drop(self.before_token.get_or_insert(self.waiting.len())),
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
    fn front(&mut self, inbound: Box<Inbound>) {
        let Inbound { stream, tick, frame, arrival, received } = &*inbound;
        let mut work = self.spare.pop().unwrap_or_default();
        match tick {
            Some(tick) => self.pipeline.tick(*stream, *tick, &mut work),
            None => {
                let begun = Instant::now();
                let core = self.pipeline.frame(*stream, frame, *arrival, &mut work);
                self.counters.timings.front.add(begun.elapsed());
                if work.batch().misplaced.is_none() {
                    self.live.offer(*stream, Kind::Scene, |out| Scene::write(*stream, core, out));
                }
            }
        }
        self.count(&inbound, work.batch());
        self.waiting.push_back(Waiting { work, received: *received, inferred: Duration::ZERO });
        self.returns.give(inbound);
    }

    /// Counts what a frame or tick changed.
    fn count(&mut self, inbound: &Inbound, batch: &Batch) {
        let Inbound { stream, tick, frame, received, .. } = inbound;
        let count = self.counts.entry(*stream);
        let count = count.or_insert_with(|| self.counters.roster.enter(*stream));
        for step in &batch.steps {
            match *step {
                Step::Frame { lost, .. } => count.frame(frame, *received, lost),
                Step::Status(Status::Reset, _) => count.reset(),
                Step::Status(Status::Stalled, _) => count.stall(),
                Step::Doubt(doubt, example) => {
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
            Misplaced::TimeNotRising => {
                "its capture time is not after the last one's: `t` is in nanoseconds and rises"
            }
            Misplaced::TwoProducers => {
                "two producers send on this stream id, or `seq` does not rise"
            }
        };
        self.counters.refuse(misplaced.into(), Some(stream), &why);
    }

    /// Stages 5 and 6, one turn: work that waits is taken as far as it goes without the model's answer to a
    /// row, or, when there is no further one, the model is fed.
    fn turn(&mut self) -> Result<(), RunError> {
        let fresh = self.is_newest();
        let Some(Waiting { work, received, inferred }) = self.waiting.get_mut(self.at) else {
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
            if let Body::Frame(frame) = &event.body
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
            Advanced::NeedsModel => self.at += 1,
            Advanced::Done => self.done(),
        }
        Ok(published?)
    }

    /// No later frame of the same camera waits.
    fn is_newest(&self) -> bool {
        let Some(Waiting { work, .. }) = self.waiting.get(self.at) else { return true };
        let mut later = self.waiting.range(self.at + 1..);
        !later.any(|later| later.work.stream() == work.stream() && later.work.is_frame())
    }

    /// The work at hand is done.
    fn done(&mut self) {
        let Some(Waiting { work, inferred, .. }) = self.waiting.remove(self.at) else { return };
        if work.is_frame() {
            self.counters.timings.infer.add(inferred);
        }
        if let Some(before) = self.before_token.as_mut().filter(|before| **before > self.at) {
            *before -= 1;
        }
        self.spare.push(work);
    }

    /// Decides with the old model all that is open, then goes on with the new one.
    fn reload(&mut self, reload: Reload) -> Result<(), RunError> {
        while !self.waiting.is_empty() {
            self.turn()?;
        }
        let Reload { clients, core, inference, loaded, .. } = reload;
        self.publish.adopt(&clients)?;
        let (now, mut published) = (Instant::now(), Ok(()));
        self.pipeline.reload(core, inference, |event| {
            if published.is_ok() {
                published = self.publish.publish(event, now);
            }
        })?;
        published?;
        let card = self.pipeline.inference().card();
        self.live.model(card, Lines::of(self.pipeline.core(), card), loaded.settings);
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
