//! Recordings: MCAP files of what came in and what went out, in the order of arrival.
//!
//! | channel | encoding | holds |
//! |---|---|---|
//! | `landmarks/<stream>` | msgpack | each frame let in, as it came (`log_time` arrival, `publish_time` capture) |
//! | `ticks/<stream>` | json | what the clock decided |
//! | `drops/<stream>` | json | a frame that was not let in, and why |
//! | `events/<stream>` | msgpack | each event as published |
//! | `run` | json | which model and settings are at work, at the beginning and at each reload |
//!
//! Frames, ticks and reloads are enough to compute the events again. MCAP opens in the tools
//! robotics people already use, and a file cut short still yields its whole messages.
//!
//! A recording by signd is read in the order of the file, since that is the order in which the
//! daemon decided. Any other is read in the order of its log times.

mod channel;
mod container;
mod contents;
mod kind;
mod losses;
mod read;
#[cfg(test)]
mod read_tests;
mod write;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use channel::RecordingChannel;
pub use container::McapFault;
pub use kind::{RecordingKind, is_recording, kind_of};
pub use losses::{ReadStop, RecordingLosses};
pub use read::{frames, read, refuse};
pub use write::RecordingWriter;

use crate::digest;
use crate::inference::decide::DecideSettings;
use crate::model::ModelCard;
use signd_core::stream::{CoreSettings, Tick};
use signd_core::stream_id::StreamId;

/// Which model and settings the events of a run follow from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDigests {
    /// SHA-256 of the model file, in hexadecimal.
    pub model: String,
    /// SHA-256 of the settings `core` and `decide`, in hexadecimal.
    pub settings: String,
}

impl RunDigests {
    /// What this model and these settings are.
    #[must_use]
    pub fn of(model: &ModelCard, core: &CoreSettings, decide: &DecideSettings) -> Self {
        // Plain numbers, texts and maps: writing them to memory cannot fail.
        let text = serde_json::to_vec(&(core, decide)).unwrap_or_default();
        let settings = digest::sha256(&text);
        RunDigests { model: model.identity.sha256.clone(), settings }
    }
}

/// A message of the channel `run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum RunMark {
    /// The file begins.
    Begin {
        /// When the run began, ns since the Unix epoch: the same in all parts of one recording.
        run: u64,
        /// Number of the file in the recording, from 0.
        part: u32,
        /// At work from here on.
        #[serde(flatten)]
        digests: RunDigests,
    },
    /// Configuration and model were read again.
    Reload(RunDigests),
}

/// One recorded thing.
#[derive(Debug, PartialEq)]
pub enum RecordingItem<'a> {
    /// The wire bytes of a frame.
    Frame(StreamId, &'a [u8]),
    /// What the clock decided.
    Tick(StreamId, Tick),
    /// The bytes of an event, MessagePack.
    Event(StreamId, &'a [u8]),
    /// Model and settings at work from here on.
    Mark(RunMark),
}

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// MCAP's own reason not to write.
    #[error("MCAP: {0}")]
    Mcap(#[from] mcap::McapError),
    /// The file.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// Another kind of file; what it is.
    #[error("expected a recording (MCAP), found {0}")]
    NoRecording(String),
    /// It ends, or is damaged, before the first frame.
    #[error("no frame can be read: {0}")]
    Unusable(ReadStop),
    /// None of its topics are signd's; which there are.
    #[error("no landmarks in it: expected topics `landmarks/STREAM`, found {0}")]
    NoLandmarks(String),
    /// The topics are there.
    #[error("no frame in it: its `landmarks/` topics hold no message")]
    NoFrames,
    /// A file that signd may not replace is where a recording is to be.
    #[error(
        "{path}: expected nothing there or a recording of signd's, found {found}; choose another name \
         or remove it first"
    )]
    InTheWay {
        /// Its place.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// Another process holds the file.
    #[error("{0}: another signd is recording there; choose another name or stop that one")]
    Busy(PathBuf),
    /// The file that is being written is no longer in its folder.
    #[error("the file was removed while it was being written")]
    Removed,
    /// Every frame was refused.
    #[error("no frame of it can be used: {}", .0.to_string().replace('\n', "; "))]
    NothingLeft(RecordingLosses),
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::frame::{ArrivalTime, SourceTime};
    use signd_core::stream_id;

    fn recording() -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        let mut recorder = RecordingWriter::new(&mut out).expect("begins");
        let cam = stream_id::parse(b"cam1").expect("valid");
        for i in 0..100u64 {
            recorder
                .frame(&cam, ArrivalTime(i * 10), SourceTime(i), &[i as u8; 6000])
                .expect("written");
        }
        recorder
            .json(RecordingChannel::Ticks(cam), ArrivalTime(2000), &Tick::Stalled)
            .expect("written");
        recorder.finish().expect("finished");
        out.into_inner()
    }

    fn items(bytes: &[u8]) -> (usize, Result<RecordingLosses, RecordingError>) {
        let mut count = 0;
        let ending = read(bytes, |_, _| {
            count += 1;
            Ok::<_, RecordingError>(())
        });
        (count, ending)
    }

    #[test]
    fn what_was_written_is_read_in_order() {
        let (mut seen, mut ticks) = (Vec::new(), Vec::new());
        let ending = read(&recording(), |arrival, item| {
            match item {
                RecordingItem::Frame(_, wire) => seen.push((arrival.0, wire[0])),
                RecordingItem::Tick(stream, tick) => {
                    ticks.push((arrival.0, stream.as_str().to_owned(), tick));
                }
                other => panic!("{other:?}"),
            }
            Ok::<_, RecordingError>(())
        });
        assert_eq!(ending.expect("reads"), RecordingLosses::default());
        assert_eq!(seen, (0..100).map(|i| (i * 10, i as u8)).collect::<Vec<_>>());
        assert_eq!(ticks, [(2000, "cam1".to_owned(), Tick::Stalled)]);
    }

    #[test]
    fn a_recording_cut_anywhere_yields_what_came_before() {
        let bytes = recording();
        let mut last = 0;
        let first = bytes.windows(5).position(|w| w == b"cam1\x07").map_or(7000, |at| at + 7000);
        for cut in (first..bytes.len()).step_by(4999) {
            let (count, ending) = items(&bytes[..cut]);
            let stop = ending.expect("reads").stop.expect("cut");
            assert_eq!(stop.fault, McapFault::Cut, "at {cut}");
            assert!(count >= last, "at {cut}");
            last = count;
        }
        assert!(last > 60, "{last}");
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        assert!(items(b"not an MCAP file at all").1.is_err());
    }

    #[test]
    fn marks_as_documented() {
        let digests = RunDigests { model: "ab".into(), settings: "cd".into() };
        let begin = RunMark::Begin { run: 7, part: 0, digests: digests.clone() };
        let text = serde_json::to_string(&begin).expect("JSON");
        assert_eq!(text, r#"{"mark":"begin","run":7,"part":0,"model":"ab","settings":"cd"}"#);
        assert_eq!(serde_json::from_str::<RunMark>(&text).expect("mark"), begin);
        let text = serde_json::to_string(&RunMark::Reload(digests)).expect("JSON");
        assert_eq!(text, r#"{"mark":"reload","model":"ab","settings":"cd"}"#);
    }
}
