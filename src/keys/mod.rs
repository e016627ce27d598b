//! Who may send frames and who may see events: ZeroMQ CURVE.
//!
//! A key pair is made by `signd keygen`. The daemon has one; each client has one, and the daemon's
//! configuration lists the clients' public keys and what each may do. [`policy`] says which endpoints
//! ask for keys, [`zap`] answers libzmq's question whether a key may come in, and ingest holds every
//! frame to the list of its sender.

pub mod clients;
pub mod handshakes;
pub mod policy;
pub mod reach;
pub mod secret;
pub mod zap;

use std::path::PathBuf;

use crate::socket::{self, KEY_BYTES};
use clients::ClientTable;

/// Settings of keys.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySettings {
    /// File of the daemon's own key. None: the systemd credential `signd.key`, if there is one.
    pub secret: Option<PathBuf>,
    /// Tcp on loopback asks for keys too.
    pub loopback: bool,
    /// Without a key, endpoints that other machines reach are open instead of refused.
    pub allow_open: bool,
    /// Who may do what.
    pub clients: ClientTable,
}

/// A Curve25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl std::str::FromStr for PublicKey {
    type Err = &'static str;

    /// Reads 40 characters of Z85.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_key(text)
            .map(PublicKey)
            .ok_or("a public key: 40 characters of Z85, as `signd keygen` prints it")
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&socket::z85(&self.0))
    }
}

/// 32 bytes from 40 characters of Z85. Nothing but zeros is a placeholder and not a key.
fn parse_key(text: &str) -> Option<[u8; KEY_BYTES]> {
    if text.len() != 40 || text.contains('\0') {
        return None;
    }
    socket::from_z85(text).filter(|bytes| *bytes != [0; KEY_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_forty_characters_of_z85() {
        let text = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
        let key: PublicKey = text.parse().expect("a key");
        assert_eq!(key.to_string(), text);
        let zeros = "0".repeat(40);
        let too_much = "#".repeat(40);
        for bad in ["", &text[1..], &format!("{text}0"), &zeros, &too_much, &text.replace(':', "~")]
        {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
        assert!(text.replace(':', "\0").parse::<PublicKey>().is_err());
        assert!("é".repeat(20).parse::<PublicKey>().is_err());
    }
}
