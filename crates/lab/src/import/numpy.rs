//! Landmarks in numpy arrays: one float array of [frames, points, 3], alone (`.npy`) or with frame
//! rate and image size (`.npz`), or the *packed* form of it.
//!
//! Packed is an `.npz` whose array `q` holds the coordinates times 4096 as 16-bit integers, each
//! frame as its difference to the one before, wrapping; it takes a tenth of the room. In all of
//! them the points of a frame are the face, the left hand, the pose, the right hand, unless the user
//! gives another order. Points that do not fit the order are refused.

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::error::{ImportError, unexpected};
use super::npy::{self, Header, Kind};
use super::{MAX_FRAMES, Overrides, Raw, WEBCAM};
use signd_core::frame::{POINTS, Point};
use signd_core::plausibility::order::{self, PartOrder, USUAL, points_of};

/// Points where the face has ten more for the irises, at its end.
const POINTS_WITH_IRISES: usize = POINTS + 10;

/// How the members of an archive that are arrays end.
const ARRAY: &str = ".npy";

/// One packed unit is this part of an image width or height.
const PACKED_SCALE: f32 = 4096.0;

/// All three packed coordinates of a missing point.
const PACKED_MISSING: i16 = i16::MIN;

/// Reads a `.npy` file.
pub(super) fn read_npy(mut from: impl Read, overrides: &Overrides) -> Result<Raw, ImportError> {
    let points = floats(&mut from, overrides)?;
    Ok(Raw { points, fps: None, size: None, camera: WEBCAM, assumed: Vec::new() })
}

/// Reads a `.npz` file: packed when it has an array `q`, otherwise its only array apart from
/// `fps` and `size`.
pub(super) fn read_npz<R: Read + Seek>(from: R, overrides: &Overrides) -> Result<Raw, ImportError> {
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
        let numbers = member(&mut archive, "fps", |from| npy::numbers(from, "fps", 1))?;
        fps = numbers.first().copied();
    }
    if has("size") {
        let numbers = member(&mut archive, "size", |from| npy::numbers(from, "size", 2))?;
        if let [width, height] = numbers[..] {
            // Saturating: a negative or `NaN` size becomes 0, which is "not recorded".
            size = Some((width as u32, height as u32));
        }
    }
    Ok(Raw { points, fps, size, camera: WEBCAM, assumed: Vec::new() })
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

/// Reads one array of an archive; `read` must come to its end, where the checksum is compared.
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

/// Landmarks as floats.
fn floats(from: &mut dyn Read, overrides: &Overrides) -> Result<Vec<[Point; POINTS]>, ImportError> {
    let header = Header::read(from)?;
    match header.kind {
        Some(Kind::F32) => frames(from, &header, overrides, |bytes, values| {
            values.extend(npy::each(bytes, f32::from_le_bytes));
        }),
        Some(Kind::F64) => frames(from, &header, overrides, |bytes, values| {
            values.extend(npy::each(bytes, |b| f64::from_le_bytes(b) as f32));
        }),
        _ => Err(unexpected("array element type", "<f4 or <f8", header.descr)),
    }
}

/// Packed landmarks.
fn packed(from: &mut dyn Read, overrides: &Overrides) -> Result<Vec<[Point; POINTS]>, ImportError> {
    let header = Header::read(from)?;
    if header.kind != Some(Kind::I16) {
        return Err(unexpected("element type of packed array \"q\"", "<i2", header.descr));
    }
    let mut sums: Vec<[i16; 3]> = Vec::new();
    frames(from, &header, overrides, |bytes, values| {
        let (points, _) = bytes.as_chunks::<6>();
        sums.resize(points.len(), [0; 3]);
        for (sum, point) in sums.iter_mut().zip(points) {
            for (sum, bytes) in sum.iter_mut().zip(point.as_chunks().0) {
                *sum = sum.wrapping_add(i16::from_le_bytes(*bytes));
            }
            values.extend(match *sum {
                [PACKED_MISSING, PACKED_MISSING, PACKED_MISSING] => [f32::NAN; 3],
                present => present.map(|v| f32::from(v) / PACKED_SCALE),
            });
        }
    })
}

/// Checks the shape and reads frame by frame, so that memory grows only with what is there.
/// `decode` appends one frame's numbers.
fn frames(
    from: &mut dyn Read,
    header: &Header,
    overrides: &Overrides,
    mut decode: impl FnMut(&[u8], &mut Vec<f32>),
) -> Result<Vec<[Point; POINTS]>, ImportError> {
    const LAYOUTS: [u64; 2] = [POINTS as u64, POINTS_WITH_IRISES as u64];
    let (count, width) = match header.shape[..] {
        [count, width, 3] if LAYOUTS.contains(&width) => (count, width as usize),
        _ => {
            let expected = "[frames, 543 or 553, 3]";
            return Err(unexpected("array shape", expected, format!("{:?}", header.shape)));
        }
    };
    if header.fortran {
        return Err(unexpected("array order", "C (last index fastest)", "Fortran"));
    }
    if count > MAX_FRAMES as u64 {
        return Err(ImportError::TooLong { found: count });
    }
    let bytes = header.kind.map_or(0, Kind::bytes);
    let mut row = vec![0; width * 3 * bytes];
    let mut values = Vec::with_capacity(width * 3);
    let given = overrides.order.unwrap_or(USUAL);
    let (mut points, mut sample) = (Vec::new(), Vec::new());
    for i in 0..count {
        npy::fill(from, &mut row, "the landmarks of a frame")?;
        values.clear();
        decode(&row, &mut values);
        let row: &[Point] = values.as_chunks().0;
        points.push(in_usual_order(row, given));
        if i % count.div_ceil(order::SAMPLE as u64) == 0 {
            sample.push(row.iter().map(|p| without_sentinel(p, overrides)).collect());
        }
    }
    npy::end(from)?;
    match order::better(&sample, given) {
        Some(better) => Err(ImportError::PartOrder { given, better }),
        None => Ok(points),
    }
}

/// Puts each part where signd holds it; the irises at the face's end are dropped.
fn in_usual_order(mut row: &[Point], order: PartOrder) -> [Point; POINTS] {
    let (mut points, width) = ([[f32::NAN; 3]; POINTS], row.len());
    for part in order {
        let (found, rest) = row.split_at_checked(points_of(part, width)).unwrap_or_default();
        for (point, found) in points[part.range()].iter_mut().zip(found) {
            *point = *found;
        }
        row = rest;
    }
    points
}

/// What stands for a missing point says nothing of where parts lie.
fn without_sentinel(p: &Point, overrides: &Overrides) -> Point {
    let missing = |value: f32| p[0] == value && p[1] == value;
    if missing(0.0) || missing(-1.0) || overrides.missing.is_some_and(missing) {
        return [f32::NAN; 3];
    }
    *p
}

#[cfg(test)]
mod tests {
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

    fn npz(members: &[(&str, Vec<u8>)]) -> Result<Raw, ImportError> {
        read_npz(Cursor::new(archive(members)), &Overrides::default())
    }

    fn message(result: Result<Raw, ImportError>) -> String {
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
            let raw = read_npy(&bytes[..], &Overrides::default()).unwrap();
            assert_eq!(raw.points.len(), 2);
            assert_eq!(raw.points[1][542], [0, 1, 2].map(|axis| value(1, 542, axis)));
            assert_eq!((raw.fps, raw.size), (None, None));
        }
    }

    #[test]
    fn irises_are_dropped_and_what_follows_moves_up() {
        let irises = floats("(1, 553, 3)", values(1, 553));
        let raw = read_npy(&irises[..], &Overrides::default()).unwrap();
        assert_eq!(raw.points[0][467][0], value(0, 467, 0));
        assert_eq!(raw.points[0][468][0], value(0, 478, 0));
        assert_eq!(raw.points[0][542][0], value(0, 552, 0));
    }

    #[test]
    fn an_array_cut_anywhere_is_an_error() {
        let whole = floats("(1, 543, 3)", values(1, 543));
        for length in 0..whole.len() {
            assert!(read_npy(&whole[..length], &Overrides::default()).is_err(), "{length}");
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
        let raw =
            npz(&[("arr_0", landmarks()), ("fps", array("<i8", "(1,)", [12i64.to_le_bytes()]))])
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
            message(read_npy(&floats("(2, 75, 3)", values(2, 75))[..], &Overrides::default()));
        assert_eq!(shape, "array shape: expected [frames, 543 or 553, 3], found [2, 75, 3]");
        let whole_numbers = integers("(1, 543, 3)", [0; 543 * 3]);
        let integers = message(read_npy(&whole_numbers[..], &Overrides::default()));
        assert_eq!(integers, "array element type: expected <f4 or <f8, found <i4");
        let unpacked = message(npz(&[("q", floats("(1, 543, 3)", values(1, 543)))]));
        assert!(unpacked.contains("expected <i2, found <f4"), "{unpacked}");
        let long =
            message(read_npy(&floats("(0, 543, 3)", []).repeat(2)[..], &Overrides::default()));
        assert!(long.contains("expected nothing"), "{long}");

        let whole = floats("(1, 543, 3)", values(1, 543));
        let text = String::from_utf8_lossy(&whole[10..118]).into_owned();
        let fortran = text.replace("False", "True ");
        let bytes = [&whole[..10], fortran.as_bytes(), &whole[118..]].concat();
        assert!(message(read_npy(&bytes[..], &Overrides::default())).contains("found Fortran"));
        let many = text.replace("(1, 543", "(9000000000, 543");
        let many = &many[..text.len()];
        let bytes = [&whole[..10], many.as_bytes(), &whole[118..]].concat();
        assert!(message(read_npy(&bytes[..], &Overrides::default())).ends_with("found 9000000000"));
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let frames = vec![vec![7i16; 543 * 3]; 2];
        let whole = archive(&[("q", pack(frames)), ("fps", floats("()", [25.0]))]);
        assert!(read_npz(Cursor::new(&whole), &Overrides::default()).is_ok());
        for length in 0..whole.len() {
            assert!(
                read_npz(Cursor::new(&whole[..length]), &Overrides::default()).is_err(),
                "{length}"
            );
        }
        // Nothing may panic; a change that no check covers (a date) may pass.
        for i in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[i] ^= flip;
                let _ = read_npz(Cursor::new(bytes), &Overrides::default());
            }
        }
    }

    #[test]
    fn stored_and_deflated_arrays_are_read_and_other_files_are_passed_over() {
        let landmarks = floats("(1, 543, 3)", values(1, 543));
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let files = [("a.npy".to_owned(), &landmarks[..]), ("a.txt".to_owned(), b"text")];
            let raw = read_npz(Cursor::new(zip(method, files)), &Overrides::default()).unwrap();
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
            read_npz(Cursor::new(bytes), &Overrides::default())
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
}
