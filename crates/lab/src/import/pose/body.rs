//! The numbers of a `.pose` file: coordinates, then confidences.

use super::header::{ByteReader, PoseHeader};
use crate::import::error::{ImportError, unexpected};
use crate::import::limits::MAX_FRAMES;
use signd_core::frame::Landmark;

/// Bytes of a coordinate or a confidence.
const FLOAT: usize = size_of::<f32>();

/// The numbers of all frames.
pub(super) struct PoseBody<'a> {
    /// Frames a second.
    pub(super) fps: f64,
    pub(super) frames: usize,
    pub(super) people: u16,
    /// Points of a person.
    points: usize,
    /// Coordinates of a point: the longest format counts for all components.
    axes: usize,
    coordinates: &'a [u8],
    confidences: &'a [u8],
}

impl<'a> PoseBody<'a> {
    pub(super) fn read(
        from: &mut ByteReader<'a>,
        header: &PoseHeader<'_>,
    ) -> Result<PoseBody<'a>, ImportError> {
        let (fps, claimed) = match header.version {
            1 => {
                let fps = from.u16("the frame rate")?.into();
                (fps, u64::from(from.u16("the number of frames")?))
            }
            _ => {
                let fps = f32::from_le_bytes(from.array("the frame rate")?).into();
                (fps, u32::from_le_bytes(from.array("the number of frames")?).into())
            }
        };
        let people = from.u16("the number of people")?;
        let points = header.components.iter().map(|c| c.points.len()).sum::<usize>();
        // Formats are not empty: those that matter were checked.
        let axes = header.components.iter().map(|c| c.format.len()).max().unwrap_or(0);
        let axes = axes.saturating_sub(1);

        // At most 65,535 people of 10,000 points of 65,535 numbers: far from 2^64.
        let frame_bytes = u64::from(people) * (points * (axes + 1) * FLOAT) as u64;
        let found = from.0.len() as u64;
        if frame_bytes == 0 {
            return Err(ImportError::Empty);
        }
        // Version 0.1 wraps the count at 2^16; what is there decides, if the count agrees.
        let frames = match header.version {
            1 if (found / frame_bytes) % (1 << 16) == claimed => found / frame_bytes,
            _ => claimed,
        };
        if frames > MAX_FRAMES as u64 {
            return Err(ImportError::TooLong { found: frames });
        }
        let expected = frames * frame_bytes;
        if found < expected {
            return Err(ImportError::Truncated { what: "the frames", expected, found });
        }
        if found > expected {
            let expected = format!("{expected} bytes of {frames} frames");
            return Err(unexpected("after the header", expected, format!("{found} bytes")));
        }
        // Both fit in `usize`, being no more than what is there.
        let frames = frames as usize;
        let split = frames * usize::from(people) * points * axes * FLOAT;
        let coordinates = from.take(split, "the coordinates")?;
        let confidences = from.take(from.0.len(), "the confidences")?;
        Ok(PoseBody { fps, frames, people, points, axes, coordinates, confidences })
    }

    /// x, y, z of a point of the first person, in the file's units. `None` when missing.
    pub(super) fn point(&self, frame: usize, point: usize) -> Option<Landmark> {
        let place = frame * usize::from(self.people) * self.points + point;
        let confidence = float(self.confidences, place)?;
        let first = place * self.axes;
        let point = [
            float(self.coordinates, first)?,
            float(self.coordinates, first + 1)?,
            float(self.coordinates, first + 2)?,
        ];
        (confidence > 0.0).then_some(point)
    }
}

fn float(bytes: &[u8], place: usize) -> Option<f32> {
    let bytes = bytes.get(place * FLOAT..)?.first_chunk()?;
    Some(f32::from_le_bytes(*bytes))
}
