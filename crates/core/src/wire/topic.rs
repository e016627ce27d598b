//! Topics: what a subscriber's prefix is matched against.
//!
//! `frame/<stream>/` and `status/<stream>/` end in a slash, and a stream id holds none, so the
//! prefix `frame/cam1/` cannot catch `frame/cam10/`. `sign/<stream>/<label>` ends with the label.

/// The topic label of a decision that is no known sign.
pub const NO_SIGN: &str = "-";

/// Appends `frame/<stream>/`.
pub fn frame(out: &mut Vec<u8>, stream: &str) {
    compose(out, "frame/", stream);
}

/// Appends `status/<stream>/`.
pub fn status(out: &mut Vec<u8>, stream: &str) {
    compose(out, "status/", stream);
}

/// Appends `sign/<stream>/<label>`, the label percent-encoded, or `-` for no known sign.
pub fn sign(out: &mut Vec<u8>, stream: &str, label: Option<&str>) {
    compose(out, "sign/", stream);
    match label {
        None => out.extend_from_slice(NO_SIGN.as_bytes()),
        Some(label) => label.bytes().for_each(|b| percent_encode(out, b)),
    }
}

fn compose(out: &mut Vec<u8>, kind: &str, stream: &str) {
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(stream.as_bytes());
    out.push(b'/');
}

/// `-` is encoded too, which keeps [`NO_SIGN`] free for its meaning.
fn percent_encode(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~') {
        out.push(byte);
    } else {
        out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_topic(label: Option<&str>) -> String {
        let mut out = Vec::new();
        sign(&mut out, "cam1", label);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn labels_are_percent_encoded() {
        assert_eq!(sign_topic(Some("thankyou")), "sign/cam1/thankyou");
        assert_eq!(sign_topic(Some("-")), "sign/cam1/%2D");
        assert_eq!(sign_topic(Some("a/b é")), "sign/cam1/a%2Fb%20%C3%A9");
        assert_eq!(sign_topic(None), "sign/cam1/-");
    }
}
