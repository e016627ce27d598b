//! `signd watch` says whether there is a daemon to be watched.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::common::{root, signd, terminate};

/// A watch of this endpoint, and its standard error line by line.
fn watch(from: &str) -> (Child, impl Iterator<Item = String>) {
    let mut command = signd();
    command.args(["watch", "--json", "--from", from]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    (child, lines.map(|line| line.expect("UTF-8")))
}

/// A daemon that publishes there; killed outright when dropped.
struct Publisher {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Publisher {
    fn at(endpoint: &str) -> Publisher {
        let folder = tempfile::tempdir().expect("folder");
        let ingest = format!("ipc://{}/in", folder.path().display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_signd"));
        command
            .env("SIGND_MODEL", root().join("tests/models/place.onnx"))
            .env("SIGND_HTTP__LISTEN", "");
        command.args(["run", "--ingest", &ingest, "--publish", endpoint]).stderr(Stdio::null());
        Publisher { child: command.spawn().expect("starts"), _folder: folder }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("ends");
    }
}

// It printed nothing, for ever, when the daemon was down or `--from` wrong.
#[test]
fn a_daemon_that_is_awaited_comes_goes_and_comes_back() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let at = format!("tcp://{}", port.local_addr().expect("bound"));
    drop(port);
    let (mut child, mut said) = watch(&at);
    let mut next = |words: &str| {
        let line = said.next().expect("a line");
        assert!(line.contains(words) && line.contains(&at), "{line}, expected {words}");
    };
    next("waiting for a daemon at");
    let daemon = Publisher::at(&at);
    next("connected to the daemon at");
    drop(daemon);
    next("went away");
    let daemon = Publisher::at(&at);
    next("is back");
    drop(daemon);
    next("went away");
    terminate(&child);
    child.wait().expect("ends");
}
