//! Frames as time lines, and what is said of each.

use std::collections::BTreeMap;

use super::*;
use fastrand::Rng;

const MS: u64 = 1_000_000;

/// Feeds `(seq, t in ms)`, arriving as captured, and writes the verdicts in short.
fn verdicts(frames: &[(u64, u64)]) -> String {
    let arrivals: Vec<_> = frames.iter().map(|&(seq, t)| (seq, t, t)).collect();
    verdicts_arriving(&arrivals)
}

/// Feeds `(seq, t in ms, arrival in ms)`.
fn verdicts_arriving(frames: &[(u64, u64, u64)]) -> String {
    let mut continuity = Continuity::default();
    let mut words = Vec::new();
    for &(seq, t, arrival) in frames {
        let frame = Frame::new(seq, SourceTime(t * MS), 640, 480);
        words.push(match continuity.judge(&frame, ArrivalTime(arrival * MS)) {
            ContinuityVerdict::Accept { lost: 0 } => "ok".to_owned(),
            ContinuityVerdict::Accept { lost } => format!("ok-{lost}"),
            ContinuityVerdict::Reset(StatusReason::Restart) => "restart".to_owned(),
            ContinuityVerdict::Reset(StatusReason::ClockBack) => "clock".to_owned(),
            ContinuityVerdict::Reset(other) => format!("{other:?}"),
            ContinuityVerdict::Drop(MisplacedReason::TimeNotRising) => "late".to_owned(),
            ContinuityVerdict::Drop(MisplacedReason::TwoProducers) => "two".to_owned(),
        });
    }
    words.join(" ")
}

#[test]
fn missing_numbers_are_lost_frames() {
    assert_eq!(verdicts(&[(0, 1), (1, 2), (4, 3), (5, 4)]), "ok ok ok-2 ok");
}

#[test]
fn a_late_frame_is_dropped_and_a_corrected_clock_resets_once() {
    assert_eq!(verdicts(&[(0, 5000), (1, 5000), (2, 4500), (3, 5033)]), "ok late late ok-2");
    let frames = [(0, 9000, 0), (1, 5000, 33), (2, 5033, 66), (3, 5066, 99)];
    assert_eq!(verdicts_arriving(&frames), "ok clock ok ok");
}

#[test]
fn a_restarted_producer_resets_once() {
    assert_eq!(verdicts(&[(70, 0), (71, 33), (0, 500), (1, 533), (2, 566)]), "ok ok restart ok ok");
}

#[test]
fn a_restart_just_after_the_start_is_not_two_producers() {
    let frames = [(0, 0), (1, 33), (0, 66), (1, 99), (2, 132), (3, 165)];
    assert_eq!(verdicts(&frames), "ok ok restart ok ok ok");
}

#[test]
fn two_producers_with_different_counts() {
    let frames = [(100, 0), (5, 10), (101, 33), (6, 43), (102, 66), (7, 76)];
    assert_eq!(verdicts(&frames), "ok restart ok two ok two");
}

#[test]
fn two_producers_with_the_same_count() {
    let frames = [(10, 0), (10, 5), (11, 33), (11, 38), (12, 66), (12, 71)];
    assert_eq!(verdicts(&frames), "ok restart ok two ok two");
}

#[test]
fn two_producers_with_clocks_apart() {
    let frames = [
        (100, 0, 0),
        (5, 10_000, 10),
        (101, 33, 33),
        (6, 10_033, 43),
        (102, 66, 66),
        (7, 10_066, 76),
    ];
    assert_eq!(verdicts_arriving(&frames), "ok restart two ok two ok");
}

#[test]
fn whose_capture_times_do_not_compare_is_known_by_its_count() {
    let frames = [(100, 10_000, 0), (5, 0, 10), (101, 10_033, 33), (6, 33, 43), (102, 10_066, 66)];
    assert_eq!(verdicts_arriving(&frames), "ok clock ok two ok");
}

#[test]
fn of_two_producers_one_may_send_faster() {
    let frames = [(100, 0), (5, 10), (6, 20), (7, 30), (101, 33), (8, 40)];
    assert_eq!(verdicts(&frames), "ok restart ok ok ok two");
}

#[test]
fn after_two_seconds_a_count_is_given_up_for_good() {
    assert_eq!(verdicts(&[(100, 0), (5, 10), (6, 2200), (150, 2210)]), "ok restart ok two");
}

#[test]
fn the_rest_takes_over_when_the_incumbent_has_been_silent() {
    let mut frames = vec![(100, 0), (5, 10), (101, 33)];
    frames.extend((1..80).map(|i| (5 + i, 10 + 33 * i)));
    let words = verdicts(&frames);
    assert_eq!(words.matches("restart").count(), 2, "{words}");
    assert!(words.ends_with("ok ok ok"), "{words}");
}

#[test]
fn numbers_at_the_edge_do_not_overflow() {
    assert_eq!(verdicts(&[(u64::MAX - 1, 1), (u64::MAX, 2), (u64::MAX, 3)]), "ok ok restart");
    // Further than any camera gets in a millisecond: see below.
    assert_eq!(verdicts(&[(0, 1), (u64::MAX, 2)]), "ok two");
    let mut continuity = Continuity::default();
    let mut judge =
        |seq, t| continuity.judge(&Frame::new(seq, SourceTime(t), 1, 1), ArrivalTime(t));
    assert_eq!(judge(0, 0), ContinuityVerdict::Accept { lost: 0 });
    assert_eq!(judge(1 << 43, i64::MAX as u64), ContinuityVerdict::Accept { lost: (1 << 43) - 1 });
    assert_eq!(judge(u64::MAX, u64::MAX), ContinuityVerdict::Reset(StatusReason::Restart));
}

/// Frames 33 ms apart with these numbers.
fn numbered(numbers: impl IntoIterator<Item = u64>) -> String {
    verdicts(&numbers.into_iter().zip(0..).map(|(seq, i)| (seq, 33 * i)).collect::<Vec<_>>())
}

#[test]
fn a_loss_that_passes_the_count_before_the_restart_is_a_loss() {
    let words = numbered((0..25).chain(0..21).chain(27..30));
    assert!(words.ends_with("ok ok-6 ok ok"), "{words}");
    // Soon after the restart: time has passed for the loss.
    let frames = [(10, 0), (0, 100), (1, 133), (12, 500), (13, 533)];
    assert_eq!(verdicts(&frames), "ok restart ok ok-10 ok");
}

#[test]
fn a_count_that_goes_on_over_a_corrected_clock_is_one_count() {
    let frames = [(99, 9000), (100, 9033), (101, 5000), (102, 5033), (104, 5100), (105, 5133)];
    let arriving: Vec<_> = frames.iter().zip(0..).map(|((seq, t), i)| (*seq, *t, 33 * i)).collect();
    assert_eq!(verdicts_arriving(&arriving), "ok ok clock ok ok-1 ok");
}

#[test]
fn a_producer_that_has_taken_its_stream_back_counts_its_own_losses() {
    let frames = [(100, 0), (5, 10), (101, 33), (104, 132), (105, 165)];
    assert_eq!(verdicts(&frames), "ok restart ok ok-2 ok");
}

#[test]
fn a_second_producer_with_a_higher_count_is_dropped_until_the_incumbent_is_silent() {
    let frames = [(5, 0), (5000, 10), (6, 33), (5001, 43), (7, 66), (5002, 76)];
    assert_eq!(verdicts(&frames), "ok two ok two ok two");
    // Two seconds, although a count could get from one to the other in one and a half.
    let left = (0..70).map(|i| (1500 + i, 10 + 33 * i));
    let words = verdicts(&[(5, 0)].into_iter().chain(left).collect::<Vec<_>>());
    assert_eq!(
        (words.matches("two").count(), words.matches("restart").count()),
        (61, 1),
        "{words}"
    );
    assert!(!words.contains('-'), "{words}");
}

/// A client that numbers its frames by a clock.
#[test]
fn numbers_that_jump_with_every_frame_are_one_producers() {
    for unit in [1_000, 33_333, 33_333_333] {
        let words = verdicts(&(0..100).map(|i| (i * unit, 33 * i)).collect::<Vec<_>>());
        assert_eq!(words.matches("ok").count(), 99, "{words}");
        assert!(!words.contains("restart"), "{words}");
    }
}

/// A second producer that numbers its frames by a clock, beside one that counts.
#[test]
fn a_rival_whose_numbers_jump_does_not_take_the_stream_of_one_that_counts() {
    for unit in [1_000, 33_333, 33_333_333] {
        let pair = |i| [(i, 33 * i), (1_000_000 + unit * i, 33 * i + 10)];
        let words = verdicts(&(0..60).flat_map(pair).collect::<Vec<_>>());
        assert_eq!(
            (words.matches("ok").count(), words.matches("two").count()),
            (60, 60),
            "{words}"
        );
    }
}

#[test]
fn a_producer_may_pass_the_number_of_a_frame_that_was_dropped() {
    for stray in [(70, 9006, 6), (20, 0, 6)] {
        let mut frames = vec![(100, 9000, 0), (0, 9003, 3), stray];
        frames.extend((1..120).map(|i| (i, 9003 + 16 * i, 3 + 16 * i)));
        let words = verdicts_arriving(&frames);
        assert!(words.matches("ok").count() >= 119 && words.matches("two").count() <= 1, "{words}");
    }
}

#[test]
fn a_jump_that_capture_time_explains_is_a_loss() {
    assert_eq!(verdicts(&[(0, 0), (61, 1), (62, 2)]), "ok ok-60 ok");
    assert_eq!(verdicts(&[(0, 0), (62, 1), (1, 2)]), "ok two ok");
    assert_eq!(verdicts(&[(0, 0), (5060, 5000)]), "ok ok-5059");
}

/// A frame on its way: of which count, its number, when it was captured by the camera's clock, and when it
/// arrived by the box's and in truth, ns.
#[derive(Clone, Copy, Debug)]
struct Sent {
    count: usize,
    seq: u64,
    t: u64,
    arrival: u64,
    truth: u64,
}

const S: u64 = 1_000_000_000;

/// One frame every 33 ms from one time to another, in truth, ms.
fn camera(count: usize, first: u64, from: u64, to: u64) -> Vec<Sent> {
    let times = (from..to).step_by(33).map(|ms| ms * MS);
    let sent = times.zip(first..).map(|(t, seq)| Sent { count, seq, t, arrival: t, truth: t });
    sent.collect()
}

#[test]
fn what_lies_ahead_by_a_clock_that_stepped_back_is_not_recent() {
    let hour = 3_600_000;
    let frames = [
        (70, hour, hour),
        (0, hour + 33, hour + 33),
        (1, 66, 66),
        (2, 99, 99),
        (3, 2200, 2200),
        (0, hour + 1, hour + 1),
    ];
    assert_eq!(verdicts_arriving(&frames), "ok restart clock ok ok restart");
    assert_eq!(verdicts_arriving(&[(0, 0, hour), (5000, 33, 0), (5001, 66, 33)]), "ok restart ok");
}

// picamera#527, fastnetmon#954, chronos#85: a box without a battery sets its clock once it has a network.
#[test]
fn a_step_of_the_clock_costs_one_reset_and_two_seconds_at_most() {
    const STEP_MS: u64 = 20_000;
    let plain = || camera(0, 0, 0, 40_000);
    let restarted = |at: u64| [camera(0, 5000, 0, at), camera(1, 0, at + 100, 40_000)].concat();
    let scenes: [(&str, u64, Vec<Sent>); 8] = [
        ("alone", 0, plain()),
        ("restarted half a second before", 0, restarted(19_400)),
        ("restarted two seconds before", 0, restarted(18_000)),
        ("restarts just after", 1, restarted(20_200)),
        (
            "restarts before and after",
            1,
            [
                camera(0, 5000, 0, 19_400),
                camera(1, 1000, 19_500, 20_200),
                camera(2, 0, 20_300, 40_000),
            ]
            .concat(),
        ),
        (
            "a second producer behind",
            0,
            [camera(0, 900, 0, 40_000), camera(1, 0, 5010, 40_000)].concat(),
        ),
        ("a second producer ahead", 0, [plain(), camera(1, 90_000, 5010, 40_000)].concat()),
        ("two that came just before", 0, [plain(), camera(1, 90_000, 19_010, 40_000)].concat()),
    ];
    const BACK: [i64; 7] = [-86_400_000, -3_600_000, -20_000, -2_100, -1_500, -900, -100];
    const AHEAD: [i64; 5] = [100, 1_500, 2_100, 20_000, 86_400_000];
    for ((name, causes, scene), step_ms) in
        scenes.iter().flat_map(|scene| BACK.iter().chain(&AHEAD).map(move |step| (scene, step)))
    {
        for cameras_step_too in [false, true] {
            let mut scene = scene.clone();
            scene.sort_by_key(|sent| sent.truth);
            let stepped = |at: u64| (100_000 * S + at).saturating_add_signed(step_ms * MS as i64);
            for sent in &mut scene {
                let after = sent.truth >= STEP_MS * MS;
                let by_box = if after { stepped(sent.truth) } else { 100_000 * S + sent.truth };
                sent.arrival = by_box;
                sent.t = if cameras_step_too { by_box } else { 50_000 * S + sent.t };
            }
            let what = format!("{name}, {step_ms} ms, cameras too: {cameras_step_too}");
            let (mut continuity, mut resets) = (Continuity::default(), 0);
            let mut accepted: Vec<&Sent> = Vec::new();
            for sent in &scene {
                let frame = Frame::new(sent.seq, SourceTime(sent.t), 640, 480);
                let verdict = continuity.judge(&frame, ArrivalTime(sent.arrival));
                if sent.truth >= STEP_MS * MS {
                    resets += u64::from(matches!(verdict, ContinuityVerdict::Reset(_)));
                    accepted
                        .extend((!matches!(verdict, ContinuityVerdict::Drop(_))).then_some(sent));
                }
            }
            assert!(resets <= 1 + causes, "{what}: {resets} resets");
            let mut before = STEP_MS * MS;
            for sent in &accepted {
                assert!(sent.truth - before < 2200 * MS, "{what}: silent until {}", sent.truth);
                before = sent.truth;
            }
            // One producer has the stream in the end, with every frame.
            let late: Vec<_> = accepted.iter().filter(|sent| sent.truth > 23_000 * MS).collect();
            let of_it = |sent: &&Sent| sent.count == late[0].count && sent.truth > 23_000 * MS;
            let all = scene.iter().filter(of_it).count();
            assert!(
                late.iter().all(|sent| sent.count == late[0].count) && late.len() > 500,
                "{what}"
            );
            assert!(late.len() == all && before > 39_900 * MS, "{what}: {} of {all}", late.len());
        }
    }
}

/// Frames of one count from one time to another; now and then less than a second of them is lost on the way.
fn lossy(random: &mut Rng, count: usize, first: u64, from: u64, to: u64) -> Vec<Sent> {
    let fps = [15, 25, 30, 60][random.usize(..4)];
    let (mut sent, mut losing) = (Vec::new(), 0);
    for i in 0..(to - from) * fps / S {
        let t = from + i * S / fps;
        losing = match random.usize(..60) {
            0 => random.usize(..fps as usize),
            _ => losing.saturating_sub(1),
        };
        if losing == 0 {
            sent.push(Sent { count, seq: first + i, t, arrival: t + 5 * MS, truth: t });
        }
    }
    sent
}

/// A minute of a camera that loses frames and restarts, in half of the minutes with a second producer that
/// comes and goes; also how many causes for a reset there are. The first count is far above the second
/// producer's, later ones are far below.
fn minute(random: &mut Rng) -> (Vec<Sent>, u64) {
    let (mut sent, mut count, mut first, mut from) = (Vec::new(), 0, 2_000_000, 10 * S);
    let ms = |random: &mut Rng, low, high| (low + (high - low) * random.f64()) as u64 * MS;
    while from < 70 * S {
        let to = from + ms(random, 5000.0, 15_000.0);
        sent.extend(lossy(random, count, first, from, to));
        (count, first) = (count + 1, random.usize(..20) as u64);
        from = to + ms(random, 100.0, 3000.0);
    }
    let mut causes = count as u64 - 1;
    if random.usize(..2) == 0 {
        let from = ms(random, 12_000.0, 60_000.0);
        let to = from + ms(random, 300.0, 8000.0);
        sent.extend(lossy(random, count, 1_000_000, from, to));
        causes += 2;
    }
    sent.sort_by_key(|sent| sent.t);
    (sent, causes)
}

#[test]
fn lost_and_accepted_add_up_to_what_a_count_has_captured() {
    let mut random = Rng::with_seed(0x5eed);
    for round in 0..1000 {
        let (sent, causes) = minute(&mut random);
        let (mut continuity, mut resets, mut last) = (Continuity::default(), 0, 0);
        // Of each count, since the stream was last reset to it: first number, accepted and lost.
        let mut tallies: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        for (i, Sent { count, seq, t, arrival, .. }) in sent.into_iter().enumerate() {
            let frame = Frame::new(seq, SourceTime(t), 640, 480);
            let what = format!("round {round}, count {count}, frame {seq}");
            match continuity.judge(&frame, ArrivalTime(arrival)) {
                ContinuityVerdict::Accept { lost } if i > 0 => {
                    let tally =
                        tallies.get_mut(&count).unwrap_or_else(|| panic!("{what}: no reset"));
                    tally.1 += lost + 1;
                    assert_eq!(tally.1, seq - tally.0 + 1, "{what}");
                }
                ContinuityVerdict::Drop(why) => {
                    assert!(t - last < 2 * S, "{what}: {why:?} after two seconds without a frame");
                    continue;
                }
                verdict => {
                    resets += u64::from(matches!(verdict, ContinuityVerdict::Reset(_)));
                    tallies.insert(count, (seq, 1));
                }
            }
            last = t;
        }
        assert!(resets <= causes, "round {round}: {resets} resets of {causes}");
    }
}
