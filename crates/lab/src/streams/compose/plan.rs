//! Plans of streams: what each is made of. A plan is built to a stream when its turn comes.

use std::collections::BTreeMap;

use super::join::{self, SourceClip};
use super::library::ClipLibrary;
use super::real::{self, TruthCheck};
use super::visits::plan_visits;
use crate::eval::clip_list::ListFailure;
use crate::eval::vocabulary::SignVocabulary;
use crate::random::SplitMix64;
use crate::streams::index::{IndexedRecording, RecordingRole};
use crate::streams::truth::AnnotatedStream;

/// What one stream will be made of.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    /// What it is called: the set and a number, or the set and the recording.
    pub name: String,
    /// Figures are given for each set.
    pub set: String,
    /// Which model judges it.
    pub fold: usize,
    material: PlanMaterial,
}

#[derive(Clone, Debug)]
enum PlanMaterial {
    /// Visits of clips.
    Composed(Vec<Vec<IndexedRecording>>),
    /// One recording.
    Real(IndexedRecording),
}

/// The streams that can be made of these recordings. Each comes with the fold that judges it.
/// Its clips are those of the library.
pub fn plan_streams(
    recordings: &[(IndexedRecording, usize)],
    library: &ClipLibrary,
    seed: u64,
) -> Vec<StreamPlan> {
    let mut clips: BTreeMap<(&str, usize), Vec<&IndexedRecording>> = BTreeMap::new();
    let mut plans = Vec::new();
    for (recording, fold) in recordings {
        let set = recording.set.clone();
        if matches!(recording.role, RecordingRole::Clip(_)) {
            clips.entry((&recording.set, *fold)).or_default().push(recording);
        } else {
            let name = format!("{set} {}", recording.entry.path);
            let material = PlanMaterial::Real(recording.clone());
            plans.push(StreamPlan { name, set, fold: *fold, material });
        }
    }
    for ((set, fold), clips) in clips {
        let lengths: Vec<(&str, f64)> =
            clips.iter().map(|c| (&*c.entry.signer, library.length(c))).collect();
        let mut random = SplitMix64::named(seed, &format!("plan {set} {fold}"));
        for (i, visits) in plan_visits(&lengths, &mut random).into_iter().enumerate() {
            let visits = visits.into_iter();
            let visits = visits.map(|visit| visit.into_iter().map(|i| clips[i].clone()).collect());
            plans.push(StreamPlan {
                name: format!("{set} composed {fold}.{i}"),
                set: set.to_owned(),
                fold,
                material: PlanMaterial::Composed(visits.collect()),
            });
        }
    }
    plans
}

impl StreamPlan {
    /// Makes the stream.
    pub fn build(
        &self,
        library: &ClipLibrary,
        vocabulary: &SignVocabulary,
        seed: u64,
    ) -> Result<(AnnotatedStream, Option<TruthCheck>), ListFailure> {
        match &self.material {
            PlanMaterial::Composed(visits) => {
                let source_clip = |clip: &IndexedRecording| library.source_clip(clip);
                let visits: Vec<Vec<SourceClip>> = visits
                    .iter()
                    .map(|visit| visit.iter().map(source_clip).collect())
                    .collect::<Result<_, _>>()?;
                let mut random = SplitMix64::named(seed, &self.name);
                let rest = |signer: &str| library.rest(self.fold, signer, seed);
                Ok((join::compose(&visits, rest, &mut random), None))
            }
            PlanMaterial::Real(recording) => real::real_stream(recording, vocabulary),
        }
    }
}
