//! The live daemon: a thread that receives and one that works, joined by a ring.

pub mod counters;
pub mod doubts;
pub mod flow;
pub mod histogram;
pub mod notify;
pub mod progress;
pub mod record;
pub mod refusals;
pub mod roster;
pub mod rotation;
mod worker;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Settings;
use crate::endpoint::owner;
use crate::endpoint::place::PlaceError;
use crate::ingest::{self, Ingest, Inlets};
use crate::keys::guard::Guard;
use crate::keys::handshakes::{self, Failure, Watch};
use crate::keys::zap::{Refused, Zap};
use crate::observe;
use crate::observe::scene::Lines;
use crate::publish::{self, Publish};
use counters::Counters;
use progress::Progress;
use signd_core::event::RunId;
use signd_core::frame::Arrival;
use signd_engine::inference::Inference;
use signd_engine::model::ModelError;
use signd_engine::pipeline::Pipeline;
use signd_engine::recording::RecordingError;
use worker::Worker;

/// Half a second of sixteen streams at 30 frames a second.
const FRAMES: usize = 256;

/// Why the daemon ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A socket cannot be opened.
    #[error(transparent)]
    Socket(#[from] PlaceError),
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
    #[error("recording {}: {source}", path.display())]
    Recording {
        /// Its file.
        path: PathBuf,
        /// What is in the way.
        source: RecordingError,
    },
    /// The HTTP endpoint cannot be opened.
    #[error(
        "http {listen}: {source}{}: [http] listen can name another address or port, or be empty to do \
         without", owner(*listen, source)
    )]
    Http {
        /// Its address.
        listen: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A stage panicked.
    #[error("stage {0} panicked")]
    Panic(&'static str),
}

/// Who has the address that is in use, in words.
fn owner(listen: SocketAddr, error: &std::io::Error) -> String {
    match owner::of_port(listen.port()) {
        Some(owner) if error.kind() == std::io::ErrorKind::AddrInUse => {
            format!(", by `{}` ({})", owner.name, owner.pid)
        }
        _ => String::new(),
    }
}

/// Now, by this machine's clock.
pub fn now() -> Arrival {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Arrival(since.as_nanos() as u64)
}

/// What is seen of the stages from outside.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// What they count.
    pub counters: Arc<Counters>,
    /// Whether they get on.
    pub progress: Arc<Progress>,
}

/// Configuration and model, read again while the daemon runs.
pub struct Reload {
    /// The settings. Those of sockets and of the recording stay as they were.
    pub settings: Settings,
    /// The model and how it decides.
    pub inference: Inference,
}

/// Runs until `stop` says so, then decides open signs, publishes what is left and returns.
/// `reloads` take effect between two frames.
pub fn run(
    settings: &Settings,
    guard: &Guard,
    inference: Inference,
    reloads: crossbeam_channel::Receiver<Reload>,
    counters: &Arc<Counters>,
    stop: impl Fn() -> bool + Send + 'static,
    ready: impl FnOnce(),
) -> Result<(), RunError> {
    let unrecorded = |source| RunError::Recording { path: settings.record.path.clone(), source };
    record::check(&settings.record).map_err(unrecorded)?; // before a client is let in
    // Removed at the end, when the context and all its sockets are closed.
    let mut files = Vec::new();
    let context = zmq::Context::new();
    let clients = &settings.keys.clients;
    let present = Arc::new(Mutex::new(clients.clone()));
    let turned_away = Arc::clone(counters);
    let refused = move |why, door: &str, from: &str| turned_away.turn_away(why, door, from);
    // There before the first socket, and, as the last to be dropped, gone after all of them.
    let _zap = match guard.has_key() {
        true => Some(Zap::start(&context, Arc::clone(&present), refused)?),
        false => None,
    };
    let mut sockets = Vec::new();
    for input in &settings.ingest {
        let opened = ingest::open(input, &context, guard, clients)?;
        files.push(opened.file);
        sockets.push((opened.socket, opened.source));
    }
    let (outlet, file) = publish::open(&context, settings, guard)?;
    files.push(file);
    let doors = sockets.iter().map(|(socket, _)| (socket, "ingest"));
    let _watches =
        count_failed_handshakes(&context, doors.chain([(&outlet, "publish")]), counters)?;

    let run_id = RunId::draw();
    let progress = Arc::new(Progress::default());
    let watched = Watched { counters: Arc::clone(counters), progress: Arc::clone(&progress) };
    let (server, live) = observe::start(settings, run_id, watched.clone())?;
    let card = inference.card();
    let loaded = settings.loaded(card);
    live.model(card, Lines::of(&settings.core, card), loaded.settings.clone());

    let (frames_in, frames_out) = flow::ring(FRAMES)?;
    let (frame_pool, frame_returns) = flow::pool(FRAMES);

    let (tape, writer) =
        record::start(&settings.record, loaded, Arc::clone(counters)).map_err(unrecorded)?;
    let publish = Publish::new(outlet, settings, run_id, tape.clone(), live.clone(), counters);
    let inlets = Inlets { sockets, present };
    let ingest =
        Ingest::new(settings, inlets, reloads, frames_in, frame_pool, tape, watched.clone());
    let pipeline = Pipeline::new(settings.core.clone(), inference);
    let worker = Worker::new(pipeline, frames_out, frame_returns, publish, live, watched);
    let stages =
        [stage("ingest", move || Ok(ingest.run(stop)?))?, stage("work", move || worker.run())?];
    progress.ready(true);
    ready();
    // Each stage ends when the one before it has; an error in one ends those after it.
    let ended = stages.map(|(name, handle)| {
        let ended = handle.join().unwrap_or(Err(RunError::Panic(name)));
        progress.ready(false);
        ended
    });
    drop(server);
    // Their ends of the tape are gone with them.
    if let Some(writer) = writer {
        writer.join().map_err(|_| RunError::Panic("record"))?;
    }
    ended.into_iter().collect()
}

/// Counts what fails, at those of these sockets that ask for keys, before keys are compared.
fn count_failed_handshakes<'a>(
    context: &zmq::Context,
    doors: impl Iterator<Item = (&'a zmq::Socket, &'static str)>,
    counters: &Arc<Counters>,
) -> Result<Vec<Watch>, RunError> {
    let mut watches = Vec::new();
    for (number, (socket, door)) in doors.enumerate() {
        if socket.get_mechanism()? != zmq::Mechanism::ZMQ_CURVE {
            continue;
        }
        let counters = Arc::clone(counters);
        let endpoint = socket.get_last_endpoint()?.unwrap_or_default();
        // Refusals of our own are counted where they are pronounced.
        let ours = socket.is_curve_server()?;
        let told = move |failure| {
            if !(ours && failure == Failure::Refused) {
                counters.turn_away(Refused::Handshake, door, &endpoint);
            }
        };
        watches.push(handshakes::watch(context, socket, &number.to_string(), told)?);
    }
    Ok(watches)
}

type Stage = (&'static str, JoinHandle<Result<(), RunError>>);

fn stage(
    name: &'static str,
    body: impl FnOnce() -> Result<(), RunError> + Send + 'static,
) -> std::io::Result<Stage> {
    Ok((name, Builder::new().name(name.to_owned()).spawn(body)?))
}
