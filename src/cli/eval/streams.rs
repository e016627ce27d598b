//! `signd eval --streams`: the benchmark of continuous streams.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Reports;
use crate::cli::{CommandOutcome, model, print, source as file};
use signd::config::Settings;
use signd::output::OutputTarget;
use signd_engine::inference::decide::{DecideSettings, SignDecider};
use signd_engine::model::ModelContract;
use signd_engine::model::ModelIdentity;
use signd_lab::eval::vocabulary::SignVocabulary;
use signd_lab::streams::benchmark::StreamBenchmark;
use signd_lab::streams::compose::library::ClipLibrary;
use signd_lab::streams::compose::plan::{StreamPlan, plan_streams};
use signd_lab::streams::index::{self, IndexedRecording, RecordingRole};
use signd_lab::streams::judge::folds::SignerFolds;
use signd_lab::streams::judge::peer::PeerModel;
use signd_lab::streams::judge::stream_judge::StreamJudge;
use signd_lab::streams::lessons::TaggerLesson;
use signd_lab::streams::report;

/// A fold and the model that has not met its signers, `N=FILE`.
#[derive(Clone, Debug)]
struct Fold {
    number: i64,
    model: PathBuf,
}

impl std::str::FromStr for Fold {
    type Err = String;

    fn from_str(text: &str) -> Result<Fold, String> {
        let wrong = || "expected N=FILE, as in 0=fold0.onnx".to_owned();
        let (number, model) = text.split_once('=').ok_or_else(wrong)?;
        Ok(Fold { number: number.parse().map_err(|_| wrong())?, model: model.into() })
    }
}

/// Flags of `signd eval --streams`.
#[derive(Debug, Args)]
pub struct EvalStreamsFlags {
    /// Find signs in continuous streams, composed of and taken from the recordings of these indices
    /// (CSV; docs/benchmark.md says what each line is used for).
    #[arg(long, value_name = "INDEX", num_args = 1.., conflicts_with_all = ["clips", "segmented", "vocab"])]
    streams: Vec<PathBuf>,
    /// What all draws of the benchmark follow from.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "clips")]
    seed: u64,
    /// Frame rates, from 1 to 240 a second.
    #[arg(long, value_name = "FPS", value_delimiter = ',', default_values_t = [15.0, 20.0, 30.0, 60.0], conflicts_with = "clips")]
    rates: Vec<f64>,
    /// CSV file with the columns signer,fold: with --fold, who was in which model's training.
    #[arg(long, value_name = "FILE", conflicts_with = "clips", requires = "fold")]
    split: Option<PathBuf>,
    /// Judge the signers of fold N by this model, and leave out those of folds without one; repeat for
    /// each fold. Takes the place of --model.
    #[arg(long, value_name = "N=FILE", requires = "split", conflicts_with_all = ["clips", "model"])]
    fold: Vec<Fold>,
    /// Play the streams to this model of raw landmarks too, on a sliding window.
    #[arg(long, value_name = "MODEL", conflicts_with = "clips")]
    peer: Option<PathBuf>,
    /// Also write the rows of every stream with its truth, as MessagePack maps one after the other: what
    /// a tagger is trained on.
    #[arg(long, value_name = "FILE", conflicts_with = "clips")]
    pub(super) rows: Option<PathBuf>,
}

impl EvalStreamsFlags {
    /// Files that are read, as far as the flags name them.
    pub(super) fn inputs(&self) -> Vec<PathBuf> {
        let named = self.streams.iter().chain(&self.split).chain(&self.peer);
        named.chain(self.fold.iter().map(|fold| &fold.model)).cloned().collect()
    }

    pub(super) fn execute(&self, settings: &Settings, reports: Reports) -> Result<CommandOutcome> {
        for rate in &self.rates {
            ensure!((1.0..=240.0).contains(rate), "--rates: expected 1 to 240, found {rate}");
        }
        let folds = self.folds()?;
        let mut judges = self.judges(settings)?;
        let vocabulary = judges[0].vocabulary.clone();
        for judge in &judges[1..] {
            let same = judge.vocabulary == vocabulary;
            ensure!(same, "--fold: the models do not have the same labels in the same order");
        }
        let mut peer = self.peer(settings, &vocabulary)?;
        let kind = judges[0].kind();
        let mut benchmark = StreamBenchmark {
            seed: self.seed,
            models: judges.iter().map(|judge| judge.subject.clone()).collect(),
            peer: peer.as_ref().map(|(_, subject)| subject.clone()),
            vocabulary,
            streams: Vec::new(),
            runs: Vec::new(),
            checks: Vec::new(),
            failures: Vec::new(),
            left_out: 0,
        };
        let (plans, library) = self.plans(&folds, &mut benchmark)?;
        ensure!(!plans.is_empty(), "none of the recordings can be used");
        let bar = ProgressBar::new((plans.len() * self.rates.len() * 2) as u64);
        let style = "{bar:40} {pos}/{len} streams played {elapsed} (about {eta} to go)";
        bar.set_style(ProgressStyle::with_template(style)?);
        let mut lessons = reports.rows.map(OutputTarget::begin).transpose()?;
        let mut written = Ok(());
        for plan in &plans {
            let judge = judges.get_mut(plan.fold).context("a fold without a model")?;
            let peer = peer.as_mut().map(|(peer, _)| peer);
            benchmark.play(
                plan,
                &library,
                judge,
                peer,
                &self.rates,
                |stream, frames, delivery| {
                    if let Some(out) = &mut lessons
                        && written.is_ok()
                    {
                        let fold = folds.with_model.get(plan.fold).copied().unwrap_or(0);
                        let core = &settings.core;
                        let lesson =
                            TaggerLesson::of(plan, fold, stream, frames, delivery, core, &kind);
                        written = rmp_serde::encode::write_named(out, &lesson);
                    }
                    bar.inc(1);
                },
            )?;
        }
        written?;
        if let Some(out) = lessons {
            out.finish()?;
        }
        bar.finish();
        for failure in &benchmark.failures {
            print::note(format_args!("{}: {}", failure.path, failure.reason));
        }
        if let Some(target) = reports.json {
            target.write(&report::json::write(&benchmark)?)?;
        }
        if let Some(target) = reports.html {
            target.write(report::html::write(&benchmark).as_bytes())?;
        }
        write!(print::out(), "{}", report::terminal::StreamTable(&benchmark))?;
        Ok(if benchmark.failures.is_empty() {
            CommandOutcome::Done
        } else {
            CommandOutcome::Partly
        })
    }

    /// Who was in which fold.
    fn folds(&self) -> Result<SignerFolds> {
        let with_model = self.fold.iter().map(|fold| fold.number).collect();
        let mut folds = SignerFolds { by_signer: HashMap::new(), with_model };
        let Some(file) = &self.split else { return Ok(folds) };
        let name = || file.display().to_string();
        #[derive(serde::Deserialize)]
        struct FoldLine {
            signer: String,
            fold: i64,
        }
        let text = file::file(file)?;
        for line in csv::Reader::from_reader(&text[..]).deserialize() {
            let FoldLine { signer, fold } = line.with_context(name)?;
            if let Some(other) = folds.by_signer.insert(signer.clone(), fold)
                && other != fold
            {
                bail!("{}: `{signer}` is in folds {other} and {fold}", name());
            }
        }
        Ok(folds)
    }

    /// A judge for each fold, or the one that the settings name.
    fn judges(&self, settings: &Settings) -> Result<Vec<StreamJudge>> {
        let of_fold =
            |fold: &Fold| Settings { model: Some(fold.model.clone()), ..settings.clone() };
        let mut all: Vec<Settings> = self.fold.iter().map(of_fold).collect();
        if all.is_empty() {
            all.push(settings.clone());
        }
        let judge = |settings: &Settings| -> Result<StreamJudge> {
            let model = model(settings)?;
            Ok(StreamJudge::new(model, &settings.decide, &settings.core)?)
        };
        all.iter().map(judge).collect()
    }

    fn peer(
        &self,
        settings: &Settings,
        to: &SignVocabulary,
    ) -> Result<Option<(PeerModel, ModelIdentity)>> {
        let Some(file) = &self.peer else { return Ok(None) };
        let model = model(&Settings { model: Some(file.clone()), ..settings.clone() })?;
        let card = model.card();
        ensure!(
            card.contract == ModelContract::Landmarks,
            "--peer: expected a model of the contract landmarks, found {}",
            card.contract
        );
        let subject = card.identity.clone();
        let all = DecideSettings {
            top: 1,
            thresholds: Default::default(),
            allow: Vec::new(),
            ..settings.decide.clone()
        };
        let decider = SignDecider::new(&all, card)?;
        Ok(Some((PeerModel::new(model, decider, to), subject)))
    }

    /// The streams, and what is known of the clips that they are made of.
    fn plans(
        &self,
        folds: &SignerFolds,
        benchmark: &mut StreamBenchmark,
    ) -> Result<(Vec<StreamPlan>, ClipLibrary)> {
        let mut used: Vec<(IndexedRecording, usize)> = Vec::new();
        for file in &self.streams {
            let (recordings, left_out, failures) = index::read(file, &benchmark.vocabulary)?;
            benchmark.left_out += left_out;
            benchmark.failures.extend(failures);
            let judged =
                recordings.into_iter().filter_map(|r| folds.model_for(&r).map(|fold| (r, fold)));
            used.extend(judged);
        }
        let mut library = ClipLibrary::default();
        let bar = ProgressBar::new(used.len() as u64);
        bar.set_style(ProgressStyle::with_template(
            "{bar:40} {pos}/{len} recordings read {elapsed}",
        )?);
        let mut usable = Vec::new();
        for (recording, fold) in used {
            bar.inc(1);
            if !matches!(recording.role, RecordingRole::Clip(_)) {
                usable.push((recording, fold));
                continue;
            }
            match library.add(&recording, fold) {
                Ok(true) => usable.push((recording, fold)),
                Ok(false) => benchmark.left_out += 1,
                Err(failure) => benchmark.failures.push(failure),
            }
        }
        bar.finish_and_clear();
        let plans = plan_streams(&usable, &library, self.seed);
        Ok((plans, library))
    }
}
