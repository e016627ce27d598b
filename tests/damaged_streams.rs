//! Damaged frames in otherwise good streams, through everything behind the decoder: core and inference with
//! the shipped model end with every frame, keep within bounds and tell nothing but numbers.

use std::process::{Command, Stdio};

use crate::common::models::{SHIPPED, model, pipeline};
use crate::common::mutate::Mutator;
use crate::common::stick_figure::{Gesture, frames};
use signd::config::{Settings, SettingsFlags};
use signd_core::event::{Event, EventBody, Hypotheses};
use signd_core::features::grid::RowKind;
use signd_core::features::placement::PALM;
use signd_core::frame::{ArrivalTime, BodyPart, FARTHEST, Frame, SourceTime};
use signd_core::stream::{StepBatch, Stream, Tick};
use signd_core::stream_id;
use signd_core::wire::landmarks::{encode, read};
use signd_engine::pipeline::StreamWork;

const S: u64 = 1_000_000_000;
/// Address space of the test that feeds damage, KiB. It needs a sixth of this.
const MOST_KIB: u64 = 1_000_000;
/// Set in the process that has no more.
const BOUNDED: &str = "BOUNDED_TEST";

/// Runs a test of this file in a process of its own, with little memory. True in that process.
///
/// A loop without end is no failed assertion: it takes memory until it is ended. The limit is of the
/// process, and the other tests in this one are to go on.
fn has_bounded_memory(test: &str) -> bool {
    if std::env::var_os(BOUNDED).is_some() {
        return true;
    }
    let (_, module) = module_path!().split_once("::").expect("a module of the binary");
    let mut child = Command::new("sh");
    child.args(["-c", &format!("ulimit -v {MOST_KIB} && exec \"$@\""), "sh"]);
    child.arg(std::env::current_exe().expect("a path")).arg(format!("{module}::{test}"));
    child.args(["--exact", "--nocapture"]).env(BOUNDED, "1").stderr(Stdio::inherit());
    // Its standard output is kept, so that its summary is not taken for one of this process.
    let output = child.output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{}: {said:?}", output.status);
    false
}

/// Of a stream, what its next frame is counted from.
struct Clocks {
    seq: u64,
    t: u64,
    arrival: u64,
}

/// One of these.
fn one<T: Copy>(mutator: &mut Mutator, of: &[T]) -> T {
    of[mutator.below(of.len())]
}

/// Puts something odd in the place of a number, a part, a size, a count or a time.
fn disturb(mutator: &mut Mutator, frame: &mut Frame, clocks: &mut Clocks) {
    let part = one(mutator, &BodyPart::ALL);
    let odd =
        [0.0, -0.0, 1.0, -1.0, 640.0, 1e-38, 1e6, -1e5, 1e5, 1e30, f32::MAX, f32::MIN, f32::NAN];
    let value = one(mutator, &odd);
    match mutator.below(12) {
        0 => frame.miss(part),
        1 => frame.detect(part).fill([value; 3]),
        2..5 => {
            let points = frame.detect(part);
            points[mutator.below(points.len())][mutator.below(3)] = value;
        }
        5 => frame.detect(part).iter_mut().flatten().for_each(|x| *x *= value),
        6 => frame.width = one(mutator, &[0, 1, 480, 65_536, 65_537, u32::MAX]),
        7 => frame.height = one(mutator, &[0, 1, 640, 65_536, 65_537, u32::MAX]),
        8 => {
            let ahead = one(mutator, &[0, 1, 59, 60, 61, 2000, 1 << 40, 1 << 63, u64::MAX]);
            clocks.seq = clocks.seq.wrapping_add(ahead);
        }
        9 => clocks.seq = one(mutator, &[0, 1, u64::MAX - 1, u64::MAX, i64::MAX as u64]),
        10 => {
            let ahead = [1, S / 1000, S / 2, S - 40_000_000, S, 3 * S, 3600 * S, S << 33];
            let ahead = one(mutator, &ahead);
            clocks.t = match mutator.below(3) {
                0 => clocks.t.saturating_sub(ahead),
                _ => clocks.t.saturating_add(ahead),
            };
        }
        _ => {
            let ends = [0, S, i64::MAX as u64 - S, u64::MAX - S / 2, u64::MAX - 500_000];
            clocks.t = one(mutator, &ends);
        }
    }
    if mutator.below(8) == 0 {
        clocks.arrival = one(mutator, &[0, S, 1_700_000_000 * S, u64::MAX - S]);
    }
}

fn probabilities(top: &Hypotheses) {
    let (mut before, mut sum) = (1.0 + 1e-5, 0.0);
    for (_, p) in top {
        assert!((0.0..=before).contains(p), "{top:?}");
        (before, sum) = (*p, sum + p);
    }
    assert!(sum < 1.0 + 1e-4, "{top:?}");
}

fn check(event: &Event) {
    match &event.body {
        EventBody::Frame(frame) => probabilities(&frame.top),
        EventBody::Sign(sign) => {
            probabilities(&sign.top);
            assert!((0.0..=1.0 + 1e-5).contains(&sign.p), "{sign:?}");
            assert!(sign.start_t <= sign.end_t && sign.start_seq <= sign.end_seq, "{sign:?}");
            assert!(sign.lost <= sign.end_seq - sign.start_seq, "{sign:?}");
        }
        EventBody::Status(_) => {}
    }
}

// raspberrypi/linux#2214
#[test]
fn whatever_is_accepted_comes_to_an_end_and_is_told_in_numbers() {
    if !has_bounded_memory("whatever_is_accepted_comes_to_an_end_and_is_told_in_numbers") {
        return;
    }
    let settings = Settings::load(&SettingsFlags::default()).expect("defaults");
    let mut pipeline = pipeline(&settings, SHIPPED);
    let kind = pipeline.inference().needs().kind;
    let RowKind::Features { schema, rate } = kind else { panic!("no features") };
    let most = (settings.core.gap_ms * 1e-3 * rate) as usize + 2;
    let gestures = [0.3, 2.6].map(|at| Gesture { at, height: -0.4 });
    let good = frames(&gestures, 5.0, 30.0, SourceTime(1_700_000_000 * S));

    let id = stream_id::parse(b"cam1").expect("valid");
    let (mut mutator, mut work) = (Mutator(0x5eed), StreamWork::default());
    let (mut message, mut damaged, mut taken) = (Vec::new(), Vec::new(), Frame::default());
    let (mut accepted, mut placed, mut refused, mut signs) = (0, 0, 0, 0);
    for round in 0..120 {
        let start = good[0].t.0;
        let mut clocks = Clocks { seq: 0, t: start, arrival: start };
        // In a round of its own kind: one frame in 10, in 100 or in 1000.
        let rare = one(&mut mutator, &[10, 100, 1000]);
        for frame in &good {
            let mut frame = frame.clone();
            clocks.arrival = clocks.arrival.saturating_add(S / 30);
            if mutator.below(rare) == 0 {
                disturb(&mut mutator, &mut frame, &mut clocks);
            }
            (frame.seq, frame.t) = (clocks.seq, SourceTime(clocks.t));
            encode(&frame, &mut message);
            if mutator.below(10 * rare) == 0 {
                mutator.damage(&message, &mut damaged);
                std::mem::swap(&mut message, &mut damaged);
            }
            clocks.seq = clocks.seq.wrapping_add(1);
            clocks.t = clocks.t.saturating_add(S / 30);
            if read(&message, &mut taken).is_err() {
                refused += 1;
                continue;
            }
            accepted += 1;
            match mutator.below(500) {
                0 => pipeline.tick(id, Tick::Stalled, &mut work),
                1 => pipeline.restart(|event| check(&event)).expect("runs"),
                _ => drop(pipeline.frame(id, &taken, ArrivalTime(clocks.arrival), &mut work)),
            }
            let batch = work.batch();
            placed += usize::from(batch.misplaced.is_none());
            let rows = batch.rows.len() / schema.width();
            assert!(rows <= most && batch.steps.len() <= 4 * most, "round {round}: {rows} rows");
            pipeline
                .finish(&mut work, true, |event| {
                    signs += usize::from(matches!(event.body, EventBody::Sign(_)));
                    check(&event);
                })
                .expect("runs");
        }
        pipeline.tick(id, Tick::End, &mut work);
        pipeline.finish(&mut work, true, |event| check(&event)).expect("runs");
    }
    eprintln!("{accepted} accepted, {placed} of them placed, {refused} refused, {signs} signs");
    assert!(placed > 12_000 && refused > 300 && signs > 100, "{placed} {refused} {signs}");
}

#[test]
fn a_damaged_frame_is_forgotten_within_a_minute() {
    let settings = Settings::load(&SettingsFlags::default()).expect("defaults");
    let needs = model(SHIPPED).card().needs();
    let gesture = Gesture { at: 49.0, height: -0.4 };
    let good = frames(&[gesture], 50.0, 15.0, SourceTime(1_700_000_000 * S));
    let in_the_end = |spoil: &dyn Fn(&mut Frame)| {
        let mut stream = Stream::new(&settings.core, needs.clone());
        let mut batch = StepBatch::default();
        let mut spoilt = good[10].clone();
        spoil(&mut spoilt);
        for frame in good[..10].iter().chain([&spoilt]).chain(&good[11..]) {
            batch.clear();
            stream.push(frame, ArrivalTime(frame.t.0), &mut batch);
        }
        let view = stream.view().expect("a frame");
        (view.input.motion, view.placed.0[PALM])
    };
    let (motion, palm) = in_the_end(&|_| ());
    for part in BodyPart::ALL {
        for far in [-FARTHEST, FARTHEST] {
            for (first, count) in [(0, 21), (11, 1), (12, 1)] {
                let (m, p) = in_the_end(&|frame| {
                    frame.detect(part)[first..first + count].fill([far, -far, far]);
                });
                let near = (m - motion).abs() < 0.1 && (p[1] - palm[1]).abs() < 0.1;
                assert!(near, "{part:?} {first} {far}: {m} for {motion}, {p:?} for {palm:?}");
            }
        }
    }
}
