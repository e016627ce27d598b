use std::collections::BTreeMap;
use std::path::Path;

use signd_core::event::RunId;
use signd_core::frame::Frame;
use signd_core::stream::CoreSettings;
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::events::EventEncoding;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::{DecideSettings, SignDecider};
use signd_engine::model::{Model, OnnxRuntime};
use signd_engine::recording::{self, RunDigests};

use super::*;
use crate::ingest::StreamLimits;
use crate::keys::clients::ClientTable;
use crate::plumbing::flow::{BufferPool, RingSender, pool, ring};
use crate::recorder::RecordingSender;
use crate::socket::{SocketContext, SocketKind};

const WINDOW: &str = "pace-window.onnx";
const STREAMING: &str = "pace-stream.onnx";

fn project(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn inference(model: &str) -> Inference {
    let library = project("target/onnxruntime/libonnxruntime.so");
    let runtime = OnnxRuntime::load(&library).expect("`make setup` ran");
    let model = Model::open(&runtime, &project("tests/models").join(model)).expect("a model");
    let (thresholds, allow) = (BTreeMap::new(), Vec::new());
    let settings = DecideSettings { top: 3, threshold: 0.0, thresholds, early_ms: 0.0, allow };
    let decider = SignDecider::new(&settings, model.card()).expect("fits");
    Inference::new(model, decider)
}

/// A worker, and the ends of its rings that are ingest's.
struct Bench {
    frames: RingSender<IngestMessage>,
    pool: BufferPool<Box<StreamInput>>,
    worker: PipelineWorker,
    watched: StageMonitor,
}

impl Bench {
    fn new(model: &str, progress: PipelineProgress) -> Bench {
        let socket = SocketContext::default().socket(SocketKind::Xpub).expect("a socket");
        let watched = StageMonitor { counters: Arc::default(), progress: Arc::new(progress) };
        let (live, clients) = (LiveSender::default(), ClientTable::default());
        let publish = Publisher::new(
            socket,
            EventEncoding::Json,
            clients,
            RunId::new(7),
            RecordingSender::default(),
            live.clone(),
            &watched.counters,
        );
        let (frames, receiver) = ring(64).expect("pipe");
        let (pool, returns) = pool(64);
        let pipeline = Pipeline::new(CoreSettings::default(), inference(model));
        let worker =
            PipelineWorker::new(pipeline, receiver, returns, publish, live, watched.clone());
        Bench { frames, pool, worker, watched }
    }

    fn send(&mut self, tick: Option<Tick>, frame: Frame) {
        let (stream, arrival) = (cam(), signd_core::frame::ArrivalTime(frame.t.0));
        let input = StreamInput { stream, tick, frame, arrival, received: Instant::now() };
        self.watched.counters.levels.ring.enter();
        self.frames.send(IngestMessage::Input(Box::new(input)));
    }

    /// Ingest ends, and the worker deals with all that was sent.
    fn run(self) -> (StageMonitor, BufferPool<Box<StreamInput>>) {
        drop(self.frames);
        self.worker.run().expect("runs");
        (self.watched, self.pool)
    }
}

fn cam() -> StreamId {
    stream_id::parse(b"cam1").expect("valid")
}

/// From rest into the sign `mom` of the shipped recording.
fn signing() -> Vec<Frame> {
    let bytes = std::fs::read(project("tests/recordings/signer.mcap")).expect("reads");
    let (frames, _) = recording::frames(&bytes).expect("readable");
    frames.into_iter().map(|(_, frame)| frame).skip(120).take(45).collect()
}

#[test]
fn of_frames_that_wait_only_the_newest_is_asked_about_and_no_decision_is_skipped() {
    for (model, skips) in [(WINDOW, true), (STREAMING, false)] {
        let mut bench = Bench::new(model, PipelineProgress::default());
        signing().into_iter().for_each(|frame| bench.send(None, frame));
        bench.send(Some(Tick::End), Frame::default());
        let (watched, mut pool) = bench.run();
        let counted = watched.counters.snapshot();
        // Two statuses: it appeared and it is gone.
        assert_eq!(counted.published, [45, 1, 2], "{model}");
        assert_eq!(counted.skipped > 10, skips, "{model}: {}", counted.skipped);
        assert_eq!(watched.counters.levels.ring.get(), 0, "{model}");
        assert!(watched.counters.roster.present().is_empty(), "{model}");
        let returned = std::iter::from_fn(|| pool.take()).count();
        assert_eq!(returned, 46, "{model}: every buffer goes back");
    }
}

#[test]
fn a_token_comes_through_after_what_was_before_it_and_not_where_none_was_sent() {
    for sent in [true, false] {
        let mut bench = Bench::new(STREAMING, PipelineProgress::standing_still());
        signing().into_iter().for_each(|frame| bench.send(None, frame));
        if sent {
            bench.watched.counters.levels.ring.enter();
            bench.frames.send(IngestMessage::Token);
        }
        let (watched, _) = bench.run();
        assert_eq!(watched.progress.late().is_none(), sent);
        assert_eq!(watched.counters.snapshot().published[0], 45);
    }
}

#[test]
fn a_reload_decides_what_is_open_with_the_old_model_and_goes_on_with_the_new_one() {
    let mut bench = Bench::new(STREAMING, PipelineProgress::default());
    let live = bench.worker.live.clone();
    let frames = signing();
    let (before, after) = frames.split_at(40);
    before.iter().cloned().for_each(|frame| bench.send(None, frame));
    let inference = inference(WINDOW);
    let digests =
        RunDigests { model: inference.card().identity.sha256.clone(), settings: "s".into() };
    let limits = StreamLimits { max_streams: 1, stall: Duration::ZERO, gone: Duration::ZERO };
    let reload = ReloadRequest {
        limits,
        clients: ClientTable::default(),
        core: CoreSettings::default(),
        inference,
        digests,
    };
    bench.watched.counters.levels.ring.enter();
    bench.frames.send(IngestMessage::Reload(Box::new(reload)));
    after.iter().cloned().for_each(|frame| bench.send(None, frame));
    let (watched, _) = bench.run();
    assert_eq!(watched.counters.snapshot().published, [45, 1, 1]);
    assert_eq!(
        (live.shared().model().contract, live.shared().settings()),
        ("features".into(), "s".into())
    );
}

#[test]
fn a_frame_that_has_no_place_in_its_stream_is_counted_and_not_told_of() {
    let mut bench = Bench::new(STREAMING, PipelineProgress::default());
    let frame = signing().swap_remove(0);
    bench.send(None, frame.clone());
    bench.send(None, frame);
    let (watched, _) = bench.run();
    let counted = watched.counters.snapshot();
    assert_eq!(counted.published, [1, 0, 1]);
    let dropped = counted.dropped.into_iter().filter(|(_, count)| *count > 0);
    assert_eq!(
        dropped.collect::<Vec<_>>(),
        [(signd_core::drop_reason::DropReason::TimeNotRising, 1)]
    );
}
