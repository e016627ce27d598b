//! `signd features`: from a file and as a filter, the same rows; and what it refuses.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::common::{root, signd};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use signd_core::frame::Frame;

const FLAGS: [&str; 5] = ["features", "--groups", "hand arms", "--rate", "30"];

#[derive(Serialize)]
struct Clip {
    t: ByteBuf,
    width: u32,
    height: u32,
    landmarks: ByteBuf,
}

#[derive(Deserialize)]
struct Answer {
    rows: usize,
    columns: usize,
    data: ByteBuf,
}

fn clip(frames: &[Frame]) -> Vec<u8> {
    let bytes = |frame: &Frame| -> Vec<u8> {
        frame.points().as_flattened().iter().flat_map(|x| x.to_le_bytes()).collect()
    };
    let clip = Clip {
        t: ByteBuf::from(frames.iter().flat_map(|f| f.t.0.to_le_bytes()).collect::<Vec<u8>>()),
        width: frames[0].width,
        height: frames[0].height,
        landmarks: ByteBuf::from(frames.iter().flat_map(bytes).collect::<Vec<u8>>()),
    };
    rmp_serde::to_vec_named(&clip).expect("packs")
}

fn filter(input: &[u8]) -> Output {
    let mut child = signd()
        .args(FLAGS)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("written");
    output
}

#[test]
fn the_filter_gives_the_rows_of_the_file_for_each_clip_asked() {
    let path = root().join("tests/recordings/signer.mcap");
    let (frames, _) =
        signd_engine::recording::frames(&std::fs::read(&path).expect("reads")).expect("read");
    let frames: Vec<Frame> = frames.into_iter().map(|(_, frame)| frame).collect();
    let from_file = signd().args(FLAGS).arg(&path).output().expect("runs");
    assert!(from_file.status.success(), "{}", String::from_utf8_lossy(&from_file.stderr));
    let answer: Answer = rmp_serde::from_slice(&from_file.stdout).expect("an answer");
    assert_eq!((answer.rows, answer.columns), (frames.len(), 54));
    assert_eq!(answer.data.len(), 4 * 54 * frames.len());
    let number =
        |i: usize| f32::from_le_bytes(answer.data[4 * i..4 * i + 4].try_into().expect("4"));
    let known = (0..54 * frames.len()).filter(|i| number(*i).is_finite()).count();
    assert!(known > 27 * frames.len(), "{known} numbers known");

    let once = clip(&frames);
    let output = filter(&[&once[..], &once[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == [&from_file.stdout[..], &from_file.stdout[..]].concat());
}

#[test]
fn what_is_no_clip_is_refused_with_the_reason() {
    let frame = |ns: u64| Frame::new(0, signd_core::frame::SourceTime(ns), 640, 480);
    let said = |input: &[u8]| {
        let output = filter(input);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&clip(&[frame(2), frame(1)])).contains("does not rise"));
    assert!(
        said(&clip(&[Frame::new(0, signd_core::frame::SourceTime(1), 0, 480)])).contains("no size")
    );
    assert!(said(b"hello").contains("standard input"));
    assert!(said(&clip(&[frame(1)])[..100]).contains("standard input"), "cut short");
}

#[test]
fn training_knows_the_columns_of_this_schema() {
    let output = signd().args(["features", "--columns"]).output().expect("runs");
    let trained = std::fs::read(root().join("models/signd_models/columns.json")).expect("file");
    let say = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(say(&output.stdout), say(&trained), "signd features --columns > that file");
}
