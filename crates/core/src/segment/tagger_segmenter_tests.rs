//! Time lines: one character per row and frame of 33 ms, 30 a second; the tagger's sure answers are six
//! rows late.
//!
//! Input: what the sure answer will be of this row, `_` nothing, `?` half sure, `#` a sign; the quick one
//! knows it at once. Output: `-` idle, `o` onset, `S` signing, `e` offset.

use super::*;
use crate::frame::SourceTime;

fn settings() -> SegmentSettings {
    SegmentSettings {
        min_ms: 150.0,
        max_ms: 1500.0,
        ..super::super::rule_segmenter::tests::settings()
    }
}

fn probability(c: Option<char>) -> f32 {
    match c {
        Some('#') => 0.97,
        Some('?') => 0.5,
        _ => 0.03,
    }
}

/// Plays a line; returns the ends as `first-last`, and checks the states.
fn run(line: &str, expected: &str) -> Vec<String> {
    let mut tagged = TaggerSegmenter::new(settings(), Arc::new(Tagger::silent(6)));
    let mut ends = Vec::new();
    let mut said = String::new();
    let line: Vec<char> = line.chars().collect();
    for (i, c) in line.iter().enumerate() {
        tagged.history.push(glance(i));
        let then = i.checked_sub(6).and_then(|i| line.get(i)).copied();
        let tag = TaggerAnswer { now: probability(Some(*c)), then: probability(then) };
        let change = tagged.take(i as u64, tag);
        ends.extend(change.end.map(|s| format!("{}-{}", s.start_seq, s.end_seq)));
        said.push(match tagged.state() {
            SignState::Idle => '-',
            SignState::Onset => 'o',
            SignState::Signing => 'S',
            SignState::Offset => 'e',
        });
    }
    assert_eq!(said, expected, "\n        {}", line.iter().collect::<String>());
    ends
}

fn glance(i: usize) -> SegmenterInput {
    SegmenterInput {
        seq: i as u64,
        t: SourceTime(1_000_000_000 + i as u64 * 33_333_333),
        row: i as u64,
        lost: 0,
        seen: true,
        visible: true,
        raised: true,
        motion: 1.0,
    }
}

#[test]
fn a_sign_is_where_the_sure_answer_says() {
    let ends = run("____##########__________", "----ooooooSSSSeeeeee----");
    assert_eq!(ends, ["4-13"]);
}

#[test]
fn a_sign_made_again_without_leaving_counts_once() {
    // Hold and repeat: between the two the tagger is half sure at least.
    let ends = run("__#######???#######_________", "--ooooooSSSSSSSSSSSeeeeee---");
    assert_eq!(ends, ["2-18"]);
}

#[test]
fn a_sign_made_again_after_the_hands_have_left_counts_twice() {
    let ends = run("__#######____#######__________", "--ooooooSeeeeSSooooSeeeeee----");
    assert_eq!(ends, ["2-8", "13-19"]);
}

#[test]
fn half_sure_begins_nothing() {
    assert!(run("___????????________", "-------------------").is_empty());
}

#[test]
fn a_moment_is_no_sign() {
    assert!(run("____##________________", "----oo----ee----------").is_empty());
}

#[test]
fn a_sign_without_end_is_cut_at_the_longest_length() {
    let ends = run(&"#".repeat(60), &("oooooo".to_owned() + &"S".repeat(54)));
    assert_eq!(ends, ["0-45"]);
}

#[test]
fn closing_decides_the_open_sign_and_forgets() {
    let mut tagged = TaggerSegmenter::new(settings(), Arc::new(Tagger::silent(6)));
    for i in 0..20 {
        tagged.history.push(glance(i));
        let then = if i >= 6 { 0.97 } else { 0.03 };
        tagged.take(i as u64, TaggerAnswer { now: 0.97, then });
    }
    let end = tagged.close(EndReason::Gap).map(|s| (s.start_seq, s.end_seq, s.ended));
    assert_eq!(end, Some((0, 19, EndReason::Gap)));
    assert_eq!((tagged.state(), tagged.latest().is_none()), (SignState::Idle, true));
    assert_eq!(tagged.close(EndReason::End), None);
}

#[test]
fn closed_in_the_offset_it_ended_where_it_seemed_to_be_over() {
    let mut tagged = TaggerSegmenter::new(settings(), Arc::new(Tagger::silent(6)));
    for i in 0..18 {
        tagged.history.push(glance(i));
        let then = if i >= 6 { 0.97 } else { 0.03 };
        tagged.take(i as u64, TaggerAnswer { now: if i < 15 { 0.97 } else { 0.03 }, then });
    }
    assert_eq!(tagged.state(), SignState::Offset);
    assert_eq!(tagged.close(EndReason::Gap).map(|s| (s.start_seq, s.end_seq)), Some((0, 14)));
}

#[test]
fn of_a_frame_that_settles_many_rows_each_is_told() {
    let mut tagged = TaggerSegmenter::new(settings(), Arc::new(Tagger::echo()));
    let mut line = |seq: usize, row: u64, rows: &[f32]| {
        let mut said = String::new();
        let now = SegmenterInput { row, lost: 3, ..glance(seq) };
        tagged.push(now, rows, |SegmentChange { end, begin }, state| {
            said += &end.map(|s| format!("end {} lost {} ", s.end_row, s.lost)).unwrap_or_default();
            said += &begin.map(|b| format!("begin {} lost {} ", b.row, b.lost)).unwrap_or_default();
            said += if state == SignState::Idle { "idle;" } else { "open;" };
        });
        said
    };
    assert_eq!(line(0, 1, &[-1.0, -1.0]), "idle;idle;");
    assert_eq!(line(1, 3, &[1.0, -1.0]), "begin 1 lost 0 open;idle;", "too short to be a sign");
    assert_eq!(line(2, 5, &[-1.0, 1.0]), "idle;begin 1 lost 0 open;");
    assert_eq!(line(3, 5, &[]), "", "frames come faster than rows");
    assert_eq!(
        line(9, 11, &[1.0, 1.0, 1.0, 1.0, -1.0, 1.0]),
        "open;open;open;open;end 11 lost 6 idle;begin 11 lost 0 open;"
    );
}

#[test]
fn a_sign_that_the_tagger_doubts_has_less_presence() {
    let presence = |then| {
        let mut tagged = TaggerSegmenter::new(settings(), Arc::new(Tagger::silent(0)));
        for i in 0..20 {
            tagged.history.push(glance(i));
            tagged.take(i as u64, TaggerAnswer { now: then, then });
        }
        tagged.close(EndReason::End).map_or(0.0, |s| s.presence)
    };
    assert!((presence(0.9) - 1.0).abs() < 1e-3, "the usual one");
    assert!((presence(0.75) - 1.0 / 3.0).abs() < 1e-3);
    assert!(presence(0.99) > 10.0);
}
