//! Whatever of a recording is not played is said on standard error and in the exit code.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common::stick_figure::frames;
use crate::common::{encode, root, signd};
use signd_core::frame::{ArrivalTime, SourceTime};
use signd_core::stream_id;
use signd_engine::recording::{RecordingChannel, RecordingWriter};

fn signer() -> PathBuf {
    root().join("tests/recordings/signer.mcap")
}

/// A second of a standing figure for each stream; `bend` changes messages before they are written.
fn recording(streams: &[&str], bend: impl Fn(usize, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut recorder = RecordingWriter::new(&mut out).expect("begins");
    for (i, frame) in frames(&[], 1.0, 30.0, SourceTime(1_000_000_000)).iter().enumerate() {
        for stream in streams {
            let stream = stream_id::parse(stream.as_bytes()).expect("a stream id");
            let mut message = encode(frame);
            bend(i, &mut message);
            let channel = RecordingChannel::Landmarks(stream);
            recorder.message(channel, ArrivalTime(frame.t.0), frame.t, &message).expect("written");
        }
    }
    recorder.finish().expect("finished");
    out.into_inner()
}

fn run(command: &[&str], file: &Path) -> (Option<i32>, String, Output) {
    let output = signd().args(command).arg(file).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said, output)
}

fn frame_events(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stdout).matches(r#""kind":"frame""#).count()
}

// mcap#577, #1390
#[test]
fn a_damaged_recording_is_never_replayed_as_if_it_were_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("damaged.mcap");
    let good = fs::read(signer()).expect("reads");
    for (at, code, said) in [
        (good.len() / 2, 3, "expected CRC"),
        (good.len() - 20, 3, "summary: expected CRC"),
        (300, 1, "no frame can be read: damaged at byte"),
    ] {
        let mut bytes = good.clone();
        bytes[at] ^= 2;
        fs::write(&path, &bytes).expect("writes");
        let (found, told, output) = run(&["replay"], &path);
        assert_eq!(found, Some(code), "{at}: {told}");
        assert!(told.contains(said), "{at}: {told}");
        assert_eq!(frame_events(&output) > 50, code == 3, "{at}");
        for command in [&["landmarks"][..], &["features"], &["view", "--items"]] {
            assert_eq!(run(command, &path).0, Some(code), "{at}: {command:?}");
        }
        let (_, _, output) = run(&["replay", "--verify"], &path);
        assert_eq!(output.status.code(), Some(1), "{at}");
    }
}

// users' own topics
#[test]
fn a_file_without_landmarks_is_an_error_for_every_command() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("foreign.mcap");
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = mcap::Writer::new(&mut bytes).expect("begins");
    let id = writer.add_channel(0, "/camera/landmarks", "cdr", &Default::default());
    let header = mcap::records::MessageHeader {
        channel_id: id.expect("a channel"),
        sequence: 0,
        log_time: 1,
        publish_time: 1,
    };
    writer.write_to_known_channel(&header, b"x").expect("written");
    writer.finish().expect("finished");
    drop(writer);
    fs::write(&path, bytes.into_inner()).expect("writes");
    for command in [
        &["replay"][..],
        &["replay", "--verify"],
        &["send"],
        &["view", "--items"],
        &["landmarks"],
        &["features"],
    ] {
        let (code, told, output) = run(command, &path);
        assert_eq!(code, Some(1), "{command:?}: {told}");
        assert!(
            told.contains("no landmarks in it") && told.contains("`/camera/landmarks`"),
            "{told}"
        );
        assert!(frame_events(&output) == 0 && !told.contains("waiting"), "{command:?}: {told}");
    }
}

#[test]
fn frames_that_are_not_taken_are_counted_and_the_others_are_played() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("bent.mcap");
    let trailing = |i: usize, message: &mut Vec<u8>| {
        if i % 10 == 3 {
            message.push(0);
        }
    };
    fs::write(&path, recording(&["cam1"], trailing)).expect("writes");
    let (code, told, output) = run(&["replay"], &path);
    assert_eq!((code, frame_events(&output)), (Some(3), 27), "{told}");
    assert!(told.contains("3 passed over: frames of stream cam1 refused as `trailing`"), "{told}");

    fs::write(&path, recording(&["cam1"], |_, message| message.clear())).expect("writes");
    let (code, told, _) = run(&["replay"], &path);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("no frame of it can be used: 30 passed over"), "{told}");

    // Every frame twice: the daemon too would drop the second.
    fs::write(&path, recording(&["cam1", "cam1"], |_, _| ())).expect("writes");
    let (code, told, output) = run(&["replay"], &path);
    assert_eq!((code, frame_events(&output)), (Some(3), 30), "{told}");
    assert!(
        told.contains("30 passed over: frames of stream cam1 that are `time_not_rising`"),
        "{told}"
    );
}

#[test]
fn streams_are_not_merged_and_not_left_out_in_silence() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("two.mcap");
    fs::write(&path, recording(&["left", "right"], |_, _| ())).expect("writes");
    let (code, told, _) = run(&["send", "--stream", "cam1"], &path);
    assert_eq!(code, Some(1));
    assert!(told.contains("expected a recording of one stream, found `left`, `right`"), "{told}");
    for command in ["landmarks", "features"] {
        let (code, told, _) = run(&[command], &path);
        assert_eq!(code, Some(3), "{told}");
        assert!(
            told.contains("30 passed over: frames of stream right, not the first one"),
            "{told}"
        );
    }
    assert_eq!(run(&["replay"], &path).0, Some(0));
}

#[test]
fn another_kind_of_file_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    for (name, bytes, expected) in [
        ("a.pose", &[0xcd, 0xcc, 0x4c, 0x3e, 0, 0][..], "this is a .pose file: `signd import "),
        ("b.npz", b"PK\x03\x04 and so on", "this is a .npz file: `signd import "),
        ("c", b"PAR1 and so on", "this is a .parquet file: `signd import "),
        ("d.toml", b"[record]\nkeep = 4\n", "found text that begins with `[record]`"),
        ("e.mcap", b"", "found an empty file"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("writes");
        for command in [&["replay"][..], &["replay", "--verify"], &["send"]] {
            let (code, told, _) = run(command, &path);
            assert_eq!(code, Some(1), "{command:?} {name}: {told}");
            assert!(told.contains(expected), "{command:?} {name}: {told}");
        }
    }
    // A recording is told by its content, not by its name.
    let path = folder.path().join("recording");
    fs::write(&path, recording(&["cam1"], |_, _| ())).expect("writes");
    for command in [&["replay"][..], &["landmarks"], &["features"], &["view", "--items"]] {
        assert_eq!(run(command, &path).0, Some(0), "{command:?}");
    }
}

#[test]
fn a_damaged_clip_is_not_judged() {
    let folder = tempfile::tempdir().expect("folder");
    let good = recording(&["cam1"], |_, _| ());
    fs::write(folder.path().join("good.mcap"), &good).expect("writes");
    fs::write(folder.path().join("cut.mcap"), &good[..good.len() / 2]).expect("writes");
    let list = "path,label,signer,fps,width,height\ngood.mcap,high,ann,,,\ncut.mcap,high,ann,,,\n";
    let clips = folder.path().join("clips.csv");
    fs::write(&clips, list).expect("writes");
    let (code, told, _) = run(&["eval"], &clips);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("cut.mcap: cut short at byte"), "{told}");
}
