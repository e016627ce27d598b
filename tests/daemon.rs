//! The real binary, through its sockets and signals.

use std::path::Path;
use std::time::Duration;

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, receive, root, send_frame, signd, until_gone};
use serde_json::Value;
use signd_core::frame::{Frame, SourceTime};

const GESTURES: [Gesture; 2] =
    [Gesture { at: 0.5, height: -0.4 }, Gesture { at: 3.0, height: 0.6 }];

/// A live event without what no replay has: its latency and the run.
fn as_replayed(mut event: Value) -> Value {
    if event["latency_us"].is_u64() {
        event["latency_us"] = Value::Null;
    }
    let run = event.as_object_mut().and_then(|event| event.remove("run"));
    assert!(run.is_none_or(|run| run.as_str().is_some_and(|run| run.len() == 8)));
    // A number that went through MessagePack is a widened f32; one from JSON was parsed as f64.
    let narrow =
        |p: &mut Value| *p = serde_json::json!((p.as_f64().unwrap_or(0.0) as f32).to_string());
    for key in ["p", "threshold"] {
        if event[key].is_number() {
            narrow(&mut event[key]);
        }
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

    let replayed: Vec<Value> = replay(&recording, &[]).into_iter().map(as_replayed).collect();
    let live: Vec<Value> = live.into_iter().map(|(_, event)| as_replayed(event)).collect();
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
        (0..8).filter_map(|_| receive(&watch)).map(|(_, e)| as_replayed(e)).collect();
    let replayed = replay(&recording, &[]).into_iter().filter(|e| e["kind"] == "sign");
    let replayed: Vec<Value> = replayed.map(as_replayed).collect();
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

    let live: Vec<Value> = live.into_iter().map(|(_, event)| as_replayed(event)).collect();
    let replayed: Vec<Value> = replay(&recording, &slow).into_iter().map(as_replayed).collect();
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
    assert!(skipped > 0 && counted == skipped, "{skipped} {summary}");
}

/// Seven frames at once, of seven streams, so that rows come to wait and share calls.
#[test]
fn a_stream_model_is_fed_every_row_and_replay_says_the_same_to_the_bit() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("run.mcap");
    let pace = root().join("tests/models/pace-stream.onnx");
    let pace = ["--model", pace.to_str().expect("UTF-8")];
    let daemon =
        Daemon::start(&[&pace[..], &["--record", recording.to_str().expect("UTF-8")]].concat());
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let watch = daemon.listen(&context);
    let frames = frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000));
    for frame in &frames {
        for stream in ["a", "b", "c", "d", "e", "f", "g"] {
            // No two of them are at the same point of their session.
            let ahead = 20 * u64::from(stream.as_bytes()[0] - b'a');
            if let Some(later) = frames.get((frame.seq + ahead) as usize) {
                send_frame(&camera, stream, later);
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut live = Vec::new();
    while live.last().is_none_or(|event: &Value| event["stream"] != "a" || event["seq"] != 164) {
        live.push(receive(&watch).expect("an event").1);
    }
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(summary.contains("skipped=0"), "{summary}");
    let of = |kind: &str| live.iter().filter(|e| e["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("frame").len(), (0..7).map(|k| 165 - 20 * k).sum::<usize>());
    assert!(of("frame").iter().all(|e| e["top_seq"] == e["seq"]));
    assert!(of("sign").iter().any(|e| e["label"] == "high"));
    assert!(of("sign").iter().any(|e| e["label"] == "low"));

    let verify = signd().args(["replay", "--verify"]).arg(&recording).args(pace).output();
    let verify = verify.expect("runs");
    let said = String::from_utf8_lossy(&verify.stdout);
    assert!(verify.status.success(), "{said}");
    assert!(said.contains(&format!("{} decisions", of("sign").len())), "{said}");
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
fn a_sign_that_is_open_when_the_daemon_ends_is_decided() {
    let daemon = Daemon::start(&[]);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let frames = frames(&GESTURES, 1.7, 30.0, SourceTime(1_000_000_000));
    let watch = daemon.listen(&context);
    frames.iter().for_each(|frame| send_frame(&camera, "cam1", frame));
    let last = std::iter::from_fn(|| receive(&watch)).find(|(_, e)| e["seq"] == 50);
    assert_eq!(last.expect("frames").1["state"], "signing", "a sign is open");

    assert_eq!(daemon.stop().0, Some(0));
    let told: Vec<_> = until_gone(&watch);
    let topics: Vec<&str> = told.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["sign/cam1/high", "status/cam1/"]);
    assert_eq!((&told[0].1["ended"], &told[0].1["end_seq"]), (&"end".into(), &50.into()));
    assert_eq!(told[1].1["reason"], "shutdown");
}

#[test]
fn events_are_json_when_so_configured() {
    let daemon = Daemon::configured("encoding = \"json\"", &[]);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let watch = daemon.watch(&context, "status/");
    send_frame(&camera, "cam1", &Frame::new(0, SourceTime(1), 640, 480));
    let parts = watch.recv_multipart(0).expect("the status");
    assert_eq!(parts[0], b"status/cam1/");
    let event: Value = serde_json::from_slice(&parts[1]).expect("JSON");
    assert_eq!((&event["kind"], &event["status"]), (&"status".into(), &"appeared".into()));
}

#[test]
fn a_bad_configuration_or_model_ends_with_78_and_the_reason() {
    for (flags, reason) in [
        (["--model", "Cargo.toml"], "not an ONNX model"),
        (["--model", "no/such.onnx"], "no/such.onnx"),
        (["--config", "Cargo.toml"], "`bench` in the file Cargo.toml names no setting"),
    ] {
        let output = signd().current_dir(root()).arg("check").args(flags).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{flags:?}: {said}");
        assert!(said.contains(reason), "{flags:?}: {said}");
    }
}
