//! Recording a live run: what passes ingest and publish also goes to a thread that writes it.
//!
//! Nobody waits for the disk. When the writer falls behind by more than [`BEHIND`] messages, or the
//! disk is full, the recording ends there, says so in the log, and the daemon goes on: a recording
//! without gaps that is short is worth more than a long one that replays differently. [`super::rotation`]
//! says where its files are and what becomes of older ones.

use std::fs::File;
use std::io::BufWriter;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::counters::{Counters, Levels};
use super::now;
use super::rotation::Rotation;
use signd_core::frame::{Arrival, SourceTime};
use signd_engine::recording::{Channel, Loaded, Mark, Recorder, RecordingError};

/// About 7 MB of frames: a second of sixteen streams and their events.
const BEHIND: usize = 1024;

/// Settings of recordings; `conf/signd.toml` documents each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSettings {
    /// The file; empty: do not record.
    pub path: PathBuf,
    /// Size at which a file is finished and the next begun, MB.
    pub max_mb: u64,
    /// Files kept, the one being written included.
    pub keep: u32,
}

enum Taken {
    Message { channel: Channel, arrival: Arrival, t: SourceTime, data: Vec<u8> },
    Reload(Arrival, Loaded),
}

/// A stage's end of the recording.
#[derive(Clone)]
pub struct Tape(Option<Feed>);

#[derive(Clone)]
struct Feed {
    to: Sender<Taken>,
    /// Written buffers on their way back.
    spare: Receiver<Vec<u8>>,
    stopped: Arc<AtomicBool>,
    counters: Arc<Counters>,
}

impl Tape {
    /// Adds a message that `fill` writes into an empty buffer.
    pub fn message(
        &mut self,
        channel: Channel,
        arrival: Arrival,
        t: SourceTime,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(feed) = &self.0 else { return };
        let mut data = feed.spare.try_recv().unwrap_or_default();
        data.clear();
        fill(&mut data);
        self.put(Taken::Message { channel, arrival, t, data });
    }

    /// Adds a value as JSON.
    pub fn json(&mut self, channel: Channel, arrival: Arrival, value: &impl Serialize) {
        self.message(channel, arrival, SourceTime(arrival.0), |data| {
            // Our own small values: writing them to memory cannot fail.
            drop(serde_json::to_writer(data, value));
        });
    }

    /// Configuration and model were read again.
    pub fn reload(&mut self, arrival: Arrival, loaded: &Loaded) {
        self.put(Taken::Reload(arrival, loaded.clone()));
    }

    fn put(&mut self, taken: Taken) {
        let Some(feed) = &self.0 else { return };
        // What one stage could not add must not be followed by what another can.
        if feed.stopped.load(Ordering::Acquire) {
            self.0 = None;
            return;
        }
        feed.counters.levels.tape.enter();
        if feed.to.try_send(taken).is_err() {
            feed.counters.levels.tape.leave();
            feed.stopped.store(true, Ordering::Release);
            tracing::error!("the recording stopped: its writer is behind or the disk is full");
            self.0 = None;
        }
    }
}

/// Whether a recording can begin as the settings say; touches nothing.
pub fn check(settings: &RecordSettings) -> Result<(), RecordingError> {
    match settings.path.as_os_str().is_empty() {
        true => Ok(()),
        false => Rotation::new(settings)?.check(),
    }
}

/// Begins to record. The thread ends, the file finished, when every clone of the tape is gone.
pub fn start(
    settings: &RecordSettings,
    loaded: Loaded,
    counters: Arc<Counters>,
) -> Result<(Tape, Option<JoinHandle<()>>), RecordingError> {
    if settings.path.as_os_str().is_empty() {
        return Ok((Tape(None), None));
    }
    let (to, from) = bounded(BEHIND);
    let (give, spare) = bounded(BEHIND);
    let mut reel = match Reel::begin(settings.clone(), loaded) {
        Ok(reel) => reel,
        // A path that cannot be is a mistake of the operator; a disk that is full is not.
        Err(RecordingError::Mcap(error)) => {
            tracing::error!("no recording: {error}");
            return Ok((Tape(None), None));
        }
        Err(error) => return Err(error),
    };
    let shared = Arc::clone(&counters);
    let write = move || {
        let shown = reel.settings.path.display().to_string();
        let levels = &shared.levels;
        levels.recording.store(true, Ordering::Relaxed);
        let ended = reel.write(&from, &give, levels);
        levels.recording.store(false, Ordering::Relaxed);
        match ended {
            Ok(()) => tracing::info!("recording {shown} is complete"),
            Err(error) => tracing::error!("recording {shown} ends here: {error}"),
        }
    };
    let writer = Builder::new().name("record".into()).spawn(write)?;
    let feed = Feed { to, spare, stopped: Arc::default(), counters };
    Ok((Tape(Some(feed)), Some(writer)))
}

/// The files of one recording.
struct Reel {
    settings: RecordSettings,
    files: Rotation,
    /// A frame was recorded.
    has_frames: bool,
    run: Arrival,
    part: u32,
    loaded: Loaded,
    recorder: Option<Recorder<BufWriter<File>>>,
    /// The file that is being written, to see whether it is still in its folder.
    file: Option<File>,
    /// Messages until that is looked at again.
    unseen: u32,
}

/// Messages after which a file that was removed is noticed: a second or two of one stream.
const LOOK_EVERY: u32 = 64;

impl Reel {
    fn begin(settings: RecordSettings, loaded: Loaded) -> Result<Self, RecordingError> {
        let (files, run, has_frames) = (Rotation::new(&settings)?, now(), false);
        let (recorder, file, unseen) = (None, None, LOOK_EVERY);
        let mut reel =
            Reel { settings, files, has_frames, run, part: 0, loaded, recorder, file, unseen };
        reel.next(run)?;
        Ok(reel)
    }

    fn write(
        &mut self,
        from: &Receiver<Taken>,
        spare: &Sender<Vec<u8>>,
        levels: &Levels,
    ) -> Result<(), RecordingError> {
        for taken in from {
            levels.tape.leave();
            let Some(recorder) = &mut self.recorder else { break };
            match taken {
                Taken::Message { channel, arrival, t, data } => {
                    recorder.message(channel, arrival, t, &data)?;
                    if matches!(channel, Channel::Landmarks(_)) && !self.has_frames {
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
                    levels.recorded.set(self.recorder.as_ref().map_or(0, Recorder::bytes));
                }
                Taken::Reload(arrival, loaded) => {
                    recorder.json(Channel::Run, arrival, &Mark::Reload(loaded.clone()))?;
                    self.loaded = loaded;
                }
            }
        }
        self.recorder.take().map_or(Ok(()), Recorder::finish)
    }

    /// Whether the file is still there: the system goes on writing to one that was removed.
    fn look(&self) -> Result<(), RecordingError> {
        match self.file.as_ref().map(File::metadata).transpose()? {
            Some(file) if file.nlink() == 0 => Err(RecordingError::Removed),
            _ => Ok(()),
        }
    }

    /// Finishes the file there is and begins the next.
    fn next(&mut self, now: Arrival) -> Result<(), RecordingError> {
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
        let mut recorder = Recorder::new(out)?;
        let Reel { run, part, loaded, .. } = self;
        let begin = Mark::Begin { run: run.0, part: *part, loaded: loaded.clone() };
        recorder.json(Channel::Run, now, &begin)?;
        self.recorder = Some(recorder);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::stream_id;
    use signd_engine::recording::{Item, read};

    #[test]
    fn a_recording_that_is_removed_while_it_is_written_ends_and_says_so() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("run.mcap");
        let settings = RecordSettings { path: path.clone(), max_mb: 1, keep: 3 };
        let loaded = Loaded { model: "m".into(), settings: "s".into() };
        let mut reel = Reel::begin(settings, loaded).expect("begins");
        assert!(reel.look().is_ok());
        std::fs::remove_file(&path).expect("removes");
        let (to, from) = bounded(BEHIND);
        let cam = stream_id::parse(b"cam1").expect("valid");
        for i in 0..u64::from(LOOK_EVERY) {
            let (channel, data) = (Channel::Landmarks(cam), vec![0; 100]);
            let at = Arrival(i);
            to.send(Taken::Message { channel, arrival: at, t: SourceTime(i), data })
                .expect("sends");
        }
        drop(to);
        let ended = reel.write(&from, &bounded(1).0, &Levels::default());
        assert!(matches!(ended, Err(RecordingError::Removed)), "{ended:?}");
    }

    #[test]
    fn a_full_file_is_followed_by_the_next_and_old_ones_go() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("run.mcap");
        let settings = RecordSettings { path: path.clone(), max_mb: 1, keep: 3 };
        let loaded = Loaded { model: "m".into(), settings: "s".into() };
        let (mut tape, writer) = start(&settings, loaded, Arc::default()).expect("begins");
        let cam = stream_id::parse(b"cam1").expect("valid");
        for i in 0..42u64 {
            // 100 kB a message: ten a file, so five files, of which the last three are kept.
            let at = Arrival(i);
            let fill = |data: &mut Vec<u8>| data.resize(100_000, i as u8);
            tape.message(Channel::Landmarks(cam), at, SourceTime(i), fill);
        }
        drop(tape);
        writer.expect("records").join().expect("ends");
        let mut seen = Vec::new();
        for name in ["run.2.mcap", "run.1.mcap", "run.mcap"] {
            let bytes = std::fs::read(folder.path().join(name)).expect("kept");
            let (mut number, mut frames) = (0, Vec::new());
            read(&bytes, |_, item| {
                match item {
                    Item::Mark(Mark::Begin { part, .. }) => number = part,
                    Item::Frame(_, data) => frames.push(data[0]),
                    other => panic!("{other:?}"),
                }
                Ok::<_, RecordingError>(())
            })
            .expect("reads");
            seen.push((number, frames[0], frames.len()));
        }
        assert_eq!(seen, [(2, 20, 10), (3, 30, 10), (4, 40, 2)]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 3);
    }
}
