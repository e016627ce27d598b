//! The face mesh: 468 points on a head that nods, turns and opens its mouth.
//!
//! Points that recognisers look at (lips, eyes, brows, nose, outline) sit where MediaPipe's numbering
//! has them. The remaining points are spread evenly over the face. They move with the head, and their
//! numbers say nothing.
//!
//! The origin is the middle between the ears. Lengths are shoulder widths of an average person.

use crate::person::SignerProfile;
use crate::space::{SpaceVector, v};

/// The outline from the forehead over the signer's left ear (454), the chin (152) and the right
/// ear (234) back to the forehead.
const OUTLINE: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/// Edges of the lips from the signer's right corner to the left one, corners included.
const OUTER_LOWER: [usize; 11] = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291];
const OUTER_UPPER: [usize; 11] = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291];
const INNER_LOWER: [usize; 11] = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308];
const INNER_UPPER: [usize; 11] = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308];

/// Edges of the eyelids from the outer corner to the inner one: signer's right, signer's left.
const LOWER_LIDS: [[usize; 9]; 2] =
    [[33, 7, 163, 144, 145, 153, 154, 155, 133], [263, 249, 390, 373, 374, 380, 381, 382, 362]];
const UPPER_LIDS: [[usize; 9]; 2] =
    [[33, 246, 161, 160, 159, 158, 157, 173, 133], [263, 466, 388, 387, 386, 385, 384, 398, 362]];

/// Pairs of single points, (signer's right, signer's left), with the place of the left one: upper
/// edge of the brows from the temple inwards, sides of the nose, nostrils, cheeks.
const PAIRS: [([usize; 2], SpaceVector); 10] = [
    ([70, 300], v(0.182, -0.108, 0.0)),
    ([63, 293], v(0.163, -0.130, 0.0)),
    ([105, 334], v(0.132, -0.141, -0.01)),
    ([66, 296], v(0.090, -0.142, -0.01)),
    ([107, 336], v(0.046, -0.134, -0.01)),
    ([129, 358], v(0.052, 0.070, -0.01)),
    ([98, 327], v(0.034, 0.090, -0.01)),
    ([50, 280], v(0.112, 0.040, -0.01)),
    ([205, 425], v(0.105, 0.092, 0.0)),
    ([117, 346], v(0.150, -0.012, 0.0)),
];

/// Points on the middle line, forehead to chin, as (index, y, how far before the surface).
const MIDDLE: [(usize, f32, f32); 8] = [
    (151, -0.190, 0.0),
    (9, -0.140, 0.0),
    (168, -0.082, 0.0),
    (197, -0.020, -0.03),
    (4, 0.046, -0.066),
    (1, 0.064, -0.060),
    (2, 0.096, -0.015),
    (200, 0.245, 0.0),
];

/// Depth of the mouth's middle line, and half of its width.
const MOUTH_Y: f32 = 0.158;
const MOUTH_HALF: f32 = 0.080;

/// The front of the head: an ellipsoid whose skin is nearer to the camera (smaller z) in the middle.
pub fn skin(x: f32, y: f32) -> f32 {
    -0.25 * (1.0 - (x / 0.232).powi(2) - (y / 0.45).powi(2)).max(0.0).sqrt()
}

/// One person's face.
#[derive(Clone, Debug)]
pub struct FaceMesh {
    at_rest: Box<[SpaceVector; 468]>,
    lips: f32,
    width: f32,
    size: f32,
}

impl FaceMesh {
    /// The face of a person.
    pub fn new(person: &SignerProfile) -> FaceMesh {
        let mut at_rest = Box::new(spread());
        let mut put = |i: usize, x: f32, y: f32, before: f32| {
            at_rest[i] = v(x, y, skin(x, y) + before);
        };
        for (n, &i) in OUTLINE.iter().enumerate() {
            let [x, y] = outline(n as f32 / 36.0);
            put(i, x, y, 0.0);
        }
        for (lids, height) in [(LOWER_LIDS, 0.014), (UPPER_LIDS, -0.016)] {
            for (n, (&right, &left)) in lids[0].iter().zip(&lids[1]).enumerate() {
                let (sin, cos) = (std::f32::consts::PI * n as f32 / 8.0).sin_cos();
                let (x, y) = (0.1 + 0.045 * cos, -0.066 + height * sin);
                put(right, -x, y, 0.012);
                put(left, x, y, 0.012);
            }
        }
        for ([right, left], at) in PAIRS {
            put(left, at.x, at.y, at.z);
            put(right, -at.x, at.y, at.z);
        }
        for (i, y, before) in MIDDLE {
            put(i, 0.0, y, before);
        }
        FaceMesh { at_rest, lips: person.lips, width: person.face_width, size: person.head }
    }

    /// The points with the mouth `open` (0 shut, 1 wide open) and drawn `wide` (-1 pursed, 1 a
    /// broad smile) and the eyes `shut` (0 open, 1 shut), with the head straight.
    pub fn points(&self, open: f32, wide: f32, shut: f32) -> [SpaceVector; 468] {
        let mut points = *self.at_rest;
        // The jaw takes along what lies below the mouth.
        for p in &mut points {
            p.y += 0.075 * open * ((p.y - MOUTH_Y) / 0.08).clamp(0.0, 1.0);
        }
        for (upper, lower) in UPPER_LIDS.iter().flatten().zip(LOWER_LIDS.iter().flatten()) {
            points[*upper] = points[*upper] + (points[*lower] - points[*upper]) * (0.9 * shut);
        }
        let half = MOUTH_HALF * (1.0 - 0.12 * open + 0.18 * wide);
        let drop = 0.085 * open;
        let thick = self.lips * (1.0 - 0.15 * wide.max(0.0));
        // Edges as (points, how far out the corners, how far down the middle).
        let edges = [
            (OUTER_LOWER, 1.0, 0.034 * thick + drop),
            (OUTER_UPPER, 1.0, -0.024 * thick - 0.012 * open),
            (INNER_LOWER, 0.86, 0.004 + drop),
            (INNER_UPPER, 0.86, -0.003 - 0.010 * open),
        ];
        for (edge, corner, middle) in edges {
            for (n, i) in edge.into_iter().enumerate() {
                let (sin, cos) = (std::f32::consts::PI * n as f32 / 10.0).sin_cos();
                let x = -half * corner * cos;
                // A smile lifts the corners.
                let lift = 0.25 * drop - 0.012 * wide.max(0.0) * cos.abs();
                let y = MOUTH_Y + lift + middle * sin;
                points[i] = v(x, y, skin(x, y) - 0.012 * sin);
            }
        }
        points.map(|p| v(p.x * self.width, p.y, p.z) * self.size)
    }
}

/// The outline, `turn` (0..1) of the way around from the forehead towards the signer's left.
fn outline(turn: f32) -> [f32; 2] {
    // Indices 8 and 28 of 36 are the ears: eight steps for each upper quarter, ten for the lower.
    let steps = turn * 36.0;
    let (side, down) = match steps {
        s if s <= 18.0 => (1.0, s),
        s => (-1.0, 36.0 - s),
    };
    let quarter = std::f32::consts::FRAC_PI_2;
    if down <= 8.0 {
        let (sin, cos) = (quarter * down / 8.0).sin_cos();
        return [side * 0.226 * sin, -0.25 * cos];
    }
    let (sin, cos) = (quarter * (down - 8.0) / 10.0).sin_cos();
    // The jaw is squarer than an ellipse.
    [side * 0.226 * cos.max(0.0).powf(0.85), 0.313 * sin]
}

/// All points spread evenly within the outline, like the seeds of a sunflower.
fn spread() -> [SpaceVector; 468] {
    const GOLDEN_ANGLE: f32 = 2.399_963;
    std::array::from_fn(|i| {
        let radius = 0.95 * ((i as f32 + 0.5) / 468.0).sqrt();
        let (sin, cos) = (GOLDEN_ANGLE * i as f32).sin_cos();
        let y = radius * sin;
        let (x, y) = (0.22 * radius * cos, if y < 0.0 { 0.25 * y } else { 0.305 * y });
        v(x, y, skin(x, y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::SeededDraws;

    #[test]
    fn the_face_is_where_a_face_is_and_its_mouth_opens() {
        let face = FaceMesh::new(&SignerProfile::new(&mut SeededDraws::new(1)));
        let (p, open) = (face.points(0.0, 0.0, 0.0), face.points(1.0, 0.0, 1.0));
        assert!([10, 105, 159, 1, 0, 17, 152].windows(2).all(|w| p[w[0]].y < p[w[1]].y));
        assert!(p.iter().all(|p| p.length().is_finite()));
        // The signer's right is on the left of the picture.
        for (right, left) in
            [(33, 263), (133, 362), (61, 291), (78, 308), (234, 454), (70, 300), (98, 327)]
        {
            assert!(p[right].x < 0.0 && (p[right].x + p[left].x).abs() < 1e-4);
        }
        assert!(open[14].y - open[13].y > 5.0 * (p[14].y - p[13].y));
        assert!(open[145].y - open[159].y < 0.2 * (p[145].y - p[159].y));
    }
}
