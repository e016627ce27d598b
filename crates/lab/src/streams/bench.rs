//! The whole benchmark: every stream at every rate, clean and disturbed, to the daemon and to a peer.
//!
//! [`Benchmark::play`] is the way of one recording from top to bottom: a stream is made of it, a
//! camera delivers the stream, a model decides about it, the decisions are compared with the truth.
//! [`selection`](super::selection) sums up what was played.

use super::camera::delivery::{Delivery, deliver};
use super::camera::faults::Trouble;
use super::compose::library::Library;
use super::compose::real::Check;
use super::compose::source::Source;
use super::judge::peer::{Peer, decide};
use super::judge::stream_judge::StreamJudge;
use super::judge::trace::{Decision, StreamTrace};
use super::score::order::{Order, order};
use super::score::stream_score::{self, StreamScore};
use super::score::trade::THRESHOLDS;
use super::truth::{Sign, Stream};
use crate::eval::Subject;
use crate::eval::clip_list::Failure;
use crate::eval::vocabulary::Vocabulary;
use signd_core::frame::{Arrival, Frame};
use signd_engine::model::ModelError;

/// Rate at which the peer runs, whole clips are cut and pictures are drawn.
pub const USUAL_FPS: f64 = 30.0;
/// The threshold at which the peer stands in the table.
pub const PEER_THRESHOLD: f32 = 0.5;

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

impl Benchmark {
    /// Makes one stream and plays it in every way; `done` hears of each. A stream that cannot be made
    /// is a failure of the benchmark's and no error.
    ///
    /// # Errors
    ///
    /// When a model fails.
    pub fn play(
        &mut self,
        source: &Source,
        library: &Library,
        judge: &mut StreamJudge,
        mut peer: Option<&mut Peer>,
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
        for &fps in rates {
            for disturbed in [false, true] {
                let delivery = Delivery { fps, disturbed };
                let draw = || Trouble::draw(&stream.track, &stream.visits, self.seed, &source.name);
                let frames = deliver(&stream.track, stream.size, fps, disturbed.then(draw));
                self.played.push(to_daemon(judge, number, &stream, &frames, delivery)?);
                if fps == USUAL_FPS
                    && let Some(peer) = peer.as_deref_mut()
                {
                    self.played.push(to_peer(peer, number, &stream, &frames, delivery)?);
                }
                done(&stream, &frames, delivery);
            }
        }
        self.streams.push(Listed {
            name: source.name.clone(),
            set: source.set.clone(),
            fold: source.fold,
            seconds: stream.track.length(),
            gapless: stream.gapless,
            signs: stream.signs,
        });
        Ok(())
    }
}

/// Plays to the daemon's pipeline; true signs are also cut out by hand and given to its model.
fn to_daemon(
    judge: &mut StreamJudge,
    number: usize,
    stream: &Stream,
    frames: &[(Frame, Arrival)],
    delivery: Delivery,
) -> Result<Played, ModelError> {
    let trace = judge.trace(frames)?;
    let mut score = score(stream, &trace.decisions, &trace, delivery.fps);
    for (sign, truth) in score.signs.iter_mut().zip(&stream.signs) {
        let Some(label) = truth.label else { continue };
        sign.cut_top1 = Some(judge.top1(frames, truth.span, label)?);
        if delivery.fps == USUAL_FPS {
            sign.clip_top1 = Some(judge.top1(frames, truth.clip, label)?);
        }
    }
    Ok(Played {
        stream: number,
        peer: false,
        delivery,
        score,
        order: order(stream, &trace.decisions),
        decisions: trace.decisions.clone(),
        trace: (delivery.fps == USUAL_FPS).then_some(trace),
        at: Vec::new(),
    })
}

/// Plays to the peer, which decides at each threshold.
fn to_peer(
    peer: &mut Peer,
    number: usize,
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
    Ok(Played {
        stream: number,
        peer: true,
        delivery,
        score,
        order: order(stream, &decisions),
        decisions,
        trace: None,
        at: THRESHOLDS.iter().map(|threshold| (*threshold, at(*threshold).1)).collect(),
    })
}

/// A stream with time cut out of it is scored for its order alone.
fn score(stream: &Stream, decisions: &[Decision], trace: &StreamTrace, fps: f64) -> StreamScore {
    if !stream.gapless {
        return StreamScore::default();
    }
    let seconds = stream.track.length();
    stream_score::stream(seconds, &stream.signs, decisions, &trace.glimpses, fps)
}
