//! The clients that come with the daemon, and the example, with their keys.

use std::path::Path;
use std::process::Command;

use crate::common::keyed::{self, Client, Keyed, z85};
use crate::common::{receive, root, signd, terminate, wait};

/// Writes a client's key file.
fn write(client: &Client, folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    client.write(&path);
    path.to_str().expect("UTF-8").to_owned()
}

fn daemon_key(key: &Client) -> String {
    format!("--daemon-key={}", z85(&key.0.public_key))
}

#[test]
fn send_and_watch_come_in_with_their_keys_and_say_why_they_do_not() {
    let (cam, eye) = (Client::new(), Client::new());
    let clients = cam.table("cam", "[\"cam1\"]", false) + &eye.table("eye", "[]", true);
    let daemon = Keyed::start(&clients);
    let folder = tempfile::tempdir().expect("folder");
    let (cam_key, eye_key) = (write(&cam, folder.path(), "cam"), write(&eye, folder.path(), "eye"));
    let public = daemon_key(&daemon.own);
    let misled = daemon_key(&cam);
    let said = folder.path().join("said");
    let seen = |words: &str| std::fs::read_to_string(&said).expect("reads").contains(words);
    let run = |flags: &[&str]| {
        let file =
            || std::fs::File::options().create(true).append(true).open(&said).expect("opens");
        signd().args(flags).stdout(file()).stderr(file()).spawn().expect("starts")
    };

    let recording = root().join("tests/recordings/signer.mcap");
    let send = ["send", recording.to_str().expect("UTF-8"), "--stream=cam1", "--fps=1000"];
    let to = ["--to", &daemon.ingest, &public, "--key"];
    let from = ["watch", "--json", "--from", &daemon.publish];
    for (flags, reason) in [
        ([&from[..], &[&public, "--key", &cam_key]].concat(), "does not list this key"),
        (from.to_vec(), "asked for (--key, --daemon-key)"),
        ([&from[..], &[&misled, "--key", &eye_key]].concat(), "is --daemon-key the public key"),
        ([&send[..], &to, &[&eye_key]].concat(), "does not list this key"),
    ] {
        let mut child = run(&flags);
        wait(reason, || seen(reason).then_some(()));
        terminate(&child);
        child.wait().expect("ends");
        std::fs::write(&said, "").expect("empties");
    }
    let mut watch = run(&[&from[..], &[&public, "--key", &eye_key]].concat());
    // Sent once before, so that the watching client is told that it is subscribed.
    assert!(run(&[&send[..], &to, &[&cam_key]].concat()).wait().expect("ends").success());
    wait("a status", || seen("\"stream\":\"cam1\"").then_some(()));
    assert!(run(&[&send[..], &to, &[&cam_key]].concat()).wait().expect("ends").success());
    wait("an event", || seen("\"kind\":\"frame\"").then_some(()));
    terminate(&watch);
    watch.wait().expect("ends");
    daemon.stop(&[&cam, &eye]);
}

#[test]
fn send_as_a_bound_camera_lets_nobody_in_but_the_daemon() {
    let (cam, eye, stranger) = (Client::new(), Client::new(), Client::new());
    let clients = cam.table("cam", "[\"cam1\"]", false) + &eye.table("eye", "[]", true);
    let endpoint = keyed::tcp();
    let folder = tempfile::tempdir().expect("folder");
    let recording = root().join("tests/recordings/signer.mcap");
    let key = write(&cam, folder.path(), "cam");
    // Known beforehand, as the camera is there first.
    let own = Client::new();
    let mut send = signd()
        .args(["send", recording.to_str().expect("UTF-8"), "--stream=cam1", "--fps=1000"])
        .args(["--to", &format!("pub+bind:{endpoint}"), "--key", &key, &daemon_key(&own)])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let context = zmq::Context::new();
    let outside = [Some(&stranger), None].map(|client| {
        let socket = context.socket(zmq::SUB).expect("socket");
        keyed::show_key(&socket, client, &cam);
        socket.set_subscribe(b"").expect("subscribes");
        socket.set_rcvtimeo(500).expect("sets");
        socket.connect(&endpoint).expect("connects");
        socket
    });
    for socket in &outside {
        assert_eq!(socket.recv_bytes(0), Err(zmq::Error::EAGAIN));
    }
    // Had one of them subscribed, it would be sending by now.
    assert!(send.try_wait().expect("asks").is_none());
    let daemon = Keyed::owning(own, &format!("sub+connect:cam@{endpoint}"), endpoint, &clients);
    assert!(send.wait().expect("ends").success());
    let watch = daemon.watch(Some(&eye));
    assert_eq!(receive(&watch).expect("an event").1["stream"], "cam1");
    for socket in &outside {
        assert_eq!(socket.recv_bytes(zmq::DONTWAIT), Err(zmq::Error::EAGAIN));
    }
    daemon.stop(&[&cam, &eye, &stranger]);
}

#[test]
fn the_python_client_comes_in_with_its_key() {
    let (cam, eye) = (Client::new(), Client::new());
    let clients = cam.table("cam", "[\"py\"]", false) + &eye.table("eye", "[]", true);
    let daemon = Keyed::start(&clients);
    let folder = tempfile::tempdir().expect("folder");
    let client = |key: &Client, name: &str, flags: &[&str]| {
        let python = root().join("target/python/bin/python");
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "60"]).arg(python).arg(root().join("examples/client.py"));
        command.args(flags).args(["--key", &write(key, folder.path(), name)]);
        command.arg(daemon_key(&daemon.own)).output().expect("runs")
    };
    let clip = folder.path().join("clip.npy");
    // Ten frames of nobody: float32 [10, 543, 3], all NaN.
    let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 543, 3), }";
    let mut file = [b"\x93NUMPY\x01\0\x76\0", format!("{head:117}\n").as_bytes()].concat();
    file.extend(f32::NAN.to_le_bytes().repeat(10 * 543 * 3));
    std::fs::write(&clip, file).expect("writes");
    let clip = clip.to_str().expect("UTF-8");
    let sent = client(&cam, "cam", &["send", clip, "--to", &daemon.ingest, "--stream", "py"]);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let seen = client(&eye, "eye", &["watch", "--from", &daemon.publish, "--count", "1"]);
    let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(seen.contains("\"stream\": \"py\""), "{seen}");
    daemon.stop(&[&cam, &eye]);
}
