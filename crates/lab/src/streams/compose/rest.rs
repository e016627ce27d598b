//! How a signer stands at rest: real frames from the beginning or the end of a clip.
//!
//! In these frames both hands are down or out of view, and do not move up or down.

use signd_core::frame::{BodyPart, is_missing};

use crate::streams::track::{LandmarkSet, LandmarkTrack, SignerPlacement, palm};

/// A resting palm is at least this far below the shoulders, shoulder widths.
const LINE: f32 = 1.2;
/// A hand this fast is on its way up or down, shoulder widths a second.
const ON_ITS_WAY: f32 = 0.5;
/// Shorter runs of such frames may be a hand lost in the middle of a sign, s.
const SHORTEST_S: f64 = 0.3;
/// More is not kept, s.
const LONGEST_S: f64 = 3.0;
/// Points of the body model at the wrists: left, right.
pub const WRISTS: [usize; 2] = [15, 16];

/// A run of real frames of a signer at rest.
#[derive(Clone, Debug)]
pub struct RestTrack {
    /// The frames, the first at 0 s.
    track: LandmarkTrack,
    /// Where the person is in them.
    pub body: SignerPlacement,
}

impl RestTrack {
    /// The longest run in a recording. None when there is none.
    pub fn of(track: &LandmarkTrack) -> Option<RestTrack> {
        let body = SignerPlacement::of(track)?;
        let rests = |i: usize| -> bool {
            let hands = hands(&track.points[i], &body);
            let down = hands.is_some_and(|hands| hands.iter().flatten().all(|p| p[1] >= LINE));
            down && (i == 0 || speed(track, i, &body) < ON_ITS_WAY)
        };
        let resting: Vec<bool> = (0..track.points.len()).map(rests).collect();
        let runs = resting.iter().enumerate().collect::<Vec<_>>();
        let longest =
            runs.chunk_by(|a, b| a.1 == b.1).filter(|run| *run[0].1).max_by_key(|run| run.len())?;
        let (first, last) = (longest[0].0, longest[longest.len() - 1].0);
        if track.t[last] - track.t[first] < SHORTEST_S {
            return None;
        }
        let mut kept = LandmarkTrack::default();
        for i in first..=last {
            let t = track.t[i] - track.t[first];
            if t <= LONGEST_S {
                kept.push(t, track.points[i]);
            }
        }
        Some(RestTrack { track: kept, body })
    }

    /// How long it is, seconds.
    pub fn length(&self) -> f64 {
        self.track.length()
    }

    /// The landmarks at any time. The frames are played forward, backward and forward again, so that
    /// there is no jump in a rest of any length. Their own sway and jitter stay in.
    pub fn at(&self, t: f64) -> LandmarkSet {
        let length = self.length();
        let there = t.rem_euclid(2.0 * length);
        self.track.at(if there > length { 2.0 * length - there } else { there })
    }
}

/// Where both hands are, shoulder widths from the shoulders. One that is not seen is where the body
/// model has its wrist, if anywhere. None when the shoulders are not seen.
fn hands(points: &LandmarkSet, body: &SignerPlacement) -> Option<[Option<[f32; 2]>; 2]> {
    let pose = &points[BodyPart::Pose.range()];
    let hand = |hand, wrist: usize| {
        let wrist = Some(pose[wrist]).filter(|p| !is_missing(p)).map(|p| [p[0], p[1]]);
        palm(points, hand).or(wrist).map(|p| body.place(p))
    };
    let both = [hand(BodyPart::LeftHand, WRISTS[0]), hand(BodyPart::RightHand, WRISTS[1])];
    (!is_missing(&pose[11])).then_some(both)
}

/// The faster wrist's speed in the body model from the frame before, shoulder widths a second.
fn speed(track: &LandmarkTrack, i: usize, body: &SignerPlacement) -> f32 {
    let wrist = |i: usize, wrist: usize| track.points[i][BodyPart::Pose.range()][wrist];
    let speeds = WRISTS.map(|w| {
        let (a, b) = (wrist(i - 1, w), wrist(i, w));
        let way = (a[0] - b[0]).hypot(a[1] - b[1]) / body.width;
        // `NaN` where one of them is missing; the greatest of no numbers is none.
        way / (track.t[i] - track.t[i - 1]) as f32
    });
    speeds.into_iter().fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::track::NO_LANDMARKS;

    #[test]
    fn the_longest_run_with_hands_down_plays_forth_and_back() {
        let mut track = LandmarkTrack::default();
        for i in 0..30 {
            let mut points = NO_LANDMARKS;
            let pose = BodyPart::Pose.range().start;
            points[pose] = [i as f32, 0.0, 0.0];
            points[pose + 11] = [0.6, 0.5, 0.0];
            points[pose + 12] = [0.4, 0.5, 0.0];
            // The right hand is up but for frames 2 to 4 (too short) and 10 to 25.
            let height = if (2..5).contains(&i) || (10..26).contains(&i) { 0.9 } else { 0.5 };
            points[BodyPart::RightHand.range()].fill([0.4, height, 0.0]);
            track.push(f64::from(i) / 30.0, points);
        }
        let rest = RestTrack::of(&track).expect("a rest");
        assert!((rest.length() - 0.5).abs() < 1e-9);
        let frame = |t: f64| rest.at(t)[BodyPart::Pose.range().start][0];
        assert!((frame(0.1) - 13.0).abs() < 1e-3 && (frame(0.9) - 13.0).abs() < 1e-3);
        track.points.truncate(6);
        track.t.truncate(6);
        assert!(RestTrack::of(&track).is_none());
    }
}
