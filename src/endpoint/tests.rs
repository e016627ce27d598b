//! How endpoints are read, and what is said of those that cannot be.

use super::*;

fn said(text: &str) -> String {
    text.parse::<SocketEndpoint>().expect_err(text).clone()
}

#[test]
fn what_is_read_prints_as_it_was_written() {
    for text in [
        "tcp://127.0.0.1:5556",
        "tcp://*:5556",
        "tcp://0.0.0.0:65535",
        "tcp://[::1]:5556",
        "tcp://::1:5556",
        "tcp://[::]:5556",
        "tcp://[fe80::1%eth0]:5556",
        "tcp://[::ffff:127.0.0.1]:1",
        "tcp://localhost:5556",
        "tcp://eth0.100:5556",
        "tcp://camera.local:5556",
        "tcp://127.0.0.1:*",
        "tcp://192.168.0.9:0;127.0.0.1:5556",
        "ipc:///run/signd/in",
        "ipc:///tmp/a folder/in",
        "ipc://relative/in",
        "ipc://@name",
    ] {
        assert_eq!(text.parse::<SocketEndpoint>().expect(text).to_string(), text);
    }
}

// pyzmq#989, pyzmq#269, libzmq#4774
#[test]
fn what_cannot_be_an_endpoint_is_told_with_what_to_write() {
    for (text, words) in [
        ("", "it is empty"),
        ("127.0.0.1:5556", "has no scheme: write tcp://127.0.0.1:5556"),
        ("localhost:5556", "has no scheme: write tcp://localhost:5556"),
        ("[::1]:5556", "has no scheme: write tcp://[::1]:5556"),
        ("tcp:127.0.0.1:5556", "has no scheme: write tcp://127.0.0.1:5556"),
        ("tcp:/127.0.0.1:5556", "has no scheme: write tcp://127.0.0.1:5556"),
        ("/run/signd/in", "has no scheme: write ipc:///run/signd/in"),
        ("carrier pigeon", "has no scheme"),
        ("TCP://127.0.0.1:5556", "write tcp://127.0.0.1:5556"),
        ("udp://127.0.0.1:5556", "`udp://` is not supported: expected tcp:// or ipc://"),
        ("sub+conect:tcp://127.0.0.1:1", "`sub+conect:` is no kind of socket"),
        ("tcp://127.0.0.1", "has no port: write tcp://127.0.0.1:5556"),
        ("tcp://127.0.0.1:", "has no port: write tcp://127.0.0.1:5556"),
        ("tcp://localhost", "has no port: write tcp://localhost:5556"),
        ("tcp://[::1]", "has no port: write tcp://[::1]:5556"),
        ("tcp://::1", "has no port: write tcp://[::1]:5556"),
        ("tcp://*", "has no port: write tcp://*:5556"),
        ("tcp://127.0.0.1:99999", "there is no port 99999: expected 1 to 65535"),
        ("tcp://127.0.0.1:65536", "there is no port 65536"),
        ("tcp://127.0.0.1:-1", "`-1` is no port"),
        ("tcp://127.0.0.1:+1", "`+1` is no port"),
        ("tcp://127.0.0.1:http", "`http` is no port"),
        ("tcp://127.0.0.1:5556/", "ends in a slash: write tcp://127.0.0.1:5556"),
        ("tcp://127.0.0.1:5556/x", "has a path"),
        ("tcp://:5556", "has no host"),
        ("tcp://", "has no host"),
        ("tcp://127.1:5556", "`127.1` is no IPv4 address"),
        ("tcp://2130706433:5556", "is no IPv4 address"),
        ("tcp://256.0.0.1:5556", "is no IPv4 address"),
        ("tcp://[::g]:5556", "`[::g]` is no IPv6 address"),
        ("tcp://a b:5556", "`a b` is no name"),
        ("tcp://eve@host:5556", "`eve@host` is no name"),
        (" tcp://127.0.0.1:5556", "begins or ends with a space"),
        ("tcp://127.0.0.1:5556\n", "begins or ends with a space"),
        ("ipc:///tmp/a\0b", "zero byte"),
        ("ipc://", "has no path"),
        ("ipc://@", "has no path"),
        ("ipc://*", "no client knows"),
        ("ipc:///run/signd/", "is a folder"),
        ("ipc:/run/signd/in", "has no scheme: write ipc:///run/signd/in"),
    ] {
        assert!(said(text).contains(words), "{text:?}: {}", said(text));
    }
    let path = |bytes: usize| format!("ipc:///{}", "x".repeat(bytes - 1));
    assert!(path(107).parse::<SocketEndpoint>().is_ok());
    assert!(said(&path(108)).contains("108 bytes: expected 107 at most"));
}

#[test]
fn two_endpoints_for_one_place_are_known_for_that() {
    let excludes = |a: &str, b: &str, connects: bool| {
        let parse = |text: &str| text.parse::<SocketEndpoint>().expect(text);
        parse(a).excludes(&parse(b), connects)
    };
    for (a, b) in [
        ("tcp://127.0.0.1:1", "tcp://localhost:1"),
        ("tcp://127.0.0.1:1", "tcp://*:1"),
        ("tcp://0.0.0.0:1", "tcp://127.0.0.1:1"),
        ("tcp://[::]:1", "tcp://10.0.0.7:1"),
        ("tcp://[::ffff:127.0.0.1]:1", "tcp://127.0.0.1:1"),
        ("tcp://eth0:1", "tcp://eth0:1"),
        ("ipc:///tmp/x", "ipc:///tmp/./x"),
        ("ipc:///tmp/x", "ipc:///tmp/y/../x"),
        ("ipc://x", "ipc://./x"),
        ("ipc://@x", "ipc://@x"),
    ] {
        assert!(excludes(a, b, false) && excludes(b, a, false), "{a} {b}");
    }
    for (a, b) in [
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"),
        ("tcp://127.0.0.1:*", "tcp://127.0.0.1:*"),
        ("tcp://127.0.0.1:1", "tcp://[::1]:1"),
        ("tcp://0.0.0.0:1", "tcp://[::1]:1"),
        ("ipc:///tmp/x", "ipc:///tmp/y"),
        ("ipc://@x", "ipc://x"),
    ] {
        assert!(!excludes(a, b, false), "{a} {b}");
    }
    // A camera elsewhere may well use the port that is bound here.
    assert!(!excludes("tcp://*:5556", "tcp://10.0.0.7:5556", true));
    assert!(excludes("tcp://*:5556", "tcp://127.0.0.1:5556", true));
}
