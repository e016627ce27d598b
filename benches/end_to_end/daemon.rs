//! The real binary as a child process, and what `/proc` says of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running daemon; killed when dropped.
pub struct Daemon(Child);

impl Daemon {
    /// Starts it and waits until it is ready.
    pub fn start(binary: &Path, ingest: &str, publish: &str) -> Daemon {
        let child = Command::new(binary)
            .args(["run", "--ingest", ingest, "--publish", publish, "--http", ""])
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut daemon = Daemon(child);
        let mut log = BufReader::new(daemon.0.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            assert!(log.read_line(&mut line).expect("reads") > 0, "the daemon did not start");
        }
        // Whatever else it says must neither block it nor be lost.
        std::thread::spawn(move || drop(std::io::copy(&mut log, &mut std::io::stderr())));
        daemon
    }

    /// Resident memory, MB.
    pub fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(self.path("status")).expect("/proc");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        let kib: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("KiB");
        kib * 1024.0 / 1e6
    }

    /// CPU time of all its threads so far, to a hundredth of a second.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(self.path("stat")).expect("/proc");
        // The name in parentheses may hold spaces; what follows it is numbered from 3.
        let (_, numbers) = stat.rsplit_once(')').expect("a name");
        let ticks = numbers.split_whitespace().skip(14 - 3).take(2);
        let ticks: u64 = ticks.map(|n| n.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(10 * ticks) // 100 ticks a second on every Linux of the last decades
    }

    fn path(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0.id())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
