//! What a file at some place holds: may it be replaced, must it be kept?
//!
//! Only as much is read as is needed to tell. A recording may have gigabytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use mcap::records::{Record as Parsed, op};

use super::RunMark;
use super::channel::{LANDMARKS, RUN};
use super::container::{McapChunk, McapRecord, McapRecords, is_known};
use crate::file_kind;

/// Most bytes of one record that are looked at.
const MAX_RECORD: u64 = 64 << 20;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingKind {
    /// Nothing.
    Nothing,
    /// What signd's `import` or another maker of clips wrote.
    Clip,
    /// A run of the daemon without a frame.
    EmptyRun,
    /// A run of the daemon, or a later part of one.
    Run,
    /// Not signd's; what it is.
    Other(String),
}

/// Bytes of a file that was cut before its mark was written.
const BEFORE_THE_MARK: u64 = 200;

/// Whether a file is a recording, or is at least called one.
///
/// # Errors
///
/// When the file cannot be read.
pub fn is_recording(path: &Path) -> io::Result<bool> {
    if path.extension().is_some_and(|extension| extension == "mcap") {
        return Ok(true);
    }
    let mut head = Vec::new();
    File::open(path)?.take(mcap::MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == mcap::MAGIC)
}

/// Looks into a regular file.
///
/// # Errors
///
/// When the file cannot be read.
pub fn kind_of(path: &Path) -> io::Result<RecordingKind> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let mut head = Vec::new();
    file.by_ref().take(file_kind::HEAD as u64).read_to_end(&mut head)?;
    match file_kind::mcap_library(&head) {
        _ if head.is_empty() => return Ok(RecordingKind::Nothing),
        Some(library) if library.starts_with("signd ") => {}
        _ => return Ok(RecordingKind::Other(file_kind::describe(&head))),
    }
    file.seek(SeekFrom::Start(mcap::MAGIC.len() as u64))?;
    let mut seen = FileScan::default();
    while seen.next(&mut file, size)? {}
    Ok(match (seen.run, seen.frames) {
        (true, true) => RecordingKind::Run,
        (false, true) => RecordingKind::Clip,
        // Every run begins with its mark. Where that cannot be found the file is damaged, unless it was cut
        // before it.
        (false, false) if size > BEFORE_THE_MARK => RecordingKind::Run,
        (_, false) => RecordingKind::EmptyRun,
    })
}

#[derive(Default)]
struct FileScan {
    run: bool,
    frames: bool,
    /// Number of the channel `run`.
    marks: Option<u16>,
    /// Numbers of the other channels.
    others: BTreeSet<u16>,
}

impl FileScan {
    /// Looks at the next record; false when there is none or it does not matter any more.
    fn next(&mut self, file: &mut BufReader<File>, size: u64) -> io::Result<bool> {
        let mut bytes = Vec::new();
        file.by_ref().take(9).read_to_end(&mut bytes)?;
        let Some(McapRecord { op: kind, length, .. }) = McapRecords::new(&bytes, 0).next() else {
            return Ok(false);
        };
        let mut left = length.min(size);
        // Only a chunk is long in writing, so that a cut falls into it. Any other record that is longer than
        // the file is damaged.
        let rest = size.saturating_sub(file.stream_position()?);
        self.frames |= !is_known(kind) || (kind != op::CHUNK && length > rest);
        if matches!(kind, op::CHUNK | op::CHANNEL | op::MESSAGE) {
            left -= file.by_ref().take(left.min(MAX_RECORD)).read_to_end(&mut bytes)? as u64;
            if let Some(record) = McapRecords::new(&bytes, 0).next() {
                self.look(&record);
            }
        }
        file.seek_relative(left as i64)?;
        Ok(!self.frames && !matches!(kind, op::DATA_END | op::FOOTER))
    }

    /// What cannot be read of a recording is kept.
    fn look(&mut self, record: &McapRecord<'_>) {
        if record.op != op::CHUNK {
            return self.take(record);
        }
        let Some(chunk) = McapChunk::parse(record) else { return self.frames |= record.is_whole() };
        let inside = match chunk.unpack() {
            Ok(inside) => inside,
            // Only the chunk at the end of a file that was cut may lack what its CRC was made of.
            Err(_) if !record.is_whole() => chunk.beginning().into(),
            Err(_) => return self.frames = true,
        };
        McapRecords::new(&inside, 0).for_each(|record| self.take(&record));
    }

    fn take(&mut self, record: &McapRecord<'_>) {
        if !matches!(record.op, op::CHANNEL | op::MESSAGE) {
            self.frames |= !is_known(record.op);
            return;
        }
        match mcap::parse_record(record.op, record.body) {
            Ok(Parsed::Channel(channel)) if channel.topic == RUN => {
                self.run = true;
                self.marks = Some(channel.id);
            }
            Ok(Parsed::Channel(channel)) => {
                self.others.insert(channel.id);
                self.frames |= channel.topic.starts_with(LANDMARKS);
            }
            Ok(Parsed::Message { header, data }) if Some(header.channel_id) == self.marks => {
                let mark = serde_json::from_slice(&data);
                self.frames |= matches!(mark, Ok(RunMark::Begin { part, .. }) if part > 0);
            }
            // Its channel was not readable, and may have held frames.
            Ok(Parsed::Message { header, .. }) => {
                self.frames |= !self.others.contains(&header.channel_id);
            }
            Err(_) => self.frames |= record.is_whole(),
            _ => {}
        }
    }
}
