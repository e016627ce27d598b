//! Seeing inside: metrics, health, and what happens live, over HTTP.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | all [`metrics`], as OpenMetrics text |
//! | `/healthz` | 200 while the pipeline gets on, else 503 and why |
//! | `/status` | what the daemon is and how it fares: a [`status::DaemonStatus`] as JSON |
//! | `/readyz` | 200 while frames are taken: model warm, sockets open, not ending |
//! | `/live` | what happens, as server-sent events; `?stream=ID` for one stream, `?scenes=1` for landmarks, `?scenes_of=ID` for those of one stream |
//! | `/` | the [`page`] |

pub mod http;
pub mod hub;
pub mod live;
pub mod metrics;
pub mod model_status;
pub mod origin;
pub mod page;
pub mod scene;
pub mod spool;
pub mod status;

use signd_core::stream_id;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::endpoint::owner;
use crate::plumbing::StageMonitor;
use http::HttpServer;
use hub::{HubHandle, SceneFilter, ViewerHub};
use live::{LiveSender, LiveState};
use metrics::RunMetrics;
use origin::AllowedHost;
use page::{PageInfo, PageMode};
use status::{DaemonInfo, DaemonStatus};

/// Settings of the HTTP endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpSettings {
    /// Where it listens. None: no endpoint.
    pub listen: Option<SocketAddr>,
    /// Further names it answers to.
    pub hosts: Vec<AllowedHost>,
    /// Landmarks may be shown beyond this machine.
    pub show_landmarks: bool,
}

/// The HTTP endpoint cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "http {listen}: {source}{}: [http] listen can name another address or port, or be empty to do \
     without", owner(*listen, source)
)]
pub struct HttpError {
    /// Its address.
    listen: SocketAddr,
    /// What the system says.
    source: std::io::Error,
}

/// Who has the address that is in use, in words.
fn owner(listen: SocketAddr, error: &std::io::Error) -> String {
    match owner::of_port(listen.port()) {
        Some(owner) if error.kind() == std::io::ErrorKind::AddrInUse => {
            format!(", by `{}` ({})", owner.name, owner.pid)
        }
        _ => String::new(),
    }
}

/// Opens the daemon's endpoint, if it is to have one. The items that stages offer to the [`LiveSender`] go
/// to its viewers.
pub fn start(
    http: &HttpSettings,
    info: DaemonInfo,
    watched: StageMonitor,
) -> Result<(Option<HttpServer>, LiveSender), HttpError> {
    let Some(listen) = http.listen else { return Ok((None, LiveSender::default())) };
    let failed = |source| HttpError { listen, source };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    let loopback = listen.ip().is_loopback();
    if !loopback {
        tracing::warn!(%listen, "metrics and live events are open to whoever reaches this port");
    }
    let (live, hub) = ViewerHub::channel();
    let address = listener.local_addr().map_err(failed)?;
    let inside = Inside {
        metrics: Arc::new(RunMetrics::new(watched.clone(), live.shared())),
        info: Arc::new(info.at(address)),
        shared: Arc::clone(live.shared()),
        watched,
        door: hub.handle(),
        landmarks: loopback || http.show_landmarks,
    };
    let server =
        HttpServer::start(listener, http.hosts.clone(), || routes(inside, hub)).map_err(failed)?;
    tracing::info!(http = %server.address(), "metrics, health and live events");
    Ok((Some(server), live))
}

/// What the answers are made from.
#[derive(Clone)]
struct Inside {
    metrics: Arc<RunMetrics>,
    info: Arc<DaemonInfo>,
    shared: Arc<LiveState>,
    watched: StageMonitor,
    door: HubHandle,
    /// Scenes may be shown.
    landmarks: bool,
}

fn routes(inside: Inside, hub: ViewerHub) -> Router {
    tokio::spawn(hub.run());
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/status", get(status))
        .route("/live", get(live))
        .with_state(inside)
        .merge(page::routes(&PageInfo { mode: PageMode::Live, title: String::new() }))
}

async fn metrics(State(inside): State<Inside>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], inside.metrics.text()).into_response()
}

async fn status(State(inside): State<Inside>) -> Response {
    let status = DaemonStatus::now(&inside.info, &inside.watched.counters, &inside.shared);
    // Plain texts and numbers: writing them to memory cannot fail.
    let json = serde_json::to_vec(&status).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

async fn health(State(inside): State<Inside>) -> (StatusCode, String) {
    match inside.watched.progress.late() {
        None => (StatusCode::OK, "ok\n".into()),
        Some(late) => {
            let why = format!("the pipeline has stood still for {} s\n", late.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}

async fn ready(State(inside): State<Inside>) -> (StatusCode, &'static str) {
    match inside.watched.progress.is_ready() {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "starting or ending\n"),
    }
}

/// What a viewer asks for.
#[derive(Deserialize)]
struct Wish {
    stream: Option<String>,
    scenes: Option<u8>,
    scenes_of: Option<String>,
}

async fn live(State(inside): State<Inside>, Query(wish): Query<Wish>) -> Response {
    let id = |id: Option<String>| id.map(|id| stream_id::parse(id.as_bytes()));
    let (stream, of) = match (id(wish.stream), id(wish.scenes_of)) {
        (Some(None), _) | (_, Some(None)) => {
            return (StatusCode::BAD_REQUEST, "not a stream id\n").into_response();
        }
        (stream, of) => (stream.flatten(), of.flatten()),
    };
    let wanted = of.is_some() || wish.scenes.is_some_and(|scenes| scenes > 0);
    let scenes = match wanted && inside.landmarks {
        true => of.map_or(SceneFilter::All, SceneFilter::Of),
        false => SceneFilter::None,
    };
    inside.door.enter(stream, scenes).await
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::plumbing::progress::PipelineProgress;
    use live::LiveKind;
    use signd_core::event::RunId;

    /// A server of its own, and what its stages would hold.
    fn serve(
        progress: PipelineProgress,
        landmarks: bool,
    ) -> (HttpServer, LiveSender, Arc<PipelineProgress>) {
        let watched = StageMonitor { counters: Arc::default(), progress: Arc::new(progress) };
        let progress = Arc::clone(&watched.progress);
        let (live, hub) = ViewerHub::channel();
        let metrics = Arc::new(RunMetrics::new(watched.clone(), live.shared()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let address = listener.local_addr().expect("bound");
        let publish = "tcp://127.0.0.1:5557".parse().expect("an endpoint");
        let info = Arc::new(DaemonInfo::new(RunId::new(7), &[], &publish).at(address));
        let shared = Arc::clone(live.shared());
        let inside = Inside { metrics, info, shared, watched, door: hub.handle(), landmarks };
        let server =
            HttpServer::start(listener, Vec::new(), || routes(inside, hub)).expect("starts");
        (server, live, progress)
    }

    fn ask(server: &HttpServer, path: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(server.address()).expect("connects");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("sets");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", server.address()).expect("sends");
        BufReader::new(stream)
    }

    fn answer(server: &HttpServer, path: &str) -> String {
        let mut text = String::new();
        ask(server, path).read_to_string(&mut text).expect("an answer");
        let body = text.split_once("\r\n\r\n").expect("a header").1;
        format!("{} {}", &text[9..12], body.trim_end())
    }

    fn next(viewer: &mut BufReader<TcpStream>) -> String {
        let lines = viewer.lines().map(|line| line.expect("within ten seconds"));
        let mut items = lines.filter_map(|line| line.strip_prefix("data: ").map(str::to_owned));
        items.next().expect("an item")
    }

    #[test]
    fn a_pipeline_that_stands_still_is_not_healthy() {
        let (server, _live, progress) = serve(PipelineProgress::standing_still(), true);
        assert_eq!(answer(&server, "/healthz"), "503 the pipeline has stood still for 11 s");
        progress.came_through();
        assert_eq!(answer(&server, "/healthz"), "200 ok");
    }

    #[test]
    fn a_daemon_is_ready_while_it_takes_frames() {
        let (server, _live, progress) = serve(PipelineProgress::default(), true);
        assert_eq!(answer(&server, "/readyz"), "503 starting or ending");
        progress.ready(true);
        assert_eq!(answer(&server, "/readyz"), "200 ready");
        progress.ready(false);
        assert_eq!(answer(&server, "/readyz"), "503 starting or ending");
    }

    #[test]
    fn scenes_are_for_those_who_ask_and_nothing_is_made_that_nobody_wants() {
        let stream = stream_id::parse(b"cam1").expect("valid");
        for landmarks in [true, false] {
            let (server, live, _) = serve(PipelineProgress::default(), landmarks);
            let wanted = || (live.wanted(LiveKind::Frame), live.wanted(LiveKind::Scene));
            live.offer(stream, LiveKind::Frame, |_| panic!("nobody looks"));
            assert_eq!(wanted(), (false, false));
            let mut plain = ask(&server, "/live");
            next(&mut plain);
            assert_eq!(wanted(), (true, false));
            let mut curious = ask(&server, "/live?scenes=1");
            assert!(next(&mut curious).contains(&format!(r#""scenes":{landmarks}"#)));
            assert_eq!(wanted(), (true, landmarks));
            let write = |text: &'static str| move |json: &mut Vec<u8>| json.extend(text.bytes());
            live.offer(stream, LiveKind::Scene, write("{\"kind\":\"scene\"}"));
            live.offer(stream, LiveKind::Frame, |_| {}); // nothing to tell after all
            live.offer(stream, LiveKind::Frame, write("{\"kind\":\"frame\"}"));
            assert_eq!(next(&mut plain), "{\"kind\":\"frame\"}");
            let kind = if landmarks { "scene" } else { "frame" };
            assert_eq!(next(&mut curious), format!("{{\"kind\":\"{kind}\"}}"));
        }
    }

    #[test]
    fn scenes_of_one_stream_are_shown_and_of_what_is_no_stream_refused() {
        let (server, live, _) = serve(PipelineProgress::default(), true);
        for path in ["/live?scenes_of=a%20b", "/live?scenes_of=", "/live?stream=a/b"] {
            assert_eq!(answer(&server, path), "400 not a stream id", "{path}");
        }
        let mut viewer = ask(&server, "/live?scenes_of=cam2");
        next(&mut viewer);
        for name in ["cam1", "cam2"] {
            let stream = stream_id::parse(name.as_bytes()).expect("valid");
            live.offer(stream, LiveKind::Scene, |json| json.extend(format!("{{{name}}}").bytes()));
        }
        assert_eq!(next(&mut viewer), "{cam2}");
        let (server, live, _) = serve(PipelineProgress::default(), false);
        let mut viewer = ask(&server, "/live?scenes_of=cam2");
        assert!(next(&mut viewer).contains(r#""scenes":false"#));
        assert!(!live.wanted(LiveKind::Scene), "landmarks may not be shown");
    }

    #[test]
    fn of_too_many_viewers_the_last_are_sent_away_until_one_leaves() {
        let (server, _live, _) = serve(PipelineProgress::default(), true);
        let mut viewers: Vec<_> = (0..16).map(|_| ask(&server, "/live")).collect();
        viewers.iter_mut().for_each(|viewer| drop(next(viewer)));
        assert_eq!(answer(&server, "/live"), "503 16 viewers are here already");
        viewers.pop();
        let seated = |server: &HttpServer| {
            let mut viewer = ask(server, "/live");
            let mut status = String::new();
            viewer.read_line(&mut status).expect("an answer");
            status.contains(" 200 ").then_some(viewer)
        };
        assert!((0..1000).any(|_| seated(&server).is_some()), "the place is free");
    }

    #[test]
    fn the_server_ends_while_somebody_looks_on() {
        let (server, live, _) = serve(PipelineProgress::default(), true);
        let mut viewer = ask(&server, "/live");
        next(&mut viewer);
        drop(live);
        drop(server);
        let mut rest = String::new();
        viewer.read_to_string(&mut rest).expect("the end");
    }
}
