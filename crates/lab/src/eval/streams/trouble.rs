//! What goes wrong between a signer and the daemon: independent processes, drawn in time and not in
//! frames, so that the same things happen at every frame rate.
//!
//! | process | how often | what |
//! |---|---|---|
//! | *vanishing* | each hand, 10 a minute | not found for 40 to 200 ms |
//! | *jitter* | every frame | every point moves by itself, normal, 0.5 % of the shoulder width for hands, half of that for body and face; the recordings' own comes on top |
//! | *dropped frames* | 1 in 50, and 2 bursts a minute of 100 to 400 ms | never arrive; their numbers are missing |
//! | *late frames* | every frame | captured up to 20 % of a frame early or late; arrive after an exponential delay of 20 ms on average, 1 in 100 after 200 ms more, in their order |
//! | *crossing* | 1 a minute | a second hand, shaped like the first that the stream shows, crosses the image in 0.6 to 1.5 s; the estimator gives it the place of a hand that it does not see, or else takes it for the signer's left or right hand during the middle third |
//! | *walking* | with each visit | the signer comes from one side, smaller, in 1.2 s, and leaves likewise |

use crate::random::SplitMix64;
use signd_core::frame::{Arrival, Frame, Part, SourceTime};

use super::track::{Body, NOBODY, Points, Track, palm};

/// Mean wait for a hand to vanish, and how long it is gone, s.
const VANISH_S: (f64, f64, f64) = (6.0, 0.04, 0.2);
/// Jitter of a hand's points, shoulder widths.
const JITTER: f64 = 0.005;
/// Share of frames dropped.
const DROPPED: f64 = 0.02;
/// Mean wait for a burst, and its length, s.
const BURST_S: (f64, f64, f64) = (30.0, 0.1, 0.4);
/// Capture early or late by at most this share of a frame.
const UNEVEN: f64 = 0.2;
/// Mean delay, and the delay of some, s.
const DELAY_S: (f64, f64) = (0.02, 0.2);
/// Share of frames that take the longer delay.
const DELAYED: f64 = 0.01;
/// Mean wait for a crossing, and how long it takes, s.
const CROSSING_S: (f64, f64, f64) = (60.0, 0.6, 1.5);
/// Time to walk in or out, s.
const WALK_S: f64 = 1.2;
/// Where a walk begins: image heights to the side, and the size there.
const WALK: (f64, f64) = (1.2, 0.7);

/// Hands of others cross here.
#[derive(Clone, Debug)]
struct Crossing {
    span: (f64, f64),
    rightwards: bool,
    /// Shoulder widths below the shoulders.
    height: f64,
    instead_of: Part,
}

/// All that will go wrong in one stream.
#[derive(Clone, Debug)]
pub struct Trouble {
    vanished: [Vec<(f64, f64)>; 2],
    bursts: Vec<(f64, f64)>,
    crossings: Vec<Crossing>,
    /// Begin, end, side: out when the end is first.
    visits: Vec<(f64, f64, f64)>,
    /// Somebody's hand, its wrist at the origin, shoulder widths.
    hand: Option<Vec<[f32; 3]>>,
    body: Body,
    random: SplitMix64,
}

const HANDS: [Part; 2] = [Part::LeftHand, Part::RightHand];

impl Trouble {
    /// Draws what happens to a stream. `visits` are those with room to walk in and out.
    pub fn draw(track: &Track, visits: &[(f64, f64)], seed: u64, name: &str) -> Trouble {
        let of = |process: &str| SplitMix64::named(seed, &format!("{name} {process}"));
        let length = track.t.last().copied().unwrap_or(0.0);
        let spans = |random: &mut SplitMix64, (mean, least, most): (f64, f64, f64)| {
            let (mut t, mut spans) = (random.wait(mean), Vec::new());
            while t < length {
                let end = t + random.between(least, most);
                spans.push((t, end));
                t = end + random.wait(mean);
            }
            spans
        };
        let mut random = of("crossing");
        let crossings = spans(&mut random, CROSSING_S).into_iter().map(|span| Crossing {
            span,
            rightwards: random.below(2) == 0,
            height: random.between(-0.5, 1.0),
            instead_of: HANDS[random.below(2)],
        });
        let crossings = crossings.collect();
        let body = Body::of(track).unwrap_or(Body { middle: [0.9, 0.6], width: 0.4 });
        let shown = track.points.iter().find_map(|points| {
            HANDS.into_iter().find(|hand| palm(points, *hand).is_some()).map(|hand| (points, hand))
        });
        let hand = shown.map(|(points, hand)| {
            let hand = &points[hand.range()];
            let [x, y, _] = hand[0];
            hand.iter()
                .map(|p| [(p[0] - x) / body.width, (p[1] - y) / body.width, p[2] / body.width])
                .collect()
        });
        let mut side = of("walking");
        let visits = visits
            .iter()
            .map(|(from, to)| (*from, *to, if side.below(2) == 0 { -1.0 } else { 1.0 }));
        Trouble {
            vanished: ["left", "right"].map(|hand| spans(&mut of(hand), VANISH_S)),
            bursts: spans(&mut of("bursts"), BURST_S),
            crossings,
            visits: visits.collect(),
            hand,
            body,
            random: of("frames"),
        }
    }

    /// What an estimator makes of a moment.
    fn disturb(&mut self, t: f64, points: &mut Points, aspect: f64) {
        self.walk(t, points, aspect);
        for (hand, gone) in HANDS.into_iter().zip(&self.vanished) {
            if within(gone, t) {
                points[hand.range()].fill(NOBODY[0]);
            }
        }
        self.cross(t, points, aspect);
        for part in Part::ALL {
            let hand = HANDS.contains(&part);
            let size = f64::from(self.body.width) * if hand { JITTER } else { JITTER / 2.0 };
            if points[part.range()][0][0].is_nan() {
                continue;
            }
            for point in &mut points[part.range()] {
                point[0] += (size * self.random.normal()) as f32;
                point[1] += (size * self.random.normal()) as f32;
            }
        }
    }

    fn walk(&self, t: f64, points: &mut Points, aspect: f64) {
        let Some((from, to, side)) = self.visits.iter().find(|(a, b, _)| (*a..*b).contains(&t))
        else {
            return;
        };
        let away = 1.0 - ((t - from).min(to - t) / WALK_S).min(1.0);
        if away <= 0.0 {
            return;
        }
        let (shift, scale) = (side * WALK.0 * away, 1.0 - (1.0 - WALK.1) * away);
        let there = Body {
            middle: [self.body.middle[0] + shift as f32, self.body.middle[1]],
            width: self.body.width * scale as f32,
        };
        let outside = !(0.0..aspect).contains(&f64::from(there.middle[0]));
        *points = if outside { NOBODY } else { self.body.become_body(&there, points) };
    }

    fn cross(&self, t: f64, points: &mut Points, aspect: f64) {
        let Some(crossing) = self.crossings.iter().find(|c| within(&[c.span], t)) else { return };
        let Some(shape) = &self.hand else { return };
        let u = (t - crossing.span.0) / (crossing.span.1 - crossing.span.0);
        let unseen = HANDS.into_iter().find(|hand| palm(points, *hand).is_none());
        let middle = (1.0 / 3.0..2.0 / 3.0).contains(&u);
        let Some(hand) = unseen.or(middle.then_some(crossing.instead_of)) else { return };
        let x = aspect * if crossing.rightwards { u } else { 1.0 - u };
        let width = self.body.width;
        let y = self.body.middle[1] + crossing.height as f32 * width;
        for (point, own) in points[hand.range()].iter_mut().zip(shape) {
            *point = [x as f32 + own[0] * width, y + own[1] * width, own[2] * width];
        }
    }
}

fn within(spans: &[(f64, f64)], t: f64) -> bool {
    spans.iter().any(|(from, to)| (*from..*to).contains(&t))
}

/// A stream as a camera of `fps` frames a second delivers it, with or without trouble. Its first
/// moment is at [`START`].
pub fn shoot(
    track: &Track,
    (width, height): (u32, u32),
    fps: f64,
    mut trouble: Option<Trouble>,
) -> Vec<(Frame, Arrival)> {
    let aspect = f64::from(width) / f64::from(height);
    let count = (track.t.last().copied().unwrap_or(0.0) * fps + 1e-6).floor() as u64;
    let (mut out, mut latest) = (Vec::with_capacity(count as usize), 0);
    for seq in 0..=count {
        let mut t = seq as f64 / fps;
        let mut delay = 0.0;
        if let Some(trouble) = &mut trouble {
            let random = &mut trouble.random;
            t = (t + random.between(-UNEVEN, UNEVEN) / fps).max(0.0);
            delay = random.wait(DELAY_S.0);
            delay += if random.between(0.0, 1.0) < DELAYED { DELAY_S.1 } else { 0.0 };
            let dropped = random.between(0.0, 1.0) < DROPPED;
            if dropped || within(&trouble.bursts, t) {
                continue;
            }
        }
        let mut points = track.at(t);
        if let Some(trouble) = &mut trouble {
            trouble.disturb(t, &mut points, aspect);
        }
        let mut frame = Frame::new(seq, time(t), width, height);
        let aspect = aspect as f32;
        frame.set_points(&points.map(|[x, y, z]| [x / aspect, y, z / aspect]));
        latest = latest.max(time(t + delay).0);
        out.push((frame, Arrival(latest)));
    }
    out
}

/// Capture time of a stream's first moment.
pub const START: SourceTime = SourceTime(1_000_000_000);

fn time(t: f64) -> SourceTime {
    SourceTime(START.0 + (t * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten minutes of a person with both hands in view.
    fn track() -> Track {
        let mut points = NOBODY;
        for part in Part::ALL {
            points[part.range()].fill([0.8, 0.5, 0.0]);
        }
        let pose = Part::Pose.range().start;
        points[pose + 11] = [1.0, 0.5, 0.0];
        points[pose + 12] = [0.7, 0.5, 0.0];
        let mut track = Track::default();
        track.push(0.0, points);
        track.push(600.0, points);
        track
    }

    fn shot(fps: f64, troubled: bool) -> Vec<(Frame, Arrival)> {
        let track = track();
        let trouble = troubled.then(|| Trouble::draw(&track, &[(100.0, 200.0)], 1, "a"));
        shoot(&track, (1280, 720), fps, trouble)
    }

    #[test]
    fn without_trouble_every_frame_is_there_and_on_time() {
        let frames = shot(15.0, false);
        assert_eq!(frames.len(), 9001);
        for (i, (frame, arrival)) in frames.iter().enumerate() {
            assert_eq!((frame.seq, arrival.0), (i as u64, frame.t.0));
        }
    }

    #[test]
    fn a_hand_is_gone_for_the_same_share_of_the_time_at_every_rate() {
        let gone = |fps| {
            let frames = shot(fps, true);
            let missing = frames.iter().filter(|(f, _)| f.part(Part::LeftHand).is_none()).count();
            missing as f64 / frames.len() as f64
        };
        // Ten times a minute for 0.12 s on average, and while the signer walks out of view.
        let (slow, fast) = (gone(15.0), gone(60.0));
        assert!((0.012..0.035).contains(&fast) && (slow - fast).abs() < 0.004, "{slow} {fast}");
    }

    #[test]
    fn frames_are_dropped_uneven_and_in_their_order() {
        let frames = shot(30.0, true);
        assert!((17_000..17_800).contains(&frames.len()), "{}", frames.len());
        for pair in frames.windows(2) {
            assert!(pair[0].0.t < pair[1].0.t && pair[0].1 <= pair[1].1);
            assert!(pair[0].0.t.0 <= pair[0].1.0);
        }
        assert!(
            frames.iter().all(|(frame, _)| frame
                .points()
                .iter()
                .flatten()
                .all(|x| !x.is_infinite()))
        );
    }

    #[test]
    fn the_signer_walks_in_from_outside() {
        let frames = shot(30.0, true);
        let at = |t: f64| {
            let later = |f: &&(Frame, Arrival)| f.0.t.seconds_since(START) >= t;
            frames.iter().find(later).expect("a frame").0.part(Part::Pose).map(|pose| pose[0][0])
        };
        assert_eq!(at(100.02), None);
        assert!((at(150.0).expect("there") - 0.8 * 9.0 / 16.0).abs() < 0.05);
        assert!((at(100.8).expect("there") - 0.8 * 9.0 / 16.0).abs() > 0.05);
    }
}
