//! Values of a column, of any type that writers give it.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;

use crate::import::error::{ImportError, unexpected};
use signd_core::frame::BodyPart;

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

pub(super) fn integers(
    name: &str,
    from: &mut ColumnReader,
    rows: usize,
) -> Result<Vec<i64>, ImportError> {
    match from {
        ColumnReader::Int32ColumnReader(reader) => {
            let narrow = all(name, values(name, reader, rows)?)?;
            Ok(narrow.into_iter().map(i64::from).collect())
        }
        ColumnReader::Int64ColumnReader(reader) => all(name, values(name, reader, rows)?),
        other => Err(wrong_type(name, "integers", other)),
    }
}

pub(super) fn parts(
    name: &str,
    from: &mut ColumnReader,
    rows: usize,
) -> Result<Vec<BodyPart>, ImportError> {
    let ColumnReader::ByteArrayColumnReader(reader) = from else {
        return Err(wrong_type(name, "strings", from));
    };
    let part = |text: ByteArray| {
        let part = BodyPart::ALL.into_iter().find(|part| part.name().as_bytes() == text.data());
        part.ok_or_else(|| {
            let expected = BodyPart::ALL.map(BodyPart::name).join(", ");
            unexpected(format!("column {name:?}"), expected, text.data().escape_ascii())
        })
    };
    all(name, values(name, reader, rows)?)?.into_iter().map(part).collect()
}

pub(super) fn coordinates(
    name: &str,
    from: &mut ColumnReader,
    rows: usize,
) -> Result<Vec<f32>, ImportError> {
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

/// What the library cannot do is no damage.
pub(super) fn failed(error: ParquetError) -> ImportError {
    match error {
        ParquetError::NYI(cause) => ImportError::Unsupported { container: "parquet", cause },
        error => damaged(error),
    }
}

pub(super) fn damaged(cause: impl ToString) -> ImportError {
    ImportError::Damaged { container: "parquet", cause: cause.to_string() }
}
