//! The `.pose` files of sign-language-processing, versions 0.1 and 0.2.
//!
//! The header has the version, the image size, and *components* with their point names, limbs and
//! colours. The body has all coordinates as [frames, people, points, axes], then all confidences as
//! [frames, people, points]. All numbers are little-endian. A string has a 16-bit length in front.
//!
//! x and y are in pixels. z is MediaPipe's own, in image widths: the writer does not scale it
//! (`p.x * width, p.y * height, p.z` in its source), and files agree with direct estimates of the same
//! recording. It is taken as it is. Confidence 0 means that the point is missing, whatever its
//! coordinates. Some writers put `NaN` there with confidence 1 instead.

mod body;
mod header;
mod layout;

use super::assumption::ImportAssumption;
use super::error::{ImportError, unexpected};
use super::imported_clip::{RawClip, WEBCAM};
use super::overrides::ImportOverrides;
use body::PoseBody;
use header::{ByteReader, PoseHeader};
use signd_core::frame::{Landmark, POINTS};

/// A picture of a person has more pixels than this in one direction.
const FEWEST_PIXELS: f32 = 8.0;

/// Reads a `.pose` file's bytes. A size given replaces the header's image size.
pub(super) fn read(bytes: &[u8], overrides: &ImportOverrides) -> Result<RawClip, ImportError> {
    let mut from = ByteReader(bytes);
    let header = PoseHeader::read(&mut from)?;
    let sources = layout::find(&header.components)?;
    let size = overrides.size.unwrap_or(header.size);
    let (width, height) = (size.0 as f32, size.1 as f32);
    if size.0 == 0 || size.1 == 0 {
        let found = format!("{}x{} (give a size)", size.0, size.1);
        return Err(unexpected("image size, by which pixels are divided", "at least 1x1", found));
    }

    let body = PoseBody::read(&mut from, &header)?;
    let mut points = Vec::with_capacity(body.frames);
    for frame in 0..body.frames {
        let mut frame_points = [[f32::NAN; 3]; POINTS];
        for (point, &source) in frame_points.iter_mut().zip(&sources) {
            let found = body.point(frame, source);
            // Asked in the file's own units.
            let found =
                found.filter(|[x, y, _]| overrides.missing.is_none_or(|v| (*x, *y) != (v, v)));
            if let Some([x, y, z]) = found {
                *point = [x / width, y / height, z];
            }
        }
        points.push(frame_points);
    }
    let reach = |p: &Landmark| (p[0].abs() * width).max(p[1].abs() * height);
    let most = points.iter().flatten().map(reach).fold(0.0, f32::max);
    if most > 0.0 && most < FEWEST_PIXELS {
        return Err(ImportError::NoPixels { most });
    }
    let assumptions = match body.people {
        1 => Vec::new(),
        people => vec![ImportAssumption::FirstPerson { people }],
    };
    Ok(RawClip { points, fps: Some(body.fps), size: Some(size), camera: WEBCAM, assumptions })
}

#[cfg(test)]
mod tests;
