//! The file of a secret key.
//!
//! TOML, so that other programs read it easily: a comment that says what it is, then `public` and
//! `secret`, each 40 characters of Z85. Only its owner may read it.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{PublicKey, parse_key};
use crate::socket::{self, SocketError, ZmqSocket};

/// First line of a file.
const HEAD: &str =
    "# signd secret key. Keep it to yourself; others need to know the public one only.";

/// Why a key file cannot be used or made. No message holds anything of the file.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It is to be written into a folder that there is not.
    #[error("{0}: there is no folder {1}: make it with `mkdir -p {1}`")]
    NoFolder(PathBuf, PathBuf),
    /// It is not a key file.
    #[error("{0}: not a key file; `signd keygen FILE` makes one")]
    Content(PathBuf),
    /// Others than its owner may read it.
    #[error(
        "{0}: others may read it (mode {1:03o}); `chmod 600` it, and if they may have, make a new one"
    )]
    Exposed(PathBuf, u32),
    /// Something is there, and a key that is lost cannot be had again.
    #[error("{0}: exists, and signd replaces no key; choose another name")]
    Exists(PathBuf),
    /// The system gives no random numbers, or libzmq has no CURVE.
    #[error("no key can be made: {0}")]
    Make(SocketError),
}

/// A key pair. Neither prints its secret.
#[derive(Clone)]
pub struct KeyPair {
    /// What others need to know.
    pub public: PublicKey,
    secret: [u8; 32],
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    public: String,
    secret: String,
}

impl KeyPair {
    /// A new pair.
    pub fn generate() -> Result<KeyPair, SecretError> {
        let [public, secret] = socket::key_pair().map_err(SecretError::Make)?;
        Ok(KeyPair { public: PublicKey(public), secret })
    }

    /// Reads a file that nobody but its owner may read.
    pub fn read(path: &Path) -> Result<KeyPair, SecretError> {
        let failed = |error| SecretError::File(path.to_owned(), error);
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        match mode & 0o077 {
            0 => Self::read_credential(path),
            _ => Err(SecretError::Exposed(path.to_owned(), mode)),
        }
    }

    /// Reads a file whatever its mode: systemd guards the folder of credentials itself.
    pub fn read_credential(path: &Path) -> Result<KeyPair, SecretError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| SecretError::File(path.to_owned(), error))?;
        // What the parser has to say would quote the file.
        Self::parse(&text).ok_or_else(|| SecretError::Content(path.to_owned()))
    }

    fn parse(text: &str) -> Option<KeyPair> {
        let file = config::File::from_str(text, config::FileFormat::Toml);
        let content = config::Config::builder().add_source(file).build().ok()?;
        let Content { public, secret } = content.try_deserialize().ok()?;
        Some(KeyPair { public: PublicKey(parse_key(&public)?), secret: parse_key(&secret)? })
    }

    /// Writes a new file that only its owner may read; one that exists is left alone.
    pub fn write(&self, path: &Path) -> Result<(), SecretError> {
        let secret = socket::z85(&self.secret);
        let text = format!("{HEAD}\npublic = \"{}\"\nsecret = \"{secret}\"\n", self.public);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // Beside its place until it is whole, in a file that is its owner's alone from the beginning.
        let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(path).map(drop).map_err(|error| error.error)
        });
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => SecretError::Exists(path.to_owned()),
            ErrorKind::NotFound if folder.is_some_and(|folder| !folder.exists()) => {
                let folder = folder.unwrap_or(Path::new("")).to_owned();
                SecretError::NoFolder(path.to_owned(), folder)
            }
            _ => SecretError::File(path.to_owned(), error),
        })
    }

    /// Makes a socket a CURVE server whose callers [`super::zap`] judges in this domain.
    pub fn serve(&self, socket: &ZmqSocket, domain: &str) -> Result<(), SocketError> {
        socket.serve_keys(&self.secret, domain)
    }

    /// Makes a socket a CURVE client that accepts no other server.
    pub fn call(&self, socket: &ZmqSocket, server: &PublicKey) -> Result<(), SocketError> {
        socket.call_with_keys(&server.0, &self.public.0, &self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written_and_not_written_twice() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.key");
        let pair = KeyPair::generate().expect("a pair");
        pair.write(&path).expect("writes");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = KeyPair::read(&path).expect("reads");
        assert_eq!((read.public, read.secret), (pair.public, pair.secret));
        let again = KeyPair::generate().expect("a pair").write(&path).expect_err("refused");
        assert!(again.to_string().contains("exists"), "{again}");
        assert_eq!(KeyPair::read(&path).expect("unharmed").secret, pair.secret);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_but_for_a_credential() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.key");
        KeyPair::generate().expect("a pair").write(&path).expect("writes");
        for mode in [0o640, 0o604, 0o666] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("sets");
            let error = KeyPair::read(&path).expect_err("refused").to_string();
            assert!(error.contains("chmod 600"), "{error}");
            assert!(KeyPair::read_credential(&path).is_ok());
        }
    }

    #[test]
    fn neither_an_error_nor_debug_prints_a_secret() {
        let pair = KeyPair::generate().expect("a pair");
        let secret = socket::z85(&pair.secret);
        assert_eq!(format!("{pair:?}"), "KeyPair { .. }");
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.key");
        let public = pair.public;
        for text in [
            String::new(),
            secret.clone(),
            format!("secret = {secret}"),
            format!("secret = \"{secret}\""),
            format!("public = \"{public}\"\nsecret = \"{secret}0\""),
            format!("public = \"{public}\"\nsecret = \"{secret}\"\nmore = \"{secret}\""),
            format!("public = \"\"\nsecret = \"{secret}\""),
        ] {
            std::fs::write(&path, &text).expect("writes");
            let error = KeyPair::read_credential(&path).expect_err("refused");
            let said = format!("{error} {error:?}");
            assert!(said.contains("a.key") && !said.contains(&secret[..8]), "{said}");
        }
    }
}
