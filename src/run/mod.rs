//! The live daemon: four threads joined by rings.

pub mod counters;
pub mod flow;
pub mod record;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::config::Settings;
use crate::continuity::Misplaced;
use crate::event::Body;
use crate::features::grid::RowKind;
use crate::frame::Arrival;
use crate::infer::Infer;
use crate::infer::model::ModelError;
use crate::ingest::{Inbound, Ingest, Passed};
use crate::publish::{self, Outbound, Publish};
use crate::recording::{Loaded, RecordingError};
use crate::stream::{Batch, CoreSettings, Step, Stream, Tick};
use crate::wire::topic::StreamId;
use counters::{Counters, Dropped};
use flow::{Pool, Receiver, Returns, Sender};

/// Half a second of sixteen streams at 30 frames a second.
const FRAMES: usize = 256;
/// Batches and events waiting for the next stage.
const BATCHES: usize = 64;
/// A batch makes few events; this holds those of all waiting batches.
const EVENTS: usize = 256;

/// Why the daemon ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A socket cannot be opened.
    #[error("{endpoint}: {source}")]
    Socket {
        /// Its endpoint.
        endpoint: String,
        /// What libzmq says.
        source: zmq::Error,
    },
    /// A socket failed while in use.
    #[error("ZeroMQ: {0}")]
    Zmq(#[from] zmq::Error),
    /// Inference failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The system refused a thread or a pipe.
    #[error("system: {0}")]
    System(#[from] std::io::Error),
    /// The recording cannot be begun.
    #[error("recording: {0}")]
    Recording(#[from] RecordingError),
    /// A stage panicked.
    #[error("stage {0} panicked")]
    Panic(&'static str),
}

/// Now, by this machine's clock.
pub fn now() -> Arrival {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Arrival(since.as_nanos() as u64)
}

/// Configuration and model, read again while the daemon runs.
pub struct Reload {
    /// The settings. Those of sockets and of the recording stay as they were.
    pub settings: Settings,
    /// The model and how it decides.
    pub infer: Infer,
}

/// What the front hands to infer.
enum Forward {
    Batch(Box<Forwarded>),
    Reload(Box<Reload>),
}

/// A batch on its way from the front to infer.
struct Forwarded {
    stream: StreamId,
    gone: bool,
    received: Instant,
    batch: Batch,
}

/// Runs until `stop` says so, then decides open signs, publishes what is left and returns.
/// `reloads` take effect between two frames.
pub fn run(
    settings: &Settings,
    infer: Infer,
    reloads: crossbeam_channel::Receiver<Reload>,
    counters: &Arc<Counters>,
    stop: impl Fn() -> bool + Send + 'static,
    ready: impl FnOnce(),
) -> Result<(), RunError> {
    let context = zmq::Context::new();
    let failed = |endpoint: &str| {
        let endpoint = endpoint.to_owned();
        move |source| RunError::Socket { endpoint, source }
    };
    let mut sockets = Vec::new();
    for input in settings.inputs().unwrap_or_default() {
        sockets.push(input.open(&context).map_err(failed(&input.endpoint))?);
    }
    let outlet = publish::open(&context, settings).map_err(failed(&settings.publish))?;

    let (frames_in, frames_out) = flow::ring(FRAMES);
    let (frame_pool, frame_returns) = flow::pool(FRAMES);
    let (batches_in, batches_out) = flow::ring(BATCHES);
    let (batch_pool, batch_returns) = flow::pool(BATCHES);
    let (events_in, events_out) = flow::polled_ring(EVENTS)?;

    let (tape, writer) = record::start(&settings.record, Loaded::of(settings, &infer))?;
    let publisher = Publish::new(outlet, events_out, settings.encoding, tape.clone());
    let ingest =
        Ingest::new(settings, sockets, reloads, frames_in, frame_pool, tape, Arc::clone(counters));
    let front = Front {
        settings: settings.core.clone(),
        kind: infer.row_kind(),
        streams: HashMap::new(),
        frames: frames_out,
        returns: frame_returns,
        out: batches_in,
        pool: batch_pool,
        counters: Arc::clone(counters),
    };
    let counted = Arc::clone(counters);
    let stages = [
        stage("ingest", move || Ok(ingest.run(stop)?))?,
        stage("front", move || {
            front.run();
            Ok(())
        })?,
        stage("infer", move || run_infer(infer, batches_out, batch_returns, events_in, &counted))?,
        stage("publish", move || Ok(publisher.run()?))?,
    ];
    ready();
    // Each stage ends when the one before it has; an error in one ends those after it.
    let ended = stages.map(|(name, handle)| handle.join().unwrap_or(Err(RunError::Panic(name))));
    // Their ends of the tape are gone with them.
    if let Some(writer) = writer {
        writer.join().map_err(|_| RunError::Panic("record"))?;
    }
    ended.into_iter().collect()
}

type Stage = (&'static str, JoinHandle<Result<(), RunError>>);

fn stage(
    name: &'static str,
    body: impl FnOnce() -> Result<(), RunError> + Send + 'static,
) -> std::io::Result<Stage> {
    Ok((name, Builder::new().name(name.to_owned()).spawn(body)?))
}

/// Stages 2 to 4: one [`Stream`] per camera.
struct Front {
    settings: CoreSettings,
    kind: RowKind,
    streams: HashMap<StreamId, Stream>,
    frames: Receiver<Passed>,
    returns: Returns<Box<Inbound>>,
    out: Sender<Forward>,
    pool: Pool<Box<Forwarded>>,
    counters: Arc<Counters>,
}

impl Front {
    fn run(mut self) {
        while let Some(passed) = self.frames.receive() {
            match passed {
                Passed::Inbound(inbound) => self.advance(inbound),
                Passed::Reload(reload) => self.reload(reload),
            }
            if self.out.closed() {
                return; // infer failed; ingest will see this thread's end gone and stop
            }
        }
    }

    fn advance(&mut self, inbound: Box<Inbound>) {
        let Inbound { stream, tick, frame, arrival, received } = &*inbound;
        let mut forwarded = self.blank(*stream, *received);
        forwarded.gone = matches!(tick, Some(Tick::Gone | Tick::End));
        let core = self.streams.entry(*stream);
        let core = core.or_insert_with(|| Stream::new(&self.settings, self.kind.clone()));
        match tick {
            Some(tick) => core.tick(*tick, &mut forwarded.batch),
            None => core.push(frame, *arrival, &mut forwarded.batch),
        }
        if forwarded.gone {
            self.streams.remove(stream);
        }
        match forwarded.batch.misplaced {
            Some(Misplaced::TimeNotRising) => {
                let why = "its capture time is not after the last one's";
                self.counters.refuse(Dropped::TimeNotRising, Some(stream), &why);
            }
            Some(Misplaced::TwoProducers) => {
                let why = "two producers send on this stream id";
                self.counters.refuse(Dropped::TwoProducers, Some(stream), &why);
            }
            None => {}
        }
        self.returns.give(inbound);
        self.out.send(Forward::Batch(forwarded));
    }

    /// Ends the open signs of all streams, then hands the new model on.
    fn reload(&mut self, reload: Box<Reload>) {
        (self.settings, self.kind) = (reload.settings.core.clone(), reload.infer.row_kind());
        let mut streams = std::mem::take(&mut self.streams);
        for (stream, core) in &mut streams {
            let mut forwarded = self.blank(*stream, Instant::now());
            core.adopt(&self.settings, self.kind.clone(), &mut forwarded.batch);
            self.out.send(Forward::Batch(forwarded));
        }
        self.streams = streams;
        self.out.send(Forward::Reload(reload));
    }

    fn blank(&mut self, stream: StreamId, received: Instant) -> Box<Forwarded> {
        let mut forwarded = self.pool.take().unwrap_or_else(|| {
            Box::new(Forwarded { stream, gone: false, received, batch: Batch::default() })
        });
        (forwarded.stream, forwarded.received, forwarded.gone) = (stream, received, false);
        forwarded.batch.clear();
        forwarded
    }
}

/// Stage 5. Takes in all that waits first: of the frames of a stream in it, only the newest gets
/// hypotheses computed.
fn run_infer(
    mut infer: Infer,
    mut batches: Receiver<Forward>,
    mut returns: Returns<Box<Forwarded>>,
    mut out: Sender<Outbound>,
    counters: &Counters,
) -> Result<(), RunError> {
    let mut waiting: VecDeque<Forward> = VecDeque::with_capacity(BATCHES);
    while let Some(first) = batches.receive() {
        waiting.push_back(first);
        while waiting.len() < BATCHES
            && let Some(next) = batches.try_receive()
        {
            waiting.push_back(next);
        }
        while let Some(forward) = waiting.pop_front() {
            let forwarded = match forward {
                Forward::Batch(forwarded) => forwarded,
                Forward::Reload(reload) => {
                    infer.adopt(reload.infer);
                    continue;
                }
            };
            let Forwarded { stream, gone, received, batch } = &*forwarded;
            let newest = !waiting.iter().any(|forward| forward.is_frame_of(stream));
            infer.push(stream, batch, newest, |event| {
                if let Body::Frame(frame) = &event.body
                    && frame.top_seq != Some(frame.seq)
                {
                    counters.skipped();
                }
                out.send(Outbound { event, received: *received });
            })?;
            if *gone {
                infer.forget(stream);
            }
            returns.give(forwarded);
        }
    }
    Ok(())
}

impl Forward {
    fn is_frame_of(&self, stream: &StreamId) -> bool {
        let Forward::Batch(forwarded) = self else { return false };
        let is_frame = |step: &Step| matches!(step, Step::Frame { .. });
        forwarded.stream == *stream && forwarded.batch.steps.iter().any(is_frame)
    }
}
