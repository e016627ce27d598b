//! What a running daemon records, and what happens to configuration and model while it runs.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, receive, root, send_frame, signd, until_gone};
use signd_core::frame::SourceTime;

const GESTURES: [Gesture; 2] =
    [Gesture { at: 0.5, height: -0.4 }, Gesture { at: 3.0, height: 0.6 }];

fn verify(files: &[&Path], flags: &[&str]) -> Output {
    signd().args(["replay", "--verify"]).args(flags).args(files).output().expect("runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Plays the two gestures to a daemon at once, waits for the last frame's event, stops it.
fn play(daemon: Daemon) {
    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let camera = daemon.camera(&context);
    for frame in frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000)) {
        send_frame(&camera, "cam1", &frame);
        receive(&watch).expect("an event");
    }
    assert_eq!(daemon.stop().0, Some(0));
    until_gone(&watch);
}

#[test]
fn a_recorded_run_is_verified_also_in_parts_and_with_a_reload_in_the_middle_of_a_sign() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    let config = format!("[record]\npath = {:?}\nmax_mb = 1\nkeep = 9\n", path("run.mcap"));
    let mut daemon = Daemon::configured(&config, &[]);
    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let camera = daemon.camera(&context);
    let mut ended = Vec::new();
    for frame in frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000)) {
        if frame.seq == 40 {
            daemon.signal("HUP"); // in the middle of the first sign
            daemon.wait_for("reloaded");
        }
        send_frame(&camera, "cam1", &frame);
        loop {
            let (_, event) = receive(&watch).expect("one event per frame");
            if event["kind"] == "sign" {
                ended.push(event["ended"].as_str().expect("text").to_owned());
            }
            if event["seq"] == frame.seq && event["kind"] == "frame" {
                break;
            }
        }
    }
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(ended[0], "end", "a reload decides the open sign: {ended:?}");
    assert_eq!(ended.last().map(String::as_str), Some("rest"), "and later signs go on: {ended:?}");

    let parts = [path("run.1.mcap"), path("run.mcap")];
    let parts: Vec<&Path> = parts.iter().map(AsRef::as_ref).collect();
    let output = verify(&parts, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let expected = format!("equal: 166 frame events, {} decisions", ended.len());
    assert!(said(&output).contains(&expected), "{}", said(&output));

    // The second part alone, other settings, another model: nothing is called equal.
    let output = verify(&parts[1..], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("the parts before it are missing"));
    let other = path("other.toml");
    std::fs::write(&other, "[decide]\nthreshold = 0.9").expect("writes");
    let output = verify(&parts, &["--config", other.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("other settings"));
    let model = root().join("models/signd.onnx");
    let output = verify(&parts, &["--model", model.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("another model"));
}

#[test]
fn a_bad_configuration_or_model_is_not_taken_over() {
    let folder = tempfile::tempdir().expect("folder");
    let model = folder.path().join("model.onnx");
    std::fs::copy(root().join("tests/models/place.onnx"), &model).expect("copies");
    let mut daemon = Daemon::start(&["--model", model.to_str().expect("UTF-8")]);
    let write = |text: &str| std::fs::write(daemon.config(), text).expect("writes");
    write("no_such_key = 1");
    daemon.signal("HUP");
    assert!(daemon.wait_for("not reloaded").contains("no_such_key"));
    std::fs::write(daemon.config(), "").expect("writes");
    std::fs::write(&model, b"no model").expect("writes");
    daemon.signal("HUP");
    assert!(daemon.wait_for("not reloaded").contains("not an ONNX model"));
    play(daemon);
}

#[test]
fn a_full_disk_stops_the_recording_and_not_the_daemon() {
    play(Daemon::start(&["--record", "/dev/full"]));
}

#[test]
fn what_a_recording_was_before_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("run.mcap");
    for _ in 0..2 {
        play(Daemon::start(&["--record", path.to_str().expect("UTF-8")]));
    }
    for name in ["run.mcap", "run.1.mcap"] {
        let output = verify(&[&folder.path().join(name)], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
}

#[test]
fn a_run_whose_power_was_cut_is_verified_up_to_the_cut() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("run.mcap");
    play(Daemon::start(&["--record", path.to_str().expect("UTF-8")]));
    let bytes = std::fs::read(&path).expect("reads");
    std::fs::write(&path, &bytes[..bytes.len() * 6 / 10]).expect("writes");
    let output = verify(&[&path], &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(!said(&output).contains("parts in"), "{}", said(&output));
    let equal = "as far as it could be read, equal: ";
    assert!(said(&output).contains(equal), "{}", said(&output));

    let mut damaged = bytes;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&path, damaged).expect("writes");
    let output = verify(&[&path], &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains(equal), "{}", said(&output));
}

#[test]
fn every_shipped_configuration_is_usable() {
    for entry in std::fs::read_dir(root().join("conf")).expect("folder") {
        let path = entry.expect("entry").path();
        let status = Command::new(env!("CARGO_BIN_EXE_signd"))
            .args(["check", "--config"])
            .arg(&path)
            .status()
            .expect("runs");
        assert!(status.success(), "{}", path.display());
    }
}
