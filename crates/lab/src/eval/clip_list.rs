//! The list of clips: a CSV file with a line for each.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use crate::clip;
use crate::import::ImportOverrides;
use signd_core::frame::Frame;

/// Columns that a list must have. Others are passed over.
const COLUMNS: [&str; 6] = ["path", "label", "signer", "fps", "width", "height"];

/// A list that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Not CSV, or not to be read.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A column is not there.
    #[error("no column `{column}` (expected {}; found {found})", COLUMNS.join(", "))]
    Column {
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: String,
    },
}

/// A clip that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ListFailure {
    /// Its path as listed, or the number of a line that has none.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListEntry {
    /// Its path as listed.
    pub path: String,
    /// The label in the form in which labels are compared. Empty for *no sign*.
    pub label: String,
    /// Who signs.
    pub signer: String,
    /// What the list knows better than the file.
    pub overrides: ImportOverrides,
}

impl ListEntry {
    /// Reads the clip's frames, at least one. `folder` is the list's own.
    pub fn frames(&self, folder: &Path) -> Result<Vec<Frame>, ListFailure> {
        let failed = |reason: String| ListFailure { path: self.path.clone(), reason };
        let file: PathBuf = folder.join(&self.path);
        let (frames, losses) =
            clip::read(&file, &self.overrides).map_err(|e| failed(e.to_string()))?;
        match losses.any() {
            // Half a clip would be judged as a whole one.
            true => Err(failed(losses.to_string().replace('\n', "; "))),
            false => Ok(frames),
        }
    }
}

/// The form in which labels are compared: trimmed, lower case.
pub fn comparable(label: &str) -> String {
    label.trim().to_lowercase()
}

/// Reads a list, in its order. A line that makes no sense is a failure of its own.
pub fn read(list: impl Read) -> Result<Vec<Result<ListEntry, ListFailure>>, ListError> {
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(list);
    let headers = reader.headers()?.clone();
    let mut columns = [0; COLUMNS.len()];
    for (at, column) in columns.iter_mut().zip(COLUMNS) {
        let found = headers.iter().position(|name| name == column);
        let missing =
            || ListError::Column { column, found: headers.iter().collect::<Vec<_>>().join(", ") };
        *at = found.ok_or_else(missing)?;
    }
    let mut entries = Vec::new();
    for record in reader.records() {
        entries.push(match record {
            Ok(record) => entry(columns.map(|at| record.get(at).unwrap_or_default()))
                .map_err(|reason| ListFailure { path: name(&record, columns[0]), reason }),
            Err(error) if matches!(error.kind(), ErrorKind::Io(_)) => return Err(error.into()),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                Err(ListFailure { path: format!("line {line}"), reason: error.to_string() })
            }
        });
    }
    Ok(entries)
}

fn name(record: &StringRecord, column: usize) -> String {
    match record.get(column).filter(|path| !path.trim().is_empty()) {
        Some(path) => path.to_owned(),
        None => format!("line {}", record.position().map_or(0, csv::Position::line)),
    }
}

fn entry([path, label, signer, fps, width, height]: [&str; 6]) -> Result<ListEntry, String> {
    if path.trim().is_empty() {
        return Err("no path".into());
    }
    // A rate out of its range, NaN included, is refused where the file is read.
    let fps = recorded("fps", fps)?;
    let pixels = |column: &str, text: &str| match recorded(column, text)? {
        None => Ok(None),
        Some(x) if x.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&x) => {
            Ok(Some(x as u32))
        }
        Some(x) => Err(format!("{column}: expected whole pixels, 1 or more, found {x}")),
    };
    let size = pixels("width", width)?.zip(pixels("height", height)?);
    Ok(ListEntry {
        path: path.to_owned(),
        label: comparable(label),
        signer: signer.trim().to_owned(),
        overrides: ImportOverrides { fps, size, ..ImportOverrides::default() },
    })
}

/// A number. None where it is 0 or empty, which is how lists say *not recorded*.
fn recorded(column: &str, text: &str) -> Result<Option<f64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| format!("{column}: expected a number, found `{text}`");
    let number: f64 = text.parse().map_err(wrong)?;
    Ok((number != 0.0).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "path,label,signer,fps,width,height";

    fn lines(body: &str) -> Vec<Result<ListEntry, ListFailure>> {
        read(format!("{HEADER}\n{body}").as_bytes()).expect("a list")
    }

    #[test]
    fn columns_are_found_by_name_and_others_passed_over() {
        let list =
            "source,height,width, fps ,signer,label,path\nx,480,640,25.5,Ann, BOOK ,a/b.npz\n";
        let entries = read(list.as_bytes()).expect("a list");
        let entry = entries[0].as_ref().expect("an entry");
        assert_eq!((&*entry.path, &*entry.label, &*entry.signer), ("a/b.npz", "book", "Ann"));
        assert_eq!(
            entry.overrides,
            ImportOverrides {
                fps: Some(25.5),
                size: Some((640, 480)),
                ..ImportOverrides::default()
            }
        );
    }

    #[test]
    fn zero_and_empty_are_not_recorded() {
        for body in ["a.npz,,,0,0,0", "a.npz,,,,,", "a.npz,,,0.0,640,", "a.npz,,,0,0,480"] {
            let entry = lines(body).remove(0).expect("an entry");
            assert_eq!(entry.overrides, ImportOverrides::default(), "{body}");
        }
    }

    #[test]
    fn a_line_that_makes_no_sense_fails_alone() {
        let body = "a.npz,book,ann,fast,0,0\nb.npz,book\nc.npz,book,ann,30,1.5,2\n,book,ann,0,0,0\n\
                    d.npz,book,ann,30,-1,2\ne.npz,book,ann,30,640,480\n";
        let (mut failed, mut good) = (Vec::new(), Vec::new());
        for line in lines(body) {
            match line {
                Ok(entry) => good.push(entry.path),
                Err(failure) => failed.push(failure.path),
            }
        }
        assert_eq!(good, ["e.npz"]);
        assert_eq!(failed, ["a.npz", "line 3", "c.npz", "line 5", "d.npz"]);
        let latin = [HEADER.as_bytes(), b"\n\xe9.npz,,,,,\na.npz,,,,,\n"].concat();
        let entries = read(&latin[..]).expect("a list");
        assert!(entries[0].is_err() && entries[1].is_ok());
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = read(&b"path,label,fps,width,height\n"[..]).expect_err("refused").to_string();
        let expected = "no column `signer` (expected path, label, signer, fps, width, height; \
                        found path, label, fps, width, height)";
        assert_eq!(error, expected);
    }
}
