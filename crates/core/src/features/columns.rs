//! Columns of one row, from the landmarks at three successive grid points.

use super::PlacedLandmarks;
use super::placement::{ARMS, FACE, HAND, LIPS, OTHER, TIPS, WRIST};
use super::schema::{ColumnGroup, Schema};
use crate::frame::Landmark;
use std::ops::Range;

/// Landmarks at the newest grid point and the two before it.
pub struct GridMoments<'a> {
    /// Now, one step ago, two steps ago.
    pub at: [&'a PlacedLandmarks; 3],
    /// Grid points a second.
    pub rate: f32,
}

/// Joints of a finger as (before, joint, after), fingers from the thumb, joints from the palm.
const JOINTS: [[usize; 3]; 15] = [
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 4],
    [0, 5, 6],
    [5, 6, 7],
    [6, 7, 8],
    [0, 9, 10],
    [9, 10, 11],
    [10, 11, 12],
    [0, 13, 14],
    [13, 14, 15],
    [14, 15, 16],
    [0, 17, 18],
    [17, 18, 19],
    [18, 19, 20],
];

/// Points of the hand whose distances to the face are columns: wrist, thumb, index, middle tip.
const NEAR_FACE: [usize; 4] = [WRIST, TIPS[0], TIPS[1], TIPS[2]];

/// Appends the columns of `schema` to `row`.
pub fn compute(schema: &Schema, moments: &GridMoments<'_>, row: &mut Vec<f32>) {
    let now = &moments.at[0].0;
    for group in schema.groups() {
        match group {
            ColumnGroup::Hand => xy(&now[HAND], row),
            ColumnGroup::HandZ => row.extend(now[HAND].iter().map(|p| p[2])),
            ColumnGroup::Other => xy(&now[OTHER], row),
            ColumnGroup::OtherZ => row.extend(now[OTHER].iter().map(|p| p[2])),
            ColumnGroup::Lips => xy(&now[LIPS], row),
            ColumnGroup::Arms => xy(&now[ARMS], row),
            ColumnGroup::FaceDistance => {
                for i in NEAR_FACE {
                    row.extend(now[FACE].iter().map(|place| distance(&now[HAND.start + i], place)));
                }
            }
            ColumnGroup::TipDistance => {
                let hand = &now[HAND];
                row.extend(TIPS.iter().map(|&tip| distance(&hand[WRIST], &hand[tip])));
            }
            ColumnGroup::FingerAngle => joints(&now[HAND], row),
            ColumnGroup::OtherAngle => joints(&now[OTHER], row),
            ColumnGroup::ArmAngle => {
                for side in 0..2 {
                    let [shoulder, elbow, wrist] = [0, 2, 4].map(|i| &now[ARMS.start + i + side]);
                    row.push(angle(wrist, elbow, shoulder));
                }
            }
            ColumnGroup::HandV => velocity(moments, HAND, row),
            ColumnGroup::OtherV => velocity(moments, OTHER, row),
            ColumnGroup::LipsV => velocity(moments, LIPS, row),
            ColumnGroup::ArmsV => velocity(moments, ARMS, row),
            ColumnGroup::HandA => acceleration(moments, HAND, row),
            ColumnGroup::OtherA => acceleration(moments, OTHER, row),
            ColumnGroup::ArmsA => acceleration(moments, ARMS, row),
        }
    }
}

fn xy(points: &[Landmark], row: &mut Vec<f32>) {
    row.extend(points.iter().flat_map(|p| [p[0], p[1]]));
}

fn joints(hand: &[Landmark], row: &mut Vec<f32>) {
    let straight = std::f32::consts::PI;
    row.extend(JOINTS.iter().map(|&[a, b, c]| straight - angle(&hand[a], &hand[b], &hand[c])));
}

fn velocity(m: &GridMoments<'_>, part: Range<usize>, row: &mut Vec<f32>) {
    let [now, before, _] = m.at.map(|placed| &placed.0[part.clone()]);
    for (p, q) in now.iter().zip(before) {
        row.extend([0, 1].map(|d| (p[d] - q[d]) * m.rate));
    }
}

fn acceleration(m: &GridMoments<'_>, part: Range<usize>, row: &mut Vec<f32>) {
    let [now, before, earlier] = m.at.map(|placed| &placed.0[part.clone()]);
    for ((p, q), r) in now.iter().zip(before).zip(earlier) {
        row.extend([0, 1].map(|d| (p[d] - 2.0 * q[d] + r[d]) * m.rate * m.rate));
    }
}

fn distance(a: &Landmark, b: &Landmark) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The angle a-b-c seen in the image plane, 0..pi; `NaN` when a point is missing.
fn angle(a: &Landmark, b: &Landmark, c: &Landmark) -> f32 {
    let (ux, uy) = (a[0] - b[0], a[1] - b[1]);
    let (vx, vy) = (c[0] - b[0], c[1] - b[1]);
    (ux * vy - uy * vx).abs().atan2(ux * vx + uy * vy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::{FRAC_PI_2, PI};

    fn row(names: &str, at: [&PlacedLandmarks; 3]) -> Vec<f32> {
        let schema = Schema::parse(super::super::schema::NAME, names).expect("valid");
        let mut row = Vec::new();
        compute(&schema, &GridMoments { at, rate: 20.0 }, &mut row);
        assert_eq!(row.len(), schema.width(), "{names}");
        row
    }

    /// A hand whose fingers are straight along -y and which lies at `x`.
    fn hand(x: f32) -> PlacedLandmarks {
        let mut placed = PlacedLandmarks::default();
        for (i, p) in placed.0[HAND].iter_mut().enumerate() {
            let along = if i == 0 { 0.0 } else { ((i - 1) % 4 + 1) as f32 };
            *p = [x, 1.0 - 0.1 * along, 0.0];
        }
        placed
    }

    #[test]
    fn every_group_has_the_width_it_claims() {
        let placed = hand(0.0);
        row(&Schema::everything().names(), [&placed; 3]);
    }

    #[test]
    fn straight_fingers_are_zero_and_a_right_angle_is_half_pi() {
        let mut placed = hand(0.0);
        assert!(row("finger_angle", [&placed; 3]).iter().all(|a| a.abs() < 1e-4));
        placed.0[HAND.start + 8] = [0.1, placed.0[HAND.start + 7][1], 0.0];
        let bent = row("finger_angle", [&placed; 3]);
        assert!((bent[5] - FRAC_PI_2).abs() < 1e-4, "{bent:?}");
    }

    #[test]
    fn a_stretched_arm_is_pi() {
        let mut placed = PlacedLandmarks::default();
        for (k, x) in [(0, 0.0), (2, 0.5), (4, 1.0)] {
            placed.0[ARMS.start + k] = [x, 0.0, 0.0];
        }
        let angles = row("arm_angle", [&placed; 3]);
        assert!((angles[0] - PI).abs() < 1e-6 && angles[1].is_nan());
    }

    #[test]
    fn velocity_and_acceleration_are_per_second() {
        let (now, before, earlier) = (hand(0.3), hand(0.1), hand(0.0));
        let v = row("hand_v", [&now, &before, &earlier]);
        assert!((v[0] - 4.0).abs() < 1e-4 && v[1] == 0.0);
        let a = row("hand_a", [&now, &before, &earlier]);
        assert!((a[0] - 40.0).abs() < 1e-3);
    }

    #[test]
    fn what_is_missing_is_nan_in_every_column_that_needs_it() {
        let missing = PlacedLandmarks::default();
        for (_, name) in super::super::schema::GROUPS {
            assert!(row(name, [&missing; 3]).iter().all(|x| x.is_nan()), "{name}");
        }
    }
}
