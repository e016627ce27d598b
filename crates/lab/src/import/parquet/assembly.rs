//! Frames assembled from the rows of a table, which come in any order.

use std::collections::BTreeMap;

use crate::import::assumption::ImportAssumption;
use crate::import::error::{ImportError, unexpected};
use crate::import::imported_clip::{PHONE, RawClip};
use signd_core::frame::{BodyPart, Landmark, POINTS};

/// Frames under way, by their number.
pub(super) struct FrameAssembly {
    /// Frames that the number of rows suffices for.
    most: usize,
    frames: BTreeMap<i64, PartialFrame>,
}

struct PartialFrame {
    points: Box<[Landmark; POINTS]>,
    seen: [bool; POINTS],
}

impl FrameAssembly {
    /// No frame yet, of at most so many.
    pub(super) fn of_at_most(frames: usize) -> FrameAssembly {
        FrameAssembly { most: frames, frames: BTreeMap::new() }
    }

    /// Puts a row where it belongs.
    pub(super) fn place(
        &mut self,
        frame: i64,
        part: BodyPart,
        index: i64,
        point: Landmark,
    ) -> Result<(), ImportError> {
        let range = part.range();
        let most = range.len() - 1;
        let within = usize::try_from(index).ok().filter(|index| *index <= most);
        let place = within.map(|index| range.start + index);
        if !self.frames.contains_key(&frame) && self.frames.len() == self.most {
            // There are as many frames as rows / 543, so some frame has too few.
            return Err(unexpected("frames", format!("{POINTS} rows in each"), "fewer in some"));
        }
        let partial = self.frames.entry(frame).or_insert_with(|| PartialFrame {
            points: Box::new([[f32::NAN; 3]; POINTS]),
            seen: [false; POINTS],
        });
        let name = part.name();
        let slots = place
            .and_then(|place| Some((partial.points.get_mut(place)?, partial.seen.get_mut(place)?)));
        let Some((slot, seen)) = slots else {
            let what = format!("frame {frame}, landmark_index of {name}");
            return Err(unexpected(what, format!("0 to {most}"), index));
        };
        if std::mem::replace(seen, true) {
            let what = format!("frame {frame}, {name} point {index}");
            return Err(unexpected(what, "one row", "two"));
        }
        *slot = point;
        Ok(())
    }

    /// The frames in rising order. All are whole: the rows are 543 times the frames allowed for,
    /// and none came twice.
    pub(super) fn finish(self) -> RawClip {
        let ends = self.frames.keys().next().zip(self.frames.keys().next_back());
        let span = ends.map_or(0, |(first, last)| last.abs_diff(*first));
        let missing = span.saturating_sub((self.frames.len() as u64).saturating_sub(1));
        let assumptions = match missing {
            0 => Vec::new(),
            missing => vec![ImportAssumption::Gaps { missing }],
        };
        let points = self.frames.into_values().map(|partial| *partial.points).collect();
        RawClip { points, fps: None, size: None, camera: PHONE, assumptions }
    }
}
