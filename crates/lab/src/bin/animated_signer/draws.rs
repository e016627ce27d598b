//! Random draws of the signer, all from one seed, and smooth noise made of them.

use std::f32::consts::TAU;

use signd_lab::random::SplitMix64;

use crate::space::{SpaceVector, v};

/// The draws that make up a signer, a camera and their faults.
#[derive(Clone, Debug)]
pub struct SeededDraws(SplitMix64);

impl SeededDraws {
    /// The numbers of that seed.
    pub fn new(seed: u64) -> SeededDraws {
        SeededDraws(SplitMix64(seed))
    }

    /// A generator of its own for one concern, so that drawing more for one changes no other.
    pub fn fork(&mut self) -> SeededDraws {
        SeededDraws(SplitMix64(self.0.bits()))
    }

    /// Even over 0..1, without 1.
    pub fn unit(&mut self) -> f32 {
        // 24 bits are all that a float can tell apart below one.
        (self.0.bits() >> 40) as f32 / 16_777_216.0
    }

    /// Even over `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with that probability.
    pub fn happens(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// One of the choices.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.unit() * choices.len() as f32) as usize % choices.len()]
    }

    /// About normal (twelve even numbers added), never beyond six deviations.
    pub fn normal(&mut self, mean: f32, deviation: f32) -> f32 {
        let sum: f32 = (0..12).map(|_| self.unit()).sum();
        mean + deviation * (sum - 6.0)
    }

    /// Three normal numbers of that deviation.
    pub fn normal3(&mut self, deviation: f32) -> SpaceVector {
        v(self.normal(0.0, deviation), self.normal(0.0, deviation), self.normal(0.0, deviation))
    }
}

/// A smooth aimless motion around zero: per axis three sines of unrelated frequency.
#[derive(Clone, Debug)]
pub struct SmoothNoise([[[f32; 3]; 3]; 3]);

impl SmoothNoise {
    /// About `size` large, at frequencies over `low..high` Hz.
    pub fn new(draws: &mut SeededDraws, size: f32, low: f32, high: f32) -> SmoothNoise {
        let mut wave = || {
            let (size, hz) = (size * draws.between(0.2, 0.8), draws.between(low, high));
            [size, TAU * hz, draws.between(0.0, TAU)]
        };
        SmoothNoise(std::array::from_fn(|_| std::array::from_fn(|_| wave())))
    }

    /// Where it is at `t` seconds.
    pub fn at(&self, t: f32) -> SpaceVector {
        let axis = |i: usize| self.0[i].iter().map(|[size, w, at]| size * (w * t + at).sin()).sum();
        v(axis(0), axis(1), axis(2))
    }
}
