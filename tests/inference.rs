//! What a stream is told does not depend on which other streams there are: not in a single bit.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::models::{SHIPPED, pipeline};
use crate::common::pace::PACE_STREAM;
use crate::common::stick_figure::{Gesture, frames};
use signd::config::{Settings, SettingsFlags};
use signd_core::event::{Event, EventBody, Hypotheses};
use signd_core::frame::{ArrivalTime, Frame, SourceTime};
use signd_core::stream_id::{self, StreamId};
use signd_engine::pipeline::{StreamWork, WorkState};

fn settings() -> Settings {
    Settings::load(&SettingsFlags::default()).expect("defaults")
}

type Signers = BTreeMap<StreamId, Vec<Frame>>;

/// Signers who begin at different times and sign at different heights, so that at any moment their
/// signs hold different numbers of different rows.
fn signers(count: usize) -> Signers {
    let signer = |k: usize| {
        let height = -0.6 + 1.6 * (k as f64 / count as f64);
        let gestures = [0.3, 2.6].map(|at| Gesture { at: at + 0.25 * (k % 5) as f64, height });
        let id = stream_id::parse(format!("cam{k}").as_bytes()).expect("valid");
        (id, frames(&gestures, 6.0, 30.0, SourceTime(1_000_000_000)))
    };
    (0..count).map(signer).collect()
}

/// One stream's answers: of each event the probabilities as bits.
type Answers = BTreeMap<StreamId, Vec<Vec<(u16, u32)>>>;

fn note(answers: &mut Answers, event: &Event) {
    let bits = |top: &Hypotheses| top.iter().map(|(label, p)| (*label, p.to_bits())).collect();
    let noted = answers.entry(event.stream).or_default();
    match &event.body {
        EventBody::Frame(frame) => {
            assert_eq!(frame.top_seq, Some(frame.seq), "nothing is skipped");
            noted.push(bits(&frame.top));
        }
        EventBody::Sign(sign) => {
            noted.push(vec![(sign.label.unwrap_or(u16::MAX), sign.p.to_bits())]);
            noted.push(bits(&sign.top));
        }
        EventBody::Status(_) => {}
    }
}

/// Each stream by a pipeline of its own.
fn alone(model: &str, signers: &Signers) -> Answers {
    let mut answers = Answers::new();
    for (id, frames) in signers {
        let (mut pipeline, mut work) = (pipeline(&settings(), model), StreamWork::default());
        for frame in frames {
            pipeline.frame(*id, frame, ArrivalTime(frame.t.0), &mut work);
            pipeline.finish(&mut work, true, |event| note(&mut answers, &event)).expect("runs");
        }
    }
    answers
}

/// All streams by one pipeline, frame by frame, each time another stream first; what waits shares
/// calls. Also how many calls there were.
fn together(model: &str, signers: &Signers) -> (Answers, usize) {
    let mut pipeline = pipeline(&settings(), model);
    let (mut answers, mut calls, count) = (Answers::new(), 0, signers.len());
    for i in 0..signers.values().map(Vec::len).max().unwrap_or(0) {
        let mut waiting = Vec::new();
        for (id, frames) in signers.iter().cycle().skip(i % count).take(count) {
            let mut work = StreamWork::default();
            pipeline.frame(*id, &frames[i], ArrivalTime(frames[i].t.0), &mut work);
            waiting.push(work);
        }
        loop {
            waiting.retain_mut(|work| {
                let emit = |event: Event| note(&mut answers, &event);
                pipeline.advance(work, true, emit).expect("runs") == WorkState::NeedsModel
            });
            if waiting.is_empty() {
                break;
            }
            pipeline.feed().expect("runs");
            calls += 1;
        }
    }
    (answers, calls)
}

#[test]
fn a_stream_is_answered_the_same_to_the_bit_alone_and_among_others() {
    for model in [SHIPPED, PACE_STREAM] {
        let signers = signers(4);
        let (alone, (together, _)) = (alone(model, &signers), together(model, &signers));
        for (id, answers) in &alone {
            assert_eq!(answers, &together[id], "{id}");
            assert!(answers.iter().filter(|answer| !answer.is_empty()).count() > 60, "{id} signs");
        }
        let different: BTreeSet<_> = alone.values().collect();
        assert_eq!(different.len(), 4, "four signers, four stories");
    }
}

#[test]
fn rows_that_share_calls_do_not_change_each_other_however_many_there_are() {
    let signers = signers(32);
    let alone = alone(PACE_STREAM, &signers);
    let rows = |count| together(PACE_STREAM, &signers.clone().into_iter().take(count).collect());
    let (_, calls_of_one) = rows(1);
    for count in [2, 7, 32] {
        let (answers, calls) = rows(count);
        assert_eq!(answers.len(), count);
        assert!(answers.iter().all(|(id, answers)| *answers == alone[id]), "{count} streams");
        assert!(calls < calls_of_one * count * 3 / 4, "{calls} calls, and alone {calls_of_one}");
    }
}

#[test]
fn nothing_is_fed_while_no_sign_is_open() {
    let (mut pipeline, mut work) = (pipeline(&settings(), PACE_STREAM), StreamWork::default());
    let (id, frames) = signers(1).pop_first().expect("a signer");
    let before = frames.iter().take_while(|frame| {
        pipeline.frame(id, frame, ArrivalTime(frame.t.0), &mut work);
        pipeline.advance(&mut work, true, |_| ()).expect("runs") == WorkState::Done
    });
    // The hand begins to rise after nine frames, but is not yet in the picture.
    assert!(before.count() >= 9);
}
