//! Arrays and archives are written here, damaged, and read.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// A landmark's value: tells frame, point and axis apart.
fn value(frame: usize, point: usize, axis: usize) -> f32 {
    frame as f32 + (point * 4 + axis) as f32 / 4096.0
}

fn values(frames: usize, points: usize) -> Vec<f32> {
    let mut values = Vec::new();
    for frame in 0..frames {
        for i in 0..points * 3 {
            values.push(value(frame, i / 3, i % 3));
        }
    }
    values
}

/// An array as numpy writes it: `descr` is the type of its elements in numpy's words.
fn array<const N: usize>(
    descr: &str,
    shape: &str,
    elements: impl IntoIterator<Item = [u8; N]>,
) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").bytes());
    bytes.extend(elements.into_iter().flatten());
    bytes
}

fn floats(shape: &str, values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    array("<f4", shape, values.into_iter().map(f32::to_le_bytes))
}

fn integers(shape: &str, values: impl IntoIterator<Item = i32>) -> Vec<u8> {
    array("<i4", shape, values.into_iter().map(i32::to_le_bytes))
}

/// An archive of arrays by their names.
fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let named = arrays.iter().map(|(name, array)| (format!("{name}.npy"), &array[..]));
    zip(CompressionMethod::Deflated, named)
}

fn zip<'a>(
    method: CompressionMethod,
    files: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // As numpy does, which streams its arrays: each of them could exceed 4 GiB.
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        writer.start_file(name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn npz(members: &[(&str, Vec<u8>)]) -> Result<RawClip, ImportError> {
    read_npz(Cursor::new(archive(members)), &ImportOverrides::default())
}

fn message(result: Result<RawClip, ImportError>) -> String {
    result.err().expect("an error").to_string()
}

/// Wrapping differences from frame to frame.
fn pack(mut frames: Vec<Vec<i16>>) -> Vec<u8> {
    let shape = format!("({}, {}, 3)", frames.len(), frames[0].len() / 3);
    for i in (1..frames.len()).rev() {
        for j in 0..frames[i].len() {
            frames[i][j] = frames[i][j].wrapping_sub(frames[i - 1][j]);
        }
    }
    array("<i2", &shape, frames.into_iter().flatten().map(i16::to_le_bytes))
}

#[test]
fn float_arrays_are_read_as_they_are() {
    let shape = "(2, 543, 3)";
    let doubles = values(2, 543).into_iter().map(|v| f64::from(v).to_le_bytes());
    for bytes in [floats(shape, values(2, 543)), array("<f8", shape, doubles)] {
        let raw = read_npy(&bytes[..], &ImportOverrides::default()).unwrap();
        assert_eq!(raw.points.len(), 2);
        assert_eq!(raw.points[1][542], [0, 1, 2].map(|axis| value(1, 542, axis)));
        assert_eq!((raw.fps, raw.size), (None, None));
    }
}

#[test]
fn irises_are_dropped_and_what_follows_moves_up() {
    let irises = floats("(1, 553, 3)", values(1, 553));
    let raw = read_npy(&irises[..], &ImportOverrides::default()).unwrap();
    assert_eq!(raw.points[0][467][0], value(0, 467, 0));
    assert_eq!(raw.points[0][468][0], value(0, 478, 0));
    assert_eq!(raw.points[0][542][0], value(0, 552, 0));
}

#[test]
fn an_array_cut_anywhere_is_an_error() {
    let whole = floats("(1, 543, 3)", values(1, 543));
    for length in 0..whole.len() {
        assert!(read_npy(&whole[..length], &ImportOverrides::default()).is_err(), "{length}");
    }
}

#[test]
fn packed_sums_wrap_and_the_sentinel_is_missing() {
    let mut frames = vec![vec![0i16; 543 * 3]; 3];
    (frames[0][0], frames[1][0], frames[2][0]) = (i16::MAX, i16::MIN, 4096);
    frames[1][3..6].fill(i16::MIN);
    let size = integers("(2,)", [320, 240]);
    let raw = npz(&[("q", pack(frames)), ("fps", floats("()", [25.0])), ("size", size)]);
    let raw = raw.unwrap();
    assert_eq!((raw.fps, raw.size), (Some(25.0), Some((320, 240))));
    assert_eq!(raw.points[0][0][0], 32767.0 / 4096.0);
    assert_eq!(raw.points[1][0][0], -8.0, "one sentinel axis is a coordinate");
    assert_eq!(raw.points[2][0][0], 1.0);
    assert!(raw.points[1][1].iter().all(|v| v.is_nan()));
    assert_eq!(raw.points[2][1], [0.0; 3]);
}

#[test]
fn an_archive_may_hold_one_float_array_of_any_name() {
    let landmarks = || floats("(1, 543, 3)", values(1, 543));
    let raw = npz(&[("arr_0", landmarks()), ("fps", array("<i8", "(1,)", [12i64.to_le_bytes()]))])
        .unwrap();
    assert_eq!((raw.fps, raw.size, raw.points.len()), (Some(12.0), None, 1));
    let two = message(npz(&[("a", landmarks()), ("b", landmarks())]));
    assert!(two.ends_with("found [\"a\", \"b\"]"), "{two}");
    let negative = integers("(2,)", [-1, 5]);
    assert_eq!(npz(&[("a", landmarks()), ("size", negative)]).unwrap().size, Some((0, 5)));
}

#[test]
fn wrong_shapes_types_and_orders_are_named() {
    let shape =
        message(read_npy(&floats("(2, 75, 3)", values(2, 75))[..], &ImportOverrides::default()));
    assert_eq!(shape, "array shape: expected [frames, 543 or 553, 3], found [2, 75, 3]");
    let whole_numbers = integers("(1, 543, 3)", [0; 543 * 3]);
    let integers = message(read_npy(&whole_numbers[..], &ImportOverrides::default()));
    assert_eq!(integers, "array element type: expected <f4 or <f8, found <i4");
    let unpacked = message(npz(&[("q", floats("(1, 543, 3)", values(1, 543)))]));
    assert!(unpacked.contains("expected <i2, found <f4"), "{unpacked}");
    let long =
        message(read_npy(&floats("(0, 543, 3)", []).repeat(2)[..], &ImportOverrides::default()));
    assert!(long.contains("expected nothing"), "{long}");

    let whole = floats("(1, 543, 3)", values(1, 543));
    let text = String::from_utf8_lossy(&whole[10..118]).into_owned();
    let fortran = text.replace("False", "True ");
    let bytes = [&whole[..10], fortran.as_bytes(), &whole[118..]].concat();
    assert!(message(read_npy(&bytes[..], &ImportOverrides::default())).contains("found Fortran"));
    let many = text.replace("(1, 543", "(9000000000, 543");
    let many = &many[..text.len()];
    let bytes = [&whole[..10], many.as_bytes(), &whole[118..]].concat();
    assert!(
        message(read_npy(&bytes[..], &ImportOverrides::default())).ends_with("found 9000000000")
    );
}

#[test]
fn a_damaged_archive_is_an_error() {
    let frames = vec![vec![7i16; 543 * 3]; 2];
    let whole = archive(&[("q", pack(frames)), ("fps", floats("()", [25.0]))]);
    assert!(read_npz(Cursor::new(&whole), &ImportOverrides::default()).is_ok());
    for length in 0..whole.len() {
        assert!(
            read_npz(Cursor::new(&whole[..length]), &ImportOverrides::default()).is_err(),
            "{length}"
        );
    }
    // Nothing may panic; a change that no check covers (a date) may pass.
    for i in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[i] ^= flip;
            let _ = read_npz(Cursor::new(bytes), &ImportOverrides::default());
        }
    }
}

#[test]
fn stored_and_deflated_arrays_are_read_and_other_files_are_passed_over() {
    let landmarks = floats("(1, 543, 3)", values(1, 543));
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let files = [("a.npy".to_owned(), &landmarks[..]), ("a.txt".to_owned(), b"text")];
        let raw = read_npz(Cursor::new(zip(method, files)), &ImportOverrides::default()).unwrap();
        assert_eq!(raw.points.len(), 1, "{method}");
    }
}

#[test]
fn a_directory_of_64_bit_counts_is_read_and_its_claims_cost_no_memory() {
    let whole = archive(&[("a", floats("(1, 543, 3)", values(1, 543)))]);
    let (body, end) = whole.split_at(whole.len() - 22);
    let number = |at: usize| u32::from_le_bytes(*end[at..].first_chunk().unwrap()).into();
    let (size, start): (u64, u64) = (number(12), number(16));
    let claiming = |members: u64, size: u64, start: u64| {
        let mut bytes = body.to_vec();
        // The record: its length, two versions, two disks, four claims.
        bytes.extend(b"PK\x06\x06");
        bytes.extend(44u64.to_le_bytes());
        bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([members, members, size, start].map(u64::to_le_bytes).as_flattened());
        // Its place, between the number of its disk and the number of disks.
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        // The end, all of whose claims refer to the record.
        bytes.extend([&end[..8], &[0xff; 12], &end[20..]].concat());
        read_npz(Cursor::new(bytes), &ImportOverrides::default())
    };
    assert_eq!(claiming(1, size, start).unwrap().points.len(), 1);
    for (members, size, start) in [
        (1 << 40, 1 << 50, 1 << 41),
        (1 << 40, 1 << 50, start),
        (1 << 40, size, 1 << 41),
        (start, 1 << 50, start),
        (u64::MAX, u64::MAX, u64::MAX),
    ] {
        let said = message(claiming(members, size, start));
        assert!(said.starts_with("expected a whole npz file, found a damaged one"), "{said}");
    }
}
