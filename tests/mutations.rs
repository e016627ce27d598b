//! Damaged frames: decoding never panics, and refuses or yields a frame that keeps its promises.

use crate::common::mutate::Mutator;
use crate::common::stick_figure::{Gesture, frames};
use signd_core::frame::{BodyPart, FARTHEST, Frame, SourceTime, is_missing};
use signd_core::wire::landmarks::{encode, read};

/// What everything after the decoder relies on.
fn check(frame: &Frame) {
    assert!((1..=65_536).contains(&frame.width) && (1..=65_536).contains(&frame.height));
    assert!(!frame.points().as_flattened().iter().any(|x| x.abs() > FARTHEST));
    for part in BodyPart::ALL {
        match frame.part(part) {
            Some(points) => assert!(!points.iter().all(is_missing)),
            None => assert!(frame.points()[part.range()].as_flattened().iter().all(|x| x.is_nan())),
        }
    }
}

/// Every number of a frame, bit by bit.
fn bits(frame: &Frame) -> impl Iterator<Item = u32> {
    frame.points().as_flattened().iter().map(|x| x.to_bits())
}

#[test]
fn a_damaged_frame_is_refused_or_whole() {
    let gesture = Gesture { at: 0.0, height: -0.4 };
    let all = frames(&[gesture], 1.0, 30.0, SourceTime(1_700_000_000_000_000_000));
    // With every part, with a hand lost, with nobody: long frames and short.
    let mut without_hand = all[20].clone();
    without_hand.miss(BodyPart::RightHand);
    let mut without_face = all[20].clone();
    without_face.miss(BodyPart::Face);
    let nobody = Frame::new(7, SourceTime(1), 640, 480);
    let samples = [&all[20], &without_hand, &without_face, &nobody].map(|frame| {
        let mut message = Vec::new();
        encode(frame, &mut message);
        message
    });

    let (mut mutator, mut bytes) = (Mutator(0x5eed), Vec::new());
    let (mut frame, mut back, mut again) = (Frame::default(), Frame::default(), Vec::new());
    let (mut accepted, mut refused) = (0, 0);
    for sample in samples.iter().cycle().take(400_000) {
        mutator.damage(sample, &mut bytes);
        match read(&bytes, &mut frame) {
            Err(refusal) => {
                refused += 1;
                assert!(!refusal.to_string().is_empty());
            }
            Ok(()) => {
                accepted += 1;
                check(&frame);
                // What was taken for a frame is one: written again, it reads the same.
                encode(&frame, &mut again);
                read(&again, &mut back).expect("a frame");
                assert_eq!((frame.seq, frame.t), (back.seq, back.t));
                assert_eq!((frame.width, frame.height), (back.width, back.height));
                assert!(bits(&frame).eq(bits(&back)));
            }
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 10_000 && refused > 100_000, "{accepted} accepted, {refused} refused");
}
