//! Capture times: at a camera's rate, in nanoseconds, near this machine's clock?

use std::ops::RangeInclusive;

use super::InputDoubt;
use crate::frame::{ArrivalTime, SourceTime};

/// Frames over which the rate is taken.
const FRAMES: u32 = 30;
/// Frames a second. Fewer show too little of a fast sign, and more no camera of a body gives.
pub const USUAL_RATES: RangeInclusive<f64> = 9.5..=240.0;
/// More than this is not a rate but another unit: 30 a second in microseconds look like 30,000.
const OTHER_UNIT: f64 = 1000.0;
/// Clocks further apart than this are not merely badly set, s.
const OFFSET_S: f64 = 60.0;
/// Time for which both clocks are compared, s: what waited in a queue at the start weighs less then.
const PACE_S: f64 = 5.0;
/// Pace of the capture times against the arrivals.
const PACES: RangeInclusive<f64> = 0.67..=1.5;
/// Frames further apart than this are not compared: the camera paused, or a clock was set.
const PAUSE_S: f64 = 2.0;

/// Follows the times of one stream until it has judged them.
#[derive(Clone, Debug, Default)]
pub(super) struct PaceCheck {
    frames: u32,
    first: Option<(SourceTime, ArrivalTime)>,
    last: Option<(SourceTime, ArrivalTime)>,
    judged: bool,
}

impl PaceCheck {
    /// Takes the times of a frame.
    pub(super) fn push(
        &mut self,
        t: SourceTime,
        arrival: ArrivalTime,
        mut raise: impl FnMut(InputDoubt, [f32; 2]),
    ) {
        if self.judged {
            return;
        }
        let here = (t, arrival);
        let joined = self.last.is_none_or(|last| {
            let (captured, arrived) = since(last, here);
            (0.0..=PAUSE_S).contains(&captured) && (0.0..=PAUSE_S).contains(&arrived)
        });
        self.last = Some(here);
        let first = match self.first {
            Some(first) if joined => first,
            _ => {
                self.first = Some(here);
                self.frames = 0;
                return;
            }
        };
        self.frames += 1;
        let (captured, arrived) = since(first, here);
        if self.frames == FRAMES {
            let rate = f64::from(FRAMES) / captured;
            if rate > OTHER_UNIT {
                // In another unit they disagree with the clock as well, and the unit is the news.
                self.judged = true;
                return raise(InputDoubt::TimeUnit, [rate as f32, 0.0]);
            }
            if !USUAL_RATES.contains(&rate) {
                raise(InputDoubt::FrameRate, [rate as f32, 0.0]);
            }
            let offset = (arrival.0 as f64 - t.0 as f64) * 1e-9;
            if offset.abs() > OFFSET_S {
                raise(InputDoubt::ClockOffset, [offset as f32, 0.0]);
            }
        }
        if self.frames > FRAMES && arrived >= PACE_S {
            let pace = captured / arrived;
            if !PACES.contains(&pace) {
                raise(InputDoubt::ClockPace, [pace as f32, 0.0]);
            }
            self.judged = true;
        }
    }
}

/// Seconds of capture and of arrival between two frames; negative where a clock went back.
fn since(from: (SourceTime, ArrivalTime), to: (SourceTime, ArrivalTime)) -> (f64, f64) {
    let arrived = (i128::from(to.1.0) - i128::from(from.1.0)) as f64 * 1e-9;
    (to.0.seconds_since(from.0), arrived)
}
