//! `signd doctor` on machines where something is wrong, and on one where nothing is.

mod common;

use std::process::Output;
use std::time::Duration;

use common::stick_figure::{Gesture, frames};
use common::{Daemon, send_frame, signd};
use signd::frame::SourceTime;

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
    assert!(seen.contains("frames a second, a hand in") && !seen.contains("WRONG"), "{seen}");
    assert_eq!(output.status.code(), Some(0), "{seen}");

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
    camera.join().expect("ends");
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
    assert!(seen.contains("mind  http           whoever reaches 0.0.0.0:0"), "{seen}");
}
