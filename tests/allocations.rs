//! In steady state a frame costs no allocation between decode and event, outside the runtime's call.
//!
//! The runtime's own share is measured with a session of the same model that belongs to no code of
//! ours: what a frame allocates must be that, times the calls to the model which the frame leads to.

use std::path::{Path, PathBuf};

use allocation_counter::measure;
use ort::session::Session;
use ort::value::TensorRef;
use signd::config::{Flags, Settings};
use signd::frame::{Arrival, Frame};
use signd::infer::Infer;
use signd::infer::decide::Decider;
use signd::infer::model::{Model, Runtime};
use signd::recording;
use signd::run::flow;
use signd::stream::{Batch, Step, Stream};
use signd::wire::events::{self, Delivery, Encoding};
use signd::wire::{landmarks, topic};

const RECORDING: &str = "tests/recordings/signer.mcap";

fn beside_binary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_signd")).with_file_name(name)
}

/// Allocations of one bare call to the model with this many rows of this width.
fn bare_call(runtime: &Runtime, rows: usize, width: usize) -> u64 {
    let builder = Session::builder(runtime.environment()).expect("builder");
    let mut builder = builder.with_intra_threads(1).expect("sets");
    let mut session = builder.commit_from_file(beside_binary("signd.onnx")).expect("model");
    let data = vec![0.5f32; rows * width];
    let mut call = || {
        let input = TensorRef::from_array_view(([1, rows, width], &data[..])).expect("tensor");
        let outputs = session.run(ort::inputs![input]).expect("runs");
        outputs[0].try_extract_tensor::<f32>().expect("logits");
    };
    call(); // the first one allocates more
    measure(call).count_total
}

/// The messages of the shipped recording, the capture times of later rounds going on.
fn wires(rounds: u64) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDING));
    let (frames, _) = recording::frames(&bytes.expect("reads")).expect("readable");
    let count = rounds * frames.len() as u64;
    let numbered = frames.iter().cycle().zip(0..count).map(|((_, frame), i)| {
        let mut frame = frame.clone();
        frame.seq = i;
        frame.t.0 = 1_000_000_000 + i * 1_000_000_000 / 30;
        let mut wire = Vec::new();
        landmarks::encode(&frame, &mut wire);
        wire
    });
    numbered.collect()
}

#[test]
fn a_frame_allocates_nothing_outside_the_call_to_the_runtime() {
    let settings = Settings::load(&Flags::default()).expect("defaults");
    let runtime = Runtime::load(&beside_binary("libonnxruntime.so")).expect("runtime");
    let model = Model::open(&runtime, &beside_binary("signd.onnx")).expect("model");
    let card = model.card().clone();
    let bare = bare_call(&runtime, 30, model.row_width());
    let decider = Decider::new(&settings.decide, &card).expect("fits");
    let mut infer = Infer::new(model, decider);
    let mut stream = Stream::new(&settings.core, card.kind);
    let id = topic::stream_id(b"cam1").expect("valid");
    let mut batch = Batch::default();
    let (mut to_front, mut from_ingest) = flow::ring::<Box<Frame>>(4).expect("pipe");
    let (mut pool, mut returns) = flow::pool::<Box<Frame>>(4);
    let (mut head, mut body) = (Vec::with_capacity(256), Vec::with_capacity(4096));

    let (mut open, mut calls, mut events, mut signs) = (false, 0, 0, 0);
    let wires = wires(3);
    let steady = wires.len() / 3;
    for (i, wire) in wires.iter().enumerate() {
        let cost = measure(|| {
            let mut frame = pool.take().unwrap_or_default();
            landmarks::decode(wire).and_then(|wire| wire.fill(&mut frame)).expect("a frame");
            to_front.send(frame);
            let frame = from_ingest.try_receive().expect("was just sent");
            batch.clear();
            stream.push(&frame, Arrival(frame.t.0), &mut batch);
            let publish = |event| {
                events::topic(&event, &mut head);
                for encoding in [Encoding::Msgpack, Encoding::Json] {
                    events::encode(&event, Delivery::default(), encoding, &mut body);
                }
                events += 1;
            };
            returns.give(frame);
            infer.push(&id, &batch, true, publish).expect("runs");
        });
        let mut called = 0;
        for step in &batch.steps {
            match step {
                Step::Begin(_) => open = true,
                Step::Drop => open = false,
                Step::End(_) => {
                    called += u64::from(open);
                    signs += 1;
                }
                Step::Frame { .. } => called += u64::from(open),
                _ => {}
            }
        }
        calls += called;
        if i >= steady {
            assert_eq!(cost.count_total, called * bare, "frame {i}: {:?}", batch.steps);
        }
    }
    // The recording has what may cost something: rest, signs, decisions.
    assert_eq!((events, signs), (wires.len() + signs + 1, 18), "one more: the stream appeared");
    assert!((600..1200).contains(&calls), "{calls}");
}
