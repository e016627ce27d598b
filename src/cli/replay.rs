//! `signd replay`: recordings through the same stages, as JSON lines.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use super::pace::Pace;
use super::{Common, Outcome, inference, print, source};
use signd::config::Flags;
use signd_core::frame::Arrival;
use signd_core::wire::events::{self, Delivery, Encoding};
use signd_engine::pipeline::Pipeline;
use signd_engine::recording::Loaded;
use signd_engine::replay::verify::Verify;
use signd_engine::replay::{self, Told};

/// Flags of `signd replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Recordings; each is replayed from fresh state, unless it is the next part of the one before.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Replay at this many times real time instead of as fast as possible.
    #[arg(long, value_name = "N")]
    speed: Option<f64>,
    /// Instead of printing events, compare them with those in the recordings and say where they
    /// part; exit 1 if they do or cannot be compared, 3 if not all of a recording could be read. Frames
    /// that the daemon too found misplaced in their stream are said and are no loss.
    #[arg(long, conflicts_with = "speed")]
    verify: bool,
    #[command(flatten)]
    common: Common,
}

impl Replay {
    pub fn execute(self) -> Result<Outcome> {
        let settings = self.common.settings(Flags::default())?;
        let inference = inference(&settings)?;
        let loaded = settings.loaded(inference.card());
        let mut pipeline = Pipeline::new(settings.core, inference);
        let mut replay = replay::Replay::new(&mut pipeline);
        if self.verify {
            return self.verify(&mut replay, &loaded);
        }
        let mut out = BufWriter::new(print::out());
        let (mut line, mut outcome) = (Vec::new(), Outcome::Done);
        let (start, mut pace) = (Instant::now(), Pace::default());
        let mut tell = |told: Told<'_>| match told {
            Told::Event(event) => {
                events::encode(event, Delivery::default(), Encoding::Json, &mut line);
                line.push(b'\n');
                out.write_all(&line)?;
                if self.speed.is_some() { out.flush() } else { Ok(()) }
            }
            Told::Time(arrival) => {
                self.pace(arrival, start, &mut pace);
                Ok(())
            }
            Told::Core(..) | Told::Recorded(..) | Told::Mark(_) => Ok(()),
        };
        for path in &self.files {
            let unplayed = replay.play(&source::recording(path)?, &mut tell);
            let unplayed = unplayed.with_context(|| path.display().to_string())?;
            if print::losses(path, &unplayed.all()) {
                outcome = Outcome::Partly;
            }
        }
        replay.end(&mut tell)?;
        out.flush()?;
        Ok(outcome)
    }

    fn verify(&self, replay: &mut replay::Replay<'_>, loaded: &Loaded) -> Result<Outcome> {
        let (mut verify, mut outcome) = (Verify::new(loaded.clone()), Outcome::Done);
        for path in &self.files {
            let unplayed = replay.play(&source::recording(path)?, &mut |told| verify.take(told));
            let unplayed = unplayed.with_context(|| path.display().to_string())?;
            print::losses(path, &unplayed.misplaced);
            if print::losses(path, &unplayed.unread) {
                verify.incomplete();
                outcome = Outcome::Partly;
            }
        }
        replay.end(&mut |told| verify.take(told))?;
        let report = verify.end();
        write!(print::out(), "{report}")?;
        Ok(if report.equal() { outcome } else { Outcome::Failed(1) })
    }

    /// Waits until the item is due.
    fn pace(&self, arrival: Arrival, start: Instant, pace: &mut Pace) {
        let Some(speed) = self.speed else { return };
        let due = start + pace.due(arrival.0).div_f64(speed.max(1e-3));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
