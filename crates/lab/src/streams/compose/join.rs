//! Clips joined to a long stream.
//!
//! A *visit* is the time of one signer in the stream. It begins and ends with a rest, and has several
//! signs with a rest between any two. Between two visits the image is empty.
//!
//! Every clip of a visit is moved and scaled as a whole to the place and the shoulder width of the
//! first. Relative to the shoulders nothing in it changes. From the last pose of a clip the landmarks
//! go to the rest pose, and from there to the first pose of the next clip.

use signd_core::frame::BodyPart;

use super::image::{SIZE, hide_outside};
use super::rest::RestTrack;
use super::transition;
use super::visits::EDGE_S;
use crate::random::SplitMix64;
use crate::streams::span::TimeSpan;
use crate::streams::track::{LandmarkSet, LandmarkTrack, NO_LANDMARKS, SignerPlacement};
use crate::streams::truth::{AnnotatedStream, TrueSign};

/// A clip and the sign in it.
#[derive(Clone, Debug)]
pub struct SourceClip {
    /// Its landmarks.
    pub track: LandmarkTrack,
    /// The sign within it, s.
    pub extent: (f64, f64),
    /// The output that is its label. None for a gloss that the model does not know.
    pub label: Option<u16>,
    /// What it is called.
    pub gloss: String,
    /// Who signs.
    pub signer: String,
    /// Path as listed.
    pub path: String,
}

/// Steps of what is computed between clips, a second.
const STEPS: f64 = 60.0;
/// A rest: at least this long and this much more on average, at most the last, s.
const REST_S: (f64, f64, f64) = (0.4, 1.2, 6.0);
/// The image is empty for this long between two visits, s.
const NOBODY_S: (f64, f64) = (1.0, 3.0);
/// Joins visits. `rest` gives the rest of each signer, if one is known.
pub fn compose(
    visits: &[Vec<SourceClip>],
    rest: impl Fn(&str) -> Option<RestTrack>,
    random: &mut SplitMix64,
) -> AnnotatedStream {
    let mut out = StreamBuilder::default();
    for clips in visits {
        let Some(first) = clips.first() else { continue };
        out.nobody(random.between(NOBODY_S.0, NOBODY_S.1));
        let from = out.now;
        let body = SignerPlacement::of(&first.track).unwrap_or(ASSUMED);
        let rest = RestPose::new(rest(&first.signer), &body, &first.track);
        out.rest(&rest, EDGE_S);
        for clip in clips {
            let track = placed(&clip.track, &body);
            out.travel(|_| track.points[0], &body, random);
            out.play(clip, &track);
            out.travel(|arrival| rest.at(arrival), &body, random);
            let (least, more, most) = REST_S;
            out.rest(&rest, (least + random.wait(more)).min(most));
        }
        out.rest(&rest, EDGE_S - REST_S.0);
        out.visits.push((from, out.now));
    }
    out.nobody(NOBODY_S.0);
    AnnotatedStream {
        track: out.track,
        signs: out.signs,
        visits: out.visits,
        size: SIZE,
        gapless: true,
        sentence: false,
    }
}

const ASSUMED: SignerPlacement = SignerPlacement { middle: [0.889, 0.6], width: 0.4 };

/// A clip with its body in the visit's place.
fn placed(track: &LandmarkTrack, body: &SignerPlacement) -> LandmarkTrack {
    let own = SignerPlacement::of(track).unwrap_or(*body);
    let points = track.points.iter().map(|points| own.move_to(body, points));
    LandmarkTrack { t: track.t.clone(), points: points.collect() }
}

/// A signer at rest, in the place of the visit.
struct RestPose {
    rest: Option<RestTrack>,
    body: SignerPlacement,
    /// Where no rest is known: the clip's first pose without hands.
    still: LandmarkSet,
}

impl RestPose {
    fn new(rest: Option<RestTrack>, body: &SignerPlacement, track: &LandmarkTrack) -> Self {
        let mut still = placed(track, body).points[0];
        for hand in [BodyPart::LeftHand, BodyPart::RightHand] {
            still[hand.range()].fill(NO_LANDMARKS[0]);
        }
        RestPose { rest, body: *body, still }
    }

    fn at(&self, t: f64) -> LandmarkSet {
        match &self.rest {
            Some(rest) => rest.body.move_to(&self.body, &rest.at(t)),
            None => self.still,
        }
    }
}

/// A stream as far as it is composed.
#[derive(Default)]
struct StreamBuilder {
    track: LandmarkTrack,
    signs: Vec<TrueSign>,
    visits: Vec<TimeSpan>,
    /// When what comes next begins, s.
    now: f64,
}

impl StreamBuilder {
    fn steps(&mut self, length: f64, at: impl Fn(f64, f64) -> LandmarkSet) {
        let steps = (length * STEPS).ceil().max(1.0);
        let begin = self.now;
        for i in 0..steps as usize {
            let t = begin + i as f64 * length / steps;
            let mut points = at(t, i as f64 / steps);
            hide_outside(&mut points);
            self.track.push(t, points);
        }
        self.now = begin + length;
    }

    fn nobody(&mut self, length: f64) {
        self.steps(length, |_, _| NO_LANDMARKS);
    }

    fn rest(&mut self, rest: &RestPose, length: f64) {
        self.steps(length, |t, _| rest.at(t));
    }

    fn play(&mut self, clip: &SourceClip, track: &LandmarkTrack) {
        let begin = self.now;
        for (t, points) in track.t.iter().zip(&track.points) {
            self.track.push(begin + t - track.t[0], *points);
        }
        let length = track.length();
        // The last frame lasts as long as the others.
        self.now = begin + length + length / track.t.len().max(2) as f64;
        let at = |(from, to): (f64, f64)| (begin + from, begin + to);
        self.signs.push(TrueSign {
            label: clip.label,
            gloss: clip.gloss.clone(),
            signer: clip.signer.clone(),
            path: clip.path.clone(),
            span: at(clip.extent),
            clip: at((0.0, length)),
        });
    }

    /// To where `to` is at the moment of arrival.
    fn travel(
        &mut self,
        to: impl Fn(f64) -> LandmarkSet,
        body: &SignerPlacement,
        random: &mut SplitMix64,
    ) {
        let from = self.track.points.last().copied().unwrap_or(NO_LANDMARKS);
        let usual = transition::duration(&from, &to(self.now), body);
        let length = usual * random.between(0.85, 1.15);
        let to = to(self.now + length);
        self.steps(length, |_, u| {
            transition::between(&from, &to, body, transition::minimum_jerk(u as f32))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::transition::tests::pose;
    use super::transition::wrist_of;
    use super::*;
    use crate::streams::compose::rest::WRISTS;
    use crate::streams::track::palm;

    fn track(heights: &[(f32, bool)]) -> LandmarkTrack {
        let mut track = LandmarkTrack::default();
        for (i, (height, seen)) in heights.iter().enumerate() {
            track.push(i as f64 / 30.0, pose(*height, *seen));
        }
        track
    }

    fn cut(signer: &str) -> SourceClip {
        SourceClip {
            track: track(&[(0.0, true); 31]),
            extent: (0.2, 0.9),
            label: Some(3),
            gloss: "book".into(),
            signer: signer.into(),
            path: "a.npz".into(),
        }
    }

    #[test]
    fn signs_are_where_the_truth_says_and_nothing_jumps() {
        // Swaying, so that it matters where in the rest the hand arrives.
        let sway = |i: i32| (2.0 + 0.016 * (i - 15).abs() as f32, false);
        let rest = RestTrack::of(&track(&(0..31).map(sway).collect::<Vec<_>>())).expect("a rest");
        let visits = [vec![cut("a"), cut("a")], vec![cut("b")]];
        let stream = compose(&visits, |_| Some(rest.clone()), &mut SplitMix64(1));
        assert_eq!((stream.signs.len(), stream.visits.len()), (3, 2));
        for sign in &stream.signs {
            assert!((sign.span.1 - sign.span.0 - 0.7).abs() < 1e-9);
            assert!((sign.span.0 - sign.clip.0 - 0.2).abs() < 1e-9);
            let middle = stream.track.at((sign.span.0 + sign.span.1) / 2.0);
            let palm = palm(&middle, BodyPart::RightHand).expect("seen");
            assert!((palm[1] - 0.4).abs() < 1e-5);
        }
        assert!(stream.track.t.windows(2).all(|pair| pair[0] < pair[1]));
        let wrist = |points: &LandmarkSet| wrist_of(points, WRISTS[1]);
        for pair in stream.track.points.windows(2) {
            let (Some(a), Some(b)) = (wrist(&pair[0]), wrist(&pair[1])) else { continue };
            assert!((a[1] - b[1]).abs() < 0.035, "{a:?} {b:?}");
        }
    }
}
