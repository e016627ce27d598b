//! Stage 5, *inference*: rows to hypotheses and decisions.
//!
//! Every frame inside a sign gets the hypotheses for the sign so far. Every sign that ends is decided.
//! A model of a *window* contract (`features`, `landmarks`) is asked about all rows of the sign at
//! once, one sign a call. When inference is behind, a frame may repeat the last hypotheses (`top_seq`
//! says so), but no decision is ever skipped. A `stream` model is fed every row, in order, always, and
//! rows of several cameras share a call. [`crate::model`] sees to it that they do not change each
//! other's answers.

mod camera;
pub mod decide;
mod early;
mod model_state;
#[cfg(test)]
mod tests;
mod window;

use signd_core::event::Hypotheses;
use signd_core::stream::ModelNeeds;

use crate::model::{Model, ModelCard, ModelError};
pub(crate) use camera::CameraInference;
use decide::SignDecider;

/// A model, and how its answers become decisions. What it knows of each camera is in the pipeline.
pub struct Inference {
    pub(crate) model: Model,
    pub(crate) decider: SignDecider,
}

impl Inference {
    /// Inference with this model.
    #[must_use]
    pub fn new(model: Model, decider: SignDecider) -> Self {
        Inference { model, decider }
    }

    /// What the model file says of itself.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        self.model.card()
    }

    /// The model in a few words, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let card = self.model.card();
        format!(
            "model {} ({:.12}), {} labels",
            card.identity.name,
            card.identity.sha256,
            card.labels.names.len()
        )
    }

    /// The hypotheses after the last row of a sign that is made of these rows. There is at least one. Of more
    /// than the model takes the last count.
    ///
    /// # Errors
    ///
    /// When the model fails.
    pub fn answer(&mut self, rows: &[f32]) -> Result<Hypotheses, ModelError> {
        let most = self.model.window() * self.model.row_width();
        let rows = &rows[rows.len().saturating_sub(most)..];
        Ok(self.decider.hypotheses(self.model.run(rows)?))
    }

    /// What the model asks of the core.
    #[must_use]
    pub fn needs(&self) -> ModelNeeds {
        self.model.card().needs()
    }
}
