//! The models that tests of inference run, in this process.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use signd::config::Settings;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::SignDecider;
use signd_engine::model::{Model, OnnxRuntime};
use signd_engine::pipeline::Pipeline;

/// The model that `make setup` leaves beside the binary.
pub const SHIPPED: &str = "";

/// Where a model lies.
pub fn path(name: &str) -> PathBuf {
    match name {
        SHIPPED => beside_binary("signd.onnx"),
        name => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name),
    }
}

/// A file that `make setup` has put beside the binary.
pub fn beside_binary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_signd")).with_file_name(name)
}

/// The runtime.
pub fn runtime() -> &'static OnnxRuntime {
    static RUNTIME: OnceLock<OnnxRuntime> = OnceLock::new();
    let load = || OnnxRuntime::load(&beside_binary("libonnxruntime.so")).expect("`make setup` ran");
    RUNTIME.get_or_init(load)
}

/// A model.
pub fn model(name: &str) -> Model {
    Model::open(runtime(), &path(name)).expect("a model")
}

/// A pipeline with a model.
pub fn pipeline(settings: &Settings, name: &str) -> Pipeline {
    with(settings, model(name))
}

/// A pipeline with this model.
pub fn with(settings: &Settings, model: Model) -> Pipeline {
    let decider = SignDecider::new(&settings.decide, model.card()).expect("fits");
    Pipeline::new(settings.core.clone(), Inference::new(model, decider))
}
