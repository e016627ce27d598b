//! The live daemon: four threads joined by rings.

pub mod counters;
pub mod flow;
pub mod record;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crate::config::Settings;
use crate::continuity::Misplaced;
use crate::features::grid::RowKind;
use crate::infer::Infer;
use crate::infer::model::ModelError;
use crate::ingest::{Inbound, Ingest};
use crate::publish::{self, Outbound, Publish};
use crate::recording::RecordingError;
use crate::stream::{Batch, CoreSettings, Step, Stream, Tick};
use crate::wire::topic::StreamId;
use counters::{Counters, Dropped};
use flow::{Pool, Receiver, Returns, Sender};
use record::Tape;

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

/// A batch on its way from the front to infer.
struct Forwarded {
    stream: StreamId,
    gone: bool,
    received: std::time::Instant,
    batch: Batch,
}

/// Runs until `stop` says so, then decides open signs, publishes what is left and returns.
pub fn run(
    settings: &Settings,
    infer: Infer,
    kind: RowKind,
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

    let tape = match settings.record.as_os_str().is_empty() {
        true => Tape::none(),
        false => Tape::start(&settings.record)?,
    };
    let ingest = Ingest::new(settings, sockets, frames_in, frame_pool, tape, Arc::clone(counters));
    let front = Front {
        settings: settings.core.clone(),
        kind,
        streams: HashMap::new(),
        frames: frames_out,
        returns: frame_returns,
        out: batches_in,
        pool: batch_pool,
        counters: Arc::clone(counters),
    };
    let publisher = Publish::new(outlet, events_out, settings.encoding);
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
    frames: Receiver<Box<Inbound>>,
    returns: Returns<Box<Inbound>>,
    out: Sender<Box<Forwarded>>,
    pool: Pool<Box<Forwarded>>,
    counters: Arc<Counters>,
}

impl Front {
    fn run(mut self) {
        while let Some(inbound) = self.frames.receive() {
            let Inbound { stream, tick, frame, arrival, received } = &*inbound;
            let mut forwarded = self.pool.take().unwrap_or_else(|| {
                let batch = Batch::default();
                Box::new(Forwarded { stream: *stream, gone: false, received: *received, batch })
            });
            forwarded.stream = *stream;
            forwarded.received = *received;
            forwarded.gone = matches!(tick, Some(Tick::Gone | Tick::End));
            forwarded.batch.clear();
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
            self.out.send(forwarded);
            if self.out.closed() {
                return; // infer failed; ingest will see this thread's end gone and stop
            }
        }
    }
}

/// Stage 5. Takes in all that waits first: of the frames of a stream in it, only the newest gets
/// hypotheses computed.
fn run_infer(
    mut infer: Infer,
    mut batches: Receiver<Box<Forwarded>>,
    mut returns: Returns<Box<Forwarded>>,
    mut out: Sender<Outbound>,
    counters: &Counters,
) -> Result<(), RunError> {
    let mut waiting: VecDeque<Box<Forwarded>> = VecDeque::with_capacity(BATCHES);
    while let Some(first) = batches.receive() {
        waiting.push_back(first);
        while waiting.len() < BATCHES
            && let Some(next) = batches.try_receive()
        {
            waiting.push_back(next);
        }
        while let Some(forwarded) = waiting.pop_front() {
            let Forwarded { stream, gone, received, batch } = &*forwarded;
            let is_frame = |b: &Batch| b.steps.iter().any(|s| matches!(s, Step::Frame { .. }));
            let newest = !waiting.iter().any(|f| f.stream == *stream && is_frame(&f.batch));
            if !newest {
                counters.skipped();
            }
            infer.push(stream, batch, newest, |event| {
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
