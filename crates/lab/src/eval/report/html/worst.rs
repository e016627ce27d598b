//! The clips that a model is surest about and wrong, as drawings that move.
//!
//! A drawing shows the landmarks as they come out of the import: arms, hands, lips and the outline of
//! the face, in pixels of equal width and height. Missing landmarks are not drawn.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::confusion::answer_name;
use super::escape;
use crate::eval::clip_list::ListEntry;
use crate::eval::report::terminal::PERCENT;
use crate::eval::vocabulary::{GroundTruth, SignVocabulary};
use crate::eval::{ClipEvaluation, EvaluatedClip};
use signd_core::frame::{BodyPart, Frame, is_missing};

/// Known signs taken for others, and others taken for known signs.
const CLIPS: [usize; 2] = [8, 4];
/// Frames drawn of one clip, evenly chosen where there are more.
const FRAMES: usize = 64;
/// Stands for a missing point.
const MISSING: u16 = u16::MAX;

const FACE_OUTLINE: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
const LIPS_OUTSIDE: [usize; 20] =
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185];
const LIPS_INSIDE: [usize; 20] =
    [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191];
/// Wrist to shoulder, across, and down again.
const ARMS: [usize; 6] = [15, 13, 11, 12, 14, 16];
/// Thumb, the other fingers with the edge of the palm, each as a line of its own.
const HAND: [&[usize]; 5] =
    [&[0, 1, 2, 3, 4], &[0, 5, 6, 7, 8], &[9, 10, 11, 12], &[13, 14, 15, 16], &[0, 17, 18, 19, 20]];
const KNUCKLES: &[usize] = &[5, 9, 13, 17];

/// A clip for the page's script.
#[derive(Serialize)]
struct Drawing {
    /// Width over height of the area drawn.
    aspect: f64,
    /// Seconds from one drawn frame to the next.
    step: f64,
    /// Numbers of the drawn frames in the clip.
    frames: Vec<usize>,
    /// Base64 of little-endian u16: x, y of each point of each frame, 0..65534 from the left or top
    /// edge of the area to the other. 65535 where missing.
    points: String,
}

/// The points of one drawing after the other, and lines between them.
#[derive(Serialize)]
struct Skeleton {
    /// Points in a frame.
    count: usize,
    /// Class and points of each line.
    lines: Vec<(&'static str, Vec<usize>)>,
}

/// The section, and what its script needs as JSON. `frames` reads a clip again. Clips that have gone
/// are left out.
pub fn section(
    evaluation: &ClipEvaluation,
    mut frames: impl FnMut(&ListEntry) -> Option<Vec<Frame>>,
) -> serde_json::Result<(String, String)> {
    let (points, lines) = skeleton();
    let (mut figures, mut drawings) = (String::new(), Vec::new());
    for clip in worst(&evaluation.clips, &evaluation.vocabulary) {
        let Some(drawing) = frames(&clip.entry).and_then(|frames| draw(&frames, &points)) else {
            continue;
        };
        figures.push_str(&figure(clip, evaluation, drawing.frames.len()));
        drawings.push(drawing);
    }
    let section = match drawings.is_empty() {
        true => String::new(),
        false => format!(
            "<p>The surest wrong answers, each mistake once. The right hand is blue, the left one \
             orange.</p><div class=\"clips\">{figures}</div>"
        ),
    };
    let skeleton = Skeleton { count: points.len(), lines };
    Ok((section, serde_json::to_string(&(skeleton, drawings))?))
}

/// Wrong answers, the surest first. Of one mistake, a label taken for another, only the surest.
fn worst<'a>(clips: &'a [EvaluatedClip], vocabulary: &SignVocabulary) -> Vec<&'a EvaluatedClip> {
    let sure = |clip: &EvaluatedClip| clip.answer.top.first().map_or(0.0, |(_, p)| *p);
    // *No sign* is the right answer to whatever is no known sign.
    let a_sign = |clip: &EvaluatedClip| {
        clip.answer.top.first().is_some_and(|(best, _)| vocabulary.name(*best).is_some())
    };
    let mut chosen = Vec::new();
    for (known, most) in [true, false].into_iter().zip(CLIPS) {
        let mut wrong: Vec<&EvaluatedClip> = clips
            .iter()
            .filter(|clip| matches!(clip.truth, GroundTruth::Known(_)) == known)
            .filter(|clip| if known { !clip.top1() } else { a_sign(clip) })
            .filter(|clip| !clip.answer.top.is_empty())
            .collect();
        wrong.sort_by(|a, b| sure(b).total_cmp(&sure(a)));
        let mut mistakes = BTreeSet::new();
        let new = |clip: &&'a EvaluatedClip| {
            mistakes.insert((&clip.entry.label, clip.answer.top.first().map(|(best, _)| best)))
        };
        chosen.extend(wrong.into_iter().filter(new).take(most));
    }
    chosen
}

fn figure(clip: &EvaluatedClip, evaluation: &ClipEvaluation, frames: usize) -> String {
    let p = clip.answer.top.first().map_or(0.0, |(_, p)| f64::from(*p));
    let shown = match clip.truth {
        GroundTruth::Known(_) => escape(&clip.entry.label),
        GroundTruth::Unknown => format!("{} (not in the vocabulary)", escape(&clip.entry.label)),
        GroundTruth::NoSign => "(no sign)".into(),
    };
    let answer = escape(answer_name(clip, &evaluation.vocabulary));
    let (path, signer) = (escape(&clip.entry.path), escape(&clip.entry.signer));
    let last = frames - 1;
    format!(
        "<figure class=\"clip\"><canvas role=\"img\" aria-label=\"{shown}, taken for {answer}\"></canvas>\
         <div class=\"controls\"><button type=\"button\">Play</button>\
         <input type=\"range\" min=\"0\" max=\"{last}\" value=\"{}\" aria-label=\"frame\"><output aria-live=\"off\"></output></div>\
         <figcaption><strong>{shown}</strong> taken for <strong>{answer}</strong>, {}<br>\
         <span class=\"soft\">{signer} · {path}</span></figcaption></figure>",
        last / 2,
        PERCENT.value(p)
    )
}

/// Which points of a frame are drawn, and the lines between them by position in that list.
fn skeleton() -> (Vec<usize>, Vec<(&'static str, Vec<usize>)>) {
    let (mut points, mut lines) = (Vec::new(), Vec::new());
    let mut line = |class: &'static str, part: BodyPart, along: &[usize], closed: bool| {
        let from = points.len();
        points.extend(along.iter().map(|i| part.range().start + i));
        let mut line: Vec<usize> = (from..points.len()).collect();
        line.extend(closed.then_some(from));
        lines.push((class, line));
    };
    line("face", BodyPart::Face, &FACE_OUTLINE, true);
    line("lips", BodyPart::Face, &LIPS_OUTSIDE, true);
    line("lips", BodyPart::Face, &LIPS_INSIDE, true);
    line("arms", BodyPart::Pose, &ARMS, false);
    for (class, part) in [("left", BodyPart::LeftHand), ("right", BodyPart::RightHand)] {
        for along in HAND.into_iter().chain([KNUCKLES]) {
            line(class, part, along, false);
        }
    }
    (points, lines)
}

fn draw(frames: &[Frame], points: &[usize]) -> Option<Drawing> {
    let (first, last) = (frames.first()?, frames.last()?);
    let shown = frames.len().min(FRAMES);
    // Evenly from the first to the last.
    let chosen = |k: usize| if shown < 2 { 0 } else { k * (frames.len() - 1) / (shown - 1) };
    let numbers: Vec<usize> = (0..shown).map(chosen).collect();
    let place = |frame: &Frame, i: usize| -> Option<[f32; 2]> {
        let p = &frame.points()[i];
        let aspect = frame.width as f32 / frame.height as f32;
        (!is_missing(p)).then_some([p[0] * aspect, p[1]])
    };
    // The area that the signer takes up, but not the flights of a lost estimator.
    let aspect = first.width as f32 / first.height as f32;
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for [x, y] in frames.iter().flat_map(|frame| points.iter().filter_map(|i| place(frame, *i))) {
        let inside = [x.clamp(-0.2 * aspect, 1.2 * aspect), y.clamp(-0.2, 1.2)];
        for d in 0..2 {
            low[d] = low[d].min(inside[d] - 0.03);
            high[d] = high[d].max(inside[d] + 0.03);
        }
    }
    if low[0] >= high[0] {
        return None; // nothing to draw
    }
    let quantised = numbers.iter().flat_map(|n| points.iter().map(|i| place(&frames[*n], *i)));
    let bytes: Vec<u8> = quantised
        .flat_map(|place| {
            let scaled = |d: usize, x: f32| {
                let share = (x - low[d]) / (high[d] - low[d]);
                (share.clamp(0.0, 1.0) * f32::from(MISSING - 1)).round() as u16
            };
            place.map_or([MISSING; 2], |[x, y]| [scaled(0, x), scaled(1, y)])
        })
        .flat_map(u16::to_le_bytes)
        .collect();
    let seconds = last.t.seconds_since(first.t);
    Some(Drawing {
        aspect: f64::from((high[0] - low[0]) / (high[1] - low[1])),
        step: seconds / (shown.max(2) - 1) as f64,
        frames: numbers,
        points: STANDARD.encode(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::tests::{clip, vocabulary};
    use signd_core::frame::SourceTime;

    fn frame(n: u64) -> Frame {
        let mut frame = Frame::new(n, SourceTime(n * 40_000_000), 200, 100);
        frame.detect(BodyPart::LeftHand).fill([0.25 + n as f32 / 1000.0, 0.5, 0.0]);
        frame
    }

    #[test]
    fn the_surest_mistakes_come_first_and_each_only_once() {
        let clips = [
            clip("a", "right", &[(0, 0.99)]),
            clip("a", "less sure", &[(1, 0.8)]),
            clip("a", "surest", &[(1, 0.9)]),
            clip("b", "no sign", &[(2, 0.95)]),
            clip("b", "nothing", &[]),
            clip("dog", "no sign, rightly", &[(2, 0.9)]),
            clip("", "a sign, wrongly", &[(0, 0.7)]),
        ];
        let signers = worst(&clips, &vocabulary());
        let signers: Vec<&str> = signers.iter().map(|clip| &*clip.entry.signer).collect();
        assert_eq!(signers, ["no sign", "surest", "a sign, wrongly"]);
    }

    #[test]
    fn lines_stay_within_the_points_and_every_part_is_drawn() {
        let (points, lines) = skeleton();
        assert_eq!(points.len(), 36 + 20 + 20 + 6 + 2 * 27);
        assert!(lines.iter().all(|(_, line)| line.iter().all(|i| *i < points.len())));
        for part in BodyPart::ALL {
            assert!(points.iter().any(|i| part.range().contains(i)), "{part:?}");
        }
    }

    #[test]
    fn long_clips_are_thinned_from_the_first_to_the_last_frame_and_keep_their_pace() {
        let frames: Vec<Frame> = (0..127).map(frame).collect();
        let drawing = draw(&frames, &skeleton().0).expect("something to draw");
        assert_eq!((drawing.frames.len(), drawing.frames[0], drawing.frames[63]), (64, 0, 126));
        assert!((drawing.step - 0.08).abs() < 1e-9);
    }

    #[test]
    fn points_fill_the_area_and_missing_ones_are_marked() {
        let drawing = draw(&[frame(0), frame(100)], &[468, 0]).expect("something to draw");
        let bytes = STANDARD.decode(&drawing.points).expect("base64");
        let numbers: Vec<u16> =
            bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        // From 0.5 to 0.7 image heights across, with a margin of 0.03 all round.
        assert!((drawing.aspect - 0.26 / 0.06).abs() < 1e-4, "{}", drawing.aspect);
        assert_eq!(numbers[2..4], [MISSING; 2]);
        assert!(numbers[0].abs_diff(7562) < 3 && numbers[4].abs_diff(57972) < 3, "{numbers:?}");
        assert!(draw(&[Frame::default()], &[0]).is_none());
    }
}
