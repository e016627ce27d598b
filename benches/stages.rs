//! What each stage costs per frame. One sample is the shipped recording played once, so a figure is
//! the mean over its frames, those at rest and those inside a sign.

#[path = "shipped/mod.rs"]
mod shipped;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use signd::observe::hub::ViewerHub;
use signd::observe::live::LiveKind;
use signd::plumbing::counters::{DaemonCounters, StageTimings};
use signd_core::event::{Event, EventBody};
use signd_core::features::grid::RowKind;
use signd_core::features::placement::HAND;
use signd_core::features::{PlacedLandmarks, RowBuilder, Schema};
use signd_core::frame::{ArrivalTime, Frame, Hand, SourceTime, is_missing};
use signd_core::gate::{Gate, HandView};
use signd_core::segment::tagger::TaggerState;
use signd_core::segment::{HandMotion, Segmenter, SegmenterInput};
use signd_core::signer::hands::{HandParts, HandRepair};
use signd_core::signer::space::ShoulderTracker;
use signd_core::stream::{StepBatch, Stream};
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::events::{self, EventDelivery, EventEncoding};
use signd_core::wire::landmarks;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::SignDecider;
use signd_engine::model::Model;
use signd_engine::pipeline::{Pipeline, StreamWork, WorkState};

/// Frames of the recording.
const FRAMES: u32 = 608;

fn main() {
    assert_eq!(shipped::frames().len(), FRAMES as usize, "a sample is the whole recording");
    divan::main();
}

/// The recording without an end: numbers and times go on where it begins anew.
struct Camera {
    frames: Vec<Frame>,
    next: usize,
}

impl Camera {
    fn new() -> Camera {
        Camera { frames: shipped::frames(), next: 0 }
    }

    fn frame(&mut self) -> (usize, &Frame) {
        let i = self.next % self.frames.len();
        let frame = &mut self.frames[i];
        frame.seq = self.next as u64;
        frame.t = SourceTime(1_000_000_000 + self.next as u64 * 1_000_000_000 / 30);
        self.next += 1;
        (i, frame)
    }
}

/// What the stages before hand to a stage, for one frame.
struct Passage {
    hands: HandParts,
    sights: [HandView; 2],
    placed: PlacedLandmarks,
}

/// The recording's passages, with the right hand dominant, as it is.
fn passages() -> Vec<Passage> {
    let rest_line = shipped::settings().core.gate.rest_line as f32;
    let (mut repair, mut shoulders) = (HandRepair::default(), ShoulderTracker::default());
    let passage = |frame: Frame| {
        let (hands, space) = (repair.push(&frame), shoulders.push(&frame));
        let sights = [Hand::Left, Hand::Right].map(|hand| {
            let sight = HandView::of(&frame, hands.part(hand), &space, rest_line);
            sight.or_wrist(&frame, hand, &space, rest_line)
        });
        let mut placed = PlacedLandmarks::default();
        placed.take(&frame, hands, Hand::Right, &space);
        Passage { hands, sights, placed }
    };
    shipped::frames().into_iter().map(passage).collect()
}

/// All columns of the schema at the rate of a fast camera: no model asks for more.
fn every_column() -> RowKind {
    RowKind::Features { schema: Schema::everything(), rate: 30.0 }
}

/// Check and decode a message.
#[divan::bench(sample_size = FRAMES)]
fn decode(bencher: Bencher) {
    let wires: Vec<Vec<u8>> = shipped::frames().iter().map(shipped::encoded).collect();
    let (mut wires, mut frame) = (wires.iter().cycle(), Frame::default());
    bencher.bench_local(|| {
        let wire = wires.next().expect("endless");
        landmarks::read(wire, &mut frame).expect("a frame");
    });
}

/// Stage 2: repair and gate.
#[divan::bench(sample_size = FRAMES)]
fn gate(bencher: Bencher) {
    let (passages, mut camera) = (passages(), Camera::new());
    let (mut repair, mut gate) = (HandRepair::default(), Gate::new(shipped::settings().core.gate));
    bencher.bench_local(|| {
        let (i, frame) = camera.frame();
        black_box(repair.push(frame));
        let [left, right] = passages[i].sights;
        gate.push(frame.t, left, right, false)
    });
}

/// Stage 3: signer space, placed landmarks, resampling, all columns.
#[divan::bench(sample_size = FRAMES)]
fn features(bencher: Bencher) {
    let (passages, mut camera) = (passages(), Camera::new());
    let (mut shoulders, mut placed) = (ShoulderTracker::default(), PlacedLandmarks::default());
    let (mut rows, mut out) = (RowBuilder::new(every_column()), Vec::new());
    bencher.bench_local(|| {
        let (i, frame) = camera.frame();
        let space = shoulders.push(frame);
        placed.take(frame, passages[i].hands, Hand::Right, &space);
        out.clear();
        rows.push(frame, &placed, &mut out);
        black_box(&out);
    });
}

/// Stage 4: motion and segmenter.
#[divan::bench(sample_size = FRAMES)]
fn segment(bencher: Bencher) {
    let (passages, mut camera) = (passages(), Camera::new());
    let mut motion = HandMotion::default();
    let mut segmenter = Segmenter::new(shipped::settings().core.segment, None);
    bencher.bench_local(|| {
        let (i, frame) = camera.frame();
        let Passage { placed, sights, .. } = &passages[i];
        segmenter.push(
            SegmenterInput {
                seq: frame.seq,
                t: frame.t,
                row: frame.seq,
                lost: 0,
                seen: true,
                visible: !is_missing(&placed.0[HAND.start]),
                raised: sights[1].raised,
                motion: motion.push(frame.t, placed),
            },
            &[],
            |change, _| {
                black_box(change);
            },
        );
    });
}

/// The same with the shipped model's tagger: a row of it.
#[divan::bench]
fn tagger(bencher: Bencher) {
    let card = shipped::model().card().clone();
    let tagger = card.tagger.clone().expect("the shipped model brings one");
    let row = vec![0.25; card.kind.width()];
    let mut state = TaggerState::new(&tagger);
    bencher.bench_local(|| state.push(&tagger, &row));
}

/// The front end: continuity and stages 2 to 4, as the daemon runs them with the shipped model.
#[divan::bench(sample_size = FRAMES)]
fn front_end(bencher: Bencher) {
    let mut camera = Camera::new();
    let mut stream = Stream::new(&shipped::settings().core, shipped::model().card().needs());
    let mut batch = StepBatch::default();
    bencher.bench_local(|| {
        let (_, frame) = camera.frame();
        batch.clear();
        stream.push(frame, ArrivalTime(frame.t.0), &mut batch);
    });
}

/// One call to the shipped model, for the frames inside a sign.
#[divan::bench]
fn model_call(bencher: Bencher) {
    let mut model = shipped::model();
    let mut inputs = shipped::inputs(&shipped::frames(), &model);
    inputs.retain(|input| !input.is_empty());
    let mut inputs = inputs.iter().cycle();
    bencher.bench_local(|| {
        shipped::call(&mut model, inputs.next().expect("endless"));
    });
}

/// A frame of each of so many streams through core and inference, in a sign that does not end, rows sharing
/// calls. One item is a stream's. With the model in `$STREAM_MODEL`, or else the tests' small one: then a
/// figure is the daemon's own share and the runtime's fixed cost.
#[divan::bench(args = [1, 8, 32, 128])]
fn streaming(bencher: Bencher, streams: usize) {
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/pace-stream.onnx");
    let model = shipped::open(&std::env::var_os("STREAM_MODEL").map_or(small, PathBuf::from));
    let mut pipeline = pipeline(model);
    let ids: Vec<StreamId> = (0..streams)
        .map(|i| stream_id::parse(format!("cam{i}").as_bytes()).expect("valid"))
        .collect();
    let signing = signing();
    let (mut seq, mut works) = (0, (0..streams).map(|_| StreamWork::default()).collect::<Vec<_>>());
    bencher.counter(ItemsCount::new(streams)).bench_local(|| {
        // Forth and back, so that no frame is far from the one before.
        let (count, at) = (signing.len() as u64 - 1, seq % (2 * (signing.len() as u64 - 1)));
        let mut frame = signing[at.min(2 * count - at) as usize].clone();
        (frame.seq, frame.t) = (seq, SourceTime(1_000_000_000 + seq * 1_000_000_000 / 30));
        for (id, work) in ids.iter().zip(&mut works) {
            pipeline.frame(*id, &frame, ArrivalTime(frame.t.0), work);
        }
        let mut waiting = true;
        while waiting {
            waiting = false;
            for work in &mut works {
                let advanced = pipeline.advance(work, true, |_| ()).expect("runs");
                waiting |= advanced == WorkState::NeedsModel;
            }
            if waiting {
                pipeline.feed().expect("runs");
            }
        }
        seq += 1;
    });
}

/// An event and its topic as MessagePack.
#[divan::bench(sample_size = FRAMES)]
fn encode(bencher: Bencher) {
    let events = recorded_events();
    let (mut events, mut head, mut body) = (events.iter().cycle(), Vec::new(), Vec::new());
    let delivery = EventDelivery { latency_us: Some(200), ..EventDelivery::default() };
    bencher.bench_local(|| {
        let event = events.next().expect("endless");
        events::topic(event, &mut head);
        events::encode(event, delivery, EventEncoding::Msgpack, &mut body);
    });
}

/// What seeing inside costs a frame and its event while nobody looks: clocks, counts, offers.
#[divan::bench(sample_size = FRAMES)]
fn count(bencher: Bencher) {
    let counters = DaemonCounters::default();
    let (live, _hub) = ViewerHub::channel();
    let events = recorded_events();
    let mut frames = events.iter().filter(|e| matches!(e.body, EventBody::Frame(_))).cycle();
    let StageTimings { decode, front, infer, .. } = &counters.timings;
    bencher.bench_local(|| {
        let event = frames.next().expect("endless");
        let received = Instant::now();
        decode.add(received.elapsed());
        counters.received();
        counters.levels.ring.enter();
        counters.levels.ring.leave();
        let begun = Instant::now();
        front.add(begun.elapsed());
        live.offer(event.stream, LiveKind::Scene, |_| ());
        let begun = Instant::now();
        infer.add(begun.elapsed());
        let begun = Instant::now();
        counters.published(&event.body, begun, received);
        live.offer(event.stream, LiveKind::Frame, |_| ());
    });
}

/// All that the shipped recording leads to.
fn recorded_events() -> Vec<Event> {
    let mut pipeline = pipeline(shipped::model());
    let id = stream_id::parse(b"cam1").expect("valid");
    let (mut work, mut events) = (StreamWork::default(), Vec::new());
    for frame in shipped::frames() {
        pipeline.frame(id, &frame, ArrivalTime(frame.t.0), &mut work);
        pipeline.finish(&mut work, true, |event| events.push(event)).expect("runs");
    }
    events
}

/// Those of the sign `mom`, as `signer.truth.jsonl` has it.
fn signing() -> Vec<Frame> {
    shipped::frames().drain(141..=168).collect()
}

/// A pipeline with this model and the settings that ship.
fn pipeline(model: Model) -> Pipeline {
    let settings = shipped::settings();
    let decider = SignDecider::new(&settings.decide, model.card()).expect("fits");
    Pipeline::new(settings.core, Inference::new(model, decider))
}
