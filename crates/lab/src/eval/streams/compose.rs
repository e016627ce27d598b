//! Long streams from clips: one signer after another, each with several signs and a rest before,
//! between and after them.
//!
//! A *visit* is one signer's time in the stream. It begins and ends with a rest, and nobody is there
//! between two visits. Every clip of a visit is moved and scaled as a whole to one place and shoulder
//! width, the first clip's; relative to the shoulders nothing in it changes. From a clip's last pose
//! the landmarks go to the rest pose and from there to the next clip's first pose along a minimum-jerk
//! path (Flash and Hogan, *J. Neurosci.* 5, 1985), in the time that hands take for the way. A hand that
//! one end of the way does not show keeps its shape, goes with the wrist of the body model and is seen
//! as long as it is within the image.

use signd_core::frame::{Part, is_missing};

use super::rest::{Rest, WRISTS};
use super::track::{Body, NOBODY, Points, Track, mix, palm};
use crate::random::SplitMix64;

/// Shape of the composed camera's image, widths a height: 1280 x 720 pixels.
pub const SIZE: (u32, u32) = (1280, 720);
/// Steps of what is made up, a second.
const STEPS: f64 = 60.0;
/// Clips of one signer in a row, at most.
const VISIT: usize = 8;
/// A stream of this length takes no further visit, s.
const LONG_S: f64 = 120.0;
/// A rest: at least this long and this much more on average, at most the last, s.
const REST_S: (f64, f64, f64) = (0.4, 1.2, 6.0);
/// The rest at both ends of a visit, s.
const EDGE_S: f64 = 2.0;
/// Nobody is there for this long between two visits, s.
const NOBODY_S: (f64, f64) = (1.0, 3.0);
/// Time for a way: this, and this for each shoulder width, s. Hands in real sentences fall by 1.4
/// shoulder widths in 0.25 to 0.35 s, at up to 8 a second.
const WAY_S: (f64, f64) = (0.2, 0.1);
/// Longest way, s.
const LONGEST_WAY_S: f64 = 0.6;

/// A clip and the sign in it.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Its landmarks.
    pub track: Track,
    /// The sign within it, s.
    pub extent: (f64, f64),
    /// The output that is its label; none for a gloss that the model does not know.
    pub label: Option<u16>,
    /// What it is called.
    pub gloss: String,
    /// Who signs.
    pub signer: String,
    /// Path as listed.
    pub path: String,
}

/// A sign that is truly there.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// The output that is its label; none for a gloss that the model does not know.
    pub label: Option<u16>,
    /// What it is called.
    pub gloss: String,
    /// Who signs.
    pub signer: String,
    /// The recording.
    pub path: String,
    /// First and last moment, s.
    pub span: (f64, f64),
    /// First and last moment of the clip that it comes from, as its maker cut it.
    pub clip: (f64, f64),
}

/// A stream whose truth is known.
#[derive(Clone, Debug, Default)]
pub struct Composed {
    /// The landmarks.
    pub track: Track,
    /// The signs in it, in their order.
    pub signs: Vec<Sign>,
    /// First and last moment of each visit, s.
    pub visits: Vec<(f64, f64)>,
}

/// Which clips, by their number, make up each stream: visits of at most eight clips of one signer,
/// in any order, until the stream is about two minutes long. Every clip is in exactly one.
pub fn plan(clips: &[(&str, f64)], random: &mut SplitMix64) -> Vec<Vec<Vec<usize>>> {
    let mut signers: Vec<&str> = clips.iter().map(|(signer, _)| *signer).collect();
    signers.sort_unstable();
    signers.dedup();
    let mut visits: Vec<Vec<usize>> = Vec::new();
    for signer in signers {
        let mut own: Vec<usize> = (0..clips.len()).filter(|i| clips[*i].0 == signer).collect();
        random.shuffle(&mut own);
        visits.extend(own.chunks(VISIT).map(<[usize]>::to_vec));
    }
    random.shuffle(&mut visits);
    let (mut streams, mut length) = (Vec::<Vec<Vec<usize>>>::new(), f64::INFINITY);
    for visit in visits {
        if length >= LONG_S {
            streams.push(Vec::new());
            length = 0.0;
        }
        // A rest and two ways take about as long again as a short clip.
        length += 2.0 * EDGE_S + visit.iter().map(|i| clips[*i].1 + 2.5).sum::<f64>();
        if let Some(stream) = streams.last_mut() {
            stream.push(visit);
        }
    }
    streams
}

/// Joins visits; `rest` gives somebody at rest for each signer.
pub fn compose(
    visits: &[Vec<Cut>],
    rest: impl Fn(&str) -> Option<Rest>,
    random: &mut SplitMix64,
) -> Composed {
    let mut out = Builder { made: Composed::default(), now: 0.0 };
    for clips in visits {
        let Some(first) = clips.first() else { continue };
        out.nobody(random.between(NOBODY_S.0, NOBODY_S.1));
        let from = out.now;
        let body = Body::of(&first.track).unwrap_or(ASSUMED);
        let rest = Resting::new(rest(&first.signer), &body, &first.track);
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
        out.made.visits.push((from, out.now));
    }
    out.nobody(NOBODY_S.0);
    out.made
}

const ASSUMED: Body = Body { middle: [0.889, 0.6], width: 0.4 };

/// A clip with its body in the visit's place.
fn placed(track: &Track, body: &Body) -> Track {
    let own = Body::of(track).unwrap_or(*body);
    let points = track.points.iter().map(|points| own.become_body(body, points));
    Track { t: track.t.clone(), points: points.collect() }
}

/// Somebody at rest, in the visit's place.
struct Resting {
    rest: Option<Rest>,
    body: Body,
    /// Where no rest is known: the clip's first pose without hands.
    still: Points,
}

impl Resting {
    fn new(rest: Option<Rest>, body: &Body, track: &Track) -> Self {
        let mut still = placed(track, body).points[0];
        for hand in [Part::LeftHand, Part::RightHand] {
            still[hand.range()].fill(NOBODY[0]);
        }
        Resting { rest, body: *body, still }
    }

    fn at(&self, t: f64) -> Points {
        match &self.rest {
            Some(rest) => rest.body.become_body(&self.body, &rest.at(t)),
            None => self.still,
        }
    }
}

struct Builder {
    made: Composed,
    /// When what comes next begins, s.
    now: f64,
}

impl Builder {
    fn steps(&mut self, length: f64, at: impl Fn(f64, f64) -> Points) {
        let steps = (length * STEPS).ceil().max(1.0);
        let begin = self.now;
        for i in 0..steps as usize {
            let t = begin + i as f64 * length / steps;
            let mut points = at(t, i as f64 / steps);
            hide_outside(&mut points);
            self.made.track.push(t, points);
        }
        self.now = begin + length;
    }

    fn nobody(&mut self, length: f64) {
        self.steps(length, |_, _| NOBODY);
    }

    fn rest(&mut self, rest: &Resting, length: f64) {
        self.steps(length, |t, _| rest.at(t));
    }

    fn play(&mut self, clip: &Cut, track: &Track) {
        let begin = self.now;
        for (t, points) in track.t.iter().zip(&track.points) {
            self.made.track.push(begin + t - track.t[0], *points);
        }
        let length = track.length();
        // The last frame lasts as long as the others.
        self.now = begin + length + length / track.t.len().max(2) as f64;
        let at = |(from, to): (f64, f64)| (begin + from, begin + to);
        self.made.signs.push(Sign {
            label: clip.label,
            gloss: clip.gloss.clone(),
            signer: clip.signer.clone(),
            path: clip.path.clone(),
            span: at(clip.extent),
            clip: at((0.0, length)),
        });
    }

    /// To where `to` is at the moment of arrival.
    fn travel(&mut self, to: impl Fn(f64) -> Points, body: &Body, random: &mut SplitMix64) {
        let from = self.made.track.points.last().copied().unwrap_or(NOBODY);
        let (least, each) = WAY_S;
        let way = f64::from(way(&from, &to(self.now), body));
        let length = (least + each * way).min(LONGEST_WAY_S) * random.between(0.85, 1.15);
        let to = to(self.now + length);
        self.steps(length, |_, u| between(&from, &to, body, minimum_jerk(u as f32)));
    }
}

/// Share of the way done after a share `u` of the time.
fn minimum_jerk(u: f32) -> f32 {
    u * u * u * (10.0 - 15.0 * u + 6.0 * u * u)
}

/// The longer of both wrists' ways, shoulder widths.
fn way(from: &Points, to: &Points, body: &Body) -> f32 {
    let ways = [Part::LeftHand, Part::RightHand].iter().zip(WRISTS).filter_map(|(hand, wrist)| {
        let at = |points: &Points| palm(points, *hand).or(wrist_of(points, wrist));
        let (a, b) = (at(from)?, at(to)?);
        Some((a[0] - b[0]).hypot(a[1] - b[1]) / body.width)
    });
    ways.fold(0.0, f32::max)
}

fn wrist_of(points: &Points, wrist: usize) -> Option<[f32; 2]> {
    let p = points[Part::Pose.range()][wrist];
    (!is_missing(&p)).then_some([p[0], p[1]])
}

/// A moment on the way, `u` of it done.
fn between(from: &Points, to: &Points, body: &Body, u: f32) -> Points {
    let mut out = mix(from, to, u);
    for part in [Part::Face, Part::Pose] {
        for i in part.range() {
            // What one end lacks is taken from the other.
            if is_missing(&out[i]) {
                out[i] = if is_missing(&from[i]) { to[i] } else { from[i] };
            }
        }
    }
    for (hand, wrist) in [Part::LeftHand, Part::RightHand].into_iter().zip(WRISTS) {
        let (shape, done) = match (palm(from, hand), palm(to, hand)) {
            (Some(_), None) => (from, u),
            (None, Some(_)) => (to, 1.0 - u),
            _ => continue,
        };
        // It leaves along the wrist's way, or straight down where the body model has no wrist.
        let step = match (wrist_of(shape, wrist), wrist_of(&out, wrist)) {
            (Some(own), Some(now))
                if wrist_of(from, wrist).is_some() && wrist_of(to, wrist).is_some() =>
            {
                [0, 1].map(|d| now[d] - own[d])
            }
            _ => [0.0, 1.5 * body.width * done],
        };
        for i in hand.range() {
            let [x, y, z] = shape[i];
            out[i] = [x + step[0], y + step[1], z];
        }
    }
    out
}

/// A hand of which most is outside the image is not seen.
fn hide_outside(points: &mut Points) {
    let width = SIZE.0 as f32 / SIZE.1 as f32;
    for hand in [Part::LeftHand, Part::RightHand] {
        let hand = &mut points[hand.range()];
        let inside = |p: &&[f32; 3]| (0.0..width).contains(&p[0]) && (0.0..1.0).contains(&p[1]);
        if 2 * hand.iter().filter(inside).count() <= hand.len() {
            hand.fill(NOBODY[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signer whose right palm is `height` shoulder widths below the shoulders, or not seen.
    fn pose(height: f32, seen: bool) -> Points {
        let mut points = NOBODY;
        let pose = Part::Pose.range().start;
        points[pose + 11] = [1.0, 0.4, 0.0];
        points[pose + 12] = [0.8, 0.4, 0.0];
        points[pose + 15] = [1.0, 0.9, 0.0];
        points[pose + 16] = [0.8, 0.4 + 0.2 * height, 0.0];
        if seen {
            points[Part::RightHand.range()].fill([0.8, 0.4 + 0.2 * height, 0.0]);
        }
        points
    }

    fn track(heights: &[(f32, bool)]) -> Track {
        let mut track = Track::default();
        for (i, (height, seen)) in heights.iter().enumerate() {
            track.push(i as f64 / 30.0, pose(*height, *seen));
        }
        track
    }

    fn cut(signer: &str) -> Cut {
        Cut {
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
        let rest = Rest::of(&track(&(0..31).map(sway).collect::<Vec<_>>())).expect("a rest");
        let visits = [vec![cut("a"), cut("a")], vec![cut("b")]];
        let made = compose(&visits, |_| Some(rest.clone()), &mut SplitMix64(1));
        assert_eq!((made.signs.len(), made.visits.len()), (3, 2));
        for sign in &made.signs {
            assert!((sign.span.1 - sign.span.0 - 0.7).abs() < 1e-9);
            assert!((sign.span.0 - sign.clip.0 - 0.2).abs() < 1e-9);
            let middle = made.track.at((sign.span.0 + sign.span.1) / 2.0);
            let palm = palm(&middle, Part::RightHand).expect("seen");
            assert!((palm[1] - 0.4).abs() < 1e-5);
        }
        assert!(made.track.t.windows(2).all(|pair| pair[0] < pair[1]));
        let wrist = |points: &Points| wrist_of(points, WRISTS[1]);
        for pair in made.track.points.windows(2) {
            let (Some(a), Some(b)) = (wrist(&pair[0]), wrist(&pair[1])) else { continue };
            assert!((a[1] - b[1]).abs() < 0.035, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_hand_leaves_the_image_along_its_wrist() {
        let (up, down) = (pose(0.0, true), pose(4.0, false));
        let body = Body { middle: [0.9, 0.4], width: 0.2 };
        let height = |u| {
            let mut points = between(&up, &down, &body, u);
            hide_outside(&mut points);
            palm(&points, Part::RightHand).map(|p| p[1])
        };
        assert!((height(0.5).expect("seen") - 0.8).abs() < 1e-5);
        assert_eq!(height(0.9), None, "below the image");
        let back = between(&down, &up, &body, 0.5);
        assert!((palm(&back, Part::RightHand).expect("seen")[1] - 0.8).abs() < 1e-5);
    }

    #[test]
    fn every_clip_is_in_exactly_one_stream() {
        let names: Vec<String> = (0..100).map(|i| format!("s{}", i % 7)).collect();
        let clips: Vec<(&str, f64)> = names.iter().map(|name| (&name[..], 2.0)).collect();
        let streams = plan(&clips, &mut SplitMix64(1));
        assert_eq!(streams, plan(&clips, &mut SplitMix64(1)));
        let mut all: Vec<usize> = streams.iter().flatten().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        for visit in streams.iter().flatten() {
            assert!(visit.len() <= VISIT && visit.iter().all(|i| clips[*i].0 == clips[visit[0]].0));
        }
        assert!(streams.len() > 2 && streams[0].len() > 1);
    }
}
