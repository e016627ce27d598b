//! `.pose` files are written here, damaged, and read.

use super::*;
use crate::import::{ImportOverrides, ImportedClip};
use signd_core::frame::BodyPart;

/// A file to be written: one coordinate triple and confidence serves all points of a frame.
struct File {
    version: f32,
    components: Vec<(&'static str, Vec<String>)>,
    size: [u16; 2],
    people: u16,
    frames: Vec<[f32; 4]>,
}

fn file(version: f32) -> File {
    let frames = vec![[320.0, 120.0, -0.5, 1.0], [160.0, 60.0, f32::NAN, 0.5]];
    File { version, components: layout::whole(), size: [640, 480], people: 1, frames }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

impl File {
    fn header(&self) -> Vec<u8> {
        let mut bytes = self.version.to_le_bytes().to_vec();
        for number in [self.size[0], self.size[1], 0, self.components.len() as u16] {
            bytes.extend(number.to_le_bytes());
        }
        for (name, points) in &self.components {
            bytes.extend([text(name), text("XYZC")].concat());
            for number in [points.len() as u16, 1, 1] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(points.iter().flat_map(|point| text(point)));
            bytes.extend([0; 4 + 6]);
        }
        bytes
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        let frames = self.frames.len();
        if self.version == 0.1 {
            bytes.extend([25, 0]);
            bytes.extend((frames as u16).to_le_bytes());
        } else {
            bytes.extend(29.5f32.to_le_bytes());
            bytes.extend((frames as u32).to_le_bytes());
        }
        bytes.extend(self.people.to_le_bytes());
        let points: usize = self.components.iter().map(|(_, points)| points.len()).sum();
        let mut confidences = Vec::new();
        for [x, y, z, confidence] in &self.frames {
            for person in 0..self.people {
                for _ in 0..points {
                    let x = x + f32::from(person);
                    bytes.extend([x, *y, *z].map(f32::to_le_bytes).as_flattened());
                    confidences.extend(confidence.to_le_bytes());
                }
            }
        }
        bytes.extend(confidences);
        bytes
    }
}

fn message(bytes: &[u8]) -> String {
    read(bytes, &ImportOverrides::default()).err().expect("an error").to_string()
}

#[test]
fn both_versions_are_read_and_pixels_become_fractions() {
    for (version, fps) in [(0.1, 25.0), (0.2, 29.5)] {
        let raw = read(&file(version).bytes(), &ImportOverrides::default()).unwrap();
        assert_eq!((raw.fps, raw.size), (Some(fps), Some((640, 480))));
        assert_eq!(raw.points.len(), 2);
        assert!(raw.points[0].iter().all(|p| *p == [0.5, 0.25, -0.5]));
        assert!(raw.points[1].iter().all(|p| p[..2] == [0.25, 0.125] && p[2].is_nan()));
    }
}

#[test]
fn confidence_0_and_lacking_coordinates_are_missing() {
    let mut file = file(0.2);
    file.frames = vec![[f32::INFINITY, 0.0, 0.0, 0.0], [f32::NAN, 100.0, 1.0, 1.0]];
    let raw = read(&file.bytes(), &ImportOverrides::default()).unwrap();
    let clip = ImportedClip::settle(raw, &ImportOverrides::default()).unwrap();
    assert!(clip.points().iter().flatten().flatten().all(|v| v.is_nan()));
}

#[test]
fn irises_and_world_landmarks_are_left_out() {
    let mut file = file(0.2);
    file.components[1].1.extend((468..478).map(|i| i.to_string()));
    file.components.push(("POSE_WORLD_LANDMARKS", file.components[0].1.clone()));
    let mut bytes = file.bytes();
    // The right wrist's x in the second frame, behind pose, face with irises and left hand.
    let all = 33 + 478 + 42 + 33;
    let place = file.header().len() + 10 + (all + 33 + 478 + 21) * 12;
    bytes[place..place + 4].copy_from_slice(&640f32.to_le_bytes());
    let raw = read(&bytes, &ImportOverrides::default()).unwrap();
    let wrist = BodyPart::RightHand.range().start;
    for (i, point) in raw.points[1].iter().enumerate() {
        assert_eq!(point[0], if i == wrist { 1.0 } else { 0.25 }, "{i}");
    }
}

#[test]
fn of_several_people_the_first_is_taken_and_that_is_said() {
    let mut file = file(0.2);
    file.people = 3;
    let raw = read(&file.bytes(), &ImportOverrides::default()).unwrap();
    assert!(raw.points[0].iter().all(|p| p[0] == 0.5));
    assert!(raw.points[1].iter().all(|p| p[0] == 0.25));
    assert_eq!(raw.assumptions, [ImportAssumption::FirstPerson { people: 3 }]);
}

#[test]
fn a_given_size_replaces_the_recorded_and_without_any_there_is_no_scale() {
    let mut file = file(0.2);
    file.size = [640, 0];
    let lacking = message(&file.bytes());
    assert!(lacking.ends_with("expected at least 1x1, found 640x0 (give a size)"), "{lacking}");
    let raw = read(
        &file.bytes(),
        &ImportOverrides { size: Some((1280, 960)), ..ImportOverrides::default() },
    )
    .unwrap();
    assert_eq!(raw.points[0][0][..2], [0.25, 0.125]);
    assert_eq!(raw.size, Some((1280, 960)));
}

#[test]
fn a_file_cut_anywhere_or_lengthened_is_an_error() {
    for version in [0.1, 0.2] {
        let mut whole = file(version).bytes();
        for length in 0..whole.len() {
            let cut = read(&whole[..length], &ImportOverrides::default());
            assert!(matches!(cut, Err(ImportError::Truncated { .. })), "{length}");
        }
        whole.push(0);
        assert!(read(&whole, &ImportOverrides::default()).is_err());
    }
}

#[test]
fn no_changed_byte_of_the_header_panics() {
    let file = file(0.2);
    let (whole, header) = (file.bytes(), file.header().len());
    for i in 0..header + 10 {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[i] ^= flip;
            let _ = read(&bytes, &ImportOverrides::default());
        }
    }
}

#[test]
fn absurd_claims_cost_no_memory() {
    let mut file = file(0.2);
    let header = file.header().len();
    let mut bytes = file.bytes();
    bytes[header + 4..header + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(message(&bytes).ends_with("found 4294967295"));
    bytes[header + 4..header + 8].copy_from_slice(&100_000u32.to_le_bytes());
    assert!(message(&bytes).starts_with("ends too early, in the frames"));
    bytes[header + 8..header + 10].copy_from_slice(&[0, 0]);
    assert_eq!(message(&bytes), "expected at least one frame, found none");

    file.components[0].1 = vec![String::new(); 65_535];
    assert!(message(&file.bytes()).starts_with("points of the layout: expected at most"));
    file.version = 0.3;
    assert_eq!(message(&file.bytes()), "version of the format: expected 0.1 or 0.2, found 0.3");
}

#[test]
fn version_0_1_counts_past_2_to_the_16() {
    let mut file = file(0.1);
    // One more component point would make it larger still: 65,537 frames of 543 points.
    file.frames = vec![[100.0; 4]; (1 << 16) + 1];
    let raw = read(&file.bytes(), &ImportOverrides::default()).unwrap();
    assert_eq!(raw.points.len(), (1 << 16) + 1);
}
