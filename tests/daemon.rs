//! The real binary, through its sockets and signals.

#[path = "common/stick_figure.rs"]
mod stick_figure;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use signd::frame::{Frame, SourceTime};
use signd::wire::landmarks;
use stick_figure::{Gesture, frames};

const GESTURES: [Gesture; 2] =
    [Gesture { at: 0.5, height: -0.4 }, Gesture { at: 3.0, height: 0.6 }];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary with the runtime as `make setup` leaves it and a model that tells whether the hand is
/// high or low.
fn signd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signd"));
    command.env("SIGND_MODEL", root().join("tests/models/place.onnx"));
    command.env("RUST_LOG", "info").env("ORT_DISABLE_TELEMETRY", "1");
    command
}

/// A running daemon; killed when dropped.
struct Daemon {
    child: Child,
    ingest: String,
    publish: String,
    log: BufReader<std::process::ChildStderr>,
    _folder: tempfile::TempDir,
}

impl Daemon {
    fn start(flags: &[&str]) -> Daemon {
        let folder = tempfile::tempdir().expect("folder");
        let endpoint = |name: &str| format!("ipc://{}", folder.path().join(name).display());
        let (ingest, publish) = (endpoint("in"), endpoint("out"));
        let mut child = signd()
            .args(["run", "--ingest", &ingest, "--publish", &publish])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let mut daemon = Daemon { child, ingest, publish, log, _folder: folder };
        daemon.wait_for("ready");
        daemon
    }

    fn wait_for(&mut self, words: &str) -> String {
        let mut line = String::new();
        while self.log.read_line(&mut line).expect("reads") > 0 {
            if line.contains(words) {
                return line;
            }
            line.clear();
        }
        panic!("the daemon ended without saying `{words}`");
    }

    /// Sends SIGTERM; returns the exit code and the summary of counters.
    fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        let asked = Instant::now();
        let summary = self.wait_for("ended:");
        let code = self.child.wait().expect("ends").code();
        assert!(asked.elapsed() < Duration::from_secs(2), "drains within two seconds");
        (code, summary)
    }

    fn watch(&self, context: &zmq::Context, prefix: &str) -> zmq::Socket {
        let socket = context.socket(zmq::SUB).expect("socket");
        socket.set_subscribe(prefix.as_bytes()).expect("subscribes");
        socket.set_rcvtimeo(5000).expect("sets");
        socket.set_rcvhwm(100_000).expect("sets");
        socket.connect(&self.publish).expect("connects");
        socket
    }

    /// A camera: a socket on which the daemon already listens.
    fn camera(&self, context: &zmq::Context) -> zmq::Socket {
        let socket = context.socket(zmq::XPUB).expect("socket");
        socket.set_sndhwm(100_000).expect("sets");
        socket.connect(&self.ingest).expect("connects");
        socket.recv_bytes(0).expect("the daemon subscribes");
        socket
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn send(camera: &zmq::Socket, stream: &str, body: &[u8]) {
    camera.send(stream, zmq::SNDMORE).expect("sends");
    camera.send(body, 0).expect("sends");
}

fn send_frame(camera: &zmq::Socket, stream: &str, frame: &Frame) {
    let mut body = Vec::new();
    landmarks::encode(frame, &mut body);
    send(camera, stream, &body);
}

fn receive(socket: &zmq::Socket) -> Option<(String, Value)> {
    let parts = socket.recv_multipart(0).ok()?;
    let topic = String::from_utf8(parts[0].clone()).expect("UTF-8");
    Some((topic, rmp_serde::from_slice(&parts[1]).expect("MessagePack")))
}

/// Everything up to and including `gone`.
fn until_gone(socket: &zmq::Socket) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    while let Some(event) = receive(socket) {
        let gone = event.1["status"] == "gone";
        events.push(event);
        if gone {
            return events;
        }
    }
    panic!("no `gone` after {} events", events.len());
}

fn without_latency(mut event: Value) -> Value {
    if event["latency_us"].is_u64() {
        event["latency_us"] = Value::Null;
    }
    // A number that went through MessagePack is a widened f32; one from JSON was parsed as f64.
    let narrow =
        |p: &mut Value| *p = serde_json::json!((p.as_f64().unwrap_or(0.0) as f32).to_string());
    if event["p"].is_number() {
        narrow(&mut event["p"]);
    }
    for pair in event["top"].as_array_mut().into_iter().flatten() {
        narrow(&mut pair[1]);
    }
    event
}

/// Replays the daemon's own recording.
fn replay(path: &Path, flags: &[&str]) -> Vec<Value> {
    let output = signd().arg("replay").arg(path).args(flags).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn frames_in_are_events_out_and_the_same_as_in_replay() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("run.mcap");
    let daemon = Daemon::start(&["--record", recording.to_str().expect("UTF-8")]);
    let context = zmq::Context::new();
    let watch = daemon.watch(&context, "");
    let camera = daemon.camera(&context);
    std::thread::sleep(Duration::from_millis(200)); // the subscription arrives
    let frames = frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000));
    for frame in &frames {
        send_frame(&camera, "cam1", frame);
        // Ten times as fast as a camera, and still slow enough that no hypothesis is skipped.
        std::thread::sleep(Duration::from_millis(3));
    }
    std::thread::sleep(Duration::from_millis(300));
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(summary.contains("received=165"), "{summary}");

    let live = until_gone(&watch);
    let seqs: Vec<u64> = live
        .iter()
        .filter(|(topic, _)| topic == "frame/cam1/")
        .filter_map(|(_, e)| e["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (0..165).collect::<Vec<_>>(), "one frame event per frame, in order");
    let signs: Vec<&str> =
        live.iter().filter(|(t, _)| t.starts_with("sign/")).map(|(t, _)| t.as_str()).collect();
    assert_eq!(signs, ["sign/cam1/high", "sign/cam1/low"]);

    let replayed: Vec<Value> = replay(&recording, &[]).into_iter().map(without_latency).collect();
    let live: Vec<Value> = live.into_iter().map(|(_, event)| without_latency(event)).collect();
    assert_eq!(live.len(), replayed.len());
    for (live, replayed) in live.iter().zip(&replayed) {
        if live["kind"] == "frame" && live["top_seq"] != live["seq"] {
            continue; // hypotheses skipped under load
        }
        assert_eq!(live, replayed);
    }
}

#[test]
fn four_streams_at_once_decide_what_replay_decides() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("run.mcap");
    let daemon = Daemon::start(&["--record", recording.to_str().expect("UTF-8")]);
    let context = zmq::Context::new();
    let watch = daemon.watch(&context, "sign/");
    let camera = daemon.camera(&context);
    std::thread::sleep(Duration::from_millis(200));
    let frames = frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000));
    for frame in &frames {
        for stream in ["a", "b", "c", "d"] {
            send_frame(&camera, stream, frame);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(daemon.stop().0, Some(0));
    let signs: Vec<Value> =
        (0..8).filter_map(|_| receive(&watch)).map(|(_, e)| without_latency(e)).collect();
    let replayed = replay(&recording, &[]).into_iter().filter(|e| e["kind"] == "sign");
    let replayed: Vec<Value> = replayed.map(without_latency).collect();
    assert_eq!(signs.len(), 8);
    assert_eq!(signs, replayed);
    // All four saw the same, so all four decided the same.
    let alone = |stream: &str| -> Vec<Value> {
        let of = signs.iter().filter(|sign| sign["stream"] == stream).cloned();
        of.map(|mut sign| {
            sign["stream"] = Value::Null;
            sign
        })
        .collect()
    };
    assert!(["b", "c", "d"].iter().all(|stream| alone(stream) == alone("a")));
}

/// All frames at once: while the model computes its first answer, the rest of them come to wait.
#[test]
fn a_model_slower_than_the_camera_costs_hypotheses_but_no_frame_and_no_decision() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("run.mcap");
    let slow = root().join("tests/models/slow.onnx");
    let slow = ["--model", slow.to_str().expect("UTF-8")];
    let daemon =
        Daemon::start(&[&slow[..], &["--record", recording.to_str().expect("UTF-8")]].concat());
    let context = zmq::Context::new();
    let watch = daemon.watch(&context, "");
    let camera = daemon.camera(&context);
    std::thread::sleep(Duration::from_millis(200));
    let frames = frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000));
    frames.iter().for_each(|frame| send_frame(&camera, "cam1", frame));
    let mut live = Vec::new();
    while live.last().is_none_or(|(_, event): &(String, Value)| event["seq"] != 164) {
        live.push(receive(&watch).expect("an event"));
    }
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    live.extend(until_gone(&watch));

    let live: Vec<Value> = live.into_iter().map(|(_, event)| without_latency(event)).collect();
    let replayed: Vec<Value> = replay(&recording, &slow).into_iter().map(without_latency).collect();
    let of = |events: &[Value], kind: &str| -> Vec<Value> {
        events.iter().filter(|event| event["kind"] == kind).cloned().collect()
    };
    assert_eq!(of(&live, "sign").len(), 2);
    assert_eq!(of(&live, "sign"), of(&replayed, "sign"));
    let (live, replayed) = (of(&live, "frame"), of(&replayed, "frame"));
    assert_eq!((live.len(), replayed.len()), (165, 165));
    let mut skipped = 0;
    for (seq, (mut live, mut replayed_now)) in live.into_iter().zip(replayed.clone()).enumerate() {
        assert_eq!(live["seq"], seq, "one event per frame, in order");
        if live["top_seq"] != live["seq"] {
            skipped += 1;
            match live["top_seq"].as_u64() {
                None => assert_eq!(live["top"], serde_json::json!([])),
                Some(then) => {
                    assert!(then < seq as u64);
                    assert_eq!(live["top"], replayed[then as usize]["top"], "as of frame {then}");
                }
            }
            for event in [&mut live, &mut replayed_now] {
                event["top"] = Value::Null;
                event["top_seq"] = Value::Null;
            }
        }
        assert_eq!(live, replayed_now);
    }
    let count = summary.split("skipped=").nth(1).and_then(|s| s.split_whitespace().next());
    let counted: usize = count.and_then(|n| n.parse().ok()).expect("a number");
    assert!(skipped > 0 && counted >= skipped, "{skipped} {summary}");
}

#[test]
fn every_bad_input_is_counted_by_reason_and_the_daemon_goes_on() {
    let daemon =
        Daemon::start(&["--config", root().join("tests/one_stream.toml").to_str().expect("UTF-8")]);
    let context = zmq::Context::new();
    let watch = daemon.watch(&context, "frame/");
    let camera = daemon.camera(&context);
    std::thread::sleep(Duration::from_millis(200));
    let mut frames = frames(&[], 1.0, 30.0, SourceTime(1_000_000_000)).into_iter();
    let mut next = || frames.next().expect("enough");
    let encode = |frame: &Frame| {
        let mut body = Vec::new();
        landmarks::encode(frame, &mut body);
        body
    };
    send_frame(&camera, "cam1", &next());
    let good = encode(&next());

    camera.send("cam1", 0).expect("one part");
    send(&camera, "no/slash", &good);
    send(&camera, "cam2", &good); // one stream is configured
    send(&camera, "cam1", &vec![0x81; 70_000]);
    send(&camera, "cam1", &rmp_serde::to_vec(&serde_json::json!({"v": 2})).expect("packs"));
    send(&camera, "cam1", b"hello");
    send(&camera, "cam1", &good[..good.len() - 1]);
    send(&camera, "cam1", &[&good[..], &[0]].concat());
    let mut infinite = next();
    infinite.detect(signd::frame::Part::Pose)[0][0] = f32::INFINITY;
    send_frame(&camera, "cam1", &infinite);
    let late = Frame::new(9, SourceTime(1_000_000_000), 640, 480);
    send_frame(&camera, "cam1", &late);
    send_frame(&camera, "cam1", &next());

    let seqs: Vec<Option<u64>> =
        (0..2).filter_map(|_| receive(&watch)).map(|(_, e)| e["seq"].as_u64()).collect();
    assert_eq!(seqs, [Some(0), Some(3)]);
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    for reason in [
        "parts=1",
        "stream_id=1",
        "too_many_streams=1",
        "oversized=1",
        "version=1",
        "malformed=2",
        "trailing=1",
        "infinite=1",
        "time_not_rising=1",
    ] {
        assert!(summary.contains(&format!("dropped.{reason}")), "{reason}: {summary}");
    }
}

#[test]
fn a_late_subscriber_learns_the_status_at_once() {
    let daemon = Daemon::start(&[]);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    send_frame(&camera, "cam1", &Frame::new(0, SourceTime(1), 640, 480));
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..2 {
        let watch = daemon.watch(&context, "status/");
        let (topic, event) = receive(&watch).expect("the retained status");
        assert_eq!((topic.as_str(), &event["status"]), ("status/cam1/", &Value::from("appeared")));
        assert_eq!(event["retained"], true);
    }
    // Then silence: the stream stalls.
    let watch = daemon.watch(&context, "status/");
    let stalled = std::iter::from_fn(|| receive(&watch)).any(|(_, e)| e["status"] == "stalled");
    assert!(stalled);
}

#[test]
fn a_bad_configuration_or_model_ends_with_78_and_the_reason() {
    for (flags, reason) in [
        (["--model", "Cargo.toml"], "ONNX Runtime"),
        (["--model", "no/such.onnx"], "no/such.onnx"),
        (["--config", "Cargo.toml"], "unknown field"),
    ] {
        let output = signd().current_dir(root()).arg("check").args(flags).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{flags:?}: {said}");
        assert!(said.contains(reason), "{flags:?}: {said}");
    }
}
