//! Real recordings through the real sockets. They are not part of the project: `RECORDINGS` names
//! the folder that holds them; without it these tests are skipped, and say so.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The binary, given two minutes: no clip here plays for longer, and a test that hangs tells less
/// than one that fails.
fn signd() -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120", env!("CARGO_BIN_EXE_signd")]);
    command
}

/// A running daemon; killed when dropped.
struct Daemon(Child);

impl Daemon {
    /// Asks it to end; whether it did so within ten seconds and well.
    fn stop(&mut self) -> bool {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().expect("kill");
        for _ in 0..100 {
            if let Some(status) = self.0.try_wait().expect("waits") {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The folder of recordings, or `None` when the variable is not set. A folder that is not there
/// fails the test.
fn folder() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("RECORDINGS").map(PathBuf::from) else {
        eprintln!("SKIPPED: RECORDINGS is not set, so no recordings of real people were played");
        return None;
    };
    assert!(folder.is_dir(), "RECORDINGS={} is no folder", folder.display());
    Some(folder)
}

/// The first paths of a set's index for which `keep` holds.
fn clips(folder: &Path, set: &str, count: usize, keep: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let index = std::fs::read_to_string(folder.join(set).join("index.csv")).expect("index");
    let paths = index.lines().skip(1).filter_map(|line| line.split(',').next());
    let kept: Vec<_> =
        paths.filter(|p| keep(p)).take(count).map(|p| folder.join(set).join(p)).collect();
    assert!(!kept.is_empty(), "{set}");
    kept
}

#[test]
fn real_recordings_sent_at_30_fps_lose_nothing_and_live_equals_replay() {
    let Some(folder) = folder() else { return };
    let mut files = clips(&folder, "continuous", 20, |p| !p.starts_with("pose-mediapipe_long"));
    files.extend(clips(&folder, "wlasl", 20, |_| true));
    files.extend(clips(&folder, "webcam", 10, |_| true));
    // From this one on the faces have 478 points.
    files.extend(clips(&folder, "foreign", 10, |p| p >= "145"));
    files.extend(clips(&folder, "gislr", 20, |p| p.ends_with(".parquet")));

    let work = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}", work.path().join(name).display());
    let (ingest, publish) = (endpoint("in"), endpoint("out"));
    let (log, recording) = (work.path().join("daemon.log"), work.path().join("run.mcap"));
    let daemon = Command::new(env!("CARGO_BIN_EXE_signd"))
        .args(["run", "--ingest", &ingest, "--publish", &publish, "--record"])
        .arg(&recording)
        .args(["--http", ""])
        .stderr(Stdio::from(std::fs::File::create(&log).expect("log")))
        .spawn()
        .expect("starts");
    let mut daemon = Daemon(daemon);
    let context = zmq::Context::new();
    let watch = context.socket(zmq::SUB).expect("socket");
    watch.set_subscribe(b"").expect("subscribes");
    watch.set_rcvhwm(1_000_000).expect("sets");
    watch.set_rcvtimeo(10_000).expect("sets");
    watch.connect(&publish).expect("connects");
    std::thread::sleep(Duration::from_millis(500));

    // Four cameras at a time, each playing its share of the files one after the other.
    let shares: Vec<Vec<(usize, PathBuf)>> = (0..4)
        .map(|k| files.iter().cloned().enumerate().filter(|(i, _)| i % 4 == k).collect())
        .collect();
    let cameras: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let (work, ingest) = (work.path().to_owned(), ingest.clone());
            std::thread::spawn(move || {
                for (i, file) in share {
                    let recording = work.join(format!("{i}.mcap"));
                    let (name, fps) = (format!("clip{i}"), "30");
                    let import = signd()
                        .arg("import")
                        .arg(&file)
                        .args(["--fps", fps, "--stream", &name, "-o"])
                        .arg(&recording)
                        .output()
                        .expect("runs");
                    assert!(
                        import.status.success(),
                        "{}: {}",
                        file.display(),
                        String::from_utf8_lossy(&import.stderr)
                    );
                    let sent = signd()
                        .arg("send")
                        .arg(&recording)
                        .args(["--keep-time", "--to", &ingest])
                        .output()
                        .expect("runs");
                    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
                }
            })
        })
        .collect();
    for camera in cameras {
        let played = camera.join();
        assert!(played.is_ok(), "{}", std::fs::read_to_string(&log).unwrap_or_default());
    }
    std::thread::sleep(Duration::from_millis(1500)); // the last stream stalls
    assert!(daemon.stop(), "{}", std::fs::read_to_string(&log).unwrap_or_default());

    watch.set_rcvtimeo(1000).expect("sets");
    let mut live: Vec<Value> = Vec::new();
    while let Ok(parts) = watch.recv_multipart(0) {
        live.push(rmp_serde::from_slice(&parts[1]).expect("MessagePack"));
    }
    let mut frames = 0;
    for (i, file) in files.iter().enumerate() {
        let bytes = std::fs::read(work.path().join(format!("{i}.mcap"))).expect("imported");
        let sent = signd_engine::recording::frames(&bytes).expect("readable").0.len();
        let of = |e: &&Value| e["stream"] == format!("clip{i}") && e["kind"] == "frame";
        let seqs: Vec<Option<u64>> = live.iter().filter(of).map(|e| e["seq"].as_u64()).collect();
        assert_eq!(seqs, (0..sent as u64).map(Some).collect::<Vec<_>>(), "{}", file.display());
        assert!(live.iter().filter(of).all(|e| e["lost"] == 0), "{}", file.display());
        frames += sent;
    }
    let verified = signd().args(["replay", "--verify"]).arg(&recording).output().expect("runs");
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{said}");
    println!("{} recordings of {frames} frames; live and replay {said}", files.len());
}

#[test]
fn a_reduced_pose_layout_is_refused_by_name() {
    let Some(folder) = folder() else { return };
    let work = tempfile::tempdir().expect("folder");
    let file = folder.join("continuous/pose-mediapipe_long.pose");
    let output = signd()
        .arg("import")
        .arg(file)
        .arg("-o")
        .arg(work.path().join("x.mcap"))
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("FACE_LANDMARKS has 128") && said.contains("POSE_LANDMARKS has 8"),
        "{said}"
    );
}
