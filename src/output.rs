//! Files that commands write for a user: whole or not at all, and never over something else.
//!
//! A file is written beside its place and renamed at the end, so that an error leaves what was there.
//! It takes the place of an older one of its own kind alone. A link is followed and stays. What is no
//! regular file, as a pipe, is written as it comes.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use signd_engine::file_kind;
use signd_engine::recording::{RecordingKind, kind_of};

/// What a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// A recording made of another file.
    Clip,
    /// A report of `signd eval` as JSON.
    Report,
    /// The same as a page.
    Page,
    /// The rows of `signd eval --rows`.
    Rows,
    /// A man page.
    ManPage,
}

/// Why a file is not written. What was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The system's reason.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// It is read by the same command.
    #[error("{0}: is read by this command too; choose another name for the output")]
    Input(PathBuf),
    /// It is written by the same command.
    #[error("{0}: two outputs of this command go there; choose different names")]
    Twice(PathBuf),
    /// It is a file of another kind.
    #[error(
        "{path}: expected nothing there or {expected}, found {found}; choose another name or remove it \
         first"
    )]
    Other {
        /// Its place.
        path: PathBuf,
        /// What would be replaced.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

/// A place where a file may be written.
#[derive(Debug)]
pub struct OutputTarget {
    path: PathBuf,
    kind: OutputKind,
    place: TargetPlace,
}

/// What is at a place.
#[derive(Debug)]
enum TargetPlace {
    Free,
    /// A file that may be replaced.
    Older(Metadata),
    /// No regular file.
    Device,
    /// The file that standard output goes to, by a name of its descriptor.
    Stdout,
}

impl OutputTarget {
    /// Looks at the place before any work is done: may a file of this kind be written there?
    pub fn new(
        path: &Path,
        kind: OutputKind,
        inputs: &[&Path],
    ) -> Result<OutputTarget, OutputError> {
        let failed = |error| OutputError::File(path.to_owned(), error);
        let output = fs::metadata(path).ok().filter(Metadata::is_file);
        let is_output = |input: &&Path| {
            output.as_ref().zip(fs::metadata(input).ok()).is_some_and(|(a, b)| same(a, &b))
        };
        if inputs.iter().any(is_output) {
            return Err(OutputError::Input(path.to_owned()));
        }
        let target =
            OutputTarget { place: place(path, kind)?, path: resolve(path).map_err(failed)?, kind };
        if matches!(target.place, TargetPlace::Free | TargetPlace::Older(_)) {
            target.beside().map_err(failed)?; // can a file be made there at all?
        }
        Ok(target)
    }

    /// Refuses outputs that would replace each other.
    pub fn distinct(targets: &[&OutputTarget]) -> Result<(), OutputError> {
        let file = |target: &OutputTarget| {
            matches!(target.place, TargetPlace::Free | TargetPlace::Older(_))
        };
        for (i, target) in targets.iter().enumerate() {
            let earlier = targets.iter().take(i);
            if file(target) && earlier.into_iter().any(|other| other.path == target.path) {
                return Err(OutputError::Twice(target.path.clone()));
            }
        }
        Ok(())
    }

    /// Whether it is no regular file, so that it may lead to standard output.
    pub fn is_stream(&self) -> bool {
        matches!(self.place, TargetPlace::Device | TargetPlace::Stdout)
    }

    /// Writes the whole file.
    pub fn write(self, bytes: &[u8]) -> Result<(), OutputError> {
        let mut output = self.begin()?;
        output.write_all(bytes).map_err(|error| output.failed(error))?;
        output.finish()
    }

    /// Begins to write.
    pub fn begin(self) -> Result<OutputFile, OutputError> {
        let failed = |error| OutputError::File(self.path.clone(), error);
        let to = match &self.place {
            TargetPlace::Free | TargetPlace::Older(_) => {
                To::Beside(BufWriter::new(self.beside().map_err(failed)?))
            }
            TargetPlace::Stdout => To::Straight(Box::new(io::stdout())),
            TargetPlace::Device => {
                let device = OpenOptions::new().write(true).open(&self.path);
                To::Straight(Box::new(BufWriter::new(device.map_err(failed)?)))
            }
        };
        Ok(OutputFile { target: self, to })
    }

    /// A temporary file in the same folder, with the rights that the file would have.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let all = Permissions::from_mode(0o666); // less what the umask takes away
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(".signd-").suffix(".tmp").permissions(all).tempfile_in(folder)?;
        if let TargetPlace::Older(there) = &self.place {
            let made = file.as_file().metadata()?;
            if (made.uid(), made.gid()) != (there.uid(), there.gid()) {
                // Only root may give a file away; for others it stays their own.
                drop(fchown(file.as_file(), Some(there.uid()), Some(there.gid())));
            }
            file.as_file().set_permissions(there.permissions())?;
        }
        Ok(file)
    }
}

/// A file being written. Dropped before [`OutputFile::finish`], it leaves what was there.
pub struct OutputFile {
    target: OutputTarget,
    to: To,
}

enum To {
    Beside(BufWriter<NamedTempFile>),
    Straight(Box<dyn Write>),
}

impl OutputFile {
    fn failed(&self, error: io::Error) -> OutputError {
        OutputError::File(self.target.path.clone(), error)
    }

    /// Puts the file in its place, if that is still as it was.
    pub fn finish(self) -> Result<(), OutputError> {
        let OutputFile { target: OutputTarget { path, kind, .. }, to } = self;
        let failed = |error| OutputError::File(path.clone(), error);
        let buffered = match to {
            To::Straight(mut out) => return out.flush().map_err(failed),
            To::Beside(file) => file,
        };
        let file = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        let placed = match place(&path, kind)? {
            TargetPlace::Free => file.persist_noclobber(&path),
            _ => file.persist(&path),
        };
        placed.map(drop).map_err(|error| failed(error.error))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Beside(file) => file.write(bytes),
            To::Straight(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Beside(file) => file.flush(),
            To::Straight(out) => out.flush(),
        }
    }
}

/// What is there, if a file of this kind may be written to it.
fn place(path: &Path, kind: OutputKind) -> Result<TargetPlace, OutputError> {
    let failed = |error| OutputError::File(path.to_owned(), error);
    let there = match fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(TargetPlace::Free),
        Err(error) => return Err(failed(error)),
    };
    let other =
        |found: String| OutputError::Other { path: path.to_owned(), expected: kind.words(), found };
    if there.is_dir() {
        return Err(other("a folder".into()));
    }
    if !there.is_file() {
        return Ok(TargetPlace::Device);
    }
    let stdout = fs::metadata("/proc/self/fd/1").is_ok_and(|stdout| same(&stdout, &there));
    if path == Path::new("/dev/stdout")
        || [Path::new("/dev/fd"), Path::new("/proc/self/fd")].map(Some).contains(&path.parent())
    {
        return Ok(if stdout { TargetPlace::Stdout } else { TargetPlace::Device });
    }
    if stdout {
        return Err(other("what standard output writes".into()));
    }
    // A plain write asks for this right; renaming does not.
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        return Err(other("a file that a running signd writes".into()));
    }
    let found = kind.found(path, &mut file).map_err(failed)?;
    found.map_or(Ok(TargetPlace::Older(there)), |found| Err(other(found)))
}

impl OutputKind {
    fn words(self) -> &'static str {
        match self {
            OutputKind::Clip => "a recording made by `signd import`",
            OutputKind::Report => "a JSON report of `signd eval`",
            OutputKind::Page => "a page of `signd eval`",
            OutputKind::Rows => "rows of `signd eval --rows`",
            OutputKind::ManPage => "a man page of signd",
        }
    }

    /// What is in a file, unless this kind may replace it.
    fn found(self, path: &Path, file: &mut File) -> io::Result<Option<String>> {
        let mut head = Vec::new();
        file.take(file_kind::HEAD as u64).read_to_end(&mut head)?;
        let begins = |with: &str| head.starts_with(with.as_bytes());
        let has = |words: &str| head.windows(words.len()).any(|at| at == words.as_bytes());
        let ours = match self {
            _ if head.is_empty() => true,
            OutputKind::Clip => match kind_of(path)? {
                RecordingKind::Other(found) => return Ok(Some(found)),
                RecordingKind::Run | RecordingKind::EmptyRun => {
                    return Ok(Some("a recording of a run of the daemon".into()));
                }
                RecordingKind::Clip | RecordingKind::Nothing => true,
            },
            OutputKind::Report => {
                begins("{\"model\":{\"name\":") && has("\"sha256\":")
                    || begins("{\"hours\":") && has("\"false_decisions\":")
            }
            OutputKind::Page => {
                begins("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
                    && (has("<title>Evaluation of ") || has("<title>Streams</title>"))
            }
            OutputKind::Rows => head.starts_with(b"\x89\xa4name"),
            OutputKind::ManPage => has(".TH signd"),
        };
        Ok((!ours).then(|| file_kind::describe(&head)))
    }
}

/// Where a name leads, through links; the last of them may lead to nothing yet.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    if !fs::metadata(path).is_ok_and(|there| there.is_file()) && path.exists() {
        return Ok(path.to_owned()); // no regular file: its name is as good as any
    }
    if let Ok(path) = fs::canonicalize(path) {
        return Ok(path);
    }
    let mut path = path.to_owned();
    // As many links as the system follows.
    for _ in 0..40 {
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
    Ok(path.file_name().map_or(folder.clone(), |name| folder.join(name)))
}

fn same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}
