//! The whole benchmark: every stream at every rate, clean and disturbed, through the daemon's stages
//! and, beside them, through a peer.

use std::collections::HashMap;

use crate::clip;
use crate::eval::Subject;
use crate::eval::clips::Failure;
use crate::eval::vocabulary::Vocabulary;
use crate::random::SplitMix64;
use signd_core::event::MAX_TOP;
use signd_core::features::grid::RowKind;
use signd_core::frame::{Arrival, Frame};
use signd_core::stream::CoreSettings;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::{DecideSettings, Decider, UnknownLabel};
use signd_engine::model::{Model, ModelError};
use signd_engine::pipeline::Pipeline;

use super::compose::Sign;
use super::drive::{Decision, StreamTrace, drive};
use super::figures::{Figures, Trade, trade};
use super::index::{Recording, Role};
use super::measure::{self, Span, StreamScore, edits};
use super::peer::{Peer, decide};
use super::source::{Check, Library, Source, Stream};
use super::trouble::{START, Trouble, shoot};

/// Rate at which the peer runs, whole clips are cut and pictures are drawn.
pub const USUAL_FPS: f64 = 30.0;
/// The threshold at which the peer stands in the table.
pub const PEER_THRESHOLD: f32 = 0.5;

/// A model that judges streams as the daemon does, and signs cut by hand.
pub struct StreamJudge {
    pipeline: Pipeline,
    /// Which one.
    pub subject: Subject,
    /// Its labels.
    pub vocabulary: Vocabulary,
}

impl StreamJudge {
    /// A judge with this model.
    pub fn new(
        model: Model,
        settings: &DecideSettings,
        core: &CoreSettings,
    ) -> Result<StreamJudge, UnknownLabel> {
        let card = model.card();
        let subject = Subject { name: card.name.clone(), sha256: card.digest.clone() };
        let vocabulary = Vocabulary::of(&card.labels);
        let settings = DecideSettings { top: MAX_TOP, ..settings.clone() };
        let decider = Decider::new(&settings, card)?;
        let pipeline = Pipeline::new(core.clone(), Inference::new(model, decider));
        Ok(StreamJudge { pipeline, subject, vocabulary })
    }

    /// What its model's rows hold.
    pub fn kind(&self) -> RowKind {
        self.pipeline.inference().card().kind.clone()
    }

    /// Whether the best output for the frames within a span is this label.
    fn top1(
        &mut self,
        frames: &[(Frame, Arrival)],
        span: Span,
        label: u16,
    ) -> Result<bool, ModelError> {
        let time = |i: usize| frames[i].0.t.seconds_since(START);
        let within =
            (0..frames.len()).filter(|i| (span.0 - 1e-3..=span.1 + 1e-3).contains(&time(*i)));
        let within: Vec<Frame> = within.map(|i| frames[i].0.clone()).collect();
        if within.is_empty() {
            return Ok(false);
        }
        let rest_line = self.pipeline.core().gate.rest_line as f32;
        let inference = self.pipeline.inference_mut();
        let rows = clip::rows(&within, &inference.card().kind, rest_line);
        let top = inference.answer(&rows)?;
        Ok(top.first().map(|(output, _)| *output) == Some(label))
    }
}

/// Which model judges a signer.
#[derive(Debug, Default)]
pub struct Folds {
    /// Fold of each signer whose clips were in training; -1: in that of all models.
    pub of: HashMap<String, i64>,
    /// The folds that have a model here; empty when one model judges everybody.
    pub here: Vec<i64>,
}

impl Folds {
    /// The number of the model that judges this recording; none when all that are here may have met
    /// its signer. Signers in no fold are dealt out among the models, so that no minute counts twice.
    pub fn judge(&self, recording: &Recording) -> Option<usize> {
        let signer = &recording.entry.signer;
        let dealt = || SplitMix64::named(0, signer).below(self.here.len().max(1));
        match self.of.get(signer) {
            None => Some(dealt()),
            // Kept apart as a set of its own (`part`); of a clip it would be no test.
            Some(-1) if recording.role == Role::Silent => Some(dealt()),
            Some(fold) => self.here.iter().position(|here| here == fold),
        }
    }
}

/// How streams are delivered.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Delivery {
    /// Frames a second.
    pub fps: f64,
    /// With everything in [`super::trouble`], or clean.
    pub disturbed: bool,
}

/// Order of the glosses of a sentence: edits and length, of all glosses and of known ones alone.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Order {
    /// Changes that make the decided labels of all glosses.
    pub edits: usize,
    /// All glosses.
    pub glosses: usize,
    /// The same of the glosses that the model knows.
    pub known_edits: usize,
    /// Those.
    pub known: usize,
}

/// One stream, delivered in one way, to the daemon or to the peer.
pub struct Played {
    /// Number of the stream.
    pub stream: usize,
    /// To the peer.
    pub peer: bool,
    /// How.
    pub delivery: Delivery,
    /// What was measured.
    pub score: StreamScore,
    /// Of a sentence.
    pub order: Option<Order>,
    /// All decisions.
    pub decisions: Vec<Decision>,
    /// What the daemon saw, kept at the usual rate.
    pub trace: Option<StreamTrace>,
    /// Of the peer: scores at other thresholds.
    pub at: Vec<(f32, StreamScore)>,
}

/// A stream as the reports know it.
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its set.
    pub set: String,
    /// Which model judged it.
    pub fold: usize,
    /// Its length, s.
    pub seconds: f64,
    /// Its time is real or composed, with nothing cut out.
    pub gapless: bool,
    /// Its truth.
    pub signs: Vec<Sign>,
}

/// Everything that is reported.
pub struct Benchmark {
    /// What all draws follow from.
    pub seed: u64,
    /// The models, by fold.
    pub models: Vec<Subject>,
    /// The peer.
    pub peer: Option<Subject>,
    /// The labels.
    pub vocabulary: Vocabulary,
    /// The streams.
    pub streams: Vec<Listed>,
    /// What was made of them.
    pub played: Vec<Played>,
    /// The automatic truth beside people's.
    pub checks: Vec<Check>,
    /// What could not be read.
    pub failures: Vec<Failure>,
    /// Recordings of which nothing is used.
    pub left_out: usize,
}

/// Thresholds of the trade curve.
pub const THRESHOLDS: [f32; 18] = [
    0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98,
    0.99,
];

impl Benchmark {
    /// Plays one stream in every way.
    #[allow(clippy::too_many_arguments)] // one call, made once
    pub fn play(
        &mut self,
        source: &Source,
        library: &Library,
        judge: &mut StreamJudge,
        peer: Option<&mut Peer>,
        rates: &[f64],
        mut done: impl FnMut(&Stream, &[(Frame, Arrival)], Delivery),
    ) -> Result<(), ModelError> {
        let (stream, check) = match source.make(library, &self.vocabulary, self.seed) {
            Ok(made) => made,
            Err(failure) => {
                self.failures.push(failure);
                return Ok(());
            }
        };
        self.checks.extend(check);
        let number = self.streams.len();
        let mut peer = peer;
        for &fps in rates {
            for disturbed in [false, true] {
                let delivery = Delivery { fps, disturbed };
                let trouble = disturbed.then(|| {
                    Trouble::draw(&stream.made.track, &stream.made.visits, self.seed, &source.name)
                });
                let frames = shoot(&stream.made.track, stream.size, fps, trouble);
                let mut played = by_daemon(judge, &stream, &frames, delivery)?;
                played.stream = number;
                self.played.push(played);
                if fps == USUAL_FPS
                    && let Some(peer) = peer.as_deref_mut()
                {
                    let mut played = by_peer(peer, &stream, &frames, delivery)?;
                    played.stream = number;
                    self.played.push(played);
                }
                done(&stream, &frames, delivery);
            }
        }
        self.streams.push(Listed {
            name: source.name.clone(),
            set: source.set.clone(),
            fold: source.fold,
            seconds: stream.made.track.length(),
            gapless: stream.gapless,
            signs: stream.made.signs,
        });
        Ok(())
    }

    /// The names of the sets, in the order of their names.
    pub fn sets(&self) -> Vec<&str> {
        let mut sets: Vec<&str> = self.streams.iter().map(|s| &*s.set).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// The ways in which streams were delivered, in their order.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let mut deliveries: Vec<Delivery> = Vec::new();
        for played in &self.played {
            if !deliveries.contains(&played.delivery) {
                deliveries.push(played.delivery);
            }
        }
        deliveries
    }

    /// Those played like this to the daemon or the peer; of one set, or of all.
    pub fn select(
        &self,
        set: Option<&str>,
        peer: bool,
        delivery: Option<Delivery>,
    ) -> Vec<&Played> {
        let of_set = |p: &&Played| set.is_none_or(|set| self.streams[p.stream].set == set);
        let like = |p: &&Played| delivery.is_none_or(|delivery| p.delivery == delivery);
        let all = self.played.iter().filter(|p| p.peer == peer);
        all.filter(of_set).filter(like).collect()
    }

    /// What is said of these together.
    pub fn figures(played: &[&Played]) -> Figures {
        let scores: Vec<&StreamScore> = played.iter().map(|p| &p.score).collect();
        Figures::of(&scores)
    }

    /// The trade of these; of the peer from what it would have decided.
    pub fn trade(played: &[&Played]) -> Vec<Trade> {
        if !played.iter().any(|p| p.peer) {
            let scores: Vec<&StreamScore> = played.iter().map(|p| &p.score).collect();
            return trade(&scores, &THRESHOLDS);
        }
        let at = |i: usize| -> Option<Trade> {
            let scores: Vec<&StreamScore> =
                played.iter().filter_map(|p| p.at.get(i).map(|(_, score)| score)).collect();
            trade(&scores, &THRESHOLDS[i..=i]).pop()
        };
        (0..THRESHOLDS.len()).filter_map(at).collect()
    }

    /// Sums of [`Order`] over sentences.
    pub fn order(played: &[&Played]) -> Option<Order> {
        let add = |a: Order, b: Order| Order {
            edits: a.edits + b.edits,
            glosses: a.glosses + b.glosses,
            known_edits: a.known_edits + b.known_edits,
            known: a.known + b.known,
        };
        played.iter().filter_map(|p| p.order).reduce(add)
    }
}

fn by_daemon(
    judge: &mut StreamJudge,
    stream: &Stream,
    frames: &[(Frame, Arrival)],
    delivery: Delivery,
) -> Result<Played, ModelError> {
    let trace = drive(frames, &mut judge.pipeline)?;
    let mut score = score(stream, &trace.decisions, &trace, delivery.fps);
    for (sign, truth) in score.signs.iter_mut().zip(&stream.made.signs) {
        let Some(label) = truth.label else { continue };
        sign.cut_top1 = Some(judge.top1(frames, truth.span, label)?);
        if delivery.fps == USUAL_FPS {
            sign.clip_top1 = Some(judge.top1(frames, truth.clip, label)?);
        }
    }
    let order = order(stream, &trace.decisions);
    let decisions = trace.decisions.clone();
    let trace = (delivery.fps == USUAL_FPS).then_some(trace);
    Ok(Played { stream: 0, peer: false, delivery, score, order, decisions, trace, at: Vec::new() })
}

fn by_peer(
    peer: &mut Peer,
    stream: &Stream,
    frames: &[(Frame, Arrival)],
    delivery: Delivery,
) -> Result<Played, ModelError> {
    let said = peer.listen(frames)?;
    let at = |threshold: f32| {
        let decisions = decide(&said, threshold);
        let score = score(stream, &decisions, &StreamTrace::default(), delivery.fps);
        (decisions, score)
    };
    let (decisions, score) = at(PEER_THRESHOLD);
    let order = order(stream, &decisions);
    let at = THRESHOLDS.iter().map(|threshold| (*threshold, at(*threshold).1)).collect();
    Ok(Played { stream: 0, peer: true, delivery, score, order, decisions, trace: None, at })
}

/// A stream with time cut out of it is scored for its order alone.
fn score(stream: &Stream, decisions: &[Decision], trace: &StreamTrace, fps: f64) -> StreamScore {
    match stream.gapless {
        false => StreamScore::default(),
        true => {
            let (made, seconds) = (&stream.made, stream.made.track.length());
            measure::stream(seconds, &made.signs, decisions, &trace.glimpses, fps)
        }
    }
}

fn order(stream: &Stream, decisions: &[Decision]) -> Option<Order> {
    stream.sentence.then(|| {
        let decided: Vec<Option<u16>> =
            decisions.iter().filter(|d| d.label.is_some()).map(|d| d.label).collect();
        let all: Vec<Option<u16>> = stream.made.signs.iter().map(|sign| sign.label).collect();
        let known: Vec<Option<u16>> = all.iter().copied().filter(Option::is_some).collect();
        Order {
            edits: edits(&all, &decided),
            glosses: all.len(),
            known_edits: edits(&known, &decided),
            known: known.len(),
        }
    })
}
