//! Time lines: one character per frame of 40 ms (25 a second).
//!
//! Input, a line for each hand: `#` raised, `_` present but low, ` ` not found.
//! Output: `L` or `R` for the visible dominant hand, `l` or `r` when it is not visible, `.` for none.

use super::*;

fn run(lines: [&str; 3]) {
    run_in_sign(lines, "");
}

/// `sign` marks with `=` the frames during which a sign is under way.
fn run_in_sign([left, right, expected]: [&str; 3], sign: &str) {
    let settings = GateSettings {
        appear_ms: 60.0,
        hangover_ms: 200.0,
        memory_s: 3.0,
        switch_margin: 0.15,
        rest_line: 1.0,
    };
    let mut gate = Gate::new(settings);
    let sight = |line: &str, i: usize| match line.as_bytes().get(i) {
        Some(b'#') => Sight { present: true, raised: true },
        Some(b'_') => Sight { present: true, raised: false },
        _ => Sight::default(),
    };
    let said: String = (0..expected.len())
        .map(|i| {
            let t = SourceTime(1_000_000_000 + i as u64 * 40_000_000);
            let in_sign = sign.as_bytes().get(i) == Some(&b'=');
            match gate.push(t, sight(left, i), sight(right, i), in_sign) {
                Gated { dominant: None, .. } => '.',
                Gated { dominant: Some(Hand::Left), visible } => {
                    if visible {
                        'L'
                    } else {
                        'l'
                    }
                }
                Gated { dominant: Some(Hand::Right), visible } => {
                    if visible {
                        'R'
                    } else {
                        'r'
                    }
                }
            }
        })
        .collect();
    assert_eq!(said, expected, "\n left {left}\nright {right}");
}

#[test]
fn a_hand_appears_after_a_moment_and_a_flicker_does_not() {
    run(["                     ", "  #    ########      ", ".........RRRRRRRRRRRr"]);
}

#[test]
fn a_hand_lost_for_a_few_frames_stays_visible() {
    run(["                     ", "#####  ####     #### ", "..RRRRRRRRRRRRRRRRRRR"]);
}

#[test]
fn a_hand_lost_for_longer_is_gone_until_it_appears_again() {
    run(["                       ", "#####         ######## ", "..RRRRRRRRrrrrrrRRRRRRR"]);
}

#[test]
fn the_only_hand_seen_is_dominant() {
    run(["    ########", "            ", "......LLLLLL"]);
}

#[test]
fn both_at_once_means_right_handed() {
    run(["########", "########", "..RRRRRR"]);
}

#[test]
fn a_raised_hand_takes_over_from_one_that_left() {
    run(["            ########", "#######             ", "..RRRRRRRRRRrrLLLLLL"]);
}

#[test]
fn a_hand_resting_in_the_picture_does_not_take_over() {
    run([
        "____________________________",
        "#######            #######  ",
        "..RRRRRRRRRRrrrrrrrrrRRRRRRR",
    ]);
}

#[test]
fn a_sign_under_way_keeps_its_hand() {
    run_in_sign(
        [
            "            ################",
            "#######                     ",
            "..RRRRRRRRRRrrrrrrrrrrLLLLLL",
        ],
        "    ==================      ",
    );
}

#[test]
fn the_hand_that_is_raised_more_becomes_dominant_in_time() {
    let left = "#".repeat(40);
    let right = "##".to_owned() + &"_".repeat(38);
    let expected = ".".repeat(2) + &"R".repeat(16) + &"L".repeat(22);
    run([&left, &right, &expected]);
}
