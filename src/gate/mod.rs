//! Stage 2, the *hand gate*: which hand is dominant, and is it there?
//!
//! The *dominant* hand is the one that makes a one-handed sign. It is the hand visible more of the
//! time, decayed over seconds, a raised hand counting more than one that rests in the picture. It is
//! fixed while a sign is under way. *Visible* has hysteresis: a hand must be seen for a moment to
//! appear, and may vanish for a few frames (estimators lose fast hands) without being gone.

pub mod repair;

use crate::event::Hand;
use crate::features::Space;
use crate::frame::{Frame, Part, SourceTime};

/// How much a hand below the rest line counts towards dominance. Above zero, so that a hand that
/// signs low still wins over one that is never seen.
const RESTING_WEIGHT: f64 = 0.25;

/// Settings of the gate; `conf/signd.toml` documents each.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateSettings {
    /// Seen for this long to appear, ms.
    pub appear_ms: f64,
    /// Gone for this long to vanish, ms.
    pub hangover_ms: f64,
    /// Time constant of the memory for visibility, s.
    pub memory_s: f64,
    /// How much more visible the other hand must have been to become dominant, 0..1.
    pub switch_margin: f64,
    /// Height of the rest line below the shoulders, shoulder widths.
    pub rest_line: f64,
}

/// What one frame shows of one hand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sight {
    /// The estimator found it.
    pub present: bool,
    /// It is above the rest line.
    pub raised: bool,
}

impl Sight {
    /// What a frame shows of the hand that this part is; `rest_line` in shoulder widths below the
    /// shoulders.
    pub fn of(frame: &Frame, part: Option<Part>, space: &Space, rest_line: f32) -> Sight {
        let Some(points) = part.and_then(|part| frame.part(part)) else { return Sight::default() };
        // The middle knuckle is in the palm whatever the wrist does.
        Sight { present: true, raised: space.place(&points[9])[1] < rest_line }
    }

    /// What it says for this hand being the dominant one, 0..1.
    pub fn weight(self) -> f64 {
        match self {
            Sight { present: false, .. } => 0.0,
            Sight { raised: false, .. } => RESTING_WEIGHT,
            Sight { raised: true, .. } => 1.0,
        }
    }
}

/// What the gate says of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gated {
    /// The dominant hand, once any hand has been seen.
    pub dominant: Option<Hand>,
    /// The dominant hand counts as visible, hang-over included.
    pub visible: bool,
}

/// The gate of one stream.
#[derive(Clone, Debug)]
pub struct Gate {
    settings: GateSettings,
    hands: [Track; 2],
    dominant: Option<Hand>,
    last: Option<SourceTime>,
}

/// The visibility of one hand over time.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    /// Share of time visible, weighted and decayed, 0..1.
    score: f64,
    since: Option<SourceTime>,
    seen: Option<SourceTime>,
    visible: bool,
}

impl Gate {
    /// A gate that has seen nothing.
    pub fn new(settings: GateSettings) -> Self {
        Gate { settings, hands: [Track::default(); 2], dominant: None, last: None }
    }

    /// Takes what a frame shows of both hands; `in_sign` keeps the dominant hand as it is.
    pub fn push(&mut self, t: SourceTime, left: Sight, right: Sight, in_sign: bool) -> Gated {
        let dt = self.last.map_or(0.0, |last| t.seconds_since(last));
        self.last = Some(t);
        let keep = (-dt / self.settings.memory_s).exp();
        for (track, sight) in self.hands.iter_mut().zip([left, right]) {
            track.push(t, sight, keep, &self.settings);
        }
        if !in_sign || self.dominant.is_none() {
            self.dominant = self.choose([left, right]);
        }
        let visible = self.dominant.is_some_and(|hand| self.hands[hand as usize].visible);
        Gated { dominant: self.dominant, visible }
    }

    /// Forgets everything seen.
    pub fn restart(&mut self) {
        *self = Gate::new(self.settings.clone());
    }

    fn choose(&self, sights: [Sight; 2]) -> Option<Hand> {
        let [left, right] = &self.hands;
        let Some(current) = self.dominant else {
            return match (left.visible, right.visible) {
                (false, false) => None,
                (true, false) => Some(Hand::Left),
                // Seen together at first sight: most signers are right-handed.
                _ => Some(Hand::Right),
            };
        };
        let other = current.other();
        let (mine, its) = (&self.hands[current as usize], &self.hands[other as usize]);
        let alone = !mine.visible && its.visible && sights[other as usize].raised;
        let ahead = its.score > mine.score + self.settings.switch_margin;
        Some(if alone || ahead { other } else { current })
    }
}

impl Track {
    fn push(&mut self, t: SourceTime, sight: Sight, keep: f64, settings: &GateSettings) {
        self.score = self.score * keep + sight.weight() * (1.0 - keep);
        if sight.present {
            let since = *self.since.get_or_insert(t);
            self.seen = Some(t);
            self.visible |= t.seconds_since(since) * 1e3 >= settings.appear_ms;
        } else {
            self.since = None;
            let gone =
                self.seen.is_none_or(|seen| t.seconds_since(seen) * 1e3 > settings.hangover_ms);
            self.visible &= !gone;
        }
    }
}

#[cfg(test)]
mod tests;
