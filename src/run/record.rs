//! Recording a live run: what ingest lets into the pipeline also goes to a thread that writes it.
//!
//! Ingest never waits for the disk. When the writer falls behind by more than [`BEHIND`] items, or
//! the disk is full, the recording ends there, says so in the log, and the daemon goes on: a
//! recording without gaps that is short is worth more than a long one that replays differently.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::frame::{Arrival, SourceTime};
use crate::recording::{Recorder, RecordingError};
use crate::stream::Tick;
use crate::wire::topic::StreamId;

/// About 7 MB of frames: two seconds of sixteen streams.
const BEHIND: usize = 1024;

enum Taken {
    Frame { stream: StreamId, arrival: Arrival, t: SourceTime, wire: Vec<u8> },
    Tick { stream: StreamId, arrival: Arrival, tick: Tick },
}

/// Ingest's end of the recording.
pub struct Tape {
    to: Option<Sender<Taken>>,
    writer: Option<JoinHandle<()>>,
}

impl Tape {
    /// No recording.
    pub fn none() -> Self {
        Tape { to: None, writer: None }
    }

    /// Records to this file, replacing it.
    pub fn start(path: &Path) -> Result<Self, RecordingError> {
        let recorder = Recorder::new(BufWriter::new(File::create(path)?))?;
        let (to, from) = bounded(BEHIND);
        let shown = path.display().to_string();
        let write = move || match write(recorder, &from) {
            Ok(()) => tracing::info!("recording {shown} is complete"),
            Err(error) => tracing::error!("recording {shown} ends here: {error}"),
        };
        let writer = Builder::new().name("record".into()).spawn(write)?;
        Ok(Tape { to: Some(to), writer: Some(writer) })
    }

    /// A frame was let in.
    pub fn frame(&mut self, stream: &StreamId, arrival: Arrival, t: SourceTime, wire: &[u8]) {
        if self.to.is_some() {
            self.put(Taken::Frame { stream: *stream, arrival, t, wire: wire.to_vec() });
        }
    }

    /// The clock decided something.
    pub fn tick(&mut self, stream: &StreamId, arrival: Arrival, tick: Tick) {
        self.put(Taken::Tick { stream: *stream, arrival, tick });
    }

    fn put(&mut self, taken: Taken) {
        if self.to.as_ref().is_some_and(|to| to.try_send(taken).is_err()) {
            tracing::error!("the recording stopped: its writer is behind or the disk is full");
            self.to = None;
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.to = None; // the writer finishes the file once it has written what waits
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

fn write(
    mut recorder: Recorder<BufWriter<File>>,
    from: &Receiver<Taken>,
) -> Result<(), RecordingError> {
    for taken in from {
        match taken {
            Taken::Frame { stream, arrival, t, wire } => {
                recorder.frame(&stream, arrival, t, &wire)?
            }
            Taken::Tick { stream, arrival, tick } => recorder.tick(&stream, arrival, tick)?,
        }
    }
    recorder.finish()
}
