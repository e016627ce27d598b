//! Stage 4, the *segmenter*: where in a sign is this frame?
//!
//! Four states. *Idle*: the hand rests, is held still or cannot be seen. *Onset*: it is on its way to
//! where the sign will be made (lead-in). *Signing*: the sign. *Offset*: it has come to rest, has
//! stopped or has gone; if it does not move on soon, the sign is over, and ended where it stopped.
//! So lead-in and lead-out are trimmed by construction, causally. Everything is measured in capture
//! time and shoulder widths; nothing counts frames.

mod motion;
mod way;

use std::collections::VecDeque;

use crate::event::{Ended, State};
use crate::frame::SourceTime;
pub use motion::{Height, Motion};
use way::Way;

/// Frames remembered for trimming and pre-roll; 8 s at 60 frames a second.
const HISTORY: usize = 512;

/// Settings of the segmenter; `conf/signd.toml` documents each.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentSettings {
    /// Motion above which a raised hand begins a sign, shoulder widths a second.
    pub start_speed: f32,
    /// Motion below which a hand is still, shoulder widths a second.
    pub still_speed: f32,
    /// A hand on its way has arrived, or has not set out yet, when it moves less than this share of the
    /// fastest on that way, 0..1.
    pub arrived: f32,
    /// Longest lead-in and lead-out, ms.
    pub lead_in_ms: f64,
    /// Still for this long is an end, ms.
    pub still_ms: f64,
    /// At rest or hidden for this long is an end, ms.
    pub offset_ms: f64,
    /// Taken in before the sign, ms.
    pub pre_roll_ms: f64,
    /// Taken in after the sign, ms.
    pub post_roll_ms: f64,
    /// Shorter than this is no sign, ms.
    pub min_ms: f64,
    /// Longer than this is cut and decided, ms.
    pub max_ms: f64,
}

/// What the segmenter needs to know of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    /// Number of the frame.
    pub seq: u64,
    /// Capture time.
    pub t: SourceTime,
    /// Index of the newest row made when the frame was taken in.
    pub row: u64,
    /// Frames missing just before it.
    pub lost: u64,
    /// The estimator found the dominant hand in this very frame.
    pub seen: bool,
    /// The gate sees it: it may be missing for a moment.
    pub visible: bool,
    /// It is above the rest line.
    pub raised: bool,
    /// How fast hand and fingers move, shoulder widths a second, 0 or more.
    pub motion: f32,
}

/// A sign, trimmed to itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// First frame.
    pub start_seq: u64,
    /// Last frame.
    pub end_seq: u64,
    /// Capture time of the first frame.
    pub start_t: SourceTime,
    /// Capture time of the last frame.
    pub end_t: SourceTime,
    /// Last row, post-roll included.
    pub end_row: u64,
    /// Frames missing inside.
    pub lost: u64,
    /// Why it ended.
    pub ended: Ended,
}

/// What a frame changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// A sign ended before this frame.
    pub end: Option<Segment>,
    /// A sign (again) begins, its rows from this index on.
    pub begin: Option<u64>,
}

/// Where a sign will have ended, unless the hand moves on.
#[derive(Clone, Copy, Debug)]
struct Stop {
    at: Glance,
    /// Since when the hand has been at rest, hidden or still.
    since: SourceTime,
    why: Ended,
}

/// The segmenter of one stream.
#[derive(Clone, Debug)]
pub struct Segmenter {
    settings: SegmentSettings,
    state: State,
    history: VecDeque<Glance>,
    /// First frame of the onset, then of the sign.
    start: Option<Glance>,
    /// How this lead-in has gone so far.
    way: Way,
    /// Last frame of the sign, should the offset stand.
    stop: Option<Stop>,
    /// Since when the hand has been still.
    still: Option<Glance>,
}

impl Segmenter {
    /// A segmenter that has seen nothing.
    pub fn new(settings: SegmentSettings) -> Self {
        Segmenter {
            settings,
            state: State::Idle,
            history: VecDeque::with_capacity(HISTORY),
            start: None,
            way: Way::default(),
            stop: None,
            still: None,
        }
    }

    /// The state after the latest frame.
    pub fn state(&self) -> State {
        self.state
    }

    /// What it was told of the latest frame; none after an end that forgot all frames.
    pub fn latest(&self) -> Option<&Glance> {
        self.history.back()
    }

    /// Takes a frame.
    pub fn push(&mut self, now: Glance) -> Change {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(now);
        self.still = match now.motion < self.settings.still_speed {
            true => self.still.or(Some(now)),
            false => None,
        };
        let before = self.history.iter().rev().nth(1).copied();
        // A hand that comes into view up there has moved there.
        let appeared = now.visible && now.raised && before.is_some_and(|g| !g.visible);
        let moving = now.visible && now.raised && now.motion > self.settings.start_speed;
        match self.state {
            State::Idle if moving || appeared => self.onset(now),
            State::Idle => Change::default(),
            State::Onset => self.lead_in(now),
            State::Signing => self.sign(now),
            State::Offset if moving => {
                self.state = State::Signing;
                self.stop = None;
                Change::default()
            }
            State::Offset => self.lead_out(now),
        }
    }

    /// Ends an open sign at the last frame known, and forgets all frames.
    pub fn close(&mut self, ended: Ended) -> Option<Segment> {
        let last = self.history.back().copied();
        let end = match (self.state, self.stop) {
            (State::Offset, Some(stop)) => self.segment(stop.at, ended),
            (State::Signing, _) => last.and_then(|last| self.segment(last, ended)),
            _ => None,
        };
        self.rest();
        self.history.clear();
        self.still = None;
        end
    }

    fn onset(&mut self, now: Glance) -> Change {
        self.state = State::Onset;
        self.way = Way::default();
        self.way.go(&now, self.settings.arrived);
        self.start = Some(now);
        Change { end: None, begin: Some(self.pre_roll(now)) }
    }

    /// The lead-in is over when the hand slows down: it has arrived where the sign is made.
    fn lead_in(&mut self, now: Glance) -> Change {
        if !now.visible || !now.raised {
            self.rest();
            return Change::default();
        }
        let arrived = self.way.go(&now, self.settings.arrived);
        let since = self.start.map_or(0.0, |start| now.t.seconds_since(start.t) * 1e3);
        // A hand this slow is on no way.
        let arrived = arrived.or((now.motion < self.settings.start_speed).then_some(now));
        let arrived = arrived.or((since >= self.settings.lead_in_ms).then_some(now));
        let Some(start) = arrived else { return Change::default() };
        self.state = State::Signing;
        self.start = Some(start);
        Change { end: None, begin: Some(self.pre_roll(start)) }
    }

    fn sign(&mut self, now: Glance) -> Change {
        let Some(start) = self.start else { return Change::default() };
        if now.t.seconds_since(start.t) * 1e3 >= self.settings.max_ms {
            let end = self.segment(now, Ended::Length);
            self.rest();
            return Change { end, begin: None };
        }
        let (at, since, why) = if !now.visible {
            (self.before_lead_out(), self.last_up().t, Ended::Hidden)
        } else if !now.raised {
            (self.before_lead_out(), self.last_up().t, Ended::Rest)
        } else if let Some(still) = self.still {
            (still, still.t, Ended::Still)
        } else {
            return Change::default();
        };
        // A sign cannot stop before it began: the hand only paused on its way.
        let at = if at.seq < start.seq { start } else { at };
        self.state = State::Offset;
        self.stop = Some(Stop { at, since, why });
        Change::default()
    }

    fn lead_out(&mut self, now: Glance) -> Change {
        let Some(mut stop) = self.stop else { return Change::default() };
        // A hand that stopped may then be lowered or leave: that ends the sign sooner.
        if !now.visible {
            stop.why = Ended::Hidden;
        } else if !now.raised {
            stop.why = Ended::Rest;
        }
        self.stop = Some(stop);
        let patience = match stop.why {
            Ended::Still => self.settings.still_ms,
            _ => self.settings.offset_ms,
        };
        if now.t.seconds_since(stop.since) * 1e3 < patience {
            return Change::default();
        }
        let end = self.segment(stop.at, stop.why);
        self.rest();
        Change { end, begin: None }
    }

    fn rest(&mut self) {
        self.state = State::Idle;
        self.start = None;
        self.stop = None;
    }

    fn pre_roll(&self, from: Glance) -> u64 {
        let within = |g: &&Glance| from.t.seconds_since(g.t) * 1e3 <= self.settings.pre_roll_ms;
        self.history.iter().find(within).map_or(from.row, |g| g.row)
    }

    /// The last frame in which the hand was seen above the rest line.
    fn last_up(&self) -> Glance {
        let found = self.history.iter().rev().find(|g| g.seen && g.raised);
        found.or(self.history.back()).copied().unwrap_or(NOTHING)
    }

    /// Where the sign ended, now that the hand is down or gone: before it set out. Backwards from the
    /// last frame in which it was up, that is the first one after the fastest in which it was slow, as
    /// it is forwards for the lead-in; else the slowest.
    fn before_lead_out(&self) -> Glance {
        let last = self.last_up();
        let way = self.history.iter().rev().skip_while(|g| g.seq > last.seq);
        let way = way.take_while(|g| last.t.seconds_since(g.t) * 1e3 <= self.settings.lead_in_ms);
        let mut back = Way::default();
        let set_out = way.filter(|g| g.seen).find_map(|g| back.go(g, self.settings.arrived));
        match last.motion < self.settings.arrived * back.peak {
            // It had stopped before it was lost from sight.
            true => last,
            false => set_out.or(back.trough).unwrap_or(last),
        }
    }

    fn segment(&self, end: Glance, ended: Ended) -> Option<Segment> {
        let start = self.start?;
        if end.t.seconds_since(start.t) * 1e3 < self.settings.min_ms {
            return None;
        }
        let within = |g: &&Glance| g.t.seconds_since(end.t) * 1e3 <= self.settings.post_roll_ms;
        let end_row = self.history.iter().rev().find(within).map_or(end.row, |g| g.row);
        let inside = self.history.iter().filter(|g| g.seq > start.seq && g.seq <= end.seq);
        Some(Segment {
            start_seq: start.seq,
            end_seq: end.seq,
            start_t: start.t,
            end_t: end.t,
            end_row,
            lost: inside.map(|g| g.lost).sum(),
            ended,
        })
    }
}

const NOTHING: Glance = Glance {
    seq: 0,
    t: SourceTime(0),
    row: 0,
    lost: 0,
    seen: false,
    visible: false,
    raised: false,
    motion: 0.0,
};

#[cfg(test)]
mod tests;
