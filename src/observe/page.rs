//! The page: one for the daemon's streams and for recordings. Plain files, built into the program.

use std::collections::BTreeMap;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde::Serialize;

use signd_core::plausibility::InputDoubt;

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// Path, type and text of each file.
const FILES: [(&str, &str, &str); 15] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page.css", STYLE, include_str!("page/page.css")),
    ("/icon.svg", IMAGE, include_str!("page/icon.svg")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/feed.js", SCRIPT, include_str!("page/feed.js")),
    ("/track.js", SCRIPT, include_str!("page/track.js")),
    ("/player.js", SCRIPT, include_str!("page/player.js")),
    ("/keyboard.js", SCRIPT, include_str!("page/keyboard.js")),
    ("/paper.js", SCRIPT, include_str!("page/paper.js")),
    ("/skeleton.js", SCRIPT, include_str!("page/skeleton.js")),
    ("/timeline.js", SCRIPT, include_str!("page/timeline.js")),
    ("/overview.js", SCRIPT, include_str!("page/overview.js")),
    ("/hypotheses.js", SCRIPT, include_str!("page/hypotheses.js")),
    ("/decisions.js", SCRIPT, include_str!("page/decisions.js")),
    ("/doubts.js", SCRIPT, include_str!("page/doubts.js")),
];

/// Where the page's items come from.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageMode {
    /// `/live`, as they happen.
    Live,
    /// `/items`, from a recording.
    Recording,
}

/// What the page asks for first, at `/about.json`.
#[derive(Clone, Debug, Serialize)]
pub struct PageInfo {
    /// Where its items come from.
    pub mode: PageMode,
    /// What is shown, in words.
    pub title: String,
}

/// The same with the words for each doubt about a stream's input.
#[derive(Serialize)]
struct AboutAnswer<'a> {
    #[serde(flatten)]
    about: &'a PageInfo,
    doubts: BTreeMap<&'static str, DoubtWords>,
}

#[derive(Serialize)]
struct DoubtWords {
    found: &'static str,
    expected: &'static str,
    remedy: &'static str,
}

impl From<InputDoubt> for DoubtWords {
    fn from(doubt: InputDoubt) -> Self {
        let (found, expected) = (doubt.what(), doubt.expected());
        DoubtWords { found, expected, remedy: doubt.camera_remedy() }
    }
}

/// The page's files.
pub fn routes(about: &PageInfo) -> Router {
    // Plain numbers and texts: writing them to memory cannot fail.
    let doubts = InputDoubt::ALL.map(|doubt| (doubt.name(), DoubtWords::from(doubt))).into();
    let about = serde_json::to_string(&AboutAnswer { about, doubts }).unwrap_or_default();
    let about = move || std::future::ready(([(CONTENT_TYPE, "application/json")], about.clone()));
    let router = Router::new().route("/about.json", get(about));
    FILES.into_iter().fold(router, |router, (path, kind, text)| {
        router.route(path, get(move || std::future::ready(([(CONTENT_TYPE, kind)], text))))
    })
}
