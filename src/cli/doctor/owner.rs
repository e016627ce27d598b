//! Which process holds a listening socket, as far as this user may see.

use std::fs;
use std::path::Path;

/// A process.
#[derive(Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its command.
    pub name: String,
    /// Its number.
    pub pid: u32,
}

/// Who listens on this TCP port.
pub fn of_port(port: u16) -> Option<Owner> {
    // Local address, state and inode are columns 2, 4 and 10; state 0A is LISTEN.
    let ends = format!(":{port:04X}");
    let listening = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ours = words.get(1)?.ends_with(&ends) && *words.get(3)? == "0A";
        ours.then(|| words.get(9).map(|inode| (*inode).to_owned())).flatten()
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let inode = tables.iter().flatten().flat_map(|table| table.lines()).find_map(listening)?;
    holder(&inode)
}

/// Who listens on this socket of the file system.
pub fn of_socket(path: &Path) -> Option<Owner> {
    let table = fs::read_to_string("/proc/net/unix").ok()?;
    let path = path.to_str()?;
    let line = table.lines().find(|line| line.ends_with(path))?;
    holder(line.split_whitespace().nth(6)?)
}

/// A running signd other than this process. What sockets another user's process holds cannot be seen,
/// its name can.
pub fn other_signd() -> Option<Owner> {
    let me = std::process::id();
    processes().filter(|pid| *pid != me).find_map(|pid| named(pid).filter(|o| o.name == "signd"))
}

fn holder(inode: &str) -> Option<Owner> {
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

fn named(pid: u32) -> Option<Owner> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(Owner { name: name.trim_end().to_owned(), pid })
}
