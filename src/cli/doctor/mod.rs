//! `signd doctor`: what is wrong on this machine, in plain words, and what to do.

mod endpoints;
mod engine;
mod files;
mod finding;
mod listen;
mod streams;

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{Common, Outcome, reason};
use crate::config::{Flags, Settings};
use crate::keys::guard::Guard;
use endpoints::Place;
use finding::{Finding, Level};

/// Flags of `signd doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// How long to wait for frames, s.
    #[arg(long, default_value_t = 3, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
    #[command(flatten)]
    common: Common,
}

impl Doctor {
    pub fn execute(self) -> Result<Outcome> {
        let mut worst = Level::Well;
        // Each part is told as soon as it is known: waiting for frames takes its time.
        let mut tell = |findings: Vec<Finding>| -> std::io::Result<()> {
            let mut out = super::print::out();
            for finding in findings {
                worst = worst.max(finding.level);
                writeln!(out, "{finding}")?;
            }
            out.flush()
        };
        match self.common.settings(Flags::default()) {
            Err(error) => {
                let remedy = "conf/signd.toml, or signd.toml in /etc/signd, tells every key, its unit and range";
                tell(vec![Finding::wrong("configuration", reason(&error), remedy)])?;
            }
            Ok(settings) => {
                tell(vec![Finding::well("configuration", self.source())])?;
                let mut findings = Vec::new();
                engine::examine(&settings, &mut findings);
                files::examine(&settings, &mut findings);
                tell(findings)?;
                tell(self.traffic(&settings))?;
            }
        }
        Ok(if worst == Level::Wrong { Outcome::Failed(1) } else { Outcome::Done })
    }

    fn source(&self) -> String {
        match &self.common.config {
            Some(path) => path.display().to_string(),
            None => "defaults, and SIGND_... in the environment".into(),
        }
    }

    /// Endpoints, and the frames that come in at them.
    fn traffic(&self, settings: &Settings) -> Vec<Finding> {
        let mut out = Vec::new();
        if let Ok(Some(at)) = settings.http.address()
            && !at.ip().is_loopback()
        {
            let seen = format!("whoever reaches {at} sees metrics and events: there is no login");
            let remedy = "leave it on loopback, or put a proxy with authentication before it";
            out.push(Finding::mind("http", seen, remedy));
        }
        let (mut daemon, mut taken) = (None, false);
        for (part, endpoint) in settings.bound() {
            match endpoints::look(part, &endpoint) {
                Place::Free => out.push(Finding::well(part, format!("{endpoint} is free"))),
                Place::Ours(pid) => daemon = Some(pid),
                Place::Wrong(finding) => {
                    taken = true;
                    out.push(finding);
                }
            }
        }
        if let Some(pid) = daemon {
            out.push(Finding::well("daemon", format!("signd is running (process {pid})")));
        }
        if taken {
            return out;
        }
        let guard = match Guard::load(settings) {
            Ok(guard) => guard,
            Err(error) => {
                let remedy = "a service's credential is seen by the service alone: look at its log";
                out.push(match daemon {
                    Some(_) => Finding::mind("keys", error.to_string(), remedy),
                    None => Finding::wrong("keys", error.to_string(), "docs/wire-format.md, Keys"),
                });
                return out;
            }
        };
        if daemon.is_some() && guard.asks(&settings.publish) {
            let remedy = "`signd watch --key FILE --daemon-key PUBLIC` shows what it says";
            out.push(Finding::mind("frames", "the daemon shows events only to keys", remedy));
            return out;
        }
        let wait = Duration::from_secs(self.wait);
        let heard = match daemon {
            Some(_) => {
                listen::to_the_daemon(&settings.publish, wait).map(|streams| (streams, None))
            }
            None => listen::instead_of_the_daemon(settings, &guard, wait),
        };
        match heard {
            Ok((streams, refused)) => {
                if let Some(reason) = refused {
                    let remedy =
                        "docs/wire-format.md says what a frame is; examples/client.py sends some";
                    out.push(Finding::wrong("frames", format!("not a frame: {reason}"), remedy));
                }
                let inputs: Vec<String> = settings.ingest.iter().map(ToString::to_string).collect();
                streams.judge(&inputs.join(" or "), self.wait, &mut out);
            }
            Err(error) => {
                let remedy = "see the endpoints in the configuration";
                out.push(Finding::wrong("frames", format!("cannot listen: {error}"), remedy));
            }
        }
        out
    }
}
