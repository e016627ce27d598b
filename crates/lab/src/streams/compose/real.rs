//! Streams that are real recordings, used as they are.

use super::extent;
use super::library::load;
use crate::eval::clip_list::ListFailure;
use crate::eval::vocabulary::{GroundTruth, SignVocabulary};
use crate::streams::index::{IndexedRecording, RecordingRole};
use crate::streams::span::TimeSpan;
use crate::streams::truth::{AnnotatedStream, TrueSign};

/// What people and the automatic rule say of the same recording of one sign.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TruthCheck {
    /// The recording.
    pub path: String,
    /// What it is called.
    pub gloss: String,
    /// First and last moment by people, s.
    pub people: TimeSpan,
    /// The same by the rule.
    pub rule: Option<TimeSpan>,
}

/// The stream of a recording, and what the automatic rule says of it where people say it too.
///
/// # Errors
///
/// When it cannot be read, or when it does not have the frames of its segments.
pub(super) fn real_stream(
    recording: &IndexedRecording,
    vocabulary: &SignVocabulary,
) -> Result<(AnnotatedStream, Option<TruthCheck>), ListFailure> {
    let (track, size) = load(recording)?;
    let entry = &recording.entry;
    let (segments, gapless) = match &recording.role {
        RecordingRole::Sentence { segments, gapless } => (&segments[..], *gapless),
        _ => (&[][..], true),
    };
    let mut signs = Vec::new();
    for (gloss, first, last) in segments {
        let (Some(from), Some(to)) = (track.t.get(*first), track.t.get(*last)) else {
            let reason = format!("segments: `{gloss}:{first}-{last}` of {} frames", track.t.len());
            return Err(ListFailure { path: entry.path.clone(), reason });
        };
        let label = match vocabulary.truth(gloss) {
            GroundTruth::Known(label) => Some(label),
            _ => None,
        };
        signs.push(TrueSign {
            label,
            gloss: gloss.clone(),
            signer: entry.signer.clone(),
            path: entry.path.clone(),
            span: (*from, *to),
            clip: (*from, *to),
        });
    }
    let check = match &signs[..] {
        [sign] if gapless => Some(TruthCheck {
            path: sign.path.clone(),
            gloss: sign.gloss.clone(),
            people: sign.span,
            rule: extent::sign_extent(&track),
        }),
        _ => None,
    };
    let sentence = !signs.is_empty();
    Ok((AnnotatedStream { track, signs, visits: Vec::new(), size, gapless, sentence }, check))
}
