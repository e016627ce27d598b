//! Every form of input, through real sockets: SUB and PULL, bound and connected, tcp and ipc, all of
//! them at once; and cameras that come and go.

use std::collections::BTreeMap;

use crate::common::{Daemon, PATIENCE_MS, counts, receive, send_frame};
use signd_core::frame::{Frame, SourceTime};

const MS: u64 = 1_000_000;
/// No silence in these tests tells anything.
const CONFIG: &str = "stall_ms = 60000";

fn frame(seq: u64, t_ms: u64) -> Frame {
    Frame::new(seq, SourceTime(t_ms * MS), 640, 480)
}

/// A tcp endpoint that was free a moment ago.
fn tcp() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    format!("tcp://{}", listener.local_addr().expect("bound"))
}

/// The other end of an input: a PUSH, or a PUB that sees the daemon's subscription arrive.
fn camera(context: &zmq::Context, pull: bool, bind: bool, endpoint: &str) -> zmq::Socket {
    let socket = context.socket(if pull { zmq::PUSH } else { zmq::XPUB }).expect("socket");
    socket.set_linger(0).expect("sets");
    socket.set_rcvtimeo(PATIENCE_MS).expect("sets");
    socket.set_sndtimeo(10_000).expect("sets");
    match bind {
        true => socket.bind(endpoint).expect("binds"),
        false => socket.connect(endpoint).expect("connects"),
    }
    if !pull {
        assert_eq!(socket.recv_bytes(0).expect("the daemon subscribes"), [1]);
    }
    socket
}

#[test]
fn all_forms_of_input_at_once_and_several_streams_on_each() {
    let folder = tempfile::tempdir().expect("folder");
    let mut forms = Vec::new();
    for socket in ["sub", "pull"] {
        for end in ["bind", "connect"] {
            forms.push((socket, end, tcp()));
            let path = folder.path().join(format!("{socket}-{end}"));
            forms.push((socket, end, format!("ipc://{}", path.display())));
        }
    }
    let inputs: Vec<String> =
        forms.iter().map(|(socket, end, at)| format!("{socket}+{end}:{at}")).collect();
    let flags: Vec<&str> = inputs.iter().flat_map(|input| ["--ingest", input]).collect();
    let daemon = Daemon::configured(CONFIG, &flags);

    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let cameras: Vec<_> = forms
        .iter()
        .map(|(socket, end, at)| camera(&context, *socket == "pull", *end == "connect", at))
        .collect();
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for seq in 0..30 {
        for (i, camera) in cameras.iter().enumerate() {
            for eye in ["left", "right"] {
                send_frame(camera, &format!("cam{i}.{eye}"), &frame(seq, 33 * seq));
            }
        }
        // As cameras do not either, these do not send more than the daemon has room for.
        while seen.values().any(|seqs| !seqs.contains(&seq)) || seen.len() < 2 * cameras.len() {
            let (_, event) = receive(&watch).unwrap_or_else(|| panic!("nothing after {seen:?}"));
            if event["kind"] == "frame" {
                let stream = event["stream"].as_str().expect("a name").to_owned();
                seen.entry(stream).or_default().push(event["seq"].as_u64().expect("a number"));
            }
        }
    }
    assert_eq!(seen.len(), 16);
    assert!(seen.values().all(|seqs| seqs.iter().copied().eq(0..30)), "{seen:?}");
    let (code, summary) = daemon.stop();
    assert_eq!((code, counts(&summary).as_str()), (Some(0), "received=481"));
}

/// A camera that ends and starts again, counting from zero: the stream is reset and goes on.
fn restarts(form: &str, pull: bool, bind: bool, endpoint: &str) {
    let daemon = Daemon::configured(CONFIG, &["--ingest", &format!("{form}:{endpoint}")]);
    let context = zmq::Context::new();
    let watch = daemon.listen(&context);
    let mut told = Vec::new();
    for run in 0..3 {
        if run > 0 {
            // Two resets within two seconds would be two producers.
            std::thread::sleep(std::time::Duration::from_millis(2100));
        }
        let camera = camera(&context, pull, bind, endpoint);
        for seq in 0..10 {
            send_frame(&camera, "cam1", &frame(seq, 10_000 * run + 33 * seq));
        }
        for (_, event) in std::iter::from_fn(|| receive(&watch)) {
            if event["kind"] == "status" {
                told.push(event["status"].as_str().expect("a word").to_owned());
            }
            if event["seq"] == 9 {
                break;
            }
        }
    }
    assert_eq!(told, ["appeared", "reset", "reset"], "{form}:{endpoint}");
    assert_eq!(counts(&daemon.stop().1), "received=31");
}

#[test]
fn a_camera_may_restart_and_connect_again() {
    restarts("sub+bind", false, false, &tcp());
    restarts("pull+bind", true, false, &tcp());
}

#[test]
fn the_daemon_connects_again_to_a_camera_that_restarts() {
    let folder = tempfile::tempdir().expect("folder");
    restarts("sub+connect", false, true, &tcp());
    restarts("pull+connect", true, true, &format!("ipc://{}", folder.path().join("x").display()));
}
