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

use super::counters::Counters;
use super::flow::{Receiver, Returns};
use super::progress::Progress;
use super::roster::StreamCount;
use super::{Reload, RunError, Watched, notify};
use crate::ingest::{Inbound, Passed};
use crate::observe::live::{Kind, Live};
use crate::observe::scene::{Lines, Scene};
use crate::publish::Publish;
use signd_core::continuity::Misplaced;
use signd_core::drop_reason::DropReason;
use signd_core::event::{Body, Status};
use signd_core::stream::{Batch, CoreSettings, Step, Stream, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::infer::Infer;

/// Most batches that wait for the model; behind them frames wait in the ring.
const WAITING: usize = 64;

/// A batch that waits for the model.
struct Waiting {
    stream: StreamId,
    gone: bool,
    received: Instant,
    batch: Batch,
    /// Steps of the batch that inference has taken.
    taken: usize,
    /// Time in stage 5 so far.
    inferred: Duration,
}

/// Stages 2 to 6.
pub struct Worker {
    settings: CoreSettings,
    streams: HashMap<StreamId, Stream>,
    /// What is counted of each of them.
    counts: HashMap<StreamId, Arc<StreamCount>>,
    frames: Receiver<Passed>,
    returns: Returns<Box<Inbound>>,
    waiting: VecDeque<Waiting>,
    /// Those before this one wait for the next call to the model.
    at: usize,
    /// Of those that wait, how many came before the watchdog's token; none: no token is here.
    before_token: Option<usize>,
    /// Empty batches, kept for their memory.
    spare: Vec<Batch>,
    infer: Infer,
    publish: Publish,
    live: Live,
    counters: Arc<Counters>,
    progress: Arc<Progress>,
}

impl Worker {
    /// A worker that has seen no stream yet.
    pub fn new(
        settings: CoreSettings,
        frames: Receiver<Passed>,
        returns: Returns<Box<Inbound>>,
        infer: Infer,
        publish: Publish,
        live: Live,
        watched: Watched,
    ) -> Self {
        Worker {
            settings,
            streams: HashMap::new(),
            counts: HashMap::new(),
            frames,
            returns,
            waiting: VecDeque::with_capacity(WAITING),
            at: 0,
            before_token: None,
            spare: Vec::with_capacity(WAITING),
            infer,
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
        let mut waiting = self.blank(*stream, *received);
        waiting.gone = matches!(tick, Some(Tick::Gone | Tick::End));
        let core = self.streams.entry(*stream);
        let core = core.or_insert_with(|| Stream::new(&self.settings, self.infer.needs()));
        match tick {
            Some(tick) => core.tick(*tick, &mut waiting.batch),
            None => {
                let begun = Instant::now();
                core.push(frame, *arrival, &mut waiting.batch);
                self.counters.timings.front.add(begun.elapsed());
                if waiting.batch.misplaced.is_none() {
                    self.live.offer(*stream, Kind::Scene, |out| Scene::write(*stream, core, out));
                }
            }
        }
        let count = self.counts.entry(*stream);
        let count = count.or_insert_with(|| self.counters.roster.enter(*stream));
        if *tick == Some(Tick::Stalled) {
            count.stall();
        }
        for step in &waiting.batch.steps {
            match *step {
                Step::Frame { lost, .. } => count.frame(frame, *received, lost),
                Step::Status(Status::Reset, _) => count.reset(),
                Step::Doubt(doubt, example) => {
                    count.doubt(doubt, example);
                    self.counters.doubts.count(doubt, stream, example);
                }
                _ => {}
            }
        }
        if waiting.gone {
            self.streams.remove(stream);
            self.counts.remove(stream);
            self.counters.roster.leave(stream);
        }
        match waiting.batch.misplaced {
            Some(Misplaced::TimeNotRising) => {
                let why =
                    "its capture time is not after the last one's: `t` is in nanoseconds and rises";
                self.counters.refuse(DropReason::TimeNotRising, Some(stream), &why);
            }
            Some(Misplaced::TwoProducers) => {
                let why = "two producers send on this stream id, or `seq` does not rise";
                self.counters.refuse(DropReason::TwoProducers, Some(stream), &why);
            }
            None => {}
        }
        self.waiting.push_back(waiting);
        self.returns.give(inbound);
    }

    /// Stages 5 and 6, one turn: a batch that waits is taken as far as it goes without the model's answer
    /// to a row, or, when there is no further one, the model is fed.
    fn turn(&mut self) -> Result<(), RunError> {
        let Some(Waiting { stream, received, batch, taken, .. }) = self.waiting.get(self.at) else {
            let begun = Instant::now();
            self.infer.feed()?;
            let took = begun.elapsed();
            self.waiting.iter_mut().for_each(|waiting| waiting.inferred += took);
            self.at = 0;
            return Ok(());
        };
        let is_frame = |batch: &Batch| batch.steps.iter().any(|s| matches!(s, Step::Frame { .. }));
        let mut later = self.waiting.range(self.at + 1..);
        let newest = !later.any(|w| w.stream == *stream && is_frame(&w.batch));
        let (mut taken, mut published) = (*taken, Ok(()));
        let (begun, mut publishing) = (Instant::now(), Duration::ZERO);
        let done = self.infer.advance(stream, batch, &mut taken, newest, |event| {
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
        self.waiting[self.at].inferred += begun.elapsed().saturating_sub(publishing);
        if !done {
            self.waiting[self.at].taken = taken;
            self.at += 1;
        } else if let Some(done) = self.waiting.remove(self.at) {
            if is_frame(&done.batch) {
                self.counters.timings.infer.add(done.inferred);
            }
            if let Some(before) = self.before_token.as_mut().filter(|before| **before > self.at) {
                *before -= 1;
            }
            if done.gone {
                self.infer.forget(&done.stream);
            }
            self.spare.push(done.batch);
        }
        Ok(published?)
    }

    /// Decides with the old model all that is open, then goes on with the new one.
    fn reload(&mut self, reload: Reload) -> Result<(), RunError> {
        self.finish()?;
        let Reload { settings, infer } = reload;
        self.publish.adopt(&settings.keys.clients)?;
        let digest = settings.loaded(&infer).settings;
        self.settings = settings.core;
        let mut streams = std::mem::take(&mut self.streams);
        for (stream, core) in &mut streams {
            let mut waiting = self.blank(*stream, Instant::now());
            core.adopt(&self.settings, infer.needs(), &mut waiting.batch);
            self.waiting.push_back(waiting);
        }
        self.streams = streams;
        self.finish()?;
        self.live.model(infer.card(), Lines::of(&self.settings, infer.card()), digest);
        self.infer.adopt(infer);
        notify::ready(&format!("reloaded: {}", self.infer.describe()));
        Ok(())
    }

    /// Publishes everything that waits.
    fn finish(&mut self) -> Result<(), RunError> {
        while !self.waiting.is_empty() {
            self.turn()?;
        }
        Ok(())
    }

    fn blank(&mut self, stream: StreamId, received: Instant) -> Waiting {
        let mut batch = self.spare.pop().unwrap_or_default();
        batch.clear();
        Waiting { stream, gone: false, received, batch, taken: 0, inferred: Duration::ZERO }
    }

    /// Sleeps until there is a frame or a subscription.
    fn wait(&mut self) -> Result<(), zmq::Error> {
        let mut items = [
            zmq::PollItem::from_fd(self.frames.descriptor(), zmq::POLLIN),
            self.publish.poll_item(),
        ];
        match zmq::poll(&mut items, -1) {
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error),
        }
        if items[0].is_readable() {
            self.frames.hush();
        }
        Ok(())
    }
}
