//! `signd eval`: how well a model understands labelled clips, and finds signs in streams.

mod streams;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Common, Outcome, model, read_file};
use crate::config::Flags;
use crate::eval::clips::{self as list, Failure};
use crate::eval::judge::Judge;
use crate::eval::report::{html, json, terminal};
use crate::eval::vocabulary::{self, Vocabulary};
use crate::eval::{Evaluation, Scored, Subject};

/// Flags of `signd eval`.
#[derive(Debug, Args)]
pub struct Eval {
    /// CSV file with the columns path,label,signer,fps,width,height; paths are relative to it, an
    /// empty label is no sign, and 0 or nothing means not recorded.
    #[arg(required_unless_present = "streams")]
    clips: Option<PathBuf>,
    /// Let the daemon's own gate and segmenter find the sign, instead of taking each clip for one.
    #[arg(long)]
    segmented: bool,
    /// Score over these labels alone: one a line, a JSON list, or a JSON object's keys.
    #[arg(long, value_name = "FILE")]
    vocab: Option<PathBuf>,
    /// Write everything, with the answer to each clip, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page with pictures, complete in one file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    streams: streams::Streams,
    #[command(flatten)]
    common: Common,
}

impl Eval {
    pub fn execute(self) -> Result<Outcome> {
        let settings = self.common.settings(Flags::default())?;
        // Without a list of clips, streams are asked for.
        let Some(clips) = &self.clips else {
            return self.streams.execute(&settings, self.json.as_deref(), self.html.as_deref());
        };
        let name = || clips.display().to_string();
        let list = std::fs::File::open(clips).with_context(name)?;
        let entries = list::read(list).with_context(name)?;
        let model = model(&settings)?;
        let card = model.card();
        let subject = Subject { name: card.name.clone(), sha256: card.digest.clone() };
        let vocabulary = match &self.vocab {
            None => Vocabulary::new(&card.labels, None)?,
            Some(file) => {
                let text = read_file(file)?;
                let only = vocabulary::parse(&String::from_utf8_lossy(&text));
                only.and_then(|only| Vocabulary::new(&card.labels, Some(&only)))
                    .with_context(|| file.display().to_string())?
            }
        };
        let mut judge = Judge::new(model, &vocabulary, &settings.core, self.segmented)?;

        let folder = clips.parent().unwrap_or(Path::new("")).to_owned();
        let bar = ProgressBar::new(entries.len() as u64);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} clips {elapsed}")?);
        let (mut scored, mut failures) = (Vec::new(), Vec::new());
        for entry in entries {
            let answered = entry.and_then(|entry| {
                let frames = entry.frames(&folder)?;
                let failed = |reason: String| Failure { path: entry.path.clone(), reason };
                let answer = judge.answer(&frames).map_err(|e| failed(e.to_string()))?;
                Ok(Scored { truth: vocabulary.truth(&entry.label), entry, answer })
            });
            match answered {
                Ok(clip) => scored.push(clip),
                Err(failure) => {
                    bar.suspend(|| eprintln!("signd: {}: {}", failure.path, failure.reason));
                    failures.push(failure);
                }
            }
            bar.inc(1);
        }
        bar.finish();

        let evaluation = Evaluation::new(subject, vocabulary, self.segmented, scored, failures);
        if let Some(file) = &self.json {
            write(file, &json::write(&evaluation)?)?;
        }
        if let Some(file) = &self.html {
            let page = html::write(&evaluation, |entry| entry.frames(&folder).ok())?;
            write(file, page.as_bytes())?;
        }
        // Not `print!`, which panics when the reader has seen enough (`| head`).
        write!(std::io::stdout(), "{}", terminal::Table(&evaluation))?;
        Ok(if evaluation.failures.is_empty() { Outcome::Done } else { Outcome::CutShort })
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| file.display().to_string())
}
