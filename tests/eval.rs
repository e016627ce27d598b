//! `signd eval` on clips of the stick figure, under a model that tells whether the hand is high or low.

use std::path::Path;
use std::process::Output;

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{npy, signd};
use serde_json::{Value, json};
use signd_core::frame::{Frame, SourceTime};

const HEADER: &str = "path,label,signer,fps,width,height,source";

/// A folder of clips: one sign high up and one low, cut by hand and with rest around them; two signs
/// in one clip; and rest alone.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let session = |heights: &[f64]| -> Vec<Frame> {
        let at = |i: usize| 0.5 + 2.5 * i as f64;
        let gestures = heights.iter().enumerate().map(|(i, h)| Gesture { at: at(i), height: *h });
        let gestures: Vec<Gesture> = gestures.collect();
        frames(&gestures, at(heights.len()) + 0.5, 30.0, SourceTime(0))
    };
    let (high, low) = (session(&[-0.5]), session(&[0.6]));
    let clips: [(&str, &[Frame]); 6] = [
        // The hand rises for 0.4 s and signs for 1 s.
        ("high.npy", &high[27..57]),
        ("low.npy", &low[27..57]),
        ("high-session.npy", &high),
        ("low-session.npy", &low),
        ("both-session.npy", &session(&[-0.5, 0.6])),
        ("rest.npy", &high[..10]),
    ];
    for (name, frames) in clips {
        npy::write(&folder.path().join(name), frames);
    }
    folder
}

/// Runs it in `folder` on these lines; `out.json` and `out.html` are written.
fn eval(folder: &Path, lines: &str, flags: &[&str]) -> (Output, Value) {
    std::fs::write(folder.join("clips.csv"), format!("{HEADER}\n{lines}")).expect("writes");
    let mut command = signd();
    command.args(["eval", "--json", "out.json", "--html", "out.html"]).args(flags);
    let output = command.arg("clips.csv").current_dir(folder).output().expect("runs");
    let report = std::fs::read(folder.join("out.json")).unwrap_or_default();
    (output, serde_json::from_slice(&report).unwrap_or_default())
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const HOSTILE: &str = "\
high.npy,high,ann,30,640,480,x
low.npy, LOW ,bob,30,640,480,x
high.npy,low,ann,30,640,480,x
low.npy,dog,cy,30,640,480,x
high.npy,<script>alert(1)</script>,\"\"\"><img src=x onerror=alert(2)>\",30,640,480,x
rest.npy,,cy,30,640,480,x
missing.npy,high,ann,0,0,0,x
high.npy,high,nan,NaN,640,480,x
high.npy,high
";

#[test]
fn known_signs_unknown_ones_no_sign_and_what_cannot_be_read() {
    let folder = folder();
    let (output, report) = eval(folder.path(), HOSTILE, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for failed in ["missing.npy: ", "high.npy: frame rate", "line 10: "] {
        assert!(said.contains(failed), "{failed}: {said}");
    }
    assert_eq!(report["model"]["name"], "place 1");
    assert_eq!(report["model"]["sha256"].as_str().map(str::len), Some(64));
    let counted = ["n", "signers", "labels", "failed", "vocabulary"].map(|key| &report[key]);
    assert_eq!(counted, [3, 2, 2, 3, 2]);
    assert_eq!(report["top1"], 2.0 / 3.0);
    assert_eq!(report["top5"], 1.0);
    for key in ["wilson", "signers"] {
        assert_eq!(report["intervals"]["top1"][key].as_array().map(Vec::len), Some(2), "{key}");
    }
    assert_eq!(report["open_set"]["unknown"]["n"], 2);
    // At rest no hand is seen, and the model is sure of no sign.
    assert_eq!(report["open_set"]["no_sign"]["auroc"]["value"], 1.0);
    assert_eq!(report["open_set"]["no_sign"]["fpr95"]["value"], 0.0);
    assert_eq!(report["per_signer"][0]["signer"], "ann");
    assert_eq!(report["per_signer"][0]["top1"], 0.5);
    assert_eq!(report["reliability"].as_array().map(Vec::len), Some(15));

    let clips = report["clips"].as_array().expect("clips");
    assert_eq!(clips.len(), 6);
    let heads: Vec<_> = clips.iter().map(|clip| clip["top"][0][0].clone()).collect();
    assert_eq!(json!(heads), json!(["high", "low", "high", "low", "high", null]));
    assert_eq!(clips[1]["label"], "low");
    assert_eq!((&clips[2]["path"], &clips[2]["signer"]), (&json!("high.npy"), &json!("ann")));
    let sum: f64 =
        clips[0]["top"].as_array().expect("top").iter().filter_map(|pair| pair[1].as_f64()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");

    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in ["top-1", "66.7 %", "against unknown signs: 2 clips", "failed       3 clips"] {
        assert!(table.contains(words), "{words}: {table}");
    }
}

#[test]
fn the_page_is_complete_in_itself_and_nothing_from_the_list_becomes_markup() {
    let folder = folder();
    eval(folder.path(), HOSTILE, &[]);
    let page = std::fs::read_to_string(folder.path().join("out.html")).expect("a page");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&quot;&gt;&lt;img src=x"));
    for hostile in ["<script>alert", "<img", "http:", "https:", "src=\""] {
        assert!(!page.contains(hostile), "{hostile}");
    }
    assert_eq!(page.matches("<canvas").count(), 3, "one wrong, two signs not known");
    assert_eq!(page.matches("</script>").count(), 2);
}

#[test]
fn two_runs_give_the_same_bytes_wherever_they_are() {
    let runs = [folder(), folder()].map(|folder| {
        let (output, _) = eval(folder.path(), HOSTILE, &[]);
        let file = |name: &str| std::fs::read(folder.path().join(name)).expect("written");
        let bytes = [output.stdout, file("out.json"), file("out.html")];
        let place = folder.path().to_str().expect("UTF-8").as_bytes().to_vec();
        for bytes in &bytes {
            assert!(!bytes.windows(place.len()).any(|window| window == place));
        }
        bytes
    });
    assert!(runs[0] == runs[1]);
}

#[test]
fn segmented_the_daemon_finds_the_sign_itself() {
    let folder = folder();
    let lines = "high-session.npy,high,ann,30,640,480,\nlow-session.npy,low,bob,30,640,480,\n\
                 both-session.npy,high,cy,30,640,480,\nrest.npy,high,dee,30,640,480,\n";
    let (output, report) = eval(folder.path(), lines, &["--segmented"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let clips = report["clips"].as_array().expect("clips");
    let decisions: Vec<_> = clips.iter().map(|clip| clip["decisions"].clone()).collect();
    assert_eq!(json!(decisions), json!([1, 1, 2, 0]));
    assert_eq!((&clips[0]["top"][0][0], &clips[1]["top"][0][0]), (&json!("high"), &json!("low")));
    assert_eq!(clips[3]["top"], json!([]), "nothing decided");
    assert_eq!(
        (&report["n"], &report["undecided"], &report["several"]),
        (&json!(4), &json!(1), &json!(1))
    );
    let right = clips[..3].iter().filter(|clip| clip["top"][0][0] == clip["label"]).count();
    assert_eq!(report["top1"], right as f64 / 4.0, "nothing decided is wrong");
}

#[test]
fn a_vocabulary_takes_the_other_labels_out() {
    let folder = folder();
    let lines = "low.npy,high,ann,30,640,480,\nlow.npy,low,bob,30,640,480,\n";
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("writes");
    };
    file("lines.txt", "HIGH\n");
    file("map.json", r#"{"high": 7}"#);
    for vocabulary in ["lines.txt", "map.json"] {
        let (output, report) = eval(folder.path(), lines, &["--vocab", vocabulary]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!((&report["n"], &report["vocabulary"]), (&json!(1), &json!(1)));
        assert_eq!(report["open_set"]["unknown"]["n"], 1);
        let top = report["clips"][0]["top"].as_array().expect("top");
        // The model says low, which it may not: no sign is next.
        assert_eq!(top.len(), 2);
        assert_eq!(top[0][0], Value::Null);
        assert_eq!((&report["top1"], &report["top5"]), (&json!(0.0), &json!(1.0)));
    }
    file("lines.txt", "dog");
    let (output, _) = eval(folder.path(), lines, &["--vocab", "lines.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("lines.txt: `dog` is none of the model's 3 labels"));
}

#[test]
fn a_list_without_a_column_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("folder");
    let run = |text: &str| {
        std::fs::write(folder.path().join("clips.csv"), text).expect("writes");
        let output =
            signd().arg("eval").arg(folder.path().join("clips.csv")).output().expect("runs");
        assert_eq!(output.status.code(), Some(1), "{text}");
        stderr(&output)
    };
    assert!(run("path,label,fps,width,height\n").contains("no column `signer`"));
    assert!(run("").contains("no column `path`"));
    let output = signd().args(["eval", "nowhere.csv"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nowhere.csv"));
}
