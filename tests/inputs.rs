//! Every input that is not as it should be, through the real daemon: what is published, what is
//! counted, and that the next good frame is accepted.

use crate::common::stick_figure::{Gesture, frames};
use crate::common::{Daemon, PATIENCE_MS, counts, encode, http, receive, root, send, send_frame};
use serde::Serialize;
use serde_bytes::Bytes;
use serde_json::Value;
use signd_core::frame::{BodyPart, Frame, SourceTime};

/// One stream at most beside the one that `listen` makes, and no silence that tells anything.
const CONFIG: &str = "max_streams = 2\nstall_ms = 60000";
const MS: u64 = 1_000_000;

/// A frame in which nobody is seen.
fn empty(seq: u64, t_ms: u64) -> Frame {
    Frame::new(seq, SourceTime(t_ms * MS), 640, 480)
}

/// The smallest message with a part in it.
#[derive(Serialize)]
struct Message<'a> {
    v: i64,
    seq: i64,
    t: u64,
    w: u64,
    h: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    face: Option<&'a Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pose: Option<&'a Bytes>,
}

const GOOD: Message = Message { v: 1, seq: 1, t: 2 * MS, w: 640, h: 480, face: None, pose: None };

fn pack(message: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(message).expect("packs")
}

fn with_infinity(part: BodyPart, axis: usize, value: f32) -> Vec<u8> {
    let mut frame = empty(1, 2);
    for (i, p) in frame.detect(part).iter_mut().enumerate() {
        *p = [0.5 + 1e-4 * i as f32, 0.5, 0.5];
    }
    frame.detect(part)[7][axis] = value;
    encode(&frame)
}

/// The reason counted, words of the log line for the first of the messages, and these.
type Case<Message> = (&'static str, &'static str, Vec<Message>);

/// Second parts of messages on `cam1` that are no frames.
fn bodies() -> Vec<Case<Vec<u8>>> {
    let good = pack(&GOOD);
    let sized = |w, h| pack(&Message { w, h, ..GOOD });
    let pose = |bytes: usize| {
        let zeros = vec![0; bytes];
        pack(&Message { pose: Some(Bytes::new(&zeros)), ..GOOD })
    };
    let face = |points: usize| {
        let zeros = vec![0; 12 * points];
        pack(&Message { face: Some(Bytes::new(&zeros)), ..GOOD })
    };
    let later = serde_json::json!({"v": 2, "points": "elsewhere"});
    vec![
        (
            "oversized",
            "message of 65537 bytes (at most 65536)",
            vec![vec![0x80; 65_537], vec![0; 1 << 20]],
        ),
        (
            "version",
            "version 2 (this is version 1)",
            vec![pack(&Message { v: 2, ..GOOD }), pack(&Message { v: 0, ..GOOD }), pack(&later)],
        ),
        (
            "malformed",
            "no MessagePack map",
            vec![
                b"hello".to_vec(),
                Vec::new(),
                rmp_serde::to_vec(&GOOD).expect("an array of the values"),
                good[..good.len() - 1].to_vec(),
                pack(&Message { seq: -1, ..GOOD }),
                pack(&Message { v: -1, ..GOOD }),
                pack(&serde_json::json!({"v": 1, "seq": 1, "t": 2, "w": 640})),
                pack(&serde_json::json!({"v": 1, "seq": 1, "t": 2.5, "w": 640, "h": 480})),
            ],
        ),
        (
            "trailing",
            "bytes after the end",
            vec![[&good[..], &[0]].concat(), [&good[..], &good].concat()],
        ),
        (
            "length",
            "pose: 24 bytes (expected 396)",
            vec![pose(24), pose(397), pose(0), face(467), face(477), face(479)],
        ),
        (
            "infinite",
            "pose: point 7 is infinite",
            vec![
                with_infinity(BodyPart::Pose, 0, f32::INFINITY),
                with_infinity(BodyPart::Face, 1, f32::NEG_INFINITY),
                with_infinity(BodyPart::LeftHand, 2, f32::INFINITY),
                with_infinity(BodyPart::RightHand, 0, f32::MAX),
            ],
        ),
        (
            "time",
            "capture time 9223372036854775808 (at most 9223372036854775807)",
            vec![
                pack(&Message { t: 1 << 63, ..GOOD }),
                pack(&Message { t: u64::MAX - 500_000, ..GOOD }),
                pack(&Message { t: u64::MAX, ..GOOD }),
            ],
        ),
        (
            "image_size",
            "image size 0x480 (each side 1 to 65536)",
            vec![sized(0, 480), sized(640, 0), sized(65_537, 480)],
        ),
    ]
}

/// Whole messages that are no frames of a stream.
fn messages() -> Vec<Case<Vec<Vec<u8>>>> {
    let good = pack(&GOOD);
    let named = |id: &[u8]| vec![id.to_vec(), good.clone()];
    vec![
        (
            "parts",
            "1 message parts (expected 2)",
            vec![
                vec![b"cam1".to_vec()],
                vec![b"cam1".to_vec(), good.clone(), good.clone()],
                vec![Vec::new(); 40],
            ],
        ),
        (
            "stream_id",
            "\"no/slash\" is no stream id",
            vec![
                named(b"no/slash"),
                named(b""),
                named(&[b'a'; 65]),
                named("caméra".as_bytes()),
                named(&[0xff, 0xfe]),
            ],
        ),
        (
            "too_many_streams",
            "2 streams are there already",
            vec![named(b"cam2"), named(&[b'a'; 64])],
        ),
    ]
}

#[test]
fn what_is_no_frame_is_counted_by_reason_and_the_next_frame_is_accepted() {
    let mut daemon = Daemon::configured(CONFIG, &["--http", "127.0.0.1:0"]);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let watch = daemon.listen(&context);
    send_frame(&camera, "cam1", &empty(0, 1));
    let told: Vec<_> = (0..2).filter_map(|_| receive(&watch)).map(|(topic, _)| topic).collect();
    assert_eq!(told, ["status/cam1/", "frame/cam1/"]);

    let mut cases = messages();
    for (reason, words, bodies) in bodies() {
        let messages = bodies.into_iter().map(|body| vec![b"cam1".to_vec(), body]);
        cases.push((reason, words, messages.collect()));
    }
    let mut drops = String::new();
    for (i, (reason, words, messages)) in (1..).zip(&cases) {
        for message in messages {
            camera.send_multipart(message, 0).expect("sends");
        }
        let line = daemon.wait_for("frame dropped");
        assert!(line.contains(words) && line.contains(reason), "{reason}: {line}");
        send_frame(&camera, "cam1", &empty(i, 10 * i));
        let (topic, event) = receive(&watch).expect("the good frame's event");
        assert_eq!((topic.as_str(), &event["seq"]), ("frame/cam1/", &i.into()), "{reason}");
        assert_eq!(event["lost"], 0);
        drops += &format!(" dropped.{reason}={}", messages.len());
    }
    let metrics = http::metrics(&http::get(&daemon.http, "/metrics").body);
    for (reason, _, messages) in &cases {
        let series = format!(r#"signd_frames_dropped_total{{stage="ingest",reason="{reason}"}}"#);
        assert_eq!(metrics[&series], messages.len() as f64, "{series}");
    }
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    assert_eq!(counts(&summary), format!("received={}{drops}", cases.len() + 2));
}

#[test]
fn a_part_over_a_mebibyte_closes_its_connection_alone() {
    let daemon = Daemon::configured(CONFIG, &[]);
    let context = zmq::Context::new();
    let (rude, camera) = (daemon.camera(&context), daemon.camera(&context));
    rude.monitor("inproc://rude", zmq::SocketEvent::DISCONNECTED as i32).expect("monitors");
    let closed = context.socket(zmq::PAIR).expect("socket");
    closed.set_rcvtimeo(PATIENCE_MS).expect("sets");
    closed.connect("inproc://rude").expect("connects");
    let watch = daemon.listen(&context);

    send(&rude, "cam1", &vec![0; (1 << 20) + 1]);
    closed.recv_multipart(0).expect("the connection is closed");
    send_frame(&camera, "cam1", &empty(1, 2));
    let accepted = |seq: u64| {
        std::iter::from_fn(|| receive(&watch)).any(|(_, e)| e["kind"] == "frame" && e["seq"] == seq)
    };
    assert!(accepted(1), "others do not notice");
    // libzmq connects again by itself, and the daemon listens to it as before.
    send_frame(&rude, "cam1", &empty(2, 3));
    assert!(accepted(2));
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    assert_eq!(counts(&summary), "received=3");
}

/// Sends frames of one stream, the last of which is accepted, and tells in short what is said of them: `seq+lost` for a frame,
/// status and reason, label and why it ended for a decision; then what was dropped.
fn told(frames: &[Frame]) -> (Vec<String>, String) {
    let daemon = Daemon::configured(CONFIG, &[]);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    let watch = daemon.listen(&context);
    frames.iter().for_each(|frame| send_frame(&camera, "cam1", frame));
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or("-").to_owned();
    let mut words = Vec::new();
    while let Some((_, event)) = receive(&watch) {
        words.push(match event["kind"].as_str() {
            Some("frame") => format!("{}+{}", event["seq"], event["lost"]),
            Some("sign") => format!("{} {}", text(&event, "label"), text(&event, "ended")),
            _ => format!("{} {}", text(&event, "status"), text(&event, "reason")),
        });
        if event["kind"] == "frame" && event["t"].as_u64() == frames.last().map(|frame| frame.t.0) {
            let (code, summary) = daemon.stop();
            assert_eq!(code, Some(0));
            let counted = counts(&summary);
            let drops = counted.split_once(' ').map_or("", |(_received, drops)| drops);
            assert_eq!(words.remove(0), "appeared first_frame");
            return (words, drops.to_owned());
        }
    }
    panic!("the last frame was not accepted: {words:?}");
}

/// The first `n` frames of a session, of which the 60th is in the middle of a sign.
fn session(n: usize) -> Vec<Frame> {
    let gesture = Gesture { at: 0.5, height: -0.4 };
    let mut frames = frames(&[gesture], 3.0, 30.0, SourceTime(100_000 * MS));
    frames.truncate(n);
    frames
}

/// A session broken off in the middle of its sign, then frames without anybody.
fn broken(then: &[Frame]) -> (Vec<String>, String) {
    let (words, drops) = told(&[&session(60)[..], then].concat());
    let before: Vec<String> = (0..60).map(|seq| format!("{seq}+0")).collect();
    assert_eq!(words[..60], before);
    (words[60..].to_vec(), drops)
}

#[test]
fn a_frame_whose_time_does_not_rise_is_dropped_and_counted() {
    let (words, drops) = told(&[empty(0, 5000), empty(1, 5000), empty(2, 4001), empty(3, 5001)]);
    assert_eq!(words, ["0+0", "3+2"]);
    assert_eq!(drops, "dropped.time_not_rising=2");
}

#[test]
fn a_clock_set_back_by_more_than_a_second_resets_the_stream_and_costs_one_sign() {
    let (words, drops) = broken(&[empty(60, 99_000), empty(61, 99_033)]);
    assert_eq!(words, ["high reset", "reset clock_back", "60+0", "61+0"]);
    assert_eq!(drops, "");
}

#[test]
fn a_restarted_producer_resets_the_stream() {
    let (words, drops) = broken(&[empty(0, 103_000), empty(1, 103_033)]);
    assert_eq!(words, ["high reset", "reset restart", "0+0", "1+0"]);
    assert_eq!(drops, "");
}

#[test]
fn a_gap_in_time_decides_the_open_sign_and_the_stream_goes_on() {
    let (words, drops) = broken(&[empty(60, 104_000), empty(61, 104_033)]);
    assert_eq!(words, ["high gap", "60+0", "61+0"]);
    assert_eq!(drops, "");
    // Frames lost in the gap are told with the frame after it.
    let (words, _) = broken(&[empty(90, 104_000)]);
    assert_eq!(words, ["high gap", "90+30"]);
}

#[test]
fn of_two_producers_on_one_stream_id_the_one_that_does_not_continue_it_is_dropped() {
    let mut interleaved: Vec<Frame> =
        (0..4).flat_map(|i| [empty(100 + i, 33 * i), empty(5 + i, 33 * i + 10)]).collect();
    interleaved.push(empty(104, 132));
    let (words, drops) = told(&interleaved);
    let expected = ["100+0", "reset restart", "5+0", "101+0", "102+0", "103+0", "104+0"];
    assert_eq!(words, expected);
    assert_eq!(drops, "dropped.two_producers=3");
}

#[test]
fn a_second_producer_with_a_higher_count_does_not_take_the_stream() {
    let interleaved: Vec<Frame> =
        (0..4).flat_map(|i| [empty(5 + i, 33 * i), empty(5000 + i, 33 * i + 10)]).collect();
    let (words, drops) = told(&interleaved[..7]);
    assert_eq!(words, ["5+0", "6+0", "7+0", "8+0"]);
    assert_eq!(drops, "dropped.two_producers=3");
}

#[test]
fn frames_lost_after_a_restart_are_counted_in_the_new_count() {
    let numbers = (0..25).chain(0..21).chain(27..30);
    let frames: Vec<Frame> = numbers.zip(0..).map(|(seq, i)| empty(seq, 33 * i)).collect();
    let (words, drops) = told(&frames);
    assert_eq!(words[25..27], ["reset restart", "0+0"]);
    assert_eq!(words[46..], ["20+0", "27+6", "28+0", "29+0"]);
    assert_eq!(drops, "");
}

#[test]
#[ignore = "wants the machine for itself: scripts/test.sh runs it after the others"]
fn what_a_full_ring_drops_is_counted_and_shows_as_lost() {
    // A model that takes longer over one answer than ingest takes to fill the ring.
    let slow = root().join("tests/models/slow.onnx");
    let flags = ["--model", slow.to_str().expect("UTF-8")];
    let mut daemon = Daemon::configured("stall_ms = 60000\nhigh_water_mark = 1000000", &flags);
    let context = zmq::Context::new();
    let camera = daemon.camera(&context);
    // Sign after sign on as many streams as may be, as fast as messages can be sent.
    let gestures: Vec<Gesture> =
        (0..5).map(|i| Gesture { at: 2.0 * f64::from(i), height: -0.4 }).collect();
    let mut frames = frames(&gestures, 10.0, 30.0, SourceTime(1000 * MS));
    let last = frames.pop().expect("frames");
    let streams: Vec<String> = (0..63).map(|i| format!("cam{i}")).collect();
    let sent = streams.len() as u64 * (last.seq + 1);
    let each = |frame: &Frame| {
        let body = encode(frame);
        streams.iter().for_each(|stream| send(&camera, stream, &body));
    };
    let watch = daemon.listen(&context);
    // All of it waits before the first is read: a sender that is slow leaves the model time to follow.
    daemon.signal("STOP");
    frames.iter().for_each(each);
    daemon.signal("CONT");
    daemon.wait_for("the ring to the front is full");

    // When all is quiet, one more frame of each stream has room, and tells what was lost before it.
    let (mut lost, mut ended) = (0, 0);
    let mut count = |event: Value| {
        if event["kind"] == "frame" {
            lost += event["lost"].as_u64().expect("a number");
            ended += u64::from(event["seq"] == last.seq);
        }
        ended
    };
    watch.set_rcvtimeo(1000).expect("sets");
    while let Some((_, event)) = receive(&watch) {
        count(event);
    }
    each(&last);
    let all = streams.len() as u64;
    assert!(std::iter::from_fn(|| receive(&watch)).any(|(_, event)| count(event) == all));
    let (code, summary) = daemon.stop();
    assert_eq!(code, Some(0));
    assert_eq!(counts(&summary), format!("received={} dropped.ring_full={lost}", sent + 1 - lost));
}
