//! From where an endpoint can be reached.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Who can get at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A socket file: whom its permissions let.
    File,
    /// Every process of this machine.
    Loopback,
    /// Other machines, or nobody knows.
    Remote,
}

impl Reach {
    /// What an endpoint says of itself. Nothing is looked up: a name may mean another address a
    /// moment later, so `localhost` is the only one that counts as loopback. What is not understood
    /// counts as remote.
    pub fn of(endpoint: &str) -> Reach {
        match endpoint.split_once("://") {
            // A name in Linux's abstract space is no file and has no permissions.
            Some(("ipc", path)) if path.starts_with('@') => Reach::Loopback,
            Some(("ipc", _)) => Reach::File,
            Some(("tcp", address)) if is_loopback(address) => Reach::Loopback,
            _ => Reach::Remote,
        }
    }
}

/// `[SOURCE;]HOST:PORT`, as libzmq reads it.
fn is_loopback(address: &str) -> bool {
    let address = address.rsplit_once(';').map_or(address, |(_, destination)| destination);
    let Some((host, _port)) = address.rsplit_once(':') else { return false };
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if let Ok(v4) = host.parse::<Ipv4Addr>() {
        return v4.is_loopback();
    }
    match host.parse::<Ipv6Addr>() {
        Ok(v6) => v6.to_ipv4_mapped().map_or(v6.is_loopback(), |v4| v4.is_loopback()),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_what_no_other_machine_can_mean() {
        for here in [
            "tcp://127.0.0.1:5556",
            "tcp://127.0.0.1:*",
            "tcp://127.255.3.4:1",
            "tcp://[::1]:5556",
            "tcp://::1:5556",
            "tcp://[::ffff:127.0.0.1]:1",
            "tcp://localhost:5556",
            "tcp://LocalHost:5556",
            "tcp://192.168.0.9:0;127.0.0.1:5556",
            "ipc://@abstract",
        ] {
            assert_eq!(Reach::of(here), Reach::Loopback, "{here}");
        }
        assert_eq!(Reach::of("ipc:///run/signd/in"), Reach::File);
    }

    #[test]
    fn everything_else_may_be_reached_from_elsewhere() {
        for there in [
            "tcp://*:5556",
            "tcp://0.0.0.0:5556",
            "tcp://[::]:5556",
            "tcp://eth0:5556",
            "tcp://lo:5556", // may have further addresses
            "tcp://192.168.0.7:5556",
            "tcp://128.0.0.1:1",
            "tcp://camera.local:5556",
            "tcp://localhost.example.org:5556",
            "tcp://127.0.0.1.example.org:5556",
            "tcp://127.0.0.1;192.168.0.7:5556",
            "tcp://[fe80::1%eth0]:5556",
            "tcp://[::ffff:192.168.0.7]:5556",
            "tcp://127.1:5556", // old spellings, which not everybody reads alike
            "tcp://0177.0.0.1:5556",
            "tcp://2130706433:5556",
            "tcp://127.0.0.1",
            "tcp://",
            "udp://127.0.0.1:1",
        ] {
            assert_eq!(Reach::of(there), Reach::Remote, "{there}");
        }
    }
}
