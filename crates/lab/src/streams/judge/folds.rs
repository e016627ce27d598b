//! Folds: a signer is judged by a model that was not trained on them.

use std::collections::HashMap;

use crate::random::SplitMix64;
use crate::streams::index::{IndexedRecording, RecordingRole};

/// Which model judges a signer.
#[derive(Debug, Default)]
pub struct SignerFolds {
    /// Fold of each signer whose clips were in training. -1 stands for all models.
    pub by_signer: HashMap<String, i64>,
    /// The folds that have a model. Empty when one model judges all signers.
    pub with_model: Vec<i64>,
}

impl SignerFolds {
    /// The number of the model that judges this recording. None when all that are here may have met
    /// its signer. Signers in no fold are dealt out among the models, so that no minute counts twice.
    pub fn model_for(&self, recording: &IndexedRecording) -> Option<usize> {
        let signer = &recording.entry.signer;
        let dealt = || SplitMix64::named(0, signer).below(self.with_model.len().max(1));
        match self.by_signer.get(signer) {
            None => Some(dealt()),
            // Kept apart as a set of its own (`part`); of a clip it would be no test.
            Some(-1) if recording.role == RecordingRole::Silent => Some(dealt()),
            Some(fold) => self.with_model.iter().position(|here| here == fold),
        }
    }
}
