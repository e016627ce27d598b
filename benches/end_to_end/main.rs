//! The real binary over its sockets: how long from a frame sent to its event received, and how
//! much of that is the daemon's own?
//!
//! For every frame three things are timed, a third of the frame's interval apart, so that all three
//! find the machine in the same state: the frame through the daemon; the same bytes through a relay
//! with the daemon's sockets and nothing between them; and the call to the model which that frame
//! leads to. The daemon's own share is the first less the other two.

mod daemon;
mod relay;
#[path = "../shipped/mod.rs"]
mod shipped;

use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use daemon::Daemon;
use relay::Relay;
use signd_core::frame::Frame;
use signd_engine::model::Model;

const FPS: u32 = 30;
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    let mut model = shipped::model();
    println!("end to end, model `{}`, ipc sockets, {FPS} fps", model.card().identity.name);
    for (streams, seconds) in [(1, 20), (16, 15)] {
        measure(&mut model, streams, seconds);
    }
}

/// One way in and out: where frames go and events come from.
struct Way {
    camera: zmq::Socket,
    /// When each event was received, in order of receipt.
    events: JoinHandle<Vec<Received>>,
}

struct Received {
    at: Instant,
    stream: usize,
    /// Number of the frame, if the event tells.
    seq: Option<usize>,
}

fn measure(model: &mut Model, streams: usize, seconds: usize) {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = |name: &str| format!("ipc://{}", folder.path().join(name).display());
    let [to_daemon, from_daemon, to_relay, from_relay] = ["a", "b", "c", "d"].map(endpoint);
    let daemon = Daemon::start(&shipped::binary(), &to_daemon, &from_daemon);
    let relay = Relay::start(&to_relay, &from_relay);
    if streams == 1 {
        let before = daemon.cpu();
        sleep(IDLE);
        let busy = (daemon.cpu() - before).as_secs_f64() / IDLE.as_secs_f64();
        println!("idle: {:.2} % of a core (goal: under 0.5 %)", busy * 100.0);
    }

    let count = seconds * FPS as usize;
    let frames = repeated(count);
    let wires: Vec<Vec<u8>> = frames.iter().map(shipped::encoded).collect();
    let inputs = shipped::inputs(&frames, model);
    let context = zmq::Context::new();
    let daemon_way = Way::open(&context, &to_daemon, &from_daemon, "frame/", count * streams);
    let relay_way = Way::open(&context, &to_relay, &from_relay, "", count * streams);
    sleep(Duration::from_millis(300)); // the subscriptions arrive

    let names: Vec<String> = (0..streams).map(|i| i.to_string()).collect();
    let third = Duration::from_secs(1) / FPS / streams as u32 / 3;
    let mut due = Instant::now();
    let mut wait = || {
        due += third;
        sleep(due.saturating_duration_since(Instant::now()));
        Instant::now()
    };
    // In the order of sending: frame by frame, all streams in turn, evenly spread over the interval.
    let (mut sent, mut bare_run) = (Vec::new(), Vec::new());
    for (wire, input) in wires.iter().zip(&inputs) {
        for name in &names {
            let through_daemon = wait();
            daemon_way.send(name, wire);
            let through_relay = wait();
            relay_way.send(name, wire);
            sent.push((through_daemon, through_relay));
            let called = wait();
            if !input.is_empty() {
                shipped::call(model, input);
            }
            bare_run.push(if input.is_empty() {
                0.0
            } else {
                microseconds(called, Instant::now())
            });
        }
    }
    let resident = daemon.resident_mb();
    let events = daemon_way.events.join().expect("every frame has its event");
    let echoes = relay_way.events.join().expect("every frame comes back");
    drop(relay);

    let mut end_to_end = vec![f64::NAN; sent.len()];
    for event in &events {
        let i = event.seq.expect("a frame event") * streams + event.stream;
        end_to_end[i] = microseconds(sent[i].0, event.at);
    }
    // The relay keeps the order.
    let bare_trip = echoes.iter().zip(&sent).map(|(echo, sent)| microseconds(sent.1, echo.at));
    let bare_trip: Vec<f64> = bare_trip.collect();
    let own = |i: usize| end_to_end[i] - bare_trip[i] - bare_run[i];

    println!("\n{streams} stream(s), {} frames            p50      p99 us", sent.len());
    let all = || 0..sent.len();
    let in_sign = || all().filter(|&i| bare_run[i] > 0.0);
    line("frame sent to event received", all().map(|i| end_to_end[i]));
    line("  of frames inside a sign", in_sign().map(|i| end_to_end[i]));
    line("bare ZeroMQ round trip", all().map(|i| bare_trip[i]));
    line("bare call to the model", in_sign().map(|i| bare_run[i]));
    line("the daemon's own share", all().map(own));
    line("  of frames inside a sign", in_sign().map(own));
    println!("goal: own share under 150 us at p50");
    if streams == 1 {
        println!("resident: {resident:.1} MB (goal: under 64 MB)");
    }
}

/// The recording over and over, numbered and timed as one camera would.
fn repeated(count: usize) -> Vec<Frame> {
    let mut frames: Vec<Frame> = shipped::frames().into_iter().cycle().take(count).collect();
    for (i, frame) in frames.iter_mut().enumerate() {
        frame.seq = i as u64;
        frame.t.0 = 1_000_000_000 + i as u64 * 1_000_000_000 / u64::from(FPS);
    }
    frames
}

impl Way {
    fn open(context: &zmq::Context, to: &str, from: &str, prefix: &str, count: usize) -> Way {
        let camera = context.socket(zmq::XPUB).expect("socket");
        camera.connect(to).expect("connects");
        camera.recv_bytes(0).expect("the other side subscribes");
        let watch = context.socket(zmq::SUB).expect("socket");
        watch.set_subscribe(prefix.as_bytes()).expect("subscribes");
        watch.set_rcvtimeo(30_000).expect("sets");
        watch.connect(from).expect("connects");
        let receive = move || {
            let mut events = Vec::with_capacity(count);
            while events.len() < count {
                let parts = watch.recv_multipart(0).expect("an event");
                let at = Instant::now();
                let topic = String::from_utf8_lossy(&parts[0]);
                let name = topic.trim_start_matches("frame/").trim_end_matches('/');
                let stream = name.parse().expect("streams are numbered");
                let event: Option<serde_json::Value> = rmp_serde::from_slice(&parts[1]).ok();
                let seq = event.and_then(|event| event["seq"].as_u64()).map(|seq| seq as usize);
                events.push(Received { at, stream, seq });
            }
            events
        };
        Way { camera, events: std::thread::spawn(receive) }
    }

    fn send(&self, stream: &str, wire: &[u8]) {
        self.camera.send(stream, zmq::SNDMORE).expect("sends");
        self.camera.send(wire, 0).expect("sends");
    }
}

fn microseconds(from: Instant, to: Instant) -> f64 {
    (to - from).as_secs_f64() * 1e6
}

fn line(what: &str, values: impl Iterator<Item = f64>) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
    println!("{what:<32} {:>8.0} {:>8.0}", at(0.5), at(0.99));
}
