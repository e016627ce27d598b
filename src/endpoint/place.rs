//! What this machine makes of an endpoint: binding, connecting, and why it does not work.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use socket2::{Domain, SockAddr, Type};

use super::owner::{self, SocketOwner};
use super::socket_file::{self, PathState, SocketFile};
use super::{EndpointAddress, HostName, SocketEndpoint};
use crate::socket::{SocketContext, SocketError, SocketKind, ZmqSocket};

/// Why a socket cannot be opened at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceError {
    /// What was found, with the endpoint.
    pub seen: String,
    /// What to do about it.
    pub remedy: String,
    /// A program is listening there.
    pub taken: bool,
    /// The program, where it can be seen.
    pub holder: Option<SocketOwner>,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.seen, self.remedy)
    }
}

impl std::error::Error for PlaceError {}

impl PlaceError {
    fn new(seen: String, remedy: impl Into<String>) -> PlaceError {
        PlaceError { seen, remedy: remedy.into(), taken: false, holder: None }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostName::Any => f.write_str("*"),
            HostName::V4(v4) => write!(f, "{v4}"),
            HostName::V6(v6, None) => write!(f, "[{v6}]"),
            HostName::V6(v6, Some(zone)) => write!(f, "[{v6}%{zone}]"),
            HostName::Name(name) => f.write_str(name),
        }
    }
}

impl SocketEndpoint {
    /// Binds a socket. What is returned removes the socket file, if it is one, when dropped.
    pub fn bind(&self, socket: &ZmqSocket) -> Result<Option<SocketFile>, PlaceError> {
        let bind = |text: &str| socket.bind(text).map_err(io::Error::from);
        let bound = match self.address() {
            EndpointAddress::Tcp { host, port, .. } => {
                let host = self.local(host)?;
                // IPv6 only where it is asked for, so that clients keep their plain IPv4 addresses.
                let ipv6 = matches!(host, HostName::Any | HostName::V6(..));
                let ready = socket.set_ipv6(ipv6).map_err(io::Error::from);
                ready.and_then(|()| bind(&format!("tcp://{host}:{port}"))).map(|()| None)
            }
            EndpointAddress::File(path) => SocketFile::bind(path, || bind(&self.text)).map(Some),
            EndpointAddress::Abstract(_) => {
                self.look()?;
                bind(&self.text).map(|()| None)
            }
        };
        if let EndpointAddress::Tcp { port: 0, .. } = self.address()
            && let Ok(chosen) = socket.last_endpoint()
        {
            tracing::info!(endpoint = %self, chosen, "the system chose the port");
        }
        // Once more to find the words for it.
        bound.map_err(|error| self.look().err().unwrap_or_else(|| self.unknown(error)))
    }

    /// Connects a socket. libzmq goes on trying for as long as nothing answers.
    pub fn connect(&self, socket: &ZmqSocket) -> Result<(), PlaceError> {
        let (text, ipv6) = match self.address() {
            EndpointAddress::Tcp { source, host, port } => {
                let host = match host {
                    // Its zone is a part of it.
                    HostName::V6(_, Some(_)) => host.clone(),
                    _ => host.address().map_or_else(|| host.clone(), HostName::from),
                };
                let ipv6 = match &host {
                    HostName::Name(name) => !has_ipv4(name, *port),
                    host => matches!(host, HostName::V6(..)),
                };
                let source = source.as_ref().map_or(String::new(), |source| format!("{source};"));
                (format!("tcp://{source}{host}:{port}"), ipv6)
            }
            EndpointAddress::File(_) | EndpointAddress::Abstract(_) => (self.text.clone(), false),
        };
        let connected = socket.set_ipv6(ipv6).and_then(|()| socket.connect(&text));
        connected.map_err(|error| self.failed(error))
    }

    /// Whether a socket could be bound here now, and if not, why. Changes nothing.
    pub fn look(&self) -> Result<(), PlaceError> {
        match self.address() {
            EndpointAddress::Tcp { host, port, .. } => {
                let host = self.local(host)?;
                try_tcp(&host, *port).map_err(|error| self.tcp_refused(*port, &error))
            }
            EndpointAddress::File(path) => self.look_at_file(path),
            EndpointAddress::Abstract(name) => {
                let file = format!("@{name}");
                if Path::new(&file).symlink_metadata().is_ok() {
                    // libzmq takes the name for a path when it clears the way for a new socket.
                    let seen =
                        format!("{self}: libzmq would delete the file `{file}` in this folder");
                    return Err(PlaceError::new(seen, "choose another name, or another folder"));
                }
                // The system writes a zero byte for the `@`.
                let at = SockAddr::unix(format!("\0{name}"));
                match at.and_then(|at| socket_file::answers(&at)) {
                    Ok(true) => Err(self.taken(owner::of_socket(&file))),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Where a client on this machine connects to what is bound here.
    pub fn from_here(&self) -> SocketEndpoint {
        let EndpointAddress::Tcp { host, port, .. } = self.address() else { return self.clone() };
        let host = match self.local(host) {
            Ok(host) if host.address().is_some_and(|ip| ip.is_unspecified()) => {
                HostName::V4(Ipv4Addr::LOCALHOST)
            }
            Ok(host) => host,
            Err(_) => host.clone(),
        };
        let text = format!("tcp://{host}:{port}");
        let address = EndpointAddress::Tcp { source: None, host, port: *port };
        SocketEndpoint { text, address }
    }

    /// The host as a number. libzmq 4.3 binds to no names but interfaces'.
    fn local(&self, host: &HostName) -> Result<HostName, PlaceError> {
        let HostName::Name(name) = host else { return Ok(host.clone()) };
        let known = host.address().map(HostName::from).or_else(|| interface(name));
        if let Some(known) = known {
            return Ok(known);
        }
        let addresses = (name.as_str(), 0).to_socket_addrs().into_iter().flatten();
        let addresses: Vec<IpAddr> = addresses.map(|at| at.ip()).collect();
        let first = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first());
        first.map(|ip| HostName::from(*ip)).ok_or_else(|| {
            let seen = format!("{self}: `{name}` is neither a network interface nor a known name");
            PlaceError::new(seen, "see `ip address`, or write an address of this machine")
        })
    }

    fn look_at_file(&self, path: &Path) -> Result<(), PlaceError> {
        let folder = socket_file::folder(path);
        let no_use = |error: &dyn fmt::Display| {
            let remedy = "the folder must exist and be writable for the user that runs signd; as a \
                          service it has /run/signd";
            PlaceError::new(format!("{self}: {}: {error}", folder.display()), remedy)
        };
        match socket_file::look(path).map_err(|error| no_use(&error))? {
            PathState::Nothing | PathState::Dead => {}
            PathState::Live => {
                let uid = path.metadata().ok().map(|socket| socket.uid());
                let holder = owner::of_socket(&path.to_string_lossy());
                return Err(self.taken(holder.or_else(|| owner::other_signd(uid))));
            }
            PathState::Other(what) => {
                let seen = format!("{self}: {} is {what} and no socket", path.display());
                let remedy =
                    "signd does not replace it: choose another path, or remove it yourself";
                return Err(PlaceError::new(seen, remedy));
            }
        }
        tempfile::tempfile_in(folder).map(drop).map_err(|error| no_use(&error))
    }

    fn tcp_refused(&self, port: u16, error: &io::Error) -> PlaceError {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => return self.taken(owner::of_port(port)),
            ErrorKind::PermissionDenied => "ports below 1024 are for root: choose a higher one",
            ErrorKind::AddrNotAvailable => {
                "this machine does not have that address: see `ip address`"
            }
            _ => "choose another endpoint in the configuration",
        };
        PlaceError::new(format!("{self}: {error}"), remedy)
    }

    fn taken(&self, holder: Option<SocketOwner>) -> PlaceError {
        let who = match &holder {
            Some(SocketOwner { name, pid }) if name == "signd" => format!("another signd ({pid})"),
            Some(SocketOwner { name, pid }) => format!("`{name}` ({pid})"),
            None => "another program".into(),
        };
        // The system's own words are those that people search for.
        let seen = format!("{self} is taken by {who}: Address already in use");
        let remedy = "stop that program, or choose another endpoint in the configuration".into();
        PlaceError { seen, remedy, taken: true, holder }
    }

    /// A failure of which nothing but libzmq's words is known.
    pub fn failed(&self, error: SocketError) -> PlaceError {
        self.unknown(error.into())
    }

    fn unknown(&self, error: io::Error) -> PlaceError {
        PlaceError::new(format!("{self}: {error}"), "choose another endpoint")
    }
}

impl From<IpAddr> for HostName {
    fn from(ip: IpAddr) -> HostName {
        match ip {
            IpAddr::V4(v4) => HostName::V4(v4),
            IpAddr::V6(v6) => HostName::V6(v6, None),
        }
    }
}

/// Binds a socket that never listens, so that no client notices.
fn try_tcp(host: &HostName, port: u16) -> io::Result<()> {
    let stream = |domain| socket2::Socket::new(domain, Type::STREAM, None);
    let (socket, at) = match host {
        HostName::V6(v6, zone) => {
            let at = SocketAddrV6::new(*v6, port, 0, zone.as_deref().map_or(Ok(0), zone_index)?);
            (stream(Domain::IPV6)?, SocketAddr::V6(at))
        }
        HostName::V4(v4) => (stream(Domain::IPV4)?, SocketAddr::from((*v4, port))),
        // Without IPv6 in its kernel a machine's every address is an IPv4 one.
        HostName::Any | HostName::Name(_) => match stream(Domain::IPV6) {
            Ok(socket) => (socket, SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))),
            Err(_) => (stream(Domain::IPV4)?, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        },
    };
    if at.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?; // as libzmq does, for a port that has just become free
    socket.bind(&at.into())
}

/// The number of an IPv6 zone, which is an interface's.
fn zone_index(zone: &str) -> io::Result<u32> {
    if let Ok(index) = zone.parse() {
        return Ok(index);
    }
    let index = std::fs::read_to_string(format!("/sys/class/net/{zone}/ifindex"))?;
    index.trim().parse().map_err(io::Error::other)
}

/// The address of a network interface. libzmq is asked, since it is what binds in the end.
fn interface(name: &str) -> Option<HostName> {
    let context = SocketContext::default();
    [false, true].into_iter().find_map(|ipv6| {
        let socket = context.socket(SocketKind::Pull).ok()?;
        socket.set_ipv6(ipv6).ok()?;
        socket.bind(&format!("tcp://{name}:*")).ok()?;
        let bound: SocketEndpoint = socket.last_endpoint().ok()?.parse().ok()?;
        match bound.address {
            EndpointAddress::Tcp { host, .. } => Some(host),
            _ => None,
        }
    })
}

/// Whether a name has an IPv4 address. With IPv6 switched on, libzmq would prefer the other one, at
/// which a camera of default settings does not listen.
fn has_ipv4(name: &str, port: u16) -> bool {
    match (name, port).to_socket_addrs() {
        Ok(mut addresses) => addresses.any(|at| at.is_ipv4()),
        Err(error) => {
            tracing::warn!(name, "cannot be resolved yet, trying again and again: {error}");
            false
        }
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
