//! Where the 543 points of a frame lie among the points of a `.pose` file.
//!
//! Such a file groups its points into named *components* and names every point. Points are found by
//! name, so files with the irises, with world landmarks or in another order all fit. A file from which
//! points were thrown out is recognised.

use std::collections::HashMap;

use crate::import::error::{ImportError, unexpected};
use signd_core::frame::{BodyPart, POINTS};

/// A group of points as the file's header describes it.
pub(super) struct PoseComponent<'a> {
    pub(super) name: &'a str,
    /// One letter for each number of a point, the last being C for confidence.
    pub(super) format: &'a str,
    /// The points' names.
    pub(super) points: Vec<&'a str>,
}

/// The only format in which x, y and z are known to come first.
const FORMAT: &str = "XYZC";

const POSE_NAMES: [&str; 33] = [
    "NOSE",
    "LEFT_EYE_INNER",
    "LEFT_EYE",
    "LEFT_EYE_OUTER",
    "RIGHT_EYE_INNER",
    "RIGHT_EYE",
    "RIGHT_EYE_OUTER",
    "LEFT_EAR",
    "RIGHT_EAR",
    "MOUTH_LEFT",
    "MOUTH_RIGHT",
    "LEFT_SHOULDER",
    "RIGHT_SHOULDER",
    "LEFT_ELBOW",
    "RIGHT_ELBOW",
    "LEFT_WRIST",
    "RIGHT_WRIST",
    "LEFT_PINKY",
    "RIGHT_PINKY",
    "LEFT_INDEX",
    "RIGHT_INDEX",
    "LEFT_THUMB",
    "RIGHT_THUMB",
    "LEFT_HIP",
    "RIGHT_HIP",
    "LEFT_KNEE",
    "RIGHT_KNEE",
    "LEFT_ANKLE",
    "RIGHT_ANKLE",
    "LEFT_HEEL",
    "RIGHT_HEEL",
    "LEFT_FOOT_INDEX",
    "RIGHT_FOOT_INDEX",
];

const HAND_NAMES: [&str; 21] = [
    "WRIST",
    "THUMB_CMC",
    "THUMB_MCP",
    "THUMB_IP",
    "THUMB_TIP",
    "INDEX_FINGER_MCP",
    "INDEX_FINGER_PIP",
    "INDEX_FINGER_DIP",
    "INDEX_FINGER_TIP",
    "MIDDLE_FINGER_MCP",
    "MIDDLE_FINGER_PIP",
    "MIDDLE_FINGER_DIP",
    "MIDDLE_FINGER_TIP",
    "RING_FINGER_MCP",
    "RING_FINGER_PIP",
    "RING_FINGER_DIP",
    "RING_FINGER_TIP",
    "PINKY_MCP",
    "PINKY_PIP",
    "PINKY_DIP",
    "PINKY_TIP",
];

/// The component that holds a part.
fn component_of(part: BodyPart) -> &'static str {
    match part {
        BodyPart::Face => "FACE_LANDMARKS",
        BodyPart::LeftHand => "LEFT_HAND_LANDMARKS",
        BodyPart::Pose => "POSE_LANDMARKS",
        BodyPart::RightHand => "RIGHT_HAND_LANDMARKS",
    }
}

/// The file's names for a part's points, in a frame's order. Face points are called by number, so
/// that the irises, 468 to 477, are simply not asked for.
fn names(part: BodyPart) -> Vec<String> {
    match part {
        BodyPart::Face => part.range().map(|i| i.to_string()).collect(),
        BodyPart::Pose => POSE_NAMES.map(str::to_owned).to_vec(),
        BodyPart::LeftHand | BodyPart::RightHand => HAND_NAMES.map(str::to_owned).to_vec(),
    }
}

/// For each of a frame's 543 points, its number among all points of the file.
///
/// # Errors
///
/// When points are missing: one message tells it of all components.
pub(super) fn find(components: &[PoseComponent<'_>]) -> Result<Vec<usize>, ImportError> {
    let mut found = Vec::with_capacity(POINTS);
    let mut lacks = Vec::new();
    for part in BodyPart::ALL {
        let (name, needed) = (component_of(part), names(part));
        let mut first = 0;
        let component = components.iter().find(|component| {
            let this = component.name == name;
            first += if this { 0 } else { component.points.len() };
            this
        });
        let Some(component) = component else {
            lacks.push(format!("{name} is not there, {} points needed", needed.len()));
            continue;
        };
        if component.format != FORMAT {
            return Err(unexpected(format!("format of {name}"), FORMAT, component.format));
        }
        let numbers: HashMap<&str, usize> = component.points.iter().copied().zip(first..).collect();
        let mut missing = needed.iter().filter(|point| !numbers.contains_key(point.as_str()));
        if let Some(example) = missing.next() {
            let (has, needs, lacking) = (component.points.len(), needed.len(), missing.count() + 1);
            lacks.push(format!(
                "{name} has {has} points and lacks {lacking} of the {needs} needed ({example} is one)"
            ));
        }
        found.extend(needed.iter().filter_map(|point| numbers.get(point.as_str())));
    }
    if lacks.is_empty() { Ok(found) } else { Err(ImportError::Reduced(lacks.join("; "))) }
}

/// The names that a whole layout has: its components with their points.
#[cfg(test)]
pub(super) fn whole() -> Vec<(&'static str, Vec<String>)> {
    let order = [BodyPart::Pose, BodyPart::Face, BodyPart::LeftHand, BodyPart::RightHand];
    order.map(|part| (component_of(part), names(part))).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn components(whole: &[(&'static str, Vec<String>)]) -> Vec<PoseComponent<'static>> {
        // Leaked, as a file's bytes would outlive the header that borrows from them.
        let leak = |name: &String| -> &'static str { name.clone().leak() };
        let one = |(name, points): &(&'static str, Vec<String>)| PoseComponent {
            name,
            format: FORMAT,
            points: points.iter().map(leak).collect(),
        };
        whole.iter().map(one).collect()
    }

    #[test]
    fn points_are_found_by_name_wherever_they_stand() {
        let mut whole = whole();
        whole[0].1.reverse();
        whole[1].1.extend((468..478).map(|i| i.to_string()));
        whole.insert(0, ("POSE_WORLD_LANDMARKS", names(BodyPart::Pose)));
        let found = find(&components(&whole)).unwrap();
        assert_eq!(found.len(), POINTS);
        assert_eq!(found[BodyPart::Pose.range().start], 33 + 32, "the nose is the last of 33");
        assert_eq!(found[0], 66);
        assert_eq!(found[467], 66 + 467);
        assert_eq!(found[BodyPart::LeftHand.range().start], 66 + 478);
        assert_eq!(found[BodyPart::RightHand.range().end - 1], 66 + 478 + 41);
    }

    #[test]
    fn a_reduced_layout_is_refused_with_all_it_lacks() {
        let mut whole = whole();
        whole[0].1.drain(..11);
        whole[0].1.truncate(8);
        whole[1].1.truncate(128);
        whole.pop();
        let error = find(&components(&whole)).unwrap_err().to_string();
        let expected = "a reduced layout: \
            FACE_LANDMARKS has 128 points and lacks 340 of the 468 needed (128 is one); \
            POSE_LANDMARKS has 8 points and lacks 25 of the 33 needed (NOSE is one); \
            RIGHT_HAND_LANDMARKS is not there, 21 points needed";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_format_without_z_is_refused() {
        let mut components = components(&whole());
        components[2].format = "XYC";
        let error = find(&components).err().unwrap().to_string();
        assert_eq!(error, "format of LEFT_HAND_LANDMARKS: expected XYZC, found XYC");
    }
}
