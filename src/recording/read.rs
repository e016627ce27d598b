//! Reading a recording.

use mcap::MessageStream;

use super::{Item, RecordingError};
use crate::frame::{Arrival, Frame};
use crate::wire::landmarks;
use crate::wire::topic::{self, StreamId};

pub(super) const LANDMARKS: &str = "landmarks/";
pub(super) const TICKS: &str = "ticks/";
pub(super) const DROPS: &str = "drops/";
pub(super) const EVENTS: &str = "events/";
pub(super) const RUN: &str = "run";

/// Whether a recording was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was finished properly.
    Whole,
    /// It was cut short; everything before the cut was read.
    Cut,
}

/// Reads a recording, handing each item to `take` in the order of arrival. Other channels, and
/// marks of dropped frames, are passed over.
pub fn read<E: From<RecordingError>>(
    bytes: &[u8],
    mut take: impl FnMut(Arrival, Item<'_>) -> Result<(), E>,
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
        if let Some(item) = item(&message.channel.topic, &message.data)? {
            take(Arrival(message.log_time), item)?;
        }
    }
    Ok(if bytes.ends_with(mcap::MAGIC) { Ending::Whole } else { Ending::Cut })
}

/// All frames of a recording with their streams, in the order of arrival.
pub fn frames(bytes: &[u8]) -> Result<(Vec<(StreamId, Frame)>, Ending), RecordingError> {
    let mut frames = Vec::new();
    let ending = read(bytes, |_, item| {
        if let Item::Frame(stream, wire) = item {
            let mut frame = Frame::default();
            let content = |reason: landmarks::Refusal| RecordingError::Content {
                topic: format!("{LANDMARKS}{stream}"),
                reason: reason.to_string(),
            };
            landmarks::decode(wire).and_then(|wire| wire.fill(&mut frame)).map_err(content)?;
            frames.push((stream, frame));
        }
        Ok::<_, RecordingError>(())
    })?;
    Ok((frames, ending))
}

fn item<'a>(topic: &str, data: &'a [u8]) -> Result<Option<Item<'a>>, RecordingError> {
    let content = |reason: String| RecordingError::Content { topic: topic.to_owned(), reason };
    let stream =
        |id: &str| topic::stream_id(id.as_bytes()).ok_or_else(|| content("not a stream id".into()));
    let json = |error: serde_json::Error| content(error.to_string());
    Ok(if let Some(id) = topic.strip_prefix(LANDMARKS) {
        Some(Item::Frame(stream(id)?, data))
    } else if let Some(id) = topic.strip_prefix(TICKS) {
        Some(Item::Tick(stream(id)?, serde_json::from_slice(data).map_err(json)?))
    } else if let Some(id) = topic.strip_prefix(EVENTS) {
        Some(Item::Event(stream(id)?, data))
    } else if topic == RUN {
        Some(Item::Mark(serde_json::from_slice(data).map_err(json)?))
    } else {
        None
    })
}
