//! `signd replay`: recordings through the same stages, as JSON lines.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use super::pace::PlaybackPace;
use super::{CommandOutcome, Common, inference, print, source};
use signd::config::SettingsFlags;
use signd_core::frame::ArrivalTime;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};
use signd_engine::pipeline::Pipeline;
use signd_engine::recording::RunDigests;
use signd_engine::replay::verify::ReplayVerifier;
use signd_engine::replay::{self, ReplayOutput};

/// Flags of `signd replay`.
#[derive(Debug, Args)]
pub struct ReplayFlags {
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

impl ReplayFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let settings = self.common.settings(SettingsFlags::default())?;
        let inference = inference(&settings)?;
        let digests = settings.run_digests(inference.card());
        let mut pipeline = Pipeline::new(settings.core, inference);
        let mut replay = replay::RecordingPlayer::new(&mut pipeline);
        if self.verify {
            return self.verify(&mut replay, &digests);
        }
        let mut out = BufWriter::new(print::out());
        let (mut line, mut outcome) = (Vec::new(), CommandOutcome::Done);
        let (start, mut pace) = (Instant::now(), PlaybackPace::default());
        let mut tell = |told: ReplayOutput<'_>| match told {
            ReplayOutput::Event(event) => {
                events::encode(event, EventDelivery::default(), EventEncoding::Json, &mut line);
                line.push(b'\n');
                out.write_all(&line)?;
                if self.speed.is_some() { out.flush() } else { Ok(()) }
            }
            ReplayOutput::Time(arrival) => {
                self.pace(arrival, start, &mut pace);
                Ok(())
            }
            ReplayOutput::Core(..) | ReplayOutput::Recorded(..) | ReplayOutput::Mark(_) => Ok(()),
        };
        for path in &self.files {
            let unplayed = replay.play(&source::recording(path)?, &mut tell);
            let unplayed = unplayed.with_context(|| path.display().to_string())?;
            if print::losses(path, &unplayed.all()) {
                outcome = CommandOutcome::Partly;
            }
        }
        replay.end(&mut tell)?;
        out.flush()?;
        Ok(outcome)
    }

    fn verify(
        &self,
        replay: &mut replay::RecordingPlayer<'_>,
        digests: &RunDigests,
    ) -> Result<CommandOutcome> {
        let (mut verify, mut outcome) =
            (ReplayVerifier::new(digests.clone()), CommandOutcome::Done);
        for path in &self.files {
            let mut take = |told: ReplayOutput<'_>| {
                verify.take(&told);
                Ok(())
            };
            let unplayed = replay.play(&source::recording(path)?, &mut take);
            let unplayed = unplayed.with_context(|| path.display().to_string())?;
            print::losses(path, &unplayed.misplaced);
            if print::losses(path, &unplayed.unread) {
                verify.incomplete();
                outcome = CommandOutcome::Partly;
            }
        }
        replay.end(&mut |told| {
            verify.take(&told);
            Ok(())
        })?;
        let report = verify.end();
        write!(print::out(), "{report}")?;
        Ok(if report.equal() { outcome } else { CommandOutcome::Failed(1) })
    }

    /// Waits until the item is due.
    fn pace(&self, arrival: ArrivalTime, start: Instant, pace: &mut PlaybackPace) {
        let Some(speed) = self.speed else { return };
        let due = start + pace.due(arrival.0).div_f64(speed.max(1e-3));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
