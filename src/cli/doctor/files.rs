//! Files that the daemon writes.

use std::path::Path;

use super::finding::DoctorFinding;
use signd::config::Settings;
use signd::recorder;
use signd_engine::recording::RecordingError;

/// Tries to create a file there.
pub fn writable(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".signd-doctor-{}", std::process::id()));
    std::fs::File::create_new(&probe)?;
    std::fs::remove_file(probe)
}

/// Looks at the place of the recording, if there is to be one.
pub fn examine(settings: &Settings, out: &mut Vec<DoctorFinding>) {
    let Some(record) = &settings.record else { return };
    let path = &record.path;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(error) = writable(folder) {
        let seen = format!("{}: {error}", folder.display());
        let remedy = "the folder must exist and be writable for the user that runs signd; as a service \
                      it has /var/lib/signd";
        out.push(DoctorFinding::wrong("recording", seen, remedy));
        return;
    }
    out.push(match recorder::check(record) {
        Ok(()) => DoctorFinding::well("recording", path.display().to_string()),
        Err(RecordingError::Busy(path)) => {
            DoctorFinding::well("recording", format!("{} is being written", path.display()))
        }
        Err(error) => {
            let remedy = "signd replaces nothing but its own recordings of runs: name another file";
            DoctorFinding::wrong("recording", error.to_string(), remedy)
        }
    });
}
