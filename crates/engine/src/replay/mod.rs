//! Replay: a recording through the same stages, in one thread, without a clock.

pub mod verify;

use crate::model::ModelError;
use crate::pipeline::{Pipeline, StreamWork};
use crate::recording::{self, RecordingError, RecordingItem, RecordingLosses, RunMark};
use signd_core::drop_reason::DropReason;
use signd_core::event::Event;
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{Stream, Tick};
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
pub struct ReplayLosses {
    /// What could not be read of it.
    pub unread: RecordingLosses,
    /// Frames that had no place in their stream, as the daemon would have found too.
    pub misplaced: RecordingLosses,
}

impl ReplayLosses {
    /// Everything that was not played, a line for each reason.
    #[must_use]
    pub fn all(self) -> RecordingLosses {
        let ReplayLosses { mut unread, misplaced } = self;
        unread.extend(misplaced);
        unread
    }
}

/// What a replay tells, in order.
pub enum ReplayOutput<'a> {
    /// The next item was recorded at this time.
    Time(ArrivalTime),
    /// The core of a stream right after it took a frame in; the frame's events come next.
    Core(StreamId, &'a Stream),
    /// The replay's own event.
    Event(&'a Event),
    /// An event that was published when the recording was made.
    Recorded(StreamId, &'a [u8]),
    /// Which model and settings were at work when the recording was made.
    Mark(&'a RunMark),
}

/// Whoever takes what a replay tells.
pub type ReplayListener<'a> = dyn FnMut(ReplayOutput<'_>) -> std::io::Result<()> + 'a;

/// Plays recordings one after the other, each from fresh state unless it is the next part of the
/// one before.
pub struct RecordingPlayer<'a> {
    pipeline: &'a mut Pipeline,
    /// Run and number of the part played last.
    part: Option<(u64, u32)>,
    frame: Frame,
    work: StreamWork,
}

impl<'a> RecordingPlayer<'a> {
    /// Nothing played yet.
    pub fn new(pipeline: &'a mut Pipeline) -> Self {
        RecordingPlayer {
            pipeline,
            part: None,
            frame: Frame::default(),
            work: StreamWork::default(),
        }
    }

    /// Plays a file. A frame that is refused does not stop it, as it does not stop the daemon.
    ///
    /// # Errors
    ///
    /// When no frame of it can be played, the model fails, or the listener does.
    pub fn play(
        &mut self,
        bytes: &[u8],
        tell: &mut ReplayListener<'_>,
    ) -> Result<ReplayLosses, ReplayError> {
        let (mut fresh, mut played) = (true, false);
        let (mut refused, mut misplaced) = (RecordingLosses::default(), RecordingLosses::default());
        let mut unread = recording::read(bytes, |arrival, item| {
            if std::mem::take(&mut fresh) && !self.continues(&item) {
                self.end(tell)?;
            }
            tell(ReplayOutput::Time(arrival))?;
            match item {
                RecordingItem::Frame(stream, wire) => {
                    if let Err(refusal) = landmarks::read(wire, &mut self.frame) {
                        recording::refuse(&mut refused, &stream, &refusal);
                        return Ok(());
                    }
                    played = true;
                    let core = self.pipeline.frame(stream, &self.frame, arrival, &mut self.work);
                    match self.work.batch().misplaced {
                        None => tell(ReplayOutput::Core(stream, core))?,
                        Some(why) => {
                            let reason = DropReason::from(why).name();
                            misplaced.count(
                                format!("frames of stream {stream} that are `{reason}`"),
                                "",
                            );
                        }
                    }
                    self.finish(tell)
                }
                RecordingItem::Tick(stream, tick) => self.tick(stream, tick, tell),
                RecordingItem::Event(stream, event) => {
                    Ok(tell(ReplayOutput::Recorded(stream, event))?)
                }
                RecordingItem::Mark(mark) => {
                    if matches!(mark, RunMark::Reload(_)) {
                        emit(tell, |emit| self.pipeline.restart(emit))?;
                    }
                    Ok(tell(ReplayOutput::Mark(&mark))?)
                }
            }
        })?;
        unread.extend(refused);
        if !played && unread.passed_over() {
            return Err(RecordingError::NothingLeft(unread).into());
        }
        Ok(ReplayLosses { unread, misplaced })
    }

    /// Decides what the end of the last recording leaves open, as the end of the daemon would.
    ///
    /// # Errors
    ///
    /// When the model fails, or the listener does.
    pub fn end(&mut self, tell: &mut ReplayListener<'_>) -> Result<(), ReplayError> {
        for stream in self.pipeline.streams() {
            self.tick(stream, Tick::End, tell)?;
        }
        Ok(())
    }

    fn continues(&mut self, first: &RecordingItem<'_>) -> bool {
        let RecordingItem::Mark(RunMark::Begin { run, part, .. }) = first else {
            self.part = None;
            return false;
        };
        let before = self.part.replace((*run, *part));
        before.is_some_and(|(r, p)| r == *run && p.checked_add(1) == Some(*part))
    }

    fn tick(
        &mut self,
        id: StreamId,
        tick: Tick,
        tell: &mut ReplayListener<'_>,
    ) -> Result<(), ReplayError> {
        self.pipeline.tick(id, tick, &mut self.work);
        self.finish(tell)
    }

    fn finish(&mut self, tell: &mut ReplayListener<'_>) -> Result<(), ReplayError> {
        emit(tell, |emit| self.pipeline.finish(&mut self.work, true, emit))
    }
}

/// Tells the events of `run`. What the listener says first when it fails is what this says.
fn emit(
    tell: &mut ReplayListener<'_>,
    run: impl FnOnce(&mut dyn FnMut(Event)) -> Result<(), ModelError>,
) -> Result<(), ReplayError> {
    let mut told = Ok(());
    run(&mut |event| {
        if told.is_ok() {
            told = tell(ReplayOutput::Event(&event));
        }
    })?;
    Ok(told?)
}
