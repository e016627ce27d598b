//! The page in a real browser: live from the real daemon, and from recordings.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::common::browser::{Browser, END, ESCAPE, HOME, LEFT, RIGHT, SHIFT};
use crate::common::{Daemon, root, signd, terminate};
use serde_json::{Value, json};
use signd_core::frame::{ArrivalTime, BodyPart, Frame, is_missing};
use signd_core::stream_id;
use signd_core::wire::landmarks;
use signd_engine::recording::{self, RecordingWriter};

/// Pixels of the skeleton's picture in the dominant hand's colour, those of them in its left half, and
/// all that are not empty.
const PIXELS: &str = "
    const canvas = document.getElementById('skeleton');
    const accent = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(accent.slice(i, i + 2), 16));
    const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let [hand, left, drawn] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3]) drawn += 1;
      if (data[i] !== r || data[i + 1] !== g || data[i + 2] !== b) continue;
      hand += 1;
      if (i / 4 % width < width / 2) left += 1;
    }
    return { hand, left, drawn };";

fn shipped() -> PathBuf {
    root().join("tests/recordings/signer.mcap")
}

fn model() -> PathBuf {
    root().join("models/signd.onnx")
}

/// A program that is told to end when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        terminate(&self.0);
        drop(self.0.wait());
    }
}

/// `signd view` of a file; with the page's address.
fn view(file: &Path) -> (Running, String) {
    let mut command = signd();
    command.arg("view").arg(file).arg("--model").arg(model()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut line = String::new();
    let out = child.stdout.take().expect("piped");
    BufReader::new(out).read_line(&mut line).expect("says where");
    (Running(child), line.trim().to_owned())
}

/// Nothing went wrong in the page, and it asked nobody but its own server.
fn is_clean(browser: &Browser) {
    assert_eq!(browser.console(), [] as [Value; 0]);
    let others = "return performance.getEntriesByType('resource').map((entry) => entry.name)
        .filter((name) => !name.startsWith(location.origin + '/'))";
    assert_eq!(browser.run(others), json!([]));
}

fn frame(browser: &Browser) -> u64 {
    let text = browser.text("frame");
    text.strip_prefix("frame ").and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn a_live_stream_is_drawn_and_its_decisions_are_told() {
    let Some(browser) = Browser::start(1280, 860) else { return };
    let daemon =
        Daemon::start(&["--http", "127.0.0.1:0", "--model", model().to_str().expect("UTF-8")]);
    browser.open(&format!("http://{}/", daemon.http));
    browser.until("document.getElementById('feed').textContent === 'live'");
    browser.run(
        "window.states = new Set();
         const stage = document.getElementById('stage');
         const look = () => window.states.add(stage.dataset.state);
         new MutationObserver(look).observe(stage, { attributes: true });",
    );
    let mut send = signd();
    send.arg("send").arg(shipped()).args(["--stream", "door", "--to", &daemon.ingest]);
    let _send = Running(send.stderr(Stdio::null()).spawn().expect("starts"));

    browser.until("document.getElementById('stage').dataset.state === 'signing'");
    let pixels = browser.run(PIXELS);
    assert!(
        pixels["hand"].as_u64() > Some(300) && pixels["drawn"].as_u64() > Some(10_000),
        "{pixels}"
    );
    browser.until("document.querySelector('#decisions strong')?.textContent === 'hello'");
    assert!(browser.text("said").starts_with("hello, 9"), "{}", browser.text("said"));
    assert_eq!(browser.text("hand"), "right hand dominant");
    assert!(browser.text("streams").ends_with("door"));
    browser.until("['idle', 'onset', 'signing', 'offset'].every((s) => states.has(s))");
    // The picture in words, for those who do not see it.
    browser.until(
        "/door, frame \\d+: state \\w+; dominant hand right, .*; (top|no) hypothesis/
            .test(document.getElementById('skeleton').ariaLabel)",
    );
    // Going back leaves the present; `end` returns to it.
    browser.press(&[SHIFT, LEFT]);
    assert!(browser.text("clock").ends_with("s ago"), "{}", browser.text("clock"));
    browser.press(&[END]);
    assert_eq!(browser.text("clock"), "now");
    is_clean(&browser);
}

#[test]
fn a_recording_is_gone_through_with_the_keyboard() {
    let Some(browser) = Browser::start(1280, 860) else { return };
    let (_view, url) = view(&shipped());
    browser.open(&url);
    browser.until("document.querySelectorAll('#decisions li').length === 6");
    let labels =
        "return [...document.querySelectorAll('#decisions strong')].map((e) => e.textContent)";
    let unsure = "no known sign";
    assert_eq!(browser.run(labels), json!(["thankyou", "drink", unsure, unsure, "mom", "hello"]));

    browser.press(&[HOME]);
    assert_eq!(frame(&browser), 0);
    browser.press(&[RIGHT]);
    browser.press(&[RIGHT]);
    assert_eq!(frame(&browser), 2);
    browser.press(&[SHIFT, RIGHT]);
    assert_eq!(frame(&browser), 32);
    browser.press(&[LEFT]);
    assert_eq!(frame(&browser), 31);
    let starts: Vec<u64> =
        events("sign").iter().filter_map(|sign| sign["start_seq"].as_u64()).collect();
    browser.press(&["]"]);
    assert_eq!(frame(&browser), starts[0]);
    browser.press(&["]"]);
    assert_eq!(frame(&browser), starts[1]);
    let current = "return document.querySelector('#decisions [aria-current] strong').textContent";
    assert_eq!(browser.run(current), "mom");
    browser.press(&["["]);
    assert_eq!(frame(&browser), starts[0]);
    // A frame's hypotheses are those of its event.
    (0..15).for_each(|_| browser.press(&[RIGHT]));
    let at = frame(&browser);
    let of = events("frame").into_iter().find(|event| event["seq"] == at).expect("there");
    let best = "return document.querySelector('#hypotheses span').textContent";
    assert_eq!((browser.run(best), &of["top"][0][0]), (json!("hello"), &json!("hello")));
    browser.press(&[END]);
    assert_eq!(Some(frame(&browser)), events("frame").last().and_then(|last| last["seq"].as_u64()));

    browser.press(&[HOME]);
    browser.press(&[" "]);
    assert_eq!(browser.text("play"), "Pause");
    browser.until("document.getElementById('frame').textContent !== 'frame 0'");
    browser.press(&[" "]);
    let at = frame(&browser);
    assert_eq!(browser.text("play"), "Play");
    browser.press(&["?"]);
    assert_eq!(browser.run("return document.getElementById('help').open"), true);
    browser.press(&[RIGHT]);
    browser.press(&[ESCAPE]);
    assert_eq!(browser.run("return document.getElementById('help').open"), false);
    assert_eq!(frame(&browser), at);
    is_clean(&browser);
}

#[test]
fn a_phone_shows_all_of_it_without_scrolling_sideways() {
    let Some(browser) = Browser::start(390, 844) else { return };
    let (_view, url) = view(&shipped());
    browser.open(&url);
    browser.until("document.querySelectorAll('#decisions li').length === 6");
    browser.press(&[HOME]);
    browser.press(&["]"]);
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), 390);
    let outside = "return [...document.querySelectorAll('button, canvas, section')]
        .filter((e) => e.getBoundingClientRect().right > 390).map((e) => e.outerHTML)";
    assert_eq!(browser.run(outside), json!([]));
    // Large enough for a thumb.
    let small = "return [...document.querySelectorAll('main button')]
        .filter((e) => e.offsetParent && (e.offsetWidth < 40 || e.offsetHeight < 40)).map((e) => e.id)";
    assert_eq!(browser.run(small), json!([]));
    assert!(browser.run(PIXELS)["hand"].as_u64() > Some(300));
    is_clean(&browser);
}

#[test]
fn a_left_hander_is_drawn_mirrored_and_called_left_handed() {
    let Some(browser) = Browser::start(1280, 860) else { return };
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("left.mcap");
    let (frames, _) =
        recording::frames(&std::fs::read(shipped()).expect("reads")).expect("readable");
    let mut recorder = RecordingWriter::new(File::create(&file).expect("creates")).expect("begins");
    let mut wire = Vec::new();
    for frame in frames.iter().map(|(_, frame)| mirrored(frame)) {
        landmarks::encode(&frame, &mut wire);
        let stream = stream_id::parse(b"cam1").expect("valid");
        recorder.frame(&stream, ArrivalTime(frame.t.0), frame.t, &wire).expect("records");
    }
    recorder.finish().expect("finished");
    let (_view, url) = view(&file);
    browser.open(&url);
    browser.until("document.querySelectorAll('#decisions li').length >= 5");
    browser.press(&[HOME]);
    browser.press(&["]"]);
    assert_eq!(browser.text("hand"), "left hand dominantdrawn mirrored");
    let words = browser.run("return document.getElementById('skeleton').ariaLabel");
    assert!(
        words.as_str().expect("words").contains("dominant hand left, visible, raised"),
        "{words}"
    );
    // It stands where a right-hander's would.
    let pixels = browser.run(PIXELS);
    let (hand, left) = (pixels["hand"].as_u64(), pixels["left"].as_u64());
    assert!(hand > Some(300) && left > hand.map(|hand| hand * 9 / 10), "{pixels}");
    is_clean(&browser);
}

/// The frame as a mirror shows it.
fn mirrored(frame: &Frame) -> Frame {
    let mut out = Frame::new(frame.seq, frame.t, frame.width, frame.height);
    for part in BodyPart::ALL {
        let (to, swap) = match part {
            BodyPart::LeftHand => (BodyPart::RightHand, false),
            BodyPart::RightHand => (BodyPart::LeftHand, false),
            // Ears, shoulders, elbows, wrists and so on: an odd number left, the even one after it right.
            BodyPart::Pose => (BodyPart::Pose, true),
            BodyPart::Face => continue,
        };
        let Some(points) = frame.part(part) else { continue };
        for (i, p) in out.detect(to).iter_mut().enumerate() {
            let from = if swap && i > 8 { ((i - 1) ^ 1) + 1 } else { i };
            let [x, y, z] = points[from];
            *p = if is_missing(&points[from]) { [f32::NAN; 3] } else { [1.0 - x, y, z] };
        }
    }
    out
}

/// The shipped recording's events of a kind.
fn events(kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("tests/recordings/signer.events.jsonl"));
    let events = text
        .expect("reads")
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect::<Vec<Value>>();
    events.into_iter().filter(|event| event["kind"] == kind).collect()
}

#[test]
fn items_are_the_events_of_a_replay_and_a_scene_for_each_frame() {
    let lines = |command: &[&str]| -> Vec<String> {
        let mut signd = signd();
        let output =
            signd.args(command).arg(shipped()).arg("--model").arg(model()).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
    };
    let items = lines(&["view", "--items"]);
    let of = |kind: &str| {
        let mark = format!(r#""kind":"{kind}""#);
        items.iter().filter(move |line| line.contains(&mark)).cloned().collect::<Vec<_>>()
    };
    let events: Vec<String> = items
        .iter()
        .filter(|line| {
            ["frame", "sign", "status"]
                .iter()
                .any(|kind| line.contains(&format!(r#""kind":"{kind}""#)))
        })
        .cloned()
        .collect();
    assert_eq!(events, lines(&["replay"]));
    let seqs = |lines: &[String]| -> Vec<Value> {
        lines
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["seq"].clone())
            .collect()
    };
    assert_eq!(seqs(&of("scene")), seqs(&of("frame")));
    assert_eq!((of("hello").len(), of("truth").len()), (1, 5));
}

/// Contrast of text and of what must be told apart, by the Web Content Accessibility Guidelines.
#[test]
fn colours_stand_out_in_both_schemes() {
    let css = std::fs::read_to_string(root().join("src/observe/page/page.css")).expect("reads");
    let (light, dark) = css.split_once("prefers-color-scheme: dark").expect("two schemes");
    for (scheme, css) in [("light", light), ("dark", dark)] {
        let luminance = |name: &str| -> f64 {
            let (_, rest) =
                css.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("{name}"));
            let part = |i: usize| {
                let c = u8::from_str_radix(&rest[i..i + 2], 16).expect("a colour");
                let c = f64::from(c) / 255.0;
                if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
        };
        let check = |a: &str, b: &str, least: f64| {
            let (a_, b_) = (luminance(a), luminance(b));
            let ratio = (a_.max(b_) + 0.05) / (a_.min(b_) + 0.05);
            assert!(ratio >= least, "{scheme}: {a} on {b}: {ratio:.2}, least {least}");
        };
        for ground in ["ground", "card", "plot"] {
            for text in ["ink", "soft", "accent", "signing", "offset"] {
                check(text, ground, 4.5);
            }
        }
        for state in ["onset", "signing", "offset"] {
            check("on-state", state, 4.5);
        }
        for mark in ["other", "motion", "onset", "edge"] {
            check(mark, "card", if mark == "edge" { 2.0 } else { 3.0 });
        }
    }
}
