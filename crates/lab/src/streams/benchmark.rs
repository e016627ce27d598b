//! The whole benchmark: every stream at every rate, clean and disturbed, to the daemon and to a peer.
//!
//! [`StreamBenchmark::play`] follows one stream from top to bottom. The stream is made, a camera
//! delivers it, a model decides about it, and the decisions are compared with the truth. Reports sum up
//! with [`selection`](super::selection).

use super::camera::delivery::{StreamDelivery, deliver};
use super::camera::faults::StreamFaults;
use super::compose::library::ClipLibrary;
use super::compose::plan::StreamPlan;
use super::compose::real::TruthCheck;
use super::judge::peer::{PeerModel, decide_windows};
use super::judge::stream_judge::StreamJudge;
use super::judge::trace::{StreamDecision, StreamTrace};
use super::score::order::{GlossOrder, gloss_order};
use super::score::stream_score::{StreamScore, score_stream};
use super::score::trade::THRESHOLDS;
use super::truth::{AnnotatedStream, TrueSign};
use crate::eval::clip_list::ListFailure;
use crate::eval::vocabulary::SignVocabulary;
use signd_core::frame::{ArrivalTime, Frame};
use signd_engine::model::ModelError;
use signd_engine::model::ModelIdentity;

/// Rate at which the peer runs, whole clips are cut and pictures are drawn.
pub const USUAL_FPS: f64 = 30.0;
/// The threshold at which the peer stands in the table.
pub const PEER_THRESHOLD: f32 = 0.5;

/// One stream, delivered in one way, to the daemon or to the peer.
pub struct BenchmarkRun {
    /// Number of the stream.
    pub stream: usize,
    /// Whether it went to the peer. Otherwise it went to the daemon.
    pub peer: bool,
    /// How it was delivered.
    pub delivery: StreamDelivery,
    /// What was measured.
    pub score: StreamScore,
    /// The order of the glosses, of a sentence alone.
    pub order: Option<GlossOrder>,
    /// All decisions.
    pub decisions: Vec<StreamDecision>,
    /// What the daemon saw, kept at the usual rate.
    pub trace: Option<StreamTrace>,
    /// Scores at other thresholds, of the peer alone.
    pub by_threshold: Vec<(f32, StreamScore)>,
}

/// A stream as the reports know it.
pub struct StreamSummary {
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
    pub signs: Vec<TrueSign>,
}

/// Everything that is reported.
pub struct StreamBenchmark {
    /// What all draws follow from.
    pub seed: u64,
    /// The models, by fold.
    pub models: Vec<ModelIdentity>,
    /// The peer.
    pub peer: Option<ModelIdentity>,
    /// The labels.
    pub vocabulary: SignVocabulary,
    /// The streams.
    pub streams: Vec<StreamSummary>,
    /// What was made of them.
    pub runs: Vec<BenchmarkRun>,
    /// The automatic truth beside people's.
    pub checks: Vec<TruthCheck>,
    /// What could not be read.
    pub failures: Vec<ListFailure>,
    /// Recordings of which nothing is used.
    pub left_out: usize,
}

impl StreamBenchmark {
    /// Makes one stream and plays it in every way. `done` is called after each. A stream that cannot be
    /// made is listed under `failures`, and is no error.
    ///
    /// # Errors
    ///
    /// When a model fails.
    pub fn play(
        &mut self,
        plan: &StreamPlan,
        library: &ClipLibrary,
        judge: &mut StreamJudge,
        mut peer: Option<&mut PeerModel>,
        rates: &[f64],
        mut done: impl FnMut(&AnnotatedStream, &[(Frame, ArrivalTime)], StreamDelivery),
    ) -> Result<(), ModelError> {
        let (stream, check) = match plan.build(library, &self.vocabulary, self.seed) {
            Ok(built) => built,
            Err(failure) => {
                self.failures.push(failure);
                return Ok(());
            }
        };
        self.checks.extend(check);
        let number = self.streams.len();
        for &fps in rates {
            for disturbed in [false, true] {
                let delivery = StreamDelivery { fps, disturbed };
                let draw =
                    || StreamFaults::draw(&stream.track, &stream.visits, self.seed, &plan.name);
                let frames = deliver(&stream.track, stream.size, fps, disturbed.then(draw));
                self.runs.push(run_daemon(judge, number, &stream, &frames, delivery)?);
                if fps == USUAL_FPS
                    && let Some(peer) = peer.as_deref_mut()
                {
                    self.runs.push(run_peer(peer, number, &stream, &frames, delivery)?);
                }
                done(&stream, &frames, delivery);
            }
        }
        self.streams.push(StreamSummary {
            name: plan.name.clone(),
            set: plan.set.clone(),
            fold: plan.fold,
            seconds: stream.track.length(),
            gapless: stream.gapless,
            signs: stream.signs,
        });
        Ok(())
    }
}

/// Plays to the daemon's pipeline. True signs are also cut out by hand and given to its model.
fn run_daemon(
    judge: &mut StreamJudge,
    number: usize,
    stream: &AnnotatedStream,
    frames: &[(Frame, ArrivalTime)],
    delivery: StreamDelivery,
) -> Result<BenchmarkRun, ModelError> {
    let trace = judge.trace(frames)?;
    let mut score = score(stream, &trace.decisions, &trace, delivery.fps);
    for (sign, truth) in score.signs.iter_mut().zip(&stream.signs) {
        let Some(label) = truth.label else { continue };
        sign.cut_top1 = Some(judge.top1(frames, truth.span, label)?);
        if delivery.fps == USUAL_FPS {
            sign.clip_top1 = Some(judge.top1(frames, truth.clip, label)?);
        }
    }
    Ok(BenchmarkRun {
        stream: number,
        peer: false,
        delivery,
        score,
        order: gloss_order(stream, &trace.decisions),
        decisions: trace.decisions.clone(),
        trace: (delivery.fps == USUAL_FPS).then_some(trace),
        by_threshold: Vec::new(),
    })
}

/// Plays to the peer, which decides at each threshold.
fn run_peer(
    peer: &mut PeerModel,
    number: usize,
    stream: &AnnotatedStream,
    frames: &[(Frame, ArrivalTime)],
    delivery: StreamDelivery,
) -> Result<BenchmarkRun, ModelError> {
    let answers = peer.answer_windows(frames)?;
    let at = |threshold: f32| {
        let decisions = decide_windows(&answers, threshold);
        let score = score(stream, &decisions, &StreamTrace::default(), delivery.fps);
        (decisions, score)
    };
    let (decisions, score) = at(PEER_THRESHOLD);
    Ok(BenchmarkRun {
        stream: number,
        peer: true,
        delivery,
        score,
        order: gloss_order(stream, &decisions),
        decisions,
        trace: None,
        by_threshold: THRESHOLDS.iter().map(|threshold| (*threshold, at(*threshold).1)).collect(),
    })
}

/// A stream with time cut out of it is scored for its order alone.
fn score(
    stream: &AnnotatedStream,
    decisions: &[StreamDecision],
    trace: &StreamTrace,
    fps: f64,
) -> StreamScore {
    if !stream.gapless {
        return StreamScore::default();
    }
    let seconds = stream.track.length();
    score_stream(seconds, &stream.signs, decisions, &trace.frames, fps)
}
