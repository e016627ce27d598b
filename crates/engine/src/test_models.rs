//! The small models of `tests/models`, for the tests of this crate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::inference::Inference;
use crate::inference::decide::{DecideSettings, SignDecider};
use crate::model::{Model, OnnxRuntime};

/// The small model in its streaming form; see `tests/models/pace.py`.
pub const PACE_STREAM: &str = "pace-stream.onnx";
/// Its window form.
pub const PACE_WINDOW: &str = "pace-window.onnx";
/// Numbers in its rows.
pub const WIDTH: usize = 54;

/// A file of the project.
fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

/// Decisions as they ship, or after a label has led for a while.
pub fn decide(threshold: f32, early_ms: f64) -> DecideSettings {
    let (thresholds, allow) = (BTreeMap::new(), Vec::new());
    DecideSettings { top: 5, threshold, thresholds, early_ms, allow }
}

/// A model of `tests/models`.
pub fn model(name: &str) -> Model {
    static RUNTIME: OnceLock<OnnxRuntime> = OnceLock::new();
    let library = project("target/onnxruntime/libonnxruntime.so");
    let runtime = RUNTIME.get_or_init(|| OnnxRuntime::load(&library).expect("`make setup` ran"));
    Model::open(runtime, &project("tests/models").join(name)).expect("a model")
}

/// Inference with it.
pub fn inference(name: &str, settings: &DecideSettings) -> Inference {
    let model = model(name);
    let decider = SignDecider::new(settings, model.card()).expect("fits");
    Inference::new(model, decider)
}
