//! A *performance*: what one person does with hands and mouth over time, and which of it are signs.

use crate::body::{HELD, Held, short_way};
use crate::chance::Chance;
use crate::motion::Curve;
use crate::person::Person;
use crate::signs::Motion;
use crate::stance::Stance;

/// One sign that was made: from arriving at its first stance to the end of its movement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Made {
    pub label: &'static str,
    /// Seconds.
    pub start: f32,
    /// Seconds.
    pub end: f32,
}

/// Motion curves of one person.
#[derive(Clone, Debug)]
pub struct Performance<'a> {
    person: &'a Person,
    chance: Chance,
    /// The hand that signs.
    lead: Curve<HELD>,
    /// The other one.
    other: Curve<HELD>,
    /// How much the mouth moves, 0..1.
    mouth: Curve<1>,
    /// Seconds so far.
    pub now: f32,
    /// The signs made so far.
    pub made: Vec<Made>,
}

impl<'a> Performance<'a> {
    /// Begins with the hands at rest.
    pub fn new(person: &'a Person, chance: Chance) -> Self {
        let rest = person.rest.held(person, &mut Chance::new(0), 0.0);
        Performance {
            person,
            chance,
            lead: Curve::resting_at(rest),
            other: Curve::resting_at(rest),
            mouth: Curve::resting_at([0.0]),
            now: 0.0,
            made: Vec::new(),
        }
    }

    /// Does nothing for some seconds.
    pub fn wait(&mut self, seconds: f32) {
        self.now += seconds;
    }

    /// Makes a sign.
    pub fn sign(&mut self, sign: &Motion) {
        let (start, end) = self.make(sign, 0.35 * self.person.sloppiness, self.person.mouthing);
        self.made.push(Made { label: sign.name, start, end });
    }

    /// Moves without signing.
    pub fn fidget(&mut self, motion: &Motion) {
        self.make(motion, 1.0, if motion.both { 1.0 } else { 0.0 });
    }

    /// The hand that signs, and the other one, at `t` seconds.
    pub fn hands(&self, t: f32) -> [Held; 2] {
        [self.lead.at(t), self.other.at(t)]
    }

    /// How much the mouth moves at `t` seconds, 0..1.
    pub fn mouth(&self, t: f32) -> f32 {
        self.mouth.at(t)[0]
    }

    /// Lead-in, movement and lead-out; returns when the movement began and ended, seconds.
    fn make(&mut self, motion: &Motion, miss: f32, talk: f32) -> (f32, f32) {
        let tempo = self.person.tempo * self.chance.between(0.92, 1.08);
        let lead_in = self.chance.between(0.45, 0.75) / tempo;
        self.mouth.go(self.now + 0.5 * lead_in, 0.2, [talk]);
        self.go(&motion.enter.to, lead_in, miss, motion.both);
        let start = self.now;
        self.wait(motion.enter.stay / tempo);
        let [fewest, most] = motion.times;
        let beats = self.chance.between(fewest as f32, most as f32 + 1.0) as u32;
        for _ in 0..beats.min(most) {
            for step in motion.beat {
                // Nobody makes a beat exactly as the one before.
                self.go(&step.to, step.over / tempo, 0.4 * miss, motion.both);
                self.wait(step.stay / tempo);
            }
        }
        let end = self.now;
        self.mouth.go(end, 0.2, [0.0]);
        let lead_out = self.chance.between(0.50, 0.80) / tempo;
        self.go(&self.person.rest, lead_out, 0.2, motion.both);
        (start, end)
    }

    fn go(&mut self, to: &Stance, seconds: f32, miss: f32, both: bool) {
        let hands = [Some(&mut self.lead), both.then_some(&mut self.other)];
        for curve in hands.into_iter().flatten() {
            let held = to.held(self.person, &mut self.chance, miss);
            curve.go(self.now, seconds, short_way(&curve.latest(), held));
        }
        self.now += seconds;
    }
}
