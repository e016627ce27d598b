//! The parquet files of Google's isolated-sign competition: a row for each point of each frame.
//!
//! The columns are `frame`, `type` (the name of the part), `landmark_index` (within the part), `x`, `y`
//! and `z`, which are null where missing. Others, such as `row_id`, are not read. A frame has exactly
//! 543 rows, in any order. Neither frame rate nor image size is recorded.

mod assembly;
mod values;

use std::fs::File;

use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::error::{ImportError, unexpected};
use super::imported_clip::RawClip;
use super::limits::MAX_FRAMES;
use assembly::FrameAssembly;
use signd_core::frame::POINTS;
use values::{coordinates, damaged, failed, integers, parts};

/// Rows decoded at a time, some frames' worth: bounds what is in memory beside the points.
const BATCH: usize = 16 * POINTS;

/// Reads a competition file.
pub(super) fn read(file: File) -> Result<RawClip, ImportError> {
    // The parquet library asserts some things about the file that a damaged one breaks (negative
    // column offsets, among 60.1's). Nothing is shared with the call, so its panic is an error.
    std::panic::catch_unwind(|| read_unguarded(file))
        .unwrap_or_else(|_| Err(damaged("an impossible value in its directory or pages")))
}

fn read_unguarded(file: File) -> Result<RawClip, ImportError> {
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let columns = TableColumns::find(reader.metadata().file_metadata().schema_descr())?;
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
    let mut clip = FrameAssembly::of_at_most(frames as usize);
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(failed)?;
        columns.read(&*group, &mut clip)?;
    }
    Ok(clip.finish())
}

/// Where the columns stand in the file.
struct TableColumns {
    frame: TableColumn,
    part: TableColumn,
    index: TableColumn,
    axes: [TableColumn; 3],
}

#[derive(Clone, Copy)]
struct TableColumn {
    name: &'static str,
    number: usize,
}

impl TableColumns {
    fn find(schema: &SchemaDescriptor) -> Result<TableColumns, ImportError> {
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
            Ok(TableColumn { name, number })
        };
        Ok(TableColumns {
            frame: find("frame")?,
            part: find("type")?,
            index: find("landmark_index")?,
            axes: [find("x")?, find("y")?, find("z")?],
        })
    }

    /// Reads a row group, all columns abreast.
    fn read(
        &self,
        group: &dyn RowGroupReader,
        into: &mut FrameAssembly,
    ) -> Result<(), ImportError> {
        let open = |column: TableColumn| group.get_column_reader(column.number).map_err(failed);
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

#[cfg(test)]
mod tests;
