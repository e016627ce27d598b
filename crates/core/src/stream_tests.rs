//! Time lines: one character per frame, 30 frames a second, and ticks of the clock between them.
//!
//! Input: ` ` no hand is seen, `_` the right hand is below the rest line, `.` it is raised and still,
//! `~` it moves up and down. `>` is two seconds without a frame, a gap. `,` is one frame that was lost.
//! `s`, `g` and `e` are the ticks: stalled, gone, end.
//!
//! Output: the state after each frame (`-` idle, `o` onset, `S` signing, `e` offset), and between them
//! every other step in words, in order. Steps that bring rows are left out.

use super::*;
use crate::event::SignState;
use crate::features::Schema;
use crate::features::schema::NAME;
use crate::frame::BodyPart;

const FRAME_NS: u64 = 33_333_333;

/// One camera and what its core has said.
struct Camera {
    core: Stream,
    batch: StepBatch,
    seq: u64,
    t: u64,
    said: String,
}

impl Camera {
    fn new() -> Camera {
        Camera {
            core: Stream::new(&CoreSettings::default(), RowKind::Landmarks),
            batch: StepBatch::default(),
            seq: 0,
            t: 1_000_000_000,
            said: String::new(),
        }
    }

    fn play(&mut self, line: &str) {
        for c in line.chars() {
            self.batch.clear();
            match c {
                '>' => self.t += 2_000_000_000,
                ',' => (self.seq, self.t) = (self.seq + 1, self.t + FRAME_NS),
                's' => self.core.tick(Tick::Stalled, &mut self.batch),
                'g' => self.core.tick(Tick::Gone, &mut self.batch),
                'e' => self.core.tick(Tick::End, &mut self.batch),
                _ => {
                    (self.seq, self.t) = (self.seq + 1, self.t + FRAME_NS);
                    self.push(&frame(self.seq, self.t, c));
                }
            }
            self.tell();
        }
    }

    fn push(&mut self, frame: &Frame) {
        self.core.push(frame, ArrivalTime(frame.t.0), &mut self.batch);
    }

    fn adopt(&mut self, settings: &CoreSettings) {
        self.batch.clear();
        self.core.adopt(settings, RowKind::Landmarks.into(), &mut self.batch);
        self.tell();
    }

    fn tell(&mut self) {
        for step in &self.batch.steps {
            match step {
                StreamStep::Frame { state, .. } => self.said.push(match state {
                    SignState::Idle => '-',
                    SignState::Onset => 'o',
                    SignState::Signing => 'S',
                    SignState::Offset => 'e',
                }),
                StreamStep::Rows(_) => {}
                other => self.said += &format!("[{}]", word(other)),
            }
        }
    }

    /// What was said since the last call.
    fn said(&mut self) -> String {
        std::mem::take(&mut self.said)
    }
}

fn word(step: &StreamStep) -> String {
    match step {
        StreamStep::Status(status, reason) => format!("{status:?} {reason:?}"),
        StreamStep::Doubt(doubt, _) => format!("{doubt:?}"),
        StreamStep::Rows(first) => format!("rows {first}"),
        StreamStep::Begin(begin) => format!("begin {}", begin.seq),
        StreamStep::End(sign) => {
            format!("sign {}-{} {:?}", sign.start_seq, sign.end_seq, sign.ended)
        }
        StreamStep::Drop => "drop".to_owned(),
        StreamStep::Frame { .. } => "frame".to_owned(),
    }
}

/// A person before a camera whose right hand does what the character says.
fn frame(seq: u64, t: u64, c: char) -> Frame {
    let mut frame = Frame::new(seq, SourceTime(t), 640, 480);
    let pose = frame.detect(BodyPart::Pose);
    pose.fill([0.5, 0.5, 0.0]);
    for (i, y) in [(0, 0.2), (11, 0.4), (12, 0.4), (15, 0.95), (16, 0.95), (23, 0.9), (24, 0.9)] {
        pose[i] = [if i % 2 == 1 { 0.6 } else { 0.4 }, y, 0.0];
    }
    let height = match c {
        '_' => 0.95,
        '.' => 0.45,
        '~' => 0.45 + 0.05 * (seq as f32).sin(),
        _ => return frame,
    };
    let hand = frame.detect(BodyPart::RightHand);
    for (k, point) in hand.iter_mut().enumerate() {
        *point = [0.4 + 0.004 * k as f32, height - 0.003 * k as f32, 0.0];
    }
    frame
}

fn run(line: &str) -> String {
    let mut camera = Camera::new();
    camera.play(line);
    camera.said()
}

#[test]
fn the_default_settings_are_those_that_ship() {
    #[derive(serde::Deserialize)]
    struct Shipped {
        core: CoreSettings,
    }
    let shipped = toml::from_str(include_str!("../../../conf/signd.toml"));
    let Shipped { core } = shipped.expect("the settings that ship");
    assert_eq!(core, CoreSettings::default());
}

#[test]
fn a_sign_begins_again_after_its_lead_in_and_ends_trimmed_to_itself() {
    assert_eq!(
        run("____~~~~~~~~~~~~~~~~________"),
        "[Appeared FirstFrame]----[begin 5]oo[begin 7]SSSSSSSSSSSSSSeee[sign 7-18 Rest][drop]-----"
    );
}

// Whoever takes the steps one by one knows the rows of a sign before the sign begins or ends, and all
// that a frame changed before the frame itself.
#[test]
fn a_frame_tells_its_status_first_then_rows_then_signs_and_itself_last() {
    let mut camera = Camera::new();
    let order = |step: &StreamStep| match step {
        StreamStep::Status(..) => 0,
        StreamStep::Doubt(..) => 1,
        StreamStep::Rows(_) => 2,
        StreamStep::End(_) => 3,
        StreamStep::Drop => 4,
        StreamStep::Begin(_) => 5,
        StreamStep::Frame { .. } => 6,
    };
    for c in "____~~~~~~~~~~~~~~~~________~~~~~~~~~~".chars() {
        camera.play(&c.to_string());
        let steps: Vec<u8> = camera.batch.steps.iter().map(order).collect();
        assert!(steps.is_sorted(), "{steps:?}");
        assert_eq!(steps.iter().filter(|step| **step == 6).count(), 1, "{steps:?}");
    }
}

#[test]
fn a_tick_decides_the_open_sign_and_then_says_why_the_stream_is_silent() {
    let before = "[Appeared FirstFrame]----[begin 5]oo[begin 7]SSSSSSSSSSSSSS";
    for (tick, expected) in [
        ("s", "[sign 7-20 Stalled][drop][Stalled Silence]"),
        ("g", "[sign 7-20 Stalled][drop][Gone Silence]"),
        ("e", "[sign 7-20 End][drop][Gone Shutdown]"),
    ] {
        let line = format!("____~~~~~~~~~~~~~~~~{tick}");
        assert_eq!(run(&line), format!("{before}{expected}"), "{line}");
    }
}

#[test]
fn a_lead_in_is_no_sign_when_a_tick_closes_it() {
    assert_eq!(run("____~~s"), "[Appeared FirstFrame]----[begin 5]oo[drop][Stalled Silence]");
}

#[test]
fn a_stalled_stream_resumes_with_its_next_frame_and_says_so_once() {
    assert_eq!(
        run("__s__s_"),
        "[Appeared FirstFrame]--[drop][Stalled Silence][Resumed Frames]--[drop][Stalled Silence]\
         [Resumed Frames]-"
    );
}

#[test]
fn a_gap_ends_the_sign_at_the_last_frame_before_it_and_a_shorter_silence_does_not() {
    assert_eq!(
        run("____~~~~~~~~~~~~~~~~>~~"),
        "[Appeared FirstFrame]----[begin 5]oo[begin 7]SSSSSSSSSSSSSS[sign 7-20 Gap][drop]-[begin 22]o"
    );
    let short = run("____~~~~~~~~~~~~~~~~,,,,~~~~");
    assert!(!short.contains("sign"), "{short}");
}

#[test]
fn lost_frames_are_counted_with_the_frame_after_them_and_inside_their_sign() {
    let mut camera = Camera::new();
    camera.play("____~~~~~~~~~,,~");
    let lost = camera.batch.steps.iter().find_map(|step| match step {
        StreamStep::Frame { lost, .. } => Some(*lost),
        _ => None,
    });
    assert_eq!(lost, Some(2));
    camera.play("~~~~~~~e");
    let sign = camera.batch.steps.iter().find_map(|step| match step {
        StreamStep::End(sign) => Some(sign.lost),
        _ => None,
    });
    assert_eq!(sign, Some(2));
}

/// The first column, an x, of each row that the first frame after this silence brings.
fn rows_after(silence_ns: u64) -> Vec<f32> {
    let schema = Schema::parse(NAME, "hand").expect("valid");
    let kind = RowKind::Features { schema, rate: 30.0 };
    let width = kind.width();
    let mut core = Stream::new(&CoreSettings::default(), kind);
    let mut batch = StepBatch::default();
    for seq in 0..20 {
        core.push(&frame(seq, seq * FRAME_NS, '~'), ArrivalTime(0), &mut batch);
    }
    batch.clear();
    let t = 19 * FRAME_NS + silence_ns;
    core.push(&frame(20, t, '~'), ArrivalTime(0), &mut batch);
    batch.rows.chunks(width).map(|row| row[0]).collect()
}

#[test]
fn nothing_is_joined_across_a_gap() {
    let joined = rows_after(4 * FRAME_NS);
    assert!(joined.len() == 4 && joined.iter().all(|x| x.is_finite()), "{joined:?}");
    let apart = rows_after(2_000_000_000);
    assert!(apart.len() == 1 && apart[0].is_finite(), "the first of a new grid: {apart:?}");
}

#[test]
fn a_frame_without_a_place_in_its_stream_changes_nothing() {
    let mut camera = Camera::new();
    camera.play("____~~~~~~~~");
    camera.batch.clear();
    let last = camera.t;
    camera.push(&frame(99, last, ' '));
    assert_eq!(camera.batch.misplaced, Some(MisplacedReason::TimeNotRising));
    assert!(camera.batch.steps.is_empty() && camera.batch.rows.is_empty());
    assert_eq!((camera.batch.seq, camera.batch.t), (12, SourceTime(last)));
    camera.said();
    camera.play("~~~~");
    assert_eq!(camera.said(), "SSSS");
}

#[test]
fn a_producer_that_restarts_ends_the_sign_and_the_stream_is_forgotten() {
    let mut camera = Camera::new();
    camera.play("____~~~~~~~~~~~~~~~~");
    camera.said();
    camera.seq = 0;
    camera.play("__~~");
    assert_eq!(camera.said(), "[sign 7-20 Reset][drop][Reset Restart]--[begin 3]oo");
}

#[test]
fn adopting_settings_decides_the_open_sign_and_keeps_the_place_in_the_stream() {
    let mut camera = Camera::new();
    camera.play("____~~~~~~~~~~~~~~~~");
    camera.said();
    camera.adopt(&CoreSettings::default());
    assert_eq!(camera.said(), "[sign 7-20 End][drop]");
    assert!(camera.core.view().is_none());
    // Neither appeared nor reset, and two frames lost meanwhile are known.
    camera.play(",,_");
    assert_eq!(camera.said(), "-");
    let frame = StreamStep::Frame { state: SignState::Idle, hand: None, lost: 2 };
    assert_eq!(camera.batch.steps, [StreamStep::Rows(0), frame]);
}

#[test]
fn adopting_settings_while_a_stream_is_stalled_does_not_resume_it() {
    let mut camera = Camera::new();
    camera.play("__s");
    camera.adopt(&CoreSettings::default());
    camera.said();
    camera.play("__");
    assert_eq!(camera.said(), "[Resumed Frames]--");
}

#[test]
fn adopted_settings_hold_from_the_next_frame_on() {
    let mut camera = Camera::new();
    camera.play("____");
    let mut settings = CoreSettings::default();
    settings.segment.start_speed = 1000.0;
    camera.adopt(&settings);
    camera.said();
    camera.play("____~~~~~~~~~~~~~~~~");
    assert_eq!(camera.said(), "--------------------");
}

#[test]
fn a_doubt_about_the_input_is_told_once_also_across_a_reload() {
    let mut camera = Camera::new();
    // A person upside down.
    let upside_down = |camera: &mut Camera| {
        let mut told = 0;
        for _ in 0..200 {
            (camera.seq, camera.t) = (camera.seq + 1, camera.t + FRAME_NS);
            let mut person = frame(camera.seq, camera.t, ' ');
            for point in person.detect(BodyPart::Pose) {
                point[1] = 1.0 - point[1];
            }
            camera.batch.clear();
            camera.push(&person);
            told +=
                camera.batch.steps.iter().filter(|s| matches!(s, StreamStep::Doubt(..))).count();
        }
        told
    };
    assert!(upside_down(&mut camera) > 0);
    camera.adopt(&CoreSettings::default());
    assert_eq!(upside_down(&mut camera), 0);
}

#[test]
fn the_stages_can_be_looked_into_only_right_after_a_frame() {
    let mut camera = Camera::new();
    assert!(camera.core.view().is_none());
    camera.play("____");
    let view = camera.core.view().expect("a frame was taken");
    assert_eq!((view.input.seq, view.dominant), (4, Some(Hand::Right)));
    camera.play("s");
    assert!(camera.core.view().is_none());
}
