//! Landmarks in numpy arrays.
//!
//! - `.npy` is one float array of [frames, points, 3].
//! - `.npz` is a zip archive of such an array, with frame rate and image size.
//! - *Packed* is an `.npz` whose array `q` holds the coordinates times 4096 as 16-bit integers. Each
//!   frame is stored as its difference to the one before, wrapping. It takes a tenth of the room.
//!
//! The points of a frame are the face, the left hand, the pose and the right hand, unless the user
//! gives another order. Points that do not fit the order are refused.

mod header;
mod landmarks;

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::error::{ImportError, unexpected};
use super::imported_clip::{RawClip, WEBCAM};
use super::overrides::ImportOverrides;
use landmarks::{floats, packed};

/// How the members of an archive that are arrays end.
const ARRAY: &str = ".npy";

/// Reads a `.npy` file.
pub(super) fn read_npy(
    mut from: impl Read,
    overrides: &ImportOverrides,
) -> Result<RawClip, ImportError> {
    let points = floats(&mut from, overrides)?;
    Ok(RawClip { points, fps: None, size: None, camera: WEBCAM, assumptions: Vec::new() })
}

/// Reads a `.npz` file: packed when it has an array `q`, otherwise its only array apart from
/// `fps` and `size`.
pub(super) fn read_npz<R: Read + Seek>(
    from: R,
    overrides: &ImportOverrides,
) -> Result<RawClip, ImportError> {
    let mut archive = ZipArchive::new(from).map_err(damaged)?;
    let names = array_names(&archive)?;
    let has = |name: &str| names.iter().any(|n| n == name);
    let others: Vec<&String> = names.iter().filter(|n| *n != "fps" && *n != "size").collect();
    let points = match others[..] {
        _ if has("q") => member(&mut archive, "q", |from| packed(from, overrides))?,
        [name] => member(&mut archive, name, |from| floats(from, overrides))?,
        _ => {
            let expected = "a packed array \"q\", or one array beside \"fps\" and \"size\"";
            return Err(unexpected("archive", expected, format!("{others:?}")));
        }
    };
    let (mut fps, mut size) = (None, None);
    if has("fps") {
        let numbers = member(&mut archive, "fps", |from| header::numbers(from, "fps", 1))?;
        fps = numbers.first().copied();
    }
    if has("size") {
        let numbers = member(&mut archive, "size", |from| header::numbers(from, "size", 2))?;
        if let [width, height] = numbers[..] {
            // Saturating: a negative or `NaN` size becomes 0, which is "not recorded".
            size = Some((width as u32, height as u32));
        }
    }
    Ok(RawClip { points, fps, size, camera: WEBCAM, assumptions: Vec::new() })
}

/// The names of the arrays in an archive, sorted: those of its members that end in `.npy`, without it.
fn array_names<R: Read + Seek>(archive: &ZipArchive<R>) -> Result<Vec<String>, ImportError> {
    let mut names = Vec::new();
    for member in archive.file_names() {
        names.extend(member.map_err(damaged)?.strip_suffix(ARRAY).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads one array of an archive. `read` must come to its end, where the checksum is compared.
fn member<R: Read + Seek, T>(
    archive: &mut ZipArchive<R>,
    name: &str,
    read: impl FnOnce(&mut dyn Read) -> Result<T, ImportError>,
) -> Result<T, ImportError> {
    let mut from = archive.by_name(&format!("{name}{ARRAY}")).map_err(damaged)?;
    read(&mut from).map_err(|error| match error {
        ImportError::Io(cause) => damaged(cause),
        other => other,
    })
}

fn damaged(cause: impl ToString) -> ImportError {
    ImportError::Damaged { container: "npz", cause: cause.to_string() }
}

#[cfg(test)]
mod tests;
