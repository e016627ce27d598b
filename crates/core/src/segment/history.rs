//! The latest frames, for trimming, pre-roll and post-roll.

use std::collections::VecDeque;

use super::{Segment, SegmentSettings, SegmentStart, SegmenterInput};
use crate::event::EndReason;

/// Frames remembered; 8 s at 120 frames a second.
const LENGTH: usize = 1024;

/// The latest frames of one stream.
#[derive(Clone, Debug)]
pub struct FrameHistory(VecDeque<SegmenterInput>);

impl Default for FrameHistory {
    fn default() -> Self {
        FrameHistory(VecDeque::with_capacity(LENGTH))
    }
}

impl FrameHistory {
    /// Takes a frame.
    pub fn push(&mut self, now: SegmenterInput) {
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The latest frame.
    pub fn latest(&self) -> Option<&SegmenterInput> {
        self.0.back()
    }

    /// All frames, the latest first.
    pub fn back(&self) -> impl Iterator<Item = &SegmenterInput> {
        self.0.iter().rev()
    }

    /// The frame that settled a row; the oldest one kept if that is later.
    pub fn of_row(&self, row: u64) -> Option<SegmenterInput> {
        self.0.get(self.0.partition_point(|g| g.row < row)).copied()
    }

    /// A sign that begins with this frame.
    pub fn begin(&self, from: SegmenterInput, settings: &SegmentSettings) -> SegmentStart {
        let within = |g: &&SegmenterInput| from.t.seconds_since(g.t) * 1e3 <= settings.pre_roll_ms;
        let row = self.0.iter().find(within).map_or(from.row, |g| g.row);
        let since = self.back().take_while(|g| g.seq > from.seq);
        SegmentStart { row, seq: from.seq, t: from.t, lost: total(since) }
    }

    /// The sign from one frame to another, unless it is too short to be one.
    pub fn segment(
        &self,
        start: SegmenterInput,
        end: SegmenterInput,
        ended: EndReason,
        settings: &SegmentSettings,
    ) -> Option<Segment> {
        if end.t.seconds_since(start.t) * 1e3 < settings.min_ms {
            return None;
        }
        let within = |g: &&SegmenterInput| g.t.seconds_since(end.t) * 1e3 <= settings.post_roll_ms;
        let end_row = self.back().find(within).map_or(end.row, |g| g.row);
        let inside = self.0.iter().filter(|g| g.seq > start.seq && g.seq <= end.seq);
        Some(Segment {
            start_seq: start.seq,
            end_seq: end.seq,
            start_t: start.t,
            end_t: end.t,
            end_row,
            lost: total(inside),
            ended,
            presence: 1.0,
        })
    }
}

/// Frames missing before these, together.
fn total<'a>(frames: impl Iterator<Item = &'a SegmenterInput>) -> u64 {
    frames.map(|g| g.lost).fold(0, u64::saturating_add)
}
