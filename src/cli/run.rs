//! `signd run`: the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{Common, Outcome, inference};
use crate::config::Flags;
use crate::run::counters::Counters;

/// Flags of `signd run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Where frames come in, repeatable: [sub|pull][+bind|+connect:]ENDPOINT; bare means sub+bind
    /// [default: tcp://127.0.0.1:5556].
    #[arg(long, value_name = "INPUT")]
    ingest: Vec<String>,
    /// Where events go out [default: tcp://127.0.0.1:5557].
    #[arg(long, value_name = "ENDPOINT")]
    publish: Option<String>,
    /// Record the run to this MCAP file, replacing it.
    #[arg(long, value_name = "FILE")]
    record: Option<std::path::PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Run {
    pub fn execute(self) -> Result<Outcome> {
        let flags = Flags {
            ingest: self.ingest,
            publish: self.publish,
            record: self.record,
            ..Flags::default()
        };
        let settings = self.common.settings(flags)?;
        let infer = inference(&settings)?;
        let kind = infer.row_kind();
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // A second signal while draining ends the process as if nobody had caught it.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let counters = Arc::new(Counters::default());
        let ready = || {
            let (ingest, publish) = (settings.ingest.join(" "), &settings.publish);
            tracing::info!(ingest, publish, "ready");
        };
        let ended = crate::run::run(
            &settings,
            infer,
            kind,
            &counters,
            move || stop.load(Ordering::Relaxed),
            ready,
        );
        tracing::info!("ended: {}", counters.summary());
        ended?;
        Ok(Outcome::Done)
    }
}
