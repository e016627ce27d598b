//! When the frames of a recording are due, so that it is played as it came.

use std::time::Duration;

/// A longer pause is played as one of this length: cameras pause, and clocks step ahead.
const LONGEST: Duration = Duration::from_secs(60);

/// What a step back of the clock takes: little, but frames sent with these times rise.
const STEP: Duration = Duration::from_millis(1);

/// The pace of one clock's times.
#[derive(Debug, Default)]
pub struct PlaybackPace {
    before: Option<u64>,
    due: Duration,
}

impl PlaybackPace {
    /// Begins when this much has been played.
    pub fn from(due: Duration) -> Self {
        PlaybackPace { before: None, due }
    }

    /// When the item of the next time, ns, is due after the beginning. The items after a step of the clock
    /// keep their distances.
    pub fn due(&mut self, time: u64) -> Duration {
        self.due += match time.checked_sub(self.before.unwrap_or(time)) {
            Some(pause) => Duration::from_nanos(pause).min(LONGEST),
            None => STEP,
        };
        self.before = Some(time);
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // chronos#85
    #[test]
    fn a_clock_that_steps_neither_stops_the_play_nor_lets_it_race() {
        const S: u64 = 1_000_000_000;
        let due = |times: &[u64]| {
            let mut pace = PlaybackPace::default();
            times.iter().map(|t| pace.due(*t).as_secs()).collect::<Vec<_>>()
        };
        assert_eq!(due(&[7 * S, 8 * S, 10 * S]), [0, 1, 3]);
        assert_eq!(due(&[7000 * S, 7001 * S, 5 * S, 6 * S, 7 * S]), [0, 1, 1, 2, 3]);
        assert_eq!(due(&[S, 2 * S, 9000 * S, 9001 * S, u64::MAX]), [0, 1, 61, 62, 122]);
    }
}
