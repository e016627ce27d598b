//! The command line: a file for each subcommand.

mod check;
mod doctor;
mod eval;
mod features;
mod import;
mod keygen;
mod keys;
mod landmarks;
mod log;
mod pace;
mod print;
mod replay;
mod run;
mod send;
mod source;
mod view;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand};

use signd::config::{Settings, SettingsError, SettingsFlags};
use signd::keys::policy::KeyPolicyError;
use signd::observe::live::LiveSender;
use signd::observe::metrics::RunMetrics;
use signd::output::{OutputKind, OutputTarget};
use signd::plumbing::StageMonitor;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::{SignDecider, UnknownLabel};
use signd_engine::model::{Model, ModelError, OnnxRuntime};

/// Names looked for beside the executable and in `/usr/lib/signd`.
const MODEL: &str = "signd.onnx";
const RUNTIME: &str = "libonnxruntime.so";
const LIBRARY: &str = "/usr/lib/signd";

/// Recognises signs of a sign language in streams of body landmarks.
///
/// `signd run` receives landmark frames over ZeroMQ and publishes one event per frame and one
/// decision per sign. To see it work, in three terminals: `signd run`, `signd watch`, and
/// `signd send RECORDING`.
///
/// Exit codes: 0 done, 1 failed or nothing of the input could be used, 2 usage, 3 done but some of the
/// input was cut short, damaged, refused or passed over (standard error says what), 78 configuration or
/// model. A reader that has seen enough of the output (`| head`) is no failure.
#[derive(Debug, Parser)]
#[command(version, about, long_about)]
pub struct CliArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon: landmark frames in, label events out, until told to stop.
    Run(run::RunFlags),
    /// Play a recording through the same stages and print its events as JSON lines.
    Replay(replay::ReplayFlags),
    /// Show recordings in a browser: what the daemon sees, frame by frame, and what it makes of it.
    View(view::ViewFlags),
    /// Play a recording to an endpoint as a camera would.
    Send(send::SendFlags),
    /// Show live events; says when the daemon comes and goes.
    Watch(watch::WatchFlags),
    /// Make a key pair: the secret key into a file, the public key to standard output.
    Keygen(keygen::KeygenFlags),
    /// Turn other landmark files (GISLR parquet, .pose, .npy, .npz) into a recording.
    Import(import::ImportFlags),
    /// Print the landmarks of recordings and other landmark files in one plain form.
    Landmarks(landmarks::LandmarksFlags),
    /// Print the rows that a model would see, for training.
    Features(features::FeaturesFlags),
    /// Measure how well a model understands labelled clips.
    Eval(eval::EvalFlags),
    /// Say what is wrong on this machine, in plain words, and what to do: does signd run, which frames does it
    /// refuse and why? Exit 1 if signd does not run or no sign can be recognised.
    Doctor(doctor::DoctorFlags),
    /// Check configuration, model and endpoints; exit 78 with the reason if configuration or model
    /// cannot be used, 1 if this machine does not have an endpoint.
    Check(Common),
    /// Print every metric of the daemon, as /metrics shows it just after the start.
    Metrics,
    /// Print what a model file says of itself.
    Model(check::ModelFile),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write those of all subcommands into a folder.
    Man {
        /// The folder.
        folder: Option<PathBuf>,
    },
}

/// Options of everything that needs settings and a model.
#[derive(Debug, Args)]
struct Common {
    /// Configuration file; see conf/signd.toml for every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model file [default: signd.onnx beside the executable, then in /usr/lib/signd].
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// ONNX Runtime's library [default: libonnxruntime.so beside the executable, then in
    /// /usr/lib/signd].
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
}

/// How a command ended.
pub enum CommandOutcome {
    /// As asked.
    Done,
    /// As asked, but not with all of the input.
    Partly,
    /// It failed; the reason has been printed.
    Failed(u8),
}

impl From<CommandOutcome> for ExitCode {
    fn from(outcome: CommandOutcome) -> ExitCode {
        match outcome {
            CommandOutcome::Done => ExitCode::SUCCESS,
            CommandOutcome::Partly => ExitCode::from(3),
            CommandOutcome::Failed(code) => ExitCode::from(code),
        }
    }
}

impl CliArguments {
    /// Runs the chosen command.
    pub fn execute(self) -> CommandOutcome {
        log::start();
        let result = match self.command {
            Command::Run(command) => command.execute(),
            Command::Replay(command) => command.execute(),
            Command::View(command) => command.execute(),
            Command::Send(command) => command.execute(),
            Command::Watch(command) => command.execute(),
            Command::Keygen(command) => command.execute(),
            Command::Import(command) => command.execute(),
            Command::Landmarks(command) => command.execute(),
            Command::Features(command) => command.execute(),
            Command::Eval(command) => command.execute(),
            Command::Doctor(command) => command.execute(),
            Command::Check(common) => check::check(&common),
            Command::Metrics => {
                let metrics =
                    RunMetrics::new(StageMonitor::default(), LiveSender::default().shared());
                print::text(metrics.text().as_bytes())
                    .map(|()| CommandOutcome::Done)
                    .map_err(Into::into)
            }
            Command::Model(command) => command.execute(),
            Command::Completions { shell } => {
                let mut command = CliArguments::command();
                let mut script = Vec::new(); // it would panic at a closed pipe
                clap_complete::generate(shell, &mut command, "signd", &mut script);
                print::text(&script).map(|()| CommandOutcome::Done).map_err(Into::into)
            }
            Command::Man { folder } => man(folder.as_deref()),
        };
        result.unwrap_or_else(|error| {
            if print::is_closed() {
                return CommandOutcome::Done;
            }
            match log::is_journal() {
                true => tracing::error!("{}", reason(&error)),
                false => print::note(reason(&error)),
            }
            let configuration = error.chain().any(|e| {
                e.is::<SettingsError>()
                    || e.is::<KeyPolicyError>()
                    || e.is::<ModelError>()
                    || e.is::<UnknownLabel>()
            });
            CommandOutcome::Failed(if configuration { 78 } else { 1 })
        })
    }
}

/// An error and its causes on one line. Many of our errors quote their cause, so what has been said is
/// not said again.
fn reason(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |said, cause| {
        match (said.contains(&cause), cause.starts_with(&said)) {
            (true, _) => said,
            (false, true) => cause,
            (false, false) => format!("{said}: {cause}"),
        }
    })
}

fn man(folder: Option<&Path>) -> Result<CommandOutcome> {
    let mut command = CliArguments::command().disable_help_subcommand(true);
    if let Some(folder) = folder {
        command.build();
        pages(&command, folder)?;
        return Ok(CommandOutcome::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(CliArguments::command()).render(&mut page)?;
    print::text(&page)?;
    Ok(CommandOutcome::Done)
}

/// Writes the page of a command and those of its subcommands.
fn pages(command: &clap::Command, folder: &Path) -> Result<()> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.into_iter().try_for_each(|command| pages(command, folder))?;
    let (man, mut page) = (clap_mangen::Man::new(command.clone()), Vec::new());
    man.render(&mut page)?;
    Ok(OutputTarget::new(&folder.join(man.get_filename()), OutputKind::ManPage, &[])?
        .write(&page)?)
}

impl Common {
    fn settings(&self, flags: SettingsFlags) -> Result<Settings> {
        let (config, model) = (self.config.clone(), self.model.clone());
        Ok(Settings::load(&SettingsFlags {
            config,
            model,
            runtime: self.runtime.clone(),
            ..flags
        })?)
    }
}

/// Opens runtime and model as the settings say.
fn inference(settings: &Settings) -> Result<Inference> {
    let model = model(settings)?;
    let decider = SignDecider::new(&settings.decide, model.card())?;
    Ok(Inference::new(model, decider))
}

fn model(settings: &Settings) -> Result<Model> {
    let runtime = OnnxRuntime::load(&locate(settings.runtime.as_deref(), RUNTIME))?;
    let file = locate(settings.model.as_deref(), MODEL);
    Model::open(&runtime, &file).with_context(|| format!("model {}", file.display()))
}

/// The path as configured, or else the first of the usual places that has the file.
fn locate(configured: Option<&Path>, name: &str) -> PathBuf {
    if let Some(path) = configured {
        return path.to_owned();
    }
    let executable = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let beside = executable.and_then(|path| Some(path.parent()?.join(name)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| Path::new(LIBRARY).join(name))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::reason;

    #[test]
    fn a_reason_names_every_cause_once() {
        let quoted = anyhow!("in use").context("tcp://x: in use; stop the other");
        assert_eq!(reason(&quoted), "tcp://x: in use; stop the other");
        let begun = anyhow!("model /m: not found").context("model /m");
        assert_eq!(reason(&begun), "model /m: not found");
        let plain = anyhow!("not found").context("/m").context("cannot begin");
        assert_eq!(reason(&plain), "cannot begin: /m: not found");
    }
}
