//! Daemons by their processes: one that was started with other flags is at none of the endpoints configured.

/// A process that runs `signd run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonProcess {
    /// Its number.
    pub pid: i32,
    /// Its command line.
    pub command: Vec<String>,
}

/// All daemons that this user may see.
pub fn daemons() -> Vec<DaemonProcess> {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let daemons = processes.filter_map(|process| {
        let command = process.cmdline().ok()?;
        is_daemon(&command).then_some(DaemonProcess { pid: process.pid, command })
    });
    daemons.collect()
}

fn is_daemon(command: &[String]) -> bool {
    let [program, subcommand, ..] = command else { return false };
    program.rsplit('/').next() == Some("signd") && subcommand == "run"
}

impl DaemonProcess {
    /// The address of its HTTP endpoint, if a flag names it.
    pub fn http(&self) -> Option<std::net::SocketAddr> {
        let mut words = self.command.iter();
        let value = words.find_map(|word| match word.strip_prefix("--http") {
            Some("") => Some(None),
            Some(rest) => rest.strip_prefix('=').map(Some),
            None => None,
        })?;
        value.or_else(|| words.next().map(String::as_str))?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(line: &str) -> DaemonProcess {
        DaemonProcess { pid: 1, command: line.split(' ').map(str::to_owned).collect() }
    }

    #[test]
    fn only_the_daemon_is_one() {
        assert!(is_daemon(&process("/usr/bin/signd run").command));
        for other in ["signd", "/usr/bin/signd watch", "timeout 60 signd run", "vim run"] {
            assert!(!is_daemon(&process(other).command), "{other}");
        }
    }

    #[test]
    fn its_http_flag_is_found() {
        let address = "127.0.0.1:9".parse().ok();
        assert_eq!(process("signd run --http 127.0.0.1:9 --record x").http(), address);
        assert_eq!(process("signd run --http=127.0.0.1:9").http(), address);
        assert_eq!(process("signd run --http").http(), None);
        assert_eq!(process("signd run --ingest tcp://127.0.0.1:9").http(), None);
    }
}
