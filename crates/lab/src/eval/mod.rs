//! Evaluation: how well a model understands labelled clips.
//!
//! The modules in the order of the data:
//!
//! 1. [`clip_list`] reads the list of clips.
//! 2. [`vocabulary`] says which of their labels the model can know.
//! 3. [`clip_judge`] asks the model about each clip.
//! 4. [`figures`] sums up, with the formulas of [`metrics`] and the intervals of [`interval`].
//! 5. [`report`] writes it down.

pub mod clip_judge;
pub mod clip_list;
pub mod figures;
pub mod interval;
pub mod metrics;
pub mod report;
pub mod vocabulary;

use signd_engine::model::ModelIdentity;

use clip_judge::ClipAnswer;
use clip_list::{ListEntry, ListFailure};
use figures::ClipFigures;
use vocabulary::{GroundTruth, SignVocabulary};

/// A clip and what the model says about it.
#[derive(Clone, Debug)]
pub struct EvaluatedClip {
    /// Its line of the list.
    pub entry: ListEntry,
    /// What it shows.
    pub truth: GroundTruth,
    /// What the model says.
    pub answer: ClipAnswer,
}

impl EvaluatedClip {
    /// Whether the best output, *no sign* among them, is the sign shown.
    pub fn top1(&self) -> bool {
        self.answer.top.first().is_some_and(|(best, _)| GroundTruth::Known(*best) == self.truth)
    }

    /// Whether the sign shown is among the five best signs. *No sign* takes none of the five places.
    pub fn top5(&self, vocabulary: &SignVocabulary) -> bool {
        let signs = self.answer.top.iter().filter(|(i, _)| vocabulary.name(*i).is_some());
        signs.take(5).any(|(i, _)| GroundTruth::Known(*i) == self.truth)
    }

    /// Probability of the best sign, 0..1: what says that a known sign was made. None when nothing was
    /// decided, which no threshold accepts.
    pub fn score(&self, vocabulary: &SignVocabulary) -> Option<f64> {
        let best = self.answer.top.iter().find(|(i, _)| vocabulary.name(*i).is_some());
        best.map(|(_, p)| f64::from(*p))
    }
}

/// Everything that is reported.
#[derive(Clone, Debug)]
pub struct ClipEvaluation {
    /// The model.
    pub model: ModelIdentity,
    /// The signs scored.
    pub vocabulary: SignVocabulary,
    /// The daemon's own segmenter found the signs. Else clips are segments as they are.
    pub segmented: bool,
    /// Clips with answers, in the order of the list.
    pub clips: Vec<EvaluatedClip>,
    /// Clips without, in the order of the list.
    pub failures: Vec<ListFailure>,
    /// The summary.
    pub figures: ClipFigures,
}

impl ClipEvaluation {
    /// Sums up.
    pub fn new(
        model: ModelIdentity,
        vocabulary: SignVocabulary,
        segmented: bool,
        clips: Vec<EvaluatedClip>,
        failures: Vec<ListFailure>,
    ) -> Self {
        let figures = ClipFigures::of(&clips, &vocabulary);
        ClipEvaluation { model, vocabulary, segmented, clips, failures, figures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::event::ModelLabels;

    /// The signs `a` and `b`, and *no sign* as output 2.
    pub fn vocabulary() -> SignVocabulary {
        let names = ["a", "b", "none"].map(str::to_owned).to_vec();
        SignVocabulary::new(&ModelLabels { names, no_sign: Some(2) }, None).expect("fits")
    }

    /// A clip answered like this.
    pub fn clip(label: &str, signer: &str, top: &[(u16, f32)]) -> EvaluatedClip {
        let entry = ListEntry {
            path: format!("{label}.npz"),
            label: label.into(),
            signer: signer.into(),
            overrides: Default::default(),
        };
        let answer = ClipAnswer { top: top.iter().copied().collect(), decisions: top.len().min(1) };
        EvaluatedClip { truth: vocabulary().truth(label), entry, answer }
    }

    /// The evaluation of these clips.
    pub fn evaluation(clips: &[EvaluatedClip]) -> ClipEvaluation {
        let model = ModelIdentity { name: "test 1".into(), sha256: String::new() };
        ClipEvaluation::new(model, vocabulary(), false, clips.to_vec(), Vec::new())
    }
}
