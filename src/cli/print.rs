//! What commands print. `println!` and `eprintln!` panic when their reader has gone (`| head`).

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use signd_engine::recording::RecordingLosses;

/// Whether a reader of standard output has gone. Libraries wrap the error in types of their own, so
/// that it cannot be told by looking at the error that arrives.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Standard output.
pub fn out() -> StdoutWriter {
    StdoutWriter(io::stdout())
}

/// Standard output that remembers whether its reader has gone.
pub struct StdoutWriter(io::Stdout);

impl StdoutWriter {
    fn seen<T>(result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            CLOSED.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl Write for StdoutWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::seen(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::seen(self.0.flush())
    }
}

/// Whether the reader of standard output has seen enough.
pub fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Prints a line to standard output.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(out(), "{text}")
}

/// Prints a whole text to standard output.
pub fn text(bytes: &[u8]) -> io::Result<()> {
    let mut out = out();
    out.write_all(bytes)?;
    out.flush()
}

/// Says something on standard error; a reader that has gone is no failure.
pub fn note(text: impl Display) {
    drop(writeln!(io::stderr(), "signd: {text}"));
}

/// Says what of a file was not used; true if anything was not.
pub fn losses(path: &Path, losses: &RecordingLosses) -> bool {
    for line in losses.to_string().lines() {
        note(format_args!("{}: {line}", path.display()));
    }
    losses.any()
}
