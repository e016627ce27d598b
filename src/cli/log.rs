//! Where log lines go: with their fields to the journal when standard error leads there, else as
//! readable lines to standard error.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sets up logging for the life of the process. A field `stream` is `SIGND_STREAM` in the journal.
pub fn start() {
    let filter = EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info,ort=warn"));
    let lines = || {
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        // It would tell of a closed standard error there, and panic.
        let lines = lines.log_internal_errors(false);
        lines.with_ansi(std::io::stderr().is_terminal())
    };
    // A journal that cannot be written to still gets lines through standard error.
    let journal = if is_journal() { tracing_journald::layer().ok() } else { None };
    let journal = journal.map(|layer| {
        let usual = PriorityMappings {
            info: Priority::Informational,
            debug: Priority::Debug,
            ..PriorityMappings::new()
        };
        layer.with_field_prefix(Some("SIGND".into())).with_priority_mappings(usual)
    });
    let lines = journal.is_none().then(lines);
    tracing_subscriber::registry().with(filter).with(journal).with(lines).init();
}

/// Whether standard error is the very stream that systemd connected to the journal, and not a file
/// or pipe it was redirected to since.
pub fn is_journal() -> bool {
    let stderr = std::io::stderr().as_fd().try_clone_to_owned();
    let metadata = stderr.and_then(|stderr| File::from(stderr).metadata());
    let stream = metadata.map(|m| format!("{}:{}", m.dev(), m.ino()));
    matches!((stream, std::env::var("JOURNAL_STREAM")), (Ok(here), Ok(journal)) if here == journal)
}
