//! The HTTP endpoint of the real daemon: what it counts, what it shows, and whom it refuses.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use crate::common::http::{Viewer, ask, get, metrics, send};
use crate::common::stick_figure::{Gesture, frames};
use crate::common::{
    Daemon, HELLO, receive, receive_with_doubts, send_frame, signd, terminate, wait,
};
use serde_json::{Value, json};
use signd_core::drop_reason::DropReason;
use signd_core::frame::{Frame, SourceTime};

const HTTP: [&str; 2] = ["--http", "127.0.0.1:0"];
const GESTURES: [Gesture; 2] =
    [Gesture { at: 0.5, height: -0.4 }, Gesture { at: 3.0, height: 0.6 }];

fn session() -> Vec<Frame> {
    frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Events up to the frame of this number, as they were sent.
fn until(watch: &zmq::Socket, seq: u64) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let parts = watch.recv_multipart(0).expect("an event");
        let event = String::from_utf8(parts[1].clone()).expect("UTF-8");
        let value = json(&event);
        if value["stream"] == HELLO {
            continue;
        }
        told.push(event);
        if value["kind"] == "frame" && value["seq"] == seq {
            return told;
        }
    }
}

#[test]
fn metrics_count_what_the_daemon_says_it_has_counted() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = folder.path().join("run.mcap");
    let recorded = ["--record", recording.to_str().expect("UTF-8")];
    let daemon = Daemon::start(&[HTTP, recorded].concat());
    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let camera = daemon.camera(&context);
    let mut session = session();
    let late = session[10].clone();
    session.insert(20, late); // its capture time has long passed
    let (mut events, mut signs, mut skipped) = (0, 0, 0);
    for (i, frame) in session.iter().enumerate() {
        send_frame(&camera, "cam1", frame);
        if i == 20 {
            continue; // nothing follows from it
        }
        loop {
            let (_, event) = receive_with_doubts(&watch).expect("one event per frame");
            events += 1;
            signs += u64::from(event["kind"] == "sign");
            if event["kind"] == "frame" {
                skipped += u64::from(event["top_seq"] != event["seq"]);
                break;
            }
        }
    }
    // A frame is counted once it has been passed on, and an event once it has been sent. So what the last
    // one led to may be seen before.
    let found = wait("the last frame and its event to be counted", || {
        let answer = get(&daemon.http, "/metrics");
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
        let found = metrics(&answer.body);
        let published = found[r#"signd_events_published_total{kind="frame"}"#];
        (found["signd_frames_received_total"] >= 167.0 && published >= 166.0).then_some(found)
    });
    let value = |series: &str| *found.get(series).unwrap_or_else(|| panic!("{series}")) as u64;

    // One frame and two events are those of the stream by which the subscriber was heard.
    assert_eq!((value("signd_frames_received_total"), signs), (167, 2));
    assert_eq!(value(r#"signd_events_published_total{kind="frame"}"#), 166);
    assert_eq!(value(r#"signd_events_published_total{kind="sign"}"#), signs);
    let published = found.iter().filter(|(s, _)| s.starts_with("signd_events_published_total"));
    assert_eq!(published.map(|(_, n)| *n as u64).sum::<u64>(), events + 2);
    assert_eq!(value("signd_hypotheses_skipped_total"), skipped);
    for reason in DropReason::ALL {
        let (stage, name) = (reason.stage(), reason.name());
        let series = format!(r#"signd_frames_dropped_total{{stage="{stage}",reason="{name}"}}"#);
        assert_eq!(value(&series), u64::from(reason == DropReason::TimeNotRising), "{series}");
    }
    assert_eq!(value(r#"signd_decisions_total{outcome="known",ended="rest"}"#), 2);
    let decisions = found.keys().filter(|s| s.starts_with("signd_decisions_total")).count();
    assert_eq!(decisions, 18, "every outcome, also those that have not been");
    assert_eq!(value("signd_frame_latency_seconds_count"), 166);
    let stage = |name| value(&format!(r#"signd_stage_duration_seconds_count{{stage="{name}"}}"#));
    assert_eq!(["decode", "front", "infer"].map(stage), [167, 167, 166]);
    assert_eq!(stage("publish"), events + 2);
    let streams = ["active", "stalled"].map(|s| value(&format!(r#"signd_streams{{state="{s}"}}"#)));
    assert_eq!(streams.iter().sum::<u64>(), 2);
    assert_eq!(value("signd_recording_active"), 1);
    assert!(value("signd_recording_file_bytes") > 0 && value("process_resident_memory_bytes") > 0);
    assert!(value("process_open_fds") > 3 && value("process_start_time_seconds") > 1_700_000_000);
    for queue in ["ring", "waiting"] {
        assert_eq!(value(&format!(r#"signd_queue_depth{{queue="{queue}"}}"#)), 0);
    }
    let model = found.keys().find(|s| s.starts_with("signd_model_info")).expect("the model");
    assert!(model.contains(r#"contract="features""#) && model.contains("sha256=\""), "{model}");

    let (_, summary) = daemon.stop();
    let said = format!("received=167 skipped={skipped} dropped.time_not_rising=1");
    assert!(summary.contains(&said), "{summary}");
}

#[test]
fn the_listed_metrics_are_those_of_a_daemon() {
    let families = |text: &str| -> Vec<String> {
        metrics(text);
        text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect()
    };
    let listed = signd().arg("metrics").output().expect("runs");
    let listed = families(&String::from_utf8(listed.stdout).expect("UTF-8"));
    let daemon = Daemon::start(&HTTP);
    assert_eq!(listed, families(&get(&daemon.http, "/metrics").body));
}

#[test]
fn a_daemon_without_a_camera_is_healthy_and_ready() {
    let daemon = Daemon::start(&HTTP);
    for (path, said) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = get(&daemon.http, path);
        assert_eq!((answer.status, answer.body.as_str()), (200, said));
        for header in [
            "content-security-policy: default-src 'self'; ",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(answer.head.contains(header), "{}", answer.head);
        }
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
    }
    assert_eq!(get(&daemon.http, "/none").status, 404);
    // Without tokens the age would only grow.
    let age = || metrics(&get(&daemon.http, "/metrics").body)["signd_progress_age_seconds"];
    let fell = (0..100).any(|_| {
        let before = age();
        std::thread::sleep(Duration::from_millis(50));
        age() < before
    });
    assert!(fell, "something comes through");
}

#[test]
fn other_names_other_origins_and_other_methods_are_refused() {
    let daemon = Daemon::configured("[http]\nhosts = [\"signs.example\"]", &HTTP);
    let at = daemon.http.as_str();
    let status = |line: &str, headers: &[String]| {
        let headers = headers.concat();
        ask(at, format!("{line}\r\n{headers}Connection: close\r\n\r\n").as_bytes()).status
    };
    let host = |name: &str| format!("Host: {name}\r\n");
    let port = at.rsplit(':').next().expect("a port");
    let line = "GET /live HTTP/1.1";
    for path in ["/live", "/metrics", "/healthz", "/none"] {
        let line = format!("GET {path} HTTP/1.1");
        for name in [format!("evil.example:{port}"), "evil.example".into(), "127.0.0.1".into()] {
            assert_eq!(status(&line, &[host(&name)]), 421, "{path} {name}");
        }
        assert_eq!(status(&line, &[]), 400, "{path} without a name");
        let crossed = [host(at), "Origin: http://evil.example\r\n".into()];
        assert_eq!(status(&line, &crossed), 403, "{path}");
    }
    assert_eq!(status(line, &[host(at), host("evil.example")]), 400);
    assert_eq!(status("GET http://evil.example/live HTTP/1.1", &[host(at)]), 421);
    let health = "GET /healthz HTTP/1.1";
    for name in [format!("localhost:{port}"), format!("signs.example:{port}")] {
        let own = format!("Origin: http://{name}\r\n");
        assert_eq!(status(health, &[host(&name), own]), 200, "{name}");
        assert_eq!(status(health, &[host(&name), "Origin: null\r\n".into()]), 403, "{name}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let line = format!("{method} /healthz HTTP/1.1");
        assert_eq!(status(&line, &[host(at)]), 405, "{method}");
    }
    let head = ask(at, format!("HEAD /healthz HTTP/1.0\r\nHost: {at}\r\n\r\n").as_bytes());
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn a_header_too_large_is_refused_and_no_http_at_all_too() {
    let daemon = Daemon::start(&HTTP);
    let at = daemon.http.as_str();
    let get_with = |filler: String| {
        let request = format!("GET /healthz HTTP/1.0\r\nHost: {at}\r\n{filler}\r\n");
        let mut stream = send(at, b"");
        // The daemon may have closed before all of it is written.
        drop(stream.write_all(request.as_bytes()));
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        answer
    };
    assert!(get_with("X-Some: thing\r\n".into()).starts_with("HTTP/1.0 200"));
    let long = get_with(format!("X-Long: {}\r\n", "x".repeat(100_000)));
    assert!(!long.contains("200 OK"), "{long}");
    let many = get_with("X-One: more\r\n".repeat(100));
    assert!(!many.contains("200 OK"), "{many}");
    let noise = get_with("\0\u{1}\r\n".into());
    assert!(!noise.contains("200 OK"), "{noise}");
    assert_eq!(get(at, "/healthz").status, 200);
}

#[test]
fn clients_that_never_finish_their_request_do_not_stop_others_and_are_shown_out() {
    let daemon = Daemon::start(&HTTP);
    let mut slow: Vec<_> = (0..40).map(|_| send(&daemon.http, b"GET /metrics HT")).collect();
    slow.extend((0..10).map(|_| send(&daemon.http, b"")));
    assert_eq!(get(&daemon.http, "/healthz").status, 200);
    for stream in &mut slow {
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
}

#[test]
fn a_viewer_sees_what_a_subscriber_sees_to_the_byte() {
    let daemon = Daemon::configured("encoding = \"json\"\nstall_ms = 60000", &HTTP);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    // The first frame's status, and all that follow.
    let watch = daemon.watch(&context, "");
    let session = session();
    send_frame(&camera, HELLO, &session[0]);
    while json(&String::from_utf8_lossy(&watch.recv_multipart(0).expect("heard")[1]))["stream"]
        != HELLO
    {}

    // Once it has reached one viewer the next one gets it as the status that there is.
    Viewer::join(&daemon.http, "").0.next().expect("the status");
    let (mut viewer, hello) = Viewer::join(&daemon.http, "");
    assert_eq!(hello["kind"], "hello");
    assert_eq!(
        (&hello["version"], &hello["labels"]),
        (&json!(env!("CARGO_PKG_VERSION")), &json!(3))
    );
    let (only, _) = Viewer::join(&daemon.http, "?stream=cam2");
    let retained = json(&viewer.next().expect("the status there was"));
    let (mut told, mut seen) = (Vec::new(), Vec::new());
    for frame in &session {
        for stream in ["cam1", "cam2"] {
            send_frame(&camera, stream, frame);
        }
        // A viewer who falls behind loses items, so each one is looked at when it comes.
        let both = [until(&watch, frame.seq), until(&watch, frame.seq)].concat();
        seen.extend(viewer.by_ref().take(both.len()));
        told.extend(both);
    }
    let run = &json(&told[0])["run"];
    let expected = json!({"v": 1, "kind": "status", "stream": HELLO, "status": "appeared", "seq": 0,
        "t": 1_000_000_000, "reason": "first_frame", "run": run, "retained": true});
    assert_eq!(retained, expected);
    assert_eq!(seen, told);
    let of = |stream: &str| -> Vec<String> {
        told.iter().filter(|text| json(text)["stream"] == stream).cloned().collect()
    };
    // Frames, the appearance, the doubt about its clock, decisions.
    assert_eq!(of("cam2").len(), 165 + 1 + 1 + 2);
    assert_eq!(only.take(of("cam2").len()).collect::<Vec<_>>(), of("cam2"));
    assert_eq!(get(&daemon.http, "/live?stream=no/slash").status, 400);
}

#[test]
fn a_viewer_who_does_not_read_loses_items_is_told_and_nobody_else_notices() {
    const FRAMES: u64 = 20_000;
    let daemon = Daemon::configured("stall_ms = 60000", &HTTP);
    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let camera = daemon.camera(&context);
    let (viewer, _) = Viewer::join(&daemon.http, "?stream=cam1");
    // Another one reads, and so paces the camera: the server's own queue has always room.
    let (mut reading, _) = Viewer::join(&daemon.http, "?stream=cam1");
    for seq in 0..FRAMES {
        send_frame(&camera, "cam1", &Frame::new(seq, SourceTime((seq + 1) * 33_000_000), 640, 480));
        if seq % 50 == 49 {
            while receive(&watch).expect("every event").1["seq"] != seq {}
            while json(&reading.next().expect("every item"))["seq"] != seq {}
        }
    }
    let found = metrics(&get(&daemon.http, "/metrics").body);
    let lost = found[r#"signd_live_items_dropped_total{at="viewer"}"#];
    assert!(lost > 0.0, "it does not read");
    assert_eq!(found[r#"signd_live_items_dropped_total{at="server"}"#], 0.0);
    assert_eq!(found["signd_live_viewers"], 2.0);
    assert_eq!(found[r#"signd_frames_dropped_total{stage="ingest",reason="ring_full"}"#], 0.0);
    drop(reading);
    let reader = std::thread::spawn(move || {
        let (mut seen, mut lost, mut next) = (0, 0, 0);
        for item in viewer.map(|text| json(&text)) {
            match item["kind"].as_str() {
                Some("lost") => lost += item["items"].as_u64().expect("a number"),
                Some("frame") => {
                    let seq = item["seq"].as_u64().expect("a number");
                    assert!(seq >= next, "in order");
                    (seen, next) = (seen + 1, seq + 1);
                }
                _ => seen += 1,
            }
        }
        (seen, lost)
    });
    // It has caught up when it gets a frame sent after it began to read.
    for seq in FRAMES..FRAMES + 100 {
        send_frame(&camera, "cam1", &Frame::new(seq, SourceTime((seq + 1) * 33_000_000), 640, 480));
        while receive(&watch).expect("every event").1["seq"] != seq {}
        std::thread::sleep(Duration::from_millis(10));
    }
    // One is of the stream by which the subscriber was heard.
    let found = metrics(&get(&daemon.http, "/metrics").body);
    let statuses = found[r#"signd_events_published_total{kind="status"}"#] as u64 - 1;
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(summary.contains(&format!("received={} ", FRAMES + 101)), "{summary}");
    let (seen, told) = reader.join().expect("reads to the end");
    // Beside the frames and what was told of the stream so far: that it is gone.
    assert_eq!(seen + told, FRAMES + 100 + statuses + 1);
    assert!(told as f64 >= lost, "{told} of {lost}");
}

#[test]
fn beyond_loopback_landmarks_are_shown_only_if_so_configured() {
    let scenes = |config: &str, listen: &str, query: &str| {
        let daemon = Daemon::configured(config, &["--http", listen]);
        let port = daemon.http.rsplit(':').next().expect("a port").to_owned();
        let (_, hello) = Viewer::join(&format!("127.0.0.1:{port}"), query);
        hello["scenes"].as_bool().expect("yes or no")
    };
    let shown = "[http]\nshow_landmarks = true";
    assert!(!scenes("", "127.0.0.1:0", ""), "not asked for");
    assert!(scenes("", "127.0.0.1:0", "?scenes=1"));
    assert!(!scenes("", "0.0.0.0:0", "?scenes=1"));
    assert!(!scenes("", "[::]:0", "?scenes=1"));
    assert!(!scenes(shown, "0.0.0.0:0", ""));
    assert!(scenes(shown, "0.0.0.0:0", "?scenes=1"));
}

#[test]
fn a_port_that_is_taken_ends_the_daemon_with_the_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}", folder.path().join(name).display());
    let output = signd()
        .args(["run", "--ingest", &endpoint("in"), "--publish", &endpoint("out")])
        .args(["--http", &address])
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("http {address}: Address already in use")), "{said}");
    assert!(said.contains("[http] listen"), "{said}");

    let check = signd().arg("check").env("SIGND_HTTP__LISTEN", "localhost").output().expect("runs");
    assert_eq!(check.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&check.stderr).contains("http.listen"));
}

/// What a daemon with this endpoint logs until it is ready.
fn logged(listen: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}", folder.path().join(name).display());
    let mut child = signd()
        .args(["run", "--ingest", &endpoint("in"), "--publish", &endpoint("out")])
        .args(["--http", listen])
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let log = BufReader::new(child.stderr.take().expect("piped"));
    let mut lines = log.lines().map(|line| line.expect("reads"));
    let said: Vec<String> = lines.by_ref().take_while(|line| !line.contains("ready")).collect();
    terminate(&child);
    assert!(child.wait().expect("ends").success());
    said.join("\n")
}

#[test]
fn an_endpoint_beyond_loopback_is_warned_of() {
    let warning = "open to whoever reaches this port";
    assert!(!logged("127.0.0.1:0").contains(warning));
    assert!(logged("0.0.0.0:0").contains(warning));
}
