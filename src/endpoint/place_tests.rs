//! Endpoints on this machine: bound, connected, taken, missing.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use super::*;

fn endpoint(text: &str) -> SocketEndpoint {
    text.parse().expect(text)
}

fn bind(context: &SocketContext, text: &str) -> Result<(ZmqSocket, Option<SocketFile>), String> {
    let socket = context.socket(SocketKind::Pull).expect("a socket");
    let file = endpoint(text).bind(&socket).map_err(|error| error.to_string())?;
    Ok((socket, file))
}

/// A port that was free a moment ago.
fn port() -> u16 {
    let held = TcpListener::bind("127.0.0.1:0").expect("binds");
    held.local_addr().expect("bound").port()
}

// pyzmq#989, pyzmq#269
#[test]
fn every_form_of_this_machine_binds_and_is_reached_by_every_form_that_means_it() {
    let context = SocketContext::default();
    for (bound, clients) in [
        ("localhost", &["localhost", "127.0.0.1"][..]),
        ("lo", &["127.0.0.1"]),
        ("127.0.0.1", &["localhost", "LocalHost"]),
        ("[::1]", &["[::1]"]),
        ("*", &["127.0.0.1", "localhost", "[::1]"]),
        ("[::]", &["127.0.0.1", "[::1]"]),
        ("0.0.0.0", &["127.0.0.1"]),
        ("[::ffff:127.0.0.1]", &["127.0.0.1"]),
    ] {
        let port = port();
        let at = format!("tcp://{bound}:{port}");
        assert_eq!(endpoint(&at).look(), Ok(()), "{at}");
        let (socket, _) = bind(&context, &at).expect(bound);
        socket.set_receive_time(Duration::from_secs(5)).expect("sets");
        let here = endpoint(&at).from_here().to_string();
        for client in clients.iter().map(|name| format!("tcp://{name}:{port}")).chain([here]) {
            let push = context.socket(SocketKind::Push).expect("a socket");
            push.set_linger(Duration::ZERO).expect("sets");
            endpoint(&client).connect(&push).expect("connects");
            push.send(&[b"frame"]).expect("sends");
            assert_eq!(
                socket.receive().expect("receives").expect("arrives"),
                [b"frame"],
                "{client} to {at}"
            );
        }
        assert!(endpoint(&at).look().expect_err("taken").taken, "{at}");
    }
}

#[test]
fn what_this_machine_does_not_have_is_told_before_it_is_bound() {
    let context = SocketContext::default();
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path().display();
    for (at, words) in [
        ("tcp://203.0.113.9:5556".to_owned(), "does not have that address"),
        ("tcp://[2001:db8::9]:5556".to_owned(), "does not have that address"),
        ("tcp://no-such-name.invalid:5556".to_owned(), "neither a network interface nor"),
        (format!("ipc://{folder}/no/in"), "the folder must exist"),
        (format!("ipc://{folder}"), "is a folder and no socket"),
    ] {
        let looked = endpoint(&at).look().expect_err(&at);
        assert!(looked.to_string().contains(words) && !looked.taken, "{looked}");
        assert_eq!(bind(&context, &at).err(), Some(looked.to_string()));
    }
}

#[test]
fn who_has_a_place_is_told() {
    let held = TcpListener::bind("127.0.0.1:0").expect("binds");
    let at = format!("tcp://{}", held.local_addr().expect("bound"));
    let error = endpoint(&at).look().expect_err("taken");
    let me = format!("({})", std::process::id());
    assert!(error.taken && error.seen.contains(&me), "{error}");
    assert!(error.seen.contains("Address already in use"), "{error}");
    drop(held);
    assert_eq!(endpoint(&at).look(), Ok(()));

    let folder = tempfile::tempdir().expect("folder");
    let at = format!("ipc://{}/in", folder.path().display());
    let _held = UnixListener::bind(folder.path().join("in")).expect("binds");
    let error = endpoint(&at).look().expect_err("taken");
    assert!(error.taken && error.seen.contains(&me), "{error}");

    let name = format!("@signd-test-{}", std::process::id());
    let context = SocketContext::default();
    let _held = bind(&context, &format!("ipc://{name}")).expect("binds");
    let error = bind(&context, &format!("ipc://{name}")).err().expect("taken");
    assert!(error.contains("is taken by") && error.contains(&me), "{error}");
}

// libzmq#2059, pyzmq#209, erlzmq2#41
#[test]
fn nothing_at_the_path_of_a_socket_file_is_replaced_but_a_dead_socket() {
    let context = SocketContext::default();
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("thesis"), "years of work").expect("writes");
    std::fs::create_dir(path("folder")).expect("creates");
    std::os::unix::fs::symlink(path("thesis"), path("link")).expect("links");
    std::os::unix::fs::symlink(path("nowhere"), path("dangling")).expect("links");
    let live = UnixListener::bind(path("live")).expect("binds");
    let datagrams = std::os::unix::net::UnixDatagram::bind(path("datagrams")).expect("binds");
    for (name, words) in [
        ("thesis", "is a file and no socket: signd does not replace it"),
        ("folder", "is a folder"),
        ("link", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
        ("live", "is taken by"),
        ("datagrams", "is taken by"),
    ] {
        let before = path(name).symlink_metadata().expect("there").ino();
        let at = format!("ipc://{}", path(name).display());
        let error = bind(&context, &at).err().expect("refused");
        assert!(error.contains(words), "{error}");
        assert_eq!(path(name).symlink_metadata().expect("still there").ino(), before);
    }
    assert_eq!(std::fs::read(path("thesis")).expect("reads"), b"years of work");
    drop((live, datagrams));
    let at = format!("ipc://{}", path("live").display());
    assert_eq!(endpoint(&at).look(), Ok(()));
    assert!(path("live").exists(), "looking removes nothing");
    drop(bind(&context, &at).expect("the dead socket is replaced"));
}

#[test]
fn a_socket_file_goes_with_its_socket_and_never_with_anothers() {
    let folder = tempfile::tempdir().expect("folder");
    let at = format!("ipc://{}/in", folder.path().display());
    let context = SocketContext::default();
    let (socket, file) = bind(&context, &at).expect("binds");
    assert!(bind(&context, &at).err().expect("refused").contains("is taken by"));
    drop(socket);
    drop(context);
    drop(file);
    assert!(!folder.path().join("in").exists());

    let context = SocketContext::default();
    let (socket, file) = bind(&context, &at).expect("binds");
    drop(socket);
    drop(context);
    let other = SocketContext::default();
    let _other = bind(&other, &at).expect("binds");
    drop(file);
    assert!(folder.path().join("in").exists(), "it is the other's by now");
}

#[test]
fn of_many_that_start_at_once_one_has_the_path() {
    let folder = tempfile::tempdir().expect("folder");
    let at = format!("ipc://{}/in", folder.path().display());
    // Left behind, so that each of them has something to remove.
    drop(UnixListener::bind(folder.path().join("in")).expect("binds"));
    let context = SocketContext::default();
    let bound: Vec<_> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| bind(&context, &at).ok());
        let all: Vec<_> = (0..8).map(|_| start()).collect();
        all.into_iter().filter_map(|thread| thread.join().expect("ends")).collect()
    });
    assert_eq!(bound.len(), 1);
}

#[test]
fn an_abstract_name_costs_no_file_of_that_name() {
    // Relative to the working folder, which is the project's: a name that is there already.
    let at = endpoint("ipc://@signd-test-none/../Cargo.toml");
    assert_eq!(at.look(), Ok(()));
    let file = format!("@signd-test-{}", std::process::id());
    std::fs::write(&file, "mine").expect("writes");
    let error = endpoint(&format!("ipc://{file}")).look().expect_err("refused");
    let kept = std::fs::read(&file);
    std::fs::remove_file(&file).expect("removes");
    assert!(error.seen.contains("would delete the file"), "{error}");
    assert_eq!(kept.expect("reads"), b"mine");
}
