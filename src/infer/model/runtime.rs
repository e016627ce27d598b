//! ONNX Runtime, opened as a library at run time.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::ModelError;

/// The runtime library, loaded once for the life of the process.
#[derive(Clone)]
pub struct Runtime {
    environment: Arc<ort::environment::Environment>,
}

impl Runtime {
    /// Loads the library at this path, or gives what an earlier call has loaded: a process holds
    /// one.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        static LOADED: OnceLock<Runtime> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded.clone());
        }
        let refuse = |reason: String| ModelError::Library { path: path.to_owned(), reason };
        let builder = ort::init_from(path).map_err(|e| refuse(e.to_string()))?;
        let environment = builder.with_name("signd").with_telemetry(false).build();
        let environment = Arc::new(environment.map_err(|e| refuse(e.to_string()))?);
        Ok(LOADED.get_or_init(|| Runtime { environment }).clone())
    }

    /// The runtime's environment, of which a process has only one: whoever measures a bare session
    /// against [`super::Model`] needs it too.
    pub fn environment(&self) -> &ort::environment::Environment {
        &self.environment
    }
}
