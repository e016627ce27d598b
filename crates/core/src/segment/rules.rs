//! The *rules*: where in a sign a frame is, by height and motion of the dominant hand alone.
//!
//! *Onset*: the hand is on its way to where the sign will be made (lead-in). *Offset*: it has come to
//! rest, has stopped or has gone; if it does not move on soon, the sign is over, and ended where it
//! stopped. Used with models that bring no tagger.

use super::history::History;
use super::way::Way;
use super::{Begin, Change, Glance, Segment, SegmentSettings};
use crate::event::{Ended, State};
use crate::frame::SourceTime;

/// Where a sign will have ended, unless the hand moves on.
#[derive(Clone, Copy, Debug)]
struct Stop {
    at: Glance,
    /// Since when the hand has been at rest, hidden or still.
    since: SourceTime,
    why: Ended,
}

/// The rules for one stream.
#[derive(Clone, Debug)]
pub struct Rules {
    settings: SegmentSettings,
    state: State,
    history: History,
    /// First frame of the onset, then of the sign.
    start: Option<Glance>,
    /// How this lead-in has gone so far.
    way: Way,
    /// Last frame of the sign, should the offset stand.
    stop: Option<Stop>,
    /// Since when the hand has been still.
    still: Option<Glance>,
}

impl Rules {
    /// Rules that have seen nothing.
    pub fn new(settings: SegmentSettings) -> Self {
        Rules {
            settings,
            state: State::Idle,
            history: History::default(),
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
        self.history.latest()
    }

    /// Takes a frame.
    pub fn push(&mut self, now: Glance) -> Change {
        self.history.push(now);
        self.still = match now.motion < self.settings.still_speed {
            true => self.still.or(Some(now)),
            false => None,
        };
        let before = self.history.back().nth(1).copied();
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
        let last = self.history.latest().copied();
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
        Change { end: None, begin: Some(self.begin(now)) }
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
        Change { end: None, begin: Some(self.begin(start)) }
    }

    fn sign(&mut self, now: Glance) -> Change {
        let Some(start) = self.start else { return Change::default() };
        if now.t.seconds_since(start.t) * 1e3 >= self.settings.max_ms {
            let end = self.segment(now, Ended::Length);
            self.rest();
            return Change { end, begin: None };
        }
        let up = self.last_up(&now);
        let (at, since, why) = if !now.visible {
            (self.before_lead_out(up), up.t, Ended::Hidden)
        } else if !now.raised {
            (self.before_lead_out(up), up.t, Ended::Rest)
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

    fn begin(&self, from: Glance) -> Begin {
        self.history.begin(from, &self.settings)
    }

    /// The last frame in which the hand was seen above the rest line.
    fn last_up(&self, now: &Glance) -> Glance {
        *self.history.back().find(|g| g.seen && g.raised).unwrap_or(now)
    }

    /// Where the sign ended, now that the hand is down or gone: before it set out. Backwards from `last`, the
    /// last frame in which it was up, that is the first one after the fastest in which it was slow, as
    /// it is forwards for the lead-in; else the slowest.
    fn before_lead_out(&self, last: Glance) -> Glance {
        let way = self.history.back().skip_while(|g| g.seq > last.seq);
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
        self.history.segment(self.start?, end, ended, &self.settings)
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
pub(super) mod tests;
