//! Waiting for frames: at the daemon's own endpoints while it does not run, else in its events.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::refused::RefusedFrames;
use super::streams::{Seen, Streams};
use crate::config::Settings;
use crate::frame::{Frame, Part};
use crate::ingest;
use crate::keys::guard::Guard;
use crate::keys::zap::Zap;
use crate::run::counters::Dropped;
use crate::run::now;
use crate::wire::topic::StreamId;
use crate::wire::{landmarks, topic};

/// Takes the frames that arrive in this time where the daemon would take them. What is no frame is
/// counted by reason.
pub fn instead_of_the_daemon(
    settings: &Settings,
    guard: &Guard,
    time: Duration,
) -> io::Result<(Streams, Vec<RefusedFrames>)> {
    let context = zmq::Context::new();
    let clients = &settings.keys.clients;
    // Whom the daemon would not let in is not let in here.
    let present = Arc::new(Mutex::new(clients.clone()));
    let _zap = match guard.has_key() {
        true => Some(Zap::start(&context, present, |_, _, _| {})?),
        false => None,
    };
    let mut sockets = Vec::new();
    for input in settings.inputs().unwrap_or_default() {
        sockets.push(input.open(&context, guard, clients)?.0);
    }
    let (mut streams, mut refused) = (Streams::default(), BTreeMap::new());
    let mut accepted: BTreeMap<String, u64> = BTreeMap::new();
    each(&sockets, time, |parts| match take(parts) {
        Ok((id, seen)) => {
            *accepted.entry(id.as_str().to_owned()).or_default() += 1;
            streams.push(id.as_str(), seen);
        }
        Err((reason, stream, why)) => {
            let stream = stream.map(|stream| stream.as_str().to_owned());
            let frames: &mut RefusedFrames =
                refused.entry((stream.clone(), reason.name())).or_default();
            *frames = RefusedFrames {
                reason: reason.name().into(),
                count: frames.count + 1,
                stream,
                why,
                accepted: 0,
            };
        }
    })?;
    let mut refused: Vec<RefusedFrames> = refused.into_values().collect();
    for frames in &mut refused {
        frames.accepted =
            frames.stream.as_ref().and_then(|id| accepted.get(id)).copied().unwrap_or(0);
    }
    Ok((streams, refused))
}

/// A message as ingest would take it, or why it would not.
fn take(parts: &[Vec<u8>]) -> Result<(StreamId, Seen), (Dropped, Option<StreamId>, String)> {
    let [id, body] = parts else {
        return Err((Dropped::Parts, None, ingest::wrong_parts(parts.len())));
    };
    let Some(stream) = topic::stream_id(id) else {
        return Err((Dropped::StreamId, None, ingest::no_stream_id(id)));
    };
    let mut frame = Frame::default();
    if let Err(refusal) = landmarks::decode(body).and_then(|wire| wire.fill(&mut frame)) {
        return Err((ingest::reason(&refusal), Some(stream), refusal.to_string()));
    }
    let has = |part| frame.part(part).is_some();
    let seen = Seen {
        seq: frame.seq,
        t: frame.t.0,
        arrival: now().0,
        hand: has(Part::LeftHand) || has(Part::RightHand),
        body: Some(has(Part::Pose)),
        skipped: false,
    };
    Ok((stream, seen))
}

/// Takes what a running daemon says of the frames it gets in this time.
pub fn to_the_daemon(endpoint: &str, time: Duration) -> io::Result<Streams> {
    let context = zmq::Context::new();
    let socket = context.socket(zmq::SUB)?;
    socket.set_linger(0)?;
    socket.set_subscribe(b"frame/")?;
    socket
        .connect(&endpoint.replace("://*", "://127.0.0.1").replace("://0.0.0.0", "://127.0.0.1"))?;
    let mut streams = Streams::default();
    each(&[socket], time, |parts| {
        let body = parts.last().map_or(&[][..], Vec::as_slice);
        let event: Option<Value> = match body.first() {
            Some(b'{') => serde_json::from_slice(body).ok(),
            _ => rmp_serde::from_slice(body).ok(),
        };
        let Some(event) = event else { return };
        let number = |key: &str| event[key].as_u64().unwrap_or(0);
        let latency = number("latency_us") * 1000;
        let seen = Seen {
            seq: number("seq"),
            t: number("t"),
            arrival: now().0.saturating_sub(latency),
            hand: !event["hand"].is_null(),
            body: None,
            skipped: event["top_seq"] != event["seq"],
        };
        streams.push(event["stream"].as_str().unwrap_or("?"), seen);
    })?;
    Ok(streams)
}

/// Hands over every message that arrives in this time.
fn each(
    sockets: &[zmq::Socket],
    time: Duration,
    mut take: impl FnMut(&[Vec<u8>]),
) -> io::Result<()> {
    let end = Instant::now() + time;
    let mut items: Vec<_> = sockets.iter().map(|s| s.as_poll_item(zmq::POLLIN)).collect();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        match zmq::poll(&mut items, left.as_millis() as i64 + 1) {
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        for (socket, item) in sockets.iter().zip(&items) {
            if item.is_readable()
                && let Ok(parts) = socket.recv_multipart(zmq::DONTWAIT)
            {
                take(&parts);
            }
        }
    }
}
