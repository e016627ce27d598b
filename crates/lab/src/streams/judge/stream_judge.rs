//! A model that judges streams as the daemon does, and signs that are cut by hand.

use crate::clip;
use crate::eval::vocabulary::SignVocabulary;
use crate::streams::camera::delivery::START;
use crate::streams::span::TimeSpan;
use signd_core::event::MAX_TOP;
use signd_core::features::grid::RowKind;
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::CoreSettings;
use signd_engine::inference::Inference;
use signd_engine::inference::decide::{DecideSettings, SignDecider, UnknownLabel};
use signd_engine::model::{Model, ModelError, ModelIdentity};
use signd_engine::pipeline::Pipeline;

use super::trace::{StreamTrace, trace_stream};

/// A model that judges streams as the daemon does, and signs cut by hand.
pub struct StreamJudge {
    pipeline: Pipeline,
    /// Which one.
    pub subject: ModelIdentity,
    /// Its labels.
    pub vocabulary: SignVocabulary,
}

impl StreamJudge {
    /// A judge with this model.
    pub fn new(
        model: Model,
        settings: &DecideSettings,
        core: &CoreSettings,
    ) -> Result<StreamJudge, UnknownLabel> {
        let card = model.card();
        let subject = card.identity.clone();
        let vocabulary = SignVocabulary::of(&card.labels);
        let settings = DecideSettings { top: MAX_TOP, ..settings.clone() };
        let decider = SignDecider::new(&settings, card)?;
        let pipeline = Pipeline::new(core.clone(), Inference::new(model, decider));
        Ok(StreamJudge { pipeline, subject, vocabulary })
    }

    /// What its model's rows hold.
    pub fn kind(&self) -> RowKind {
        self.pipeline.inference().card().kind.clone()
    }

    /// Plays a stream from fresh state to its end.
    pub fn trace(&mut self, frames: &[(Frame, ArrivalTime)]) -> Result<StreamTrace, ModelError> {
        trace_stream(frames, &mut self.pipeline)
    }

    /// Whether the best output for the frames within a span is this label.
    pub fn top1(
        &mut self,
        frames: &[(Frame, ArrivalTime)],
        span: TimeSpan,
        label: u16,
    ) -> Result<bool, ModelError> {
        let time = |i: usize| frames[i].0.t.seconds_since(START);
        let within =
            (0..frames.len()).filter(|i| (span.0 - 1e-3..=span.1 + 1e-3).contains(&time(*i)));
        let within: Vec<Frame> = within.map(|i| frames[i].0.clone()).collect();
        if within.is_empty() {
            return Ok(false);
        }
        let kind = &self.pipeline.inference().card().kind;
        let rows = clip::rows(&within, kind, self.pipeline.settings());
        let top = self.pipeline.inference_mut().answer(&rows)?;
        Ok(top.first().map(|(output, _)| *output) == Some(label))
    }
}
