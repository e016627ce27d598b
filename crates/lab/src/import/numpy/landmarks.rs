//! Landmarks of one array, as floats or packed in 16 bits.

use std::io::Read;

use super::header::{self, ArrayHeader, NumberType};
use crate::import::error::{ImportError, unexpected};
use crate::import::limits::MAX_FRAMES;
use crate::import::overrides::ImportOverrides;
use signd_core::frame::{Landmark, POINTS};
use signd_core::plausibility::order::{self, PartOrder, USUAL, points_of};

/// Points where the face has ten more for the irises, at its end.
const POINTS_WITH_IRISES: usize = POINTS + 10;

/// One packed unit is this part of an image width or height.
const PACKED_SCALE: f32 = 4096.0;

/// All three packed coordinates of a missing point.
const PACKED_MISSING: i16 = i16::MIN;

/// Landmarks as floats.
pub(super) fn floats(
    from: &mut dyn Read,
    overrides: &ImportOverrides,
) -> Result<Vec<[Landmark; POINTS]>, ImportError> {
    let header = ArrayHeader::read(from)?;
    match header.kind {
        Some(NumberType::F32) => frames(from, &header, overrides, |bytes, values| {
            values.extend(header::each(bytes, f32::from_le_bytes));
        }),
        Some(NumberType::F64) => frames(from, &header, overrides, |bytes, values| {
            values.extend(header::each(bytes, |b| f64::from_le_bytes(b) as f32));
        }),
        _ => Err(unexpected("array element type", "<f4 or <f8", header.descr)),
    }
}

/// Packed landmarks.
pub(super) fn packed(
    from: &mut dyn Read,
    overrides: &ImportOverrides,
) -> Result<Vec<[Landmark; POINTS]>, ImportError> {
    let header = ArrayHeader::read(from)?;
    if header.kind != Some(NumberType::I16) {
        return Err(unexpected("element type of packed array \"q\"", "<i2", header.descr));
    }
    let mut sums: Vec<[i16; 3]> = Vec::new();
    frames(from, &header, overrides, |bytes, values| {
        let (points, _) = bytes.as_chunks::<6>();
        sums.resize(points.len(), [0; 3]);
        for (sum, point) in sums.iter_mut().zip(points) {
            for (sum, bytes) in sum.iter_mut().zip(point.as_chunks().0) {
                *sum = sum.wrapping_add(i16::from_le_bytes(*bytes));
            }
            values.extend(match *sum {
                [PACKED_MISSING, PACKED_MISSING, PACKED_MISSING] => [f32::NAN; 3],
                present => present.map(|v| f32::from(v) / PACKED_SCALE),
            });
        }
    })
}

/// Checks the shape and reads frame by frame, so that memory grows only with what is there.
/// `decode` appends one frame's numbers.
fn frames(
    from: &mut dyn Read,
    header: &ArrayHeader,
    overrides: &ImportOverrides,
    mut decode: impl FnMut(&[u8], &mut Vec<f32>),
) -> Result<Vec<[Landmark; POINTS]>, ImportError> {
    const LAYOUTS: [u64; 2] = [POINTS as u64, POINTS_WITH_IRISES as u64];
    let (count, width) = match header.shape[..] {
        [count, width, 3] if LAYOUTS.contains(&width) => (count, width as usize),
        _ => {
            let expected = "[frames, 543 or 553, 3]";
            return Err(unexpected("array shape", expected, format!("{:?}", header.shape)));
        }
    };
    if header.fortran {
        return Err(unexpected("array order", "C (last index fastest)", "Fortran"));
    }
    if count > MAX_FRAMES as u64 {
        return Err(ImportError::TooLong { found: count });
    }
    let bytes = header.kind.map_or(0, NumberType::bytes);
    let mut row = vec![0; width * 3 * bytes];
    let mut values = Vec::with_capacity(width * 3);
    let given = overrides.order.unwrap_or(USUAL);
    let (mut points, mut sample) = (Vec::new(), Vec::new());
    for i in 0..count {
        header::fill(from, &mut row, "the landmarks of a frame")?;
        values.clear();
        decode(&row, &mut values);
        let row: &[Landmark] = values.as_chunks().0;
        points.push(in_usual_order(row, given));
        if i % count.div_ceil(order::SAMPLE as u64) == 0 {
            sample.push(row.iter().map(|p| without_sentinel(p, overrides)).collect());
        }
    }
    header::end(from)?;
    match order::better(&sample, given) {
        Some(better) => Err(ImportError::PartOrder { given, better }),
        None => Ok(points),
    }
}

/// Puts each part where signd holds it. The irises at the face's end are dropped.
fn in_usual_order(mut row: &[Landmark], order: PartOrder) -> [Landmark; POINTS] {
    let (mut points, width) = ([[f32::NAN; 3]; POINTS], row.len());
    for part in order {
        let (found, rest) = row.split_at_checked(points_of(part, width)).unwrap_or_default();
        for (point, found) in points[part.range()].iter_mut().zip(found) {
            *point = *found;
        }
        row = rest;
    }
    points
}

/// What stands for a missing point says nothing of where parts lie.
fn without_sentinel(p: &Landmark, overrides: &ImportOverrides) -> Landmark {
    let missing = |value: f32| p[0] == value && p[1] == value;
    if missing(0.0) || missing(-1.0) || overrides.missing.is_some_and(missing) {
        return [f32::NAN; 3];
    }
    *p
}
