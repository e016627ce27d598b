//! ONNX Runtime, opened as a library at run time.

use std::fs::File;
use std::io::Read;
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
        look(path).map_err(refuse)?;
        let builder = ort::init_from(path)
            .map_err(|e| refuse(format!("it cannot be used as ONNX Runtime: {e}")))?;
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

/// Whether there is a shared library for this processor; the loader says of all of this only that it
/// failed.
fn look(path: &Path) -> Result<(), String> {
    let missing = |error: std::io::Error| {
        format!("{error}: name the library with --runtime, or `runtime` in the configuration")
    };
    let mut head = Vec::new();
    File::open(path).and_then(|file| file.take(20).read_to_end(&mut head)).map_err(missing)?;
    // An ELF file says for which processor it was built in its bytes 18 and 19.
    let ours: u8 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    match (head.starts_with(b"\x7fELF"), head.get(18)) {
        (true, Some(machine)) if *machine == ours => Ok(()),
        (true, Some(_)) => Err("it is built for another kind of processor".into()),
        _ => Err("it is no shared library: install the package again, or download it again".into()),
    }
}
