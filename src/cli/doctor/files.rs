//! Files that the daemon writes.

use std::path::Path;

use super::finding::Finding;
use crate::config::Settings;

/// Tries to create a file there.
pub fn writable(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".signd-doctor-{}", std::process::id()));
    std::fs::File::create_new(&probe)?;
    std::fs::remove_file(probe)
}

/// Looks at the place of the recording, if there is to be one.
pub fn examine(settings: &Settings, out: &mut Vec<Finding>) {
    let path = &settings.record.path;
    if path.as_os_str().is_empty() {
        return;
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    out.push(match writable(folder) {
        Ok(()) => Finding::well("recording", path.display().to_string()),
        Err(error) => {
            let seen = format!("{}: {error}", folder.display());
            let remedy = "the folder must exist and be writable for the user that runs signd; as a service \
                          it has /var/lib/signd";
            Finding::wrong("recording", seen, remedy)
        }
    });
}
