//! Known signs and decisions, scored.

use super::stream_score::{SignOutcome, score_stream};
use crate::streams::judge::trace::{FrameTrace, StreamDecision};
use crate::streams::truth::TrueSign;
use signd_core::event::SignState;

/// Signs as `label from to`, seconds.
pub fn signs(list: &[(u16, f64, f64)]) -> Vec<TrueSign> {
    let sign = |(label, from, to): &(u16, f64, f64)| TrueSign {
        label: (*label < 90).then_some(*label),
        gloss: label.to_string(),
        signer: "a".into(),
        path: "a.npz".into(),
        span: (*from, *to),
        clip: (*from, *to),
    };
    list.iter().map(sign).collect()
}

/// Decisions as `label from to probability`, made 0.3 s after their end. Sure from 0.5 on.
pub fn decisions(list: &[(u16, f64, f64, f32)]) -> Vec<StreamDecision> {
    let decision = |(label, from, to, p): &(u16, f64, f64, f32)| StreamDecision {
        span: (*from, *to),
        at: to + 0.3,
        label: (*p >= 0.5).then_some(*label),
        best: Some((*label, *p)),
        ended: None,
    };
    list.iter().map(decision).collect()
}

fn outcomes(s: &[(u16, f64, f64)], d: &[(u16, f64, f64, f32)]) -> Vec<Option<SignOutcome>> {
    let score = score_stream(60.0, &signs(s), &decisions(d), &[], 30.0);
    score.signs.iter().map(|s| s.outcome).collect()
}

#[test]
fn right_wrong_and_missed() {
    let true_signs = [(1, 1.0, 2.0), (2, 4.0, 5.0), (3, 7.0, 8.0), (4, 9.0, 9.5), (99, 11.0, 12.0)];
    let made = [
        (1, 1.1, 2.0, 0.9),   // right
        (5, 4.0, 5.0, 0.9),   // wrong
        (3, 7.0, 8.0, 0.3),   // right but unsure: missed
        (4, 9.5, 9.9, 0.9),   // beside it: missed, and a false decision
        (6, 11.0, 12.0, 0.9), // over a sign that the model does not know
    ];
    use SignOutcome::{Miss, Right, Wrong};
    assert_eq!(
        outcomes(&true_signs, &made),
        [Some(Right), Some(Wrong), Some(Miss), Some(Miss), None]
    );
    let score = score_stream(60.0, &signs(&true_signs), &decisions(&made), &[], 30.0);
    assert_eq!((score.alarms.len(), score.unknown_named), (1, 1));
    assert!(score.alarms[0].decided && score.alarms[0].label == 4);
    let named: Vec<_> = score.signs.iter().map(|s| (s.named, s.right)).collect();
    assert_eq!(named[1], (Some(0.9), None));
    assert_eq!(named[2], (Some(0.3), Some(0.3)));
    assert_eq!(named[3], (None, None));
    assert!(score.signs[2].segment_top1 && !score.signs[1].segment_top1);
}

#[test]
fn an_unsure_alarm_is_no_false_decision() {
    let score = score_stream(60.0, &[], &decisions(&[(1, 1.0, 2.0, 0.3)]), &[], 30.0);
    assert_eq!(score.alarms.len(), 1);
    assert!(!score.alarms[0].decided);
}

#[test]
fn latency_counts_from_the_true_end_and_overlap_is_measured() {
    let score =
        score_stream(60.0, &signs(&[(1, 1.0, 2.0)]), &decisions(&[(1, 1.5, 2.5, 0.9)]), &[], 30.0);
    let sign = &score.signs[0];
    assert!((sign.latency_ms.expect("right") - 800.0).abs() < 1e-6);
    assert!((sign.iou - 1.0 / 3.0).abs() < 1e-9);
}

#[test]
fn split_duplicate_and_merged() {
    let split = score_stream(
        60.0,
        &signs(&[(1, 1.0, 3.0)]),
        &decisions(&[(1, 1.0, 1.8, 0.9), (2, 2.0, 2.9, 0.3), (3, 2.9, 4.9, 0.9)]),
        &[],
        30.0,
    );
    assert_eq!((split.signs[0].segments, split.signs[0].decisions), (2, 1));
    assert!(!split.signs[0].merged);
    let merged = score_stream(
        60.0,
        &signs(&[(1, 1.0, 2.0), (2, 3.0, 4.0), (3, 4.1, 5.0)]),
        &decisions(&[(1, 1.2, 4.2, 0.9)]),
        &[],
        30.0,
    );
    assert_eq!(merged.signs.iter().map(|s| s.merged).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn the_lead_is_taken_when_no_other_label_comes_between() {
    let frame = |t: f64, label: Option<u16>| FrameTrace {
        t,
        visible: true,
        state: SignState::Signing,
        motion: 0.0,
        best: label.map(|label| (label, 0.5)),
    };
    // A sign before, then 1 leads for a moment, 2 for another, and 1 from 1.4 s on.
    let labels = [Some(1), None, Some(1), Some(2), Some(1), Some(1), None, None];
    let frames: Vec<_> = labels
        .iter()
        .zip([0.2, 0.6, 1.0, 1.2, 1.4, 1.8, 2.0, 2.3])
        .map(|(l, t)| frame(t, *l))
        .collect();
    let made = decisions(&[(1, 1.0, 2.0, 0.9)]);
    let score = score_stream(60.0, &signs(&[(1, 1.1, 2.0)]), &made, &frames, 30.0);
    assert!((score.signs[0].lead_ms.expect("leads") - 300.0).abs() < 1e-6);
}
