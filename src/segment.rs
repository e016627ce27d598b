//! Stage 4, the *segmenter*: where in a sign is this frame?
//!
//! Four states. *Idle*: the hand rests, is held still or cannot be seen. *Onset*: it is on its way to
//! where the sign will be made (lead-in). *Signing*: the sign. *Offset*: it has come to rest, has
//! stopped or has gone; if it does not move on soon, the sign is over, and ended where it stopped.
//! So lead-in and lead-out are trimmed by construction, causally. Everything is measured in capture
//! time and shoulder widths; nothing counts frames.

use std::collections::VecDeque;

use crate::event::{Ended, State};
use crate::features::Placed;
use crate::features::placed::{HAND, TIPS};
use crate::frame::{Point, SourceTime, is_missing};

/// Smoothing of motion: longer than an estimator's jitter, shorter than a movement.
const MOTION_TAU_S: f64 = 0.06;
/// Frames remembered for trimming and pre-roll; 8 s at 60 frames a second.
const HISTORY: usize = 512;
/// Lowering a hand below the rest line takes at most this long.
const DESCENT_S: f64 = 0.3;

/// Settings of the segmenter; `conf/signd.toml` documents each.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentSettings {
    /// Motion above which a raised hand begins a sign, shoulder widths a second.
    pub start_speed: f32,
    /// Motion below which a hand is still, shoulder widths a second.
    pub still_speed: f32,
    /// Longest lead-in, ms.
    pub lead_in_ms: f64,
    /// Still for this long is an end, ms.
    pub still_ms: f64,
    /// At rest or hidden for this long is an end, ms.
    pub offset_ms: f64,
    /// Taken in before the sign, ms.
    pub pre_roll_ms: f64,
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
    /// The gate sees the dominant hand.
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
    /// Last row.
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
    /// The fastest motion of this lead-in.
    peak: f32,
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
            peak: 0.0,
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
        let moving = now.visible && now.raised && now.motion > self.settings.start_speed;
        match self.state {
            State::Idle if moving => self.onset(now),
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
        self.peak = now.motion;
        self.start = Some(now);
        Change { end: None, begin: Some(self.pre_roll(now)) }
    }

    /// The lead-in is over when the hand slows down: it has arrived where the sign is made.
    fn lead_in(&mut self, now: Glance) -> Change {
        if !now.visible || !now.raised {
            self.rest();
            return Change::default();
        }
        self.peak = self.peak.max(now.motion);
        let since = self.start.map_or(0.0, |start| now.t.seconds_since(start.t) * 1e3);
        let arrived = now.motion < 0.5 * self.peak || self.still.is_some();
        if !arrived && since < self.settings.lead_in_ms {
            return Change::default();
        }
        self.state = State::Signing;
        self.start = Some(now);
        Change { end: None, begin: Some(self.pre_roll(now)) }
    }

    fn sign(&mut self, now: Glance) -> Change {
        let Some(start) = self.start else { return Change::default() };
        if now.t.seconds_since(start.t) * 1e3 >= self.settings.max_ms {
            let end = self.segment(now, Ended::Length);
            self.rest();
            return Change { end, begin: None };
        }
        let (at, since, why) = if !now.visible {
            (self.last_moment(|g| g.visible), now.t, Ended::Hidden)
        } else if !now.raised {
            (self.before_lowering(), now.t, Ended::Rest)
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

    fn last_moment(&self, test: impl Fn(&Glance) -> bool) -> Glance {
        let found = self.history.iter().rev().find(|g| test(g)).or(self.history.back());
        found.copied().unwrap_or(NOTHING)
    }

    /// The hand is below the rest line; before that it was on its way down. The sign ended where
    /// the hand was slowest on the way.
    fn before_lowering(&self) -> Glance {
        let last = self.last_moment(|g| g.raised);
        let descent = self.history.iter().rev().skip_while(|g| g.seq > last.seq);
        descent
            .take_while(|g| g.raised && last.t.seconds_since(g.t) <= DESCENT_S)
            .min_by(|a, b| a.motion.total_cmp(&b.motion))
            .copied()
            .unwrap_or(last)
    }

    fn segment(&self, end: Glance, ended: Ended) -> Option<Segment> {
        let start = self.start?;
        if end.t.seconds_since(start.t) * 1e3 < self.settings.min_ms {
            return None;
        }
        let inside = self.history.iter().filter(|g| g.seq > start.seq && g.seq <= end.seq);
        Some(Segment {
            start_seq: start.seq,
            end_seq: end.seq,
            start_t: start.t,
            end_t: end.t,
            end_row: end.row,
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
    visible: false,
    raised: false,
    motion: 0.0,
};

/// Measures how fast the dominant hand and its fingers move.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    last: Option<(SourceTime, Spots)>,
    smooth: f32,
}

/// Palm centre, and fingertips from there.
type Spots = ([f32; 2], [[f32; 2]; 5]);

impl Motion {
    /// Motion in shoulder widths a second: the palm's speed, or the fingertips' mean speed about
    /// the palm if that is more (some signs move nothing but fingers). While the hand is missing,
    /// the last value decays.
    pub fn push(&mut self, t: SourceTime, placed: &Placed) -> f32 {
        let seen = spots(&placed.0[HAND]);
        let (Some((then, before)), Some(now)) = (self.last, seen) else {
            self.last = seen.map(|spots| (t, spots)).or(self.last);
            return self.smooth;
        };
        let dt = t.seconds_since(then);
        let palm = length(now.0, before.0);
        let tips = now.1.iter().zip(&before.1).map(|(a, b)| length(*a, *b)).sum::<f32>() / 5.0;
        let speed = palm.max(tips) / dt as f32;
        let blend = (1.0 - (-dt / MOTION_TAU_S).exp()) as f32;
        self.smooth += (speed - self.smooth) * blend;
        self.last = Some((t, now));
        self.smooth
    }

    /// Forgets everything.
    pub fn restart(&mut self) {
        *self = Motion::default();
    }
}

fn spots(hand: &[Point]) -> Option<Spots> {
    let palm = [hand[0], hand[5], hand[17]];
    if palm.iter().chain(TIPS.map(|i| hand[i]).iter()).any(is_missing) {
        return None;
    }
    let centre = [0, 1].map(|d| palm.iter().map(|p| p[d]).sum::<f32>() / 3.0);
    Some((centre, TIPS.map(|i| [hand[i][0] - centre[0], hand[i][1] - centre[1]])))
}

fn length(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests;
