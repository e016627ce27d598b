//! Errors that name the right cause: the file, what is wrong with it, and what to do.

use std::process::Output;

use crate::common::onnx::metadata;
use crate::common::{root, signd};

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_model_that_cannot_be_read_is_told_from_one_that_is_damaged() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let whole = std::fs::read(root().join("tests/models/place.onnx")).expect("reads");
    std::fs::write(at("cut.onnx"), &whole[..whole.len() / 2]).expect("writes");
    std::fs::write(at("empty.onnx"), "").expect("writes");
    std::fs::write(at("text.onnx"), "hello world").expect("writes");
    std::fs::create_dir(at("folder.onnx")).expect("creates");
    for (name, words) in [
        ("cut.onnx", "the file ends early"),
        ("empty.onnx", "the file is empty"),
        ("text.onnx", "not an ONNX model"),
        ("folder.onnx", "name a file in that folder"),
        ("none.onnx", "name a model with --model"),
    ] {
        let (code, said) =
            said(&signd().args(["check", "--model"]).arg(at(name)).output().expect("runs"));
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains(words) && said.contains(name), "{said}");
    }
}

#[test]
fn a_model_of_an_older_schema_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let old = folder.path().join("old.onnx");
    let model = std::fs::read(root().join("tests/models/place.onnx")).expect("reads");
    std::fs::write(&old, [model, metadata("signd.schema", "signd/1")].concat()).expect("writes");
    for command in ["check", "run", "model"] {
        let mut signd = signd();
        match command {
            "model" => signd.arg(command).arg(&old),
            _ => signd.args([command, "--model"]).arg(&old),
        };
        let (code, said) = said(&signd.output().expect("runs"));
        let expected = format!(
            "signd: model {}: model metadata: feature schema `signd/1`, where this build computes \
             `signd/2`: use the model that came with this build, or one trained for `signd/2`\n",
            old.display()
        );
        assert_eq!((code, said), (Some(78), expected), "{command}");
    }
}

#[test]
fn a_library_that_is_missing_is_told_from_one_that_is_none() {
    let folder = tempfile::tempdir().expect("folder");
    let text = folder.path().join("lib.so");
    std::fs::write(&text, "no library").expect("writes");
    let mut foreign = b"\x7fELF\x02\x01\x01".to_vec();
    foreign.resize(64, 0);
    foreign[18] = 243; // RISC-V
    let other = folder.path().join("other.so");
    std::fs::write(&other, foreign).expect("writes");
    for (path, words) in [
        (folder.path().join("none.so"), "name the library with --runtime"),
        (text, "it is no shared library"),
        (other, "another kind of processor"),
        (folder.path().to_owned(), "directory"),
    ] {
        let (code, said) =
            said(&signd().args(["check", "--runtime"]).arg(&path).output().expect("runs"));
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains(words) && said.contains(path.to_str().expect("UTF-8")), "{said}");
    }
}

#[test]
fn a_configuration_file_that_cannot_be_read_is_named_by_every_command() {
    let folder = tempfile::tempdir().expect("folder");
    let folder_name = folder.path().to_str().expect("UTF-8").to_owned();
    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).expect("writes");
    let binary = binary.to_str().expect("UTF-8").to_owned();
    for (file, words) in [
        ("no/such.toml".to_owned(), "cannot be read: No such file"),
        (folder_name, "cannot be read: Is a directory"),
        (binary, "UTF-8"),
    ] {
        for (command, expected) in [("check", 78), ("run", 78), ("doctor", 1)] {
            let output = signd().args([command, "--config", &file]).output().expect("runs");
            let both = [&output.stdout[..], &output.stderr].concat();
            let said = String::from_utf8_lossy(&both).into_owned();
            assert_eq!(output.status.code(), Some(expected), "{said}");
            assert!(said.contains(words) && said.contains(&file), "{command}: {said}");
        }
    }
}

#[test]
fn a_variable_that_means_nothing_is_named_in_full() {
    let (code, said) =
        said(&signd().arg("check").env("SIGND_PUBLICH", "x").output().expect("runs"));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("SIGND_PUBLICH") && said.contains("closest is SIGND_PUBLISH"), "{said}");
}

#[test]
fn keygen_names_the_folder_that_is_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let missing = folder.path().join("no/such");
    let (code, said) =
        said(&signd().arg("keygen").arg(missing.join("x.key")).output().expect("runs"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("mkdir -p {}", missing.display())), "{said}");
}
