//! Arrays in numpy's own format, alone and in archives.

use std::io::{Cursor, Write};
use std::path::Path;

use signd_core::frame::Frame;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A float32 array; `shape` is a tuple in Python's words.
pub fn array(shape: &str, numbers: impl IntoIterator<Item = f32>) -> Vec<u8> {
    typed("<f4", shape, numbers.into_iter().flat_map(f32::to_le_bytes))
}

/// An int32 array.
pub fn integers(shape: &str, numbers: impl IntoIterator<Item = i32>) -> Vec<u8> {
    typed("<i4", shape, numbers.into_iter().flat_map(i32::to_le_bytes))
}

fn typed(descr: &str, shape: &str, elements: impl Iterator<Item = u8>) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").bytes());
    bytes.extend(elements);
    bytes
}

/// Writes a clip as numpy would: float32 [frames, 543, 3].
pub fn write(path: &Path, frames: &[Frame]) {
    let numbers = frames.iter().flat_map(|frame| frame.points().as_flattened()).copied();
    let bytes = array(&format!("({}, 543, 3)", frames.len()), numbers);
    std::fs::write(path, bytes).expect("writes");
}

/// Writes an archive of arrays by their names.
pub fn archive(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("begins");
        writer.write_all(array).expect("writes");
    }
    std::fs::write(path, writer.finish().expect("ends").into_inner()).expect("writes");
}
