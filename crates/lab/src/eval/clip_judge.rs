//! From the frames of a clip to the model's answer, in one of two ways.
//!
//! - *Hand-cut*: the clip is one segment. The model sees its rows, or the last of them if they are more
//!   than its window.
//! - *Segmented*: the clip goes through the daemon's own gate and segmenter. A sign that is open at the
//!   end of the clip ends there. Of several decisions the one about the longest sign counts, and the
//!   first of equals. That choice looks neither at labels nor at probabilities. Without any decision
//!   there is no answer, which is wrong for a known sign.
//!
//! The answer is the ranking. Thresholds of single labels have no part in it.

use std::collections::BTreeMap;

use crate::clip;
use signd_core::event::{Event, EventBody, Hypotheses, MAX_TOP};
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{CoreSettings, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::{DecideSettings, SignDecider, UnknownLabel};
use signd_engine::model::{Model, ModelError};
use signd_engine::pipeline::{Pipeline, StreamWork};

use super::vocabulary::SignVocabulary;

/// What a model says about a clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClipAnswer {
    /// The best outputs of the vocabulary and their probabilities, best first. Empty when nothing
    /// was decided.
    pub top: Hypotheses,
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

/// Gives answers about clips.
pub struct ClipJudge {
    pipeline: Pipeline,
    /// Looks for the sign in the clip as the daemon does, instead of taking the clip for one sign.
    segmented: bool,
}

impl ClipJudge {
    /// A judge that scores this vocabulary.
    pub fn new(
        model: Model,
        vocabulary: &SignVocabulary,
        core: &CoreSettings,
        segmented: bool,
    ) -> Result<ClipJudge, UnknownLabel> {
        let card = model.card();
        let settings = DecideSettings {
            early_ms: 0.0,
            top: MAX_TOP,
            threshold: 0.0,
            thresholds: BTreeMap::new(),
            allow: vocabulary.spelled(&card.labels),
        };
        let decider = SignDecider::new(&settings, card)?;
        let pipeline = Pipeline::new(core.clone(), Inference::new(model, decider));
        Ok(ClipJudge { pipeline, segmented })
    }

    /// The answer to a clip of at least one frame.
    pub fn answer(&mut self, frames: &[Frame]) -> Result<ClipAnswer, JudgeError> {
        let answer = match self.segmented {
            true => segmented(&mut self.pipeline, frames)?,
            false => {
                let kind = &self.pipeline.inference().card().kind;
                let rows = clip::rows(frames, kind, self.pipeline.settings());
                ClipAnswer { top: self.pipeline.inference_mut().answer(&rows)?, decisions: 1 }
            }
        };
        match answer.top.iter().all(|(_, p)| p.is_finite()) {
            true => Ok(answer),
            false => Err(JudgeError::NotANumber),
        }
    }
}

fn segmented(pipeline: &mut Pipeline, frames: &[Frame]) -> Result<ClipAnswer, ModelError> {
    let (id, mut work) = (StreamId::default(), StreamWork::default());
    let (mut answer, mut longest) = (ClipAnswer::default(), -1.0);
    let mut take = |event: Event| {
        let EventBody::Sign(sign) = event.body else { return };
        answer.decisions += 1;
        let length = sign.end_t.seconds_since(sign.start_t);
        if length > longest {
            longest = length;
            answer.top = sign.top;
        }
    };
    // Hypotheses about a sign that is not over are not asked for.
    for frame in frames {
        pipeline.frame(id, frame, ArrivalTime(frame.t.0), &mut work);
        pipeline.finish(&mut work, false, &mut take)?;
    }
    pipeline.tick(id, Tick::End, &mut work);
    pipeline.finish(&mut work, false, &mut take)?;
    Ok(answer)
}
