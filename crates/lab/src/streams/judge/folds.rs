//! Which of several models judges whom: one that has not met them.

use std::collections::HashMap;

use crate::random::SplitMix64;
use crate::streams::index::{Recording, Role};

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
