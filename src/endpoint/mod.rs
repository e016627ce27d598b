//! Endpoints: where sockets bind and connect, read once and by one rule.
//!
//! libzmq reads what it is given with a lenience that hides mistakes: port 99999 is 34463 to it. So
//! every endpoint, from the configuration or a flag, is parsed here, and libzmq is handed what was
//! understood. [`place`] says what this machine makes of one.

mod kind;
pub mod owner;
pub mod place;
pub mod socket_file;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use kind::{InputEndpoint, OutputEndpoint, is_client_name};

/// Longest path of a socket, bytes: the system's `sun_path` less its final zero.
const MAX_PATH: usize = 107;
/// Longest host name, bytes.
const MAX_NAME: usize = 253;

/// A ZeroMQ endpoint, tcp or ipc. It prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SocketEndpoint {
    text: String,
    address: EndpointAddress,
}

/// What an endpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndpointAddress {
    /// `tcp://[SOURCE;]HOST:PORT`; port 0 is one that the system chooses.
    Tcp { source: Option<String>, host: HostName, port: u16 },
    /// `ipc://PATH`: a socket file.
    File(PathBuf),
    /// `ipc://@NAME`, in Linux's abstract space: the name.
    Abstract(String),
}

/// The host of a tcp endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostName {
    /// `*`: every address of this machine.
    Any,
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address and its zone (`%eth0`), if it has one.
    V6(Ipv6Addr, Option<String>),
    /// A host's or an interface's name.
    Name(String),
}

impl HostName {
    /// The address that this is on every machine; `*` is `[::]`, and `localhost` is 127.0.0.1.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            HostName::Any => Some(Ipv6Addr::UNSPECIFIED.into()),
            HostName::V4(v4) => Some((*v4).into()),
            HostName::V6(v6, _) => Some(IpAddr::from(*v6).to_canonical()),
            HostName::Name(name) if name.eq_ignore_ascii_case("localhost") => {
                Some(Ipv4Addr::LOCALHOST.into())
            }
            HostName::Name(_) => None,
        }
    }
}

impl SocketEndpoint {
    pub(crate) fn address(&self) -> &EndpointAddress {
        &self.address
    }

    /// Whether a socket can be bound to it; if not, what would do.
    pub fn bindable(&self) -> Result<(), String> {
        match &self.address {
            EndpointAddress::Tcp { source: Some(_), .. } => {
                Err(format!("{self}: SOURCE; is only for sockets that connect"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a socket can be connected to it; if not, what would do.
    pub fn connectable(&self) -> Result<(), String> {
        match &self.address {
            EndpointAddress::Tcp { host: HostName::Any, .. } => {
                Err(format!("{self}: a socket connects to one machine: write its address for `*`"))
            }
            EndpointAddress::Tcp { port: 0, .. } => {
                Err(format!("{self}: a socket connects to one port, 1 to 65535"))
            }
            _ => Ok(()),
        }
    }

    /// Parses an endpoint to connect to.
    pub fn to_connect(text: &str) -> Result<SocketEndpoint, String> {
        let endpoint: SocketEndpoint = text.parse()?;
        endpoint.connectable().map(|()| endpoint)
    }

    /// Whether a bound socket would have this endpoint to itself and so keep another from it, or
    /// would be what the other, if that one `connects`, connects to.
    pub fn excludes(&self, other: &SocketEndpoint, connects: bool) -> bool {
        let (
            EndpointAddress::Tcp { host, port, .. },
            EndpointAddress::Tcp { host: other_host, port: p, .. },
        ) = (&self.address, &other.address)
        else {
            return match (&self.address, &other.address) {
                (EndpointAddress::File(path), EndpointAddress::File(other)) => {
                    plain(path) == plain(other)
                }
                (address, other) => address == other,
            };
        };
        let (Some(ip), Some(other)) = (host.address(), other_host.address()) else {
            return port == p && *p != 0 && host == other_host;
        };
        // A bound `*` takes the port of every address, and only loopback is surely one of them.
        let covers = |any: IpAddr, ip: IpAddr| {
            any.is_unspecified()
                && (any.is_ipv6() || ip.is_ipv4())
                && (!connects || ip.is_loopback())
        };
        port == p && *p != 0 && (ip == other || covers(ip, other) || covers(other, ip))
    }
}

impl From<SocketAddr> for SocketEndpoint {
    fn from(at: SocketAddr) -> SocketEndpoint {
        let host = match at.ip() {
            IpAddr::V4(v4) => HostName::V4(v4),
            IpAddr::V6(v6) => HostName::V6(v6, None),
        };
        let address = EndpointAddress::Tcp { source: None, host, port: at.port() };
        SocketEndpoint { text: format!("tcp://{at}"), address }
    }
}

impl fmt::Display for SocketEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<SocketEndpoint> for String {
    fn from(endpoint: SocketEndpoint) -> String {
        endpoint.text
    }
}

impl TryFrom<String> for SocketEndpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for SocketEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty: write tcp://127.0.0.1:5556 or ipc:///run/signd/NAME".into());
        }
        if text.trim() != text || text.contains('\0') {
            return Err(format!("{text:?} begins or ends with a space, or holds a zero byte"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| no_scheme(text))?;
        let address = match scheme {
            "tcp" => tcp(text, rest)?,
            "ipc" => ipc(text, rest)?,
            _ => return Err(other_scheme(text, scheme, rest)),
        };
        Ok(SocketEndpoint { text: text.to_owned(), address })
    }
}

/// A path from the root, without `.` and `..`: one file may be written in several ways.
fn plain(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::ParentDir => drop(plain.pop()),
            component => plain.push(component),
        }
        plain
    })
}

fn no_scheme(text: &str) -> String {
    let rest = text.strip_prefix("tcp:").or_else(|| text.strip_prefix("ipc:")).unwrap_or(text);
    if rest.starts_with('/') && !text.starts_with("tcp:") || text.starts_with("ipc:") {
        return format!("{text} has no scheme: write ipc://{rest}");
    }
    let rest = rest.trim_matches('/');
    match host_and_port("", rest) {
        Ok(_) => format!("{text} has no scheme: write tcp://{rest}"),
        Err(_) => format!("{text} has no scheme: write tcp://HOST:PORT or ipc:///PATH"),
    }
}

fn other_scheme(text: &str, scheme: &str, rest: &str) -> String {
    let lower = scheme.to_ascii_lowercase();
    match (lower.as_str(), scheme.split_once(':')) {
        ("tcp" | "ipc", _) => format!("{text}: a scheme is small letters: write {lower}://{rest}"),
        (_, Some((kind, _))) => format!(
            "{text}: `{kind}:` is no kind of socket here: expected for input sub or pull, for output \
             pub or push, then +bind or +connect"
        ),
        _ => format!("{text}: `{scheme}://` is not supported: expected tcp:// or ipc://"),
    }
}

fn tcp(text: &str, rest: &str) -> Result<EndpointAddress, String> {
    let (source, destination) = match rest.rsplit_once(';') {
        Some((source, destination)) => (Some(source), destination),
        None => (None, rest),
    };
    if let Some(source) = source {
        host_and_port(text, source)?;
    }
    let (host, port) = host_and_port(text, destination)?;
    Ok(EndpointAddress::Tcp { source: source.map(str::to_owned), host, port })
}

fn host_and_port(text: &str, rest: &str) -> Result<(HostName, u16), String> {
    if let Some((before, after)) = rest.split_once('/') {
        let what = if after.is_empty() { "ends in a slash" } else { "has a path, as tcp has not" };
        return Err(format!("{text} {what}: write tcp://{before}"));
    }
    if rest.is_empty() {
        return host_name(text, rest).map(|host| (host, 0));
    }
    let no_port = |host: &str| Err(format!("{text} has no port: write tcp://{host}:5556"));
    let Some((host, port)) = rest.rsplit_once(':') else { return no_port(rest) };
    if rest.ends_with(']') {
        return no_port(rest);
    }
    if rest.parse::<Ipv6Addr>().is_ok() && host.parse::<Ipv6Addr>().is_err() {
        return no_port(&format!("[{rest}]"));
    }
    let port = match port {
        "" => return no_port(host),
        "*" => 0,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits
            .parse()
            .map_err(|_| format!("{text}: there is no port {digits}: expected 1 to 65535"))?,
        _ => return Err(format!("{text}: `{port}` is no port: expected a number, 1 to 65535")),
    };
    Ok((host_name(text, host)?, port))
}

fn host_name(text: &str, host: &str) -> Result<HostName, String> {
    if host.is_empty() {
        return Err(format!(
            "{text} has no host: write 127.0.0.1 for this machine alone, `*` for every address it has"
        ));
    }
    if host == "*" {
        return Ok(HostName::Any);
    }
    if let Ok(v4) = host.parse() {
        return Ok(HostName::V4(v4));
    }
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let (v6, zone) = match bare.split_once('%') {
        Some((v6, zone)) => (v6, Some(zone)),
        None => (bare, None),
    };
    if let Ok(v6) = v6.parse() {
        return match zone {
            Some(zone) if !is_name(zone) => Err(format!("{text}: `%{zone}` is no zone")),
            zone => Ok(HostName::V6(v6, zone.map(str::to_owned))),
        };
    }
    if host.contains([':', '[', ']', '%']) {
        return Err(format!("{text}: `{host}` is no IPv6 address: expected one as [::1]"));
    }
    // Old spellings, as 127.1, mean different addresses to different programs.
    if host.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(format!("{text}: `{host}` is no IPv4 address: expected one as 127.0.0.1"));
    }
    match is_name(host) {
        true => Ok(HostName::Name(host.to_owned())),
        false => Err(format!("{text}: `{host}` is no name of a host: expected A-Za-z0-9._-")),
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

fn ipc(text: &str, path: &str) -> Result<EndpointAddress, String> {
    if path.is_empty() || path == "@" {
        return Err(format!("{text} has no path: write ipc:///run/signd/NAME"));
    }
    if path == "*" {
        return Err(format!("{text} is a path that no client knows: write ipc:///run/signd/NAME"));
    }
    if path.len() > MAX_PATH {
        let length = path.len();
        return Err(format!("{text}: its path has {length} bytes: expected {MAX_PATH} at most"));
    }
    if let Some(name) = path.strip_prefix('@') {
        return Ok(EndpointAddress::Abstract(name.to_owned()));
    }
    if path.ends_with('/') {
        return Err(format!("{text} is a folder: name a file in it, as {text}NAME"));
    }
    Ok(EndpointAddress::File(path.into()))
}

#[cfg(test)]
mod tests;
