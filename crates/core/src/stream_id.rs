//! The name of a stream.

use arrayvec::ArrayString;

/// The name of a stream: 1 to 64 of `A-Za-z0-9._-`.
pub type StreamId = ArrayString<64>;

/// Reads the first part of a message as a stream id. `None` when it is not one.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<StreamId> {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if bytes.is_empty() || !bytes.iter().all(allowed) {
        return None;
    }
    StreamId::from(std::str::from_utf8(bytes).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_ids_are_checked() {
        assert_eq!(parse(b"cam-1.front_A").as_deref(), Some("cam-1.front_A"));
        assert!(parse(&[b'a'; 64]).is_some());
        for bad in [&b""[..], b"a/b", b"a b", "caméra".as_bytes(), b"\xff", &[b'a'; 65]] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
