//! Reading a recording.

use serde::de::{DeserializeOwned, IgnoredAny};

use super::channel::{EVENTS, LANDMARKS, RUN, TICKS};
use super::contents::McapContents;
use super::losses::RecordingLosses;
use super::{RecordingError, RecordingItem, RunMark};
use crate::file_kind;
use signd_core::drop_reason::DropReason;
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::landmarks;

/// Most topics that an error lists.
const MOST_TOPICS: usize = 10;

/// Reads a recording, handing each item to `take` in the order of arrival, and tells what of it
/// could not be read. Other channels, and marks of dropped frames, are passed over.
///
/// # Errors
///
/// When the file is no recording or no frame can be had from it, and whatever `take` returns.
pub fn read<E: From<RecordingError>>(
    bytes: &[u8],
    mut take: impl FnMut(ArrivalTime, RecordingItem<'_>) -> Result<(), E>,
) -> Result<RecordingLosses, E> {
    let mut contents = open(bytes)?;
    let mut losses =
        RecordingLosses::new(contents.stop.take(), std::mem::take(&mut contents.notes));
    for message in &contents.messages {
        let Some(channel) = contents.channels.get(message.channel) else { continue };
        match item(&channel.topic, &channel.message_encoding, &message.data) {
            Ok(Some(item)) => take(ArrivalTime(message.log_time), item)?,
            Ok(None) => {}
            Err((reason, first)) => losses.count(reason, first),
        }
    }
    Ok(losses)
}

/// All frames of a recording with their streams, in the order of arrival, and what of it could not
/// be read.
///
/// # Errors
///
/// When the file is no recording, or no frame of it can be used.
pub fn frames(bytes: &[u8]) -> Result<(Vec<(StreamId, Frame)>, RecordingLosses), RecordingError> {
    let (mut frames, mut refused) = (Vec::new(), RecordingLosses::default());
    let mut losses = read(bytes, |_, item| {
        if let RecordingItem::Frame(stream, wire) = item {
            let mut frame = Frame::default();
            match landmarks::read(wire, &mut frame) {
                Ok(()) => frames.push((stream, frame)),
                Err(refusal) => refuse(&mut refused, &stream, &refusal),
            }
        }
        Ok::<_, RecordingError>(())
    })?;
    losses.extend(refused);
    match frames.is_empty() {
        true => Err(RecordingError::NothingLeft(losses)),
        false => Ok((frames, losses)),
    }
}

/// Counts a frame that the wire's rules refuse.
pub fn refuse(losses: &mut RecordingLosses, stream: &StreamId, refusal: &landmarks::DecodeError) {
    let reason = DropReason::from(refusal).name();
    losses.count(format!("frames of stream {stream} refused as `{reason}`"), refusal);
}

fn open(bytes: &[u8]) -> Result<McapContents<'_>, RecordingError> {
    if !bytes.starts_with(mcap::MAGIC) {
        let head = bytes.get(..file_kind::HEAD).unwrap_or(bytes);
        return Err(RecordingError::NoRecording(file_kind::describe(head)));
    }
    let contents = McapContents::read(bytes);
    let topic = |channel: usize| contents.channels.get(channel).map(|c| c.topic.as_str());
    let is_used = |topic: Option<&str>| topic.is_some_and(|topic| topic.starts_with(LANDMARKS));
    if contents.messages.iter().any(|m| is_used(topic(m.channel))) || continues(&contents) {
        return Ok(contents);
    }
    if let Some(stop) = contents.stop {
        return Err(RecordingError::Unusable(stop));
    }
    if contents.channels.iter().any(|channel| is_used(Some(&channel.topic))) {
        return Err(RecordingError::NoFrames);
    }
    let topics: Vec<String> = contents
        .channels
        .iter()
        .take(MOST_TOPICS)
        .map(|channel| format!("`{}`", channel.topic.escape_debug()))
        .collect();
    let found = match contents.channels.len() {
        0 => "no topic".into(),
        count if count > MOST_TOPICS => format!("{} and others", topics.join(", ")),
        _ => topics.join(", "),
    };
    Err(RecordingError::NoLandmarks(found))
}

/// Whether this is a later part of a recording, which may be what came after the last frame.
fn continues(contents: &McapContents<'_>) -> bool {
    let first = contents.messages.first();
    let mark = first.and_then(|message| {
        let channel = contents.channels.get(message.channel)?;
        let ours = channel.topic == RUN;
        ours.then(|| serde_json::from_slice(&message.data).ok()).flatten()
    });
    matches!(mark, Some(RunMark::Begin { part, .. }) if part > 0)
}

/// What is wrong with a kind of message, and with this one.
type Wrong = (String, String);

fn item<'a>(
    topic: &str,
    encoding: &str,
    data: &'a [u8],
) -> Result<Option<RecordingItem<'a>>, Wrong> {
    let stream = |id: &str| {
        let wrong = || (format!("messages of `{topic}`, which names no stream id"), String::new());
        stream_id::parse(id.as_bytes()).ok_or_else(wrong)
    };
    Ok(if let Some(id) = topic.strip_prefix(LANDMARKS) {
        // Where nothing is named, the content decides.
        if !matches!(encoding, "msgpack" | "") {
            let reason = format!("messages of `{topic}` in `{encoding}` (expected `msgpack`)");
            return Err((reason, String::new()));
        }
        Some(RecordingItem::Frame(stream(id)?, data))
    } else if let Some(id) = topic.strip_prefix(TICKS) {
        Some(RecordingItem::Tick(stream(id)?, json(topic, data)?))
    } else if let Some(id) = topic.strip_prefix(EVENTS) {
        let event = rmp_serde::from_slice::<IgnoredAny>(data);
        event.map_err(|error| unreadable(topic, &error))?;
        Some(RecordingItem::Event(stream(id)?, data))
    } else if topic == RUN {
        Some(RecordingItem::Mark(json(topic, data)?))
    } else {
        None
    })
}

fn json<T: DeserializeOwned>(topic: &str, data: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(data).map_err(|error| unreadable(topic, &error))
}

fn unreadable(topic: &str, error: &dyn std::error::Error) -> Wrong {
    (format!("messages of `{topic}` that cannot be read"), error.to_string())
}
