use std::ops::Range;

use signd_core::event::{EndReason, EventBody, Hypotheses, SignState};
use signd_core::frame::SourceTime;
use signd_core::segment::{Segment, SegmentStart};
use signd_core::stream::{StepBatch, StreamStep};

use super::decide::DecideSettings;
use super::{CameraInference, Inference};
use crate::test_models::{PACE_STREAM, PACE_WINDOW, WIDTH, decide, inference};

/// One camera's inference, fed as soon as a row waits.
struct Camera {
    inference: Inference,
    camera: CameraInference,
    fed: usize,
}

impl Camera {
    fn new(model: &str, settings: &DecideSettings) -> Camera {
        let inference = inference(model, settings);
        let camera = CameraInference::new(&inference.model);
        Camera { inference, camera, fed: 0 }
    }

    fn push(&mut self, batch: &StepBatch, mut emit: impl FnMut(EventBody)) {
        let mut taken = 0;
        loop {
            let inference = &mut self.inference;
            self.camera.take(inference, batch, &mut taken, true, &mut emit).expect("runs");
            let Some((row, state)) = self.camera.next_row() else { return };
            let (row, state) = (row.to_vec(), state.to_vec());
            let Inference { model, decider } = inference;
            let camera = &mut self.camera;
            let fed =
                |_, logits: &[f32], next: &[f32]| camera.fed(next, decider.hypotheses(logits));
            model.step(&row, &state, fed).expect("runs");
            self.fed += 1;
        }
    }
}

/// Rows of a hand that goes down, then up, one in five numbers missing.
fn rows(count: usize) -> Vec<f32> {
    let number = |i: usize| match i % 5 {
        3 => f32::NAN,
        _ => ((i / WIDTH) as f32 * 0.4).sin() - 0.2 + (i % 7) as f32 * 0.01,
    };
    (0..count * WIDTH).map(number).collect()
}

/// A sign that ended with this row.
fn ended(end_row: u64) -> StreamStep {
    StreamStep::End(Segment {
        start_seq: 0,
        end_seq: 9,
        start_t: SourceTime(0),
        end_t: SourceTime(1),
        end_row,
        lost: 0,
        ended: EndReason::Still,
        presence: 1.0,
    })
}

#[test]
fn a_sign_is_decided_by_its_own_rows_also_when_it_began_again_and_ended_earlier() {
    let rows = rows(20);
    let mut whole = inference(PACE_STREAM, &decide(0.0, 0.0));
    let mut expected = |range: Range<usize>| {
        whole.answer(&rows[range.start * WIDTH..range.end * WIDTH]).expect("runs")
    };
    let frame = StreamStep::Frame { state: SignState::Signing, hand: None, lost: 0 };
    let taken = |range: Range<usize>, steps: &[StreamStep]| StepBatch {
        seq: range.end as u64,
        steps: [&[StreamStep::Rows(range.start as u64)], steps, &[frame]].concat(),
        rows: rows[range.start * WIDTH..range.end * WIDTH].to_vec(),
        ..StepBatch::default()
    };
    let mut camera = Camera::new(PACE_STREAM, &decide(0.0, 0.0));
    let mut tops = |batch: StepBatch| {
        let mut tops = Vec::new();
        camera.push(&batch, |body| match body {
            EventBody::Frame(frame) => tops.push(frame.top),
            EventBody::Sign(sign) => tops.push(sign.top),
            EventBody::Status(_) => {}
        });
        tops
    };
    assert_eq!(tops(taken(0..8, &[])), [Hypotheses::new()], "no sign is open");
    assert_eq!(
        tops(taken(
            8..10,
            &[StreamStep::Begin(SegmentStart { row: 4, seq: 0, t: SourceTime(0), lost: 0 })]
        )),
        [expected(4..10)],
        "with the pre-roll"
    );
    assert_eq!(tops(taken(10..11, &[])), [expected(4..11)]);
    assert_eq!(
        tops(taken(
            11..13,
            &[StreamStep::Begin(SegmentStart { row: 7, seq: 0, t: SourceTime(0), lost: 0 })]
        )),
        [expected(7..13)],
        "begun again"
    );
    let still = StepBatch { seq: 14, steps: vec![frame], ..StepBatch::default() };
    assert_eq!(tops(still), [expected(7..13)], "a frame that brings no row");
    // The end lies four rows back, and the next sign begins within those.
    let over = tops(taken(
        13..17,
        &[
            ended(12),
            StreamStep::Drop,
            StreamStep::Begin(SegmentStart { row: 14, seq: 0, t: SourceTime(0), lost: 0 }),
        ],
    ));
    assert_eq!(over, [expected(7..13), expected(14..17)]);
    assert_eq!(tops(taken(17..20, &[StreamStep::Drop])), [Hypotheses::new()]);
    let never = vec![ended(19)];
    assert!(
        tops(StepBatch { steps: never, ..StepBatch::default() }).is_empty(),
        "no sign was open"
    );
}

#[test]
fn a_sign_decided_early_is_not_decided_again_and_the_next_one_has_the_next_number() {
    let mut camera = Camera::new(PACE_STREAM, &decide(0.01, 100.0));
    let mut signs = Vec::new();
    let mut push = |seq: u64, step: Option<StreamStep>, lost: u64, state: SignState| {
        let frame = StreamStep::Frame { state, hand: None, lost };
        let rows = vec![0.1 * (seq % 2) as f32; WIDTH];
        let steps = std::iter::once(StreamStep::Rows(seq)).chain(step).chain([frame]).collect();
        let t = SourceTime(seq * 40_000_000);
        let batch = StepBatch { seq, t, steps, rows, misplaced: None };
        camera.push(&batch, |body| {
            if let EventBody::Sign(sign) = body {
                signs.push((sign.id, sign.end_seq, sign.lost, sign.ended));
            }
        });
    };
    let begin = |seq: u64| {
        Some(StreamStep::Begin(SegmentStart { row: seq, seq, t: SourceTime(0), lost: 1 }))
    };
    push(0, begin(0), 7, SignState::Onset);
    push(1, None, 0, SignState::Signing);
    push(2, None, 3, SignState::Signing);
    push(3, None, 0, SignState::Offset);
    push(4, None, 0, SignState::Signing);
    push(5, None, 0, SignState::Signing);
    push(6, Some(ended(6)), 0, SignState::Idle);
    push(7, begin(7), 0, SignState::Onset);
    push(8, Some(ended(8)), 0, SignState::Idle);
    // Led since frame 0 for 100 ms, but the third is the offset's; one missing since the begin, then three.
    assert_eq!(signs, [(0, 4, 4, EndReason::Early), (1, 9, 0, EndReason::Still)]);
}

#[test]
fn a_window_model_is_asked_for_hypotheses_only_when_the_frame_is_fresh_and_always_for_decisions() {
    let mut inference = inference(PACE_WINDOW, &decide(0.0, 0.0));
    let mut camera = CameraInference::new(&inference.model);
    let frame = StreamStep::Frame { state: SignState::Signing, hand: None, lost: 0 };
    let begin = StreamStep::Begin(SegmentStart { row: 0, seq: 0, t: SourceTime(0), lost: 0 });
    let mut said = Vec::new();
    let mut push = |seq: u64, steps: &[StreamStep], fresh: bool| {
        let steps = [&[StreamStep::Rows(seq)], steps].concat();
        let rows = rows(20)[seq as usize * WIDTH..][..WIDTH].to_vec();
        let batch = StepBatch { seq, steps, rows, ..StepBatch::default() };
        let emit = |body| match body {
            EventBody::Frame(frame) => said.push((frame.seq, frame.top_seq, frame.top.len())),
            EventBody::Sign(sign) => said.push((sign.end_seq, None, sign.top.len())),
            EventBody::Status(_) => {}
        };
        camera.take(&mut inference, &batch, &mut 0, fresh, emit).expect("runs");
    };
    push(0, &[begin, frame], false);
    push(1, &[frame], true);
    push(2, &[frame], false);
    push(3, &[ended(3)], false);
    assert_eq!(said, [(0, None, 0), (1, Some(1), 3), (2, Some(1), 3), (9, None, 3)]);
}
