//! Where in a clip the sign is, found from the whole clip at once.
//!
//! The rule shares no code, no state and no thresholds with the segmenter that is measured against it.
//!
//! - The hand that is raised for more of the clip makes the sign. It is *up* while its palm is above a
//!   line 1.2 shoulder widths below the shoulders. While it is not seen, for up to a third of a second,
//!   a straight line says where it is.
//! - The sign lies between the first and the last moment up.
//! - A raise that the clip shows is no part of the sign. The hand was down or unseen before, and rises
//!   by a third of a shoulder width or more. The sign begins where the palm has slowed to a third of its
//!   fastest speed on the way up, or is slowest.
//! - The end is found in the same way, backwards.
//! - Without a raise or a lowering the sign begins or ends with the first or the last moment up.

use signd_core::frame::BodyPart;

use crate::streams::track::{LandmarkTrack, SignerPlacement, palm};

/// Lowest place of a raised palm, shoulder widths below the shoulders.
const LINE: f32 = 1.2;
/// A hand unseen for longer is gone, s.
const UNSEEN_S: f64 = 0.33;
/// The way up or down takes at most this long, s.
const WAY_S: f64 = 0.7;
/// Half the window over which speed is taken, s.
const HALF_S: f64 = 0.05;
/// The hand has arrived at this share of its fastest speed on the way.
const ARRIVED: f32 = 1.0 / 3.0;
/// A raise goes up by this at least, shoulder widths.
const RISE: f32 = 0.33;
/// A hand this fast is on its way, shoulder widths a second.
const ON_ITS_WAY: f32 = 1.5;

/// First and last moment of the sign, seconds from the clip's start. None when no hand is ever up.
pub fn sign_extent(track: &LandmarkTrack) -> Option<(f64, f64)> {
    let body =
        SignerPlacement::of(track).unwrap_or(SignerPlacement { middle: [0.5, 0.6], width: 0.4 });
    let hands = [BodyPart::LeftHand, BodyPart::RightHand].map(|hand| path(track, hand, &body));
    let up = |path: &[Option<[f32; 2]>]| -> Vec<bool> {
        path.iter().map(|place| place.is_some_and(|p| p[1] < LINE)).collect()
    };
    let [left, right] = hands;
    let count = |path: &[Option<[f32; 2]>]| up(path).iter().filter(|up| **up).count();
    let path = if count(&left) > count(&right) { left } else { right };
    let up = up(&path);
    let first = up.iter().position(|up| *up)?;
    let last = up.iter().rposition(|up| *up)?;
    let speed = speeds(&track.t, &path);
    let forth: Vec<usize> = (first..=last).collect();
    let back: Vec<usize> = (first..=last).rev().collect();
    let way = |edge: usize, order: &[usize]| {
        let there = arrival(&track.t, &speed, order);
        let height = |i: usize| path[i].map_or(f32::NAN, |p| p[1]);
        if height(edge) - height(there) >= RISE { there } else { edge }
    };
    let start = if first > 0 { way(first, &forth) } else { first };
    let end = if last + 1 < up.len() { way(last, &back) } else { last };
    // A hand that only goes up and down has no sign to be trimmed to.
    let (start, end) = if start < end { (start, end) } else { (first, last) };
    Some((track.t[start] - track.t[0], track.t[end] - track.t[0]))
}

/// Where the palm is in each frame, shoulder widths from the shoulders. Short gaps bridged.
fn path(track: &LandmarkTrack, hand: BodyPart, body: &SignerPlacement) -> Vec<Option<[f32; 2]>> {
    let mut path: Vec<_> =
        track.points.iter().map(|points| palm(points, hand).map(|p| body.place(p))).collect();
    let mut last: Option<usize> = None;
    for i in 0..path.len() {
        let Some(here) = path[i] else { continue };
        if let Some(j) = last
            && i > j + 1
            && track.t[i] - track.t[j] <= UNSEEN_S
            && let Some(there) = path[j]
        {
            for (t, place) in track.t[j..i].iter().zip(&mut path[j..i]).skip(1) {
                let u = ((t - track.t[j]) / (track.t[i] - track.t[j])) as f32;
                *place = Some([0, 1].map(|d| there[d] + (here[d] - there[d]) * u));
            }
        }
        last = Some(i);
    }
    path
}

/// Speed of the palm over a window around each frame, shoulder widths a second. 0 where unseen.
fn speeds(t: &[f64], path: &[Option<[f32; 2]>]) -> Vec<f32> {
    (0..path.len())
        .map(|i| {
            let near = |j: &usize| path[*j].is_some() && (t[*j] - t[i]).abs() <= HALF_S + 1e-3;
            // At least the frames beside it, at low rates.
            let window = (i.saturating_sub(4)..(i + 5).min(path.len()))
                .filter(|j| near(j) || (j.abs_diff(i) <= 1 && path[*j].is_some()));
            let seen: Vec<usize> = window.collect();
            let (Some(a), Some(b)) = (seen.first(), seen.last()) else { return 0.0 };
            let (Some(p), Some(q)) = (path[*a], path[*b]) else { return 0.0 };
            if a == b { 0.0 } else { (p[0] - q[0]).hypot(p[1] - q[1]) / (t[*b] - t[*a]) as f32 }
        })
        .collect()
}

/// The first of these frames, in their order, at which the hand has arrived.
fn arrival(t: &[f64], speed: &[f32], order: &[usize]) -> usize {
    let begin = order[0];
    let mut peak: f32 = 0.0;
    let mut slowest = begin;
    for &i in order.iter().take_while(|i| (t[**i] - t[begin]).abs() <= WAY_S) {
        if speed[i] > peak {
            peak = speed[i];
            slowest = i;
        }
        if speed[i] < speed[slowest] {
            slowest = i;
        }
        if peak < ON_ITS_WAY {
            // Not on its way yet: it was up and still before.
            continue;
        }
        if speed[i] <= ARRIVED * peak {
            return i;
        }
    }
    if peak < ON_ITS_WAY { begin } else { slowest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::track::NO_LANDMARKS;

    /// A clip at 30 frames a second: heights of the right palm over time, shoulder widths below the
    /// shoulders. `None` where the hand is not seen.
    fn clip(heights: &[Option<f32>]) -> LandmarkTrack {
        let mut track = LandmarkTrack::default();
        for (i, height) in heights.iter().enumerate() {
            let mut points = NO_LANDMARKS;
            let pose = BodyPart::Pose.range().start;
            points[pose + 11] = [0.6, 0.5, 0.0];
            points[pose + 12] = [0.4, 0.5, 0.0];
            if let Some(height) = height {
                points[BodyPart::RightHand.range()].fill([0.4, 0.5 + 0.2 * height, 0.0]);
            }
            track.push(i as f64 / 30.0, points);
        }
        track
    }

    /// Rest, half a second up, a second of signing that moves a little, half a second down, rest.
    fn session() -> Vec<Option<f32>> {
        let smooth = |u: f32| u * u * u * (10.0 - 15.0 * u + 6.0 * u * u);
        let way = |i: usize| 2.0 - 2.0 * smooth(i as f32 / 15.0);
        let mut heights = vec![Some(2.0); 15];
        heights.extend((0..15).map(|i| Some(way(i))));
        heights.extend((0..30).map(|i| Some(0.1 * (i as f32 / 3.0).sin())));
        heights.extend((0..15).rev().map(|i| Some(way(i))));
        heights.extend([Some(2.0); 15]);
        heights
    }

    #[test]
    fn raise_and_lowering_are_no_part_of_the_sign() {
        let (start, end) = sign_extent(&clip(&session())).expect("a sign");
        // It is there from 1.0 s to 2.0 s; a third of the speed is reached a little before.
        assert!((0.85..=1.05).contains(&start), "{start}");
        assert!((1.95..=2.15).contains(&end), "{end}");
    }

    #[test]
    fn a_clip_cut_to_the_sign_is_all_sign() {
        let session = session();
        let (start, end) = sign_extent(&clip(&session[30..60])).expect("a sign");
        assert!(start < 0.01 && (end - 29.0 / 30.0).abs() < 0.01, "{start} {end}");
    }

    #[test]
    fn a_hand_lost_for_a_moment_is_still_there() {
        let mut heights = session();
        heights[40..46].fill(None);
        let (start, end) = sign_extent(&clip(&heights)).expect("a sign");
        assert!((0.85..=1.05).contains(&start) && (1.95..=2.15).contains(&end), "{start} {end}");
        assert_eq!(sign_extent(&clip(&[None; 9])), None);
        assert_eq!(sign_extent(&clip(&[Some(2.0); 9])), None);
    }
}
