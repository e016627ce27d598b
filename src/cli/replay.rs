//! `signd replay`: recordings through the same stages, as JSON lines.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use super::{Common, Outcome, inference, read_file};
use crate::config::Flags;
use crate::recording::Ending;
use crate::wire::events::{self, Delivery, Encoding};

/// Flags of `signd replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Recordings; each is replayed from fresh state.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Replay at this many times real time instead of as fast as possible.
    #[arg(long, value_name = "N")]
    speed: Option<f64>,
    #[command(flatten)]
    common: Common,
}

impl Replay {
    pub fn execute(self) -> Result<Outcome> {
        let settings = self.common.settings(Flags::default())?;
        let mut infer = inference(&settings)?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let (mut line, mut outcome) = (Vec::new(), Outcome::Done);
        for path in &self.files {
            let bytes = read_file(path)?;
            let mut first = None;
            let pace = |arrival: crate::frame::Arrival| {
                let Some(speed) = self.speed else { return };
                let (began, start) = *first.get_or_insert((arrival, Instant::now()));
                let since = Duration::from_nanos(arrival.0.saturating_sub(began.0));
                let due = start + since.div_f64(speed.max(1e-3));
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            };
            let ending = crate::replay::replay(&bytes, &settings.core, &mut infer, pace, |event| {
                events::encode(event, Delivery::default(), Encoding::Json, &mut line);
                line.push(b'\n');
                out.write_all(&line)?;
                if self.speed.is_some() { out.flush() } else { Ok(()) }
            });
            if ending.with_context(|| path.display().to_string())? == Ending::Cut {
                eprintln!("signd: {}: cut short; replayed up to the cut", path.display());
                outcome = Outcome::CutShort;
            }
        }
        out.flush()?;
        Ok(outcome)
    }
}
