//! `signd doctor` on machines where something is wrong, and on one where nothing is.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, encode, send, send_frame, signd};
use signd_core::frame::{BodyPart, Frame, SourceTime};

/// 30 frames a second from now on, and for longer than anybody waits.
fn camera(socket: zmq::Socket, clock_ahead_ms: u64) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for mut frame in frames(&[Gesture { at: 0.5, height: -0.4 }], 4.0, 30.0, SourceTime(0)) {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
            let now = now + Duration::from_millis(clock_ahead_ms);
            frame.t = SourceTime(now.as_nanos() as u64);
            send_frame(&socket, "cam1", &frame);
            std::thread::sleep(Duration::from_millis(33));
        }
    })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_camera_whose_clock_is_off_and_then_none() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}/{name}", folder.path().display());
    let doctor = |wait: &str| {
        let mut doctor = signd();
        doctor.env("SIGND_INGEST", endpoint("in")).env("SIGND_PUBLISH", endpoint("out"));
        doctor.args(["doctor", "--wait", wait]).output().expect("runs")
    };
    let context = zmq::Context::new();
    let socket = context.socket(zmq::PUB).expect("socket");
    socket.set_linger(0).expect("sets");
    socket.connect(&endpoint("in")).expect("connects");
    let camera = camera(socket, 5000);
    let output = doctor("3");
    let seen = text(&output);
    assert!(
        seen.contains("mind  clock          cam1: its clock is") && seen.contains("ahead"),
        "{seen}"
    );
    assert!(seen.contains("frames a second, a hand in"), "{seen}");
    // The daemon was down and everything `well`, exit 0.
    assert!(seen.starts_with("WRONG daemon         signd is not running"), "{seen}");
    let start = "start it: `signd run`, or `sudo systemctl start signd`";
    assert!(seen.lines().nth(1).is_some_and(|line| line.contains(start)), "{seen}");
    assert_eq!((seen.matches("WRONG").count(), output.status.code()), (1, Some(1)), "{seen}");

    camera.join().expect("ends");
    let output = doctor("1");
    let seen = text(&output);
    assert!(seen.contains("WRONG frames         no frame arrived in 1 s"), "{seen}");
    assert!(seen.contains(&endpoint("in")), "{seen}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_running_daemon_is_asked() {
    let daemon = Daemon::start(&[]);
    let context = zmq::Context::new();
    let camera = camera(daemon.camera(&context), 0);
    let mut doctor = signd();
    doctor.env("SIGND_INGEST", &daemon.ingest).env("SIGND_PUBLISH", &daemon.publish);
    let output = doctor.args(["doctor", "--wait", "2"]).output().expect("runs");
    let seen = text(&output);
    assert!(seen.contains("well  daemon         signd is running (process"), "{seen}");
    assert!(seen.contains("cam1:") && seen.contains("frames a second"), "{seen}");
    assert!(!seen.contains("clock") && !seen.contains("WRONG"), "{seen}");
    // Without HTTP only its events are seen, and the doctor says so.
    assert!(seen.contains("cannot be asked over HTTP"), "{seen}");
    assert_eq!(output.status.code(), Some(0), "{seen}");
    camera.join().expect("ends");
}

/// A body with a time that may be of another type, and a pose of any length.
#[derive(serde::Serialize)]
struct Body<T> {
    v: u64,
    seq: u64,
    t: T,
    w: u64,
    h: u64,
    pose: Option<serde_bytes::ByteBuf>,
}

/// Ended when dropped.
struct Camera(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Camera {
    /// Sends what `write` makes of the frames of a person who gestures all the time.
    fn start(
        socket: zmq::Socket,
        id: &'static str,
        write: impl Fn(Frame) -> Vec<u8> + Send + 'static,
    ) -> Camera {
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let sending = std::thread::spawn(move || {
            let gestures: Vec<Gesture> =
                (0..15).map(|i| Gesture { at: 2.0 * f64::from(i), height: -0.4 }).collect();
            let mut frames = frames(&gestures, 30.0, 30.0, SourceTime(0)).into_iter();
            while let Some(mut frame) = frames.next().filter(|_| !end.load(Ordering::Relaxed)) {
                let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
                frame.t = SourceTime(now.as_nanos() as u64);
                send(&socket, id, &write(frame));
                std::thread::sleep(Duration::from_millis(33));
            }
        });
        Camera(ended, Some(sending))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.take().expect("once").join().expect("ends");
    }
}

/// What the doctor finds of this daemon, which it can ask.
fn asked(daemon: &Daemon) -> (String, Option<i32>) {
    let mut doctor = signd();
    doctor.env("SIGND_INGEST", &daemon.ingest).env("SIGND_PUBLISH", &daemon.publish);
    doctor.env("SIGND_HTTP__LISTEN", &daemon.http);
    let output = doctor.args(["doctor", "--wait", "1"]).output().expect("runs");
    (text(&output), output.status.code())
}

fn without(parts: &'static [BodyPart]) -> impl Fn(Frame) -> Vec<u8> {
    move |mut frame| {
        parts.iter().for_each(|part| frame.miss(*part));
        encode(&frame)
    }
}

// Beside a running daemon six of six bad clients got "no frame arrived", and hands without a body were `well`.
#[test]
fn what_a_daemon_refuses_or_cannot_recognise_is_told_with_what_to_do() {
    type Write = Box<dyn Fn(Frame) -> Vec<u8> + Send>;
    let packed = |frame: &Frame, bytes| Body {
        v: 1,
        seq: frame.seq,
        t: frame.t.0,
        w: 640,
        h: 480,
        pose: Some(serde_bytes::ByteBuf::from(vec![0; bytes])),
    };
    let cases: [(&str, &str, Write, &str, &str); 6] = [
        (
            "float64",
            "cam1",
            Box::new(move |f| rmp_serde::to_vec_named(&packed(&f, 792)).expect("packs")),
            "frames refused in 1 s as `length`: pose: 792 bytes",
            "points of 3 float64",
        ),
        (
            "seconds",
            "cam1",
            Box::new(|f| {
                let body =
                    Body { v: 1, seq: f.seq, t: f.t.0 as f64 * 1e-9, w: 640, h: 480, pose: None };
                rmp_serde::to_vec_named(&body).expect("packs")
            }),
            "as `malformed`",
            "int(seconds * 1e9)",
        ),
        (
            "a name with a space",
            "living room",
            Box::new(|f| encode(&f)),
            "as `stream_id`: \"living room\"",
            "without spaces",
        ),
        (
            "always the same number",
            "cam1",
            Box::new(|mut f| {
                f.seq = 7;
                encode(&f)
            }),
            "as `two_producers`",
            "does `seq` rise?",
        ),
        (
            "hands alone",
            "cam1",
            Box::new(without(&[BodyPart::Face, BodyPart::Pose])),
            "the body in 0 %",
            "send `pose`",
        ),
        (
            "no hands",
            "cam1",
            Box::new(without(&[BodyPart::LeftHand, BodyPart::RightHand])),
            "a hand in 0 %",
            "without hands",
        ),
    ];
    let context = zmq::Context::new();
    for (name, id, write, seen, remedy) in cases {
        let daemon = Daemon::start(&["--http", "127.0.0.1:0"]);
        let camera = Camera::start(daemon.camera(&context), id, write);
        let (said, code) = asked(&daemon);
        drop(camera);
        let at = said.lines().position(|line| line.starts_with("WRONG") && line.contains(seen));
        let at = at.unwrap_or_else(|| panic!("{name}: no line with `{seen}` in\n{said}"));
        assert!(
            said.lines().nth(at + 1).is_some_and(|line| line.contains(remedy)),
            "{name}: {said}"
        );
        assert!(!said.contains("no frame arrived") && code == Some(1), "{name}: {said}");
    }
}

#[test]
fn a_daemon_whose_cameras_are_seen_is_well_and_one_that_is_silent_is_named() {
    let daemon = Daemon::configured("stall_ms = 1000\n", &["--http", "127.0.0.1:0"]);
    let context = zmq::Context::new();
    let camera = Camera::start(daemon.camera(&context), "cam1", |frame| encode(&frame));
    send_frame(&daemon.camera(&context), "cam2", &Frame::new(0, SourceTime(1), 640, 480));
    std::thread::sleep(Duration::from_millis(1200));
    let (said, code) = asked(&daemon);
    assert!(said.starts_with("well  daemon         signd is running (process"), "{said}");
    // On a busy machine the camera is slow, which is minded.
    assert!(said.contains(" frames         cam1:") && code == Some(0), "{said}");
    assert!(said.contains("mind  frames         cam2: no frame for"), "{said}");
    drop(camera);
    std::thread::sleep(Duration::from_millis(1500));
    let (said, code) = asked(&daemon);
    assert!(said.contains("WRONG frames         cam1: no frame for") && code == Some(1), "{said}");
}

// Both looked the same: the ports are free, and no frame arrives.
#[test]
fn a_daemon_with_other_endpoints_than_configured_is_found_and_named() {
    let daemon = Daemon::start(&["--http", "127.0.0.1:0"]);
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}/{name}", folder.path().display());
    let doctor = |http: &str| {
        let mut doctor = signd();
        doctor.env("SIGND_INGEST", endpoint("in")).env("SIGND_PUBLISH", endpoint("out"));
        doctor.env("SIGND_HTTP__LISTEN", http);
        doctor.args(["doctor", "--wait", "1"]).output().expect("runs")
    };
    // By its process, of which the command line is shown.
    let output = doctor("");
    let said = text(&output);
    assert!(
        said.starts_with("WRONG daemon         signd is not running with these endpoints, but"),
        "{said}"
    );
    let first = said.lines().next().unwrap_or_default();
    assert!(first.contains(&daemon.ingest) && first.contains(&daemon.publish), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    // At its HTTP endpoint.
    let said = text(&doctor(&daemon.http));
    let elsewhere = format!("frames at {}, events at {}", daemon.ingest, daemon.publish);
    assert!(said.contains("mind  daemon         it runs with other endpoints"), "{said}");
    assert!(said.contains(&elsewhere), "{said}");
    assert!(said.contains(&format!("it must send to {}", daemon.ingest)), "{said}");
}

#[test]
fn what_cannot_run_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let no_model = folder.path().join("text.onnx");
    std::fs::write(&no_model, "no model").expect("writes");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = taken.local_addr().expect("bound").port();
    let cases = [
        ("SIGND_MAX_STREAMS", "0".into(), "WRONG configuration  configuration: max_streams = 0"),
        ("SIGND_RUNTIME", "/dev/null".into(), "WRONG onnxruntime    ONNX Runtime at /dev/null"),
        (
            "SIGND_MODEL",
            no_model.display().to_string(),
            &format!("WRONG model          {}: not an ONNX model", no_model.display()),
        ),
        (
            "SIGND_DECIDE__ALLOW",
            "sausage".into(),
            "WRONG model          decide.allow names `sausage`",
        ),
        ("SIGND_RECORD__PATH", "/no/such/x.mcap".into(), "WRONG recording      /no/such: "),
        (
            "SIGND_PUBLISH",
            format!("tcp://127.0.0.1:{port}"),
            "WRONG publish        tcp://127.0.0.1:",
        ),
        (
            "SIGND_HTTP__LISTEN",
            format!("127.0.0.1:{port}"),
            "WRONG http           tcp://127.0.0.1:",
        ),
    ];
    for (key, value, line) in cases {
        let mut doctor = signd();
        let endpoint = |name: &str| format!("ipc://{}/{name}", folder.path().display());
        doctor.env("SIGND_INGEST", endpoint("in")).env("SIGND_PUBLISH", endpoint("out"));
        let output = doctor.env(key, value).args(["doctor", "--wait", "1"]).output().expect("runs");
        let seen = text(&output);
        let at = seen.lines().position(|l| l.starts_with(line));
        let at = at.unwrap_or_else(|| panic!("no line `{line}` in\n{seen}"));
        assert!(seen.lines().nth(at + 1).is_some_and(|l| l.trim().starts_with("->")), "{seen}");
        assert_eq!(output.status.code(), Some(1), "{seen}");
    }
}

#[test]
fn an_endpoint_without_login_off_loopback_is_worth_a_word() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}/{name}", folder.path().display());
    let mut doctor = signd();
    doctor.env("SIGND_INGEST", endpoint("in")).env("SIGND_PUBLISH", endpoint("out"));
    doctor.env("SIGND_HTTP__LISTEN", "0.0.0.0:0");
    let seen = text(&doctor.args(["doctor", "--wait", "1"]).output().expect("runs"));
    assert!(seen.contains("mind  http           everyone who reaches 0.0.0.0:0"), "{seen}");
}
