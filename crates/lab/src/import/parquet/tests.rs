//! Competition files are written here, damaged, and read.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::import::{ImportAssumption, ImportOverrides, ImportedClip};
use signd_core::frame::BodyPart;

const SCHEMA: &str = "message schema {
    optional int32 frame (INTEGER(16,true)); optional binary row_id (UTF8);
    optional binary type (UTF8); optional int32 landmark_index (INTEGER(16,true));
    optional double x; optional double y; optional double z; }";

#[derive(Clone)]
struct Row {
    frame: Option<i64>,
    part: String,
    index: i64,
    xyz: [Option<f64>; 3],
}

/// Rows in the order in which the competition's files have them.
fn rows(frames: &[i64]) -> Vec<Row> {
    let mut rows = Vec::new();
    for &frame in frames {
        for part in BodyPart::ALL {
            for i in 0..part.range().len() {
                let x = (part.range().start + i) as f64 / 1024.0 + frame as f64;
                let xyz = [Some(x), Some(x / 2.0), (part != BodyPart::Pose).then_some(x / 4.0)];
                let (part, index) = (part.name().to_owned(), i as i64);
                rows.push(Row { frame: Some(frame), part, index, xyz });
            }
        }
    }
    rows
}

/// Writes the columns that `schema` names, of the types that it names.
fn write(schema: &str, groups: &[&[Row]]) -> Vec<u8> {
    compressed(schema, groups, Compression::UNCOMPRESSED)
}

fn compressed(schema: &str, groups: &[&[Row]], codec: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let properties = Arc::new(WriterProperties::builder().set_compression(codec).build());
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::clone(&schema), properties).unwrap();
    for rows in groups {
        let mut group = writer.next_row_group().unwrap();
        for field in schema.get_fields() {
            let mut column = group.next_column().unwrap().unwrap();
            let number = |row: &Row| match field.name() {
                "frame" => row.frame,
                _ => Some(row.index),
            };
            let axis = |row: &Row| {
                row.xyz[["x", "y", "z"].iter().position(|n| *n == field.name()).unwrap()]
            };
            macro_rules! put {
                ($type:ty, $value:expr) => {{
                    let all: Vec<_> = rows.iter().map($value).collect();
                    let levels: Vec<i16> = all.iter().map(|v| v.is_some().into()).collect();
                    let values: Vec<_> = all.into_iter().flatten().collect();
                    column.typed::<$type>().write_batch(&values, Some(&levels), None).unwrap();
                }};
            }
            use parquet::basic::Type;
            match (field.name(), field.get_physical_type()) {
                ("type" | "row_id", _) => {
                    put!(ByteArrayType, |row| Some(ByteArray::from(row.part.as_str())));
                }
                (_, Type::INT32) => put!(Int32Type, |row| number(row).map(|v| v as i32)),
                (_, Type::INT64) => put!(Int64Type, number),
                (_, Type::DOUBLE) => put!(DoubleType, axis),
                _ => put!(FloatType, |row| axis(row).map(|v| v as f32)),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn read_bytes(bytes: &[u8]) -> Result<RawClip, ImportError> {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    read(file)
}

fn message(schema: &str, rows: &[Row]) -> String {
    read_bytes(&write(schema, &[rows])).err().expect("an error").to_string()
}

fn check(raw: &RawClip, frames: &[i64]) {
    assert_eq!(raw.points.len(), frames.len());
    for (points, &frame) in raw.points.iter().zip(frames) {
        for (i, [x, y, z]) in points.iter().enumerate() {
            let expected = (i as f64 / 1024.0 + frame as f64) as f32;
            assert_eq!((*x, *y), (expected, expected / 2.0));
            assert_eq!(z.is_nan(), BodyPart::Pose.range().contains(&i));
        }
    }
}

#[test]
fn a_competition_file_is_read_and_its_rate_and_size_are_assumed() {
    let raw = read_bytes(&write(SCHEMA, &[&rows(&[20, 21, 22])])).unwrap();
    check(&raw, &[20, 21, 22]);
    let clip = ImportedClip::settle(raw, &ImportOverrides::default()).unwrap();
    assert_eq!(
        clip.assumptions,
        [
            ImportAssumption::FrameRate { fps: 30.0 },
            ImportAssumption::ImageSize { width: 1080, height: 1440 }
        ]
    );
}

#[test]
fn rows_in_any_order_row_groups_and_other_number_types_make_no_difference() {
    let mut all = rows(&[3, 4, 5]);
    all.reverse();
    all.rotate_left(700);
    let (first, second) = all.split_at(1000);
    let schema = "message schema { optional float z; optional float y; optional float x;
        optional int64 frame; optional binary type; optional int64 landmark_index; }";
    check(&read_bytes(&write(schema, &[first, second])).unwrap(), &[3, 4, 5]);
}

#[test]
fn more_rows_than_are_decoded_at_a_time() {
    let frames: Vec<i64> = (0..40).collect();
    check(&read_bytes(&write(SCHEMA, &[&rows(&frames)])).unwrap(), &frames);
}

#[test]
fn columns_that_cannot_be_null_are_read_too() {
    let schema = SCHEMA.replace("optional int32", "required int32");
    check(&read_bytes(&write(&schema, &[&rows(&[0])])).unwrap(), &[0]);
}

#[test]
fn frame_numbers_left_out_are_said() {
    let raw = read_bytes(&write(SCHEMA, &[&rows(&[7, 9, 20])])).unwrap();
    assert_eq!(raw.assumptions, [ImportAssumption::Gaps { missing: 11 }]);
}

#[test]
fn a_null_coordinate_is_missing() {
    let mut all = rows(&[0]);
    all[5].xyz = [None; 3];
    let raw = read_bytes(&write(SCHEMA, &[&all])).unwrap();
    assert!(raw.points[0][5].iter().all(|v| v.is_nan()));
    assert!(!raw.points[0][6][0].is_nan());
}

#[test]
fn rows_that_do_not_fit_are_named() {
    let whole = rows(&[0, 1]);
    let with = |change: fn(&mut Row)| {
        let mut rows = whole.clone();
        change(&mut rows[470]);
        message(SCHEMA, &rows)
    };
    let part = with(|row| row.part = "pose_world".into());
    assert_eq!(
        part,
        "column \"type\": expected face, left_hand, pose, right_hand, found pose_world"
    );
    let index = with(|row| row.index = 21);
    assert_eq!(index, "frame 0, landmark_index of left_hand: expected 0 to 20, found 21");
    assert!(with(|row| row.index = -1).ends_with("expected 0 to 20, found -1"));
    let twice = with(|row| row.index = 3);
    assert_eq!(twice, "frame 0, left_hand point 3: expected one row, found two");
    assert!(with(|row| row.frame = None).ends_with("expected a value in every row, found a null"));
    assert!(with(|row| row.frame = Some(9)).contains("expected 543 rows in each"));
    assert!(message(SCHEMA, &whole[1..]).contains("found 1085"));
}

#[test]
fn lacking_and_mistyped_columns_are_named() {
    let all = rows(&[0]);
    let error = message(&SCHEMA.replace("optional double y;", ""), &all);
    let found = "found frame, row_id, type, landmark_index, x, z";
    assert_eq!(error, format!("columns: expected \"y\" among them, {found}"));
    let error = message(&SCHEMA.replace("double y", "int32 y"), &all);
    assert_eq!(error, "column \"y\": expected floats, found integers");
}

// arrow-rs#180, vllm#51570
#[test]
fn every_compression_that_writers_offer_is_read() {
    for codec in [
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(Default::default()),
    ] {
        let bytes = compressed(SCHEMA, &[&rows(&[3, 4])], codec);
        check(&read_bytes(&bytes).unwrap_or_else(|e| panic!("{codec}: {e}")), &[3, 4]);
    }
}

// arrow-rs#180, vllm#51570
#[test]
fn a_compression_that_is_not_supported_is_not_called_damage() {
    // LZO, which nothing here can write, has the number 3, and that is 6 in the footer.
    let whole = compressed(SCHEMA, &[&rows(&[0])], Compression::SNAPPY);
    let footer = whole.len().saturating_sub(2000)..whole.len();
    let said = footer.filter_map(|i| {
        let mut bytes = whole.clone();
        bytes[i] = 6;
        read_bytes(&bytes).err().map(|error| error.to_string())
    });
    let lzo: Vec<String> = said.filter(|said| said.contains("LZO")).collect();
    assert!(!lzo.is_empty());
    for said in lzo {
        assert!(said.starts_with("not supported") && said.contains("snappy or zstd"), "{said}");
    }
}

#[test]
fn a_file_without_rows_has_no_frames() {
    let raw = read_bytes(&write(SCHEMA, &[])).unwrap();
    assert!(matches!(
        ImportedClip::settle(raw, &ImportOverrides::default()),
        Err(ImportError::Empty)
    ));
}

#[test]
fn a_damaged_file_is_an_error() {
    let whole = write(SCHEMA, &[&rows(&[0])]);
    for length in 0..whole.len() {
        assert!(read_bytes(&whole[..length]).is_err(), "{length}");
    }
    for i in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[i] ^= flip;
            let _ = read_bytes(&bytes);
        }
    }
}
