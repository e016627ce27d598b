//! A clip: one sign as it was cut by hand, from a file of any kind.
//!
//! Neither gate nor segmenter has a say in it: its rows are those of all its frames.

use std::path::Path;

use crate::import::{self, ImportError, ImportOverrides};
use signd_core::features::grid::RowKind;
use signd_core::features::{Placed, Rows};
use signd_core::frame::Hand;
use signd_core::frame::{Frame, SourceTime};
use signd_core::gate::Sight;
use signd_core::signer::Space;
use signd_core::signer::hands::{Hands, Repair};
use signd_core::signer::space::Shoulders;
use signd_engine::recording::{self, Losses, RecordingError};

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
pub fn read(file: &Path, overrides: &ImportOverrides) -> Result<(Vec<Frame>, Losses), ClipError> {
    if !recording::is_recording(file).map_err(RecordingError::File)? {
        return Ok((import::read(file, overrides)?.frames(START).collect(), Losses::default()));
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

/// The rows of a clip, one after the other, each `kind.width()` long. The dominant hand is the one
/// that the whole clip shows more of. A hand below `rest_line` (shoulder widths below the shoulders)
/// counts little, as in the gate.
pub fn rows(frames: &[Frame], kind: &RowKind, rest_line: f32) -> Vec<f32> {
    let (mut shoulders, mut repair) = (Shoulders::default(), Repair::default());
    let seen: Vec<(Space, Hands)> =
        frames.iter().map(|frame| (shoulders.push(frame), repair.push(frame))).collect();
    let weight = |hand: Hand| -> f64 {
        let sights = frames.iter().zip(&seen).map(|(frame, (space, hands))| {
            Sight::of(frame, hands.part(hand), space, rest_line).weight()
        });
        sights.sum()
    };
    let left = weight(Hand::Left) > weight(Hand::Right);
    let dominant = if left { Hand::Left } else { Hand::Right };

    let (mut rows, mut placed, mut out) = (Rows::new(kind.clone()), Placed::default(), Vec::new());
    for (frame, (space, hands)) in frames.iter().zip(&seen) {
        placed.take(frame, *hands, dominant, space);
        rows.push(frame, &placed, &mut out);
    }
    out
}
