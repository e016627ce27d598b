//! The parquet files of Google's isolated-sign competition: a row for each point of each frame.
//!
//! Columns: `frame`, `type` (the part's name), `landmark_index` (within the part), `x`, `y`, `z`,
//! null where missing; others, such as `row_id`, are not read. A frame has exactly 543 rows, in
//! any order. Neither frame rate nor image size is recorded.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::error::{ImportError, unexpected};
use super::{Assumption, MAX_FRAMES, PHONE, Raw};
use signd_core::frame::{POINTS, Part, Point};

/// Rows decoded at a time, some frames' worth: bounds what is in memory beside the points.
const BATCH: usize = 16 * POINTS;

/// Reads a competition file.
pub(super) fn read(file: File) -> Result<Raw, ImportError> {
    // The parquet library asserts some things about the file that a damaged one breaks (negative
    // column offsets, among 60.1's). Nothing is shared with the call, so its panic is an error.
    std::panic::catch_unwind(|| read_unguarded(file))
        .unwrap_or_else(|_| Err(damaged("an impossible value in its directory or pages")))
}

fn read_unguarded(file: File) -> Result<Raw, ImportError> {
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let columns = Columns::find(reader.metadata().file_metadata().schema_descr())?;
    let mut rows = 0u64;
    for group in reader.metadata().row_groups() {
        rows = rows.saturating_add(u64::try_from(group.num_rows()).map_err(damaged)?);
    }
    // Checked before anything is read: it bounds the memory taken for frames.
    if !rows.is_multiple_of(POINTS as u64) {
        return Err(unexpected("rows", format!("a multiple of {POINTS}, 543 a frame"), rows));
    }
    let frames = rows / POINTS as u64;
    if frames > MAX_FRAMES as u64 {
        return Err(ImportError::TooLong { found: frames });
    }
    let mut clip = Gathered { most: frames as usize, frames: BTreeMap::new() };
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(failed)?;
        columns.read(&*group, &mut clip)?;
    }
    Ok(clip.finish())
}

/// What the library cannot do is no damage.
fn failed(error: ParquetError) -> ImportError {
    match error {
        ParquetError::NYI(cause) => ImportError::Unsupported { container: "parquet", cause },
        error => damaged(error),
    }
}

fn damaged(cause: impl ToString) -> ImportError {
    ImportError::Damaged { container: "parquet", cause: cause.to_string() }
}

/// Where the columns stand in the file.
struct Columns {
    frame: Column,
    part: Column,
    index: Column,
    axes: [Column; 3],
}

#[derive(Clone, Copy)]
struct Column {
    name: &'static str,
    number: usize,
}

impl Columns {
    fn find(schema: &SchemaDescriptor) -> Result<Columns, ImportError> {
        let find = |name: &'static str| {
            let column = schema.columns().iter().enumerate().find(|(_, c)| c.name() == name);
            let Some((number, column)) = column else {
                let found: Vec<&str> = schema.columns().iter().map(|c| c.name()).collect();
                return Err(unexpected(
                    "columns",
                    format!("{name:?} among them"),
                    found.join(", "),
                ));
            };
            if column.max_rep_level() > 0 || column.max_def_level() > 1 {
                return Err(unexpected(format!("column {name:?}"), "a flat one", "a nested one"));
            }
            Ok(Column { name, number })
        };
        Ok(Columns {
            frame: find("frame")?,
            part: find("type")?,
            index: find("landmark_index")?,
            axes: [find("x")?, find("y")?, find("z")?],
        })
    }

    /// Reads a row group, all columns abreast.
    fn read(&self, group: &dyn RowGroupReader, into: &mut Gathered) -> Result<(), ImportError> {
        let open = |column: Column| group.get_column_reader(column.number).map_err(failed);
        let (mut frame, mut part) = (open(self.frame)?, open(self.part)?);
        let mut index = open(self.index)?;
        let [x, y, z] = self.axes;
        let mut axes = [open(x)?, open(y)?, open(z)?];

        let mut left = usize::try_from(group.metadata().num_rows()).map_err(damaged)?;
        while left > 0 {
            let rows = left.min(BATCH);
            left -= rows;
            let frames = integers(self.frame.name, &mut frame, rows)?;
            let parts = parts(self.part.name, &mut part, rows)?;
            let indices = integers(self.index.name, &mut index, rows)?;
            let mut numbers = [const { Vec::new() }; 3];
            for ((numbers, column), reader) in numbers.iter_mut().zip(self.axes).zip(&mut axes) {
                *numbers = coordinates(column.name, reader, rows)?;
            }
            let [x, y, z] = numbers;
            let keys = frames.into_iter().zip(parts).zip(indices);
            let points = x.into_iter().zip(y).zip(z).map(|((x, y), z)| [x, y, z]);
            for (((frame, part), index), point) in keys.zip(points) {
                into.place(frame, part, index, point)?;
            }
        }
        Ok(())
    }
}

/// Reads `rows` values of a column, `None` for null.
fn values<T: DataType>(
    name: &str,
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
) -> Result<Vec<Option<T::T>>, ImportError> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    let (found, _, _) =
        reader.read_records(rows, Some(&mut levels), None, &mut present).map_err(failed)?;
    if found != rows {
        return Err(unexpected(format!("column {name:?}"), format!("{rows} more rows"), found));
    }
    if levels.is_empty() {
        // A column that cannot be null has no levels.
        return Ok(present.into_iter().map(Some).collect());
    }
    let mut present = present.into_iter();
    Ok(levels.into_iter().map(|level| if level > 0 { present.next() } else { None }).collect())
}

/// Makes a null an error: a row without a place cannot be used.
fn all<T>(name: &str, values: Vec<Option<T>>) -> Result<Vec<T>, ImportError> {
    let no_null = || unexpected(format!("column {name:?}"), "a value in every row", "a null");
    values.into_iter().map(|value| value.ok_or_else(no_null)).collect()
}

fn wrong_type(name: &str, expected: &str, found: &ColumnReader) -> ImportError {
    let found = match found {
        ColumnReader::BoolColumnReader(_) => "booleans",
        ColumnReader::Int32ColumnReader(_) | ColumnReader::Int64ColumnReader(_) => "integers",
        ColumnReader::FloatColumnReader(_) | ColumnReader::DoubleColumnReader(_) => "floats",
        ColumnReader::ByteArrayColumnReader(_) => "strings",
        _ => "another type",
    };
    unexpected(format!("column {name:?}"), expected, found)
}

fn integers(name: &str, from: &mut ColumnReader, rows: usize) -> Result<Vec<i64>, ImportError> {
    match from {
        ColumnReader::Int32ColumnReader(reader) => {
            let narrow = all(name, values(name, reader, rows)?)?;
            Ok(narrow.into_iter().map(i64::from).collect())
        }
        ColumnReader::Int64ColumnReader(reader) => all(name, values(name, reader, rows)?),
        other => Err(wrong_type(name, "integers", other)),
    }
}

fn parts(name: &str, from: &mut ColumnReader, rows: usize) -> Result<Vec<Part>, ImportError> {
    let ColumnReader::ByteArrayColumnReader(reader) = from else {
        return Err(wrong_type(name, "strings", from));
    };
    let part = |text: parquet::data_type::ByteArray| {
        let part = Part::ALL.into_iter().find(|part| part.name().as_bytes() == text.data());
        part.ok_or_else(|| {
            let expected = Part::ALL.map(Part::name).join(", ");
            unexpected(format!("column {name:?}"), expected, text.data().escape_ascii())
        })
    };
    all(name, values(name, reader, rows)?)?.into_iter().map(part).collect()
}

fn coordinates(name: &str, from: &mut ColumnReader, rows: usize) -> Result<Vec<f32>, ImportError> {
    match from {
        ColumnReader::DoubleColumnReader(reader) => {
            let wide = values(name, reader, rows)?.into_iter();
            Ok(wide.map(|value| value.map_or(f32::NAN, |v| v as f32)).collect())
        }
        ColumnReader::FloatColumnReader(reader) => {
            let floats = values(name, reader, rows)?.into_iter();
            Ok(floats.map(|value| value.unwrap_or(f32::NAN)).collect())
        }
        other => Err(wrong_type(name, "floats", other)),
    }
}

/// Frames under way, by their number.
struct Gathered {
    /// Frames that the number of rows suffices for.
    most: usize,
    frames: BTreeMap<i64, Partial>,
}

struct Partial {
    points: Box<[Point; POINTS]>,
    seen: [bool; POINTS],
}

impl Gathered {
    /// Puts a row where it belongs.
    fn place(
        &mut self,
        frame: i64,
        part: Part,
        index: i64,
        point: Point,
    ) -> Result<(), ImportError> {
        let range = part.range();
        let most = range.len() - 1;
        let within = usize::try_from(index).ok().filter(|index| *index <= most);
        let place = within.map(|index| range.start + index);
        if !self.frames.contains_key(&frame) && self.frames.len() == self.most {
            // There are as many frames as rows / 543, so some frame has too few.
            return Err(unexpected("frames", format!("{POINTS} rows in each"), "fewer in some"));
        }
        let partial = self.frames.entry(frame).or_insert_with(|| Partial {
            points: Box::new([[f32::NAN; 3]; POINTS]),
            seen: [false; POINTS],
        });
        let name = part.name();
        let slots = place
            .and_then(|place| Some((partial.points.get_mut(place)?, partial.seen.get_mut(place)?)));
        let Some((slot, seen)) = slots else {
            let what = format!("frame {frame}, landmark_index of {name}");
            return Err(unexpected(what, format!("0 to {most}"), index));
        };
        if std::mem::replace(seen, true) {
            let what = format!("frame {frame}, {name} point {index}");
            return Err(unexpected(what, "one row", "two"));
        }
        *slot = point;
        Ok(())
    }

    /// The frames in rising order. All are whole: the rows are 543 times the frames allowed for,
    /// and none came twice.
    fn finish(self) -> Raw {
        let ends = self.frames.keys().next().zip(self.frames.keys().next_back());
        let span = ends.map_or(0, |(first, last)| last.abs_diff(*first));
        let missing = span.saturating_sub((self.frames.len() as u64).saturating_sub(1));
        let assumed = match missing {
            0 => Vec::new(),
            missing => vec![Assumption::Gaps { missing }],
        };
        let points = self.frames.into_values().map(|partial| *partial.points).collect();
        Raw { points, fps: None, size: None, camera: PHONE, assumed }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::basic::Compression;
    use parquet::data_type::{
        ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::import::{Clip, Overrides};

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
            for part in Part::ALL {
                for i in 0..part.range().len() {
                    let x = (part.range().start + i) as f64 / 1024.0 + frame as f64;
                    let xyz = [Some(x), Some(x / 2.0), (part != Part::Pose).then_some(x / 4.0)];
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
                        put!(ByteArrayType, |row| Some(ByteArray::from(row.part.as_str())))
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

    fn read_bytes(bytes: &[u8]) -> Result<Raw, ImportError> {
        use std::io::{Seek, Write};
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        read(file)
    }

    fn message(schema: &str, rows: &[Row]) -> String {
        read_bytes(&write(schema, &[rows])).err().expect("an error").to_string()
    }

    fn check(raw: &Raw, frames: &[i64]) {
        assert_eq!(raw.points.len(), frames.len());
        for (points, &frame) in raw.points.iter().zip(frames) {
            for (i, [x, y, z]) in points.iter().enumerate() {
                let expected = (i as f64 / 1024.0 + frame as f64) as f32;
                assert_eq!((*x, *y), (expected, expected / 2.0));
                assert_eq!(z.is_nan(), Part::Pose.range().contains(&i));
            }
        }
    }

    #[test]
    fn a_competition_file_is_read_and_its_rate_and_size_are_assumed() {
        let raw = read_bytes(&write(SCHEMA, &[&rows(&[20, 21, 22])])).unwrap();
        check(&raw, &[20, 21, 22]);
        let clip = Clip::settle(raw, &Overrides::default()).unwrap();
        assert_eq!(
            clip.assumed,
            [
                Assumption::FrameRate { fps: 30.0 },
                Assumption::ImageSize { width: 1080, height: 1440 }
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
        assert_eq!(raw.assumed, [Assumption::Gaps { missing: 11 }]);
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
        assert!(
            with(|row| row.frame = None).ends_with("expected a value in every row, found a null")
        );
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
        assert!(matches!(Clip::settle(raw, &Overrides::default()), Err(ImportError::Empty)));
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
}
