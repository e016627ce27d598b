//! Landmarks of a file, corrected as the user asks, cleaned and judged.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::assumption::ImportAssumption;
use super::error::ImportError;
use super::overrides::ImportOverrides;
use signd_core::frame::{
    BodyPart, FARTHEST, Frame, Landmark, POINTS, SourceTime, is_missing, one_place,
};
use signd_core::plausibility::{DoubtThreshold, InputDoubt, InputJudge, order};

/// Points where coordinates relative to the body begin: the wrists of the hands, and the nose.
const ORIGINS: [usize; 3] = [
    BodyPart::LeftHand.range().start,
    BodyPart::Pose.range().start,
    BodyPart::RightHand.range().start,
];
/// Most coordinates of a file in pixels are beyond this, in image sizes.
const OUTSIDE: f32 = 3.0;
/// One point in so many frames may lie at such a value by chance.
const FRAMES_A_CHANCE: usize = 4;

/// Makes points without x or y missing as a whole, and refuses infinities and what is as good as that.
pub(super) fn clean(points: &mut [[Landmark; POINTS]]) -> Result<(), ImportError> {
    for (frame, points) in points.iter_mut().enumerate() {
        for part in BodyPart::ALL {
            for (point, found) in points[part.range()].iter_mut().enumerate() {
                if found.iter().any(|v| v.abs() > FARTHEST) {
                    let (part, found) = (part.name(), *found);
                    return Err(ImportError::Infinite { frame, part, point, found });
                }
                if is_missing(found) {
                    *found = [f32::NAN; 3];
                }
            }
        }
    }
    Ok(())
}

/// Takes for missing what the user says is missing, and parts with all points at one place: no
/// estimator gives those. Refuses single points at a value that stands for missing ones.
pub(super) fn find_missing(
    points: &mut [[Landmark; POINTS]],
    overrides: &ImportOverrides,
    size: (u32, u32),
    assumptions: &mut Vec<ImportAssumption>,
) -> Result<(), ImportError> {
    let given = overrides.missing.map(|value| [value; 2]);
    let mut sentinels: HashSet<[u32; 2]> = given.iter().map(bits).collect();
    let mut repeated: BTreeMap<&'static str, (usize, [f32; 2])> = BTreeMap::new();
    for points in points.iter_mut() {
        for part in BodyPart::ALL {
            let Some(place) = one_place(&points[part.range()]) else { continue };
            points[part.range()].fill([f32::NAN; 3]);
            sentinels.insert(bits(&place));
            if given != Some(place) {
                repeated.entry(part.name()).or_insert((0, place)).0 += 1;
            }
        }
    }
    let tell = |(part, (frames, place))| ImportAssumption::RepeatedValue { part, frames, place };
    assumptions.extend(repeated.into_iter().map(tell));
    // What the file writes for a missing part it writes for a missing point too. But a wrist or a nose at
    // zero among other points is where relative coordinates begin, unless the user says otherwise.
    for (i, p) in points.iter_mut().flat_map(|row| row.iter_mut().enumerate()) {
        let place = [p[0], p[1]];
        let origin = given.is_none() && place == [0.0; 2] && ORIGINS.contains(&i);
        if !origin && sentinels.contains(&bits(&place)) {
            *p = [f32::NAN; 3];
        }
    }
    refuse_single(points, overrides, size)
}

/// A place as a key. Minus zero is zero.
fn bits(place: &[f32; 2]) -> [u32; 2] {
    place.map(|x| (x + 0.0).to_bits())
}

/// Refuses single points that often have x and y at one value outside the image.
fn refuse_single(
    points: &[[Landmark; POINTS]],
    overrides: &ImportOverrides,
    size: (u32, u32),
) -> Result<(), ImportError> {
    let all = || points.iter().flat_map(|row| row.iter().enumerate());
    // In pixels any value up to the image's size may be a place.
    let far = all().filter(|(_, p)| p[0].abs() > OUTSIDE).count();
    let pixels = overrides.pixels || 2 * far > all().filter(|(_, p)| p[0].is_finite()).count();
    let inside = if pixels { size.0.max(size.1) as f32 } else { 1.0 };
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for (i, p) in all().filter(|(_, p)| p[0] == p[1] && (p[0] <= 0.0 || p[0] > inside)) {
        if !(p[0] == 0.0 && ORIGINS.contains(&i)) {
            *counts.entry((p[0] + 0.0).to_bits()).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(value, count)| (*count, *value));
    match most.filter(|(_, count)| *count > 3 + points.len() / FRAMES_A_CHANCE) {
        Some((value, points)) => {
            Err(ImportError::Sentinel { points, value: f32::from_bits(value) })
        }
        None => Ok(()),
    }
}

/// Pixels to image widths and heights, mirrored landmarks back.
pub(super) fn convert(
    points: &mut [[Landmark; POINTS]],
    overrides: &ImportOverrides,
    size: (u32, u32),
) {
    let (width, height) = (size.0 as f32, size.1 as f32);
    for p in points.iter_mut().flatten() {
        if overrides.pixels {
            *p = [p[0] / width, p[1] / height, p[2] / width];
        }
        if overrides.mirrored {
            p[0] = 1.0 - p[0];
        }
    }
}

/// What is doubtful about the landmarks. Refuses what no recording of a person shows.
pub(super) fn judge(
    points: &[[Landmark; POINTS]],
    size: (u32, u32),
    overrides: &ImportOverrides,
) -> Result<Vec<(InputDoubt, [f32; 2])>, ImportError> {
    let (mut judge, mut doubts) = (InputJudge::new(DoubtThreshold::Clip), Vec::new());
    let mut frame = Frame::new(0, SourceTime(0), size.0, size.1);
    for points in points {
        frame.set_points(points);
        judge.push(&frame, None);
    }
    judge.raise(|doubt, example| doubts.push((doubt, example)));
    match doubts.iter().find(|(doubt, _)| doubt.is_certain()) {
        Some((InputDoubt::BodyRelative, _)) if overrides.pixels => {
            Err(ImportError::NeedlessOption("--pixels"))
        }
        Some((InputDoubt::Mirrored, _)) if overrides.mirrored => {
            Err(ImportError::NeedlessOption("--mirrored"))
        }
        Some(&(doubt, example)) => Err(ImportError::Implausible { doubt, example }),
        None => {
            let misfit = order::misfit(points).map(|fit| (InputDoubt::Misfit, [fit, 0.0]));
            // Without hands, or without a person, there is nothing that could fit.
            doubts.extend(misfit);
            if doubts.iter().any(|(doubt, _)| *doubt == InputDoubt::NoPerson) {
                doubts.retain(|(doubt, _)| *doubt != InputDoubt::NoHands);
            }
            Ok(doubts)
        }
    }
}
