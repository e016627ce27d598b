//! Well-formed input that no camera sent: named at import, by the daemon once a stream, and put right
//! by the option that the message names. All of it is made from the project's animated signer.

use std::path::{Path, PathBuf};

use crate::common::{Daemon, http, npy, receive_with_doubts, root, send_frame};
use signd_core::frame::{ArrivalTime, BodyPart, Frame, Landmark, POINTS, SourceTime};
use signd_core::plausibility::order::PartOrder;
use signd_core::plausibility::{DoubtThreshold, InputDoubt, InputJudge};
use signd_engine::recording;
use signd_lab::import::{ImportError, ImportOverrides, ImportedClip, read};

/// The sign `hello` and what comes before it.
fn signer() -> Vec<Frame> {
    let bytes = std::fs::read(root().join("tests/recordings/signer.mcap")).expect("reads");
    let (frames, _) = recording::frames(&bytes).expect("a recording");
    frames.into_iter().map(|(_, frame)| frame).take(150).collect()
}

/// The signer with every point that is there changed.
fn changed(change: impl Fn(Landmark) -> Landmark) -> Vec<Frame> {
    let mut frames = signer();
    for frame in &mut frames {
        let points = frame.points().map(&change);
        frame.set_points(&points);
    }
    frames
}

/// What a stream of these frames is doubted for, arriving as captured.
fn doubts(frames: &[Frame]) -> Vec<InputDoubt> {
    let arrivals: Vec<_> = frames.iter().map(|frame| ArrivalTime(frame.t.0)).collect();
    doubts_arriving(frames, &arrivals)
}

fn doubts_arriving(frames: &[Frame], arrivals: &[ArrivalTime]) -> Vec<InputDoubt> {
    let (mut judge, mut found) = (InputJudge::new(DoubtThreshold::Stream), Vec::new());
    for (frame, arrival) in frames.iter().zip(arrivals) {
        judge.push(frame, Some(*arrival));
        judge.raise(|doubt, _| found.push(doubt));
    }
    found
}

fn timed(frames: &mut [Frame], step_ns: u64) {
    let start = frames[0].t.0;
    for (frame, i) in frames.iter_mut().zip(0..) {
        frame.t = SourceTime(start + i * step_ns);
    }
}

#[test]
fn a_person_before_a_camera_is_not_doubted() {
    assert_eq!(doubts(&signer()), []);
    // In the place of the phone's the webcam's picture, nearer, further, at the side.
    for scale in [0.4, 1.6] {
        let moved = changed(|[x, y, z]| [(x - 0.5) * scale + 0.45, (y - 0.5) * scale + 0.6, z]);
        assert_eq!(doubts(&moved), [], "{scale}");
    }
    for fps in [10.0, 15.0, 60.0, 120.0] {
        let mut frames = signer();
        timed(&mut frames, (1e9 / fps) as u64);
        assert_eq!(doubts(&frames), [], "{fps}");
    }
}

/// pose#222, mediapipe#2893: coordinates in pixels, or measured from the body.
#[test]
fn coordinates_that_are_not_the_images_are_named() {
    assert_eq!(doubts(&changed(|[x, y, z]| [x * 640.0, y * 480.0, z])), [InputDoubt::Pixels]);
    let shoulders = |[x, y, z]: Landmark| [(x - 0.5) * 3.0, (y - 0.44) * 3.0, z];
    assert_eq!(doubts(&changed(shoulders)), [InputDoubt::BodyRelative]);
    let centred = |[x, y, z]: Landmark| [2.0 * x - 1.0, 2.0 * y - 1.0, z];
    assert_eq!(doubts(&changed(centred)), [InputDoubt::BodyRelative]);
}

/// mediapipe#774, #6340: landmarks mirrored after the estimator, or with y upwards.
#[test]
fn a_mirrored_and_an_upturned_body_are_named() {
    assert_eq!(doubts(&changed(|[x, y, z]| [1.0 - x, y, z])), [InputDoubt::Mirrored]);
    let upturned = doubts(&changed(|[x, y, z]| [x, 1.0 - y, z]));
    assert!(upturned.contains(&InputDoubt::NotUpright), "{upturned:?}");
    // A phone's picture on its side.
    let sideways = doubts(&changed(|[x, y, z]| [y, 1.0 - x, z]));
    assert!(sideways.contains(&InputDoubt::NotUpright), "{sideways:?}");
    assert!(!sideways.contains(&InputDoubt::Mirrored), "{sideways:?}");
}

/// pose#42: what is missing written as a number. The part counts as missing, and that is said.
#[test]
fn a_part_at_one_value_is_missing_and_named() {
    for value in [0.0, -1.0, 1e20] {
        let mut frames = signer();
        for frame in &mut frames {
            if frame.part(BodyPart::LeftHand).is_none() {
                frame.detect(BodyPart::LeftHand).fill([value; 3]);
            }
            let mut message = Vec::new();
            signd_core::wire::landmarks::encode(frame, &mut message);
            let wire = signd_core::wire::landmarks::decode(&message).expect("whole");
            wire.fill(frame).expect("a frame");
            assert!(frame.part(BodyPart::LeftHand).is_none(), "{value}");
        }
        assert_eq!(doubts(&frames), [InputDoubt::RepeatedValue], "{value}");
    }
}

/// The signer with the points of some parts changed where they are there.
fn parts_changed(parts: &[BodyPart], change: impl Fn(usize, Landmark) -> Landmark) -> Vec<Frame> {
    let mut frames = signer();
    for frame in &mut frames {
        for &part in parts.iter().filter(|part| frame.part(**part).is_some()).collect::<Vec<_>>() {
            for (i, p) in frame.detect(part).iter_mut().enumerate() {
                *p = change(i, *p);
            }
        }
    }
    frames
}

const HANDS: [BodyPart; 2] = [BodyPart::LeftHand, BodyPart::RightHand];

/// A hand model's own coordinates beside a body's: only the hands are odd, and only while they are seen.
#[test]
fn hands_in_other_coordinates_than_the_body_are_named() {
    let pixels = parts_changed(&HANDS, |_, [x, y, z]| [x * 640.0, y * 480.0, z]);
    assert!(doubts(&pixels).contains(&InputDoubt::HandApart), "{:?}", doubts(&pixels));
    let beside = parts_changed(&HANDS, |_, [x, y, z]| [x + 0.6, y, z]);
    assert_eq!(doubts(&beside), [InputDoubt::HandApart]);
    let mut frames = signer();
    for frame in &mut frames {
        let Some(hand) = frame.part(BodyPart::RightHand) else { continue };
        let [x, y, z] = hand[0];
        let moved: Vec<Landmark> = hand.iter().map(|p| [p[0] - x, p[1] - y, p[2] - z]).collect();
        frame.detect(BodyPart::RightHand).copy_from_slice(&moved);
    }
    assert!(doubts(&frames).contains(&InputDoubt::HandRelative), "{:?}", doubts(&frames));
}

/// pose#42: single points that are missing written as a number, live.
#[test]
fn a_single_point_that_stands_for_a_missing_one_is_named() {
    for value in [0.0, -1.0] {
        let wrists = |i, p| if i == 15 || i == 16 { [value; 3] } else { p };
        let named = doubts(&parts_changed(&[BodyPart::Pose], wrists));
        assert_eq!(named, [InputDoubt::RepeatedValue], "{value}");
    }
}

/// datasets#58, Pose2Mesh#13: parts in each other's place.
#[test]
fn parts_that_do_not_belong_together_are_named() {
    let mut frames = signer();
    for frame in &mut frames {
        for p in frame.detect(BodyPart::Face) {
            p[1] += 0.6;
        }
    }
    assert_eq!(doubts(&frames), [InputDoubt::FaceApart]);
    let mut frames = signer();
    for frame in &mut frames {
        frame.miss(BodyPart::Pose);
    }
    assert_eq!(doubts(&frames), [InputDoubt::NoBody]);
    let mut frames = signer();
    for frame in &mut frames {
        BodyPart::ALL.into_iter().for_each(|part| frame.miss(part));
    }
    assert_eq!(doubts(&frames[1..]), [], "an empty room is no news for five seconds");
    frames.extend_from_within(..);
    timed(&mut frames, 33_333_333);
    assert_eq!(doubts(&frames), [InputDoubt::NoPerson]);
}

/// mediapipe#2838 and the field's own: width and height in each other's place.
#[test]
fn an_image_size_the_wrong_way_round_is_named() {
    let mut frames = signer();
    for frame in &mut frames {
        (frame.width, frame.height) = (frame.height, frame.width);
    }
    assert_eq!(doubts(&frames), [InputDoubt::ImageShape]);
}

/// msgpack-javascript#205, pose#127: times in another unit, at a rate of no camera, by another clock.
#[test]
fn times_that_no_camera_gives_are_named() {
    for (step, doubt) in [
        (33, InputDoubt::TimeUnit),
        (33_333, InputDoubt::TimeUnit),
        (2_000_000, InputDoubt::FrameRate),
        (500_000_000, InputDoubt::FrameRate),
    ] {
        let mut frames = signer();
        timed(&mut frames, step);
        assert_eq!(doubts(&frames), [doubt], "{step}");
    }
    let frames = signer();
    let arriving = |change: &dyn Fn(u64) -> u64| -> Vec<InputDoubt> {
        let first = frames[0].t.0;
        let at = |frame: &Frame| ArrivalTime(first + 7_200_000_000_000 + change(frame.t.0 - first));
        doubts_arriving(&frames, &frames.iter().map(at).collect::<Vec<_>>())
    };
    assert_eq!(arriving(&|since| since), [InputDoubt::ClockOffset]);
    // Frames counted times 30 while 12 a second come.
    let counted = arriving(&|since| since * 5 / 2);
    assert_eq!(counted, [InputDoubt::ClockOffset, InputDoubt::ClockPace]);
    // A clock that is set back in the middle proves nothing.
    assert_eq!(
        arriving(&|since| if since < 2_000_000_000 { since + 9_000_000_000 } else { since }),
        [InputDoubt::ClockOffset]
    );
}

/// The points of a clip as an `.npz` with rate and size, its parts in this order.
fn npz(path: &Path, frames: &[Frame], fps: f32, order: PartOrder, missing: Option<f32>) {
    let points = |frame: &Frame| order.map(|part| frame.points()[part.range()].to_vec()).concat();
    let numbers = frames.iter().flat_map(|frame| points(frame).into_flattened());
    let numbers = numbers.map(|x| missing.filter(|_| x.is_nan()).unwrap_or(x));
    let landmarks = npy::array(&format!("({}, {POINTS}, 3)", frames.len()), numbers);
    let (fps, size) = (npy::array("()", [fps]), npy::integers("(2,)", [640, 480]));
    npy::archive(path, &[("landmarks", landmarks), ("fps", fps), ("size", size)]);
}

struct Files(tempfile::TempDir);

impl Files {
    fn write(&self, frames: &[Frame], fps: f32, order: PartOrder, missing: Option<f32>) -> PathBuf {
        let path = self.0.path().join("clip.npz");
        npz(&path, frames, fps, order, missing);
        path
    }
}

fn same(a: &ImportedClip, b: &ImportedClip) -> bool {
    let near = |p: &Landmark, q: &Landmark| {
        p.iter().zip(q).all(|(x, y)| (x.is_nan() && y.is_nan()) || (x - y).abs() < 1e-5)
    };
    a.len() == b.len()
        && a.points().iter().flatten().zip(b.points().iter().flatten()).all(|(p, q)| near(p, q))
}

/// pose#40, pose#42, pose#222, mediapipe#774, datasets#58: each refused, and put right by the option named.
#[test]
fn import_refuses_what_is_surely_wrong_and_the_option_that_it_names_puts_it_right() {
    let files = Files(tempfile::tempdir().expect("folder"));
    let usual = BodyPart::ALL;
    let plain = |frames: &[Frame]| files.write(frames, 30.0, usual, None);
    let right = read(&plain(&signer()), &ImportOverrides::default()).expect("imports");
    assert_eq!((right.doubts.len(), right.assumptions.len()), (0, 0));
    let check = |file: PathBuf, option: &str, overrides: ImportOverrides| {
        let refused = read(&file, &ImportOverrides::default()).expect_err(option).to_string();
        assert!(refused.contains(option), "{option}: {refused}");
        let clip = read(&file, &overrides).unwrap_or_else(|error| panic!("{option}: {error}"));
        assert!(same(&clip, &right), "{option}");
    };
    let given = ImportOverrides::default;

    let pixels = changed(|[x, y, z]| [x * 640.0, y * 480.0, z * 640.0]);
    check(plain(&pixels), "--pixels", ImportOverrides { pixels: true, ..given() });
    let mirrored = changed(|[x, y, z]| [1.0 - x, y, z]);
    check(plain(&mirrored), "--mirrored", ImportOverrides { mirrored: true, ..given() });
    let order = [BodyPart::Pose, BodyPart::Face, BodyPart::LeftHand, BodyPart::RightHand];
    let file = files.write(&signer(), 30.0, order, None);
    check(
        file,
        "--order pose,face,left_hand,right_hand",
        ImportOverrides { order: Some(order), ..given() },
    );
    // Single points, while the rest of their part is there.
    let mut holes = signer();
    let mut without = signer();
    for (hole, none) in holes.iter_mut().zip(&mut without) {
        for i in [31, 32] {
            hole.detect(BodyPart::Pose)[i] = [0.0; 3];
            none.detect(BodyPart::Pose)[i] = [f32::NAN; 3];
        }
    }
    let file = plain(&holes);
    let refused = read(&file, &given()).expect_err("refused").to_string();
    assert!(refused.contains("--missing 0"), "{refused}");
    let clip = read(&file, &ImportOverrides { missing: Some(0.0), ..given() }).expect("imports");
    let expected = read(&plain(&without), &given()).expect("imports");
    assert!(same(&clip, &expected));

    for value in [999.0, -2.0] {
        let wrists = |i, p| if i == 15 || i == 16 { [value; 3] } else { p };
        let refused = read(&plain(&parts_changed(&[BodyPart::Pose], wrists)), &given());
        let refused = refused.expect_err("refused").to_string();
        assert!(refused.contains(&format!("--missing {value}")), "{refused}");
    }
    let good = plain(&signer());
    for (option, overrides) in [
        ("--pixels", ImportOverrides { pixels: true, ..given() }),
        ("--mirrored", ImportOverrides { mirrored: true, ..given() }),
    ] {
        let refused = read(&good, &overrides).expect_err(option).to_string();
        assert!(refused.starts_with(&format!("with {option} ")), "{refused}");
    }
    let relative = changed(|[x, y, z]| [(x - 0.5) * 3.0, (y - 0.44) * 3.0, z]);
    let refused = read(&plain(&relative), &given()).expect_err("refused");
    assert!(
        matches!(refused, ImportError::Implausible { doubt: InputDoubt::BodyRelative, .. }),
        "{refused}"
    );
}

/// pose#42: whole parts at one value are missing parts, whatever the value.
#[test]
fn import_takes_a_part_at_one_value_for_missing_and_says_so() {
    let files = Files(tempfile::tempdir().expect("folder"));
    let right =
        read(&files.write(&signer(), 30.0, BodyPart::ALL, None), &ImportOverrides::default());
    let right = right.expect("imports");
    for value in [0.0, -1.0, 1e20] {
        let file = files.write(&signer(), 30.0, BodyPart::ALL, Some(value));
        let clip = read(&file, &ImportOverrides::default()).expect("imports");
        assert!(same(&clip, &right), "{value}");
        let said: Vec<_> = clip.assumptions.iter().map(ToString::to_string).collect();
        let left =
            format!("left_hand: all points at one place in 150 frames, as {value}, {value}:");
        assert!(said.iter().any(|line| line.starts_with(&left)), "{said:?}");
    }
}

/// pose#127, pose#166: a rate that no camera has.
#[test]
fn import_asks_for_the_rate_that_a_file_cannot_be_right_about() {
    let files = Files(tempfile::tempdir().expect("folder"));
    for fps in [1000.0, 90_000.0, 0.03] {
        let file = files.write(&signer(), fps, BodyPart::ALL, None);
        let refused = read(&file, &ImportOverrides::default()).expect_err("refused").to_string();
        assert!(refused.contains("--fps"), "{refused}");
        let given = ImportOverrides { fps: Some(30.0), ..ImportOverrides::default() };
        assert_eq!(read(&file, &given).expect("imports").fps, 30.0);
    }
    let file = files.write(&signer(), 5.0, BodyPart::ALL, None);
    let clip = read(&file, &ImportOverrides::default()).expect("imports");
    assert_eq!(clip.doubts.first().map(|(doubt, _)| *doubt), Some(InputDoubt::FrameRate));
}

/// mediapipe#2838: nobody is ever detected.
#[test]
fn import_warns_of_a_clip_without_a_person_and_of_a_body_upside_down() {
    let files = Files(tempfile::tempdir().expect("folder"));
    let doubts = |frames: &[Frame]| {
        let clip =
            read(&files.write(frames, 30.0, BodyPart::ALL, None), &ImportOverrides::default());
        clip.expect("imports").doubts.into_iter().map(|(doubt, _)| doubt).collect::<Vec<_>>()
    };
    assert_eq!(doubts(&changed(|_| [f32::NAN; 3])), [InputDoubt::NoPerson]);
    let turned = doubts(&changed(|[x, y, z]| [1.0 - x, 1.0 - y, z]));
    assert!(turned.contains(&InputDoubt::NotUpright), "{turned:?}");
    // Another layout of as many points: other points of the face, the hips for the shoulders, the fingers
    // all mixed.
    let mut other = signer();
    for frame in &mut other {
        frame.detect(BodyPart::Face).rotate_left(100);
        let pose = frame.detect(BodyPart::Pose);
        pose.swap(11, 23);
        pose.swap(12, 24);
        if let Some(hand) = frame.part(BodyPart::RightHand) {
            let mixed: Vec<Landmark> = (0..21).map(|i| hand[i * 8 % 21]).collect();
            frame.detect(BodyPart::RightHand).copy_from_slice(&mixed);
        }
    }
    assert!(doubts(&other).contains(&InputDoubt::Misfit), "{:?}", doubts(&other));
    let mut without = signer();
    without.iter_mut().for_each(|frame| HANDS.into_iter().for_each(|hand| frame.miss(hand)));
    assert_eq!(doubts(&without), [InputDoubt::NoHands]);
}

#[test]
fn the_daemon_names_a_doubtful_stream_once_and_tells_late_subscribers() {
    let mut daemon = Daemon::start(&["--http", "127.0.0.1:0"]);
    let context = zmq::Context::new();
    let (socket, camera) = (daemon.listen(&context), daemon.camera(&context));
    let now = signd::plumbing::now().0;
    let mut frames = changed(|[x, y, z]| [x * 640.0, y * 480.0, z]);
    for (frame, i) in frames.iter_mut().zip(0..) {
        frame.t = SourceTime(now + i * 33_333_333);
        send_frame(&camera, "cam1", frame);
    }
    let mut doubtful = Vec::new();
    let mut seen = 0;
    while seen < frames.len() {
        let (_, event) = receive_with_doubts(&socket).expect("an event");
        seen += usize::from(event["kind"] == "frame");
        if event["status"] == "doubtful" {
            doubtful.push(event);
        }
    }
    assert_eq!(doubtful.len(), 1, "{doubtful:?}");
    assert_eq!(doubtful[0]["reason"], "pixels");
    let line = daemon.wait_for("Expected x in image widths");
    assert!(line.contains("cam1") && line.contains("divide x by the image width"), "{line}");
    let metrics = http::get(&daemon.http, "/metrics").body;
    assert!(metrics.contains(r#"signd_streams_doubtful_total{reason="pixels"} 1"#), "{metrics}");
    // The present status comes first, then the doubt.
    let late = daemon.watch(&context, "status/cam1/");
    let told: Vec<_> =
        (0..2).filter_map(|_| receive_with_doubts(&late)).map(|(_, event)| event).collect();
    assert_eq!(told[0]["status"], "appeared");
    assert_eq!((&told[1]["reason"], &told[1]["retained"]), (&"pixels".into(), &true.into()));
}
