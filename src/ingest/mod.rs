//! Stage 1, *ingest*: receive, check, decode.
//!
//! One thread owns all input sockets. Whatever arrives is judged here once: a frame goes into the
//! ring, anything else is counted by reason and logged at a limited rate. The thread also watches
//! the clock: a stream without frames gets a [`Tick`] in the place where its next frame would be.

mod inlet;
mod message;
mod settings;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::keys::clients::ClientTable;
use crate::keys::zap::SharedClients;
use crate::plumbing::counters::DaemonCounters;
use crate::plumbing::flow::{BufferPool, RingSender};
use crate::plumbing::progress::PipelineProgress;
use crate::plumbing::{StageMonitor, notify, now};
use crate::recorder::RecordingSender;
use crate::socket::{MessagePart, SocketError, SocketPoll, ZmqSocket};
use signd_core::drop_reason::DropReason;
use signd_core::stream::Tick;
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::landmarks;
use signd_engine::recording::RecordingChannel;

pub use inlet::{AllowedSender, OpenInput, open};
pub use message::{IngestMessage, ReloadRequest, StreamInput};
pub use settings::{IngestSettings, StreamLimits};

/// Longest sleep, so that a request to stop is seen soon.
const NAP: Duration = Duration::from_millis(100);
/// Messages taken from one socket before the others get their turn.
const TURN: usize = 64;

/// What ingest receives from.
pub struct IngestInputs {
    /// Open sockets, and whose frames each receives.
    pub sockets: Vec<(ZmqSocket, AllowedSender)>,
    /// Who may send what.
    pub clients: ClientTable,
    /// The clients of the handler that lets them in; kept up to date by ingest.
    pub present: SharedClients,
}

/// The ingest stage.
pub struct Ingest {
    sockets: Vec<(ZmqSocket, AllowedSender)>,
    clients: ClientTable,
    present: SharedClients,
    reloads: crossbeam_channel::Receiver<ReloadRequest>,
    out: RingSender<IngestMessage>,
    pool: BufferPool<Box<StreamInput>>,
    recording: RecordingSender,
    counters: Arc<DaemonCounters>,
    progress: Arc<PipelineProgress>,
    streams: HashMap<StreamId, Pulse>,
    limits: StreamLimits,
}

/// The mark of a dropped frame in a recording.
#[derive(serde::Serialize)]
struct DropMark {
    reason: &'static str,
}

/// When a stream was last heard of.
struct Pulse {
    last: Instant,
    stalled: bool,
}

impl Ingest {
    /// Ingest on these sockets, into this ring.
    pub fn new(
        limits: StreamLimits,
        inputs: IngestInputs,
        reloads: crossbeam_channel::Receiver<ReloadRequest>,
        out: RingSender<IngestMessage>,
        pool: BufferPool<Box<StreamInput>>,
        recording: RecordingSender,
        watched: StageMonitor,
    ) -> Self {
        Ingest {
            sockets: inputs.sockets,
            clients: inputs.clients,
            present: inputs.present,
            reloads,
            out,
            pool,
            recording,
            counters: watched.counters,
            progress: watched.progress,
            streams: HashMap::new(),
            limits,
        }
    }

    /// Receives until `stop` says so, then ends every stream.
    pub fn run(mut self, stop: impl Fn() -> bool) -> Result<(), SocketError> {
        let (mut id, mut body) = (MessagePart::default(), MessagePart::default());
        let sockets = std::mem::take(&mut self.sockets);
        let mut poll = SocketPoll::of(sockets.iter().map(|(socket, _)| socket));
        while !stop() && !self.out.closed() {
            poll.wait(NAP)?;
            for ((socket, source), readable) in sockets.iter().zip(poll.readable()) {
                let mut turn = if readable { TURN } else { 0 };
                while turn > 0 && self.receive(socket, source, &mut id, &mut body)? {
                    turn -= 1;
                }
            }
            self.watch_clock();
            if let Ok(reload) = self.reloads.try_recv() {
                self.reload(reload);
            }
        }
        notify::stopping();
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        streams.into_iter().for_each(|stream| self.tick(stream, Tick::End));
        Ok(())
    }

    /// Takes one message; false when none waits.
    fn receive(
        &mut self,
        socket: &ZmqSocket,
        source: &AllowedSender,
        id: &mut MessagePart,
        body: &mut MessagePart,
    ) -> Result<bool, SocketError> {
        if !socket.try_receive_part(id)? {
            return Ok(false);
        }
        let mut parts = 1;
        while socket.receive_next_part(body)? {
            parts += 1;
        }
        match parts {
            2 => self.admit(source, id, body),
            _ => self.counters.refuse(DropReason::Parts, None, &wrong_parts(parts)),
        }
        Ok(true)
    }

    fn admit(&mut self, source: &AllowedSender, id: &mut MessagePart, body: &[u8]) {
        let Some(stream) = stream_id::parse(id) else {
            return self.counters.refuse(DropReason::StreamId, None, &no_stream_id(id));
        };
        let key = match source {
            AllowedSender::Anybody => None,
            AllowedSender::Clients => Some(id.sender().unwrap_or_default()),
            AllowedSender::One(key) => Some(key.as_str()),
        };
        if let Some(key) = key
            && !self.clients.may_publish(key, &stream)
        {
            // Not recorded: it is no frame of that stream.
            let who = self.clients.name(key).unwrap_or("a client that is no longer listed");
            let why = format_args!("{who} may not send this stream");
            return self.counters.refuse(DropReason::NotAllowed, Some(&stream), &why);
        }
        let known = self.streams.contains_key(&stream);
        if !known && self.streams.len() >= self.limits.max_streams {
            let most = self.limits.max_streams;
            let why = format_args!("{most} streams are there already");
            return self.counters.refuse(DropReason::TooManyStreams, Some(&stream), &why);
        }
        let mut input = self.pool.take().unwrap_or_else(|| Box::new(StreamInput::blank(stream)));
        let begun = Instant::now();
        let filled = landmarks::read(body, &mut input.frame);
        if let Err(refusal) = filled {
            self.pool.give(input);
            return self.drop_frame((&refusal).into(), &stream, &refusal);
        }
        self.counters.timings.decode.add(begun.elapsed());
        if !self.out.has_room() {
            self.pool.give(input);
            return self.drop_frame(
                DropReason::RingFull,
                &stream,
                &"the ring to the front is full",
            );
        }
        input.stamp(stream, None);
        let (received, arrival, t) = (input.received, input.arrival, input.frame.t);
        // Recorded before it is sent, so that in the recording a frame precedes its events.
        let channel = RecordingChannel::Landmarks(stream);
        self.recording.message(channel, arrival, t, |data| data.extend_from_slice(body));
        self.pass(IngestMessage::Input(input));
        self.counters.received();
        self.streams.insert(stream, Pulse { last: received, stalled: false });
    }

    /// Down the ring, as soon as there is room.
    fn pass(&mut self, passed: IngestMessage) {
        self.counters.levels.ring.enter();
        self.out.send(passed);
    }

    /// Counts, and records when the stream is known, a frame that is not let in.
    fn drop_frame(&mut self, reason: DropReason, stream: &StreamId, why: &dyn Display) {
        self.counters.refuse(reason, Some(stream), why);
        if self.streams.contains_key(stream) {
            let (channel, arrival) = (RecordingChannel::Drops(*stream), now());
            self.recording.json(channel, arrival, &DropMark { reason: reason.name() });
        }
    }

    /// Hands a reload down the rings, between two frames.
    fn reload(&mut self, reload: ReloadRequest) {
        self.limits = reload.limits;
        self.clients.clone_from(&reload.clients);
        self.present.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.clients);
        self.recording.reload(now(), &reload.digests);
        self.pass(IngestMessage::Reload(Box::new(reload)));
    }

    fn watch_clock(&mut self) {
        let StreamLimits { stall, gone, .. } = self.limits;
        let now = Instant::now();
        let silent = |pulse: &Pulse| now.saturating_duration_since(pulse.last);
        let mut due: Vec<(StreamId, Tick)> = Vec::new();
        for (stream, pulse) in &mut self.streams {
            if silent(pulse) >= gone {
                due.push((*stream, Tick::Gone));
            } else if silent(pulse) >= stall && !pulse.stalled {
                pulse.stalled = true;
                due.push((*stream, Tick::Stalled));
            }
        }
        for (stream, tick) in due {
            self.tick(stream, tick);
            if tick == Tick::Gone {
                self.streams.remove(&stream);
            }
        }
        let stalled = self.streams.values().filter(|pulse| pulse.stalled).count();
        self.counters.levels.active.set((self.streams.len() - stalled) as u64);
        self.counters.levels.stalled.set(stalled as u64);
        if self.progress.due() {
            self.pass(IngestMessage::Token);
        }
    }

    /// A tick is never dropped: it waits for room.
    fn tick(&mut self, stream: StreamId, tick: Tick) {
        let mut input = self.pool.take().unwrap_or_else(|| Box::new(StreamInput::blank(stream)));
        input.stamp(stream, Some(tick));
        self.recording.json(RecordingChannel::Ticks(stream), input.arrival, &tick);
        self.pass(IngestMessage::Input(input));
    }
}

/// What is said of a message with so many parts.
pub fn wrong_parts(parts: usize) -> String {
    format!("{parts} message parts (expected 2)")
}

/// What is said of a first part that names no stream. Only a short text is quoted: the part may be a frame.
pub fn no_stream_id(part: &[u8]) -> String {
    let expected = "(expected 1 to 64 of A-Za-z0-9._-)";
    match std::str::from_utf8(part) {
        Ok(text) if part.len() <= 64 => format!("{text:?} is no stream id {expected}"),
        _ => format!("part 1 of {} bytes is no stream id {expected}", part.len()),
    }
}
