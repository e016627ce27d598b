//! `/status`: what this daemon is and how it fares, as one JSON object for programs. `docs/operations.md`
//! documents each key. `signd doctor` reads it back.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::live::LiveState;
use super::model_status::ModelStatus;
use crate::endpoint::{InputEndpoint, SocketEndpoint};
use crate::plumbing::counters::DaemonCounters;
use crate::plumbing::refusals::RefusalRecord;
use crate::plumbing::roster::{HeldDoubt, StreamSnapshot};
use signd_core::drop_reason::DropReason;
use signd_core::event::RunId;
use signd_core::stream_id::StreamId;
use signd_core::wire::VERSION;

/// What does not change while the daemon runs.
#[derive(Debug)]
pub struct DaemonInfo {
    run: RunId,
    started: SystemTime,
    begun: Instant,
    endpoints: EndpointStatus,
}

impl DaemonInfo {
    /// Of a run that begins now.
    pub fn new(run: RunId, inputs: &[InputEndpoint], publish: &SocketEndpoint) -> Self {
        let ingest = inputs.iter().map(ToString::to_string).collect();
        let endpoints =
            EndpointStatus { ingest, publish: publish.to_string(), http: String::new() };
        DaemonInfo { run, started: SystemTime::now(), begun: Instant::now(), endpoints }
    }

    /// With its HTTP endpoint at this address.
    pub fn at(mut self, http: SocketAddr) -> Self {
        self.endpoints.http = http.to_string();
        self
    }
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DaemonStatus {
    /// Version of this object: 1.
    pub v: u64,
    /// Number of the process.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// The run, as in events.
    pub run: String,
    /// Start, s since the Unix epoch.
    pub started: f64,
    /// Time since the start, s.
    pub uptime_s: f64,
    /// The model at work.
    pub model: ModelStatus,
    /// SHA-256, in hexadecimal, of the settings at work that events follow from.
    pub settings: String,
    /// Where it listens and speaks.
    pub endpoints: EndpointStatus,
    /// Frames taken into the pipeline.
    pub received: u64,
    /// Frames dropped, by reason; those that have occurred.
    pub drops: Vec<DropStatus>,
    /// Clients refused, by reason; those that have occurred.
    pub refused: Vec<ClientStatus>,
    /// The streams that are present, by name.
    pub streams: Vec<StreamStatus>,
    /// The recording.
    pub recording: RecordingStatus,
}

/// Endpoints as configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointStatus {
    /// Where frames come in.
    pub ingest: Vec<String>,
    /// Where events go out.
    pub publish: String,
    /// Address and port of this answer.
    pub http: String,
}

impl EndpointStatus {
    /// Whether the daemon has a socket at this endpoint.
    pub fn holds(&self, endpoint: &SocketEndpoint) -> bool {
        let inputs = self.ingest.iter().filter_map(|input| input.parse::<InputEndpoint>().ok());
        let publish = self.publish.parse().ok();
        let http = self.http.parse::<SocketAddr>().ok().map(SocketEndpoint::from);
        let all = inputs.filter(|input| !input.connect).map(|input| input.endpoint);
        all.chain(publish).chain(http).any(|own| own == *endpoint)
    }
}

/// Frames dropped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DropStatus {
    /// The stage that drops them.
    pub stage: String,
    /// The reason, as `docs/wire-format.md` lists it.
    pub reason: String,
    /// How many since the start.
    pub count: u64,
    /// The last one.
    pub last: Option<LastDrop>,
}

/// The last frame dropped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastDrop {
    /// Its stream, if it named one.
    pub stream: Option<String>,
    /// Why, in words for people.
    pub why: String,
    /// How long ago, s.
    pub seconds_ago: f64,
}

/// Clients refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientStatus {
    /// The reason, as `signd_clients_refused_total` names it.
    pub reason: String,
    /// How many since the start.
    pub count: u64,
    /// The last one.
    pub last: Option<LastClient>,
}

/// The last client refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastClient {
    /// Where it wanted to come in: `ingest` or `publish`.
    pub door: String,
    /// The address it came from; of a failed handshake, the endpoint it came to.
    pub address: String,
    /// How long ago, s.
    pub seconds_ago: f64,
}

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamStatus {
    /// Its id.
    pub stream: String,
    /// `active`, or `stalled`: no frame for `stall_ms`.
    pub status: String,
    /// Frames accepted since it appeared.
    pub frames: u64,
    /// Since the last accepted frame, s.
    pub seconds_since_last: f64,
    /// Accepted frames a second over the last five seconds; none for fewer than two.
    pub fps: Option<f64>,
    /// Share of the frames of the last five seconds in which a hand was detected, %; none without frames.
    pub hands_percent: Option<f64>,
    /// The same of the body.
    pub body_percent: Option<f64>,
    /// Frames missing by `seq` since it appeared.
    pub lost: u64,
    /// What is doubtful about its landmarks and times.
    pub doubts: Vec<DoubtStatus>,
}

/// A doubt about a stream's input; the texts are for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DoubtStatus {
    /// The reason, as `docs/wire-format.md` lists it.
    pub reason: String,
    /// No person before a camera gives such input.
    pub certain: bool,
    /// What was found.
    pub found: String,
    /// What is expected instead.
    pub expected: String,
    /// What mends it.
    pub remedy: String,
}

impl From<HeldDoubt> for DoubtStatus {
    fn from((doubt, example): HeldDoubt) -> Self {
        DoubtStatus {
            reason: doubt.name().into(),
            certain: doubt.is_certain(),
            found: doubt.found(example),
            expected: doubt.expected().into(),
            remedy: doubt.camera_remedy().into(),
        }
    }
}

/// The recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordingStatus {
    /// The run is being recorded.
    pub active: bool,
    /// Size of the file that is being written.
    pub bytes: u64,
}

impl DaemonStatus {
    /// At this moment.
    pub fn now(info: &DaemonInfo, counters: &DaemonCounters, shared: &LiveState) -> DaemonStatus {
        let (model, counted) = (shared.model(), counters.snapshot());
        let drops = counted.dropped.into_iter().filter(|(_, count)| *count > 0);
        let refused = counted.refused.into_iter().filter(|(_, count)| *count > 0);
        let levels = &counters.levels;
        DaemonStatus {
            v: VERSION,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            run: info.run.as_str().into(),
            started: seconds(
                info.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            ),
            uptime_s: seconds(info.begun.elapsed()),
            model,
            settings: shared.settings(),
            endpoints: info.endpoints.clone(),
            received: counted.received,
            drops: drops.map(|(reason, count)| dropped(counters, reason, count)).collect(),
            refused: refused
                .map(|(reason, count)| ClientStatus {
                    reason: reason.name().into(),
                    count,
                    last: counters.last_refused(reason).map(LastClient::from),
                })
                .collect(),
            streams: counters.roster.present().into_iter().map(StreamStatus::from).collect(),
            recording: RecordingStatus {
                active: levels.recording.load(std::sync::atomic::Ordering::Relaxed),
                bytes: levels.recorded.get(),
            },
        }
    }
}

fn dropped(counters: &DaemonCounters, reason: DropReason, count: u64) -> DropStatus {
    DropStatus {
        stage: reason.stage().into(),
        reason: reason.name().into(),
        count,
        last: counters.last_dropped(reason).map(LastDrop::from),
    }
}

impl From<RefusalRecord> for LastDrop {
    fn from(last: RefusalRecord) -> Self {
        let seconds_ago = seconds(last.at.elapsed());
        LastDrop { stream: Some(last.whose).filter(|s| !s.is_empty()), why: last.why, seconds_ago }
    }
}

impl From<RefusalRecord> for LastClient {
    fn from(last: RefusalRecord) -> Self {
        LastClient { door: last.why, address: last.whose, seconds_ago: seconds(last.at.elapsed()) }
    }
}

impl From<(StreamId, StreamSnapshot)> for StreamStatus {
    fn from((stream, read): (StreamId, StreamSnapshot)) -> Self {
        let percent = |share: f64| tenth(100.0 * share);
        StreamStatus {
            stream: stream.as_str().into(),
            status: if read.stalled { "stalled" } else { "active" }.into(),
            frames: read.frames,
            seconds_since_last: seconds(read.silent),
            fps: read.fps.map(tenth),
            hands_percent: read.hands.map(percent),
            body_percent: read.body.map(percent),
            lost: read.lost,
            doubts: read.doubts.into_iter().map(DoubtStatus::from).collect(),
        }
    }
}

/// To a millisecond.
fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1e3
}

fn tenth(x: f64) -> f64 {
    (10.0 * x).round() / 10.0
}
