//! Is this the next frame of its stream? Decides from `seq`, `t` and arrival alone.
//!
//! The rules, in the words of `docs/wire-format.md`:
//! - `seq` and `t` both rise: accepted; a step of more than one in `seq` is frames *lost*.
//! - `t` does not rise: the frame is dropped. But if it fell by more than a second, the camera's
//!   clock was corrected, and the stream is *reset*.
//! - `seq` does not rise while `t` does: the producer restarted; *reset*.
//! - A producer restarts once and never returns to its old count. A second cause for a reset within
//!   two seconds, or a frame that continues the old count, means *two producers* on one stream id.
//!   From then on nothing resets the stream: what does not continue it is dropped, until either the
//!   quarrel or the stream itself has been silent for two seconds.

use crate::event::Reason;
use crate::frame::{Arrival, Frame, SourceTime};

/// A jump back of more than this is a corrected clock and not a late frame.
const CLOCK_BACK_S: f64 = 1.0;
/// How long a second producer is remembered, and how long an incumbent keeps the stream.
const QUARREL_NS: u64 = 2_000_000_000;
/// A frame at most this far ahead of an abandoned count continues it.
const CONTINUES: u64 = 60;

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one, after this many missing.
    Accept {
        /// Missing numbers just before it.
        lost: u64,
    },
    /// Forget what was known of the stream, then take it as the first.
    Reset(Reason),
    /// Ignore it.
    Drop(Misplaced),
}

/// Why a well-formed frame has no place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misplaced {
    /// Its capture time is not after the last one's.
    TimeNotRising,
    /// It belongs to a second producer on the same stream id.
    TwoProducers,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    seq: u64,
    t: SourceTime,
    arrival: Arrival,
}

/// The position of one stream.
#[derive(Clone, Debug, Default)]
pub struct Continuity {
    last: Option<Position>,
    /// The position given up by the latest reset.
    abandoned: Option<(Position, Arrival)>,
    /// When a second producer was last noticed.
    quarrel: Option<Arrival>,
}

impl Continuity {
    /// Judges a frame, and takes it as the new position unless it is dropped.
    pub fn judge(&mut self, frame: &Frame, arrival: Arrival) -> Verdict {
        let here = Position { seq: frame.seq, t: frame.t, arrival };
        let Some(last) = self.last else {
            self.last = Some(here);
            return Verdict::Accept { lost: 0 };
        };
        if here.seq > last.seq && here.t > last.t {
            let mut before = last;
            if here.seq != last.seq + 1
                && let Some(old) = self.continued(here)
            {
                self.quarrel = Some(arrival);
                before = old;
            }
            self.last = Some(here);
            return Verdict::Accept { lost: here.seq - before.seq - 1 };
        }
        let reason = if here.t > last.t {
            Reason::Restart
        } else if last.t.seconds_since(here.t) > CLOCK_BACK_S {
            Reason::ClockBack
        } else {
            return Verdict::Drop(Misplaced::TimeNotRising);
        };
        let again = recent(self.abandoned.map(|(_, at)| at), arrival);
        if recent(Some(last.arrival), arrival) && (again || recent(self.quarrel, arrival)) {
            self.quarrel = Some(arrival);
            return Verdict::Drop(Misplaced::TwoProducers);
        }
        self.abandoned = Some((last, arrival));
        self.quarrel = None;
        self.last = Some(here);
        Verdict::Reset(reason)
    }

    /// The last accepted frame.
    pub fn last(&self) -> Option<(u64, SourceTime)> {
        self.last.map(|p| (p.seq, p.t))
    }

    /// The abandoned position, if this one goes on from there.
    fn continued(&self, here: Position) -> Option<Position> {
        let (old, at) = self.abandoned?;
        let step = here.seq.checked_sub(old.seq)?;
        (recent(Some(at), here.arrival) && (1..=CONTINUES).contains(&step)).then_some(old)
    }
}

fn recent(event: Option<Arrival>, now: Arrival) -> bool {
    event.is_some_and(|at| now.0.saturating_sub(at.0) < QUARREL_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Feeds `(seq, t in ms)`, arriving as captured, and writes the verdicts in short.
    fn verdicts(frames: &[(u64, u64)]) -> String {
        let arrivals: Vec<_> = frames.iter().map(|&(seq, t)| (seq, t, t)).collect();
        verdicts_arriving(&arrivals)
    }

    /// Feeds `(seq, t in ms, arrival in ms)`.
    fn verdicts_arriving(frames: &[(u64, u64, u64)]) -> String {
        let mut continuity = Continuity::default();
        let mut words = Vec::new();
        for &(seq, t, arrival) in frames {
            let frame = Frame::new(seq, SourceTime(t * MS), 640, 480);
            words.push(match continuity.judge(&frame, Arrival(arrival * MS)) {
                Verdict::Accept { lost: 0 } => "ok".to_owned(),
                Verdict::Accept { lost } => format!("ok-{lost}"),
                Verdict::Reset(Reason::Restart) => "restart".to_owned(),
                Verdict::Reset(Reason::ClockBack) => "clock".to_owned(),
                Verdict::Reset(other) => format!("{other:?}"),
                Verdict::Drop(Misplaced::TimeNotRising) => "late".to_owned(),
                Verdict::Drop(Misplaced::TwoProducers) => "two".to_owned(),
            });
        }
        words.join(" ")
    }

    #[test]
    fn missing_numbers_are_lost_frames() {
        assert_eq!(verdicts(&[(0, 1), (1, 2), (4, 3), (5, 4)]), "ok ok ok-2 ok");
    }

    #[test]
    fn a_late_frame_is_dropped_and_a_corrected_clock_resets_once() {
        assert_eq!(verdicts(&[(0, 5000), (1, 5000), (2, 4500), (3, 5033)]), "ok late late ok-2");
        let frames = [(0, 9000, 0), (1, 5000, 33), (2, 5033, 66), (3, 5066, 99)];
        assert_eq!(verdicts_arriving(&frames), "ok clock ok ok");
    }

    #[test]
    fn a_restarted_producer_resets_once() {
        assert_eq!(
            verdicts(&[(70, 0), (71, 33), (0, 500), (1, 533), (2, 566)]),
            "ok ok restart ok ok"
        );
    }

    #[test]
    fn a_restart_just_after_the_start_is_not_two_producers() {
        let frames = [(0, 0), (1, 33), (0, 66), (1, 99), (2, 132), (3, 165)];
        assert_eq!(verdicts(&frames), "ok ok restart ok ok ok");
    }

    #[test]
    fn two_producers_with_different_counts() {
        let frames = [(100, 0), (5, 10), (101, 33), (6, 43), (102, 66), (7, 76)];
        assert_eq!(verdicts(&frames), "ok restart ok two ok two");
    }

    #[test]
    fn two_producers_with_the_same_count() {
        let frames = [(10, 0), (10, 5), (11, 33), (11, 38), (12, 66), (12, 71)];
        assert_eq!(verdicts(&frames), "ok restart ok two ok two");
    }

    #[test]
    fn two_producers_with_clocks_apart() {
        let frames = [
            (100, 0, 0),
            (5, 10_000, 10),
            (101, 33, 33),
            (6, 10_033, 43),
            (102, 66, 66),
            (7, 10_066, 76),
        ];
        assert_eq!(verdicts_arriving(&frames), "ok restart two ok two ok");
    }

    #[test]
    fn the_rest_takes_over_when_the_incumbent_has_been_silent() {
        let mut frames = vec![(100, 0), (5, 10), (101, 33)];
        frames.extend((1..80).map(|i| (5 + i, 10 + 33 * i)));
        let words = verdicts(&frames);
        assert_eq!(words.matches("restart").count(), 2, "{words}");
        assert!(words.ends_with("ok ok ok"), "{words}");
    }

    #[test]
    fn numbers_at_the_edge_do_not_overflow() {
        assert_eq!(verdicts(&[(u64::MAX - 1, 1), (u64::MAX, 2), (u64::MAX, 3)]), "ok ok restart");
        assert_eq!(verdicts(&[(0, 1), (u64::MAX, 2)]), format!("ok ok-{}", u64::MAX - 1));
    }
}
