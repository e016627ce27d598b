//! What happens, as it happens, offered to whoever looks on.
//!
//! A stage offers items, JSON objects, to [`LiveSender`]. While nobody looks that costs one relaxed load.
//! While somebody does, the item goes into a bounded channel to the thread of the HTTP server, where
//! the [`super::hub`] hands it to the viewers. The stage never waits: what finds no room is lost and counted.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::mpsc;

use super::model_status::ModelStatus;
use super::scene::SceneLines;
use signd_core::event::{Event, EventBody, StatusEvent};
use signd_core::stream_id::StreamId;
use signd_engine::model::ModelCard;

/// Items on their way to the server: half a second of sixteen streams, frames and scenes.
pub(super) const UNDERWAY: usize = 512;
/// Of these, places that frames and scenes may not take. The rest is rare, and a lost status would be
/// told wrongly to everybody who comes later.
const RESERVED: usize = 128;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveKind {
    /// A frame event.
    Frame,
    /// A sign event.
    Sign,
    /// A status event. Sent also without viewers: the hub keeps each stream's last, and each doubt.
    Status,
    /// What the daemon sees of a frame: landmarks, for those who want and may see them.
    Scene,
}

impl LiveKind {
    /// The kind of an event.
    pub fn of(event: &Event) -> LiveKind {
        match &event.body {
            EventBody::Frame(_) => LiveKind::Frame,
            EventBody::Sign(_) => LiveKind::Sign,
            EventBody::Status(_) => LiveKind::Status,
        }
    }
}

/// From a stage to the hub.
pub(super) enum LiveItem {
    /// JSON of one stream.
    Told { stream: StreamId, kind: LiveKind, json: Vec<u8> },
    /// A status: JSON as it is told now, and as it is told to viewers who come later.
    Status { stream: StreamId, status: StatusEvent, json: Vec<u8>, retained: Vec<u8> },
    /// Another model is at work.
    Model,
}

/// What stages, hub and metrics know together.
#[derive(Debug, Default)]
pub struct LiveState {
    /// Viewers there are.
    pub viewers: AtomicUsize,
    /// Those of them that are sent scenes.
    pub scenes: AtomicUsize,
    /// Items that found no room on their way to the hub.
    pub lost_underway: AtomicU64,
    /// Items that viewers have lost by being slow.
    pub lost_by_viewers: AtomicU64,
    model: Mutex<ModelStatus>,
    lines: Mutex<SceneLines>,
    /// Digest of the settings at work.
    settings: Mutex<String>,
}

/// A viewer's first item.
#[derive(Serialize)]
struct Hello<'a> {
    kind: &'static str,
    version: &'static str,
    model: &'a str,
    labels: usize,
    scenes: bool,
    #[serde(flatten)]
    lines: SceneLines,
}

impl LiveState {
    /// The model at work now.
    pub fn model(&self) -> ModelStatus {
        self.model.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// SHA-256, in hexadecimal, of the settings at work that events follow from.
    pub fn settings(&self) -> String {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first item of a viewer, who will get scenes or not.
    pub(super) fn hello(&self, scenes: bool) -> Vec<u8> {
        let ModelStatus { name, labels, .. } = self.model();
        let version = env!("CARGO_PKG_VERSION");
        let lines = *self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let hello = Hello { kind: "hello", version, model: &name, labels, scenes, lines };
        // Plain texts and numbers: writing them to memory cannot fail.
        serde_json::to_vec(&hello).unwrap_or_default()
    }
}

/// A stage's end.
#[derive(Clone, Debug, Default)]
pub struct LiveSender {
    to: Option<mpsc::Sender<LiveItem>>,
    shared: Arc<LiveState>,
}

impl std::fmt::Debug for LiveItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LiveItem::Told { kind, stream, .. } => write!(f, "{kind:?} of {stream}"),
            LiveItem::Status { stream, .. } => write!(f, "Status of {stream}"),
            LiveItem::Model => f.write_str("Model"),
        }
    }
}

impl LiveSender {
    /// A way to whoever takes the items. The default of `LiveSender` leads nowhere.
    pub(super) fn channel() -> (LiveSender, mpsc::Receiver<LiveItem>) {
        let (to, items) = mpsc::channel(UNDERWAY);
        (LiveSender { to: Some(to), shared: Arc::default() }, items)
    }

    /// What is known beside the items.
    pub fn shared(&self) -> &Arc<LiveState> {
        &self.shared
    }

    /// Somebody wants items of this kind.
    pub fn wanted(&self, kind: LiveKind) -> bool {
        match kind {
            LiveKind::Status => self.to.is_some(),
            LiveKind::Scene => self.shared.scenes.load(Relaxed) > 0,
            LiveKind::Frame | LiveKind::Sign => self.shared.viewers.load(Relaxed) > 0,
        }
    }

    /// Hands over the JSON object that `fill` writes into an empty buffer, if it is wanted and if
    /// anything is written.
    pub fn offer(&self, stream: StreamId, kind: LiveKind, fill: impl FnOnce(&mut Vec<u8>)) {
        let Some(to) = self.to.as_ref().filter(|_| self.wanted(kind)) else { return };
        let bulk = matches!(kind, LiveKind::Frame | LiveKind::Scene);
        if bulk && to.capacity() <= RESERVED {
            self.shared.lost_underway.fetch_add(1, Relaxed);
            return;
        }
        let mut json = Vec::with_capacity(512);
        fill(&mut json);
        if !json.is_empty() {
            self.send(to, LiveItem::Told { stream, kind, json });
        }
    }

    /// Hands over a status as it is told now. `again` writes it as it is told to viewers who come later.
    pub fn status(
        &self,
        stream: StreamId,
        status: &StatusEvent,
        now: &[u8],
        again: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(to) = &self.to else { return };
        let mut retained = Vec::with_capacity(512);
        again(&mut retained);
        let (status, json) = (status.clone(), now.to_vec());
        self.send(to, LiveItem::Status { stream, status, json, retained });
    }

    /// From here on, this model is at work, a core with these lines, and settings with this digest.
    pub fn model(&self, card: &ModelCard, lines: SceneLines, settings: String) {
        *self.shared.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        *self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines;
        *self.shared.model.lock().unwrap_or_else(PoisonError::into_inner) = card.into();
        if let Some(to) = &self.to {
            self.send(to, LiveItem::Model);
        }
    }

    fn send(&self, to: &mpsc::Sender<LiveItem>, item: LiveItem) {
        if to.try_send(item).is_err() {
            self.shared.lost_underway.fetch_add(1, Relaxed);
        }
    }
}
