//! The *rules*: where in a sign a frame is, by height and motion of the dominant hand alone.
//!
//! *Onset*: the hand is on its way to where the sign will be made (lead-in). *Offset*: it has come to
//! rest, has stopped or has gone; if it does not move on soon, the sign is over, and ended where it
//! stopped. Used with models that bring no tagger.

use super::arrival::HandArrival;
use super::history::FrameHistory;
use super::{Segment, SegmentChange, SegmentSettings, SegmentStart, SegmenterInput};
use crate::event::{EndReason, SignState};
use crate::frame::SourceTime;

/// Where a sign will have ended, unless the hand moves on.
#[derive(Clone, Copy, Debug)]
struct PossibleEnd {
    at: SegmenterInput,
    /// Since when the hand has been at rest, hidden or still.
    since: SourceTime,
    why: EndReason,
}

/// The rules for one stream.
#[derive(Clone, Debug)]
pub struct RuleSegmenter {
    settings: SegmentSettings,
    state: SignState,
    history: FrameHistory,
    /// First frame of the onset, then of the sign.
    start: Option<SegmenterInput>,
    /// How this lead-in has gone so far.
    way: HandArrival,
    /// Last frame of the sign, should the offset stand.
    stop: Option<PossibleEnd>,
    /// Since when the hand has been still.
    still: Option<SegmenterInput>,
}

impl RuleSegmenter {
    /// Rules that have seen nothing.
    #[must_use]
    pub fn new(settings: SegmentSettings) -> Self {
        RuleSegmenter {
            settings,
            state: SignState::Idle,
            history: FrameHistory::default(),
            start: None,
            way: HandArrival::default(),
            stop: None,
            still: None,
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

    /// Takes a frame.
    pub fn push(&mut self, now: SegmenterInput) -> SegmentChange {
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
            SignState::Idle if moving || appeared => self.onset(now),
            SignState::Idle => SegmentChange::default(),
            SignState::Onset => self.lead_in(now),
            SignState::Signing => self.sign(now),
            SignState::Offset if moving => {
                self.state = SignState::Signing;
                self.stop = None;
                SegmentChange::default()
            }
            SignState::Offset => self.lead_out(now),
        }
    }

    /// Ends an open sign at the last frame known, and forgets all frames.
    pub fn close(&mut self, ended: EndReason) -> Option<Segment> {
        let last = self.history.latest().copied();
        let end = match (self.state, self.stop) {
            (SignState::Offset, Some(stop)) => self.segment(stop.at, ended),
            (SignState::Signing, _) => last.and_then(|last| self.segment(last, ended)),
            _ => None,
        };
        self.rest();
        self.history.clear();
        self.still = None;
        end
    }

    fn onset(&mut self, now: SegmenterInput) -> SegmentChange {
        self.state = SignState::Onset;
        self.way = HandArrival::default();
        self.way.push(&now, self.settings.arrived);
        self.start = Some(now);
        SegmentChange { end: None, begin: Some(self.begin(now)) }
    }

    /// The lead-in is over when the hand slows down: it has arrived where the sign is made.
    fn lead_in(&mut self, now: SegmenterInput) -> SegmentChange {
        if !now.visible || !now.raised {
            self.rest();
            return SegmentChange::default();
        }
        let arrived = self.way.push(&now, self.settings.arrived);
        let since = self.start.map_or(0.0, |start| now.t.seconds_since(start.t) * 1e3);
        // A hand this slow is on no way.
        let arrived = arrived.or((now.motion < self.settings.start_speed).then_some(now));
        let arrived = arrived.or((since >= self.settings.lead_in_ms).then_some(now));
        let Some(start) = arrived else { return SegmentChange::default() };
        self.state = SignState::Signing;
        self.start = Some(start);
        SegmentChange { end: None, begin: Some(self.begin(start)) }
    }

    fn sign(&mut self, now: SegmenterInput) -> SegmentChange {
        let Some(start) = self.start else { return SegmentChange::default() };
        if now.t.seconds_since(start.t) * 1e3 >= self.settings.max_ms {
            let end = self.segment(now, EndReason::Length);
            self.rest();
            return SegmentChange { end, begin: None };
        }
        let up = self.last_up(&now);
        let (at, since, why) = if !now.visible {
            (self.before_lead_out(up), up.t, EndReason::Hidden)
        } else if !now.raised {
            (self.before_lead_out(up), up.t, EndReason::Rest)
        } else if let Some(still) = self.still {
            (still, still.t, EndReason::Still)
        } else {
            return SegmentChange::default();
        };
        // A sign cannot stop before it began: the hand only paused on its way.
        let at = if at.seq < start.seq { start } else { at };
        self.state = SignState::Offset;
        self.stop = Some(PossibleEnd { at, since, why });
        SegmentChange::default()
    }

    fn lead_out(&mut self, now: SegmenterInput) -> SegmentChange {
        let Some(mut stop) = self.stop else { return SegmentChange::default() };
        // A hand that stopped may then be lowered or leave: that ends the sign sooner.
        if !now.visible {
            stop.why = EndReason::Hidden;
        } else if !now.raised {
            stop.why = EndReason::Rest;
        }
        self.stop = Some(stop);
        let patience = match stop.why {
            EndReason::Still => self.settings.still_ms,
            _ => self.settings.offset_ms,
        };
        if now.t.seconds_since(stop.since) * 1e3 < patience {
            return SegmentChange::default();
        }
        let end = self.segment(stop.at, stop.why);
        self.rest();
        SegmentChange { end, begin: None }
    }

    fn rest(&mut self) {
        self.state = SignState::Idle;
        self.start = None;
        self.stop = None;
    }

    fn begin(&self, from: SegmenterInput) -> SegmentStart {
        self.history.begin(from, &self.settings)
    }

    /// The last frame in which the hand was seen above the rest line.
    fn last_up(&self, now: &SegmenterInput) -> SegmenterInput {
        *self.history.back().find(|g| g.seen && g.raised).unwrap_or(now)
    }

    /// Where the sign ended, now that the hand is down or gone: before it set out. Backwards from `last`, the
    /// last frame in which it was up, that is the first one after the fastest in which it was slow, as
    /// it is forwards for the lead-in; else the slowest.
    fn before_lead_out(&self, last: SegmenterInput) -> SegmenterInput {
        let way = self.history.back().skip_while(|g| g.seq > last.seq);
        let way = way.take_while(|g| last.t.seconds_since(g.t) * 1e3 <= self.settings.lead_in_ms);
        let mut back = HandArrival::default();
        let set_out = way.filter(|g| g.seen).find_map(|g| back.push(g, self.settings.arrived));
        match last.motion < self.settings.arrived * back.peak {
            // It had stopped before it was lost from sight.
            true => last,
            false => set_out.or(back.trough).unwrap_or(last),
        }
    }

    fn segment(&self, end: SegmenterInput, ended: EndReason) -> Option<Segment> {
        self.history.segment(self.start?, end, ended, &self.settings)
    }
}

#[cfg(test)]
#[path = "rule_segmenter_tests.rs"]
pub(super) mod tests;
