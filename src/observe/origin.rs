//! Who may ask: a browser on this box runs pages of the whole world, and any of them can send
//! requests to a loopback port.
//!
//! Two things stop them. A page that has its own name resolve to this address (DNS rebinding) is
//! given away by the `Host` header; a request from another site by `Origin`, or, where it comes without
//! one (`<img src=...>` could take all places of viewers), by `Sec-Fetch-Site`. A link from elsewhere may
//! be followed. Nothing here changes anything, so all methods but GET and HEAD are refused too.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A name that a server answers to, beside its own addresses: `NAME` with the server's own port or
/// none, `NAME:PORT` with just that.
#[derive(Clone, Debug, PartialEq)]
pub struct AllowedHost(Authority);

impl FromStr for AllowedHost {
    type Err = RequestRefusal;

    fn from_str(text: &str) -> Result<Self, RequestRefusal> {
        parse(text).map(AllowedHost)
    }
}

/// What a server answers to.
pub struct OriginCheck {
    hosts: Vec<AllowedHost>,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestRefusal {
    /// Neither GET nor HEAD.
    Method,
    /// No `Host`, several, or one that is no name with a port.
    Malformed,
    /// A `Host` that is not ours.
    Host,
    /// Asked for by another site.
    Origin,
}

impl IntoResponse for RequestRefusal {
    fn into_response(self) -> Response {
        let allow = [(header::ALLOW, "GET, HEAD")];
        match self {
            RequestRefusal::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, allow, "only GET and HEAD\n").into_response()
            }
            RequestRefusal::Malformed => {
                (StatusCode::BAD_REQUEST, "no usable Host\n").into_response()
            }
            RequestRefusal::Host => {
                let why = "not a name of this server; [http] hosts can add one\n";
                (StatusCode::MISDIRECTED_REQUEST, why).into_response()
            }
            RequestRefusal::Origin => {
                (StatusCode::FORBIDDEN, "not for pages of another origin\n").into_response()
            }
        }
    }
}

impl OriginCheck {
    /// Answers to addresses and names of loopback, to the address a connection came in at, and to
    /// `hosts`.
    pub fn new(hosts: Vec<AllowedHost>) -> Self {
        OriginCheck { hosts }
    }

    /// Whether a request that came in at the address `local` is answered.
    pub fn admit<B>(&self, request: &Request<B>, local: SocketAddr) -> Result<(), RequestRefusal> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(RequestRefusal::Method);
        }
        let host = only(request.headers(), header::HOST)?.ok_or(RequestRefusal::Malformed)?;
        let authority = parse(host)?;
        // A target in absolute form takes the place of the header.
        for authority in request.uri().authority().into_iter().chain([&authority]) {
            if !self.is_ours(authority, local) {
                return Err(RequestRefusal::Host);
            }
        }
        let fetch = |name| only(request.headers(), header::HeaderName::from_static(name));
        let foreign = fetch("sec-fetch-site")?.is_some_and(|s| s != "same-origin" && s != "none");
        if foreign && fetch("sec-fetch-dest")? != Some("document") {
            return Err(RequestRefusal::Origin);
        }
        match only(request.headers(), header::ORIGIN)? {
            None => Ok(()),
            Some(origin) => {
                // Behind a proxy with TLS it is https.
                let site = ["http://", "https://"].iter().find_map(|s| origin.strip_prefix(s));
                match site.is_some_and(|site| site.eq_ignore_ascii_case(host)) {
                    true => Ok(()),
                    false => Err(RequestRefusal::Origin),
                }
            }
        }
    }

    fn is_ours(&self, authority: &Authority, local: SocketAddr) -> bool {
        let name = authority.host().to_ascii_lowercase();
        let port = authority.port_u16();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let own = name == "localhost"
            || address.is_some_and(|a| a.is_loopback() || a == local.ip().to_canonical());
        if own && port.unwrap_or(80) == local.port() {
            return true;
        }
        self.hosts
            .iter()
            .map(|host| &host.0)
            .filter(|host| host.host().eq_ignore_ascii_case(&name))
            .any(|host| match host.port_u16() {
                None => port.is_none_or(|port| port == local.port()),
                only => port == only,
            })
    }
}

/// The value of a header that may occur once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, RequestRefusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(RequestRefusal::Malformed),
    }
}

/// A name with or without a port.
fn parse(host: &str) -> Result<Authority, RequestRefusal> {
    match host.parse::<Authority>() {
        Ok(authority) if !host.contains('@') => Ok(authority),
        _ => Err(RequestRefusal::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(local: &str, headers: &[(&str, &str)]) -> Result<(), RequestRefusal> {
        let guard = OriginCheck::new(
            ["Signs.example", "proxy.example:8443"]
                .map(|host| host.parse().expect("a host"))
                .into(),
        );
        let mut request = Request::get("/metrics");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.admit(&request.body(()).expect("a request"), local.parse().expect("an address"))
    }

    fn host(local: &str, host: &str) -> Result<(), RequestRefusal> {
        ask(local, &[("host", host)])
    }

    const LOCAL: &str = "127.0.0.1:5558";

    #[test]
    fn loopback_the_own_address_and_configured_names_are_answered() {
        for name in ["127.0.0.1:5558", "localhost:5558", "LocalHost:5558", "[::1]:5558"] {
            assert_eq!(host(LOCAL, name), Ok(()), "{name}");
        }
        assert_eq!(host("127.0.0.1:80", "localhost"), Ok(()));
        assert_eq!(host("10.0.0.7:5558", "10.0.0.7:5558"), Ok(()));
        assert_eq!(host("[::ffff:10.0.0.7]:5558", "10.0.0.7:5558"), Ok(()));
        for name in ["signs.example", "SIGNS.example:5558", "proxy.example:8443"] {
            assert_eq!(host(LOCAL, name), Ok(()), "{name}");
        }
    }

    #[test]
    fn other_names_and_ports_are_not() {
        for name in [
            "evil.example:5558",
            "localhost.evil.example:5558",
            "localhost",
            "localhost:5559",
            "10.0.0.8:5558",
            "signs.example:1",
            "proxy.example",
            "proxy.example:5558",
        ] {
            assert_eq!(host(LOCAL, name), Err(RequestRefusal::Host), "{name}");
        }
        for name in ["", "a b", "user@localhost:5558", "localhost:port:5558"] {
            assert_eq!(host(LOCAL, name), Err(RequestRefusal::Malformed), "{name}");
        }
        assert_eq!(ask(LOCAL, &[]), Err(RequestRefusal::Malformed));
        let two = [("host", "localhost:5558"), ("host", "evil.example")];
        assert_eq!(ask(LOCAL, &two), Err(RequestRefusal::Malformed));
        let guard = OriginCheck::new(Vec::new());
        let request = Request::get("http://evil.example/").header("host", "localhost:5558");
        let request = request.body(()).expect("a request");
        assert_eq!(guard.admit(&request, LOCAL.parse().expect("valid")), Err(RequestRefusal::Host));
    }

    #[test]
    fn an_origin_must_be_the_same() {
        let from = |origin| ask(LOCAL, &[("host", "localhost:5558"), ("origin", origin)]);
        assert_eq!(from("http://localhost:5558"), Ok(()));
        for origin in
            ["http://localhost:5559", "http://evil.example", "null", "http://127.0.0.1:5558"]
        {
            assert_eq!(from(origin), Err(RequestRefusal::Origin), "{origin}");
        }
    }

    #[test]
    fn what_another_site_embeds_is_refused_and_its_links_may_be_followed() {
        let from = |site, dest| {
            let fetch = [("sec-fetch-site", site), ("sec-fetch-dest", dest)];
            ask(LOCAL, &[&[("host", "localhost:5558")], &fetch[..]].concat())
        };
        for site in ["cross-site", "same-site", "unheard-of"] {
            for dest in ["image", "script", "iframe", "empty"] {
                assert_eq!(from(site, dest), Err(RequestRefusal::Origin), "{site} {dest}");
            }
            assert_eq!(from(site, "document"), Ok(()));
        }
        for site in ["same-origin", "none"] {
            assert_eq!(from(site, "empty"), Ok(()));
        }
    }

    #[test]
    fn only_reading() {
        let guard = OriginCheck::new(Vec::new());
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::CONNECT]
        {
            let request = Request::builder().method(method).header("host", "localhost:5558");
            let request = request.body(()).expect("a request");
            assert_eq!(
                guard.admit(&request, LOCAL.parse().expect("valid")),
                Err(RequestRefusal::Method)
            );
        }
    }
}
