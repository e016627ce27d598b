//! A stick figure that raises its right hand, moves it about and lowers it again.
//!
//! It moves as people do in the respects that the pipeline cares for: rest with the hand out of the
//! picture, lead-in, a movement, lead-out; jitter; a hand lost for a few frames. It knows no real
//! sign. Deterministic: the same arguments give the same frames.

use signd_core::frame::{BodyPart, Frame, SourceTime};

/// One movement: when it begins, and how high it is made.
#[derive(Clone, Copy, Debug)]
pub struct Gesture {
    /// The hand begins to rise, seconds.
    pub at: f64,
    /// Height of the movement, shoulder widths below the shoulders; negative is above.
    pub height: f64,
}

/// Rising and lowering take this long each, seconds.
const TRAVEL: f64 = 0.4;
/// The movement itself, seconds.
const MOVEMENT: f64 = 1.0;
/// Where the hand rests, shoulder widths below the shoulders: out of the picture.
const REST: f64 = 1.9;
/// Shoulder width in image heights.
const UNIT: f64 = 0.3;
const SIZE: (u32, u32) = (640, 480);

/// Frames of a session of `seconds`, `fps` a second, beginning at `start`.
pub fn frames(gestures: &[Gesture], seconds: f64, fps: f64, start: SourceTime) -> Vec<Frame> {
    let mut noise = Noise(0x5eed);
    let count = (seconds * fps) as u64;
    (0..count).map(|i| frame(gestures, i, i as f64 / fps, start, &mut noise)).collect()
}

fn frame(gestures: &[Gesture], seq: u64, s: f64, start: SourceTime, noise: &mut Noise) -> Frame {
    let t = SourceTime(start.0 + (s * 1e9).round() as u64);
    let mut frame = Frame::new(seq, t, SIZE.0, SIZE.1);
    let aspect = f64::from(SIZE.0) / f64::from(SIZE.1);
    let mut point = |x: f64, y: f64| {
        let (x, y) = (0.5 * aspect + x * UNIT, 0.5 + y * UNIT);
        [((x + noise.next()) / aspect) as f32, (y + noise.next()) as f32, 0.0]
    };
    let (x, y) = hand(gestures, s);
    let pose = frame.detect(BodyPart::Pose);
    for (i, p) in pose.iter_mut().enumerate() {
        *p = point(0.02 * i as f64 - 0.1, -0.6); // a head, roughly
    }
    for (i, (px, py)) in [
        (11, (0.5, 0.0)),
        (12, (-0.5, 0.0)),
        (13, (0.6, 0.9)),
        (14, (-0.6, 0.9)),
        (15, (0.5, REST)),
        (16, (x, y)),
    ] {
        pose[i] = point(px, py);
    }
    for (i, p) in frame.detect(BodyPart::Face).iter_mut().enumerate() {
        let turn = i as f64 * 0.7;
        let r = 0.25 * ((i % 40) as f64 / 40.0);
        *p = point(r * turn.cos(), -0.7 + 1.3 * r * turn.sin());
    }
    // Nose, forehead, chin, and the cheeks with the signer's right one first: a face is told by these.
    let face = [(1, (0.0, -0.65)), (10, (0.0, -1.0)), (152, (0.0, -0.4)), (234, (-0.25, -0.7))];
    for (i, (px, py)) in face.into_iter().chain([(454, (0.25, -0.7))]) {
        frame.detect(BodyPart::Face)[i] = point(px, py);
    }
    // Lost for three frames, once in 40: estimators lose hands.
    if y < 1.6 && seq % 40 >= 3 {
        for (i, p) in frame.detect(BodyPart::RightHand).iter_mut().enumerate() {
            let (finger, joint) = (i.div_ceil(4), (i + 3) % 4 + 1);
            let (dx, dy) = match i {
                0 => (0.0, 0.0),
                _ => (0.05 * (finger as f64 - 3.0), -0.2 - 0.05 * joint as f64),
            };
            *p = point(x + dx, y + dy);
        }
    }
    frame
}

/// Where the right wrist is, shoulder widths from the shoulders' middle.
fn hand(gestures: &[Gesture], s: f64) -> (f64, f64) {
    let rest = (-0.5, REST);
    let Some(g) = gestures.iter().rev().find(|g| s >= g.at) else { return rest };
    let there = (-0.3, g.height);
    let since = s - g.at;
    let between = |from: (f64, f64), to: (f64, f64), share: f64| {
        let eased = share * share * share * (10.0 - 15.0 * share + 6.0 * share * share);
        (from.0 + (to.0 - from.0) * eased, from.1 + (to.1 - from.1) * eased)
    };
    if since < TRAVEL {
        between(rest, there, since / TRAVEL)
    } else if since < TRAVEL + MOVEMENT {
        let turn = (since - TRAVEL) / MOVEMENT * 2.0 * std::f64::consts::TAU;
        (there.0 + 0.2 * turn.sin(), there.1 + 0.1 * (1.0 - turn.cos()))
    } else {
        between(there, rest, ((since - TRAVEL - MOVEMENT) / TRAVEL).min(1.0))
    }
}

/// Jitter of an estimator, image heights: a small linear congruential generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 / f64::from(1u32 << 31) - 0.5) * 0.002
    }
}
