//! The files of one recording: what the thread writes, and when the next file begins.

use std::fs::File;
use std::io::BufWriter;
use std::os::unix::fs::MetadataExt;

use crossbeam_channel::{Receiver, Sender};

use super::rotation::{FileRotation, RecordSettings};
use super::sender::RecordingEntry;
use crate::plumbing::counters::LevelGauges;
use crate::plumbing::now;
use signd_core::frame::ArrivalTime;
use signd_engine::recording::{
    RecordingChannel, RecordingError, RecordingWriter, RunDigests, RunMark,
};

/// The files of one recording.
pub struct RecordingFiles {
    settings: RecordSettings,
    files: FileRotation,
    /// A frame was recorded.
    has_frames: bool,
    run: ArrivalTime,
    part: u32,
    digests: RunDigests,
    recorder: Option<RecordingWriter<BufWriter<File>>>,
    /// The file that is being written, to see whether it is still in its folder.
    file: Option<File>,
    /// Messages until that is looked at again.
    unseen: u32,
}

/// Messages after which a file that was removed is noticed: a second or two of one stream.
const LOOK_EVERY: u32 = 64;

impl RecordingFiles {
    /// Begins its first file.
    pub fn begin(settings: RecordSettings, digests: RunDigests) -> Result<Self, RecordingError> {
        let (files, run, has_frames) = (FileRotation::new(&settings)?, now(), false);
        let (recorder, file, unseen) = (None, None, LOOK_EVERY);
        let mut files = RecordingFiles {
            settings,
            files,
            has_frames,
            run,
            part: 0,
            digests,
            recorder,
            file,
            unseen,
        };
        files.next(run)?;
        Ok(files)
    }

    /// Writes what comes until all senders are gone.
    pub fn write(
        &mut self,
        from: &Receiver<RecordingEntry>,
        spare: &Sender<Vec<u8>>,
        levels: &LevelGauges,
    ) -> Result<(), RecordingError> {
        for entry in from {
            levels.tape.leave();
            let Some(recorder) = &mut self.recorder else { break };
            match entry {
                RecordingEntry::Message { channel, arrival, t, data } => {
                    recorder.message(channel, arrival, t, &data)?;
                    if matches!(channel, RecordingChannel::Landmarks(_)) && !self.has_frames {
                        self.has_frames = true;
                        self.files.prune();
                    }
                    drop(spare.try_send(data));
                    self.unseen -= 1;
                    if self.unseen == 0 {
                        self.unseen = LOOK_EVERY;
                        self.look()?;
                    }
                    let Some(recorder) = &self.recorder else { break };
                    if recorder.bytes() >= self.settings.max_mb * 1_000_000 {
                        self.part += 1;
                        self.next(arrival)?;
                    }
                    levels.recorded.set(self.recorder.as_ref().map_or(0, RecordingWriter::bytes));
                }
                RecordingEntry::Reload(arrival, digests) => {
                    recorder.json(
                        RecordingChannel::Run,
                        arrival,
                        &RunMark::Reload(digests.clone()),
                    )?;
                    self.digests = digests;
                }
            }
        }
        self.recorder.take().map_or(Ok(()), RecordingWriter::finish)
    }

    /// Whether the file is still there: the system goes on writing to one that was removed.
    fn look(&self) -> Result<(), RecordingError> {
        match self.file.as_ref().map(File::metadata).transpose()? {
            Some(file) if file.nlink() == 0 => Err(RecordingError::Removed),
            _ => Ok(()),
        }
    }

    /// Finishes the file there is and begins the next.
    fn next(&mut self, now: ArrivalTime) -> Result<(), RecordingError> {
        if let Some(recorder) = self.recorder.take() {
            recorder.finish()?;
        }
        self.file = None; // its lock goes with it
        let out = self.files.next()?;
        self.file = Some(out.try_clone()?);
        let out = BufWriter::new(out);
        if self.has_frames {
            self.files.prune();
        }
        let mut recorder = RecordingWriter::new(out)?;
        let RecordingFiles { run, part, digests, .. } = self;
        let begin = RunMark::Begin { run: run.0, part: *part, digests: digests.clone() };
        recorder.json(RecordingChannel::Run, now, &begin)?;
        self.recorder = Some(recorder);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use signd_core::frame::SourceTime;
    use signd_core::stream_id;

    #[test]
    fn a_recording_that_is_removed_while_it_is_written_ends_and_says_so() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("run.mcap");
        let settings = RecordSettings { path: path.clone(), max_mb: 1, keep: 3 };
        let digests = RunDigests { model: "m".into(), settings: "s".into() };
        let mut files = RecordingFiles::begin(settings, digests).expect("begins");
        assert!(files.look().is_ok());
        std::fs::remove_file(&path).expect("removes");
        let (to, from) = bounded(LOOK_EVERY as usize);
        let cam = stream_id::parse(b"cam1").expect("valid");
        for i in 0..u64::from(LOOK_EVERY) {
            let (channel, data) = (RecordingChannel::Landmarks(cam), vec![0; 100]);
            let at = ArrivalTime(i);
            to.send(RecordingEntry::Message { channel, arrival: at, t: SourceTime(i), data })
                .expect("sends");
        }
        drop(to);
        let ended = files.write(&from, &bounded(1).0, &LevelGauges::default());
        assert!(matches!(ended, Err(RecordingError::Removed)), "{ended:?}");
    }
}
