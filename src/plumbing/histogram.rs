//! How long things take, counted in buckets.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets, ns: 10 us to 1 s. One more holds what is longer.
const BOUNDS: [u64; 16] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
];

/// A histogram that several threads may add to and read, without a lock.
#[derive(Debug, Default)]
pub struct AtomicHistogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Nanoseconds; enough for five centuries.
    sum: AtomicU64,
}

/// What a histogram held when it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSnapshot {
    /// All of it together, s.
    pub sum: f64,
    /// Upper bound, s, and how many lie between it and the one before; the last bound is infinite.
    pub buckets: [(f64, u64); BOUNDS.len() + 1],
}

impl AtomicHistogram {
    /// Adds one.
    pub fn add(&self, took: Duration) {
        let ns = took.as_nanos() as u64;
        self.buckets[BOUNDS.partition_point(|bound| *bound < ns)].fetch_add(1, Relaxed);
        self.sum.fetch_add(ns, Relaxed);
    }

    /// What it holds.
    pub fn read(&self) -> HistogramSnapshot {
        let buckets = std::array::from_fn(|i| {
            let bound = BOUNDS.get(i).map_or(f64::INFINITY, |ns| *ns as f64 / 1e9);
            (bound, self.buckets[i].load(Relaxed))
        });
        HistogramSnapshot { sum: self.sum.load(Relaxed) as f64 / 1e9, buckets }
    }
}

impl HistogramSnapshot {
    /// How many were added.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lies_in_the_bucket_whose_bound_it_does_not_exceed() {
        let histogram = AtomicHistogram::default();
        for ns in [0, 10_000, 10_001, 1_000_000_000, 1_000_000_001] {
            histogram.add(Duration::from_nanos(ns));
        }
        let read = histogram.read();
        let filled: Vec<_> = read.buckets.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [&(1e-5, 2), &(2.5e-5, 1), &(1.0, 1), &(f64::INFINITY, 1)]);
        assert_eq!(read.count(), 5);
        assert!((read.sum - 2.000_020_002).abs() < 1e-12, "{}", read.sum);
    }
}
