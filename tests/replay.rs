//! Recordings are the specification: each `tests/recordings/NAME.mcap` replays to its
//! `NAME.events.jsonl`, probabilities to 1e-3 and all else exactly.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn replay(files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signd")).arg("replay").args(files).output().expect("runs")
}

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let entries = std::fs::read_dir(folder).expect("folder").map(|e| e.expect("entry").path());
    let found: Vec<_> = entries.filter(|p| p.extension().is_some_and(|e| e == "mcap")).collect();
    assert!(!found.is_empty());
    found
}

/// Equal, numbers with a fraction to `gap`.
fn alike(a: &Value, b: &Value, gap: f64) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() || y.is_f64() => {
            (x.as_f64().unwrap_or(0.0) - y.as_f64().unwrap_or(1.0)).abs() < gap
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| alike(x, y, gap))
        }
        (Value::Object(x), Value::Object(y)) => {
            let alike = |(key, x)| y.get(key).is_some_and(|y| alike(x, y, gap));
            x.len() == y.len() && x.iter().all(alike)
        }
        _ => a == b,
    }
}

fn assert_alike(said: &str, expected: &str, gap: f64, what: &str) {
    assert_eq!(said.lines().count(), expected.lines().count(), "{what}");
    for (i, (said, expected)) in said.lines().zip(expected.lines()).enumerate() {
        let parse = |line| serde_json::from_str::<Value>(line).expect("JSON");
        let equal = alike(&parse(said), &parse(expected), gap);
        assert!(equal, "{what}:{}\n{said}\n{expected}", i + 1);
    }
}

#[test]
fn every_recording_replays_to_its_events() {
    for path in recordings() {
        let output = replay(&[&path]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        let expected =
            std::fs::read_to_string(path.with_extension("events.jsonl")).expect("events");
        assert_alike(&said, &expected, 1e-3, &path.display().to_string());
    }
}

#[test]
fn the_window_form_of_the_shipped_model_says_what_its_streaming_form_says() {
    let window = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/signd-window.onnx");
    let path = &recordings()[0];
    let flag = Path::new("--model");
    let [streamed, whole] = [&[path.as_path()][..], &[flag, &window, path]]
        .map(|arguments| String::from_utf8(replay(arguments).stdout).expect("UTF-8"));
    assert!(streamed.lines().filter(|line| line.contains(r#""kind":"sign""#)).count() >= 5);
    assert_alike(&streamed, &whole, 1e-4, "streaming and window form");
}

#[test]
fn replay_is_deterministic_to_the_byte_and_fresh_for_each_file() {
    let path = &recordings()[0];
    let once = replay(&[path]).stdout;
    assert_eq!(replay(&[path]).stdout, once);
    assert_eq!(replay(&[path, path]).stdout, [&once[..], &once[..]].concat());
}

#[test]
fn a_recording_cut_short_replays_up_to_the_cut_and_exits_3() {
    let bytes = std::fs::read(&recordings()[0]).expect("reads");
    let folder = tempfile::tempdir().expect("folder");
    let cut = folder.path().join("cut.mcap");
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).expect("writes");
    let output = replay(&[&cut]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cut short"));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(said.lines().filter(|line| line.contains(r#""kind":"frame""#)).count() > 100);
    assert!(said.lines().last().is_some_and(|line| line.contains("shutdown")));
}

#[test]
fn the_animated_signer_is_found_where_it_signs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let lines = |text: String| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let truth = lines(std::fs::read_to_string(folder.join("signer.truth.jsonl")).expect("truth"));
    let said = String::from_utf8(replay(&[&folder.join("signer.mcap")]).stdout).expect("UTF-8");
    let mut decisions = lines(said);
    decisions.retain(|event| event["kind"] == "sign");
    let span = |v: &Value| [&v["start_seq"], &v["end_seq"]].map(|s| s.as_u64().expect("a number"));
    assert_eq!(truth.len(), 5);
    assert_eq!(decisions.len(), 6, "and a scratched cheek");
    for sign in &truth {
        let [start, end] = span(sign);
        let over: Vec<[u64; 2]> =
            decisions.iter().map(span).filter(|[s, e]| *s <= end && start <= *e).collect();
        let [[found_start, found_end]] = over[..] else { panic!("{sign}: {over:?}") };
        assert!(found_start.abs_diff(start) <= 6, "{sign}: {over:?}");
        assert!((end..=end + 10).contains(&found_end), "{sign}: {over:?}");
    }
}
