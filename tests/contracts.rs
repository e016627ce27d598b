//! Model contracts: the two forms of one model give the same answers, and a file that does not fit
//! its contract is refused with what was expected and what was found.

use signd_core::stream_id;

use crate::common::models::{self, model};
use crate::common::onnx::{input, metadata, node, output, renamed};
use crate::common::pace::{PACE_STREAM, PACE_WINDOW};
use crate::common::stick_figure::{Gesture, frames};
use base64::prelude::{BASE64_STANDARD, Engine};
use signd::config::{Settings, SettingsFlags};
use signd_core::event::{Event, EventBody, FrameEvent, Hypotheses, SignEvent, SignState};
use signd_core::frame::{ArrivalTime, Frame, SourceTime};
use signd_core::stream::{StreamStep, Tick};
use signd_engine::model::Model;
use signd_engine::pipeline::StreamWork;

const WIDTH: usize = 54;

fn settings() -> Settings {
    Settings::load(&SettingsFlags::default()).expect("defaults")
}

/// A tagger of one unit and no memory, to which a sign is the dominant wrist less than 1.2
/// shoulder widths below the shoulders, as a model's metadata.
fn tagger() -> Vec<u8> {
    // Mean and scale; of reset, update and new gate: for the place, the move and that it is known, for the
    // state, biases of both; then the answers'.
    let weights: [&[f32]; 6] = [
        &[1.2, 1.0],
        &[0.0, 0.0, -6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0, 0.0, 0.0],
        &[0.0, -50.0, 0.0],
        &[0.0, 0.0, 0.0],
        &[4.0, 4.0, 0.0, 0.0],
    ];
    let weights = BASE64_STANDARD.encode(bytemuck::cast_slice::<f32, u8>(&weights.concat()));
    let text = serde_json::json!({
        "columns": [WIDTH - 3], "hidden": 1, "delay": 0, "usual": 0.98, "weights": weights,
    });
    metadata("signd.tagger", &text.to_string())
}

/// Everything that a model, with more metadata, makes of a session, and the most rows by which an end of a
/// sign lay back.
fn events(name: &str, session: &[Frame], more: &[u8]) -> (Vec<Event>, u64) {
    let mut settings = settings();
    // Rows after the end are not waited for, so that answers are asked for that lie back.
    settings.core.segment.post_roll_ms = 0.0;
    let file = tempfile::NamedTempFile::new().expect("temporary file");
    let bytes = std::fs::read(models::path(name)).expect("a model");
    std::fs::write(file.path(), [&bytes, more].concat()).expect("writes");
    let model = Model::open(models::runtime(), file.path()).expect("a model");
    let mut pipeline = models::with(&settings, model);
    let id = stream_id::parse(b"cam1").expect("valid");
    let (mut work, mut events, mut made, mut back) = (StreamWork::default(), Vec::new(), 0, 0);
    for i in 0..=session.len() {
        match session.get(i) {
            Some(frame) => drop(pipeline.frame(id, frame, ArrivalTime(frame.t.0), &mut work)),
            None => pipeline.tick(id, Tick::End, &mut work),
        }
        for step in &work.batch().steps {
            match step {
                StreamStep::Rows(first) => made = first + (work.batch().rows.len() / WIDTH) as u64,
                StreamStep::End(segment) => back = back.max(made - 1 - segment.end_row),
                _ => {}
            }
        }
        pipeline.finish(&mut work, true, |event| events.push(event)).expect("runs");
    }
    (events, back)
}

fn assert_alike(a: &Hypotheses, b: &Hypotheses) {
    assert_eq!(a.len(), b.len());
    for ((label, p), (other, q)) in a.iter().zip(b) {
        assert!(label == other && (p - q).abs() < 1e-4, "{a:?} {b:?}");
    }
}

#[test]
fn both_forms_of_a_model_say_the_same_of_every_frame_and_every_sign() {
    let gestures = [(0.4, -0.5), (2.6, 0.5), (4.8, -0.1), (7.0, 0.3)];
    let gestures = gestures.map(|(at, height)| Gesture { at, height });
    // At the model's own rate; at half, where a frame brings two rows; at twice, where half of the
    // frames bring none; and with every seventh frame lost.
    let session = |fps| frames(&gestures, 8.2, fps, SourceTime(1_000_000_000));
    let mut lossy = session(30.0);
    lossy.retain(|frame| frame.seq % 7 != 3);
    for session in [session(30.0), session(15.0), session(60.0), lossy] {
        let ((streamed, back), (whole, _)) =
            (events(PACE_STREAM, &session, &[]), events(PACE_WINDOW, &session, &[]));
        assert_eq!(streamed.len(), whole.len());
        let mut signs = Vec::new();
        for (a, b) in streamed.iter().zip(&whole) {
            match (&a.body, &b.body) {
                (EventBody::Frame(a), EventBody::Frame(b)) => {
                    assert_alike(&a.top, &b.top);
                    assert_eq!(a, &FrameEvent { top: a.top.clone(), ..b.clone() });
                }
                (EventBody::Sign(a), EventBody::Sign(b)) => {
                    assert_alike(&a.top, &b.top);
                    assert!((a.p - b.p).abs() < 1e-4);
                    let same = SignEvent { top: a.top.clone(), p: a.p, ..b.clone() };
                    assert_eq!(a, &same);
                    signs.push(a.label);
                }
                (a, b) => assert_eq!(a, b),
            }
        }
        assert_eq!(signs.len(), 4, "{signs:?}");
        assert!(signs.contains(&Some(0)) && signs.contains(&Some(1)), "{signs:?}");
        assert!(back > 3, "{back}: ends are trimmed");
    }
}

#[test]
fn by_a_tagger_the_same_signs_are_found_at_every_rate_and_no_idle_frame_has_hypotheses() {
    let gestures = [(0.4, -0.5), (2.6, 0.5), (4.8, -0.1), (7.0, 0.3)];
    let gestures = gestures.map(|(at, height)| Gesture { at, height });
    let session = |fps| frames(&gestures, 9.5, fps, SourceTime(1_000_000_000));
    let mut lossy = session(30.0);
    lossy.retain(|frame| frame.seq % 7 != 3);
    let mut found: Vec<Vec<(f64, f64)>> = Vec::new();
    for session in [session(30.0), session(15.0), session(60.0), lossy] {
        let (streamed, _) = events(PACE_STREAM, &session, &tagger());
        let mut spans = Vec::new();
        for event in streamed {
            match event.body {
                EventBody::Frame(frame) => {
                    assert_eq!(frame.state == SignState::Idle, frame.top.is_empty(), "{frame:?}");
                }
                EventBody::Sign(sign) => {
                    spans.push((sign.start_t.0 as f64 * 1e-9, sign.end_t.0 as f64 * 1e-9));
                }
                EventBody::Status(_) => {}
            }
        }
        found.push(spans);
    }
    for spans in &found {
        assert_eq!(spans.len(), 4, "{found:?}");
        for (span, usual) in spans.iter().zip(&found[0]) {
            assert!((span.0 - usual.0).abs() < 0.1 && (span.1 - usual.1).abs() < 0.1, "{found:?}");
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

#[test]
fn a_model_of_either_form_is_asked_about_whole_signs() {
    let (mut stream, mut window) = (model(PACE_STREAM), model(PACE_WINDOW));
    for count in [1, 2, 30, 128] {
        let rows = rows(count);
        let whole = window.run(&rows).expect("runs").to_vec();
        assert_eq!(whole.len(), 3);
        let gap =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(gap(&whole, stream.run(&rows).expect("runs")) < 1e-4);
        let embeddings = [&window, &stream].map(|m| m.embedding().expect("has one").to_vec());
        assert_eq!(embeddings.each_ref().map(Vec::len), [4, 4]);
        assert!(gap(&embeddings[0], &embeddings[1]) < 1e-4);
        let length: f32 = embeddings[0].iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5);
    }
    assert_eq!((stream.state_size(), window.state_size()), (Some(5), None));
    let mut place = model("place.onnx");
    place.run(&rows(3)).expect("runs");
    assert_eq!((place.embedding(), place.embedding_size()), (None, None));
}

#[test]
fn a_model_that_does_not_fit_its_contract_is_refused_with_what_was_expected_and_found() {
    let read = |name: &str| std::fs::read(models::path(name)).expect("a model");
    let (stream, place) = (read(PACE_STREAM), read("place.onnx"));
    let with = |bytes: &[u8], more: Vec<u8>| [bytes, &more].concat();
    let fixed = renamed(&stream, b"\x12\x01B", b"\x08\x81\x00"); // B is 1
    let rows_and_state = "expected rows [B, 54] and state [B, S], with any B";
    let outputs = "expected logits [B, 3], embedding [B, E] and next [B, 5], as state";
    let found = "found logits [?, 3], embedding [?, 4]";
    for (bytes, reason) in [
        (
            with(&stream, metadata("signd.contract", "film")),
            "`signd.contract`: expected `features`, `stream` or `landmarks`, found `film`".into(),
        ),
        (
            with(&place, metadata("signd.contract", "stream")),
            format!("inputs: {rows_and_state}, found rows [1, ?, 54]"),
        ),
        (
            with(&stream, metadata("signd.contract", "features")),
            "inputs: expected one, [1, T, 54] (hand arms), found rows [?, 54], state [?, 5]".into(),
        ),
        (
            with(&stream, metadata("signd.groups", "hand")),
            "expected rows [B, 42] and state [B, S], with any B, found rows [?, 54]".into(),
        ),
        (
            with(&stream, input("more", 2)),
            format!("{rows_and_state}, found rows [?, 54], state [?, 5], more [?, 2]"),
        ),
        (fixed, format!("{rows_and_state}, found rows [1, 54], state [1, 5]")),
        (renamed(&stream, b"next", b"past"), format!("outputs: {outputs}, {found}, past [?, 5]")),
        (
            renamed(&stream, b"embedding", b"something"),
            format!("{outputs}, found logits [?, 3], something [?, 4], next [?, 5]"),
        ),
        (
            with(
                &renamed(&stream, b"next", b"past"),
                [node("Identity", &["logits"], "next"), output("next", 3)].concat(),
            ),
            format!("{outputs}, {found}, past [?, 5], next [?, 3]"),
        ),
        (
            with(&stream, metadata("signd.labels", r#"["high", "no sign"]"#)),
            "output: expected 2 logits, one per label, found 3".into(),
        ),
        (
            with(&stream, metadata("signd.threshold", "1.5")),
            "`signd.threshold`: expected a probability, 0 to 1, found `1.5`".into(),
        ),
    ] {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), bytes).expect("writes");
        let said = Model::open(models::runtime(), file.path()).err().map(|e| e.to_string());
        let said = said.unwrap_or_default();
        assert!(said.contains(&reason), "expected: {reason}\nsaid:     {said}");
    }
}

#[test]
fn a_model_whose_rows_meet_in_a_call_gets_one_row_a_call() {
    // The largest logit of a call is added to each of them: no matter to a row that is alone.
    let stream = std::fs::read(models::path(PACE_STREAM)).expect("a model");
    let most = node("ReduceMax", &["logitz"], "most");
    let more = [most, node("Add", &["logitz", "most"], "logits"), output("logits", 3)].concat();
    let file = tempfile::NamedTempFile::new().expect("temporary file");
    let mixed = [renamed(&stream, b"logits", b"logitz"), more].concat();
    std::fs::write(file.path(), mixed).expect("writes");
    let mut mixed = Model::open(models::runtime(), file.path()).expect("a model");

    let mut answers = |rows: &[f32], states: &[f32]| {
        let mut answers = Vec::new();
        let answered = |i, logits: &[f32], next: &[f32]| {
            assert_eq!((i, next.len()), (answers.len(), 5));
            answers.push(logits.to_vec());
        };
        mixed.step(rows, states, answered).expect("runs");
        answers
    };
    let rows = rows(3);
    let together = answers(&rows, &[0.0; 3 * 5]);
    let alone: Vec<_> = rows.chunks(WIDTH).flat_map(|row| answers(row, &[0.0; 5])).collect();
    assert_eq!(together, alone);
    assert_ne!(together[0], together[1]);
}
