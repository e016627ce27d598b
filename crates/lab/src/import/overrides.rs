//! What the user knows better than a file.

use signd_core::plausibility::order::PartOrder;

/// What the user knows better than the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImportOverrides {
    /// Frames a second, 0.1 to 1000.
    pub fps: Option<f64>,
    /// Image width and height in pixels, each at least 1. In a `.pose` file it is also what the
    /// coordinates are divided by.
    pub size: Option<(u32, u32)>,
    /// Points whose x and y are this value are missing.
    pub missing: Option<f32>,
    /// The coordinates are pixels.
    pub pixels: bool,
    /// x was mirrored after the estimator.
    pub mirrored: bool,
    /// In which order the parts lie in an array. The usual one if not given.
    pub order: Option<PartOrder>,
}
