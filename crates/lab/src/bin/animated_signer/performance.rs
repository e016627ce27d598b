//! A *performance*: the motion of hands and mouth over time, and which parts of it are signs.

use crate::body::{HAND_POSE, HandPose, short_way};
use crate::draws::SeededDraws;
use crate::motion::MotionCurve;
use crate::person::SignerProfile;
use crate::signs::{HandGesture, resting};
use crate::stance::HandStance;

/// One sign that was made: from arriving at its first stance to the end of its movement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerformedSign {
    pub label: &'static str,
    /// Seconds.
    pub start: f32,
    /// Seconds.
    pub end: f32,
}

/// Motion curves of one person.
#[derive(Clone, Debug)]
pub struct SignPerformance<'a> {
    person: &'a SignerProfile,
    draws: SeededDraws,
    /// The hand that signs.
    lead: MotionCurve<HAND_POSE>,
    /// The other one.
    other: MotionCurve<HAND_POSE>,
    /// How much the mouth moves, 0..1.
    mouth: MotionCurve<1>,
    /// Seconds so far.
    pub now: f32,
    /// The signs made so far.
    pub signs: Vec<PerformedSign>,
}

impl<'a> SignPerformance<'a> {
    /// Begins with the hands at rest.
    pub fn new(person: &'a SignerProfile, draws: SeededDraws) -> Self {
        let rest = resting(person.rest).hand_pose(person, &mut SeededDraws::new(0), 0.0);
        SignPerformance {
            person,
            draws,
            lead: MotionCurve::resting_at(rest),
            other: MotionCurve::resting_at(rest),
            mouth: MotionCurve::resting_at([0.0]),
            now: 0.0,
            signs: Vec::new(),
        }
    }

    /// Does nothing for some seconds.
    pub fn wait(&mut self, seconds: f32) {
        self.now += seconds;
    }

    /// Makes a sign.
    pub fn sign(&mut self, sign: &HandGesture) {
        let (start, end) = self.make(sign, 0.35 * self.person.sloppiness, self.person.mouthing);
        self.signs.push(PerformedSign { label: sign.name, start, end });
    }

    /// Moves without signing.
    pub fn fidget(&mut self, motion: &HandGesture) {
        self.make(motion, 1.0, if motion.both { 1.0 } else { 0.0 });
    }

    /// The hand that signs, and the other one, at `t` seconds.
    pub fn hands(&self, t: f32) -> [HandPose; 2] {
        [self.lead.at(t), self.other.at(t)]
    }

    /// How much the mouth moves at `t` seconds, 0..1.
    pub fn mouth(&self, t: f32) -> f32 {
        self.mouth.at(t)[0]
    }

    /// Lead-in, movement and lead-out. Returns when the movement began and ended, seconds.
    fn make(&mut self, motion: &HandGesture, miss: f32, talk: f32) -> (f32, f32) {
        let tempo = self.person.tempo * self.draws.between(0.92, 1.08);
        let lead_in = self.draws.between(0.45, 0.75) / tempo;
        self.mouth.go(self.now + 0.5 * lead_in, 0.2, [talk]);
        self.go(&motion.enter.to, lead_in, miss, motion.both);
        let start = self.now;
        self.wait(motion.enter.stay / tempo);
        let [fewest, most] = motion.times;
        let beats = self.draws.between(fewest as f32, most as f32 + 1.0) as u32;
        for _ in 0..beats.min(most) {
            for step in motion.beat {
                // No beat is made exactly as the one before.
                self.go(&step.to, step.over / tempo, 0.4 * miss, motion.both);
                self.wait(step.stay / tempo);
            }
        }
        let end = self.now;
        self.mouth.go(end, 0.2, [0.0]);
        let lead_out = self.draws.between(0.50, 0.80) / tempo;
        self.go(&resting(self.person.rest), lead_out, 0.2, motion.both);
        (start, end)
    }

    fn go(&mut self, to: &HandStance, seconds: f32, miss: f32, both: bool) {
        let hands = [Some(&mut self.lead), both.then_some(&mut self.other)];
        for curve in hands.into_iter().flatten() {
            let held = to.hand_pose(self.person, &mut self.draws, miss);
            curve.go(self.now, seconds, short_way(&curve.latest(), held));
        }
        self.now += seconds;
    }
}
