//! Who may send and who may see, through the real daemon over tcp.

use crate::common::keyed::{self, Client, Keyed, count, frame};
use crate::common::{PATIENCE_MS, receive, send_frame, wait};

/// The next event of a frame: stream and number.
fn next_frame(watch: &zmq::Socket) -> (String, u64) {
    loop {
        let (_, event) = receive(watch).expect("an event");
        if event["kind"] == "frame" {
            let stream = event["stream"].as_str().expect("a name").to_owned();
            return (stream, event["seq"].as_u64().expect("a number"));
        }
    }
}

/// A camera, and a subscriber of which is known that it is let in and has subscribed.
fn both(daemon: &Keyed, cam: &Client, stream: &str, eye: &Client) -> (zmq::Socket, zmq::Socket) {
    let (camera, watch) = (daemon.admitted(cam), daemon.watch(Some(eye)));
    watch.set_rcvtimeo(20).expect("sets");
    let mut seq = 0;
    wait("an event", || {
        send_frame(&camera, stream, &frame(seq));
        seq += 1;
        receive(&watch)
    });
    watch.set_rcvtimeo(PATIENCE_MS).expect("sets");
    send_frame(&camera, stream, &frame(9999));
    while next_frame(&watch).1 != 9999 {}
    (camera, watch)
}

#[test]
fn a_camera_comes_in_with_a_listed_key_and_sends_no_stream_but_its_own() {
    let (cam, eye, stranger) = (Client::new(), Client::new(), Client::new());
    let clients = cam.table("cam", "[\"cam1\", \"hall-*\"]", false) + &eye.table("eye", "[]", true);
    let daemon = Keyed::start(&clients);
    // These three are never let in; what they send goes nowhere.
    let outside = [None, Some(&stranger), Some(&eye)].map(|client| daemon.camera(client));
    for words in
        ["reason=\"handshake\" ingest", "unknown_key ingest 127.0.0.1", "not_allowed ingest"]
    {
        daemon.wait_for(words);
    }
    let (camera, watch) = both(&daemon, &cam, "cam1", &eye);
    for camera in &outside {
        send_frame(camera, "cam1", &frame(10_000));
    }
    for (stream, seq) in
        [("cam2", 1), ("hall", 1), ("cam10", 1), ("hall-left", 1), ("cam1", 10_001)]
    {
        send_frame(&camera, stream, &frame(seq));
    }
    assert_eq!(next_frame(&watch), ("hall-left".into(), 1));
    assert_eq!(next_frame(&watch), ("cam1".into(), 10_001));
    daemon.wait_for("not_allowed stream=\"cam2\" cam may not send this stream");
    for camera in &outside {
        assert_eq!(camera.recv_bytes(zmq::DONTWAIT), Err(zmq::Error::EAGAIN), "no subscription");
    }
    let summary = daemon.stop(&[&cam, &eye, &stranger]);
    assert_eq!(count(&summary, "dropped.not_allowed"), 3, "{summary}");
    assert!(count(&summary, "refused.unknown_key") > 0, "{summary}");
    assert!(count(&summary, "refused.not_allowed") > 0, "{summary}");
    assert!(count(&summary, "refused.handshake") > 0, "{summary}");
}

#[test]
fn nobody_sees_events_without_a_key_that_may() {
    let (cam, eye, stranger) = (Client::new(), Client::new(), Client::new());
    let clients = cam.table("cam", "[\"*\"]", false) + &eye.table("eye", "[]", true);
    let daemon = Keyed::start(&clients);
    let outside = [None, Some(&stranger), Some(&cam)].map(|client| daemon.watch(client));
    // One that takes another daemon for this one.
    let misled = daemon.socket(zmq::SUB, Some(&eye));
    misled.set_curve_serverkey(&stranger.0.public_key).expect("sets");
    misled.set_subscribe(b"").expect("subscribes");
    misled.connect(&daemon.publish).expect("connects");
    for words in ["reason=\"handshake\" publish", "unknown_key publish", "not_allowed publish"] {
        daemon.wait_for(words);
    }
    let (camera, watch) = both(&daemon, &cam, "cam1", &eye);
    for seq in 10_000..10_100 {
        send_frame(&camera, "cam1", &frame(seq));
        assert_eq!(next_frame(&watch), ("cam1".into(), seq));
    }
    for socket in outside.iter().chain([&misled]) {
        assert_eq!(socket.recv_bytes(zmq::DONTWAIT), Err(zmq::Error::EAGAIN));
    }
    daemon.stop(&[&cam, &eye, &stranger]);
}

#[test]
fn a_reload_takes_from_a_camera_what_it_may_send_at_once() {
    let (cam, other, eye) = (Client::new(), Client::new(), Client::new());
    let watcher = eye.table("eye", "[]", true);
    let daemon = Keyed::start(&(cam.table("cam", "[\"a\", \"b\"]", false) + &watcher));
    let (camera, watch) = both(&daemon, &cam, "a", &eye);
    let told = |seq: u64| {
        send_frame(&camera, "a", &frame(seq));
        send_frame(&camera, "b", &frame(seq));
        next_frame(&watch)
    };
    assert_eq!((told(10_000), next_frame(&watch)), (("a".into(), 10_000), ("b".into(), 10_000)));
    daemon.reload(&(cam.table("cam", "[\"b\"]", false) + &watcher));
    wait("the reload to reach ingest", || {
        send_frame(&camera, "a", &frame(20_000));
        daemon.log().contains("stream=\"a\"").then_some(())
    });
    // Another key under the same name: the old one has lost everything.
    daemon.reload(&(other.table("cam", "[\"a\", \"b\"]", false) + &watcher));
    let late = wait("the other key to be let in", || {
        let camera = daemon.camera(Some(&other));
        camera.set_rcvtimeo(200).expect("sets");
        camera.recv_bytes(0).ok().map(|_| camera)
    });
    send_frame(&late, "b", &frame(50_000));
    while next_frame(&watch) != ("b".into(), 50_000) {}
    send_frame(&camera, "b", &frame(50_001));
    daemon.camera(Some(&cam));
    send_frame(&late, "a", &frame(50_002));
    while next_frame(&watch) != ("a".into(), 50_002) {}
    let summary = daemon.stop(&[&cam, &eye, &other]);
    assert!(count(&summary, "dropped.not_allowed") > 0, "{summary}");
}

#[test]
fn a_reload_shows_a_subscriber_out_and_lets_the_others_back_in() {
    let (cam, eye, spy) = (Client::new(), Client::new(), Client::new());
    let rest = cam.table("cam", "[\"*\"]", false) + &eye.table("eye", "[]", true);
    let daemon = Keyed::start(&(spy.table("spy", "[]", true) + &rest));
    let (camera, watch) = both(&daemon, &cam, "cam1", &eye);
    let spying = daemon.watch(Some(&spy));
    assert_eq!(receive(&spying).expect("an event").1["retained"], true);
    daemon.reload(&rest);
    daemon.wait_for("all have to connect again");
    daemon.wait_for("unknown_key publish");
    while spying.recv_bytes(zmq::DONTWAIT).is_ok() {}
    // The other one comes back by itself.
    watch.set_rcvtimeo(20).expect("sets");
    let mut seq = 10_000;
    wait("events again", || {
        send_frame(&camera, "cam1", &frame(seq));
        seq += 1;
        receive(&watch).filter(|(_, event)| event["seq"].as_u64() >= Some(10_000))
    });
    watch.set_rcvtimeo(PATIENCE_MS).expect("sets");
    for seq in 20_000..20_100 {
        send_frame(&camera, "cam1", &frame(seq));
        while next_frame(&watch).1 != seq {}
    }
    assert_eq!(spying.recv_bytes(zmq::DONTWAIT), Err(zmq::Error::EAGAIN));
    daemon.stop(&[&cam, &eye, &spy]);
}

/// A camera that is connected to: a CURVE server.
fn bound(daemon: &Keyed, camera: &Client, endpoint: &str) -> zmq::Socket {
    let socket = daemon.socket(zmq::XPUB, None);
    socket.set_curve_server(true).expect("sets");
    socket.set_curve_secretkey(&camera.0.secret_key).expect("sets");
    wait("the port", || socket.bind(endpoint).ok());
    socket
}

#[test]
fn a_camera_that_is_connected_to_has_to_have_the_key_of_its_client() {
    let (cam, eye, false_one) = (Client::new(), Client::new(), Client::new());
    let clients = cam.table("cam", "[\"cam1\"]", false) + &eye.table("eye", "[]", true);
    let endpoint = keyed::tcp();
    let daemon = Keyed::at(&format!("sub+connect:cam@{endpoint}"), endpoint.clone(), &clients);
    let impostor = bound(&daemon, &false_one, &endpoint);
    daemon.wait_for("reason=\"handshake\" ingest");
    assert_eq!(impostor.recv_bytes(zmq::DONTWAIT), Err(zmq::Error::EAGAIN));
    drop(impostor);
    let camera = bound(&daemon, &cam, &endpoint);
    assert_eq!(camera.recv_bytes(0), Ok(vec![1]));
    send_frame(&camera, "cam1", &frame(0));
    let watch = daemon.watch(Some(&eye));
    assert_eq!(receive(&watch).expect("an event").1["status"], "appeared");
    send_frame(&camera, "cam2", &frame(0));
    send_frame(&camera, "cam1", &frame(1));
    while next_frame(&watch) != ("cam1".into(), 1) {}
    let summary = daemon.stop(&[&cam, &eye, &false_one]);
    assert_eq!(count(&summary, "dropped.not_allowed"), 1, "{summary}");
}
