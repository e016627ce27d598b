//! Endpoints: can they be opened, and if not, who has them?

use std::io::ErrorKind;
use std::net::{TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::finding::Finding;
use super::owner::{self, Owner};

/// Whether the daemon could bind an endpoint now.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// It could.
    Free,
    /// A running signd has it.
    Ours(u32),
    /// Something is wrong with it.
    Wrong(Finding),
}

/// Looks at an endpoint that the daemon binds.
pub fn look(part: &'static str, endpoint: &str) -> Place {
    match (endpoint.strip_prefix("tcp://"), endpoint.strip_prefix("ipc://")) {
        (Some(address), _) => tcp(part, endpoint, address),
        (_, Some(path)) => ipc(part, endpoint, Path::new(path)),
        _ => Place::Free, // refused with the configuration
    }
}

fn tcp(part: &'static str, endpoint: &str, address: &str) -> Place {
    // ZeroMQ's `*` is every address. An interface's name only libzmq can look up.
    let address = address.replacen('*', "0.0.0.0", 1);
    let Ok(mut addresses) = address.to_socket_addrs() else { return Place::Free };
    let Some(address) = addresses.next() else { return Place::Free };
    let error = match TcpListener::bind(address) {
        Ok(_) => return Place::Free,
        Err(error) => error,
    };
    let remedy = match error.kind() {
        ErrorKind::AddrInUse => {
            let owner = owner::of_port(address.port()).or_else(owner::other_signd);
            if let Some(Owner { name, pid }) = &owner
                && name == "signd"
            {
                return Place::Ours(*pid);
            }
            let who =
                owner.map_or("another program".into(), |o| format!("`{}` ({})", o.name, o.pid));
            let seen = format!("{endpoint} is taken by {who}");
            let remedy = "stop that program, or choose another port in the configuration";
            return Place::Wrong(Finding::wrong(part, seen, remedy));
        }
        ErrorKind::PermissionDenied => "ports below 1024 are for root: choose a higher one",
        ErrorKind::AddrNotAvailable => "this machine does not have that address: see `ip address`",
        _ => "choose another endpoint in the configuration",
    };
    Place::Wrong(Finding::wrong(part, format!("{endpoint}: {error}"), remedy))
}

fn ipc(part: &'static str, endpoint: &str, path: &Path) -> Place {
    if UnixStream::connect(path).is_ok() {
        return match owner::of_socket(path).or_else(owner::other_signd) {
            Some(Owner { name, pid }) if name == "signd" => Place::Ours(pid),
            _ => {
                let seen = format!("{endpoint} is taken by another program");
                Place::Wrong(Finding::wrong(part, seen, "stop it, or choose another path"))
            }
        };
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match super::files::writable(folder) {
        Ok(()) => Place::Free,
        Err(error) => {
            let seen = format!("{endpoint}: {}: {error}", folder.display());
            let remedy = "the folder must exist and be writable for the user that runs signd; as a service \
                          it has /run/signd";
            Place::Wrong(Finding::wrong(part, seen, remedy))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_taken_and_impossible_places_are_told_apart() {
        let held = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = held.local_addr().expect("bound").port();
        let place = || look("ingest", &format!("tcp://127.0.0.1:{port}"));
        let Place::Wrong(finding) = place() else { panic!("taken") };
        let me = format!("({})", std::process::id());
        assert!(finding.seen.contains("is taken by") && finding.seen.contains(&me), "{finding:?}");
        drop(held);
        assert_eq!(place(), Place::Free);

        let Place::Wrong(finding) = look("publish", "tcp://192.0.2.1:5557") else { panic!("ours") };
        assert!(finding.remedy.contains("does not have that address"), "{finding:?}");

        let folder = tempfile::tempdir().expect("folder");
        let ipc = |name: &str| look("ingest", &format!("ipc://{}/{name}", folder.path().display()));
        assert_eq!(ipc("socket"), Place::Free);
        assert!(matches!(ipc("no/such/folder"), Place::Wrong(_)));
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("socket"));
        assert!(matches!(ipc("socket"), Place::Wrong(f) if f.seen.contains("taken")));
    }
}
