//! Reads landmark files of other projects into frames.
//!
//! Four kinds of file are read: the parquet of Google's isolated-sign competition, `.pose` of
//! sign-language-processing, and plain or packed numpy arrays. None of them has a clock. Frames follow
//! each other at an even rate, and get their times from a start and that rate.
//!
//! What a file does not say is assumptions, and every assumption is listed for the user to see.
//!
//! Files are taken to be hostile. Sizes are checked against the bytes that are there before memory is
//! asked for.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use signd_engine::file_kind;

mod assumption;
mod correction;
mod error;
mod imported_clip;
mod limits;
mod numpy;
mod overrides;
mod parquet;
mod pose;

pub use assumption::ImportAssumption;
pub use error::ImportError;
pub use imported_clip::ImportedClip;
pub use limits::MAX_FRAMES;
pub use overrides::ImportOverrides;

use error::unexpected;
use limits::MAX_POSE_BYTES;

/// Refuses a file that begins as no file of its ending does. The formats' own readers would call it damaged.
fn refuse_other_kind(path: &Path, ending: Option<&str>) -> Result<(), ImportError> {
    let (expected, begins): (&str, &[u8]) = match ending {
        Some("parquet") => ("a .parquet file", b"PAR1"),
        Some("npy") => ("a .npy file", b"\x93NUMPY"),
        Some("npz") => ("a zip archive, as .npz files are", b"PK"),
        Some("mcap") => {
            let found = "a recording already: give it to `signd replay`, `send` or `view`";
            return Err(unexpected("file", "another landmark file", found));
        }
        _ => return Ok(()),
    };
    let mut head = Vec::new();
    File::open(path)?.take(file_kind::HEAD as u64).read_to_end(&mut head)?;
    match head.starts_with(begins) || head.is_empty() {
        true => Ok(()),
        false if head.starts_with(b"PARE") => {
            Err(unexpected("file", "an unencrypted .parquet file", "an encrypted one"))
        }
        false => Err(unexpected("file", expected, file_kind::describe(&head))),
    }
}

/// Reads a landmark file. The ending of its name says which kind it is.
///
/// # Errors
///
/// When the file cannot be read, is none of the four kinds, is damaged, lacks points that are
/// needed, has no or too many frames or an infinite coordinate, shows what no person before a camera
/// shows (see [`is_certain`](signd_core::plausibility::InputDoubt::is_certain)), or when an override is
/// impossible.
pub fn read(path: &Path, overrides: &ImportOverrides) -> Result<ImportedClip, ImportError> {
    if let Some((width, height)) = overrides.size.filter(|(width, height)| *width.min(height) == 0)
    {
        let found = format!("{width}x{height}");
        return Err(unexpected("image size given", "at least 1x1", found));
    }
    let ending = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    refuse_other_kind(path, ending.as_deref())?;
    let raw = match ending.as_deref() {
        Some("parquet") => parquet::read(File::open(path)?)?,
        Some("pose") => {
            let mut bytes = Vec::new();
            File::open(path)?.take(MAX_POSE_BYTES + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > MAX_POSE_BYTES {
                let most = format!("at most {MAX_POSE_BYTES} bytes");
                return Err(unexpected("file size", most, "more"));
            }
            pose::read(&bytes, overrides)?
        }
        Some("npy") => numpy::read_npy(BufReader::new(File::open(path)?), overrides)?,
        Some("npz") => numpy::read_npz(BufReader::new(File::open(path)?), overrides)?,
        _ => {
            let found =
                path.extension().map_or("no ending".into(), |e| format!(".{}", e.display()));
            return Err(ImportError::Extension { found });
        }
    };
    ImportedClip::settle(raw, overrides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_sizes_and_names_are_refused() {
        let given = ImportOverrides { size: Some((0, 4)), ..ImportOverrides::default() };
        let error = read(Path::new("a.npy"), &given).unwrap_err().to_string();
        assert_eq!(error, "image size given: expected at least 1x1, found 0x4");
        let error = read(Path::new("a.csv"), &ImportOverrides::default()).unwrap_err().to_string();
        assert!(error.ends_with("found .csv"), "{error}");
    }
}
