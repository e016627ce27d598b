//! What a running daemon says of itself: `/status` at its HTTP endpoint.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use signd::observe::status::DaemonStatus;

/// A daemon answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The answer of 1024 streams has a quarter of this.
const MOST: u64 = 1 << 20;

/// The status of the daemon at this address; `None` if no daemon answers there.
pub fn status(address: SocketAddr) -> Option<DaemonStatus> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let address = SocketAddr::new(ip, address.port());
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    // HTTP/1.0 keeps the answer in one piece.
    write!(stream, "GET /status HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).ok()?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Option<DaemonStatus> {
    let (head, body) = std::str::from_utf8(answer).ok()?.split_once("\r\n\r\n")?;
    let code = head.split(' ').nth(1)?;
    let status: DaemonStatus = serde_json::from_str(body).ok()?;
    (code == "200" && status.v == 1 && !status.run.is_empty()).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_daemons_answer_is_one() {
        let with =
            |head: &str, body: &str| parse(format!("{head}\r\nx: y\r\n\r\n{body}").as_bytes());
        let body = r#"{"v":1,"run":"0badcafe","later":{"key":1}}"#;
        assert_eq!(with("HTTP/1.0 200 OK", body).expect("a status").run, "0badcafe");
        assert!(with("HTTP/1.0 404 Not Found", body).is_none());
        assert!(
            with("HTTP/1.0 200 OK", "{}").is_none() && with("HTTP/1.0 200 OK", "<html>").is_none()
        );
        assert!(parse(b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f").is_none());
    }
}
