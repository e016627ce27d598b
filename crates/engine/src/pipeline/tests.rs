use signd_core::event::{EventBody, StatusKind, StatusReason};
use signd_core::frame::{BodyPart, SourceTime};
use signd_core::stream_id;

use super::*;
use crate::test_models::{PACE_STREAM, PACE_WINDOW, decide, inference};

const SECOND: u64 = 1_000_000_000;

fn pipeline(model: &str) -> Pipeline {
    Pipeline::new(CoreSettings::default(), inference(model, &decide(0.0, 0.0)))
}

/// A second and a half in which the right hand comes up and moves about, never to be lowered again.
fn signing() -> Vec<Frame> {
    let frame = |i: u64| {
        let mut frame = Frame::default();
        (frame.seq, frame.t) = (i, SourceTime(SECOND + i * SECOND / 30));
        (frame.width, frame.height) = (640, 480);
        let pose = frame.detect(BodyPart::Pose);
        pose.fill([0.5, 0.5, 0.0]);
        for (i, y) in [(0, 0.2), (11, 0.4), (12, 0.4), (23, 0.9), (24, 0.9)] {
            pose[i] = [if i % 2 == 1 { 0.6 } else { 0.4 }, y, 0.0];
        }
        let height = 0.95 - 0.05 * i.min(10) as f32 + 0.02 * (i as f32).sin();
        let hand = frame.detect(BodyPart::RightHand);
        for (k, point) in hand.iter_mut().enumerate() {
            *point = [0.4 + 0.004 * k as f32, height - 0.003 * k as f32, 0.0];
        }
        frame
    };
    (0..45).map(frame).collect()
}

/// The same a second and a half later.
fn later(mut frame: Frame) -> Frame {
    (frame.seq, frame.t.0) = (frame.seq + 45, frame.t.0 + 45 * SECOND / 30);
    frame
}

/// What is said of a stream: its statuses, and how many frames and signs.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    statuses: Vec<(StatusKind, StatusReason)>,
    frames: usize,
    signs: Vec<u64>,
}

impl Heard {
    fn take(&mut self, event: &Event) {
        match &event.body {
            EventBody::Frame(_) => self.frames += 1,
            EventBody::Sign(sign) => self.signs.push(sign.id),
            EventBody::Status(status) => self.statuses.push((status.status, status.reason)),
        }
    }
}

fn id(name: &str) -> StreamId {
    stream_id::parse(name.as_bytes()).expect("valid")
}

fn play(pipeline: &mut Pipeline, frames: &[Frame], heard: &mut Heard) {
    let mut work = StreamWork::default();
    for frame in frames {
        pipeline.frame(id("cam"), frame, ArrivalTime(frame.t.0), &mut work);
        pipeline.finish(&mut work, true, |event| heard.take(&event)).expect("runs");
    }
}

#[test]
fn a_camera_comes_with_its_first_frame_and_goes_with_its_last_tick() {
    for model in [PACE_STREAM, PACE_WINDOW] {
        let (mut pipeline, mut heard) = (pipeline(model), Heard::default());
        play(&mut pipeline, &signing(), &mut heard);
        assert_eq!(pipeline.streams(), [id("cam")]);
        let mut work = StreamWork::default();
        pipeline.tick(id("cam"), Tick::Gone, &mut work);
        pipeline.finish(&mut work, true, |event| heard.take(&event)).expect("runs");
        let appeared = (StatusKind::Appeared, StatusReason::FirstFrame);
        assert_eq!(heard.statuses, [appeared, (StatusKind::Gone, StatusReason::Silence)]);
        assert_eq!((heard.frames, &heard.signs[..]), (45, &[0][..]));
        assert!(pipeline.streams().is_empty() && pipeline.cameras.is_empty());
    }
}

#[test]
fn a_tick_for_a_camera_that_is_not_there_changes_nothing() {
    let mut pipeline = pipeline(PACE_STREAM);
    let mut work = StreamWork::default();
    pipeline.tick(id("cam"), Tick::Stalled, &mut work);
    let never = |event: Event| panic!("{event:?}");
    assert_eq!(pipeline.advance(&mut work, true, never).expect("runs"), WorkState::Done);
    assert!(pipeline.streams().is_empty() && work.batch().steps.is_empty());
}

#[test]
fn a_camera_that_returns_while_its_end_waits_keeps_order_and_counts_anew() {
    let (mut pipeline, mut heard) = (pipeline(PACE_STREAM), Heard::default());
    let mut waiting = Vec::new();
    for round in 0..2 {
        for frame in signing() {
            let mut work = StreamWork::default();
            pipeline.frame(id("cam"), &frame, ArrivalTime(frame.t.0), &mut work);
            waiting.push(work);
        }
        let mut work = StreamWork::default();
        pipeline.tick(id("cam"), if round == 0 { Tick::Gone } else { Tick::End }, &mut work);
        waiting.push(work);
    }
    while let Some(work) = waiting.first_mut() {
        match pipeline.advance(work, true, |event| heard.take(&event)).expect("runs") {
            WorkState::Done => drop(waiting.remove(0)),
            // Those behind wait for the same row, and are not heard before.
            WorkState::NeedsModel => {
                let behind = pipeline.advance(&mut waiting[1], true, |_| panic!("out of order"));
                assert_eq!(behind.expect("runs"), WorkState::NeedsModel);
                pipeline.feed().expect("runs");
            }
        }
    }
    let appeared = (StatusKind::Appeared, StatusReason::FirstFrame);
    let (gone, ended) =
        ((StatusKind::Gone, StatusReason::Silence), (StatusKind::Gone, StatusReason::Shutdown));
    assert_eq!(heard.statuses, [appeared, gone, appeared, ended]);
    assert_eq!((heard.frames, &heard.signs[..]), (90, &[0, 0][..]));
    assert!(pipeline.cameras.is_empty());
}

#[test]
fn a_reload_decides_what_is_open_and_keeps_place_and_numbers() {
    for model in [PACE_STREAM, PACE_WINDOW] {
        let (mut pipeline, mut heard) = (pipeline(model), Heard::default());
        let frames = signing();
        play(&mut pipeline, &frames[..30], &mut heard);
        assert!(heard.signs.is_empty(), "the sign is open");
        let next = inference(model, &decide(0.0, 0.0));
        pipeline.reload(CoreSettings::default(), next, |event| heard.take(&event)).expect("runs");
        assert_eq!((heard.frames, &heard.signs[..]), (30, &[0][..]));
        let again: Vec<Frame> = frames.iter().cloned().map(later).collect();
        play(&mut pipeline, &again, &mut heard);
        pipeline.restart(|event| heard.take(&event)).expect("runs");
        assert_eq!(heard.statuses.len(), 1, "no second first frame: {:?}", heard.statuses);
        assert_eq!((heard.frames, &heard.signs[..]), (75, &[0, 1][..]));
    }
}

#[test]
fn a_restart_says_what_a_reload_of_the_same_says() {
    let frames = signing();
    let all = [true, false].map(|restart| {
        let (mut pipeline, mut said) = (pipeline(PACE_STREAM), Vec::new());
        let mut work = StreamWork::default();
        for (i, frame) in frames.iter().enumerate() {
            if i == 25 {
                let next = inference(PACE_STREAM, &decide(0.0, 0.0));
                let again = |event: Event| said.push(event.body);
                match restart {
                    true => pipeline.restart(again).expect("runs"),
                    false => pipeline.reload(CoreSettings::default(), next, again).expect("runs"),
                }
            }
            pipeline.frame(id("cam"), frame, ArrivalTime(frame.t.0), &mut work);
            pipeline.finish(&mut work, true, |event| said.push(event.body)).expect("runs");
        }
        said
    });
    assert_eq!(all[0], all[1]);
}

#[test]
fn work_whose_camera_was_forgotten_is_done_and_touches_no_other_camera() {
    let mut pipeline = pipeline(PACE_STREAM);
    let (mut waiting, mut other) = (StreamWork::default(), StreamWork::default());
    let frames = signing();
    pipeline.frame(id("cam"), &frames[0], ArrivalTime(frames[0].t.0), &mut waiting);
    pipeline.forget(waiting.camera.expect("a place"));
    pipeline.frame(id("another"), &frames[0], ArrivalTime(frames[0].t.0), &mut other);
    assert_eq!(waiting.camera, other.camera, "it has the place now");
    let never = |event: Event| panic!("{event:?}");
    assert_eq!(pipeline.advance(&mut waiting, true, never).expect("runs"), WorkState::Done);
    let mut heard = Heard::default();
    pipeline.finish(&mut other, true, |event| heard.take(&event)).expect("runs");
    assert_eq!((pipeline.streams(), heard.frames), (vec![id("another")], 1));
}
