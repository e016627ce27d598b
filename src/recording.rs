//! Recordings: MCAP files of the wire bytes of frames, and of ticks, in the order of arrival.
//!
//! Channel `landmarks/<stream>` holds each frame's message as it came (`log_time` arrival,
//! `publish_time` capture); channel `ticks/<stream>` what the clock decided. MCAP opens in the tools
//! robotics people already use, and a file cut short still yields its whole messages.

use std::collections::{BTreeMap, HashMap};
use std::io::{Seek, Write};

use mcap::records::MessageHeader;
use mcap::{MessageStream, WriteOptions, Writer};

use crate::frame::{Arrival, SourceTime};
use crate::stream::Tick;
use crate::wire::topic::{self, StreamId};

/// Small, because what a chunk holds is lost if the power goes before it is written.
const CHUNK_BYTES: u64 = 128 * 1024;
const FRAMES: &str = "landmarks/";
const TICKS: &str = "ticks/";

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// MCAP's own reason.
    #[error("MCAP: {0}")]
    Mcap(#[from] mcap::McapError),
    /// The file.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A message that is none of ours.
    #[error("channel `{topic}`: {reason}")]
    Content {
        /// The channel.
        topic: String,
        /// What is wrong.
        reason: String,
    },
}

/// One recorded thing.
#[derive(Debug, PartialEq)]
pub enum Item<'a> {
    /// The wire bytes of a frame.
    Frame(&'a [u8]),
    /// What the clock decided.
    Tick(Tick),
}

/// Writes a recording.
pub struct Recorder<W: Write + Seek> {
    writer: Writer<W>,
    channels: HashMap<(&'static str, StreamId), (u16, u32)>,
}

impl<W: Write + Seek> Recorder<W> {
    /// Begins a recording.
    pub fn new(out: W) -> Result<Self, RecordingError> {
        let library = concat!("signd ", env!("CARGO_PKG_VERSION"));
        let options = WriteOptions::new()
            .compression(None)
            .chunk_size(Some(CHUNK_BYTES))
            .profile("")
            .library(library);
        Ok(Recorder { writer: options.create(out)?, channels: HashMap::new() })
    }

    /// Adds a frame as it came over the wire.
    pub fn frame(
        &mut self,
        stream: &StreamId,
        arrival: Arrival,
        t: SourceTime,
        wire: &[u8],
    ) -> Result<(), RecordingError> {
        self.write(FRAMES, "msgpack", stream, arrival, t.0, wire)
    }

    /// Adds a tick.
    pub fn tick(
        &mut self,
        stream: &StreamId,
        arrival: Arrival,
        tick: Tick,
    ) -> Result<(), RecordingError> {
        let json = serde_json::to_vec(&tick).unwrap_or_default();
        self.write(TICKS, "json", stream, arrival, arrival.0, &json)
    }

    /// Ends the recording.
    pub fn finish(mut self) -> Result<(), RecordingError> {
        self.writer.finish()?;
        Ok(self.writer.into_inner().flush()?)
    }

    fn write(
        &mut self,
        kind: &'static str,
        encoding: &str,
        stream: &StreamId,
        arrival: Arrival,
        publish_time: u64,
        data: &[u8],
    ) -> Result<(), RecordingError> {
        let (channel_id, sequence) = match self.channels.get_mut(&(kind, *stream)) {
            Some((id, sequence)) => {
                *sequence = sequence.wrapping_add(1);
                (*id, *sequence)
            }
            None => {
                let topic = format!("{kind}{stream}");
                let id = self.writer.add_channel(0, &topic, encoding, &BTreeMap::new())?;
                self.channels.insert((kind, *stream), (id, 0));
                (id, 0)
            }
        };
        let header = MessageHeader { channel_id, sequence, log_time: arrival.0, publish_time };
        self.writer.write_to_known_channel(&header, data)?;
        Ok(())
    }
}

/// Whether a recording was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was finished properly.
    Whole,
    /// It was cut short; everything before the cut was read.
    Cut,
}

/// Reads a recording, handing each item to `take` in the order of arrival.
pub fn read<E: From<RecordingError>>(
    bytes: &[u8],
    mut take: impl FnMut(StreamId, Arrival, Item<'_>) -> Result<(), E>,
) -> Result<Ending, E> {
    let fail = |error: mcap::McapError| E::from(RecordingError::Mcap(error));
    if !bytes.starts_with(mcap::MAGIC) {
        return Err(fail(mcap::McapError::BadMagic));
    }
    let options = mcap::read::Options::IgnoreEndMagic.into();
    for message in MessageStream::new_with_options(bytes, options).map_err(fail)? {
        let message = match message {
            Ok(message) => message,
            Err(mcap::McapError::UnexpectedEof) => return Ok(Ending::Cut),
            Err(_) if !bytes.ends_with(mcap::MAGIC) => return Ok(Ending::Cut),
            Err(error) => return Err(fail(error)),
        };
        let topic = message.channel.topic.as_str();
        let content =
            |reason: String| E::from(RecordingError::Content { topic: topic.to_owned(), reason });
        let stream = |id: &str| {
            topic::stream_id(id.as_bytes()).ok_or_else(|| content("not a stream id".into()))
        };
        let arrival = Arrival(message.log_time);
        if let Some(id) = topic.strip_prefix(FRAMES) {
            take(stream(id)?, arrival, Item::Frame(&message.data))?;
        } else if let Some(id) = topic.strip_prefix(TICKS) {
            let tick = serde_json::from_slice(&message.data).map_err(|e| content(e.to_string()))?;
            take(stream(id)?, arrival, Item::Tick(tick))?;
        }
    }
    Ok(if bytes.ends_with(mcap::MAGIC) { Ending::Whole } else { Ending::Cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        let mut recorder = Recorder::new(&mut out).expect("begins");
        let cam = topic::stream_id(b"cam1").expect("valid");
        for i in 0..100u64 {
            recorder
                .frame(&cam, Arrival(i * 10), SourceTime(i), &[i as u8; 6000])
                .expect("written");
        }
        recorder.tick(&cam, Arrival(2000), Tick::Stalled).expect("written");
        recorder.finish().expect("finished");
        out.into_inner()
    }

    fn items(bytes: &[u8]) -> (usize, Result<Ending, RecordingError>) {
        let mut count = 0;
        let ending = read(bytes, |_, _, _| {
            count += 1;
            Ok::<_, RecordingError>(())
        });
        (count, ending)
    }

    #[test]
    fn what_was_written_is_read_in_order() {
        let (mut seen, mut ticks) = (Vec::new(), Vec::new());
        let ending = read(&recording(), |stream, arrival, item| {
            assert_eq!(stream.as_str(), "cam1");
            match item {
                Item::Frame(wire) => seen.push((arrival.0, wire[0])),
                Item::Tick(tick) => ticks.push((arrival.0, tick)),
            }
            Ok::<_, RecordingError>(())
        });
        assert!(matches!(ending, Ok(Ending::Whole)));
        assert_eq!(seen, (0..100).map(|i| (i * 10, i as u8)).collect::<Vec<_>>());
        assert_eq!(ticks, [(2000, Tick::Stalled)]);
    }

    #[test]
    fn a_recording_cut_anywhere_yields_what_came_before() {
        let bytes = recording();
        let mut last = 0;
        for cut in (100..bytes.len()).step_by(4999) {
            let (count, ending) = items(&bytes[..cut]);
            assert!(matches!(ending, Ok(Ending::Cut)), "at {cut}: {ending:?}");
            assert!(count >= last, "at {cut}");
            last = count;
        }
        assert!(last > 60, "{last}");
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        assert!(items(b"not an MCAP file at all").1.is_err());
    }
}
