//! From the lines of indices to streams with truth.

use std::collections::BTreeMap;

use super::compose::{self, Composed, Cut, SIZE, Sign};
use super::index::{Recording, Role};
use super::measure::Span;
use super::rest::Rest;
use super::track::Track;
use super::truth;
use crate::eval::clips::Failure;
use crate::eval::vocabulary::{Truth, Vocabulary};
use crate::random::SplitMix64;

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

/// A stream, its truth, and the camera's image.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Landmarks, signs and visits.
    pub made: Composed,
    /// Image width and height, pixels.
    pub size: (u32, u32),
    /// Nothing was cut out of its time.
    pub gapless: bool,
    /// It is real signing, in the order of its glosses.
    pub sentence: bool,
}

/// What people and the automatic rule say of the same recording of one sign.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Check {
    /// The recording.
    pub path: String,
    /// What it is called.
    pub gloss: String,
    /// First and last moment by people, s.
    pub people: Span,
    /// The same by the rule.
    pub rule: Option<Span>,
}

/// What is known of clips before any stream is made: where the sign is, and who rests how.
#[derive(Debug, Default)]
pub struct Library {
    extents: BTreeMap<String, Span>,
    /// By the model that judges them, and signer.
    rests: BTreeMap<(usize, String), Rest>,
}

fn key(recording: &Recording) -> String {
    recording.folder.join(&recording.entry.path).display().to_string()
}

fn load(recording: &Recording) -> Result<(Track, (u32, u32)), Failure> {
    let frames = recording.entry.frames(&recording.folder)?;
    let size = frames.first().map_or(SIZE, |frame| (frame.width, frame.height));
    Ok((Track::of(&frames), size))
}

impl Library {
    /// Learns a clip and which model judges it; false when no hand is ever up in it, so that it shows no
    /// sign.
    pub fn learn(&mut self, clip: &Recording, fold: usize) -> Result<bool, Failure> {
        let (track, _) = load(clip)?;
        let Some(extent) = truth::extent(&track).filter(|(from, to)| from < to) else {
            return Ok(false);
        };
        self.extents.insert(key(clip), extent);
        if let Some(rest) = Rest::of(&track) {
            let longer = |known: &Rest| known.length() >= rest.length();
            let who = (fold, clip.entry.signer.clone());
            if !self.rests.get(&who).is_some_and(longer) {
                self.rests.insert(who, rest);
            }
        }
        Ok(true)
    }

    /// How a signer rests: the longest rest known of them, or else of somebody else whom the same model
    /// judges, so that nobody is seen in two folds.
    fn rest(&self, fold: usize, signer: &str, seed: u64) -> Option<Rest> {
        let fellows = || self.rests.iter().filter(|((of, _), _)| *of == fold);
        let own = fellows().find(|((_, who), _)| who == signer);
        let other = || {
            let at = SplitMix64::named(seed, signer).below(fellows().count().max(1));
            fellows().nth(at)
        };
        own.or_else(other).map(|(_, rest)| rest.clone())
    }

    fn length(&self, clip: &Recording) -> f64 {
        self.extents.get(&key(clip)).map_or(0.0, |(from, to)| to - from)
    }
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
        for (i, visits) in compose::plan(&lengths, &mut random).into_iter().enumerate() {
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
                let cut = |clip: &Recording| cut(clip, library);
                let visits: Vec<Vec<Cut>> = visits
                    .iter()
                    .map(|visit| visit.iter().map(cut).collect())
                    .collect::<Result<_, _>>()?;
                let mut random = SplitMix64::named(seed, &self.name);
                let rest = |signer: &str| library.rest(self.fold, signer, seed);
                let made = compose::compose(&visits, rest, &mut random);
                Ok((Stream { made, size: SIZE, gapless: true, sentence: false }, None))
            }
            Kind::Real(recording) => real(recording, vocabulary),
        }
    }
}

fn cut(clip: &Recording, library: &Library) -> Result<Cut, Failure> {
    let (track, _) = load(clip)?;
    let label = match clip.role {
        Role::Clip(label) => Some(label),
        _ => None,
    };
    Ok(Cut {
        extent: library.extents.get(&key(clip)).copied().unwrap_or((0.0, track.length())),
        track,
        label,
        gloss: clip.entry.label.clone(),
        signer: clip.entry.signer.clone(),
        path: clip.entry.path.clone(),
    })
}

fn real(
    recording: &Recording,
    vocabulary: &Vocabulary,
) -> Result<(Stream, Option<Check>), Failure> {
    let (track, size) = load(recording)?;
    let entry = &recording.entry;
    let (segments, gapless) = match &recording.role {
        Role::Sentence { segments, gapless } => (&segments[..], *gapless),
        _ => (&[][..], true),
    };
    let mut signs = Vec::new();
    for (gloss, first, last) in segments {
        let (Some(from), Some(to)) = (track.t.get(*first), track.t.get(*last)) else {
            let reason = format!("segments: `{gloss}:{first}-{last}` of {} frames", track.t.len());
            return Err(Failure { path: entry.path.clone(), reason });
        };
        let label = match vocabulary.truth(gloss) {
            Truth::Known(label) => Some(label),
            _ => None,
        };
        signs.push(Sign {
            label,
            gloss: gloss.clone(),
            signer: entry.signer.clone(),
            path: entry.path.clone(),
            span: (*from, *to),
            clip: (*from, *to),
        });
    }
    let check = match &signs[..] {
        [sign] if gapless => Some(Check {
            path: sign.path.clone(),
            gloss: sign.gloss.clone(),
            people: sign.span,
            rule: truth::extent(&track),
        }),
        _ => None,
    };
    let sentence = !signs.is_empty();
    let made = Composed { track, signs, visits: Vec::new() };
    Ok((Stream { made, size, gapless, sentence }, check))
}
