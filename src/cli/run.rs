//! `signd run`: the daemon.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::Args;
use crossbeam_channel::Sender;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signd_engine::inference::Inference;

use super::{CommandOutcome, Common, inference, reason};
use signd::config::{Settings, SettingsFlags};
use signd::ingest::ReloadRequest;
use signd::keys::policy::KeyPolicy;
use signd::plumbing::counters::DaemonCounters;
use signd::plumbing::notify;

/// Flags of `signd run`.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// Where frames come in, repeatable: [sub|pull][+bind|+connect:][CLIENT@]ENDPOINT; bare means
    /// sub+bind. An endpoint is tcp://HOST:PORT or ipc:///PATH [default: tcp://127.0.0.1:5556].
    #[arg(long, value_name = "INPUT")]
    ingest: Vec<String>,
    /// Where events go out [default: tcp://127.0.0.1:5557].
    #[arg(long, value_name = "ENDPOINT")]
    publish: Option<String>,
    /// Record the run to this MCAP file; what it was before is kept as NAME.1.mcap. A file that is no
    /// recording of signd's is not replaced.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where metrics, health and the page are served; "" for nowhere [default: 127.0.0.1:5558].
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl RunFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let (settings, inference, policy) = self.load()?;
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // A second Ctrl-C while draining ends the process at once. A supervisor that sends SIGTERM
            // twice has SIGKILL for that.
            if signal == SIGINT {
                signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
            }
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let hangups = Signals::new([SIGHUP])?;
        let (to, reloads) = crossbeam_channel::bounded(1);
        let model = inference.describe();
        let inputs: Vec<String> = settings.ingest.inputs.iter().map(ToString::to_string).collect();
        let (ingest, publish) = (inputs.join(" "), settings.publish.endpoint.to_string());
        let counters = Arc::new(DaemonCounters::default());
        let counted = Arc::clone(&counters);
        let ready = move || {
            tracing::info!(ingest, publish, model, "ready");
            notify::ready(&format!("{model}; frames at {ingest}, events at {publish}"));
            std::thread::spawn(move || self.reload_on(hangups, &to, &counted));
        };
        let stopped = move || stop.load(Ordering::Relaxed);
        let ended =
            signd::run::run(&settings, &policy, inference, reloads, &counters, stopped, ready);
        // Why it ended by itself is what a reader of the last lines looks for.
        ended?;
        tracing::info!("ended: {}", counters.summary());
        Ok(CommandOutcome::Done)
    }

    /// Settings, model and the daemon's own key as the files are now.
    fn load(&self) -> Result<(Settings, Inference, KeyPolicy)> {
        let settings = self.common.settings(SettingsFlags {
            ingest: self.ingest.clone(),
            publish: self.publish.clone(),
            record: self.record.clone(),
            http: self.http.clone(),
            ..SettingsFlags::default()
        })?;
        let policy = settings.key_policy()?;
        let inference = inference(&settings)?;
        Ok((settings, inference, policy))
    }

    /// Reads configuration and model again at each SIGHUP, beside the running pipeline; hands them
    /// over only when they are good.
    fn reload_on(
        &self,
        mut hangups: Signals,
        to: &Sender<ReloadRequest>,
        counters: &DaemonCounters,
    ) {
        for _ in hangups.forever() {
            notify::reloading();
            let loaded = self.load();
            counters.reloaded(loaded.is_ok());
            match loaded {
                Ok((settings, inference, _)) => {
                    let digests = settings.run_digests(inference.card());
                    let model = digests.model.clone();
                    let reload = ReloadRequest {
                        limits: settings.ingest.limits,
                        clients: settings.keys.clients,
                        core: settings.core,
                        inference,
                        digests,
                    };
                    if to.send(reload).is_err() {
                        return; // the daemon is ending
                    }
                    tracing::info!(model, "reloaded; sockets and recording stay as they are");
                }
                Err(error) => {
                    let refused = "not reloaded, the old configuration and model go on";
                    let reason = reason(&error);
                    tracing::error!("{refused}: {reason}");
                    notify::ready(&format!("{refused}: {reason}"));
                }
            }
        }
    }
}
