//! What a stream is told does not depend on which other streams there are: not in a single bit.

#[path = "common/stick_figure.rs"]
mod signer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use signd::config::{Flags, Settings};
use signd::event::{Body, Event, Top};
use signd::frame::{Arrival, SourceTime};
use signd::infer::Infer;
use signd::infer::decide::Decider;
use signd::infer::model::{Model, Runtime};
use signd::stream::{Batch, Stream};
use signd::wire::topic::{self, StreamId};
use signer::{Gesture, frames};

fn infer(settings: &Settings) -> Infer {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let beside = |name| Path::new(env!("CARGO_BIN_EXE_signd")).with_file_name(name);
    let runtime = RUNTIME
        .get_or_init(|| Runtime::load(&beside("libonnxruntime.so")).expect("`make setup` ran"));
    let model = Model::open(runtime, &beside("signd.onnx")).expect("`make setup` ran");
    let card = model.card().clone();
    let decider = Decider::new(&settings.decide, &card).expect("fits");
    Infer::new(model, decider)
}

/// Signers who begin at different times and sign at different heights, so that at any moment their
/// windows hold different numbers of different rows.
fn signers(settings: &Settings, infer: &Infer) -> BTreeMap<StreamId, Vec<Batch>> {
    let signer = |k: usize| {
        let height = -0.6 + 0.4 * k as f64;
        let gestures = [0.3, 2.6].map(|at| Gesture { at: at + 0.25 * k as f64, height });
        let id = topic::stream_id(format!("cam{k}").as_bytes()).expect("valid");
        let mut stream = Stream::new(&settings.core, infer.row_kind());
        let batches =
            frames(&gestures, 6.0, 30.0, SourceTime(1_000_000_000)).into_iter().map(|frame| {
                let mut batch = Batch::default();
                stream.push(&frame, Arrival(frame.t.0), &mut batch);
                batch
            });
        (id, batches.collect())
    };
    (0..4).map(signer).collect()
}

/// One stream's answers: of each event the probabilities as bits.
type Answers = BTreeMap<StreamId, Vec<Vec<(u16, u32)>>>;

fn note(answers: &mut Answers, event: &Event) {
    let bits = |top: &Top| top.iter().map(|(label, p)| (*label, p.to_bits())).collect();
    let noted = answers.entry(event.stream).or_default();
    match &event.body {
        Body::Frame(frame) => noted.push(bits(&frame.top)),
        Body::Sign(sign) => {
            noted.push(vec![(sign.label.unwrap_or(u16::MAX), sign.p.to_bits())]);
            noted.push(bits(&sign.top));
        }
        Body::Status(_) => {}
    }
}

#[test]
fn a_stream_is_answered_the_same_to_the_bit_alone_and_among_others() {
    let settings = Settings::load(&Flags::default()).expect("defaults");
    let signers = signers(&settings, &infer(&settings));

    let mut alone = Answers::new();
    for (id, batches) in &signers {
        let mut infer = infer(&settings);
        for batch in batches {
            infer.push(id, batch, true, |event| note(&mut alone, &event)).expect("runs");
        }
    }

    let mut together = Answers::new();
    let mut infer = infer(&settings);
    for i in 0..signers.values().map(Vec::len).max().unwrap_or(0) {
        // Each round another stream is first.
        for (id, batches) in signers.iter().cycle().skip(i % 4).take(4) {
            let emit = |event: Event| note(&mut together, &event);
            infer.push(id, &batches[i], true, emit).expect("runs");
        }
    }

    for (id, answers) in &alone {
        assert_eq!(answers, &together[id], "{id}");
        assert!(answers.iter().filter(|answer| !answer.is_empty()).count() > 60, "{id} signs");
    }
    let different: std::collections::BTreeSet<_> = alone.values().collect();
    assert_eq!(different.len(), 4, "four signers, four stories");
}
