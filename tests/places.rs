//! Where the daemon listens: what `check` accepts `run` can bind, and no file of others is replaced
//! for it.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::Output;

use crate::common::{Daemon, PATIENCE_MS, receive, root, send_frame, signd};
use signd_core::frame::{Frame, SourceTime};

fn said(output: &Output) -> (Option<i32>, String) {
    let both = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

/// What `check` and `run` say with this input; the other endpoints are files of this folder.
fn asked(folder: &Path, ingest: &str, publish: &str) -> [(Option<i32>, String); 2] {
    ["check", "run"].map(|command| {
        let mut signd = signd();
        signd.env("SIGND_INGEST", ingest).env("SIGND_PUBLISH", publish).current_dir(folder);
        said(&signd.arg(command).output().expect("runs"))
    })
}

fn ipc(folder: &Path, name: &str) -> String {
    format!("ipc://{}", folder.join(name).display())
}

/// A port that was free a moment ago.
fn port() -> u16 {
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    held.local_addr().expect("bound").port()
}

// pyzmq#989, pyzmq#269, libzmq#4774
#[test]
fn what_run_cannot_bind_check_refuses_with_the_same_words_and_code() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    for (ingest, code, words) in [
        ("tcp://127.0.0.1:99999", 78, "there is no port 99999"),
        ("tcp://127.0.0.1", 78, "has no port: write tcp://127.0.0.1:5556"),
        ("127.0.0.1:5556", 78, "has no scheme: write tcp://127.0.0.1:5556"),
        ("ipc://*", 78, "no client knows"),
        ("sub+connect:tcp://*:5556", 78, "one machine"),
        ("ipc://out", 78, "expected two different endpoints"),
        ("ipc:///nonexistent/x", 1, "the folder must exist"),
    ] {
        for (found, said) in asked(folder, ingest, "ipc://out") {
            assert_eq!(found, Some(code), "{ingest}: {said}");
            assert!(said.contains(words), "{said}");
            assert!(!said.contains("ended:"), "the reason is the last word: {said}");
        }
    }
}

// pyzmq#989, pyzmq#269
#[test]
fn localhost_and_ipv6_are_bound_and_connected_to() {
    let context = zmq::Context::new();
    for host in ["localhost", "[::1]"] {
        let at = format!("tcp://{host}:{}", port());
        let daemon = Daemon::start(&["--ingest", &at]);
        let watch = daemon.watch(&context, "frame/");
        let camera = context.socket(zmq::XPUB).expect("socket");
        camera.set_ipv6(host.starts_with('[')).expect("sets");
        camera.set_rcvtimeo(PATIENCE_MS).expect("sets");
        camera.connect(&at).expect("connects");
        camera.recv_bytes(0).expect("the daemon subscribes");
        send_frame(&camera, "cam1", &Frame::new(0, SourceTime(1), 640, 480));
        assert!(receive(&watch).is_some(), "{host}");
        assert_eq!(daemon.stop().0, Some(0));

        // The other way round: the camera is bound, and the daemon connects.
        let camera = context.socket(zmq::XPUB).expect("socket");
        camera.set_ipv6(true).expect("sets");
        camera.set_rcvtimeo(PATIENCE_MS).expect("sets");
        let bound = at.replace("localhost", "127.0.0.1");
        let bound = bound.rsplit_once(':').expect("a port").0;
        camera.bind(&format!("{bound}:*")).expect("binds");
        let port = camera.get_last_endpoint().expect("bound").expect("UTF-8");
        let port = port.rsplit_once(':').expect("a port").1.to_owned();
        let daemon = Daemon::start(&["--ingest", &format!("sub+connect:tcp://{host}:{port}")]);
        camera.recv_bytes(0).expect("the daemon connects");
        assert_eq!(daemon.stop().0, Some(0));
    }
}

// libzmq#2059, pyzmq#209, erlzmq2#41
#[test]
fn what_lies_at_the_path_of_a_socket_is_refused_and_stays() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    std::fs::write(folder.join("thesis"), "years of work").expect("writes");
    std::os::unix::fs::symlink(folder.join("thesis"), folder.join("link")).expect("links");
    for taken in ["thesis", "link"].map(|name| ipc(folder, name)) {
        let free = ipc(folder, "free");
        for (ingest, publish) in [(&taken, &free), (&free, &taken)] {
            for (code, said) in asked(folder, ingest, publish) {
                assert_eq!(code, Some(1), "{said}");
                assert!(said.contains("signd does not replace it"), "{said}");
            }
        }
        let mut send = signd();
        send.arg("send").arg(root().join("tests/recordings/signer.mcap"));
        let (code, said) =
            said(&send.arg(format!("--to=pub+bind:{taken}")).output().expect("runs"));
        assert!(code == Some(1) && said.contains("signd does not replace it"), "{said}");
    }
    assert_eq!(std::fs::read(folder.join("thesis")).expect("reads"), b"years of work");
    assert!(!folder.join("free").exists(), "what was bound before the refusal is gone");
}

// libzmq#2059, smg#2076
#[test]
fn a_socket_file_belongs_to_one_daemon_and_goes_with_it() {
    let mut daemon = Daemon::start(&[]);
    let path = |endpoint: &str| Path::new(endpoint.trim_start_matches("ipc://")).to_owned();
    let (ingest, publish) = (path(&daemon.ingest), path(&daemon.publish));
    let folder = tempfile::tempdir().expect("folder");
    let other = ipc(folder.path(), "other");
    for (ingest, publish) in [(&daemon.ingest, &other), (&other, &daemon.publish)] {
        let [check, run] = asked(folder.path(), ingest, publish);
        assert_eq!(check.0, Some(0), "the daemon's next configuration: {}", check.1);
        assert_eq!(run.0, Some(1), "{}", run.1);
        assert!(run.1.contains("is taken by another signd"), "{}", run.1);
    }
    // It goes on undisturbed.
    let context = zmq::Context::new();
    let watch = daemon.watch(&context, "frame/");
    send_frame(&daemon.camera(&context), "cam1", &Frame::new(0, SourceTime(1), 640, 480));
    assert!(receive(&watch).is_some());

    // Killed, it leaves its sockets behind; the next one takes their place and removes them.
    daemon.signal("KILL");
    daemon.wait_to_end();
    assert!(ingest.symlink_metadata().expect("left").file_type().is_socket());
    let next = Daemon::start(&["--ingest", &daemon.ingest]);
    assert_eq!(next.stop().0, Some(0));
    assert!(!ingest.exists() && publish.exists(), "its own are gone, and no others");
}

#[test]
fn clients_say_what_is_wrong_with_an_endpoint() {
    let recording = root().join("tests/recordings/signer.mcap");
    let recording = recording.to_str().expect("UTF-8");
    for flags in [
        &["watch", "--from=127.0.0.1:5557"][..],
        &["send", recording, "--to=127.0.0.1:5557"],
        &["send", recording, "--to=pub+bind:127.0.0.1:5557"],
    ] {
        let (code, said) = said(&signd().args(flags).output().expect("runs"));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("has no scheme: write tcp://127.0.0.1:5557"), "{said}");
    }
}
