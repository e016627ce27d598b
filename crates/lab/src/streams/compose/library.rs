//! The library of clips: where the sign of each is, and how each signer rests.

use std::collections::BTreeMap;

use super::extent;
use super::image::SIZE;
use super::join::SourceClip;
use super::rest::RestTrack;
use crate::eval::clip_list::ListFailure;
use crate::random::SplitMix64;
use crate::streams::index::{IndexedRecording, RecordingRole};
use crate::streams::span::TimeSpan;
use crate::streams::track::LandmarkTrack;

/// What is known of clips before any stream is made: where the sign is, and who rests how.
#[derive(Debug, Default)]
pub struct ClipLibrary {
    extents: BTreeMap<String, TimeSpan>,
    /// By the model that judges them, and signer.
    rests: BTreeMap<(usize, String), RestTrack>,
}

fn key(recording: &IndexedRecording) -> String {
    recording.folder.join(&recording.entry.path).display().to_string()
}

/// Landmarks over time, and width and height of the image in pixels.
pub(super) fn load(
    recording: &IndexedRecording,
) -> Result<(LandmarkTrack, (u32, u32)), ListFailure> {
    let frames = recording.entry.frames(&recording.folder)?;
    let size = frames.first().map_or(SIZE, |frame| (frame.width, frame.height));
    Ok((LandmarkTrack::of(&frames), size))
}

impl ClipLibrary {
    /// Adds a clip that the model of this fold judges. False when no hand is ever up in it: then it
    /// shows no sign and is not added.
    pub fn add(&mut self, clip: &IndexedRecording, fold: usize) -> Result<bool, ListFailure> {
        let (track, _) = load(clip)?;
        let Some(extent) = extent::sign_extent(&track).filter(|(from, to)| from < to) else {
            return Ok(false);
        };
        self.extents.insert(key(clip), extent);
        if let Some(rest) = RestTrack::of(&track) {
            let longer = |known: &RestTrack| known.length() >= rest.length();
            let who = (fold, clip.entry.signer.clone());
            if !self.rests.get(&who).is_some_and(longer) {
                self.rests.insert(who, rest);
            }
        }
        Ok(true)
    }

    /// How a signer rests: the longest rest known of them. Without one it is the rest of another signer
    /// of the same fold, so that no signer is seen in two folds.
    pub(super) fn rest(&self, fold: usize, signer: &str, seed: u64) -> Option<RestTrack> {
        let of_fold = || self.rests.iter().filter(|((its, _), _)| *its == fold);
        let own = of_fold().find(|((_, who), _)| who == signer);
        let other = || {
            let at = SplitMix64::named(seed, signer).below(of_fold().count().max(1));
            of_fold().nth(at)
        };
        own.or_else(other).map(|(_, rest)| rest.clone())
    }

    /// How long its sign is, s.
    pub(super) fn length(&self, clip: &IndexedRecording) -> f64 {
        self.extents.get(&key(clip)).map_or(0.0, |(from, to)| to - from)
    }

    /// A clip and the sign in it.
    pub(super) fn source_clip(&self, clip: &IndexedRecording) -> Result<SourceClip, ListFailure> {
        let (track, _) = load(clip)?;
        let label = match clip.role {
            RecordingRole::Clip(label) => Some(label),
            _ => None,
        };
        Ok(SourceClip {
            extent: self.extents.get(&key(clip)).copied().unwrap_or((0.0, track.length())),
            track,
            label,
            gloss: clip.entry.label.clone(),
            signer: clip.entry.signer.clone(),
            path: clip.entry.path.clone(),
        })
    }
}
