//! `signd eval`: how well a model understands labelled clips, and finds signs in streams.

mod streams;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{CommandOutcome, Common, model, print, source};
use signd::config::SettingsFlags;
use signd::output::{OutputKind, OutputTarget};
use signd_lab::eval::clip_judge::ClipJudge;
use signd_lab::eval::clip_list as list;
use signd_lab::eval::clip_list::{ListEntry, ListFailure};
use signd_lab::eval::report::{html, json, terminal};
use signd_lab::eval::vocabulary::{self, SignVocabulary};
use signd_lab::eval::{ClipEvaluation, EvaluatedClip};

/// Flags of `signd eval`.
#[derive(Debug, Args)]
pub struct EvalFlags {
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
    /// Write everything, with the answer to each clip, as JSON. Replaces an older report alone.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page with pictures, complete in one file. Replaces an older page alone.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    streams: streams::EvalStreamsFlags,
    #[command(flatten)]
    common: Common,
}

impl EvalFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let settings = self.common.settings(SettingsFlags::default())?;
        // Without a list of clips, streams are asked for.
        let Some(clips) = &self.clips else {
            let reports = Reports::new(&self, self.streams.inputs())?;
            return self.streams.execute(&settings, reports);
        };
        let name = || clips.display().to_string();
        let list = std::fs::File::open(clips).with_context(name)?;
        let entries = list::read(list).with_context(name)?;
        let folder = clips.parent().unwrap_or(Path::new("")).to_owned();
        let clip =
            |entry: &Result<ListEntry, ListFailure>| Some(folder.join(&entry.as_ref().ok()?.path));
        let inputs =
            entries.iter().filter_map(clip).chain([clips.clone()]).chain(self.vocab.clone());
        let reports = Reports::new(&self, inputs.collect())?;
        let model = model(&settings)?;
        let card = model.card();
        let subject = card.identity.clone();
        let vocabulary = match &self.vocab {
            None => SignVocabulary::new(&card.labels, None)?,
            Some(file) => {
                let text = source::file(file)?;
                let only = vocabulary::parse(&String::from_utf8_lossy(&text));
                only.and_then(|only| SignVocabulary::new(&card.labels, Some(&only)))
                    .with_context(|| file.display().to_string())?
            }
        };
        let mut judge = ClipJudge::new(model, &vocabulary, &settings.core, self.segmented)?;

        let bar = ProgressBar::new(entries.len() as u64);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} clips {elapsed}")?);
        let (mut scored, mut failures) = (Vec::new(), Vec::new());
        for entry in entries {
            let answered = entry.and_then(|entry| {
                let frames = entry.frames(&folder)?;
                let failed = |reason: String| ListFailure { path: entry.path.clone(), reason };
                let answer = judge.answer(&frames).map_err(|e| failed(e.to_string()))?;
                Ok(EvaluatedClip { truth: vocabulary.truth(&entry.label), entry, answer })
            });
            match answered {
                Ok(clip) => scored.push(clip),
                Err(failure) => {
                    bar.suspend(|| {
                        print::note(format_args!("{}: {}", failure.path, failure.reason));
                    });
                    failures.push(failure);
                }
            }
            bar.inc(1);
        }
        bar.finish();

        let evaluation = ClipEvaluation::new(subject, vocabulary, self.segmented, scored, failures);
        if let Some(target) = reports.json {
            target.write(&json::write(&evaluation)?)?;
        }
        if let Some(target) = reports.html {
            let page = html::write(&evaluation, |entry| entry.frames(&folder).ok())?;
            target.write(page.as_bytes())?;
        }
        write!(print::out(), "{}", terminal::ClipTable(&evaluation))?;
        Ok(if evaluation.failures.is_empty() {
            CommandOutcome::Done
        } else {
            CommandOutcome::Partly
        })
    }
}

/// Where reports go; looked at before the work is done.
struct Reports {
    json: Option<OutputTarget>,
    html: Option<OutputTarget>,
    rows: Option<OutputTarget>,
}

impl Reports {
    fn new(flags: &EvalFlags, inputs: Vec<PathBuf>) -> Result<Self> {
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        let target = |path: &Option<PathBuf>, kind| {
            path.as_ref().map(|path| OutputTarget::new(path, kind, &inputs)).transpose()
        };
        let reports = Reports {
            json: target(&flags.json, OutputKind::Report)?,
            html: target(&flags.html, OutputKind::Page)?,
            rows: target(&flags.streams.rows, OutputKind::Rows)?,
        };
        let all = [&reports.json, &reports.html, &reports.rows];
        OutputTarget::distinct(&all.into_iter().flatten().collect::<Vec<_>>())?;
        Ok(reports)
    }
}
