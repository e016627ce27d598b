//! What the benchmarks run on: the shipped recording, and model and runtime as `make setup` leaves
//! them beside the binary.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use signd::config::{Settings, SettingsFlags};
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{StepBatch, Stream, StreamStep};
use signd_core::wire::landmarks;
use signd_engine::model::{Model, OnnxRuntime};
use signd_engine::recording;

const RECORDING: &str = "tests/recordings/signer.mcap";

/// The frames of the recording, in order.
pub fn frames() -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDING);
    let bytes = std::fs::read(&path).expect("the shipped recording");
    let (frames, _) = recording::frames(&bytes).expect("readable");
    frames.into_iter().map(|(_, frame)| frame).collect()
}

/// A frame as it goes over the wire.
pub fn encoded(frame: &Frame) -> Vec<u8> {
    let mut wire = Vec::new();
    landmarks::encode(frame, &mut wire);
    wire
}

/// The settings that ship.
pub fn settings() -> Settings {
    Settings::load(&SettingsFlags::default()).expect("the defaults are valid")
}

/// The binary.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_signd"))
}

/// The model that the binary finds beside itself.
pub fn model() -> Model {
    open(&binary().with_file_name("signd.onnx"))
}

/// Any model.
pub fn open(path: &Path) -> Model {
    static RUNTIME: OnceLock<OnnxRuntime> = OnceLock::new();
    let library = binary().with_file_name("libonnxruntime.so");
    let load = || OnnxRuntime::load(&library).expect("`make setup` fetched it");
    Model::open(RUNTIME.get_or_init(load), path).expect("a model")
}

/// The call that a frame with these rows leads to: with all of them, or with the last and a state.
pub fn call(model: &mut Model, rows: &[f32]) {
    let last = rows.len() - model.row_width();
    let answer = match model.state_size() {
        None => model.run(rows).map(drop),
        Some(size) => model.step(&rows[last..], &vec![0.0; size], |_, _, _| ()),
    };
    answer.expect("runs");
}

/// The input of the model's call for each frame: rows of the sign so far, empty when none is open.
pub fn inputs(frames: &[Frame], model: &Model) -> Vec<Vec<f32>> {
    let mut stream = Stream::new(&settings().core, model.card().needs());
    let (mut batch, mut rows, mut begin) = (StepBatch::default(), Vec::new(), None);
    let width = model.row_width();
    let mut input = |frame: &Frame| {
        batch.clear();
        stream.push(frame, ArrivalTime(frame.t.0), &mut batch);
        rows.extend_from_slice(&batch.rows);
        for step in &batch.steps {
            match *step {
                StreamStep::Begin(at) => begin = Some(at.row as usize * width),
                StreamStep::Drop => begin = None,
                _ => {}
            }
        }
        let start = begin.unwrap_or(rows.len());
        rows[start.max(rows.len().saturating_sub(model.window() * width))..].to_vec()
    };
    frames.iter().map(&mut input).collect()
}
