//! What the daemon tells a service manager, heard on a socket that stands in for systemd's.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, PATIENCE, receive, root, send_frame, signd};
use signd_core::frame::{Frame, SourceTime};

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Manager {
        let folder = tempfile::tempdir().expect("folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("binds");
        socket.set_read_timeout(Some(PATIENCE)).expect("sets");
        Manager { socket, folder }
    }

    /// The daemon's command, told of this manager.
    fn command(&self) -> Command {
        let mut command = signd();
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command
    }

    /// The same with a watchdog that wants a sign of life every 0.4 s, so a token goes in every 0.1 s.
    fn watchdog(&self) -> Command {
        let mut command = self.command();
        command.env("WATCHDOG_USEC", "400000");
        command
    }

    fn hears(&self) -> String {
        let mut buffer = [0; 4096];
        let n = self.socket.recv(&mut buffer).expect("a message from the daemon");
        String::from_utf8(buffer[..n].to_vec()).expect("UTF-8")
    }

    /// Signs of life that have come so far.
    fn signs_of_life(&self) -> usize {
        self.socket.set_nonblocking(true).expect("sets");
        let mut buffer = [0; 4096];
        let mut heard = std::iter::from_fn(|| self.socket.recv(&mut buffer).ok().map(|n| n == 11));
        let count = heard.by_ref().filter(|alive| *alive).count();
        self.socket.set_nonblocking(false).expect("sets");
        count
    }
}

const GESTURES: [Gesture; 2] =
    [Gesture { at: 0.5, height: -0.4 }, Gesture { at: 3.0, height: 0.6 }];

fn session() -> Vec<Frame> {
    frames(&GESTURES, 5.5, 30.0, SourceTime(1_000_000_000))
}

#[test]
fn ready_reloading_refusing_and_stopping_are_told_in_order_and_nothing_else() {
    let manager = Manager::new();
    let daemon = Daemon::launched(&mut manager.command(), "", &[]);
    let ready = manager.hears();
    assert!(ready.starts_with("READY=1\nSTATUS=model place 1 ("), "{ready}");
    assert!(ready.contains(&daemon.publish), "{ready}");

    daemon.signal("HUP");
    let reloading = manager.hears();
    let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a reload begins");
    assert!(at.trim_end().parse::<u64>().is_ok(), "{reloading}");
    let done = manager.hears();
    assert!(done.starts_with("READY=1\nSTATUS=reloaded: model place 1 ("), "{done}");

    std::fs::write(daemon.config(), "no_such_key = 1\n").expect("writes");
    daemon.signal("HUP");
    let reloading = manager.hears();
    assert!(reloading.starts_with("RELOADING=1\n"), "{reloading}");
    let refused = manager.hears();
    assert!(refused.starts_with("READY=1\nSTATUS=not reloaded, the old "), "{refused}");
    assert!(refused.contains("no_such_key"), "{refused}");
    assert_eq!(refused.lines().count(), 2, "a parser's error of several lines is one: {refused}");

    assert_eq!(daemon.stop().0, Some(0));
    let stopping = manager.hears();
    assert!(stopping.starts_with("STOPPING=1\n"), "{stopping}");
    assert_eq!(manager.signs_of_life(), 0, "nobody asked for them");
}

#[test]
fn what_cannot_run_is_never_ready() {
    let manager = Manager::new();
    let taken = format!("ipc://{}", manager.folder.path().join("missing/folder").display());
    for (flags, code) in [(["--model", "Cargo.toml"], 78), (["--publish", &taken], 1)] {
        let mut command = manager.command();
        command.current_dir(root()).args(["run", "--ingest", "tcp://127.0.0.1:*"]).args(flags);
        let output = command.output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {said}");
        manager.socket.set_nonblocking(true).expect("sets");
        assert!(manager.socket.recv(&mut [0; 16]).is_err(), "{flags:?}: {said}");
    }
}

#[test]
fn an_idle_daemon_is_alive_and_so_is_one_with_a_camera() {
    let manager = Manager::new();
    let daemon = Daemon::launched(&mut manager.watchdog(), "", &[]);
    assert!(manager.hears().starts_with("READY=1"));
    for _ in 0..3 {
        assert_eq!(manager.hears(), "WATCHDOG=1\n");
    }
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let mut alive = 0;
    for frame in session().iter().cycle().take(3000).enumerate().map(|(i, f)| at(f, i)) {
        send_frame(&camera, "cam1", &frame);
        std::thread::sleep(Duration::from_millis(3));
        alive += manager.signs_of_life();
        if alive >= 3 {
            return;
        }
    }
    panic!("{alive} signs of life while a camera ran");
}

/// The frame as the `i`-th of an endless session.
fn at(frame: &Frame, i: usize) -> Frame {
    let mut frame = frame.clone();
    (frame.seq, frame.t.0) = (i as u64, 1_000_000_000 + i as u64 * 33_333_333);
    frame
}

/// The token waits behind what came before it and lets nothing overtake it, so it does come through.
#[test]
fn a_daemon_that_is_always_behind_is_alive() {
    let manager = Manager::new();
    let slow = root().join("tests/models/slow.onnx");
    let flags = ["--model", slow.to_str().expect("UTF-8")];
    let daemon = Daemon::launched(&mut manager.watchdog(), "", &flags);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    camera.set_linger(0).expect("sets"); // what was not taken in goes with the camera
    let frames = session();
    let (mut alive, mut sent) = (0, 0);
    manager.signs_of_life();
    while alive < 3 {
        for _ in 0..1000 {
            send_frame(&camera, "cam1", &at(&frames[sent % frames.len()], sent));
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(10));
        alive += manager.signs_of_life();
        assert!(sent < 4_000_000, "{alive} signs of life under load");
    }
    let (_, summary) = daemon.stop();
    assert!(summary.contains("dropped.ring_full="), "the ring was full: {summary}");
}

/// Signs are open on many streams, and then frames of all come at once: each costs a call to a slow
/// model, in all a second or more. Ingest's clock goes on meanwhile, as a timer's would.
#[test]
fn while_the_worker_is_stuck_in_the_model_there_is_no_sign_of_life() {
    let manager = Manager::new();
    let slow = root().join("tests/models/slow.onnx");
    let flags = ["--model", slow.to_str().expect("UTF-8")];
    let daemon = Daemon::launched(&mut manager.watchdog(), "", &flags);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let watch = daemon.listen(&context);
    let (frames, streams) = (session(), (0..32).map(|i| format!("cam{i}")).collect::<Vec<_>>());
    let told = |stream: &str, seq: u64| {
        let wanted = |e: &serde_json::Value| e["stream"] == stream && e["seq"] == seq;
        let found = std::iter::from_fn(|| receive(&watch)).find(|(_, event)| wanted(event));
        found.expect("one event per frame");
    };
    for stream in &streams {
        frames[..30].iter().for_each(|frame| send_frame(&camera, stream, frame));
        told(stream, 29);
        manager.signs_of_life(); // a socket that nobody reads holds ten messages, then blocks
    }
    for frame in &frames[30..35] {
        streams.iter().for_each(|stream| send_frame(&camera, stream, frame));
    }
    told(&streams[0], 30);
    manager.signs_of_life();
    let begun = std::time::Instant::now();
    told(&streams[31], 34);
    let (alive, stuck) = (manager.signs_of_life(), begun.elapsed());
    eprintln!("{alive} signs of life in {stuck:?}; a timer would have given ten a second");
    // One token may lie amid the frames, and the next one, put in when that came through, before the last.
    assert!(alive <= 2, "{alive} signs of life in {stuck:?} of work");
    assert_eq!(manager.hears(), "WATCHDOG=1\n", "and then it is over");
}
