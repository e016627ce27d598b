//! Decisions before a sign has ended, as an option: when one label has led, sure enough, for long enough.
//!
//! One sign, one decision: what was decided early is not decided again at the end. Only where every row
//! is fed (`stream` models), so that a busy daemon decides what an idle one does.

use signd_core::event::SignState;
use signd_core::frame::SourceTime;
use signd_core::segment::SegmentStart;

/// What has led the hypotheses of the open sign.
#[derive(Clone, Copy, Debug)]
pub struct EarlyDecision {
    /// Where the sign begins.
    pub begin: SegmentStart,
    /// Frames missing since, as far as counted.
    pub lost: u64,
    /// The latest frame that was counted.
    seq: u64,
    /// The label that leads, sure enough, and since when.
    leader: Option<(u16, SourceTime)>,
    /// It has been decided.
    pub decided: bool,
}

impl EarlyDecision {
    /// A sign begins; that is known with the frame of this number.
    pub fn new(begin: SegmentStart, seq: u64) -> Self {
        EarlyDecision { begin, lost: begin.lost, seq, leader: None, decided: false }
    }

    /// A frame, before which some are missing.
    pub fn count(&mut self, seq: u64, lost: u64) {
        if seq > self.seq {
            (self.seq, self.lost) = (seq, self.lost.saturating_add(lost));
        }
    }

    /// Takes the label that is sure enough after a frame of the sign, or of its offset, in which nothing is
    /// decided; whether it is now to be decided.
    pub fn push(
        &mut self,
        t: SourceTime,
        sure: Option<u16>,
        state: SignState,
        patience_ms: f64,
    ) -> bool {
        self.leader = match (sure, self.leader) {
            (Some(label), Some((same, since))) if label == same => Some((same, since)),
            (sure, _) => sure.map(|label| (label, t)),
        };
        let stable = |(_, since)| t.seconds_since(since) * 1e3 >= patience_ms;
        self.decided |= state == SignState::Signing && self.leader.is_some_and(stable);
        self.decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: SegmentStart = SegmentStart { row: 0, seq: 0, t: SourceTime(0), lost: 2 };

    /// One character per frame of 40 ms: the sure label, a capital in the offset, `.` none. The frame with
    /// which it is decided, led for 200 ms.
    fn decided(line: &str) -> Option<usize> {
        let mut early = EarlyDecision::new(BEGIN, 0);
        line.chars().enumerate().position(|(i, c)| {
            let sure = (c != '.').then_some(c.to_ascii_lowercase() as u16);
            let state = if c.is_ascii_uppercase() { SignState::Offset } else { SignState::Signing };
            early.push(SourceTime(i as u64 * 40_000_000), sure, state, 200.0)
        })
    }

    #[test]
    fn a_label_that_leads_for_long_enough_is_decided() {
        assert_eq!(decided("...bbbbbbbb"), Some(8));
        assert_eq!(decided("bbbb.bbbb"), None, "unsure in between");
        assert_eq!(decided("bbbbaaaaaaaa"), Some(9), "another one takes the lead");
    }

    #[test]
    fn in_the_offset_nothing_is_decided_but_the_lead_may_be_lost() {
        assert_eq!(decided("bbbbBBBb"), Some(7));
        assert_eq!(decided("bbbbAAbbbbbb"), Some(11));
    }

    #[test]
    fn missing_frames_are_counted_once_also_those_before_the_begin_was_known() {
        let mut early = EarlyDecision::new(BEGIN, 10);
        early.count(10, 2);
        assert_eq!(early.lost, 2, "the frame with which the begin was known");
        early.count(11, 0);
        early.count(15, 3);
        assert_eq!(early.lost, 5);
    }
}
