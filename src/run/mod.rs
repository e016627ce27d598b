//! The live daemon: a thread that receives and one that works, joined by a ring.

pub mod counters;
pub mod flow;
pub mod notify;
pub mod record;
mod worker;

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Settings;
use crate::frame::Arrival;
use crate::infer::Infer;
use crate::infer::model::ModelError;
use crate::ingest::Ingest;
use crate::publish::{self, Publish};
use crate::recording::{Loaded, RecordingError};
use counters::Counters;
use worker::Worker;

/// Half a second of sixteen streams at 30 frames a second.
const FRAMES: usize = 256;

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

    let (frames_in, frames_out) = flow::ring(FRAMES)?;
    let (frame_pool, frame_returns) = flow::pool(FRAMES);

    let (tape, writer) = record::start(&settings.record, Loaded::of(settings, &infer))?;
    let publish = Publish::new(outlet, settings.encoding, tape.clone());
    let ingest =
        Ingest::new(settings, sockets, reloads, frames_in, frame_pool, tape, Arc::clone(counters));
    let counters = Arc::clone(counters);
    let worker =
        Worker::new(settings.core.clone(), frames_out, frame_returns, infer, publish, counters);
    let stages =
        [stage("ingest", move || Ok(ingest.run(stop)?))?, stage("work", move || worker.run())?];
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
