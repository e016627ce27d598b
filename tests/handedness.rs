//! A left-handed signer is understood as a right-handed one is: the exact mirror image of a recording gives
//! the same decisions, and the same rows to rounding.

// pose#95: handedness is often forgotten, and clips of left-handed signers are misread.

use std::path::Path;

use crate::common::mirror::mirrored;
use crate::common::models;
use signd::config::{Settings, SettingsFlags};
use signd_core::event::{Event, EventBody};
use signd_core::features::Schema;
use signd_core::features::grid::RowKind;
use signd_core::frame::{ArrivalTime, BodyPart, Frame, Hand, SourceTime};
use signd_core::stream::{StepBatch, Stream, Tick};
use signd_core::stream_id;
use signd_engine::pipeline::StreamWork;
use signd_engine::recording;

/// Frames a second of the recording.
const FPS: u64 = 30;

fn settings() -> Settings {
    Settings::load(&SettingsFlags::default()).expect("defaults")
}

/// The animated signer, who is right-handed.
fn signer() -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/signer.mcap");
    let bytes = std::fs::read(path).expect("reads");
    let (frames, _) = recording::frames(&bytes).expect("readable");
    frames.into_iter().map(|(_, frame)| frame).collect()
}

/// One take after the other, numbered and timed as one stream.
fn in_a_row(takes: &[&[Frame]]) -> Vec<Frame> {
    let mut frames = takes.concat();
    for (i, frame) in (0..).zip(&mut frames) {
        frame.seq = i;
        frame.t = SourceTime(1_000_000_000 + i * 1_000_000_000 / FPS);
    }
    frames
}

fn mirror_image(frames: &[Frame]) -> Vec<Frame> {
    frames.iter().map(mirrored).collect()
}

/// The same with the left hand hanging in the picture: the shape of the right one where that is first seen,
/// fingers down, at the left wrist of the body.
fn with_the_left_hand_at_rest(frames: &[Frame]) -> Vec<Frame> {
    let first =
        frames.iter().find(|frame| frame.part(BodyPart::RightHand).is_some()).expect("a hand");
    let image = mirrored(first);
    let shape = image.part(BodyPart::LeftHand).expect("there");
    let mut frames = frames.to_vec();
    for frame in &mut frames {
        let wrist = frame.part(BodyPart::Pose).expect("a body")[15];
        for (point, p) in frame.detect(BodyPart::LeftHand).iter_mut().zip(shape) {
            let [dx, dy] = [p[0] - shape[0][0], (p[1] - shape[0][1]).abs()];
            *point = [wrist[0] + dx, wrist[1] + dy, p[2]];
        }
    }
    frames
}

/// A decided label, first and last frame.
type Sign = (Option<u16>, u64, u64);

/// What the whole core and the shipped model decide, and the hand of every frame.
fn decided(frames: &[Frame]) -> (Vec<Sign>, Vec<Option<Hand>>) {
    let mut pipeline = models::pipeline(&settings(), models::SHIPPED);
    let id = stream_id::parse(b"cam1").expect("valid");
    let (mut signs, mut hands) = (Vec::new(), Vec::new());
    let mut work = StreamWork::default();
    for i in 0..=frames.len() {
        match frames.get(i) {
            Some(frame) => drop(pipeline.frame(id, frame, ArrivalTime(frame.t.0), &mut work)),
            None => pipeline.tick(id, Tick::End, &mut work),
        }
        let tell = |event: Event| match event.body {
            EventBody::Sign(sign) => signs.push((sign.label, sign.start_seq, sign.end_seq)),
            EventBody::Frame(frame) => hands.push(frame.hand),
            EventBody::Status(_) => {}
        };
        pipeline.finish(&mut work, true, tell).expect("runs");
    }
    (signs, hands)
}

/// Every sign is made with the right hand and, in the mirror image, with the left one, and both are given
/// the same labels.
fn assert_decided_alike(frames: &[Frame]) {
    let (signs, hands) = decided(frames);
    let (images, left) = decided(&mirror_image(frames));
    assert!(signs.len() >= 6, "{signs:?}");
    // Where a sign begins is rounding's to say to a frame.
    let alike = |((a, from, to), (b, start, end)): (&Sign, &Sign)| {
        a == b && from.abs_diff(*start) <= 1 && to.abs_diff(*end) <= 1
    };
    let same = signs.len() == images.len() && signs.iter().zip(&images).all(alike);
    assert!(same, "\n{signs:?}\n{images:?}");
    for (_, start, end) in signs {
        for i in start as usize..=end as usize {
            assert_eq!((hands[i], left[i]), (Some(Hand::Right), Some(Hand::Left)), "frame {i}");
        }
    }
}

#[test]
fn the_mirrored_signer_is_decided_as_the_signer_is() {
    assert_decided_alike(&signer());
}

#[test]
fn twice_in_a_row_the_mirrored_signer_is_decided_as_the_signer_is() {
    let take = signer();
    // The hand has been lowered by then. Back and forth, so that nothing jumps.
    let rest = &take[take.len() - 22..];
    let back: Vec<Frame> = rest.iter().rev().cloned().collect();
    assert_decided_alike(&in_a_row(&[&take, &back, rest, &take]));
}

#[test]
fn a_hand_resting_in_the_picture_from_the_first_frame_is_not_taken_for_the_one_that_signs() {
    assert_decided_alike(&with_the_left_hand_at_rest(&signer()));
}

/// The rows of all columns, each with the dominant hand of the frame that settled it.
fn rows(frames: &[Frame]) -> Vec<(Option<Hand>, Vec<f32>)> {
    let kind = RowKind::Features { schema: Schema::everything(), rate: FPS as f64 };
    let width = kind.width();
    let mut stream = Stream::new(&settings().core, kind);
    let (mut batch, mut rows) = (StepBatch::default(), Vec::new());
    for frame in frames {
        batch.clear();
        stream.push(frame, ArrivalTime(frame.t.0), &mut batch);
        let dominant = stream.view().and_then(|view| view.dominant);
        rows.extend(batch.rows.chunks_exact(width).map(|row| (dominant, row.to_vec())));
    }
    rows
}

#[test]
fn rows_of_the_mirror_image_are_the_same_once_something_tells_the_hands_apart() {
    let take = with_the_left_hand_at_rest(&signer());
    let (rows, images) = (rows(&take), rows(&mirror_image(&take)));
    assert_eq!(rows.len(), images.len());
    let told = |i: &usize| images[*i].0 == rows[*i].0.map(Hand::other);
    let first = (0..rows.len()).find(told).expect("the first sign");
    assert!(first < 40, "{first}: before the first sign");
    for i in first..rows.len() {
        assert!(told(&i), "row {i}: {:?} {:?}", rows[i].0, images[i].0);
        for (column, (a, b)) in rows[i].1.iter().zip(&images[i].1).enumerate() {
            let same = a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-5;
            assert!(same, "row {i} column {column}: {a} {b}");
        }
    }
}
