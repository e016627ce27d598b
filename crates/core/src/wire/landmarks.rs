//! A landmark frame in its MessagePack form.
//!
//! Decoding has two steps: [`decode`] checks that the message is whole and of the right shape and
//! borrows its bytes; [`WireFrame::fill`] then checks the numbers and copies each part as one block.

use rmp_serde::decode::Error as Msgpack;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use super::VERSION;
use crate::frame::{BodyPart, FARTHEST, Frame, Landmark, SourceTime, is_missing};

/// Longest message accepted, in bytes. A frame with a 478-point face has about 6,640; the margin is
/// for keys of later versions, which are ignored.
pub const MAX_BYTES: usize = 64 * 1024;

/// Largest image side accepted, in pixels.
pub const MAX_SIDE: u32 = 65_536;
/// Latest capture time accepted, in ns since the Unix epoch: what a signed number of 64 bits holds, in the
/// year 2262. A negative time written as an unsigned number is beyond it.
const MAX_TIME: u64 = i64::MAX as u64;
const POINT_BYTES: usize = size_of::<Landmark>();
/// Parts are copied as they lie in memory, both ways.
const _: () = assert!(cfg!(target_endian = "little"), "the wire format is little-endian");
/// A face with irises; its last ten points are dropped.
const FACE_WITH_IRISES: usize = 478;

/// Why a message is not a landmark frame. The frame is dropped and counted, the stream goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_BYTES`].
    #[error("message of {0} bytes (at most {MAX_BYTES})")]
    Oversized(usize),
    /// Of a version that this build does not speak.
    #[error("version {0} (this is version {VERSION})")]
    Version(u64),
    /// No MessagePack map with the keys of a landmark frame.
    #[error("not a landmark frame: {0}")]
    Malformed(String),
    /// Bytes follow the map.
    #[error("bytes after the end of the message")]
    Trailing,
    /// A part with the wrong number of bytes.
    #[error("{part}: {found} bytes (expected {expected})")]
    Length {
        /// The key of the part.
        part: &'static str,
        /// Bytes expected: 12 for each point.
        expected: &'static str,
        /// Bytes found.
        found: usize,
    },
    /// A coordinate that is infinite, or as good as that.
    #[error("{part}: point {point} is infinite or farther than {FARTHEST} image sides away")]
    Infinite {
        /// The key of the part.
        part: &'static str,
        /// Index of the first such point in its part.
        point: usize,
    },
    /// A capture time that cannot be.
    #[error(
        "capture time {0} (at most {MAX_TIME}): `t` is in nanoseconds since the Unix epoch and not negative"
    )]
    Time(u64),
    /// An image size of nothing, or an absurd one.
    #[error("image size {0}x{1} (each side 1 to {MAX_SIDE})")]
    Size(u32, u32),
}

/// The message as it lies in its buffer.
#[derive(Debug, Serialize, Deserialize)]
pub struct WireFrame<'a> {
    v: u64,
    /// Number of the frame in its stream.
    pub seq: u64,
    /// Capture time, ns since the Unix epoch; at most [`i64::MAX`].
    pub t: u64,
    w: u32,
    h: u32,
    #[serde(borrow, default)]
    face: Option<&'a Bytes>,
    #[serde(borrow, default)]
    left_hand: Option<&'a Bytes>,
    #[serde(borrow, default)]
    pose: Option<&'a Bytes>,
    #[serde(borrow, default)]
    right_hand: Option<&'a Bytes>,
}

/// Reads a message into `frame`: [`decode`], then [`WireFrame::fill`].
///
/// # Errors
///
/// When the message is no landmark frame. `frame` then holds nothing of use.
pub fn read(bytes: &[u8], frame: &mut Frame) -> Result<(), DecodeError> {
    decode(bytes)?.fill(frame)
}

/// Is it whole, and of the right shape? Borrows everything from `bytes`, allocates nothing unless
/// it refuses.
///
/// # Errors
///
/// When the message is no landmark frame of this version, or a part of it has the wrong length.
pub fn decode(bytes: &[u8]) -> Result<WireFrame<'_>, DecodeError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::Oversized(bytes.len()));
    }
    // serde would also take an array of values in order; the contract says map.
    if !matches!(bytes.first(), Some(0x80..=0x8f | 0xde | 0xdf)) {
        return Err(DecodeError::Malformed("no MessagePack map".into()));
    }
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    let wire = match WireFrame::deserialize(&mut reader) {
        Ok(wire) if wire.v == VERSION => wire,
        Ok(wire) => return Err(DecodeError::Version(wire.v)),
        Err(error) => return Err(foreign_version(bytes).unwrap_or_else(|| malformed(&error))),
    };
    // The reader stops after one value. If even the next marker cannot be read, nothing follows.
    match IgnoredAny::deserialize(&mut reader) {
        Err(Msgpack::InvalidMarkerRead(_)) => {}
        _ => return Err(DecodeError::Trailing),
    }
    for part in BodyPart::ALL {
        check_length(part, wire.part(part))?;
    }
    if wire.t > MAX_TIME {
        return Err(DecodeError::Time(wire.t));
    }
    if !(1..=MAX_SIDE).contains(&wire.w) || !(1..=MAX_SIDE).contains(&wire.h) {
        return Err(DecodeError::Size(wire.w, wire.h));
    }
    Ok(wire)
}

/// A later version may have other keys: then its number, not the missing key, is the news.
fn foreign_version(bytes: &[u8]) -> Option<DecodeError> {
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }
    let Version { v } = rmp_serde::from_slice(bytes).ok()?;
    (v != VERSION).then_some(DecodeError::Version(v))
}

fn malformed(error: &Msgpack) -> DecodeError {
    DecodeError::Malformed(error.to_string())
}

fn check_length(part: BodyPart, bytes: Option<&[u8]>) -> Result<(), DecodeError> {
    let Some(bytes) = bytes else { return Ok(()) };
    let found = bytes.len();
    let points = part.range().len();
    let fits = found == points * POINT_BYTES
        || (part == BodyPart::Face && found == FACE_WITH_IRISES * POINT_BYTES);
    let expected = match part {
        BodyPart::Face => "5616 or 5736",
        BodyPart::Pose => "396",
        BodyPart::LeftHand | BodyPart::RightHand => "252",
    };
    if fits { Ok(()) } else { Err(DecodeError::Length { part: part.name(), expected, found }) }
}

impl WireFrame<'_> {
    fn part(&self, part: BodyPart) -> Option<&[u8]> {
        let bytes = match part {
            BodyPart::Face => self.face,
            BodyPart::LeftHand => self.left_hand,
            BodyPart::Pose => self.pose,
            BodyPart::RightHand => self.right_hand,
        };
        bytes.map(std::convert::AsRef::as_ref)
    }

    /// Are the numbers usable? Copies each part as one block into `frame`, whatever it held.
    ///
    /// # Errors
    ///
    /// When a coordinate is infinite or absurdly far away. `frame` then holds nothing of use.
    pub fn fill(&self, frame: &mut Frame) -> Result<(), DecodeError> {
        frame.seq = self.seq;
        frame.t = SourceTime(self.t);
        frame.width = self.w;
        frame.height = self.h;
        for part in BodyPart::ALL {
            let Some(bytes) = self.part(part) else {
                frame.miss(part);
                continue;
            };
            let points = frame.detect(part);
            // The bytes are little-endian, as this machine is.
            let block: &mut [u8] = bytemuck::cast_slice_mut(&mut *points);
            let length = block.len();
            block.copy_from_slice(&bytes[..length]);
            frame.miss_repeated(part);
            let Some(points) = frame.part(part) else { continue };
            let far = |x: &f32| x.abs() > FARTHEST;
            // All are looked at: without an early end the compiler makes it one pass of wide instructions.
            if points.as_flattened().iter().fold(false, |any, x| any | far(x)) {
                let point = points.iter().position(|p| p.iter().any(far));
                return Err(DecodeError::Infinite { part: part.name(), point: point.unwrap_or(0) });
            }
            if points.iter().all(is_missing) {
                frame.miss(part); // a part of nothing but missing points was not found
            }
        }
        Ok(())
    }
}

/// Writes a frame as the message that [`decode`] reads; `out` is cleared first.
pub fn encode(frame: &Frame, out: &mut Vec<u8>) {
    let part = |part| frame.part(part).map(|points| Bytes::new(bytemuck::cast_slice(points)));
    let wire = WireFrame {
        v: VERSION,
        seq: frame.seq,
        t: frame.t.0,
        w: frame.width,
        h: frame.height,
        face: part(BodyPart::Face),
        left_hand: part(BodyPart::LeftHand),
        pose: part(BodyPart::Pose),
        right_hand: part(BodyPart::RightHand),
    };
    out.clear();
    // Writing numbers and byte strings to a Vec cannot fail.
    let _ = rmp_serde::encode::write_named(out, &wire);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let mut frame = Frame::new(7, SourceTime(1_000), 640, 480);
        for part in [BodyPart::Face, BodyPart::Pose, BodyPart::RightHand] {
            for (i, p) in frame.detect(part).iter_mut().enumerate() {
                *p = [i as f32 * 0.001, 0.5, -0.1];
            }
        }
        frame.detect(BodyPart::Pose)[3] = [f32::NAN; 3];
        frame
    }

    fn bytes() -> Vec<u8> {
        let mut out = Vec::new();
        encode(&frame(), &mut out);
        out
    }

    fn refusal(bytes: &[u8]) -> DecodeError {
        match decode(bytes) {
            Err(refusal) => refusal,
            Ok(wire) => wire.fill(&mut Frame::default()).expect_err("accepted"),
        }
    }

    #[test]
    fn a_frame_survives_the_wire() {
        let bytes = bytes();
        let mut back = Frame::default();
        decode(&bytes).expect("decodes").fill(&mut back).expect("fills");
        assert_eq!((back.seq, back.t, back.width, back.height), (7, SourceTime(1_000), 640, 480));
        assert!(back.part(BodyPart::LeftHand).is_none());
        for (a, b) in frame().points().iter().zip(back.points()) {
            assert_eq!(a.map(f32::to_bits), b.map(f32::to_bits));
        }
    }

    #[test]
    fn a_reused_frame_keeps_nothing_of_the_one_before() {
        let mut back = Frame::default();
        back.detect(BodyPart::LeftHand).fill([0.5; 3]);
        decode(&bytes()).expect("decodes").fill(&mut back).expect("fills");
        assert!(back.part(BodyPart::LeftHand).is_none());
    }

    #[test]
    fn a_cut_message_is_refused_at_every_length() {
        let bytes = bytes();
        for n in 0..bytes.len() {
            assert!(matches!(refusal(&bytes[..n]), DecodeError::Malformed(_)), "at {n}");
        }
    }

    #[test]
    fn bytes_after_the_end_are_refused() {
        for extra in [0x00u8, 0xc0, 0xc1, 0x80] {
            let mut bytes = bytes();
            bytes.push(extra);
            assert_eq!(refusal(&bytes), DecodeError::Trailing, "{extra:#x}");
        }
    }

    fn map(entries: &[(&str, serde_json::Value)]) -> Vec<u8> {
        let map: serde_json::Map<_, _> =
            entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        rmp_serde::to_vec(&map).expect("encodes")
    }

    #[test]
    fn another_version_is_named_even_when_its_keys_differ() {
        assert_eq!(
            refusal(&map(&[("v", 2.into()), ("points", "x".into())])),
            DecodeError::Version(2)
        );
    }

    #[test]
    fn wrong_lengths_name_both_sides() {
        #[derive(Serialize)]
        struct Odd<'a> {
            v: u8,
            seq: u8,
            t: u8,
            w: u8,
            h: u8,
            pose: &'a Bytes,
        }
        let odd = Odd { v: 1, seq: 0, t: 1, w: 4, h: 3, pose: Bytes::new(&[0; 24]) };
        let bytes = rmp_serde::to_vec_named(&odd).expect("encodes");
        let expected = DecodeError::Length { part: "pose", expected: "396", found: 24 };
        assert_eq!(refusal(&bytes), expected);
        assert_eq!(expected.to_string(), "pose: 24 bytes (expected 396)");
    }

    #[test]
    fn infinities_are_refused_and_nan_is_missing() {
        for far in [f32::NEG_INFINITY, f32::MAX, -100_001.0] {
            let mut frame = frame();
            frame.detect(BodyPart::RightHand)[20][1] = far;
            let mut bytes = Vec::new();
            encode(&frame, &mut bytes);
            assert_eq!(refusal(&bytes), DecodeError::Infinite { part: "right_hand", point: 20 });
        }
    }

    #[test]
    fn a_part_of_nothing_but_nan_is_a_missing_part() {
        let mut frame = frame();
        frame.detect(BodyPart::RightHand).fill([f32::NAN; 3]);
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes);
        let mut back = Frame::default();
        decode(&bytes).expect("decodes").fill(&mut back).expect("fills");
        assert!(back.part(BodyPart::RightHand).is_none());
    }

    // raspberrypi/linux#2214
    #[test]
    fn a_time_beyond_a_signed_number_of_nanoseconds_is_refused() {
        let at = |t: u64| {
            let (mut frame, mut bytes) = (frame(), Vec::new());
            frame.t = SourceTime(t);
            encode(&frame, &mut bytes);
            bytes
        };
        assert!(decode(&at(MAX_TIME)).is_ok());
        for t in [MAX_TIME + 1, -1_i64 as u64, u64::MAX] {
            assert_eq!(refusal(&at(t)), DecodeError::Time(t));
        }
    }

    #[test]
    fn size_zero_arrays_and_oversize_are_refused() {
        let size = map(&[
            ("v", 1.into()),
            ("seq", 0.into()),
            ("t", 1.into()),
            ("w", 0.into()),
            ("h", 9.into()),
        ]);
        assert_eq!(refusal(&size), DecodeError::Size(0, 9));
        assert!(matches!(refusal(&[0x93, 1, 2, 3]), DecodeError::Malformed(_)));
        assert_eq!(refusal(&vec![0; MAX_BYTES + 1]), DecodeError::Oversized(MAX_BYTES + 1));
    }
}
