//! From the frames of a clip to the model's answer.
//!
//! Two ways. *Hand-cut*: the clip is one segment as its maker cut it; the model sees its rows, of
//! more than its window the last. *Segmented*: the clip goes through the daemon's own gate and
//! segmenter, and whatever is open at its end is ended there. Of several decisions the one about the
//! longest sign counts (the first of equals): a choice that looks neither at labels nor at
//! probabilities. Without any decision there is no answer, and that is wrong for a known sign.
//!
//! The answer is the ranking; thresholds of single labels have no part in it.

use std::collections::BTreeMap;

use crate::clip;
use signd_core::event::{Body, MAX_TOP, Top};
use signd_core::frame::{Arrival, Frame};
use signd_core::stream::{Batch, CoreSettings, Stream, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::infer::Infer;
use signd_engine::infer::decide::{DecideSettings, Decider, UnknownLabel};
use signd_engine::infer::model::{Model, ModelError};

use super::vocabulary::Vocabulary;

/// What a model says about a clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The best outputs of the vocabulary and their probabilities, best first; empty when nothing
    /// was decided.
    pub top: Top,
    /// Decisions in the clip: always 1 for a hand-cut one.
    pub decisions: usize,
}

/// Why a clip has no answer.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The runtime.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Logits that are no numbers.
    #[error("the model's answer is not a number")]
    NotANumber,
}

/// Gives answers.
pub enum Judge {
    /// Takes each clip for one sign.
    HandCut {
        /// The model.
        model: Box<Model>,
        /// Turns its logits into probabilities.
        decider: Decider,
        /// Where hands rest, shoulder widths below the shoulders.
        rest_line: f32,
    },
    /// Looks for the sign in it as the daemon does.
    Segmented {
        /// The inference stage.
        infer: Box<Infer>,
        /// Settings of the stages before it.
        core: CoreSettings,
    },
}

impl Judge {
    /// A judge that scores this vocabulary.
    pub fn new(
        model: Model,
        vocabulary: &Vocabulary,
        core: &CoreSettings,
        segmented: bool,
    ) -> Result<Judge, UnknownLabel> {
        let card = model.card();
        let settings = DecideSettings {
            early_ms: 0.0,
            top: MAX_TOP,
            threshold: 0.0,
            thresholds: BTreeMap::new(),
            allow: vocabulary.spelled(&card.labels),
        };
        let decider = Decider::new(&settings, card)?;
        Ok(if segmented {
            let infer = Box::new(Infer::new(model, decider));
            Judge::Segmented { infer, core: core.clone() }
        } else {
            let rest_line = core.gate.rest_line as f32;
            Judge::HandCut { model: Box::new(model), decider, rest_line }
        })
    }

    /// The answer to a clip of at least one frame.
    pub fn answer(&mut self, frames: &[Frame]) -> Result<Answer, JudgeError> {
        let answer = match self {
            Judge::HandCut { model, decider, rest_line } => {
                let rows = clip::rows(frames, &model.card().kind, *rest_line);
                let most = model.window() * model.row_width();
                let rows = &rows[rows.len().saturating_sub(most)..];
                Answer { top: decider.top(model.run(rows)?), decisions: 1 }
            }
            Judge::Segmented { infer, core } => segmented(infer, core, frames)?,
        };
        match answer.top.iter().all(|(_, p)| p.is_finite()) {
            true => Ok(answer),
            false => Err(JudgeError::NotANumber),
        }
    }
}

fn segmented(
    infer: &mut Infer,
    core: &CoreSettings,
    frames: &[Frame],
) -> Result<Answer, ModelError> {
    let id = StreamId::default();
    // The clip before may have ended in an error.
    infer.forget(&id);
    let (mut stream, mut batch) = (Stream::new(core, infer.needs()), Batch::default());
    let (mut answer, mut longest) = (Answer::default(), -1.0);
    let mut take = |infer: &mut Infer, batch: &Batch| {
        // Hypotheses about a sign that is not over are not asked for.
        infer.push(&id, batch, false, |event| {
            let Body::Sign(sign) = event.body else { return };
            answer.decisions += 1;
            let length = sign.end_t.seconds_since(sign.start_t);
            if length > longest {
                longest = length;
                answer.top = sign.top;
            }
        })
    };
    for frame in frames {
        batch.clear();
        stream.push(frame, Arrival(frame.t.0), &mut batch);
        take(infer, &batch)?;
    }
    batch.clear();
    stream.tick(Tick::End, &mut batch);
    take(infer, &batch)?;
    Ok(answer)
}
