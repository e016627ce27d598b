//! Recordings that a command is given.

use std::path::Path;

use anyhow::{Context, Result, bail};

use signd_engine::file_kind;

/// The bytes of a file.
pub fn file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// The bytes of a recording. A file that `import` reads is named as one.
pub fn recording(path: &Path) -> Result<Vec<u8>> {
    let bytes = file(path)?;
    if bytes.starts_with(mcap::MAGIC) {
        return Ok(bytes);
    }
    let ending = path.extension().map(|ending| format!(".{}", ending.display()));
    let imported = [".pose", ".npz", ".npy", ".parquet"];
    let by_name = imported.into_iter().find(|kind| Some(*kind) == ending.as_deref());
    if let Some(kind) = file_kind::import_kind(&bytes).or(by_name) {
        let path = path.display();
        bail!(
            "{path}: this is a {kind} file: `signd import {path} -o OUT.mcap` turns it into a \
             recording"
        );
    }
    Ok(bytes) // which is said to be no recording where it is read
}
