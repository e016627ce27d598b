//! `signd eval --streams` on recordings of the stick figure, under a model that tells whether the hand
//! is high or low.

use std::path::Path;
use std::process::Output;

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{npy, root, signd};
use serde_json::Value;
use signd_core::frame::{Frame, SourceTime};

const INDEX: &str = "path,label,signer,fps,width,height,segments,note
high.npy,high,ann,30,640,480,,
high.npy,HIGH,bob,30,640,480,,
low.npy,low,bob,30,640,480,,
low.npy,dog,bob,30,640,480,,
rest.npy,,cy,30,640,480,,
high.npy,,dan,30,640,480,,
both.npy,,eve,30,640,480,high:27-57;low:102-132,
missing.npy,high,ann,30,640,480,,
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let session = |heights: &[f64]| -> Vec<Frame> {
        let at = |i: usize| 0.5 + 2.5 * i as f64;
        let gestures = heights.iter().enumerate().map(|(i, h)| Gesture { at: at(i), height: *h });
        let gestures: Vec<Gesture> = gestures.collect();
        frames(&gestures, at(heights.len()) + 0.5, 30.0, SourceTime(0))
    };
    for (name, heights) in [
        ("high.npy", &[-0.5][..]),
        ("low.npy", &[0.6]),
        ("both.npy", &[-0.5, 0.6]),
        ("rest.npy", &[]),
    ] {
        npy::write(&folder.path().join(name), &session(heights));
    }
    std::fs::write(folder.path().join("index.csv"), INDEX).expect("writes");
    folder
}

fn eval(folder: &Path, flags: &[&str]) -> (Output, Vec<u8>) {
    let mut command = signd();
    command.args(["eval", "--streams", "index.csv", "--json", "out.json", "--html", "out.html"]);
    let output = command.args(flags).current_dir(folder).output().expect("runs");
    (output, std::fs::read(folder.join("out.json")).unwrap_or_default())
}

#[test]
fn signs_in_streams_are_found_and_alarms_where_none_is_are_counted() {
    let folder = folder();
    let flags = ["--rates", "15,30", "--seed", "7"];
    let (output, json) = eval(folder.path(), &flags);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // One recording is missing.
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("missing.npy: "), "{said}");
    let report: Value = serde_json::from_slice(&json).expect("JSON");

    // Composed: three clips; the sentence: two signs. At two rates, clean and disturbed.
    assert_eq!(report["signs"], 4 * (3 + 2));
    assert_eq!(report["left_out"], 1);
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(1));
    let hours = report["hours"].as_f64().expect("hours");
    assert!((0.01..0.2).contains(&hours), "{hours}");
    let sum = |key: &str| -> f64 {
        let groups = report["groups"].as_array().expect("groups");
        groups.iter().map(|group| group[key].as_f64().expect("a count")).sum()
    };
    for key in ["signs", "misses", "false_decisions"] {
        assert_eq!(report[key].as_f64(), Some(sum(key)), "{key}");
    }

    let streams = report["streams"].as_array().expect("streams");
    assert_eq!(streams.len(), 4);
    let clean: Vec<&Value> = report["played"]
        .as_array()
        .expect("played")
        .iter()
        .filter(|run| run["disturbed"] == false && run["fps"] == 30.0)
        .collect();
    let of = |name: &str| {
        let stream =
            streams.iter().position(|s| s["name"].as_str().is_some_and(|n| n.contains(name)));
        clean.iter().find(|run| run["stream"] == stream.expect("stream")).expect("played")
    };
    for name in ["composed", "both.npy"] {
        for sign in of(name)["signs"].as_array().expect("signs") {
            assert_eq!(sign["outcome"], "right", "{name}: {sign}");
            assert!(sign["iou"].as_f64() > Some(0.5), "{name}: {sign}");
            assert_eq!(sign["cut_top1"], true, "{name}: {sign}");
        }
        assert_eq!(of(name)["alarms"].as_array().map(Vec::len), Some(0), "{name}");
    }
    assert_eq!(of("both.npy")["order"]["edits"], 0);
    assert_eq!(of("rest.npy")["alarms"].as_array().map(Vec::len), Some(0));
    // A sign by somebody of whom the index says that they make none.
    assert_eq!(of("high.npy")["alarms"][0]["decided"], true);

    let (_, again) = eval(folder.path(), &flags);
    assert!(json == again, "two runs give the same bytes");
    let (_, other) = eval(folder.path(), &["--rates", "15,30", "--seed", "8"]);
    assert!(json != other, "another seed, other streams");
    let page = std::fs::read_to_string(folder.path().join("out.html")).expect("page");
    assert!(page.contains("<svg") && page.contains("distinct minutes"));
}

#[test]
fn a_fold_judges_its_own_signers_and_no_others() {
    let folder = folder();
    std::fs::write(folder.path().join("split.csv"), "set,signer,fold\nx,ann,0\nx,bob,1\n")
        .expect("writes");
    let model = root().join("tests/models/place.onnx");
    let fold = format!("1={}", model.display());
    let flags = ["--rates", "15", "--split", "split.csv", "--fold", &fold];
    let (output, json) = eval(folder.path(), &flags);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&json).expect(&said);
    let signers: Vec<&str> = report["streams"]
        .as_array()
        .expect("streams")
        .iter()
        .flat_map(|stream| stream["signs"].as_array().expect("signs"))
        .filter_map(|sign| sign["signer"].as_str())
        .collect();
    assert_eq!(signers.iter().filter(|s| **s == "bob").count(), 2);
    assert!(!signers.contains(&"ann"), "{signers:?}");
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    let folder = folder();
    for flags in [
        &["--segmented"][..],
        &["--vocab", "x"],
        &["--split", "x"],
        &["--fold", "0=x"],
        &["--fold", "x", "--split", "x"],
        &["--rates", "fast"],
    ] {
        assert_eq!(eval(folder.path(), flags).0.status.code(), Some(2), "{flags:?}");
    }
    let (output, _) = eval(folder.path(), &["--rates", "0"]);
    assert_eq!(output.status.code(), Some(1));
    let mut command = signd();
    let output = command.args(["eval", "x.csv", "--seed", "3"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn lessons_are_the_rows_of_every_delivery_with_their_truth() {
    #[derive(serde::Deserialize)]
    struct Lesson {
        set: String,
        fps: f64,
        disturbed: bool,
        signs: Vec<(f64, f64)>,
        times: Vec<f64>,
        columns: usize,
        data: serde_bytes::ByteBuf,
    }
    let folder = folder();
    let (_, _) = eval(folder.path(), &["--rates", "15,30", "--rows", "rows.msgpack"]);
    let bytes = std::fs::read(folder.path().join("rows.msgpack")).expect("written");
    let (mut rest, mut lessons) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        lessons.push(rmp_serde::from_read::<_, Lesson>(&mut rest).expect("a map"));
    }
    for lesson in &lessons {
        assert_eq!(lesson.data.len(), 4 * lesson.columns * lesson.times.len());
        assert!(lesson.times.is_sorted(), "{}", lesson.set);
        let end = lesson.times.last().copied().unwrap_or_default();
        assert!(lesson.signs.iter().all(|(a, b)| (0.0..=*b).contains(a) && *b <= end + 0.1));
    }
    let of =
        |fps, disturbed| lessons.iter().filter(move |l| (l.fps, l.disturbed) == (fps, disturbed));
    let counts =
        [(15.0, false), (15.0, true), (30.0, false), (30.0, true)].map(|(f, d)| of(f, d).count());
    assert!(counts[0] > 0 && counts.iter().all(|n| *n == counts[0]), "{counts:?}");
    assert!(of(30.0, false).any(|l| !l.signs.is_empty()));
}
