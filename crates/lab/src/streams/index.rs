//! What each recording of an index is for, read from its line alone.
//!
//! | the line | the recording is |
//! |---|---|
//! | has `segments` | real signing with its truth (*sentence*) |
//! | has a label that the model knows | a clip: material for composed streams |
//! | has another label, or a `kind` without `segments` | left out: what it shows is not known to the last sign |
//! | has neither label nor `kind`, a `language`, and a `note` that says "may resemble ASL" | left out |
//! | has neither label nor `kind` | a stream without known signs (*silent*) |

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use csv::ReaderBuilder;

use crate::eval::clip_list::{self, ListEntry, ListFailure, comparable};
use crate::eval::vocabulary::{GroundTruth, SignVocabulary};

/// What a recording is for.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordingRole {
    /// A clip of one known sign, by the model's output.
    Clip(u16),
    /// No known sign is made.
    Silent,
    /// Signs one after the other.
    Sentence {
        /// Gloss as compared, first and last frame.
        segments: Vec<(String, usize, usize)>,
        /// It is real time: nothing was cut out between the signs.
        gapless: bool,
    },
    /// Not used.
    LeftOut,
}

/// A recording that is used.
#[derive(Clone, Debug)]
pub struct IndexedRecording {
    /// Its line.
    pub entry: ListEntry,
    /// The folder of its index.
    pub folder: PathBuf,
    /// Name of that folder, and what the column `part` says: figures are given for each.
    pub set: String,
    /// What it is for.
    pub role: RecordingRole,
}

/// Reads an index: what is used, how many are left out, and the lines that make no sense.
pub fn read(
    file: &Path,
    vocabulary: &SignVocabulary,
) -> Result<(Vec<IndexedRecording>, usize, Vec<ListFailure>)> {
    let name = || file.display().to_string();
    let text = std::fs::read(file).with_context(name)?;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let absolute = std::fs::canonicalize(file).with_context(name)?;
    let set = absolute.parent().and_then(Path::file_name).unwrap_or_default();
    let set = set.to_string_lossy().into_owned();
    let (mut recordings, mut left_out, mut failures) = (Vec::new(), 0, Vec::new());
    let extras = extras(&text).with_context(name)?;
    for (entry, extra) in clip_list::read(&text[..]).with_context(name)?.into_iter().zip(extras) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        match role(&entry, &extra, vocabulary) {
            Ok(RecordingRole::LeftOut) => left_out += 1,
            Ok(role) => {
                let set = format!("{set} {}", extra.get("part")).trim_end().to_owned();
                recordings.push(IndexedRecording { entry, folder: folder.clone(), set, role });
            }
            Err(reason) => failures.push(ListFailure { path: entry.path, reason }),
        }
    }
    Ok((recordings, left_out, failures))
}

/// The columns beyond those of every list.
#[derive(Default)]
struct ExtraColumns(HashMap<String, String>);

impl ExtraColumns {
    /// A column's text. Empty where it is missing, empty or `nan`, as some tools write nothing.
    fn get(&self, column: &str) -> &str {
        let text = self.0.get(column).map(|text| text.trim()).unwrap_or_default();
        if text.eq_ignore_ascii_case("nan") { "" } else { text }
    }
}

fn extras(text: &[u8]) -> Result<Vec<ExtraColumns>, csv::Error> {
    let mut reader = ReaderBuilder::new().from_reader(text);
    let headers = reader.headers()?.clone();
    let line = |record: Result<csv::StringRecord, _>| {
        let record = record.unwrap_or_default();
        let pairs = headers.iter().zip(record.iter());
        ExtraColumns(pairs.map(|(name, text)| (name.trim().to_owned(), text.to_owned())).collect())
    };
    Ok(reader.records().map(line).collect())
}

fn role(
    entry: &ListEntry,
    extra: &ExtraColumns,
    vocabulary: &SignVocabulary,
) -> Result<RecordingRole, String> {
    let (segments, note) = (extra.get("segments"), extra.get("note"));
    if !segments.is_empty() {
        let segments = segments.split(';').map(segment).collect::<Result<_, _>>()?;
        return Ok(RecordingRole::Sentence { segments, gapless: !note.contains("not gapless") });
    }
    Ok(match vocabulary.truth(&entry.label) {
        GroundTruth::Known(label) => RecordingRole::Clip(label),
        GroundTruth::Unknown => RecordingRole::LeftOut,
        GroundTruth::NoSign if !extra.get("kind").is_empty() => RecordingRole::LeftOut,
        GroundTruth::NoSign
            if !extra.get("language").is_empty() && note.contains("may resemble ASL") =>
        {
            RecordingRole::LeftOut
        }
        GroundTruth::NoSign => RecordingRole::Silent,
    })
}

/// `gloss:first-last`.
fn segment(text: &str) -> Result<(String, usize, usize), String> {
    let parse = || {
        let (gloss, frames) = text.rsplit_once(':')?;
        let (first, last) = frames.split_once('-')?;
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then(|| (comparable(gloss), first, last))
    };
    parse().ok_or_else(|| format!("segments: expected gloss:first-last, found `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::event::ModelLabels;

    #[test]
    fn each_line_says_what_it_is_for() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("index.csv");
        let text = "path,label,signer,fps,width,height,language,note,kind,segments,part\n\
            book,BOOK,a,30,0,0,,,,,\n\
            dog,dog,a,30,0,0,,,,,\n\
            idle,,b,30,0,0,,waving may resemble ASL hello,,nan,eval\n\
            sign,,c,30,0,0,dgs,,,,\n\
            like,,c,30,0,0,dgs,may resemble ASL book,,,\n\
            talk,,d,30,0,0,,so not gapless real time,sentence,the book:0-9; dog:12-20,\n\
            text,,d,30,0,0,,,sentence,nan,\n\
            torn,,d,30,0,0,,,sentence,book:9-2,\n";
        std::fs::write(&file, text).expect("written");
        let names = ["book", "none"].map(str::to_owned).to_vec();
        let labels = ModelLabels { names, no_sign: Some(1) };
        let vocabulary = SignVocabulary::new(&labels, None).expect("fits");
        let (used, left_out, failures) = read(&file, &vocabulary).expect("an index");
        let roles: Vec<_> = used.iter().map(|r| (&*r.entry.path, r.role.clone())).collect();
        let segments = vec![("the book".to_owned(), 0, 9), ("dog".to_owned(), 12, 20)];
        assert_eq!(
            roles,
            [
                ("book", RecordingRole::Clip(0)),
                ("idle", RecordingRole::Silent),
                ("sign", RecordingRole::Silent),
                ("talk", RecordingRole::Sentence { segments, gapless: false }),
            ]
        );
        assert!(used[1].set.ends_with(" eval") && !used[0].set.ends_with(' '));
        assert_eq!((left_out, failures.len()), (3, 1));
        assert_eq!(failures[0].reason, "segments: expected gloss:first-last, found `book:9-2`");
    }
}
