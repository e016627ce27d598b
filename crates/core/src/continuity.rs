//! Is this the next frame of its stream? Decides from `seq`, `t` and arrival alone.
//!
//! The rules, in the words of `docs/wire-format.md`:
//! - `seq` and `t` both rise: accepted. A step of more than one in `seq` is frames *lost*.
//! - `t` does not rise: the frame is dropped. But if it fell by more than a second, the camera's
//!   clock was corrected, and the stream is *reset*.
//! - `seq` does not rise while `t` does: the producer restarted; *reset*.
//! - `seq` is further ahead than a camera gets in that capture time: another producer. It resets the
//!   stream only when the incumbent has been silent for two seconds.
//! - A producer restarts once and never returns to its old count. A second cause for a reset within
//!   two seconds, or a frame that continues the old count, means *two producers* on one stream id.
//!   From then on nothing resets the stream: what does not continue it is dropped, until either the
//!   quarrel or the stream itself has been silent for two seconds.
//!
//! Arrivals are read from a clock that may step. A step ahead is taken for silence. After a step back
//! it is unknown how long ago anything was, so nothing before it counts as recent.

use crate::event::StatusReason;
use crate::frame::{ArrivalTime, Frame, SourceTime};

/// A jump back of more than this is a corrected clock and not a late frame.
const CLOCK_BACK_S: f64 = 1.0;
/// How long a second producer is remembered, and how long an incumbent keeps the stream.
const QUARREL_NS: u64 = 2_000_000_000;
/// A frame at most this far ahead of an abandoned count continues it.
const CONTINUES: u64 = 60;
/// Two producers do not take turns evenly: one may send so many frames more than the other.
const UNEVEN: u64 = 2;
/// A loss of this many frames needs no time: a producer may number frames that it never captured.
const ANYHOW: u64 = 60;
/// From frame to frame of the fastest camera there may be, at 1000 frames a second.
const SHORTEST_NS: u64 = 1_000_000;
/// From frame to frame of the fastest camera that films people, at 120 frames a second.
const SHORT_NS: u64 = 8_333_333;

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContinuityVerdict {
    /// It is the next one, after this many missing.
    Accept {
        /// Missing numbers just before it.
        lost: u64,
    },
    /// Forget what was known of the stream, then take it as the first.
    Reset(StatusReason),
    /// Ignore it.
    Drop(MisplacedReason),
}

/// Why a well-formed frame has no place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MisplacedReason {
    /// Its capture time is not after the last one's.
    TimeNotRising,
    /// It belongs to a second producer on the same stream id.
    TwoProducers,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    seq: u64,
    t: SourceTime,
    arrival: ArrivalTime,
}

/// A count that a reset has given up.
#[derive(Clone, Copy, Debug)]
struct Abandoned {
    /// Its last frame.
    last: Position,
    /// When it was given up.
    at: ArrivalTime,
    /// Frames accepted since then.
    since: u64,
}

/// A second producer, as last noticed.
#[derive(Clone, Copy, Debug)]
struct Quarrel {
    at: ArrivalTime,
    /// Number of its frame.
    seq: u64,
    /// Capture time of its frame.
    t: SourceTime,
    /// Number of the incumbent's last frame then.
    incumbent: u64,
}

impl Quarrel {
    fn with(rival: Position, incumbent: Position) -> Quarrel {
        Quarrel { at: rival.arrival, seq: rival.seq, t: rival.t, incumbent: incumbent.seq }
    }

    /// Whether the rival's frame jumped ahead of the last one, and this one as far ahead of the rival's.
    /// A rival counts its frames, or the incumbent sends in between. Else there is one producer, and its numbers jump.
    fn is_a_step(self, last: Position, here: Position) -> bool {
        let jumps = |seq: u64, t: SourceTime, to: u64, at: SourceTime| {
            to.checked_sub(seq).is_some_and(|step| step > ANYHOW + most(t, at, SHORTEST_NS))
        };
        recent(self.at, here.arrival)
            && self.incumbent == last.seq
            && jumps(last.seq, last.t, self.seq, self.t)
            && jumps(self.seq, self.t, here.seq, here.t)
    }
}

/// The position of one stream.
#[derive(Clone, Debug, Default)]
pub struct Continuity {
    last: Option<Position>,
    /// A step of a camera was accepted in this count: its numbers count frames.
    counts: bool,
    /// Numbers jump with every frame, as when they are microseconds: then a jump tells nothing.
    jumps: bool,
    /// What the latest reset has given up.
    abandoned: Option<Abandoned>,
    quarrel: Option<Quarrel>,
}

impl Continuity {
    /// Judges a frame, and takes it as the new position unless it is dropped.
    pub fn judge(&mut self, frame: &Frame, arrival: ArrivalTime) -> ContinuityVerdict {
        let here = Position { seq: frame.seq, t: frame.t, arrival };
        let Some(last) = self.last else {
            self.last = Some(here);
            return ContinuityVerdict::Accept { lost: 0 };
        };
        if arrival < last.arrival {
            self.abandoned = None;
            self.quarrel = None;
        }
        let reason = if here.t <= last.t {
            if last.t.seconds_since(here.t) <= CLOCK_BACK_S {
                return ContinuityVerdict::Drop(MisplacedReason::TimeNotRising);
            }
            StatusReason::ClockBack
        } else if here.seq <= last.seq {
            StatusReason::Restart
        } else if let Some(old) = self.continued(last, here) {
            self.quarrel = Some(Quarrel { at: arrival, ..Quarrel::with(last, here) });
            return self.accept(old, here);
        } else if self.follows(last, here) {
            return self.accept(last, here);
        } else if !self.counts && self.quarrel.is_some_and(|rival| rival.is_a_step(last, here)) {
            self.jumps = true;
            return self.accept(last, here);
        } else {
            self.quarrel = Some(Quarrel::with(here, last));
            StatusReason::Restart
        };
        let again = self.abandoned.is_some_and(|abandoned| recent(abandoned.at, arrival));
        let quarrel = self.quarrel.is_some_and(|quarrel| recent(quarrel.at, arrival));
        if recent(last.arrival, arrival) && (again || quarrel) {
            self.quarrel = Some(Quarrel::with(here, last));
            return ContinuityVerdict::Drop(MisplacedReason::TwoProducers);
        }
        self.abandoned = Some(Abandoned { last, at: arrival, since: 1 });
        self.quarrel = None;
        self.jumps = false;
        self.counts = false;
        self.last = Some(here);
        ContinuityVerdict::Reset(reason)
    }

    /// The last accepted frame.
    #[must_use]
    pub fn last(&self) -> Option<(u64, SourceTime)> {
        self.last.map(|p| (p.seq, p.t))
    }

    fn accept(&mut self, before: Position, here: Position) -> ContinuityVerdict {
        self.last = Some(here);
        self.counts |= here.seq - before.seq <= ANYHOW;
        if let Some(abandoned) = &mut self.abandoned {
            abandoned.since += 1;
        }
        ContinuityVerdict::Accept { lost: here.seq - before.seq - 1 }
    }

    /// The abandoned position, if its producer has gone on and this frame is its next.
    fn continued(&self, last: Position, here: Position) -> Option<Position> {
        let Abandoned { last: old, at, since } = self.abandoned?;
        let step = here.seq.checked_sub(old.seq)?;
        // Else the present count is the nearer one.
        let ahead = old.seq > last.seq;
        // It has sent as many frames as were accepted of the other producer meanwhile.
        let there = (1..=CONTINUES).contains(&step) && step + UNEVEN >= since;
        // Else time has passed for a loss in the present count.
        let at_once = here.seq - last.seq > most(last.t.max(old.t), here.t, SHORT_NS);
        (recent(at, here.arrival) && ahead && there && at_once).then_some(old)
    }

    /// Whether a frame with a higher number may be the next one of the present count.
    fn follows(&self, last: Position, here: Position) -> bool {
        let step = here.seq - last.seq;
        let reached = ANYHOW + most(last.t, here.t, SHORTEST_NS);
        // A second producer that was too far ahead stays one while time goes on.
        let rival = self.quarrel.is_some_and(|quarrel| {
            recent(quarrel.at, here.arrival) && (last.seq + 1..=here.seq).contains(&quarrel.seq)
        });
        step <= ANYHOW || self.jumps || (step <= reached && !rival)
    }
}

/// Most frames that a camera captures from one time to another.
fn most(from: SourceTime, to: SourceTime, shortest_ns: u64) -> u64 {
    to.0.saturating_sub(from.0) / shortest_ns
}

/// Whether it was less than two seconds ago. What lies ahead, by a clock that stepped back, was not.
fn recent(event: ArrivalTime, now: ArrivalTime) -> bool {
    now.0.checked_sub(event.0).is_some_and(|age| age < QUARREL_NS)
}

#[cfg(test)]
#[path = "continuity_tests.rs"]
mod tests;
