//! Decisions before a sign has ended, as an option: when one label has led, sure enough, for long enough.
//!
//! One sign, one decision: what was decided early is not decided again at the end. Only where every row
//! is fed (`stream` models), so that a busy daemon decides what an idle one does.

use crate::frame::SourceTime;
use crate::segment::Begin;

/// What has led the hypotheses of the open sign.
#[derive(Clone, Copy, Debug)]
pub struct Early {
    /// Where the sign begins.
    pub begin: Begin,
    /// Frames missing since.
    pub lost: u64,
    /// The label that leads, sure enough, and since when.
    leader: Option<(u16, SourceTime)>,
    /// It has been decided.
    pub said: bool,
}

impl Early {
    /// A sign begins.
    pub fn new(begin: Begin) -> Self {
        Early { begin, lost: 0, leader: None, said: false }
    }

    /// Takes the label that is sure enough after a frame; whether it is now to be decided.
    pub fn push(&mut self, t: SourceTime, sure: Option<u16>, patience_ms: f64) -> bool {
        self.leader = match (sure, self.leader) {
            (Some(label), Some((same, since))) if label == same => Some((same, since)),
            (sure, _) => sure.map(|label| (label, t)),
        };
        let stable = |(_, since)| t.seconds_since(since) * 1e3 >= patience_ms;
        self.said |= patience_ms > 0.0 && self.leader.is_some_and(stable);
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One character per frame of 40 ms: the sure label, `.` none. The frame with which it is decided.
    fn decided(line: &str, patience_ms: f64) -> Option<usize> {
        let mut early = Early::new(Begin { row: 0, seq: 0, t: SourceTime(0) });
        line.bytes().enumerate().position(|(i, c)| {
            let sure = (c != b'.').then_some(u16::from(c));
            early.push(SourceTime(i as u64 * 40_000_000), sure, patience_ms)
        })
    }

    #[test]
    fn a_label_that_leads_for_long_enough_is_decided() {
        assert_eq!(decided("...bbbbbbbb", 200.0), Some(8));
        assert_eq!(decided("bbbb.bbbb", 200.0), None, "unsure in between");
        assert_eq!(decided("bbbbaaaaaaaa", 200.0), Some(9), "another one takes the lead");
        assert_eq!(decided("bbbbbbbbbbbb", 0.0), None, "off");
    }
}
