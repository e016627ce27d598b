//! Seeing inside: metrics, health, and what happens live, over HTTP.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | all [`metrics`], as OpenMetrics text |
//! | `/healthz` | 200 while the pipeline gets on, else 503 and why |
//! | `/readyz` | 200 while frames are taken: model warm, sockets open, not ending |
//! | `/live` | what happens, as server-sent events; `?stream=ID` for one stream, `?scenes=1` for landmarks, `?scenes_of=ID` for those of one stream |
//! | `/` | the [`page`] |

pub mod guard;
pub mod http;
mod hub;
pub mod live;
pub mod metrics;
pub mod page;
pub mod scene;
pub mod shelf;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::run::{RunError, Watched};
use crate::wire::topic;
use http::Server;
use hub::{Door, Hub, Scenes};
use live::Live;
use metrics::Metrics;
use page::{About, Mode};

/// Settings of the HTTP endpoint; `conf/signd.toml` documents each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// `ADDRESS:PORT`; empty: no endpoint.
    pub listen: String,
    /// Further names it answers to.
    pub hosts: Vec<String>,
    /// Landmarks may be shown beyond this machine.
    pub show_landmarks: bool,
}

impl HttpSettings {
    /// Where to listen, or what is expected instead; `None`: nowhere.
    pub fn address(&self) -> Result<Option<SocketAddr>, String> {
        match self.listen.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| "ADDRESS:PORT, or empty".into()),
        }
    }
}

/// Opens the daemon's endpoint, if it is to have one. The items that stages offer to the [`Live`] go
/// to its viewers.
pub fn start(
    settings: &HttpSettings,
    watched: Watched,
) -> Result<(Option<Server>, Live), RunError> {
    let Ok(Some(listen)) = settings.address() else { return Ok((None, Live::default())) };
    let failed = |source| RunError::Http { listen, source };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    let loopback = listen.ip().is_loopback();
    if !loopback {
        tracing::warn!(%listen, "metrics and live events are open to whoever reaches this port");
    }
    let (live, hub) = Live::channel();
    let inside = Inside {
        metrics: Arc::new(Metrics::new(Arc::clone(&watched.counters), live.shared())),
        watched,
        door: hub.door(),
        landmarks: loopback || settings.show_landmarks,
    };
    let server =
        Server::start(listener, &settings.hosts, || routes(inside, hub)).map_err(failed)?;
    tracing::info!(http = %server.address(), "metrics, health and live events");
    Ok((Some(server), live))
}

/// What the answers are made from.
#[derive(Clone)]
struct Inside {
    metrics: Arc<Metrics>,
    watched: Watched,
    door: Door,
    /// Scenes may be shown.
    landmarks: bool,
}

fn routes(inside: Inside, hub: Hub) -> Router {
    tokio::spawn(hub.run());
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/live", get(live))
        .with_state(inside)
        .merge(page::routes(&About { mode: Mode::Live, title: String::new() }))
}

async fn metrics(State(inside): State<Inside>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], inside.metrics.text()).into_response()
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
    let id = |id: Option<String>| match id.map(|id| topic::stream_id(id.as_bytes())) {
        Some(None) => Err((StatusCode::BAD_REQUEST, "not a stream id\n").into_response()),
        id => Ok(id.flatten()),
    };
    let (stream, of) = match (id(wish.stream), id(wish.scenes_of)) {
        (Ok(stream), Ok(of)) => (stream, of),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal,
    };
    let wanted = of.is_some() || wish.scenes.is_some_and(|scenes| scenes > 0);
    let scenes = match wanted && inside.landmarks {
        true => of.map_or(Scenes::All, Scenes::Of),
        false => Scenes::None,
    };
    inside.door.enter(stream, scenes).await
}
