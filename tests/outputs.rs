//! Files that signd writes: a user's file is never destroyed without a word.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::stick_figure::frames;
use crate::common::{Daemon, receive, root, send_frame, signd, terminate};
use signd_core::frame::SourceTime;
use tempfile::TempDir;

fn folder() -> (TempDir, impl Fn(&str) -> PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().to_owned();
    (folder, move |name: &str| path.join(name))
}

/// A small landmark file: three frames of nothing but zeros and halves.
fn clip(at: &Path) {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 543, 3), }";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(117u16.to_le_bytes());
    bytes.extend(format!("{header:116}\n").into_bytes());
    bytes.extend(std::iter::repeat_n(0.5f32.to_le_bytes(), 3 * 543 * 3).flatten());
    fs::write(at, bytes).expect("writes");
}

fn import(file: &Path, to: &Path) -> Output {
    signd().arg("import").arg(file).arg("-o").arg(to).output().expect("runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("lists");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_import_replaces_an_earlier_one_and_nothing_else() {
    let (kept, path) = folder();
    clip(&path("a.npy"));
    let out = path("out.mcap");
    for _ in 0..2 {
        let output = import(&path("a.npy"), &out);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    fs::write(path("notes.txt"), "dear diary").expect("writes");
    fs::write(path("empty"), "").expect("writes");
    symlink(path("a.npy"), path("link")).expect("links");
    for (name, expected) in [
        ("notes.txt", "found text that begins with `dear diary`; choose another name"),
        ("a.npy", "is read by this command too"),
        ("link", "is read by this command too"),
        (".", "found a folder"),
        ("no/such/folder", "No such file or directory"),
    ] {
        let before = fs::read(path(name)).ok();
        let output = import(&path("a.npy"), &path(name));
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(stderr(&output).contains(expected), "{name}: {}", stderr(&output));
        assert_eq!(fs::read(path(name)).ok(), before, "{name}");
    }
    assert!(import(&path("a.npy"), &path("empty")).status.success());
    assert_eq!(names(kept.path()), ["a.npy", "empty", "link", "notes.txt", "out.mcap"]);
}

#[test]
fn a_failed_import_leaves_what_was_there_and_no_temporary_file() {
    let (kept, path) = folder();
    clip(&path("a.npy"));
    assert!(import(&path("a.npy"), &path("out.mcap")).status.success());
    let before = fs::read(path("out.mcap")).expect("reads");
    let bytes = fs::read(path("a.npy")).expect("reads");
    fs::write(path("b.npy"), &bytes[..2000]).expect("writes");
    assert_eq!(import(&path("b.npy"), &path("out.mcap")).status.code(), Some(1));
    assert_eq!(fs::read(path("out.mcap")).expect("reads"), before);
    assert_eq!(names(kept.path()), ["a.npy", "b.npy", "out.mcap"]);
}

#[test]
fn a_link_is_followed_and_rights_stay() {
    let (_kept, path) = folder();
    clip(&path("a.npy"));
    fs::create_dir(path("there")).expect("makes");
    symlink("there/real.mcap", path("link.mcap")).expect("links");
    for _ in 0..2 {
        let output = import(&path("a.npy"), &path("link.mcap"));
        assert!(output.status.success(), "{}", stderr(&output));
        fs::set_permissions(path("there/real.mcap"), PermissionsExt::from_mode(0o640))
            .expect("sets");
    }
    assert!(fs::symlink_metadata(path("link.mcap")).expect("there").is_symlink());
    assert!(import(&path("a.npy"), &path("link.mcap")).status.success());
    let mode = fs::metadata(path("there/real.mcap")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(import(&path("a.npy"), &path("new.mcap")).status.success());
    fs::write(path("plain"), "").expect("writes");
    let mode = |name: &str| fs::metadata(path(name)).expect("there").permissions().mode();
    assert_eq!(mode("new.mcap"), mode("plain"));
}

#[test]
fn what_is_no_regular_file_is_written_as_it_comes() {
    let (_kept, path) = folder();
    clip(&path("a.npy"));
    assert!(import(&path("a.npy"), &path("out.mcap")).status.success());
    let expected = fs::read(path("out.mcap")).expect("reads");
    let output = import(&path("a.npy"), Path::new("/dev/stdout"));
    assert!(output.stdout == expected && output.status.success(), "{}", stderr(&output));
    let mut to_file = signd();
    to_file.arg("import").arg(path("a.npy")).args(["-o", "/dev/stdout"]);
    let file = fs::File::create(path("redirected.mcap")).expect("creates");
    assert!(to_file.stdout(file).status().expect("runs").success());
    assert_eq!(fs::read(path("redirected.mcap")).expect("reads"), expected);
    assert_eq!(import(&path("a.npy"), Path::new("/dev/full")).status.code(), Some(1));
    assert!(import(&path("a.npy"), Path::new("/dev/null")).status.success());
}

#[test]
fn reports_replace_reports_and_not_each_other_or_their_input() {
    let (_kept, path) = folder();
    clip(&path("a.npy"));
    let list = "path,label,signer,fps,width,height\na.npy,high,ann,30,640,480\n";
    fs::write(path("clips.csv"), list).expect("writes");
    let eval = |flags: &[(&str, &str)]| {
        let mut command = signd();
        command.args(["eval", "clips.csv"]).current_dir(path(""));
        for (flag, name) in flags {
            command.args([flag, name]);
        }
        command.output().expect("runs")
    };
    for _ in 0..2 {
        let output = eval(&[("--json", "out.json"), ("--html", "out.html")]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    fs::write(path("own.json"), "{\"model\": 3}").expect("writes");
    for (flags, expected) in [
        (&[("--json", "x"), ("--html", "./x")][..], "two outputs of this command go there"),
        (&[("--json", "clips.csv")], "is read by this command too"),
        (&[("--json", "a.npy")], "is read by this command too"),
        (&[("--json", "own.json")], "found text that begins with `{\"model\": 3}`"),
        (&[("--json", "out.html")], "expected nothing there or a JSON report"),
        (&[("--html", "out.json")], "expected nothing there or a page"),
    ] {
        let output = eval(flags);
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        assert!(stderr(&output).contains(expected), "{flags:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_to_string(path("clips.csv")).expect("reads"), list);
}

#[test]
fn a_key_is_never_replaced_and_a_man_page_only_by_a_man_page() {
    let (kept, path) = folder();
    let keygen = || signd().arg("keygen").arg(path("a.key")).output().expect("runs");
    assert!(keygen().status.success());
    let key = fs::read(path("a.key")).expect("reads");
    let again = keygen();
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("replaces no key; choose another name"), "{}", stderr(&again));
    assert_eq!(fs::read(path("a.key")).expect("reads"), key);
    assert_eq!(names(kept.path()), ["a.key"]);

    let man = || signd().arg("man").arg(kept.path()).output().expect("runs");
    assert!(man().status.success() && man().status.success());
    assert!(names(kept.path()).contains(&"signd-replay.1".to_owned()));
    fs::write(path("signd.1"), "my own words").expect("writes");
    assert_eq!(man().status.code(), Some(1));
    assert_eq!(fs::read_to_string(path("signd.1")).expect("reads"), "my own words");
}

/// Runs a daemon that records there, with or without a frame, to its end.
fn record(path: &Path, with_frame: bool) {
    record_as(&format!("[record]\npath = {path:?}\nkeep = 2\n"), with_frame);
}

fn record_as(config: &str, with_frame: bool) {
    let daemon = Daemon::configured(config, &[]);
    if with_frame {
        let context = zmq::Context::new();
        let camera = daemon.camera(&context);
        let watch = daemon.watch(&context, "");
        for frame in frames(&[], 1.0, 30.0, SourceTime(1_000_000_000)) {
            send_frame(&camera, "cam1", &frame);
        }
        receive(&watch).expect("an event");
    }
    assert_eq!(daemon.stop().0, Some(0));
}

fn replays(path: &Path) -> bool {
    signd().arg("replay").arg(path).output().expect("runs").status.success()
}

// pacosako#105, nipa#83, frigate#2790
#[test]
fn a_recording_with_frames_outlives_runs_without() {
    for keep in [1, 2, 4] {
        let (kept, path) = folder();
        let config = format!("[record]\npath = {:?}\nkeep = {keep}\n", path("run.mcap"));
        record_as(&config, true);
        let first = fs::read(path("run.mcap")).expect("reads");
        for _ in 0..5 {
            record_as(&config, false);
        }
        assert_eq!(fs::read(path("run.1.mcap")).expect("reads"), first, "keep = {keep}");
        assert_eq!(names(kept.path()), ["run.1.mcap", "run.mcap"]);
        for _ in 0..keep {
            record_as(&config, true);
        }
        assert_eq!(names(kept.path()).len(), keep, "keep = {keep}: {:?}", names(kept.path()));
        assert!(replays(&path("run.mcap")));
    }
}

/// What a daemon says that does not start.
fn refused(path: &Path) -> String {
    let (_kept, at) = folder();
    let endpoint = |name: &str| format!("ipc://{}", at(name).display());
    let mut command = signd();
    command.args(["run", "--ingest", &endpoint("in"), "--publish", &endpoint("out"), "--record"]);
    let output = command.arg(path).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!at("in").exists(), "said before a socket is there");
    stderr(&output)
}

#[test]
fn a_recording_takes_the_place_of_no_other_file() {
    let (kept, path) = folder();
    fs::write(path("notes.mcap"), "dear diary").expect("writes");
    assert!(refused(&path("notes.mcap")).contains("found text that begins with `dear diary`"));
    fs::write(path("run.1.mcap"), "dear diary").expect("writes");
    assert!(refused(&path("run.mcap")).contains("run.1.mcap"));
    assert!(refused(kept.path()).contains("found a folder"));
    assert!(refused(&path("no/run.mcap")).contains("No such file"));
    assert_eq!(names(kept.path()), ["notes.mcap", "run.1.mcap"]);
    // Made by signd, but not by a run: rotation would push it out in time.
    let (_clips, at) = folder();
    clip(&at("clip.npy"));
    assert!(import(&at("clip.npy"), &at("clip.mcap")).status.success());
    assert!(refused(&at("clip.mcap")).contains("a recording that an import made"));
    assert_eq!(fs::read_to_string(path("run.1.mcap")).expect("reads"), "dear diary");
}

#[test]
fn a_recording_that_is_being_written_is_not_taken_away() {
    let (kept, path) = folder();
    let config = format!("[record]\npath = {:?}\n", path("run.mcap"));
    let daemon = Daemon::configured(&config, &[]);
    assert!(refused(&path("run.mcap")).contains("another signd is recording there"));
    clip(&path("a.npy"));
    let output = import(&path("a.npy"), &path("run.mcap"));
    assert!(stderr(&output).contains("a file that a running signd writes"), "{}", stderr(&output));
    assert_eq!(daemon.stop().0, Some(0));
    record(&path("run.mcap"), true);
    let output = import(&path("a.npy"), &path("run.mcap"));
    assert!(stderr(&output).contains("found a recording of a run of the daemon"));
    assert!(replays(&path("run.mcap")));
    assert_eq!(names(kept.path()), ["a.npy", "run.mcap"]);
}

#[test]
fn paths_that_are_not_utf_8_are_taken_as_they_are() {
    let (kept, _) = folder();
    let path = |name: &[u8]| kept.path().join(OsStr::from_bytes(name));
    let config = path(b"c\xff.toml");
    fs::write(&config, "[record]\nkeep = 2\n").expect("writes");
    let model = path(b"m\xff.onnx");
    fs::copy(root().join("tests/models/place.onnx"), &model).expect("copies");
    let endpoint = |name: &str| format!("ipc://{}", kept.path().join(name).display());
    let recording = path(b"r\xff.mcap");
    for _ in 0..2 {
        let mut daemon = signd();
        daemon.env_remove("SIGND_MODEL").args(["run", "--ingest", &endpoint("in")]);
        daemon.args(["--publish", &endpoint("out"), "--config"]).arg(&config);
        daemon.arg("--model").arg(&model).arg("--record").arg(&recording);
        let mut child = daemon.stderr(Stdio::piped()).spawn().expect("starts");
        let log = std::io::BufReader::new(child.stderr.take().expect("piped"));
        let mut lines = std::io::BufRead::lines(log).map_while(Result::ok);
        assert!(lines.any(|line| line.contains("ready")));
        terminate(&child);
        lines.for_each(drop);
        assert!(child.wait().expect("ends").success());
    }
    assert!(recording.exists());
    assert_eq!(
        fs::read_dir(kept.path())
            .expect("lists")
            .filter(|e| { e.as_ref().is_ok_and(|e| e.file_name().as_bytes().ends_with(b".mcap")) })
            .count(),
        1
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_for_any_command() {
    let recording = root().join("tests/recordings/signer.mcap");
    let recording = recording.to_str().expect("UTF-8");
    let (_kept, path) = folder();
    clip(&path("a.npy"));
    let list = "path,label,signer,fps,width,height\na.npy,high,ann,30,640,480\n";
    fs::write(path("clips.csv"), list).expect("writes");
    let key = path("a.key");
    for arguments in [
        &["replay", recording][..],
        &["replay", "--verify", recording],
        &["view", "--items", recording],
        &["landmarks", recording],
        &["features", recording],
        &["features", "--columns"],
        &["eval", path("clips.csv").to_str().expect("UTF-8")],
        &["keygen", key.to_str().expect("UTF-8")],
        &["check"],
        &["doctor"],
        &["metrics"],
        &["model", root().join("tests/models/place.onnx").to_str().expect("UTF-8")],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_signd"));
        command.env("SIGND_MODEL", root().join("tests/models/place.onnx"));
        command.env("SIGND_HTTP__LISTEN", "").args(arguments).stdout(writer);
        let output = command.stderr(Stdio::piped()).spawn().expect("starts").wait_with_output();
        let output = output.expect("ends");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("roken pipe"), "{arguments:?}: {}", stderr(&output));
    }
    // And so with standard error.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = signd();
    command.args(["replay", "/no/such/file"]).stderr(writer);
    assert_eq!(command.status().expect("runs").code(), Some(1));
}
