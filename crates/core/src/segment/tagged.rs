//! Signs as a [`Tagger`] sees them.
//!
//! After each row it says twice whether a sign is being made: in this row, which is quick, and in the one
//! a sixth of a second before, which is sure. The sure answer makes the segments, with hysteresis: a sign
//! begins where it rises above one probability and ends where it falls below another. The quick one
//! makes *onset* and *offset*: a sign seems to begin, or to be over. So a pause in which the hands stay
//! where the sign is made (a hold, a repetition) is part of the sign, and a sign is made twice when they
//! leave in between.

use std::sync::Arc;

use super::history::History;
use super::tagger::{Course, Tag, Tagger};
use super::{Begin, Change, Glance, Segment, SegmentSettings, odds};
use crate::event::{Ended, State};

/// What is known of one stream.
#[derive(Clone, Debug)]
pub struct Tagged {
    settings: SegmentSettings,
    tagger: Arc<Tagger>,
    course: Course,
    state: State,
    history: History,
    /// First frame of the sign.
    start: Option<Glance>,
    /// Last frame before the offset.
    stop: Option<Glance>,
    /// Sum and number of the sure answers in it.
    answers: (f32, f32),
}

impl Tagged {
    /// A segmenter that has seen nothing.
    pub fn new(settings: SegmentSettings, tagger: Arc<Tagger>) -> Self {
        let course = Course::new(&tagger);
        Tagged {
            settings,
            tagger,
            course,
            state: State::Idle,
            history: History::default(),
            start: None,
            stop: None,
            answers: (0.0, 0.0),
        }
    }

    /// The state after the latest frame.
    pub fn state(&self) -> State {
        self.state
    }

    /// What it was told of the latest frame; none after an end that forgot all frames.
    pub fn latest(&self) -> Option<&Glance> {
        self.history.latest()
    }

    /// Takes a frame and the rows that it settled; `told` hears of each row.
    pub fn push(&mut self, now: Glance, rows: &[f32], mut told: impl FnMut(Change, State)) {
        self.history.push(now);
        let width = self.tagger.width;
        let first = now.row + 1 - (rows.len() / width) as u64;
        for (row, values) in (first..).zip(rows.chunks_exact(width)) {
            let tag = self.course.push(&self.tagger, values);
            let change = self.take(row, tag);
            told(change, self.state);
        }
    }

    /// Takes the tag of a row.
    fn take(&mut self, row: u64, tag: Tag) -> Change {
        // The frame that the sure answer is about.
        let sure = row.saturating_sub(self.tagger.delay);
        let Some(at) = self.history.of_row(sure) else { return Change::default() };
        let Some(start) = self.start else {
            return Change { end: None, begin: self.wait(row, at, tag) };
        };
        let long = at.t.seconds_since(start.t) * 1e3 >= self.settings.max_ms;
        if tag.then >= self.settings.leave && !long {
            self.answers = (self.answers.0 + tag.then, self.answers.1 + 1.0);
            self.go_on(row, tag);
            return Change::default();
        }
        let now = self.history.latest().unwrap_or(&at);
        let why = match (long, now.visible) {
            (true, _) => Ended::Length,
            (_, false) => Ended::Hidden,
            _ => Ended::Rest,
        };
        let last = self.history.of_row(sure.saturating_sub(1)).unwrap_or(at);
        let end = self.segment(start, last, why);
        self.rest();
        Change { end, begin: self.wait(row, at, tag) }
    }

    /// No sign is open: whether one begins, or seems to.
    fn wait(&mut self, row: u64, at: Glance, tag: Tag) -> Option<Begin> {
        let SegmentSettings { enter, leave, .. } = self.settings;
        if tag.then >= enter {
            self.start = Some(at);
            self.answers = (tag.then, 1.0);
            self.go_on(row, tag);
            return Some(self.history.begin(at, &self.settings));
        }
        let before = self.state;
        let least = if before == State::Onset { leave } else { enter };
        self.state = if tag.now >= least { State::Onset } else { State::Idle };
        let begins = before != State::Onset && self.state == State::Onset;
        let now = self.history.of_row(row).filter(|_| begins)?;
        Some(self.history.begin(now, &self.settings))
    }

    /// Within a sign: whether it seems to be over.
    fn go_on(&mut self, row: u64, tag: Tag) {
        let over = tag.now < self.settings.leave;
        if over && self.state != State::Offset {
            self.stop = self.history.of_row(row.saturating_sub(1));
        }
        self.state = if over { State::Offset } else { State::Signing };
    }

    /// Ends an open sign at the last frame known, or where it seemed to be over, and forgets all frames.
    pub fn close(&mut self, ended: Ended) -> Option<Segment> {
        let stop = self.stop.filter(|_| self.state == State::Offset);
        let last = stop.or(self.history.latest().copied());
        let open = self.start.zip(last);
        let end = open.and_then(|(start, last)| self.segment(start, last, ended));
        self.rest();
        self.history.clear();
        self.course.restart();
        end
    }

    fn segment(&self, start: Glance, end: Glance, why: Ended) -> Option<Segment> {
        let segment = self.history.segment(start, end, why, &self.settings)?;
        let (sum, count) = self.answers;
        let presence = odds(sum / count) / odds(self.tagger.usual);
        Some(Segment { presence, ..segment })
    }

    fn rest(&mut self) {
        self.state = State::Idle;
        self.start = None;
        self.stop = None;
    }
}

#[cfg(test)]
#[path = "tagged_tests.rs"]
mod tests;
