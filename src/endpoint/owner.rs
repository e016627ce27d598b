//! Which process holds a listening socket, as far as this user may see.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOwner {
    /// Its command.
    pub name: String,
    /// Its number.
    pub pid: u32,
}

/// Who listens on this TCP port.
pub fn of_port(port: u16) -> Option<SocketOwner> {
    // Local address, state, user and inode are columns 2, 4, 8 and 10; state 0A is LISTEN.
    let ends = format!(":{port:04X}");
    let listening = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ours = words.get(1)?.ends_with(&ends) && *words.get(3)? == "0A";
        ours.then(|| Some(((*words.get(9)?).to_owned(), words.get(7)?.parse().ok()))).flatten()
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let mut lines = tables.iter().flatten().flat_map(|table| table.lines());
    let (inode, user) = lines.find_map(listening)?;
    holder(&inode).or_else(|| other_signd(user))
}

/// Who listens on this socket of the file system, or at this `@NAME`.
pub fn of_socket(path: &str) -> Option<SocketOwner> {
    let table = fs::read_to_string("/proc/net/unix").ok()?;
    let ends = format!(" {path}");
    // Connections have the same path, and those not yet accepted have no holder.
    let mut inodes = table.lines().filter(|line| line.ends_with(&ends));
    inodes.find_map(|line| holder(line.split_whitespace().nth(6)?))
}

/// A running signd of this user other than this process. What sockets another user's process holds
/// cannot be seen, its name can.
pub fn other_signd(user: Option<u32>) -> Option<SocketOwner> {
    let me = std::process::id();
    let of_user = |pid: &u32| {
        let owner = fs::metadata(format!("/proc/{pid}")).map(|process| process.uid());
        *pid != me && owner.is_ok_and(|owner| user.is_none_or(|user| user == owner))
    };
    processes().filter(of_user).find_map(|pid| named(pid).filter(|o| o.name == "signd"))
}

fn holder(inode: &str) -> Option<SocketOwner> {
    let socket = format!("socket:[{inode}]");
    processes().find_map(|pid| {
        let mut open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
        open.find(|fd| fs::read_link(fd.path()).is_ok_and(|link| link == Path::new(&socket)))?;
        named(pid)
    })
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn named(pid: u32) -> Option<SocketOwner> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(SocketOwner { name: name.trim_end().to_owned(), pid })
}
