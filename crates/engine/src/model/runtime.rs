//! ONNX Runtime, opened as a library at run time.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::ModelError;

/// The runtime library, loaded once for the life of the process.
#[derive(Clone)]
pub struct OnnxRuntime {
    environment: Arc<ort::environment::Environment>,
}

impl OnnxRuntime {
    /// Loads the library at this path, or gives what an earlier call has loaded: a process holds
    /// one.
    ///
    /// # Errors
    ///
    /// When there is no library of this kind, or it is too old.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        static LOADED: OnceLock<OnnxRuntime> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded.clone());
        }
        let refuse = |reason: String| ModelError::Library { path: path.to_owned(), reason };
        look(path).map_err(refuse)?;
        // A bare name is a file here, and not one of the system's libraries.
        let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let builder = ort::init_from(place)
            .map_err(|e| refuse(format!("it cannot be used as ONNX Runtime: {e}")))?;
        let environment = builder.with_name("signd").with_telemetry(false).build();
        let environment = Arc::new(environment.map_err(|e| refuse(e.to_string()))?);
        Ok(LOADED.get_or_init(|| OnnxRuntime { environment }).clone())
    }

    /// The runtime's environment, of which a process has only one: whoever measures a bare session
    /// against [`super::Model`] needs it too.
    #[must_use]
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
    let file = File::open(path).map_err(missing)?;
    let size = file.metadata().map_err(missing)?.len();
    file.take(64).read_to_end(&mut head).map_err(missing)?;
    // An ELF file says for which processor it was built in its bytes 18 and 19.
    let ours: u8 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    match (head.starts_with(b"\x7fELF"), head.get(18)) {
        (true, Some(machine)) if *machine == ours => match whole_size(&head) {
            // The loader would map what is not there, and the process would die of it.
            Some(whole) if size < whole => Err(format!(
                "it ends early, {} bytes are missing: install the package again, or download it again",
                whole - size
            )),
            _ => Ok(()),
        },
        (true, Some(_)) => Err("it is built for another kind of processor".into()),
        _ => Err("it is no shared library: install the package again, or download it again".into()),
    }
}

/// Where the table of sections ends, by a 64-bit ELF header. It lies at the end of the file.
fn whole_size(head: &[u8]) -> Option<u64> {
    let start = u64::from_le_bytes(*head.get(40..)?.first_chunk()?);
    let [size, count] = [58, 60].map(|at| head.get(at..).and_then(|bytes| bytes.first_chunk()));
    let [size, count] = [*size?, *count?].map(u16::from_le_bytes).map(u64::from);
    start.checked_add(size * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_library_is_refused_before_the_loader_dies_of_it() {
        let folder = tempfile::tempdir().expect("folder");
        let cut = folder.path().join("cut.so");
        // This test's own program is an ELF file as good as a library.
        let bytes = std::fs::read(std::env::current_exe().expect("path")).expect("reads");
        assert!(look(&std::env::current_exe().expect("path")).is_ok());
        for length in [64, 1000, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&cut, &bytes[..length]).expect("writes");
            let refused = look(&cut).expect_err("cut");
            assert!(refused.contains("ends early"), "{length}: {refused}");
        }
    }
}
