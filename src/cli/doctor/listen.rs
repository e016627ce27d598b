//! Waiting for frames: at the daemon's own endpoints while it does not run, else in its events.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::streams::{Seen, Streams};
use crate::config::Settings;
use crate::endpoint::SocketEndpoint;
use crate::frame::Part;
use crate::ingest;
use crate::keys::guard::Guard;
use crate::keys::zap::Zap;
use crate::run::now;
use crate::wire::{landmarks, topic};

/// Takes the frames that arrive in this time where the daemon would take them. What is no frame is
/// counted, and the first reason told.
pub fn instead_of_the_daemon(
    settings: &Settings,
    guard: &Guard,
    time: Duration,
) -> io::Result<(Streams, Option<String>)> {
    let mut files = Vec::new(); // removed after the context has closed its sockets
    let context = zmq::Context::new();
    let clients = &settings.keys.clients;
    // Whom the daemon would not let in is not let in here.
    let present = Arc::new(Mutex::new(clients.clone()));
    let _zap = match guard.has_key() {
        true => Some(Zap::start(&context, present, |_, _, _| {})?),
        false => None,
    };
    let mut sockets = Vec::new();
    for input in &settings.ingest {
        let opened = ingest::open(input, &context, guard, clients).map_err(io::Error::other)?;
        files.push(opened.file);
        sockets.push(opened.socket);
    }
    let (mut streams, mut refused) = (Streams::default(), None);
    each(&sockets, time, |parts| {
        let (id, body) = match parts {
            [id, body] => (topic::stream_id(id), landmarks::decode(body)),
            _ => return,
        };
        match (id, body) {
            (Some(id), Ok(wire)) => {
                let mut frame = crate::frame::Frame::default();
                if let Err(refusal) = wire.fill(&mut frame) {
                    refused.get_or_insert(refusal.to_string());
                    return;
                }
                let hand = [Part::LeftHand, Part::RightHand].map(|part| frame.part(part).is_some());
                let (seq, t, arrival) = (frame.seq, frame.t.0, now().0);
                let hand = hand.contains(&true);
                streams.push(id.as_str(), Seen { seq, t, arrival, hand, skipped: false });
            }
            (None, _) => drop(refused.get_or_insert("part 1 is no stream id".into())),
            (_, Err(refusal)) => drop(refused.get_or_insert(refusal.to_string())),
        }
    })?;
    Ok((streams, refused))
}

/// Takes what a running daemon says of the frames it gets in this time.
pub fn to_the_daemon(endpoint: &SocketEndpoint, time: Duration) -> io::Result<Streams> {
    let context = zmq::Context::new();
    let socket = context.socket(zmq::SUB)?;
    socket.set_linger(0)?;
    socket.set_subscribe(b"frame/")?;
    endpoint.from_here().connect(&socket).map_err(io::Error::other)?;
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
