//! Signs as a [`Tagger`] sees them.
//!
//! After each row it says twice whether a sign is being made: in this row, which is quick, and in the one
//! a sixth of a second before, which is sure. The sure answer makes the segments, with hysteresis: a sign
//! begins where it rises above one probability and ends where it falls below another. The quick one
//! makes *onset* and *offset*: a sign seems to begin, or to be over. So a pause in which the hands stay
//! where the sign is made (a hold, a repetition) is part of the sign, and a sign is made twice when they
//! leave in between.

use std::sync::Arc;

use super::history::FrameHistory;
use super::tagger::{Tagger, TaggerAnswer, TaggerState};
use super::{Segment, SegmentChange, SegmentSettings, SegmentStart, SegmenterInput, odds};
use crate::event::{EndReason, SignState};

/// What is known of one stream.
#[derive(Clone, Debug)]
pub struct TaggerSegmenter {
    settings: SegmentSettings,
    tagger: Arc<Tagger>,
    tagger_state: TaggerState,
    state: SignState,
    history: FrameHistory,
    /// First frame of the sign.
    start: Option<SegmenterInput>,
    /// Last frame before the offset.
    stop: Option<SegmenterInput>,
    /// Sum and number of the sure answers in it.
    answers: (f32, f32),
}

impl TaggerSegmenter {
    /// A segmenter that has seen nothing.
    #[must_use]
    pub fn new(settings: SegmentSettings, tagger: Arc<Tagger>) -> Self {
        let tagger_state = TaggerState::new(&tagger);
        TaggerSegmenter {
            settings,
            tagger,
            tagger_state,
            state: SignState::Idle,
            history: FrameHistory::default(),
            start: None,
            stop: None,
            answers: (0.0, 0.0),
        }
    }

    /// The state after the latest frame.
    #[must_use]
    pub fn state(&self) -> SignState {
        self.state
    }

    /// What it was told of the latest frame; none after an end that forgot all frames.
    #[must_use]
    pub fn latest(&self) -> Option<&SegmenterInput> {
        self.history.latest()
    }

    /// Takes a frame and the rows that it settled; `told` hears of each row.
    pub fn push(
        &mut self,
        now: SegmenterInput,
        rows: &[f32],
        mut told: impl FnMut(SegmentChange, SignState),
    ) {
        self.history.push(now);
        let width = self.tagger.width;
        let first = now.row + 1 - (rows.len() / width) as u64;
        for (row, values) in (first..).zip(rows.chunks_exact(width)) {
            let tag = self.tagger_state.push(&self.tagger, values);
            let change = self.take(row, tag);
            told(change, self.state);
        }
    }

    /// Takes the tag of a row.
    fn take(&mut self, row: u64, tag: TaggerAnswer) -> SegmentChange {
        // The frame that the sure answer is about.
        let sure = row.saturating_sub(self.tagger.delay);
        let Some(at) = self.history.of_row(sure) else { return SegmentChange::default() };
        let Some(start) = self.start else {
            return SegmentChange { end: None, begin: self.wait(row, at, tag) };
        };
        let long = at.t.seconds_since(start.t) * 1e3 >= self.settings.max_ms;
        if tag.then >= self.settings.leave && !long {
            self.answers = (self.answers.0 + tag.then, self.answers.1 + 1.0);
            self.go_on(row, tag);
            return SegmentChange::default();
        }
        let now = self.history.latest().unwrap_or(&at);
        let why = match (long, now.visible) {
            (true, _) => EndReason::Length,
            (_, false) => EndReason::Hidden,
            _ => EndReason::Rest,
        };
        let last = self.history.of_row(sure.saturating_sub(1)).unwrap_or(at);
        let end = self.segment(start, last, why);
        self.rest();
        SegmentChange { end, begin: self.wait(row, at, tag) }
    }

    /// No sign is open: whether one begins, or seems to.
    fn wait(&mut self, row: u64, at: SegmenterInput, tag: TaggerAnswer) -> Option<SegmentStart> {
        let SegmentSettings { enter, leave, .. } = self.settings;
        if tag.then >= enter {
            self.start = Some(at);
            self.answers = (tag.then, 1.0);
            self.go_on(row, tag);
            return Some(self.history.begin(at, &self.settings));
        }
        let before = self.state;
        let least = if before == SignState::Onset { leave } else { enter };
        self.state = if tag.now >= least { SignState::Onset } else { SignState::Idle };
        let begins = before != SignState::Onset && self.state == SignState::Onset;
        let now = self.history.of_row(row).filter(|_| begins)?;
        Some(self.history.begin(now, &self.settings))
    }

    /// Within a sign: whether it seems to be over.
    fn go_on(&mut self, row: u64, tag: TaggerAnswer) {
        let over = tag.now < self.settings.leave;
        if over && self.state != SignState::Offset {
            self.stop = self.history.of_row(row.saturating_sub(1));
        }
        self.state = if over { SignState::Offset } else { SignState::Signing };
    }

    /// Ends an open sign at the last frame known, or where it seemed to be over, and forgets all frames.
    pub fn close(&mut self, ended: EndReason) -> Option<Segment> {
        let stop = self.stop.filter(|_| self.state == SignState::Offset);
        let last = stop.or(self.history.latest().copied());
        let open = self.start.zip(last);
        let end = open.and_then(|(start, last)| self.segment(start, last, ended));
        self.rest();
        self.history.clear();
        self.tagger_state.restart();
        end
    }

    fn segment(
        &self,
        start: SegmenterInput,
        end: SegmenterInput,
        why: EndReason,
    ) -> Option<Segment> {
        let segment = self.history.segment(start, end, why, &self.settings)?;
        let (sum, count) = self.answers;
        let presence = odds(sum / count) / odds(self.tagger.usual);
        Some(Segment { presence, ..segment })
    }

    fn rest(&mut self) {
        self.state = SignState::Idle;
        self.start = None;
        self.stop = None;
    }
}

#[cfg(test)]
#[path = "tagger_segmenter_tests.rs"]
mod tests;
