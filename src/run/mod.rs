//! The live daemon: a thread that receives and one that works, joined by a ring.

mod worker;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use crate::config::Settings;
use crate::endpoint::place::PlaceError;
use crate::ingest::{self, Ingest, IngestInputs, ReloadRequest};
use crate::keys::handshakes::{self, HandshakeWatch};
use crate::keys::policy::KeyPolicy;
use crate::keys::zap::ZapHandler;
use crate::observe::scene::SceneLines;
use crate::observe::status::DaemonInfo;
use crate::observe::{self, HttpError};
use crate::plumbing::counters::DaemonCounters;
use crate::plumbing::progress::PipelineProgress;
use crate::plumbing::refusals::RefusalReason;
use crate::plumbing::{StageMonitor, draw_run_id, flow};
use crate::publish::{self, Publisher};
use crate::recorder::{self, RecordingSender};
use crate::socket::{HandshakeFailure, SocketContext, SocketError, ZmqSocket};
use crossbeam_channel::Receiver;
use signd_engine::inference::Inference;
use signd_engine::model::ModelError;
use signd_engine::pipeline::Pipeline;
use signd_engine::recording::RecordingError;
use worker::PipelineWorker;

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
    Zmq(#[from] SocketError),
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
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A stage panicked.
    #[error("stage {0} panicked")]
    Panic(&'static str),
}

/// Runs until `stop` says so, then decides open signs, publishes what is left and returns.
/// `reloads` take effect between two frames.
pub fn run(
    settings: &Settings,
    policy: &KeyPolicy,
    inference: Inference,
    reloads: Receiver<ReloadRequest>,
    counters: &Arc<DaemonCounters>,
    stop: impl Fn() -> bool + Send + 'static,
    ready: impl FnOnce(),
) -> Result<(), RunError> {
    let recording = settings
        .record
        .as_ref()
        .map(|record| (record, |source| RunError::Recording { path: record.path.clone(), source }));
    if let Some((record, failed)) = &recording {
        recorder::check(record).map_err(failed)?; // before a client is let in
    }
    // Removed at the end, when the context and all its sockets are closed.
    let mut files = Vec::new();
    let context = SocketContext::default();
    let clients = &settings.keys.clients;
    let present = Arc::new(Mutex::new(clients.clone()));
    let turned_away = Arc::clone(counters);
    let refused = move |why, door: &str, from: &str| turned_away.refuse_client(why, door, from);
    // There before the first socket, and, as the last to be dropped, gone after all of them.
    let _zap = match policy.has_key() {
        true => Some(ZapHandler::start(&context, Arc::clone(&present), refused)?),
        false => None,
    };
    let mut sockets = Vec::new();
    for input in &settings.ingest.inputs {
        let opened = ingest::open(input, &context, policy, clients)?;
        files.push(opened.file);
        sockets.push((opened.socket, opened.source));
    }
    let (outlet, file) = publish::open(&context, &settings.publish, policy)?;
    files.push(file);
    let doors = sockets.iter().map(|(socket, _)| (socket, "ingest"));
    let _watches =
        count_failed_handshakes(&context, doors.chain([(&outlet, "publish")]), counters)?;

    let run_id = draw_run_id();
    let progress = Arc::new(PipelineProgress::default());
    let watched = StageMonitor { counters: Arc::clone(counters), progress: Arc::clone(&progress) };
    let info = DaemonInfo::new(run_id, &settings.ingest.inputs, &settings.publish.endpoint);
    let (server, live) = observe::start(&settings.http, info, watched.clone())?;
    let card = inference.card();
    let digests = settings.run_digests(card);
    live.model(card, SceneLines::of(&settings.core, card), digests.settings.clone());

    let (frames_in, frames_out) = flow::ring(FRAMES)?;
    let (frame_pool, frame_returns) = flow::pool(FRAMES);

    let (recording_sender, writer) = match recording {
        Some((record, failed)) => {
            recorder::start(record, digests, Arc::clone(counters)).map_err(failed)?
        }
        None => (RecordingSender::default(), None),
    };
    let publish = Publisher::new(
        outlet,
        settings.publish.encoding,
        clients.clone(),
        run_id,
        recording_sender.clone(),
        live.clone(),
        counters,
    );
    let ingest_inputs = IngestInputs { sockets, clients: clients.clone(), present };
    let ingest = Ingest::new(
        settings.ingest.limits,
        ingest_inputs,
        reloads,
        frames_in,
        frame_pool,
        recording_sender,
        watched.clone(),
    );
    let pipeline = Pipeline::new(settings.core.clone(), inference);
    let worker = PipelineWorker::new(pipeline, frames_out, frame_returns, publish, live, watched);
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
    // Their ends of the recording are gone with them.
    if let Some(writer) = writer {
        writer.join().map_err(|_| RunError::Panic("record"))?;
    }
    ended.into_iter().collect()
}

/// Counts what fails, at those of these sockets that ask for keys, before keys are compared.
fn count_failed_handshakes<'a>(
    context: &SocketContext,
    doors: impl Iterator<Item = (&'a ZmqSocket, &'static str)>,
    counters: &Arc<DaemonCounters>,
) -> Result<Vec<HandshakeWatch>, RunError> {
    let mut watches = Vec::new();
    for (number, (socket, door)) in doors.enumerate() {
        if !socket.has_keys()? {
            continue;
        }
        let counters = Arc::clone(counters);
        let endpoint = socket.last_endpoint()?;
        // Refusals of our own are counted where they are pronounced.
        let ours = socket.is_key_server()?;
        let told = move |failure| {
            if !(ours && failure == HandshakeFailure::Refused) {
                counters.refuse_client(RefusalReason::Handshake, door, &endpoint);
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
