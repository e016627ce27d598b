//! From the lines of indices to streams with truth.

use std::collections::BTreeMap;

use super::join::{self, Cut};
use super::library::Library;
use super::real::{self, Check};
use super::visits;
use crate::eval::clip_list::Failure;
use crate::eval::vocabulary::Vocabulary;
use crate::random::SplitMix64;
use crate::streams::index::{Recording, Role};
use crate::streams::truth::Stream;

/// What one stream will be made of.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it is called: the set and a number, or the set and the recording.
    pub name: String,
    /// Figures are given for each set.
    pub set: String,
    /// Which model judges it.
    pub fold: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Visits of clips.
    Composed(Vec<Vec<Recording>>),
    /// One recording.
    Real(Recording),
}

/// The streams that can be made of these recordings; each comes with the fold that judges it.
/// Clips must have been learnt.
pub fn plan(recordings: &[(Recording, usize)], library: &Library, seed: u64) -> Vec<Source> {
    let mut clips: BTreeMap<(&str, usize), Vec<&Recording>> = BTreeMap::new();
    let mut sources = Vec::new();
    for (recording, fold) in recordings {
        let set = recording.set.clone();
        if matches!(recording.role, Role::Clip(_)) {
            clips.entry((&recording.set, *fold)).or_default().push(recording);
        } else {
            let name = format!("{set} {}", recording.entry.path);
            let kind = Kind::Real(recording.clone());
            sources.push(Source { name, set, fold: *fold, kind });
        }
    }
    for ((set, fold), clips) in clips {
        let lengths: Vec<(&str, f64)> =
            clips.iter().map(|c| (&*c.entry.signer, library.length(c))).collect();
        let mut random = SplitMix64::named(seed, &format!("plan {set} {fold}"));
        for (i, visits) in visits::plan(&lengths, &mut random).into_iter().enumerate() {
            let visits = visits.into_iter();
            let visits = visits.map(|visit| visit.into_iter().map(|i| clips[i].clone()).collect());
            sources.push(Source {
                name: format!("{set} composed {fold}.{i}"),
                set: set.to_owned(),
                fold,
                kind: Kind::Composed(visits.collect()),
            });
        }
    }
    sources
}

impl Source {
    /// Makes the stream.
    pub fn make(
        &self,
        library: &Library,
        vocabulary: &Vocabulary,
        seed: u64,
    ) -> Result<(Stream, Option<Check>), Failure> {
        match &self.kind {
            Kind::Composed(visits) => {
                let cut = |clip: &Recording| library.cut(clip);
                let visits: Vec<Vec<Cut>> = visits
                    .iter()
                    .map(|visit| visit.iter().map(cut).collect())
                    .collect::<Result<_, _>>()?;
                let mut random = SplitMix64::named(seed, &self.name);
                let rest = |signer: &str| library.rest(self.fold, signer, seed);
                Ok((join::compose(&visits, rest, &mut random), None))
            }
            Kind::Real(recording) => real::stream(recording, vocabulary),
        }
    }
}
