//! `examples/client.py`, made from `docs/wire-format.md` alone, against the real daemon.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, HELLO, npy, root, terminate};
use serde_json::Value;
use signd_core::frame::SourceTime;

const GESTURE: Gesture = Gesture { at: 0.3, height: -0.4 };

/// The client with the packages that `make setup` installs.
fn client() -> Command {
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "{} is not there: run `make setup`", python.display());
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]).arg(python).arg(root().join("examples/client.py"));
    command
}

/// A watching client; ended when dropped.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            terminate(&self.0);
        }
        drop(self.0.wait());
    }
}

#[test]
fn the_python_client_gets_an_event_for_every_frame_it_sent_and_the_decision() {
    let folder = tempfile::tempdir().expect("folder");
    let clip = folder.path().join("clip.npy");
    let frames = frames(&[GESTURE], 3.0, 30.0, SourceTime(0));
    npy::write(&clip, &frames);

    // No silence in this test tells anything.
    let daemon = Daemon::configured("stall_ms = 60000", &[]);
    let context = zmq::Context::new();
    // With a stream there already, the watching client is told of it as soon as it is subscribed.
    drop(daemon.listen(&context));

    // The status of that stream; then `appeared`, the frames and the decision of `py`.
    let count = (1 + 1 + frames.len() + 1).to_string();
    let mut watch = client()
        .args(["watch", "--from", &daemon.publish, "--count", &count])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(watch.stdout.take().expect("piped")).lines();
    let _watch = Watch(watch);
    let mut lines = lines.map(|l| serde_json::from_str::<Value>(&l.expect("reads")).expect("JSON"));
    let first = lines.next().expect("the retained status");
    assert_eq!((&first["stream"], &first["retained"]), (&HELLO.into(), &true.into()));

    let sent = client()
        .args(["send", clip.to_str().expect("UTF-8"), "--to", &daemon.ingest])
        .args(["--stream", "py", "--fps", "30"])
        .status()
        .expect("runs");
    assert!(sent.success());

    let mut events: Vec<Value> = lines.collect();
    let counts = events.pop().expect("counts");
    assert_eq!(counts, serde_json::json!({"status": 2, "frame": frames.len(), "sign": 1}));
    let of = |kind: &str| events.iter().filter(|e| e["kind"] == kind).collect::<Vec<_>>();
    let seqs: Vec<Option<u64>> = of("frame").iter().map(|e| e["seq"].as_u64()).collect();
    assert_eq!(seqs, (0..frames.len() as u64).map(Some).collect::<Vec<_>>(), "all, in order");
    assert!(of("frame").iter().all(|e| e["lost"] == 0 && e["stream"] == "py"));
    assert_eq!(of("sign")[0]["label"], "high");
    assert_eq!(daemon.stop().0, Some(0));
}
