//! Connections that are no handshake, against a daemon that asks for keys: what they are sent, that
//! they are shown out, and that they stop nobody.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::keyed::{self, Client, Keyed, frame};
use crate::common::{PATIENCE, PATIENCE_MS, receive, send_frame, wait};

/// A greeting of ZMTP 3.0 for this mechanism.
fn greeting(mechanism: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0];
    bytes.extend(mechanism.bytes());
    bytes.resize(64, 0);
    bytes
}

fn connect(endpoint: &str) -> TcpStream {
    let stream = TcpStream::connect(&endpoint["tcp://".len()..]).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("sets");
    stream
}

/// Everything sent until the daemon closes the connection, which it has to.
fn until_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "shown out"),
    }
    bytes
}

/// A camera and a subscriber, both let in, and ten frames from the one to the other.
fn good_clients_get_through(daemon: &Keyed, cam: &Client, eye: &Client, stream: &str) {
    let (camera, watch) = (daemon.admitted(cam), daemon.watch(Some(eye)));
    watch.set_rcvtimeo(20).expect("sets");
    let mut seq = 0;
    wait("an event", || {
        send_frame(&camera, stream, &frame(seq));
        seq += 1;
        receive(&watch)
    });
    watch.set_rcvtimeo(PATIENCE_MS).expect("sets");
    for seq in 10_000..10_010 {
        send_frame(&camera, stream, &frame(seq));
        while receive(&watch).expect("an event").1["seq"] != seq {}
    }
}

fn start() -> (Keyed, Client, Client) {
    let (cam, eye) = (Client::new(), Client::new());
    let clients = cam.table("cam", "[\"*\"]", false) + &eye.table("eye", "[]", true);
    (Keyed::start(&clients), cam, eye)
}

#[test]
fn whoever_says_nothing_or_half_a_greeting_is_shown_out_and_holds_up_nobody() {
    let (daemon, cam, eye) = start();
    let mut held = Vec::new();
    for endpoint in [&daemon.ingest, &daemon.publish] {
        for length in [0, 1, 9, 10, 11, 12, 32, 63, 64] {
            let mut stream = connect(endpoint);
            stream.write_all(&greeting("CURVE")[..length]).expect("writes");
            held.push(stream);
        }
        held.extend((0..50).map(|_| connect(endpoint)));
    }
    good_clients_get_through(&daemon, &cam, &eye, "cam1");
    for stream in held {
        let bytes = until_closed(stream);
        assert!(bytes.len() <= 64, "more than a greeting: {bytes:?}");
    }
    good_clients_get_through(&daemon, &cam, &eye, "cam2");
    daemon.stop(&[&cam, &eye]);
}

#[test]
fn without_a_key_not_one_byte_of_an_event_is_received() {
    let (daemon, cam, eye) = start();
    // Greeting and READY of a subscriber without security, then a subscription to everything.
    let mut plain = greeting("NULL");
    plain.extend(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB\0\x01\x01");
    // A subscription where CURVE's first command is expected.
    let curve = [&greeting("CURVE")[..], b"\0\x01\x01"].concat();
    let mut streams: Vec<TcpStream> = Vec::new();
    for bytes in [&plain, &curve, &greeting("CURVE"), &greeting("PLAIN"), &Vec::new()] {
        let mut stream = connect(&daemon.publish);
        stream.write_all(bytes).expect("writes");
        streams.push(stream);
    }
    good_clients_get_through(&daemon, &cam, &eye, "cam1");
    let greeting = greeting("CURVE");
    for stream in streams {
        let bytes = until_closed(stream);
        // The daemon's own greeting: its minor version and that it is a server may differ.
        assert!(bytes.len() <= 64, "{bytes:?}");
        let differs = |at: &usize| bytes[*at] != greeting[*at] && ![11, 32].contains(at);
        assert_eq!((0..bytes.len()).find(differs), None, "{bytes:?}");
    }
    daemon.stop(&[&cam, &eye]);
}

#[test]
fn after_much_garbage_a_good_client_still_gets_through() {
    let (daemon, cam, eye) = start();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for i in 0..600 {
        let endpoint = if i % 2 == 0 { &daemon.ingest } else { &daemon.publish };
        let mut bytes = match i % 6 {
            0 | 1 => Vec::new(),
            2 | 3 => greeting("CURVE"),
            // A command of the right name and length, of which nothing else is right.
            _ => [&greeting("CURVE")[..], b"\x04\xc8\x05HELLO\x01\0"].concat(),
        };
        bytes.extend((0..random() % 60).flat_map(|_| random().to_le_bytes()));
        let mut stream = connect(endpoint);
        // It may close while this is being sent.
        let _ = stream.write_all(&bytes);
    }
    good_clients_get_through(&daemon, &cam, &eye, "cam1");
    let summary = daemon.stop(&[&cam, &eye]);
    assert!(keyed::count(&summary, "refused.handshake") > 0, "{summary}");
}
