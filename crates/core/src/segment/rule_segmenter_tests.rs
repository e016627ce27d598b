//! Time lines: one character per frame of 40 ms (25 a second).
//!
//! Input: ` ` the hand cannot be seen, `_` it is below the rest line, `.` raised and still, a digit
//! is its motion in shoulder widths a second. Output: `-` idle, `o` onset, `S` signing, `e` offset.

use super::*;

pub fn settings() -> SegmentSettings {
    SegmentSettings {
        tagger: true,
        enter: 0.6,
        leave: 0.4,
        start_speed: 0.8,
        still_speed: 0.3,
        arrived: 0.5,
        lead_in_ms: 500.0,
        still_ms: 480.0,
        offset_ms: 240.0,
        pre_roll_ms: 120.0,
        post_roll_ms: 0.0,
        min_ms: 160.0,
        max_ms: 3000.0,
    }
}

fn glance(i: usize, c: char) -> SegmenterInput {
    SegmenterInput {
        seq: i as u64,
        t: SourceTime(1_000_000_000 + i as u64 * 40_000_000),
        row: i as u64,
        lost: 0,
        seen: c != ' ',
        visible: c != ' ',
        raised: !matches!(c, ' ' | '_'),
        motion: c.to_digit(10).map_or(0.0, |d| d as f32),
    }
}

/// Plays a line; returns the ends as `first-last why`.
fn run(line: &str, expected: &str) -> Vec<String> {
    let mut segmenter = RuleSegmenter::new(settings());
    let mut ends = Vec::new();
    let mut said = String::new();
    for (i, c) in line.chars().enumerate() {
        let change = segmenter.push(glance(i, c));
        ends.extend(change.end.map(show));
        said.push(match segmenter.state() {
            SignState::Idle => '-',
            SignState::Onset => 'o',
            SignState::Signing => 'S',
            SignState::Offset => 'e',
        });
    }
    assert_eq!(said, expected, "\n        {line}");
    ends
}

fn show(s: Segment) -> String {
    format!("{}-{} {:?}", s.start_seq, s.end_seq, s.ended)
}

#[test]
fn a_sign_between_two_rests() {
    let ends = run("____356412343212254_______", "----ooooSSSSSSSSSSSeeeee--");
    assert_eq!(ends, ["8-16 Rest"]);
}

#[test]
fn a_hand_held_still_ends_the_sign_where_it_stopped() {
    let ends = run("___4521332...............", "---ooSSSSSeeeeeeeeeeee---");
    assert_eq!(ends, ["5-10 Still"]);
}

#[test]
fn a_short_pause_is_part_of_the_sign() {
    let ends = run("___4521332....2332        ", "---ooSSSSSeeeeSSSSeeeee---");
    assert_eq!(ends, ["5-13 Hidden"]);
}

#[test]
fn a_hand_that_only_passes_by_is_no_sign() {
    assert!(run("____55_____", "----oo-----").is_empty());
}

#[test]
fn a_hand_at_rest_or_still_is_no_sign() {
    assert!(run("____....____    ....", "----------------oSe-").is_empty());
}

#[test]
fn a_hand_that_comes_into_view_up_there_begins_a_sign_however_slow() {
    assert_eq!(run("    ..121121______", "----oSSSSSSSeeeee-"), ["5-9 Rest"]);
}

#[test]
fn a_hand_that_had_stopped_before_it_was_lost_was_not_on_its_way() {
    assert_eq!(run("___45213333211       ", "---ooSSSSSSSSSeeeee--"), ["5-13 Hidden"]);
}

#[test]
fn a_hand_that_moves_on_from_where_it_arrived_began_there() {
    // Never slower than half of the fastest: arrived at the first 6, known one frame later.
    let ends = run("___4968687868______", "---oooSSSSSSSeeeee-");
    assert_eq!(ends, ["5-11 Rest"]);
}

#[test]
fn the_way_out_is_no_part_of_the_sign() {
    let ends = run("___4521332214896______", "---ooSSSSSSSSSSSeeeee-");
    assert_eq!(ends, ["5-12 Rest"]);
}

#[test]
fn rows_after_the_end_are_taken_in_as_far_as_there_are() {
    let mut settings = settings();
    settings.post_roll_ms = 80.0;
    let mut segmenter = RuleSegmenter::new(settings);
    let mut end = None;
    for (i, c) in "___45213333211        ".chars().enumerate() {
        end = end.or(segmenter.push(glance(i, c)).end);
    }
    assert_eq!(end.map(|end| (end.end_seq, end.end_row)), Some((13, 15)));
}

#[test]
fn a_movement_without_end_is_cut_at_the_longest_length() {
    let line = "5".to_owned() + &"2".repeat(91);
    let ends = run(&line, &("oS".to_owned() + &"S".repeat(74) + "-" + "oooooooooooooSS"));
    assert_eq!(ends, ["1-76 Length"]);
}

#[test]
fn closing_decides_the_open_sign_and_forgets() {
    let mut segmenter = RuleSegmenter::new(settings());
    for (i, c) in "___452133222".chars().enumerate() {
        segmenter.push(glance(i, c));
    }
    assert_eq!(segmenter.close(EndReason::Gap).map(show).as_deref(), Some("5-11 Gap"));
    assert_eq!(segmenter.state(), SignState::Idle);
    assert_eq!(segmenter.close(EndReason::End), None);
}

#[test]
fn missing_frames_inside_are_counted() {
    let mut segmenter = RuleSegmenter::new(settings());
    for (i, c) in "___45213322".chars().enumerate() {
        let lost = if i == 4 || i == 9 { 2 } else { 0 };
        segmenter.push(SegmenterInput { lost, ..glance(i, c) });
    }
    assert_eq!(segmenter.close(EndReason::End).map(|s| s.lost), Some(2));
}

#[test]
fn the_same_movement_at_15_and_60_frames_a_second_ends_at_the_same_time() {
    let ends: Vec<(f64, f64)> = [15.0, 30.0, 60.0]
        .map(|fps: f64| {
            let mut segmenter = RuleSegmenter::new(settings());
            let mut end = None;
            for i in 0..(4.0 * fps) as u64 {
                let s = i as f64 / fps;
                let motion = match s {
                    s if s < 1.0 => 0.0,
                    s if s < 1.3 => 4.0,
                    s if s < 2.2 => 1.5,
                    _ => 0.0,
                };
                let glance = SegmenterInput {
                    seq: i,
                    t: SourceTime((s * 1e9) as u64),
                    row: i,
                    lost: 0,
                    seen: true,
                    visible: true,
                    raised: true,
                    motion,
                };
                end = end.or(segmenter.push(glance).end);
            }
            end.map_or((0.0, 0.0), |e| (e.start_t.0 as f64 * 1e-9, e.end_t.0 as f64 * 1e-9))
        })
        .to_vec();
    for (start, end) in ends {
        assert!((start - 1.3).abs() < 0.07 && (end - 2.2).abs() < 0.07, "{start} {end}");
    }
}
