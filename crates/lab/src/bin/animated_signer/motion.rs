//! Motion between key poses.
//!
//! A hand that moves by itself from one place to another follows a *minimum-jerk* path. It starts and
//! ends at rest, and its speed rises and falls as a smooth bell.

/// `N` numbers that change together over time: keys of seconds and values, in order.
#[derive(Clone, Debug)]
pub struct MotionCurve<const N: usize>(Vec<(f32, [f32; N])>);

impl<const N: usize> MotionCurve<N> {
    /// A curve that stays at `value` until told otherwise.
    pub fn resting_at(value: [f32; N]) -> MotionCurve<N> {
        MotionCurve(vec![(0.0, value)])
    }

    /// The value that was set last.
    pub fn latest(&self) -> [f32; N] {
        self.0[self.0.len() - 1].1
    }

    /// Stays where it is until `start`, then goes to `value` within `seconds`. A start before the
    /// last key is moved to it.
    pub fn go(&mut self, start: f32, seconds: f32, value: [f32; N]) {
        let (last, latest) = self.0[self.0.len() - 1];
        let start = start.max(last);
        self.0.push((start, latest));
        self.0.push((start + seconds.max(1e-3), value));
    }

    /// The value at `t` seconds.
    pub fn at(&self, t: f32) -> [f32; N] {
        let next = self.0.partition_point(|(key, _)| *key <= t);
        if next == 0 || next == self.0.len() {
            return self.0[next.saturating_sub(1)].1;
        }
        let ((t0, a), (t1, b)) = (self.0[next - 1], self.0[next]);
        let s = (t - t0) / (t1 - t0);
        let eased = s * s * s * (10.0 - 15.0 * s + 6.0 * s * s);
        std::array::from_fn(|n| a[n] + (b[n] - a[n]) * eased)
    }
}
