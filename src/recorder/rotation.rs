//! The files of recordings by age: `NAME.mcap` is being written, `NAME.1.mcap` was before it, and so on.
//!
//! What a run without a frame left is replaced, so that restarts push nothing out. The file beyond
//! those kept goes when the first frame of a run is there, not before. Nothing but signd's own
//! recordings is ever moved or replaced, and none that another signd is writing.
//!
//! The file is written in its place, unlike what other commands write: after a crash it is where it
//! is looked for, and yields what was written of it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::output;
use signd_engine::recording::{RecordingError, RecordingKind, kind_of};

/// How long another program may look at a file before it counts as writing it.
const A_LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 10;

/// Settings of recordings.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSettings {
    /// The file.
    pub path: PathBuf,
    /// Size at which a file is finished and the next begun, MB.
    pub max_mb: u64,
    /// Files kept, the one being written included.
    pub keep: u32,
}

/// The places of a recording's files.
#[derive(Debug)]
pub struct FileRotation {
    path: PathBuf,
    keep: u32,
}

/// What is at one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RotationPlace {
    /// Nothing, or a recording of nothing.
    Free,
    /// A recording with frames.
    Taken,
    /// No regular file: it is written as it is.
    Device,
}

impl FileRotation {
    /// Those of these settings; a link is followed.
    pub fn new(settings: &RecordSettings) -> Result<FileRotation, RecordingError> {
        let path = output::resolve(&settings.path).map_err(named(&settings.path))?;
        Ok(FileRotation { path, keep: settings.keep.max(1) })
    }

    /// Whether a recording can begin here; touches nothing.
    pub fn check(&self) -> Result<(), RecordingError> {
        if place(&self.path)? == RotationPlace::Device {
            return Ok(());
        }
        (1..=self.keep).map(|n| self.older(n)).try_for_each(|older| match place(&older)? {
            RotationPlace::Device => Err(in_the_way(&older, "no regular file".into())),
            _ => Ok(()),
        })
    }

    /// Makes room for the next file and creates it, locked as long as it is open.
    pub fn next(&self) -> Result<File, RecordingError> {
        self.check()?;
        let there = place(&self.path)?;
        if there == RotationPlace::Taken {
            self.shift()?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&self.path);
        let file = file.map_err(named(&self.path))?;
        if there != RotationPlace::Device {
            lock(&file, &self.path)?;
            file.set_len(0).map_err(named(&self.path))?;
        }
        Ok(file)
    }

    /// Removes the file beyond those kept. If that cannot be, it stays and the log says why.
    pub fn prune(&self) {
        let path = self.older(self.keep);
        let pruned = place(&path).and_then(|there| match there {
            RotationPlace::Taken => fs::remove_file(&path).map_err(named(&path)),
            _ => Ok(()),
        });
        if let Err(error) = pruned {
            tracing::warn!("an old recording stays: {error}");
        }
    }

    /// Makes each file one older, up to the first free place.
    fn shift(&self) -> Result<(), RecordingError> {
        let mut last = self.keep;
        for n in 1..self.keep {
            if place(&self.older(n))? == RotationPlace::Free {
                last = n;
                break;
            }
        }
        for n in (1..=last).rev() {
            let from = self.older(n - 1);
            match fs::rename(&from, self.older(n)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(named(&from)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn older(&self, n: u32) -> PathBuf {
        if n == 0 {
            return self.path.clone();
        }
        let mut name = OsString::from(self.path.file_stem().unwrap_or_default());
        name.push(format!(".{n}"));
        if let Some(ending) = self.path.extension() {
            name.push(".");
            name.push(ending);
        }
        self.path.with_file_name(name)
    }
}

fn place(path: &Path) -> Result<RotationPlace, RecordingError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(RotationPlace::Free),
        Err(error) => return Err(named(path)(error)),
        Ok(there) if there.is_dir() => return Err(in_the_way(path, "a folder".into())),
        Ok(there) if !there.is_file() => return Ok(RotationPlace::Device),
        Ok(_) => {}
    }
    // A look shares the lock with other looks, and not with a writer.
    if let Err(TryLockError::WouldBlock) = File::open(path).map_err(named(path))?.try_lock_shared()
    {
        return Err(RecordingError::Busy(path.to_owned()));
    }
    match kind_of(path).map_err(named(path))? {
        RecordingKind::Nothing | RecordingKind::EmptyRun => Ok(RotationPlace::Free),
        RecordingKind::Run => Ok(RotationPlace::Taken),
        RecordingKind::Clip => Err(in_the_way(path, "a recording that an import made".into())),
        RecordingKind::Other(found) => Err(in_the_way(path, found)),
    }
}

/// A system that knows no locks gives none. Then no writer can be seen.
fn lock(file: &File, path: &Path) -> Result<(), RecordingError> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(A_LOOK),
            _ => return Ok(()),
        }
    }
    Err(RecordingError::Busy(path.to_owned()))
}

fn in_the_way(path: &Path, found: String) -> RecordingError {
    RecordingError::InTheWay { path: path.to_owned(), found }
}

fn named(path: &Path) -> impl Fn(io::Error) -> RecordingError {
    let path = path.display().to_string();
    move |error| RecordingError::File(io::Error::new(error.kind(), format!("{path}: {error}")))
}
