//! Socket files: what lies at a path before one is bound there, and who removes it afterwards.
//!
//! libzmq deletes whatever lies at the path of an ipc endpoint before it binds: a file of the user's,
//! or the socket of another daemon. And it leaves its own socket behind. So signd looks first, under a
//! lock on the folder that makes two daemons which start at once wait for each other, and removes
//! nothing but a socket at which nothing answers any more.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

/// Tries to lock a folder, and the time between two of them. A daemon needs it for a millisecond.
const TRIES: u32 = 40;
const MOMENT: Duration = Duration::from_millis(50);

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// Nothing.
    Nothing,
    /// A socket at which nothing answers: its process has ended.
    Dead,
    /// A socket in use.
    Live,
    /// Something that is not signd's to remove, in words.
    Other(&'static str),
}

/// A socket file that is bound; removed when dropped. To be dropped after the ZeroMQ context, since
/// it is left alone as long as something answers there.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl SocketFile {
    /// Binds by `bind` once the path is free; a dead socket is removed.
    pub fn bind(path: &Path, bind: impl FnOnce() -> io::Result<()>) -> io::Result<SocketFile> {
        let _lock = lock(folder(path))?;
        match look(path)? {
            PathState::Nothing => {}
            PathState::Dead => fs::remove_file(path)?,
            PathState::Live => return Err(ErrorKind::AddrInUse.into()),
            PathState::Other(_) => return Err(ErrorKind::AlreadyExists.into()),
        }
        bind()?;
        Ok(SocketFile(path.to_owned()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _lock = lock(folder(&self.0));
        // By now it may be another daemon's.
        if look(&self.0).is_ok_and(|found| found == PathState::Dead) {
            drop(fs::remove_file(&self.0));
        }
    }
}

/// The folder that a file is in.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Looks at a path and changes nothing.
pub fn look(path: &Path) -> io::Result<PathState> {
    let kind = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(PathState::Nothing),
        metadata => metadata?.file_type(),
    };
    if !kind.is_socket() {
        return Ok(PathState::Other(match () {
            () if kind.is_symlink() => "a symbolic link",
            () if kind.is_dir() => "a folder",
            () if kind.is_file() => "a file",
            () => "a device or pipe",
        }));
    }
    match answers(&SockAddr::unix(path)?) {
        Ok(true) => Ok(PathState::Live),
        Ok(false) => Ok(PathState::Dead),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(PathState::Nothing),
        Err(_) => Ok(PathState::Live),
    }
}

/// Whether a program listens at a local address. Does not wait: one that hangs has a full queue, and is there
/// all the same.
pub fn answers(at: &SockAddr) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        Err(error) => Err(error),
    }
}

/// Locks a folder until the result is dropped. A folder that cannot be locked, since it may not be
/// read or its file system knows no locks, goes without.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = match File::open(folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
        file => file?,
    };
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(MOMENT),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
    Err(io::Error::new(ErrorKind::WouldBlock, "another program holds a lock on the folder"))
}
