//! From where an endpoint can be reached.

use crate::endpoint::{EndpointAddress, SocketEndpoint};

/// Who can get at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointReach {
    /// A socket file: whom its permissions let.
    File,
    /// Every process of this machine.
    Loopback,
    /// Other machines, or nobody knows.
    Remote,
}

impl EndpointReach {
    /// What an endpoint says of itself. Nothing is looked up: a name may mean another address a
    /// moment later, so `localhost`, which signd takes for 127.0.0.1 itself, is the only one that
    /// counts as loopback.
    pub fn of(endpoint: &SocketEndpoint) -> EndpointReach {
        match endpoint.address() {
            EndpointAddress::File(_) => EndpointReach::File,
            // A name in Linux's abstract space is no file and has no permissions.
            EndpointAddress::Abstract(_) => EndpointReach::Loopback,
            EndpointAddress::Tcp { host, .. } => match host.address() {
                Some(ip) if ip.is_loopback() => EndpointReach::Loopback,
                _ => EndpointReach::Remote,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(text: &str) -> EndpointReach {
        EndpointReach::of(&text.parse().expect(text))
    }

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
            assert_eq!(reach(here), EndpointReach::Loopback, "{here}");
        }
        assert_eq!(reach("ipc:///run/signd/in"), EndpointReach::File);
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
            "tcp://127.0.0.1:0;192.168.0.7:5556",
            "tcp://[fe80::1%eth0]:5556",
            "tcp://[::ffff:192.168.0.7]:5556",
            "tcp://[::127.0.0.1]:5556",
            "tcp://localhost.:5556",
        ] {
            assert_eq!(reach(there), EndpointReach::Remote, "{there}");
        }
    }
}
