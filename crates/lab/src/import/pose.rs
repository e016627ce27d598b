//! The `.pose` files of sign-language-processing, versions 0.1 and 0.2.
//!
//! A header (version, image size, *components* with their point names, limbs and colours), then
//! the *body*: all coordinates as [frames, people, points, axes], then all confidences as
//! [frames, people, points]. All little-endian, strings with a 16-bit length in front.
//!
//! x and y are in pixels. z is MediaPipe's own, in image widths and not scaled by the writer
//! (`p.x * width, p.y * height, p.z` in its source; files and direct estimates of one recording
//! agree on it), so it is taken as it is. Confidence 0 means that the point is missing, whatever
//! its coordinates; some writers put `NaN` there with confidence 1 instead.

use super::error::{ImportError, unexpected};
use super::layout::{self, Component};
use super::{Assumption, MAX_FRAMES, Overrides, Raw, WEBCAM};
use signd_core::frame::{POINTS, Point};

/// Most points that a layout may have, all components together; the largest known has 586.
const MAX_POINTS: usize = 10_000;

/// A picture of a person has more pixels than this in one direction.
const FEWEST_PIXELS: f32 = 8.0;

/// Bytes of a coordinate or a confidence.
const FLOAT: usize = size_of::<f32>();

/// Reads a `.pose` file's bytes. A size given replaces the header's image size.
pub(super) fn read(bytes: &[u8], overrides: &Overrides) -> Result<Raw, ImportError> {
    let mut from = Bytes(bytes);
    let header = Header::read(&mut from)?;
    let sources = layout::find(&header.components)?;
    let size = overrides.size.unwrap_or(header.size);
    let (width, height) = (size.0 as f32, size.1 as f32);
    if size.0 == 0 || size.1 == 0 {
        let found = format!("{}x{} (give a size)", size.0, size.1);
        return Err(unexpected("image size, by which pixels are divided", "at least 1x1", found));
    }

    let body = Body::read(&mut from, &header)?;
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
    let reach = |p: &Point| (p[0].abs() * width).max(p[1].abs() * height);
    let most = points.iter().flatten().map(reach).fold(0.0, f32::max);
    if most > 0.0 && most < FEWEST_PIXELS {
        return Err(ImportError::NoPixels { most });
    }
    let assumed = match body.people {
        1 => Vec::new(),
        people => vec![Assumption::FirstPerson { people }],
    };
    Ok(Raw { points, fps: Some(body.fps), size: Some(size), camera: WEBCAM, assumed })
}

/// Bytes not yet read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], ImportError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ImportError::Truncated {
            what,
            expected: length as u64,
            found: self.0.len() as u64,
        })?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ImportError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, ImportError> {
        self.array(what).map(u16::from_le_bytes)
    }

    fn text(&mut self, what: &'static str) -> Result<&'a str, ImportError> {
        let length = self.u16(what)?.into();
        let bytes = self.take(length, what)?;
        let found = || bytes.escape_ascii().to_string();
        str::from_utf8(bytes).map_err(|_| unexpected(what, "UTF-8", found()))
    }
}

/// What the file says about all frames.
struct Header<'a> {
    /// 1 or 2: version 0.1 or 0.2.
    version: u8,
    /// Image width and height in pixels.
    size: (u32, u32),
    components: Vec<Component<'a>>,
}

impl<'a> Header<'a> {
    fn read(from: &mut Bytes<'a>) -> Result<Header<'a>, ImportError> {
        let version = match f32::from_le_bytes(from.array("the version")?) {
            0.1 => 1,
            0.2 => 2,
            other => return Err(unexpected("version of the format", "0.1 or 0.2", other)),
        };
        let (width, height) = (from.u16("the image size")?, from.u16("the image size")?);
        let _depth = from.u16("the image size")?;
        let count = from.u16("the number of components")?;
        let mut components = Vec::new();
        let mut points_before = 0;
        for _ in 0..count {
            let name = from.text("a component's name")?;
            let format = from.text("a component's format")?;
            let points = usize::from(from.u16("a component's counts")?);
            let limbs = usize::from(from.u16("a component's counts")?);
            let colours = usize::from(from.u16("a component's counts")?);
            points_before += points;
            if points_before > MAX_POINTS {
                let most = format!("at most {MAX_POINTS}");
                return Err(unexpected("points of the layout", most, "more"));
            }
            let points = (0..points).map(|_| from.text("a point's name")).collect::<Result<_, _>>();
            components.push(Component { name, format, points: points? });
            from.take(limbs * 4, "a component's limbs")?;
            from.take(colours * 6, "a component's colours")?;
        }
        Ok(Header { version, size: (width.into(), height.into()), components })
    }
}

/// The numbers of all frames.
struct Body<'a> {
    fps: f64,
    frames: usize,
    people: u16,
    /// Points of a person.
    points: usize,
    /// Coordinates of a point: the longest format counts for all components.
    axes: usize,
    coordinates: &'a [u8],
    confidences: &'a [u8],
}

impl<'a> Body<'a> {
    fn read(from: &mut Bytes<'a>, header: &Header<'_>) -> Result<Body<'a>, ImportError> {
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
        Ok(Body { fps, frames, people, points, axes, coordinates, confidences })
    }

    /// x, y, z of a point of the first person, in the file's units; `None` when missing.
    fn point(&self, frame: usize, point: usize) -> Option<Point> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Clip, Overrides};
    use signd_core::frame::Part;

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
        read(bytes, &Overrides::default()).err().expect("an error").to_string()
    }

    #[test]
    fn both_versions_are_read_and_pixels_become_fractions() {
        for (version, fps) in [(0.1, 25.0), (0.2, 29.5)] {
            let raw = read(&file(version).bytes(), &Overrides::default()).unwrap();
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
        let raw = read(&file.bytes(), &Overrides::default()).unwrap();
        let clip = Clip::settle(raw, &Overrides::default()).unwrap();
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
        let raw = read(&bytes, &Overrides::default()).unwrap();
        let wrist = Part::RightHand.range().start;
        for (i, point) in raw.points[1].iter().enumerate() {
            assert_eq!(point[0], if i == wrist { 1.0 } else { 0.25 }, "{i}");
        }
    }

    #[test]
    fn of_several_people_the_first_is_taken_and_that_is_said() {
        let mut file = file(0.2);
        file.people = 3;
        let raw = read(&file.bytes(), &Overrides::default()).unwrap();
        assert!(raw.points[0].iter().all(|p| p[0] == 0.5));
        assert!(raw.points[1].iter().all(|p| p[0] == 0.25));
        assert_eq!(raw.assumed, [Assumption::FirstPerson { people: 3 }]);
    }

    #[test]
    fn a_given_size_replaces_the_recorded_and_without_any_there_is_no_scale() {
        let mut file = file(0.2);
        file.size = [640, 0];
        let lacking = message(&file.bytes());
        assert!(lacking.ends_with("expected at least 1x1, found 640x0 (give a size)"), "{lacking}");
        let raw =
            read(&file.bytes(), &Overrides { size: Some((1280, 960)), ..Overrides::default() })
                .unwrap();
        assert_eq!(raw.points[0][0][..2], [0.25, 0.125]);
        assert_eq!(raw.size, Some((1280, 960)));
    }

    #[test]
    fn a_file_cut_anywhere_or_lengthened_is_an_error() {
        for version in [0.1, 0.2] {
            let mut whole = file(version).bytes();
            for length in 0..whole.len() {
                let cut = read(&whole[..length], &Overrides::default());
                assert!(matches!(cut, Err(ImportError::Truncated { .. })), "{length}");
            }
            whole.push(0);
            assert!(read(&whole, &Overrides::default()).is_err());
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
                let _ = read(&bytes, &Overrides::default());
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
        let raw = read(&file.bytes(), &Overrides::default()).unwrap();
        assert_eq!(raw.points.len(), (1 << 16) + 1);
    }
}
