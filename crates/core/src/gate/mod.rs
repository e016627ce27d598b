//! Stage 2, the *hand gate*: which hand is dominant, and is it there?
//!
//! The *dominant* hand is the one that makes a one-handed sign. No side is preferred: it is the hand
//! held higher, and over seconds the one visible more, a raised hand counting more than one that rests
//! in the picture. Where nothing tells the hands apart it is either, until something does. It is fixed
//! while a sign is under way. *Visible* has hysteresis: a hand must be seen for a moment to appear, and
//! may vanish for a few frames (estimators lose fast hands) without being gone.

mod hand_view;

pub use hand_view::HandView;

use crate::frame::Hand;
use crate::frame::SourceTime;

/// Smoothing of heights: longer than an estimator's jitter, shorter than the way up to a sign.
const HEIGHT_TAU_S: f64 = 0.15;
/// How much higher the other hand must be to become dominant, shoulder widths: more than jitter.
const HIGHER: f64 = 0.05;
/// The same once the dominant hand has been visible more. Hands that go up together part by less.
const CLEARLY_HIGHER: f64 = 0.3;

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

impl Default for GateSettings {
    fn default() -> Self {
        GateSettings {
            appear_ms: 60.0,
            hangover_ms: 350.0,
            memory_s: 5.0,
            switch_margin: 0.15,
            rest_line: 1.0,
        }
    }
}

/// What the gate says of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateOutput {
    /// The dominant hand, once anything is known of either hand.
    pub dominant: Option<Hand>,
    /// The dominant hand counts as visible, hang-over included.
    pub visible: bool,
}

/// The gate of one stream.
#[derive(Clone, Debug)]
pub struct Gate {
    settings: GateSettings,
    hands: [HandTrack; 2],
    dominant: Option<Hand>,
    /// The dominant hand has been visible since it became dominant.
    shown: bool,
    /// It has been raised and visible more than the other one, by the margin.
    settled: bool,
    last: Option<SourceTime>,
}

/// One hand over time.
#[derive(Clone, Copy, Debug, Default)]
struct HandTrack {
    /// In the latest frame.
    view: HandView,
    /// Share of time visible, weighted and decayed, 0..1.
    score: f64,
    /// Above the rest line, shoulder widths, smoothed; a hand below it counts as on it.
    height: f64,
    since: Option<SourceTime>,
    seen: Option<SourceTime>,
    visible: bool,
}

impl Gate {
    /// A gate that has seen nothing.
    #[must_use]
    pub fn new(settings: GateSettings) -> Self {
        Gate {
            settings,
            hands: [HandTrack::default(); 2],
            dominant: None,
            shown: false,
            settled: false,
            last: None,
        }
    }

    /// Takes what a frame shows of both hands; `in_sign` keeps the dominant hand as it is.
    pub fn push(
        &mut self,
        t: SourceTime,
        left: HandView,
        right: HandView,
        in_sign: bool,
    ) -> GateOutput {
        let dt = self.last.map_or(0.0, |last| t.seconds_since(last));
        self.last = Some(t);
        for (track, view) in self.hands.iter_mut().zip([left, right]) {
            track.push(t, view, dt, &self.settings);
        }
        let before = self.dominant;
        if !in_sign || before.is_none() {
            self.dominant = self.choose();
        }
        if self.dominant != before {
            (self.shown, self.settled) = (false, false);
        }
        if let Some(hand) = self.dominant {
            let [mine, its] = [hand, hand.other()].map(|hand| &self.hands[hand as usize]);
            let more = mine.score > its.score + self.settings.switch_margin;
            self.shown |= mine.visible;
            self.settled |= mine.view.raised && more;
        }
        let visible = self.dominant.is_some_and(|hand| self.hands[hand as usize].visible);
        GateOutput { dominant: self.dominant, visible }
    }

    /// Forgets everything seen.
    pub fn restart(&mut self) {
        *self = Gate::new(self.settings.clone());
    }

    fn choose(&self) -> Option<Hand> {
        let current = self.dominant.or_else(|| self.first())?;
        let other = current.other();
        let [mine, its] = [current, other].map(|hand| &self.hands[hand as usize]);
        let alone = !mine.visible && its.visible && (its.view.raised || !self.shown);
        let least = if self.settled { CLEARLY_HIGHER } else { HIGHER };
        let higher = its.view.height > mine.view.height && its.height > mine.height + least;
        let ahead = its.score > mine.score + self.settings.switch_margin;
        // A hand that went up alone is about to sign, whatever the other did before.
        let kept_up = mine.height > its.height + CLEARLY_HIGHER;
        Some(if alone || higher || ahead && !kept_up { other } else { current })
    }

    /// The hand to begin with; none while nothing is known of either.
    fn first(&self) -> Option<Hand> {
        let [left, right] = self.hands.map(|track| track.view);
        let known = [left, right].iter().any(|view| view.present || view.height.is_some());
        known.then_some(match (left.present, right.present) {
            (true, false) => Hand::Left,
            // Either would do: what tells them apart decides from this frame on.
            _ => Hand::Right,
        })
    }
}

impl HandTrack {
    fn push(&mut self, t: SourceTime, view: HandView, dt: f64, settings: &GateSettings) {
        self.view = view;
        let keep = (-dt / settings.memory_s).exp();
        self.score = self.score * keep + view.weight() * (1.0 - keep);
        // Of the first frame all is new.
        let keep = if dt > 0.0 { (-dt / HEIGHT_TAU_S).exp() } else { 0.0 };
        let height = f64::from(view.height.unwrap_or(0.0).max(0.0));
        self.height = self.height * keep + height * (1.0 - keep);
        if view.present {
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
