//! Replay: a recording through the same stages, in one thread, without a clock.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::frame::{Arrival, Frame};
use crate::infer::Infer;
use crate::infer::model::ModelError;
use crate::recording::{self, Ending, Item, RecordingError};
use crate::stream::{Batch, CoreSettings, Stream, Tick};
use crate::wire::landmarks::{self, Refusal};
use crate::wire::topic::StreamId;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A recorded frame that is none.
    #[error("recorded frame: {0}")]
    Frame(#[from] Refusal),
    /// Whoever takes the events failed.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

/// Replays a recording from fresh state; hands every event to `emit`, in order. `pace` is called
/// with each item's arrival before it is played.
pub fn replay(
    bytes: &[u8],
    core: &CoreSettings,
    infer: &mut Infer,
    mut pace: impl FnMut(Arrival),
    mut emit: impl FnMut(&Event) -> std::io::Result<()>,
) -> Result<Ending, ReplayError> {
    let kind = infer.row_kind();
    let mut streams: BTreeMap<StreamId, Stream> = BTreeMap::new();
    let (mut frame, mut batch) = (Frame::default(), Batch::default());
    let mut play =
        |infer: &mut Infer, stream: &StreamId, batch: &Batch| -> Result<(), ReplayError> {
            let mut failed = Ok(());
            infer.push(stream, batch, true, |event| {
                if failed.is_ok() {
                    failed = emit(&event);
                }
            })?;
            Ok(failed?)
        };
    let ending = recording::read(bytes, |stream, arrival, item| {
        pace(arrival);
        batch.clear();
        let new = || Stream::new(core, kind.clone());
        let state = streams.entry(stream).or_insert_with(new);
        match item {
            Item::Frame(wire) => {
                landmarks::decode(wire)?.fill(&mut frame)?;
                state.push(&frame, arrival, &mut batch);
                play(infer, &stream, &batch)
            }
            Item::Tick(tick) => {
                state.tick(tick, &mut batch);
                play(infer, &stream, &batch)?;
                if matches!(tick, Tick::Gone | Tick::End) {
                    streams.remove(&stream);
                    infer.forget(&stream);
                }
                Ok(())
            }
        }
    })?;
    // What the end of the recording leaves open is decided, as the end of the daemon would.
    for (stream, mut state) in streams {
        batch.clear();
        state.tick(Tick::End, &mut batch);
        play(infer, &stream, &batch)?;
        infer.forget(&stream);
    }
    Ok(ending)
}
