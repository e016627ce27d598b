//! Time lines: one character per frame of 40 ms (25 a second).
//!
//! Input, a line for each hand: `^` higher up, `#` raised, `-` just raised, `_` present but low; not found
//! are `'`, whose wrist is raised, `.`, whose wrist is low, and ` `, of which nothing is known.
//! Output: `L` or `R` for the visible dominant hand, `l` or `r` when it is not visible, `.` for none; `?` is
//! expected where either hand would do.

use super::*;

/// Holds a time line and its mirror image against what is expected.
fn run(lines: [&str; 3]) {
    run_in_sign(lines, "");
}

/// `sign` marks with `=` the frames during which a sign is under way.
fn run_in_sign([left, right, expected]: [&str; 3], sign: &str) {
    let mirrored: String = expected.chars().map(other_side).collect();
    for (lines, expected) in [([left, right], expected), ([right, left], &mirrored)] {
        let said = gated(lines, sign, expected.len());
        let as_expected = said.chars().zip(expected.chars()).all(|(s, e)| e == '?' || s == e);
        assert!(as_expected, "{lines:#?}\n    said {said:?}\nexpected {expected:?}");
    }
}

fn other_side(letter: char) -> char {
    match letter {
        'L' => 'R',
        'R' => 'L',
        'l' => 'r',
        'r' => 'l',
        other => other,
    }
}

fn view(line: &str, i: usize) -> HandView {
    let (present, height) = match line.as_bytes().get(i) {
        Some(b'^') => (true, 0.7),
        Some(b'#') => (true, 0.5),
        Some(b'-') => (true, 0.2),
        Some(b'_') => (true, -0.5),
        Some(b'\'') => (false, 0.5),
        Some(b'.') => (false, -0.5),
        _ => return HandView::default(),
    };
    HandView { present, raised: present && height > 0.0, height: Some(height) }
}

/// What the gate says of these lines, `count` frames of them.
fn gated([left, right]: [&str; 2], sign: &str, count: usize) -> String {
    let settings = GateSettings {
        appear_ms: 60.0,
        hangover_ms: 200.0,
        memory_s: 3.0,
        switch_margin: 0.15,
        rest_line: 1.0,
    };
    let mut gate = Gate::new(settings);
    let letter = |i: usize| {
        let t = SourceTime(1_000_000_000 + i as u64 * 40_000_000);
        let in_sign = sign.as_bytes().get(i) == Some(&b'=');
        let GateOutput { dominant, visible } = gate.push(t, view(left, i), view(right, i), in_sign);
        match (dominant, visible) {
            (None, _) => '.',
            (Some(Hand::Left), true) => 'L',
            (Some(Hand::Left), false) => 'l',
            (Some(Hand::Right), true) => 'R',
            (Some(Hand::Right), false) => 'r',
        }
    };
    (0..count).map(letter).collect()
}

#[test]
fn a_hand_appears_after_a_moment_and_a_flicker_does_not() {
    run(["                     ", "  #    ########      ", "..rrrrrrrRRRRRRRRRRRr"]);
}

#[test]
fn a_hand_lost_for_a_few_frames_stays_visible() {
    run(["                     ", "#####  ####     #### ", "rrRRRRRRRRRRRRRRRRRRR"]);
}

#[test]
fn a_hand_lost_for_longer_is_gone_until_it_appears_again() {
    run(["                       ", "#####         ######## ", "rrRRRRRRRRrrrrrrRRRRRRR"]);
}

#[test]
fn the_only_hand_seen_is_dominant() {
    run(["    ########", "            ", "....llLLLLLL"]);
    run(["    ________", "            ", "....llLLLLLL"]);
}

// pose#95: a left-handed signer is as good as a right-handed one.
#[test]
fn of_two_raised_hands_the_higher_one_is_dominant_from_the_first_frame() {
    run(["^^^^^^^^", "########", "llLLLLLL"]);
}

#[test]
fn of_two_hands_at_rest_the_one_that_goes_up_is_dominant_at_once() {
    run(["_____####", "_________", "?????LLLL"]);
    run(["____________####", "####____________", "rrRRRRRRRRRRLLLL"]);
}

#[test]
fn the_wrist_that_goes_up_tells_the_hand_before_the_hand_is_found() {
    run(["...''####", ".........", "???llllLL"]);
}

#[test]
fn a_hand_that_only_flickered_yields_to_one_that_stays() {
    run(["   ________", "#          ", "rrrrrLLLLLL"]);
}

#[test]
fn hands_that_nothing_tells_apart_leave_it_open_until_something_does() {
    run(["#########", "####_____", "????LLLLL"]);
    run(["####^^^^^", "#########", "?????LLLL"]);
}

#[test]
fn a_raised_hand_takes_over_from_one_that_left() {
    run(["            ########", "#######             ", "rrRRRRRRRRRR??LLLLLL"]);
}

#[test]
fn a_hand_resting_in_the_picture_does_not_take_over() {
    run([
        "____________________________",
        "#######            #######  ",
        "rrRRRRRRRRRRrrrrrrrrrRRRRRRR",
    ]);
}

#[test]
fn a_sign_under_way_keeps_its_hand() {
    run_in_sign(
        [
            "            ################",
            "#######                     ",
            "rrRRRRRRRRRRrrrrrrrrrrLLLLLL",
        ],
        "    ==================      ",
    );
}

/// The right hand has long been raised alone: these go on from there.
fn run_settled([left, right, expected]: [&str; 3]) {
    let alone = |hand: &str| hand.repeat(40);
    let expected = format!("rr{}{expected}", "R".repeat(38));
    run([&(alone("_") + left), &(alone("#") + right), &expected]);
}

#[test]
fn hands_that_go_up_together_leave_the_settled_one_dominant() {
    run_settled(["___^^^^^^^^^", "____########", "RRRRRRRRRRRR"]);
}

#[test]
fn the_other_hand_raised_alone_becomes_dominant_before_its_sign() {
    let rest = "_".repeat(20);
    let lines = [
        rest.clone() + "##########" + &rest + "__________",
        rest.clone() + "__________" + &rest + "##########",
    ];
    let there_and_back = "R".repeat(20) + "???LLLLLLL" + &"?".repeat(20) + "???RRRRRRR";
    run_settled([&lines[0], &lines[1], &there_and_back]);
}

#[test]
fn the_hand_that_is_raised_more_becomes_dominant_in_time() {
    let line = |hand: &str| hand.repeat(60);
    run_settled([&line("-"), &line("_"), &("R".repeat(35) + &"?".repeat(15) + &"L".repeat(10))]);
}
