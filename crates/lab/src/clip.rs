//! A clip: one sign as it was cut by hand, from a file of any kind.
//!
//! Its rows are those that the daemon makes of its frames, without a segmenter: all of them.

use std::path::Path;

use crate::import::{self, ImportError, ImportOverrides};
use signd_core::features::grid::RowKind;
use signd_core::frame::{ArrivalTime, Frame, SourceTime};
use signd_core::stream::{CoreSettings, StepBatch, Stream};
use signd_engine::recording::{self, RecordingError, RecordingLosses};

/// Capture time of a clip's first frame. Nothing follows from it.
const START: SourceTime = SourceTime(1_000_000_000);

/// A file that gives no clip. No message names the file: the caller knows it.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// Another format's file.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A recording.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// The frames of a file, and what of it could not be used: a recording's first stream, or a clip of a
/// format that [`import`] reads. A recording knows its own times and sizes, so that overrides are for
/// the others.
pub fn read(
    file: &Path,
    overrides: &ImportOverrides,
) -> Result<(Vec<Frame>, RecordingLosses), ClipError> {
    if !recording::is_recording(file).map_err(RecordingError::File)? {
        return Ok((
            import::read(file, overrides)?.frames(START).collect(),
            RecordingLosses::default(),
        ));
    }
    let bytes = std::fs::read(file).map_err(RecordingError::File)?;
    let (all, mut losses) = recording::frames(&bytes)?;
    let first = all.first().map(|(stream, _)| *stream);
    let mut frames = Vec::new();
    for (stream, frame) in all {
        match Some(stream) == first {
            true => frames.push(frame),
            false => losses.count(format!("frames of stream {stream}, not the first one"), ""),
        }
    }
    Ok((frames, losses))
}

/// The rows of a clip as the daemon makes them, one after the other, each `kind.width()` long.
pub fn rows(frames: &[Frame], kind: &RowKind, core: &CoreSettings) -> Vec<f32> {
    let (mut stream, mut batch) = (Stream::new(core, kind.clone()), StepBatch::default());
    for frame in frames {
        // Rows are appended to those of the frames before.
        batch.steps.clear();
        stream.push(frame, ArrivalTime(frame.t.0), &mut batch);
    }
    batch.rows
}
