//! From one stream of items to many viewers, as server-sent events.
//!
//! The hub is a task of the HTTP server. Each viewer has a bounded queue; one that does not read loses
//! items, is told how many when it has caught up (`{"kind":"lost","items":N}`), and disturbs nobody.
//!
//! Its first item is `{"kind":"hello",…}`, again whenever the model is exchanged; then come the
//! statuses that there are, then events and scenes in the order in which they happen.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, interval_at, sleep};

use super::live::{LiveItem, LiveKind, LiveSender, LiveState, UNDERWAY};
use signd_core::event::StatusKind;
use signd_core::plausibility::InputDoubt;
use signd_core::stream_id::StreamId;

/// Items that wait for one viewer.
const BEHIND: usize = 256;
/// Viewers at once.
const VIEWERS: usize = 16;
/// Items are looked for this often: waking the hub for each would cost the stage a system call.
const PACE: Duration = Duration::from_millis(10);
/// A sign of life for viewers to whom nothing happens, so that one who has left is noticed.
const PULSE: Duration = Duration::from_secs(15);

/// Hands items to viewers.
pub struct ViewerHub {
    items: mpsc::Receiver<LiveItem>,
    door: HubHandle,
    joining: mpsc::Receiver<Viewer>,
    viewers: Vec<Viewer>,
    /// The last status of each stream there is, and after it each doubt about its input.
    retained: BTreeMap<(StreamId, Option<InputDoubt>), Bytes>,
    /// Items lost on their way here of which the viewers have been told.
    lost_underway: u64,
    shared: Arc<LiveState>,
}

/// Where viewers come in.
#[derive(Clone)]
pub struct HubHandle {
    to: mpsc::Sender<Viewer>,
    shared: Arc<LiveState>,
}

/// The hub's end of a viewer.
struct Viewer {
    /// Only this stream; none: all.
    stream: Option<StreamId>,
    scenes: SceneFilter,
    to: mpsc::Sender<Bytes>,
    lost: u64,
}

/// Which scenes a viewer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SceneFilter {
    /// None.
    None,
    /// Those of one stream.
    Of(StreamId),
    /// All of the streams it looks at.
    All,
}

impl ViewerHub {
    /// A hub, and the way to it.
    pub fn channel() -> (LiveSender, ViewerHub) {
        let (live, items) = LiveSender::channel();
        let shared = Arc::clone(live.shared());
        (live, ViewerHub::new(items, shared))
    }

    fn new(items: mpsc::Receiver<LiveItem>, shared: Arc<LiveState>) -> Self {
        let (to, joining) = mpsc::channel(VIEWERS);
        let door = HubHandle { to, shared: Arc::clone(&shared) };
        let (viewers, retained) = (Vec::new(), BTreeMap::new());
        ViewerHub { items, door, joining, viewers, retained, lost_underway: 0, shared }
    }

    /// Where viewers come in.
    pub fn handle(&self) -> HubHandle {
        self.door.clone()
    }

    /// Hands on until the last stage is gone.
    pub async fn run(mut self) {
        let mut items = Vec::new();
        loop {
            tokio::select! {
                Some(viewer) = self.joining.recv() => self.welcome(viewer),
                count = self.items.recv_many(&mut items, UNDERWAY) => {
                    if count == 0 {
                        return;
                    }
                    self.viewers.retain(|viewer| !viewer.to.is_closed());
                    self.charge();
                    items.drain(..).for_each(|item| self.pass(item));
                    sleep(PACE).await;
                }
            }
        }
    }

    /// What was lost on its way here is lost to everybody; whose it would have been is not known.
    fn charge(&mut self) {
        let lost = self.shared.lost_underway.load(Relaxed);
        let more = lost - std::mem::replace(&mut self.lost_underway, lost);
        self.viewers.iter_mut().for_each(|viewer| viewer.lost += more);
    }

    fn welcome(&mut self, mut viewer: Viewer) {
        viewer.give(&message(&self.shared.hello(viewer.shown())), &self.shared);
        for ((stream, _), status) in &self.retained {
            if viewer.wants(*stream, LiveKind::Frame) {
                viewer.give(status, &self.shared);
            }
        }
        self.viewers.retain(|viewer| !viewer.to.is_closed());
        self.viewers.push(viewer);
    }

    fn tell(&mut self, stream: StreamId, kind: LiveKind, json: &[u8]) {
        let text = message(json);
        for viewer in self.viewers.iter_mut().filter(|viewer| viewer.wants(stream, kind)) {
            viewer.give(&text, &self.shared);
        }
    }

    fn pass(&mut self, item: LiveItem) {
        match item {
            LiveItem::Told { stream, kind, json } => self.tell(stream, kind, &json),
            LiveItem::Status { stream, status, json, retained } => {
                self.tell(stream, LiveKind::Status, &json);
                if matches!(status.status, StatusKind::Gone | StatusKind::Reset) {
                    self.retained.retain(|(known, _), _| *known != stream);
                }
                if status.status != StatusKind::Gone {
                    let doubt = status.reason.doubt();
                    self.retained.insert((stream, doubt), message(&retained));
                }
            }
            LiveItem::Model => {
                for viewer in &mut self.viewers {
                    viewer.give(&message(&self.shared.hello(viewer.shown())), &self.shared);
                }
            }
        }
    }
}

impl Viewer {
    fn wants(&self, stream: StreamId, kind: LiveKind) -> bool {
        let scene = match self.scenes {
            SceneFilter::None => false,
            SceneFilter::Of(only) => only == stream,
            SceneFilter::All => true,
        };
        self.stream.is_none_or(|only| only == stream) && (scene || kind != LiveKind::Scene)
    }

    /// It is shown scenes.
    fn shown(&self) -> bool {
        self.scenes != SceneFilter::None
    }

    /// Puts a message into the queue. Once it has been full nothing goes in until half of it has been
    /// read, so that what arrives are stretches and not single items.
    fn give(&mut self, text: &Bytes, shared: &LiveState) {
        let caught_up = self.lost > 0 && self.to.capacity() > BEHIND / 2;
        if caught_up {
            let lost = format!(r#"{{"kind":"lost","items":{}}}"#, self.lost);
            if self.to.try_send(message(lost.as_bytes())).is_ok() {
                self.lost = 0;
            }
        }
        if self.lost > 0 || self.to.try_send(text.clone()).is_err() {
            self.lost += 1;
            shared.lost_by_viewers.fetch_add(1, Relaxed);
        }
    }
}

/// A server-sent event. JSON as written here holds no line breaks.
fn message(json: &[u8]) -> Bytes {
    [b"data: ", json, b"\n\n"].concat().into()
}

impl HubHandle {
    /// Lets a viewer in: the answer goes on until the viewer or the daemon ends.
    pub async fn enter(&self, stream: Option<StreamId>, scenes: SceneFilter) -> Response {
        let Some(seat) = ViewerGuard::take(&self.shared, scenes != SceneFilter::None) else {
            let full = format!("{VIEWERS} viewers are here already\n");
            return (StatusCode::SERVICE_UNAVAILABLE, full).into_response();
        };
        let (to, items) = mpsc::channel(BEHIND);
        if self.to.send(Viewer { stream, scenes, to, lost: 0 }).await.is_err() {
            return (StatusCode::SERVICE_UNAVAILABLE, "the daemon is ending\n").into_response();
        }
        let feed =
            ViewerBody { items, pulse: interval_at(Instant::now() + PULSE, PULSE), _seat: seat };
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::new(feed)).into_response()
    }
}

/// Counts a viewer as long as it lives.
struct ViewerGuard {
    shared: Arc<LiveState>,
    scenes: bool,
}

impl ViewerGuard {
    fn take(shared: &Arc<LiveState>, scenes: bool) -> Option<ViewerGuard> {
        let more = |n| (n < VIEWERS).then_some(n + 1);
        shared.viewers.fetch_update(Relaxed, Relaxed, more).ok()?;
        shared.scenes.fetch_add(usize::from(scenes), Relaxed);
        Some(ViewerGuard { shared: Arc::clone(shared), scenes })
    }
}

impl Drop for ViewerGuard {
    fn drop(&mut self) {
        let less = |count: &AtomicUsize, n| count.fetch_sub(n, Relaxed);
        less(&self.shared.viewers, 1);
        less(&self.shared.scenes, usize::from(self.scenes));
    }
}

/// A viewer's answer: what is in its queue, and now and then a comment.
struct ViewerBody {
    items: mpsc::Receiver<Bytes>,
    pulse: Interval,
    _seat: ViewerGuard,
}

impl HttpBody for ViewerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Poll::Ready(item) = self.items.poll_recv(context) {
            return Poll::Ready(item.map(|text| Ok(Frame::data(text))));
        }
        self.pulse.poll_tick(context).map(|_| Some(Ok(Frame::data(Bytes::from_static(b":\n\n")))))
    }
}
