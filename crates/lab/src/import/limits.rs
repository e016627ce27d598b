//! How much is imported at once, and which frame rates a file can be right about.

use std::ops::RangeInclusive;

/// Most frames in one clip, an hour at 30 a second: 700 MB of points.
pub const MAX_FRAMES: usize = 108_000;

/// Frames a second that a file can be right about. `.pose` files made from WebM say 1000.
pub(super) const RECORDED_FPS: RangeInclusive<f64> = 1.0..=480.0;

/// Largest `.pose` file, in bytes: `MAX_FRAMES` with two people of 586 points each.
pub(super) const MAX_POSE_BYTES: u64 = 2 << 30;
