//! Faults between a signer and the daemon.
//!
//! They are independent processes, drawn in time and not in frames. The same faults then happen at every
//! frame rate.
//!
//! | process | how often | what |
//! |---|---|---|
//! | *vanishing* | each hand, 10 a minute | not found for 40 to 200 ms |
//! | *jitter* | every frame | every point moves by itself, normal, 0.5 % of the shoulder width for hands and half of that for body and face, on top of the recording's own jitter |
//! | *dropped frames* | 1 in 50, and 2 bursts a minute of 100 to 400 ms | never arrive, so that their numbers are missing |
//! | *late frames* | every frame | captured up to 20 % of a frame early or late. They arrive in their order, after an exponential delay of 20 ms on average, 1 in 100 after 200 ms more |
//! | *crossing* | 1 a minute | a second hand, shaped like the first that the stream shows, crosses the image in 0.6 to 1.5 s. The estimator gives it the place of a hand that it does not see. Otherwise it takes it for the signer's left or right hand during the middle third |
//! | *walking* | with each visit | the signer comes from one side in 1.2 s, smaller at first, and leaves in the same way |

use crate::random::SplitMix64;
use signd_core::frame::BodyPart;

use crate::streams::track::{LandmarkSet, LandmarkTrack, NO_LANDMARKS, SignerPlacement, palm};

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
struct HandCrossing {
    span: (f64, f64),
    rightwards: bool,
    /// Shoulder widths below the shoulders.
    height: f64,
    instead_of: BodyPart,
}

/// All faults of one stream.
#[derive(Clone, Debug)]
pub struct StreamFaults {
    vanished: [Vec<(f64, f64)>; 2],
    bursts: Vec<(f64, f64)>,
    crossings: Vec<HandCrossing>,
    /// Begin, end, side: out when the end is first.
    visits: Vec<(f64, f64, f64)>,
    /// The hand of a passer-by, its wrist at the origin, shoulder widths.
    hand: Option<Vec<[f32; 3]>>,
    body: SignerPlacement,
    random: SplitMix64,
}

const HANDS: [BodyPart; 2] = [BodyPart::LeftHand, BodyPart::RightHand];

impl StreamFaults {
    /// Draws what happens to a stream. `visits` are those with room to walk in and out.
    pub fn draw(
        track: &LandmarkTrack,
        visits: &[(f64, f64)],
        seed: u64,
        name: &str,
    ) -> StreamFaults {
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
        let crossings = spans(&mut random, CROSSING_S).into_iter().map(|span| HandCrossing {
            span,
            rightwards: random.below(2) == 0,
            height: random.between(-0.5, 1.0),
            instead_of: HANDS[random.below(2)],
        });
        let crossings = crossings.collect();
        let body = SignerPlacement::of(track)
            .unwrap_or(SignerPlacement { middle: [0.9, 0.6], width: 0.4 });
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
        StreamFaults {
            vanished: ["left", "right"].map(|hand| spans(&mut of(hand), VANISH_S)),
            bursts: spans(&mut of("bursts"), BURST_S),
            crossings,
            visits: visits.collect(),
            hand,
            body,
            random: of("frames"),
        }
    }

    /// When the camera captures a frame that is due at `t`, and when that arrives, s. None where it is
    /// dropped. Asked about every frame, in order.
    pub fn capture(&mut self, t: f64, fps: f64) -> Option<(f64, f64)> {
        let random = &mut self.random;
        let t = (t + random.between(-UNEVEN, UNEVEN) / fps).max(0.0);
        let mut delay = random.wait(DELAY_S.0);
        delay += if random.between(0.0, 1.0) < DELAYED { DELAY_S.1 } else { 0.0 };
        let dropped = random.between(0.0, 1.0) < DROPPED;
        (!dropped && !within(&self.bursts, t)).then_some((t, t + delay))
    }

    /// What an estimator makes of a moment.
    pub fn disturb(&mut self, t: f64, points: &mut LandmarkSet, aspect: f64) {
        self.walk(t, points, aspect);
        for (hand, gone) in HANDS.into_iter().zip(&self.vanished) {
            if within(gone, t) {
                points[hand.range()].fill(NO_LANDMARKS[0]);
            }
        }
        self.cross(t, points, aspect);
        for part in BodyPart::ALL {
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

    fn walk(&self, t: f64, points: &mut LandmarkSet, aspect: f64) {
        let Some((from, to, side)) = self.visits.iter().find(|(a, b, _)| (*a..*b).contains(&t))
        else {
            return;
        };
        let away = 1.0 - ((t - from).min(to - t) / WALK_S).min(1.0);
        if away <= 0.0 {
            return;
        }
        let (shift, scale) = (side * WALK.0 * away, 1.0 - (1.0 - WALK.1) * away);
        let there = SignerPlacement {
            middle: [self.body.middle[0] + shift as f32, self.body.middle[1]],
            width: self.body.width * scale as f32,
        };
        let outside = !(0.0..aspect).contains(&f64::from(there.middle[0]));
        *points = if outside { NO_LANDMARKS } else { self.body.move_to(&there, points) };
    }

    fn cross(&self, t: f64, points: &mut LandmarkSet, aspect: f64) {
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
