//! Writing a recording.

use std::collections::{BTreeMap, HashMap};
use std::io::{Seek, Write};

use mcap::records::MessageHeader;
use mcap::{WriteOptions, Writer};
use serde::Serialize;

use super::{RecordingChannel, RecordingError};
use signd_core::frame::{ArrivalTime, SourceTime};
use signd_core::stream_id::StreamId;

/// Small, because what a chunk holds is lost if the power goes before it is written.
const CHUNK_BYTES: u64 = 128 * 1024;

/// Writes a recording.
pub struct RecordingWriter<W: Write + Seek> {
    writer: Writer<W>,
    /// Number of each channel and of its last message.
    channels: HashMap<RecordingChannel, (u16, u32)>,
    bytes: u64,
}

impl<W: Write + Seek> RecordingWriter<W> {
    /// Begins a recording.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn new(out: W) -> Result<Self, RecordingError> {
        let library = concat!("signd ", env!("CARGO_PKG_VERSION"));
        let options = WriteOptions::new()
            .compression(None)
            .chunk_size(Some(CHUNK_BYTES))
            .profile("")
            .library(library);
        Ok(RecordingWriter { writer: options.create(out)?, channels: HashMap::new(), bytes: 0 })
    }

    /// Adds a frame as it came over the wire.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn frame(
        &mut self,
        stream: &StreamId,
        arrival: ArrivalTime,
        t: SourceTime,
        wire: &[u8],
    ) -> Result<(), RecordingError> {
        self.message(RecordingChannel::Landmarks(*stream), arrival, t, wire)
    }

    /// Adds a value as JSON.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn json(
        &mut self,
        channel: RecordingChannel,
        arrival: ArrivalTime,
        value: &impl Serialize,
    ) -> Result<(), RecordingError> {
        let text = serde_json::to_vec(value).map_err(std::io::Error::from)?;
        self.message(channel, arrival, SourceTime(arrival.0), &text)
    }

    /// Adds a message; `t` becomes its MCAP `publish_time`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn message(
        &mut self,
        channel: RecordingChannel,
        arrival: ArrivalTime,
        t: SourceTime,
        data: &[u8],
    ) -> Result<(), RecordingError> {
        let (channel_id, sequence) = match self.channels.get_mut(&channel) {
            Some((id, sequence)) => {
                *sequence = sequence.wrapping_add(1);
                (*id, *sequence)
            }
            None => {
                let topic = channel.topic();
                let id =
                    self.writer.add_channel(0, &topic, channel.encoding(), &BTreeMap::new())?;
                self.channels.insert(channel, (id, 0));
                (id, 0)
            }
        };
        let header = MessageHeader { channel_id, sequence, log_time: arrival.0, publish_time: t.0 };
        self.writer.write_to_known_channel(&header, data)?;
        self.bytes += data.len() as u64;
        Ok(())
    }

    /// Bytes of messages written so far; the file is a few percent longer.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the recording.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), RecordingError> {
        self.writer.finish()?;
        Ok(self.writer.into_inner().flush()?)
    }
}
