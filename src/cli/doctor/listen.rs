//! Waiting for frames: at the daemon's own endpoints while it does not run, else in its events.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::refusals::RefusedFrames;
use super::streams::{HeardFrame, HeardStreams};
use signd::config::Settings;
use signd::endpoint::SocketEndpoint;
use signd::ingest;
use signd::keys::policy::KeyPolicy;
use signd::keys::zap::ZapHandler;
use signd::observe::status::DoubtStatus;
use signd::plumbing::now;
use signd::socket::{SocketContext, SocketKind, SocketPoll, ZmqSocket};
use signd_core::drop_reason::DropReason;
use signd_core::frame::{ArrivalTime, BodyPart, Frame};
use signd_core::plausibility::{DoubtThreshold, InputJudge};
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::landmarks;

/// What arrived in the place of a daemon.
pub struct HeardFrames {
    /// Frames as the daemon would accept them.
    pub streams: HeardStreams,
    /// Frames that it would refuse.
    pub refused: Vec<RefusedFrames>,
    /// Streams whose landmarks or times are doubtful.
    pub doubts: Vec<(StreamId, DoubtStatus)>,
}

/// Takes the frames that arrive in this time where the daemon would take them. What is no frame is
/// counted by reason.
pub fn instead_of_the_daemon(
    settings: &Settings,
    policy: &KeyPolicy,
    time: Duration,
) -> io::Result<HeardFrames> {
    let mut files = Vec::new(); // removed after the context has closed its sockets
    let context = SocketContext::default();
    let clients = &settings.keys.clients;
    // Whom the daemon would not let in is not let in here.
    let present = Arc::new(Mutex::new(clients.clone()));
    let _zap = match policy.has_key() {
        true => Some(ZapHandler::start(&context, present, |_, _, _| {})?),
        false => None,
    };
    let mut sockets = Vec::new();
    for input in &settings.ingest.inputs {
        let opened = ingest::open(input, &context, policy, clients).map_err(io::Error::other)?;
        files.push(opened.file);
        sockets.push(opened.socket);
    }
    let (mut streams, mut refused) = (HeardStreams::default(), BTreeMap::new());
    let mut accepted: BTreeMap<String, u64> = BTreeMap::new();
    let mut judges: BTreeMap<StreamId, InputJudge> = BTreeMap::new();
    each(&sockets, time, |parts| match take(parts) {
        Ok((id, frame, arrival)) => {
            *accepted.entry(id.as_str().to_owned()).or_default() += 1;
            let judge = judges.entry(id).or_insert_with(|| InputJudge::new(DoubtThreshold::Stream));
            judge.push(&frame, Some(arrival));
            streams.push(id.as_str(), seen(&frame, arrival));
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
    let mut doubts = Vec::new();
    for (id, judge) in &mut judges {
        judge.raise(|doubt, example| doubts.push((*id, DoubtStatus::from((doubt, example)))));
    }
    Ok(HeardFrames { streams, refused, doubts })
}

/// Why ingest would not take a message: the reason, its stream if it names one, and words.
type RefusedMessage = (DropReason, Option<StreamId>, String);

/// A message as ingest would take it, or why it would not.
fn take(parts: &[Vec<u8>]) -> Result<(StreamId, Frame, ArrivalTime), RefusedMessage> {
    let [id, body] = parts else {
        return Err((DropReason::Parts, None, ingest::wrong_parts(parts.len())));
    };
    let Some(stream) = stream_id::parse(id) else {
        return Err((DropReason::StreamId, None, ingest::no_stream_id(id)));
    };
    let mut frame = Frame::default();
    if let Err(refusal) = landmarks::read(body, &mut frame) {
        return Err(((&refusal).into(), Some(stream), refusal.to_string()));
    }
    Ok((stream, frame, now()))
}

fn seen(frame: &Frame, arrival: ArrivalTime) -> HeardFrame {
    let has = |part| frame.part(part).is_some();
    HeardFrame {
        seq: frame.seq,
        t: frame.t.0,
        arrival: arrival.0,
        hand: has(BodyPart::LeftHand) || has(BodyPart::RightHand),
        body: Some(has(BodyPart::Pose)),
        skipped: false,
    }
}

/// Takes what a running daemon says of the frames it gets in this time.
pub fn to_the_daemon(endpoint: &SocketEndpoint, time: Duration) -> io::Result<HeardStreams> {
    let context = SocketContext::default();
    let socket = context.socket(SocketKind::Sub)?;
    socket.set_linger(Duration::ZERO)?;
    socket.subscribe(b"frame/")?;
    endpoint.from_here().connect(&socket).map_err(io::Error::other)?;
    let mut streams = HeardStreams::default();
    each(&[socket], time, |parts| {
        let body = parts.last().map_or(&[][..], Vec::as_slice);
        let event: Option<Value> = match body.first() {
            Some(b'{') => serde_json::from_slice(body).ok(),
            _ => rmp_serde::from_slice(body).ok(),
        };
        let Some(event) = event else { return };
        let number = |key: &str| event[key].as_u64().unwrap_or(0);
        let latency = number("latency_us") * 1000;
        let seen = HeardFrame {
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
fn each(sockets: &[ZmqSocket], time: Duration, mut take: impl FnMut(&[Vec<u8>])) -> io::Result<()> {
    let end = Instant::now() + time;
    let mut poll = SocketPoll::of(sockets);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        poll.wait(left + Duration::from_millis(1))?;
        for (socket, readable) in sockets.iter().zip(poll.readable()) {
            if readable && let Ok(Some(parts)) = socket.try_receive() {
                take(&parts);
            }
        }
    }
}
