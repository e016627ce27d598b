//! `signd doctor`: what is wrong on this machine, in plain words, and what to do.

mod ask;
mod cause;
mod daemon;
mod endpoints;
mod engine;
mod files;
mod finding;
mod listen;
mod pointers;
mod processes;
mod refusals;
mod streams;
mod traffic;

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{CommandOutcome, Common, reason};
use daemon::DaemonProbe;
use finding::{DoctorFinding, FindingLevel};
use pointers::DocPointer;
use signd::config::SettingsFlags;

/// Flags of `signd doctor`.
#[derive(Debug, Args)]
pub struct DoctorFlags {
    /// How long to wait for frames, s.
    #[arg(long, default_value_t = 3, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
    #[command(flatten)]
    common: Common,
}

impl DoctorFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let mut worst = FindingLevel::Well;
        // Each part is told as soon as it is known: waiting for frames takes its time.
        let mut tell = |findings: Vec<DoctorFinding>| -> std::io::Result<()> {
            let mut out = super::print::out();
            for finding in findings {
                worst = worst.max(finding.level);
                writeln!(out, "{finding}")?;
            }
            out.flush()
        };
        match self.common.settings(SettingsFlags::default()) {
            Err(error) => {
                let remedy = format!(
                    "{} tells every key, its unit and range",
                    DocPointer::Configuration.path()
                );
                tell(vec![DoctorFinding::wrong("configuration", reason(&error), remedy)])?;
            }
            Ok(settings) => {
                let daemon = DaemonProbe::find(&settings);
                tell(match daemon.runs() {
                    true => daemon.present(&settings),
                    false => vec![daemon::missing(self.common.config.as_deref())],
                })?;
                let mut findings = vec![DoctorFinding::well("configuration", self.source())];
                engine::examine(&settings, &mut findings);
                files::examine(&settings, &mut findings);
                tell(findings)?;
                let mut findings = daemon.places.clone();
                if daemon.status.is_some() || !daemon.shut_out {
                    let wait = Duration::from_secs(self.wait);
                    traffic::examine(&daemon, &settings, wait, &mut findings);
                }
                tell(findings)?;
            }
        }
        Ok(if worst == FindingLevel::Wrong {
            CommandOutcome::Failed(1)
        } else {
            CommandOutcome::Done
        })
    }

    fn source(&self) -> String {
        match &self.common.config {
            Some(path) => path.display().to_string(),
            None => "defaults, and SIGND_... in the environment".into(),
        }
    }
}
