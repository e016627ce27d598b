//! Recording a live run: what passes ingest and publish also goes to a thread that writes it.
//!
//! Nobody waits for the disk. When the writer falls behind by more than a thousand messages, or the
//! disk is full, the recording ends there, says so in the log, and the daemon goes on: a recording
//! without gaps that is short is worth more than a long one that replays differently. [`rotation`]
//! says where its files are and what becomes of older ones.

mod files;
pub mod rotation;
mod sender;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::bounded;

use crate::plumbing::counters::DaemonCounters;
use files::RecordingFiles;
use rotation::FileRotation;
use signd_engine::recording::{RecordingError, RunDigests};

pub use rotation::RecordSettings;
pub use sender::RecordingSender;

/// About 7 MB of frames: a second of sixteen streams and their events.
const BEHIND: usize = 1024;

/// Whether a recording can begin as the settings say; touches nothing.
pub fn check(settings: &RecordSettings) -> Result<(), RecordingError> {
    FileRotation::new(settings)?.check()
}

/// Begins to record. The thread ends, the file finished, when every clone of the sender is gone.
pub fn start(
    settings: &RecordSettings,
    digests: RunDigests,
    counters: Arc<DaemonCounters>,
) -> Result<(RecordingSender, Option<JoinHandle<()>>), RecordingError> {
    let (to, from) = bounded(BEHIND);
    let (give, spare) = bounded(BEHIND);
    let mut files = match RecordingFiles::begin(settings.clone(), digests) {
        Ok(files) => files,
        // A path that cannot be is a mistake of the operator; a disk that is full is not.
        Err(RecordingError::Mcap(error)) => {
            tracing::error!("no recording: {error}");
            return Ok((RecordingSender::default(), None));
        }
        Err(error) => return Err(error),
    };
    let shared = Arc::clone(&counters);
    let shown = settings.path.display().to_string();
    let write = move || {
        let levels = &shared.levels;
        levels.recording.store(true, Ordering::Relaxed);
        let ended = files.write(&from, &give, levels);
        levels.recording.store(false, Ordering::Relaxed);
        match ended {
            Ok(()) => tracing::info!("recording {shown} is complete"),
            Err(error) => tracing::error!("recording {shown} ends here: {error}"),
        }
    };
    let writer = Builder::new().name("record".into()).spawn(write)?;
    Ok((RecordingSender::new(to, spare, counters), Some(writer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::frame::{ArrivalTime, SourceTime};
    use signd_core::stream_id;
    use signd_engine::recording::{RecordingChannel, RecordingItem, RunMark, read};

    #[test]
    fn a_full_file_is_followed_by_the_next_and_old_ones_go() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("run.mcap");
        let settings = RecordSettings { path: path.clone(), max_mb: 1, keep: 3 };
        let digests = RunDigests { model: "m".into(), settings: "s".into() };
        let (mut sender, writer) = start(&settings, digests, Arc::default()).expect("begins");
        let cam = stream_id::parse(b"cam1").expect("valid");
        for i in 0..42u64 {
            // 100 kB a message: ten a file, so five files, of which the last three are kept.
            let at = ArrivalTime(i);
            let fill = |data: &mut Vec<u8>| data.resize(100_000, i as u8);
            sender.message(RecordingChannel::Landmarks(cam), at, SourceTime(i), fill);
        }
        drop(sender);
        writer.expect("records").join().expect("ends");
        let mut seen = Vec::new();
        for name in ["run.2.mcap", "run.1.mcap", "run.mcap"] {
            let bytes = std::fs::read(folder.path().join(name)).expect("kept");
            let (mut number, mut frames) = (0, Vec::new());
            read(&bytes, |_, item| {
                match item {
                    RecordingItem::Mark(RunMark::Begin { part, .. }) => number = part,
                    RecordingItem::Frame(_, data) => frames.push(data[0]),
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
