//! `/status`: a daemon tells programs how it fares.

use std::time::{Duration, Instant};

use crate::common::http::{ask, get};
use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, encode, receive, root, send, send_frame};
use serde_json::{Value, json};
use signd::observe::status::{DaemonStatus, EndpointStatus, StreamStatus};
use signd_core::frame::{BodyPart, Frame, SourceTime};

const HTTP: [&str; 2] = ["--http", "127.0.0.1:0"];

/// The status once `done` says that it has come so far.
fn status(daemon: &Daemon, done: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = get(&daemon.http, "/status");
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
        let status: Value = serde_json::from_str(&answer.body).expect("JSON");
        if done(&status) {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn drop_of<'a>(status: &'a Value, reason: &str) -> &'a Value {
    let drops = status["drops"].as_array().expect("a list");
    drops.iter().find(|drop| drop["reason"] == reason).unwrap_or(&Value::Null)
}

// A client that sends float64 got "no frame arrived, start the camera client", while the daemon's log had the
// reason.
#[test]
fn what_is_refused_is_told_with_the_last_reason_in_words() {
    let daemon = Daemon::start(&HTTP);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let mut frame = Frame::new(0, SourceTime(1_000_000_000), 640, 480);
    for (i, p) in frame.detect(BodyPart::Pose).iter_mut().enumerate() {
        *p = [0.01 * i as f32, 0.5, 0.0];
    }
    for seq in 0..3 {
        (frame.seq, frame.t) = (seq, SourceTime(1_000_000_000 + seq * 33_000_000));
        send_frame(&camera, "cam1", &frame);
    }
    frame.seq += 1;
    send_frame(&camera, "cam1", &frame); // its time is the last one's
    let mut double =
        rmp_serde::to_vec_named(&json!({"v": 1, "seq": 0, "t": 1, "w": 640, "h": 480}))
            .expect("packs");
    double[0] += 1;
    double.extend(rmp_serde::to_vec("face").expect("packs"));
    double.extend(rmp_serde::to_vec(&serde_bytes::ByteBuf::from(vec![0; 11_232])).expect("packs"));
    send(&camera, "cam2", &double);
    send(&camera, "living room", &encode(&frame));
    camera.send("alone", 0).expect("sends");

    let said = status(&daemon, |status| {
        ["length", "stream_id", "parts", "time_not_rising"]
            .iter()
            .all(|r| drop_of(status, r)["count"] == 1)
    });
    let length = drop_of(&said, "length");
    assert_eq!((&length["stage"], &length["last"]["stream"]), (&json!("ingest"), &json!("cam2")));
    assert_eq!(length["last"]["why"], "face: 11232 bytes (expected 5616 or 5736)");
    assert!(length["last"]["seconds_ago"].as_f64().is_some_and(|s| s < 20.0), "{length}");
    let id = drop_of(&said, "stream_id");
    assert_eq!(id["last"]["stream"], Value::Null);
    assert!(id["last"]["why"].as_str().is_some_and(|why| why.contains("\"living room\"")), "{id}");
    assert_eq!(drop_of(&said, "time_not_rising")["stage"], "continuity");
    assert_eq!(drop_of(&said, "ring_full"), &Value::Null, "what has not occurred is left out");
    assert_eq!((&said["received"], &said["refused"]), (&json!(4), &json!([])));

    let streams = said["streams"].as_array().expect("a list");
    assert_eq!(streams.len(), 1, "a stream of which no frame was taken is none: {streams:?}");
    let cam = &streams[0];
    assert_eq!(
        (&cam["stream"], &cam["frames"], &cam["lost"]),
        (&json!("cam1"), &json!(3), &json!(0))
    );
    assert_eq!((&cam["hands_percent"], &cam["body_percent"]), (&json!(0.0), &json!(100.0)));
}

#[test]
fn a_daemon_knows_its_own_endpoints() {
    let endpoints = EndpointStatus {
        ingest: vec!["pull:tcp://127.0.0.1:5556".into(), "sub+connect:tcp://10.0.0.7:1".into()],
        publish: "ipc:///run/signd/events".into(),
        http: "[::1]:5558".into(),
    };
    let holds = |text: &str| endpoints.holds(&text.parse().expect("an endpoint"));
    for own in ["tcp://127.0.0.1:5556", "ipc:///run/signd/events", "tcp://[::1]:5558"] {
        assert!(holds(own), "{own}");
    }
    for other in ["tcp://127.0.0.1:5557", "tcp://10.0.0.7:1", "ipc:///run/signd/frames"] {
        assert!(!holds(other), "{other}");
    }
}

#[test]
fn a_stream_is_told_with_its_rate_until_it_stalls_and_goes() {
    let daemon = Daemon::configured("stall_ms = 300\ngone_ms = 1500\n", &HTTP);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let session =
        frames(&[Gesture { at: 0.2, height: -0.4 }], 1.0, 30.0, SourceTime(1_000_000_000));
    for frame in &session {
        if frame.seq != 7 {
            send_frame(&camera, "cam1", frame);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let sent = session.len() as u64 - 1;
    let of = |status: &Value| status["streams"][0].clone();
    let said = of(&status(&daemon, |status| of(status)["frames"] == sent));
    assert_eq!(said["lost"], 1);
    assert!(said["fps"].as_f64().is_some_and(|fps| fps > 1.0), "{said}");
    assert!(said["hands_percent"].as_f64().is_some_and(|share| share > 0.0), "{said}");
    let said = of(&status(&daemon, |status| of(status)["status"] == "stalled"));
    assert!(said["seconds_since_last"].as_f64().is_some_and(|s| s >= 0.3), "{said}");
    status(&daemon, |status| status["streams"] == json!([]));
}

#[test]
fn the_daemon_says_what_it_is_and_its_events_name_the_same_run() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("run.mcap");
    let mut daemon =
        Daemon::start(&[&HTTP[..], &["--record", recording.to_str().expect("UTF-8")]].concat());
    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let said = status(&daemon, |_| true);
    assert_eq!((&said["v"], &said["version"]), (&json!(1), &json!(env!("CARGO_PKG_VERSION"))));
    let endpoints =
        json!({"ingest": [daemon.ingest], "publish": daemon.publish, "http": daemon.http});
    assert_eq!(said["endpoints"], endpoints);
    assert_eq!(said["model"]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(said["settings"].as_str().map(str::len), Some(64));
    assert_eq!(said["recording"]["active"], true);
    assert!(said["uptime_s"].as_f64() > Some(0.0) && said["started"].as_f64() > Some(1.7e9));
    assert!(said["pid"].as_u64() > Some(1));
    send_frame(&daemon.camera(&context), "cam1", &Frame::new(0, SourceTime(1), 640, 480));
    for _ in 0..2 {
        assert_eq!(receive(&watch).expect("an event").1["run"], said["run"]);
    }
    // The settings at work are those of the last reload.
    std::fs::write(daemon.config(), "[decide]\nthreshold = 0.9\n").expect("writes");
    daemon.signal("HUP");
    daemon.wait_for("reloaded");
    let reloaded = status(&daemon, |status| status["settings"] != said["settings"]);
    assert_eq!(reloaded["run"], said["run"]);
    // Another run is another one.
    assert_ne!(status(&Daemon::start(&HTTP), |_| true)["run"], said["run"]);
}

#[test]
fn pages_of_other_sites_are_not_told() {
    let daemon = Daemon::start(&HTTP);
    let from = |headers: &str| {
        let request = format!("GET /status HTTP/1.0\r\n{headers}\r\n\r\n");
        ask(&daemon.http, request.as_bytes()).status
    };
    assert_eq!(from(&format!("Host: {}", daemon.http)), 200);
    assert_eq!(from(&format!("Host: {}\r\nOrigin: http://evil.example", daemon.http)), 403);
    assert_eq!(from("Host: evil.example"), 421);
}

#[test]
fn the_operations_page_documents_every_key_and_no_other() {
    let page = std::fs::read_to_string(root().join("docs/operations.md")).expect("reads");
    let section = page
        .split("## ")
        .find(|section| section.starts_with("Status for programs"))
        .expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let words = first.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut listed: Vec<&str> = words.filter(|word| !word.contains('.')).collect();
    let keys =
        |value: Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let mut real = keys(serde_json::to_value(DaemonStatus::default()).expect("JSON"));
    real.extend(keys(serde_json::to_value(StreamStatus::default()).expect("JSON")));
    listed.sort_unstable();
    real.sort_unstable();
    assert_eq!(listed, real);
}
