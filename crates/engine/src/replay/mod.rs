//! Replay: a recording through the same stages, in one thread, without a clock.

pub mod verify;

use std::collections::BTreeMap;

use crate::infer::Infer;
use crate::infer::model::ModelError;
use crate::recording::{self, Item, Losses, Mark, RecordingError};
use signd_core::drop_reason::DropReason;
use signd_core::event::Event;
use signd_core::frame::{Arrival, Frame};
use signd_core::stream::{Batch, CoreSettings, Stream, Tick};
use signd_core::stream_id::StreamId;
use signd_core::wire::landmarks;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Whoever takes the events failed.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

/// What of a recording was not played.
#[derive(Debug)]
pub struct Unplayed {
    /// What could not be read of it.
    pub unread: Losses,
    /// Frames that had no place in their stream, as the daemon would have found too.
    pub misplaced: Losses,
}

impl Unplayed {
    /// Everything that was not played, a line for each reason.
    pub fn all(self) -> Losses {
        let Unplayed { mut unread, misplaced } = self;
        unread.extend(misplaced);
        unread
    }
}

/// What a replay tells, in order.
pub enum Told<'a> {
    /// The next item was recorded at this time.
    Time(Arrival),
    /// The core of a stream right after it took a frame in; the frame's events come next.
    Core(StreamId, &'a Stream),
    /// The replay's own event.
    Event(&'a Event),
    /// An event that was published when the recording was made.
    Recorded(StreamId, &'a [u8]),
    /// Which model and settings were at work when the recording was made.
    Mark(&'a Mark),
}

/// Whoever takes what a replay tells.
pub type Listener<'a> = dyn FnMut(Told<'_>) -> std::io::Result<()> + 'a;

/// Plays recordings one after the other, each from fresh state unless it is the next part of the
/// one before.
pub struct Replay<'a> {
    core: &'a CoreSettings,
    infer: &'a mut Infer,
    streams: BTreeMap<StreamId, Stream>,
    /// Run and number of the part played last.
    part: Option<(u64, u32)>,
    frame: Frame,
    batch: Batch,
}

impl<'a> Replay<'a> {
    /// Nothing played yet.
    pub fn new(core: &'a CoreSettings, infer: &'a mut Infer) -> Self {
        let (frame, batch) = (Frame::default(), Batch::default());
        Replay { core, infer, streams: BTreeMap::new(), part: None, frame, batch }
    }

    /// Plays a file. A frame that is refused does not stop it, as it does not stop the daemon.
    pub fn play(&mut self, bytes: &[u8], tell: &mut Listener<'_>) -> Result<Unplayed, ReplayError> {
        let (mut fresh, mut played) = (true, false);
        let (mut refused, mut misplaced) = (Losses::default(), Losses::default());
        let mut unread = recording::read(bytes, |arrival, item| {
            if std::mem::take(&mut fresh) && !self.continues(&item) {
                self.end(tell)?;
            }
            tell(Told::Time(arrival))?;
            match item {
                Item::Frame(stream, wire) => {
                    let filled =
                        landmarks::decode(wire).and_then(|wire| wire.fill(&mut self.frame));
                    if let Err(refusal) = filled {
                        recording::refuse(&mut refused, &stream, &refusal);
                        return Ok(());
                    }
                    played = true;
                    self.batch.clear();
                    let new = || Stream::new(self.core, self.infer.needs());
                    let state = self.streams.entry(stream).or_insert_with(new);
                    state.push(&self.frame, arrival, &mut self.batch);
                    match self.batch.misplaced {
                        None => tell(Told::Core(stream, state))?,
                        Some(why) => {
                            let reason = DropReason::from(why).name();
                            misplaced.count(
                                format!("frames of stream {stream} that are `{reason}`"),
                                "",
                            );
                        }
                    }
                    self.infer(&stream, tell)
                }
                Item::Tick(stream, tick) => self.tick(stream, tick, tell),
                Item::Event(stream, event) => Ok(tell(Told::Recorded(stream, event))?),
                Item::Mark(mark) => {
                    if matches!(mark, Mark::Reload(_)) {
                        self.reload(tell)?;
                    }
                    Ok(tell(Told::Mark(&mark))?)
                }
            }
        })?;
        unread.extend(refused);
        if !played && unread.passed_over() {
            return Err(RecordingError::NothingLeft(unread).into());
        }
        Ok(Unplayed { unread, misplaced })
    }

    /// Decides what the end of the last recording leaves open, as the end of the daemon would.
    pub fn end(&mut self, tell: &mut Listener<'_>) -> Result<(), ReplayError> {
        while let Some(stream) = self.streams.keys().next().copied() {
            self.tick(stream, Tick::End, tell)?;
        }
        Ok(())
    }

    fn continues(&mut self, first: &Item<'_>) -> bool {
        let Item::Mark(Mark::Begin { run, part, .. }) = first else {
            self.part = None;
            return false;
        };
        let before = self.part.replace((*run, *part));
        before.is_some_and(|(r, p)| r == *run && p.checked_add(1) == Some(*part))
    }

    fn tick(
        &mut self,
        stream: StreamId,
        tick: Tick,
        tell: &mut Listener<'_>,
    ) -> Result<(), ReplayError> {
        // A stream whose frames lie before the beginning of the recording.
        let Some(state) = self.streams.get_mut(&stream) else { return Ok(()) };
        self.batch.clear();
        state.tick(tick, &mut self.batch);
        self.infer(&stream, tell)?;
        if matches!(tick, Tick::Gone | Tick::End) {
            self.streams.remove(&stream);
            self.infer.forget(&stream);
        }
        Ok(())
    }

    fn reload(&mut self, tell: &mut Listener<'_>) -> Result<(), ReplayError> {
        let mut streams = std::mem::take(&mut self.streams);
        for (stream, state) in &mut streams {
            self.batch.clear();
            state.adopt(self.core, self.infer.needs(), &mut self.batch);
            self.infer(stream, tell)?;
        }
        self.streams = streams;
        self.infer.restart();
        Ok(())
    }

    fn infer(&mut self, stream: &StreamId, tell: &mut Listener<'_>) -> Result<(), ReplayError> {
        let mut told = Ok(());
        self.infer.push(stream, &self.batch, true, |event| {
            if told.is_ok() {
                told = tell(Told::Event(&event));
            }
        })?;
        Ok(told?)
    }
}
