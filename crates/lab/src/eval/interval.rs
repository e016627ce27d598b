//! 95 % confidence intervals of two kinds, which answer different questions.
//!
//! Wilson's interval takes every clip for an independent draw. It says how far off the share could be
//! if more clips of *these* signers came.
//!
//! The bootstrap draws signers, because the clips of one signer go right or wrong together. It says how
//! far off the share could be for signers not seen yet, and is the one to quote. With few signers it is
//! itself rough, and rather too narrow than too wide.

use crate::random::SplitMix64;

/// Lower and upper bound.
pub type ConfidenceInterval = [f64; 2];

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Draws of the bootstrap.
const DRAWS: usize = 2000;
/// The same draws every time: two runs give the same bytes.
const SEED: u64 = 0x5167_6e64;

/// Wilson's score interval for `k` of `n` (*JASA* 22, 1927), recommended for small n by Brown, Cai
/// and DasGupta (*Statistical Science* 16, 2001). None for an `n` of 0.
pub fn wilson(k: usize, n: usize) -> Option<ConfidenceInterval> {
    if n == 0 {
        return None;
    }
    let (n, share) = (n as f64, k as f64 / n as f64);
    let spread = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / spread;
    let half = Z / spread * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not push 0 of n below 0.
    Some([(middle - half).max(0.0), (middle + half).min(1.0)])
}

/// Percentile interval of a statistic over draws of as many signers as there are, with replacement
/// (the cluster bootstrap: Davison and Hinkley, *Bootstrap Methods and their Application*, 1997,
/// section 3.8). `statistic` is given how often each signer was drawn. Draws for which it has no value
/// are left out. None for fewer than two signers, or when half of the draws or more have no value.
pub fn over_signers(
    signers: usize,
    statistic: impl Fn(&[f64]) -> Option<f64>,
) -> Option<ConfidenceInterval> {
    if signers < 2 {
        return None;
    }
    let (mut random, mut drawn) = (SplitMix64(SEED), vec![0.0; signers]);
    let mut values: Vec<f64> = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        drawn.fill(0.0);
        for _ in 0..signers {
            drawn[random.below(signers)] += 1.0;
        }
        values.extend(statistic(&drawn));
    }
    if values.len() <= DRAWS / 2 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
    Some([at(0.025), at(0.975)])
}

/// The exact interval of a Poisson mean of which `events` were counted: Garwood, *Biometrika* 28
/// (1936). None were counted: 0 to 3.69 (one-sided, the rule of three: at most 3).
pub fn poisson(events: usize) -> ConfidenceInterval {
    let at_most = |count: usize, mean: f64| {
        // Terms by their logarithms: e^-mean alone would vanish for large means.
        let mut term = -mean;
        let mut sum = term.exp();
        for i in 1..=count {
            term += (mean / i as f64).ln();
            sum += term.exp();
        }
        sum
    };
    let mean_at = |count: usize, share: f64| {
        let (mut low, mut high) = (0.0, 2.0 * count as f64 + 20.0);
        // The share of at most `count` falls as the mean grows; 60 halvings leave nothing to gain.
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            *(if at_most(count, middle) > share { &mut low } else { &mut high }) = middle;
        }
        low
    };
    let low = events.checked_sub(1).map_or(0.0, |fewer| mean_at(fewer, 0.975));
    [low, mean_at(events, 0.025)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_as_published() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        let published = [
            (81, 263, [0.2553, 0.3662]),
            (15, 148, [0.0624, 0.1605]),
            (0, 20, [0.0, 0.1611]),
            (1, 29, [0.0061, 0.1718]),
        ];
        for (k, n, [low, high]) in published {
            let found = wilson(k, n).expect("clips");
            assert!((found[0] - low).abs() < 5e-5 && (found[1] - high).abs() < 5e-5, "{found:?}");
        }
        assert_eq!(wilson(5, 5).map(|interval| interval[1]), Some(1.0));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn poisson_as_published() {
        // Ulm, American Journal of Epidemiology 131 (1990), after Pearson and Hartley's tables.
        for (events, low, high) in
            [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (100, 81.36, 121.63)]
        {
            let found = poisson(events);
            assert!((found[0] - low).abs() < 5e-3 && (found[1] - high).abs() < 5e-3, "{found:?}");
        }
    }

    #[test]
    fn the_bootstrap_is_the_same_every_time_and_knows_the_spread_of_a_mean() {
        // Forty signers, half of them at 1: the mean's deviation is 0.5 / sqrt(40) = 0.079.
        let mean = |drawn: &[f64]| {
            let ones: f64 = drawn.iter().step_by(2).sum();
            Some(ones / drawn.iter().sum::<f64>())
        };
        let interval = over_signers(40, mean).expect("signers");
        assert_eq!(over_signers(40, mean), Some(interval));
        let [low, high] = interval;
        assert!((low - 0.345).abs() < 0.03 && (high - 0.655).abs() < 0.03, "{interval:?}");
    }

    #[test]
    fn one_signer_says_nothing_about_others() {
        assert_eq!(over_signers(1, |_| Some(0.5)), None);
        assert_eq!(over_signers(9, |_| None), None);
    }
}
