//! Streams that are recordings as they are.

use super::extent;
use super::library::load;
use crate::eval::clip_list::Failure;
use crate::eval::vocabulary::{Truth, Vocabulary};
use crate::streams::index::{Recording, Role};
use crate::streams::span::Span;
use crate::streams::truth::{Sign, Stream};

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

/// The stream of a recording, and what the automatic rule says of it where people say it too.
///
/// # Errors
///
/// When it cannot be read, or when it does not have the frames of its segments.
pub(super) fn stream(
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
            rule: extent::extent(&track),
        }),
        _ => None,
    };
    let sentence = !signs.is_empty();
    Ok((Stream { track, signs, visits: Vec::new(), size, gapless, sentence }, check))
}
