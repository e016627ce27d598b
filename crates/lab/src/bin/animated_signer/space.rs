//! Vectors and rotations in the space of the signer.
//!
//! Lengths are shoulder widths. The axes are those of the picture: x to the right (the signer's own
//! left), y down, z away from the camera. The origin is the middle between the shoulders.

use std::ops::{Add, Mul, Sub};

/// A point or a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpaceVector {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// Short for a vector, since the signs are tables of them.
pub const fn v(x: f32, y: f32, z: f32) -> SpaceVector {
    SpaceVector { x, y, z }
}

impl SpaceVector {
    pub fn dot(self, o: SpaceVector) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    pub fn cross(self, o: SpaceVector) -> SpaceVector {
        v(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }

    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The same direction with length one. Zero stays zero.
    pub fn unit(self) -> SpaceVector {
        self * (1.0 / self.length().max(1e-9))
    }

    /// What is left when the share along the unit vector `axis` is taken away.
    pub fn off(self, axis: SpaceVector) -> SpaceVector {
        self - axis * self.dot(axis)
    }

    /// The mirror image, left for right.
    pub fn mirrored(self) -> SpaceVector {
        v(-self.x, self.y, self.z)
    }
}

impl Add for SpaceVector {
    type Output = SpaceVector;
    fn add(self, o: SpaceVector) -> SpaceVector {
        v(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl Sub for SpaceVector {
    type Output = SpaceVector;
    fn sub(self, o: SpaceVector) -> SpaceVector {
        v(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Mul<f32> for SpaceVector {
    type Output = SpaceVector;
    fn mul(self, k: f32) -> SpaceVector {
        v(self.x * k, self.y * k, self.z * k)
    }
}

/// A rotation as a unit quaternion (w, x, y, z): unlike directions it can be blended between any two
/// key poses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpaceRotation(pub [f32; 4]);

impl SpaceRotation {
    /// By `angle` radians around the unit vector `axis`.
    pub fn about(axis: SpaceVector, angle: f32) -> SpaceRotation {
        let (sin, cos) = (angle * 0.5).sin_cos();
        SpaceRotation([cos, axis.x * sin, axis.y * sin, axis.z * sin])
    }

    /// Takes the y axis to `y` and the x axis as near to `x` as it then can.
    pub fn from_xy(x: SpaceVector, y: SpaceVector) -> SpaceRotation {
        let y = y.unit();
        let x = x.off(y).unit();
        let z = x.cross(y);
        // Shepperd's method: divide by the largest of the four parts, never by one near zero.
        let trace = x.x + y.y + z.z;
        let parts = [trace, x.x, y.y, z.z];
        let largest = (0..4).fold(0, |best, i| if parts[i] > parts[best] { i } else { best });
        let s = (1.0 - trace + 2.0 * parts[largest]).max(1e-9).sqrt() * 0.5;
        let k = 0.25 / s;
        let (a, b, c) = ((y.z - z.y) * k, (z.x - x.z) * k, (x.y - y.x) * k);
        let (d, e, f) = ((x.y + y.x) * k, (z.x + x.z) * k, (y.z + z.y) * k);
        SpaceRotation(match largest {
            0 => [s, a, b, c],
            1 => [a, s, d, e],
            2 => [b, d, s, f],
            _ => [c, e, f, s],
        })
        .normal()
    }

    /// Makes the length one again after blending.
    pub fn normal(self) -> SpaceRotation {
        let k = 1.0 / self.0.iter().map(|q| q * q).sum::<f32>().sqrt().max(1e-9);
        SpaceRotation(self.0.map(|q| q * k))
    }

    /// First `first`, then `self`.
    pub fn after(self, first: SpaceRotation) -> SpaceRotation {
        let ([w, ..], [fw, ..]) = (self.0, first.0);
        let (u, fu) = (self.axis(), first.axis());
        let axis = fu * w + u * fw + u.cross(fu);
        SpaceRotation([w * fw - u.dot(fu), axis.x, axis.y, axis.z])
    }

    /// The vector `p`, turned.
    pub fn apply(self, p: SpaceVector) -> SpaceVector {
        let u = self.axis();
        let t = u.cross(p) * 2.0;
        p + t * self.0[0] + u.cross(t)
    }

    fn axis(self) -> SpaceVector {
        v(self.0[1], self.0[2], self.0[3])
    }
}
