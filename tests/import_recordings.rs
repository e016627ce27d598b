//! Every real recording is imported whole: as many frames as its source has, and every point as an
//! independent, simpler reading of the file finds it. The recordings are not part of the project:
//! `RECORDINGS` names the folder that holds them; without it these tests are skipped, and say so.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::common::mutate::Mutator;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use signd_core::frame::BodyPart;
use signd_lab::import::{ImportAssumption, ImportOverrides, ImportedClip, read};
use zip::ZipArchive;

type Point = [f32; 3];
const MISSING: Point = [f32::NAN; 3];

/// What a source holds: the 543 points of each frame.
type Frames = Vec<Vec<Point>>;

/// The folder of recordings, or `None` when the variable is not set. A folder that is not there
/// fails the test.
fn folder() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("RECORDINGS").map(PathBuf::from) else {
        eprintln!("SKIPPED: RECORDINGS is not set, so no recordings of real people were imported");
        return None;
    };
    assert!(folder.is_dir(), "RECORDINGS={} is no folder", folder.display());
    Some(folder)
}

/// Packed: a running sum modulo 2^16 over the frames, in 1/4096; -32768 in all three is missing.
fn packed(path: &Path) -> Frames {
    let mut archive = ZipArchive::new(File::open(path).expect("opens")).expect("a zip archive");
    let mut array = Vec::new();
    archive.by_name("q.npy").expect("an array `q`").read_to_end(&mut array).expect("readable");
    // Version 1.0: magic, then the length of the header in two bytes. The shape is its only tuple.
    let start = 10 + usize::from(u16::from_le_bytes([array[8], array[9]]));
    let header = String::from_utf8_lossy(&array[..start]);
    assert!(header.contains("'<i2'"), "int16: {header}");
    let points = header.rsplit(", ").nth(2).expect("a shape").parse::<usize>().expect("points");
    let differences: Vec<i16> =
        array[start..].chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut sum = vec![[0i16; 3]; points];
    let mut frames = Vec::new();
    for frame in differences.chunks(3 * points) {
        for (sum, difference) in sum.iter_mut().zip(frame.chunks(3)) {
            *sum = [0, 1, 2].map(|d| sum[d].wrapping_add(difference[d]));
        }
        let point = |q: &[i16; 3]| match q {
            [i16::MIN, i16::MIN, i16::MIN] => MISSING,
            _ => q.map(|q| f32::from(q) / 4096.0),
        };
        // Of 553 points, ten are irises, at the end of the face.
        let irises = 468..468 + points - 543;
        let kept = sum.iter().enumerate().filter(|(i, _)| !irises.contains(i));
        frames.push(kept.map(|(_, q)| point(q)).collect());
    }
    frames
}

/// The competition's tables: 543 rows a frame, in order, null where missing.
fn table(path: &Path) -> Frames {
    let file = SerializedFileReader::new(File::open(path).expect("opens")).expect("parquet");
    let rows = file.get_row_iter(None).expect("rows").map(|row| {
        let row = row.expect("a row");
        let number = |name: &str| {
            let column = row.get_column_iter().position(|(column, _)| column == name);
            row.get_double(column.expect("the column")).map_or(f32::NAN, |x| x as f32)
        };
        ["x", "y", "z"].map(number)
    });
    rows.collect::<Vec<_>>().chunks(543).map(<[Point]>::to_vec).collect()
}

/// `.pose`: the header tells where each component's points begin; coordinates are [frames, 1 person,
/// points, 3] in pixels, then confidences, 0 where missing.
fn pose(path: &Path) -> Frames {
    let bytes = std::fs::read(path).expect("reads");
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let f32_at = |at: usize| f32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
    let (width, height) = (u16_at(4) as f32, u16_at(6) as f32);
    let (mut at, mut all, mut first) = (12, 0, [0; 4]);
    for _ in 0..u16_at(10) {
        let name = &bytes[at + 2..at + 2 + u16_at(at)];
        let part = match name {
            b"FACE_LANDMARKS" => Some(0),
            b"LEFT_HAND_LANDMARKS" => Some(1),
            b"POSE_LANDMARKS" => Some(2),
            b"RIGHT_HAND_LANDMARKS" => Some(3),
            _ => None,
        };
        part.into_iter().for_each(|part| first[part] = all);
        at += 2 + name.len();
        at += 2 + u16_at(at); // the format
        let (points, limbs, colours) = (u16_at(at), u16_at(at + 2), u16_at(at + 4));
        at += 6;
        (0..points).for_each(|_| at += 2 + u16_at(at));
        at += 4 * limbs + 6 * colours;
        all += points;
    }
    // Version 0.1: rate and count of frames in two bytes each; 0.2: in four. Then the people.
    at += if f32_at(0) == 0.1 { 6 } else { 10 };
    assert_eq!(u16_at(at - 2), 1, "one person");
    let count = (bytes.len() - at) / (all * 4 * 4);
    let confidences = at + count * all * 12;
    let frame = |i: usize| {
        let starts = BodyPart::ALL.iter().zip(first);
        let sources = starts.flat_map(|(part, first)| first..first + part.range().len());
        let point = |source: usize| {
            let place = i * all + source;
            let [x, y, z] = [0, 4, 8].map(|axis| f32_at(at + place * 12 + axis));
            match f32_at(confidences + place * 4) > 0.0 && !x.is_nan() && !y.is_nan() {
                true => [x / width, y / height, z],
                false => MISSING,
            }
        };
        sources.map(point).collect()
    };
    (0..count).map(frame).collect()
}

/// The imported clip has exactly the frames and points of its source.
fn same(clip: &ImportedClip, source: &Frames, path: &Path) {
    assert_eq!(clip.len(), source.len(), "{}: frames", path.display());
    for (i, (found, expected)) in clip.points().iter().zip(source).enumerate() {
        assert_eq!(expected.len(), 543);
        for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
            let same =
                found.iter().zip(expected).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
            assert!(same, "{} frame {i} point {k}: {found:?} {expected:?}", path.display());
        }
    }
}

#[test]
fn every_recording_is_imported_frame_by_frame_and_point_by_point() {
    let Some(folder) = folder() else { return };
    for set in ["gislr", "wlasl", "webcam", "foreign", "idle", "continuous"] {
        let index = std::fs::read_to_string(folder.join(set).join("index.csv")).expect("index");
        let (mut clips, mut frames) = (0, 0);
        for row in index.lines().skip(1) {
            let columns: Vec<&str> = row.split(',').collect();
            let path = folder.join(set).join(columns[0]);
            if columns[0] == "pose-mediapipe_long.pose" {
                continue; // refused; see below
            }
            let clip = read(&path, &ImportOverrides::default());
            let clip = clip.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let ending = path.extension().and_then(|ending| ending.to_str());
            let source = match ending {
                Some("npz") => packed(&path),
                Some("parquet") => table(&path),
                _ => pose(&path),
            };
            same(&clip, &source, &path);
            (clips, frames) = (clips + 1, frames + clip.len());

            // The index gives rate and size, 0 where not recorded; tables never record either.
            let number = |i: usize| columns[i].parse::<f64>().expect("a number");
            let recorded = |known: bool| known && ending != Some("parquet");
            match recorded(number(3) > 0.0) {
                true => assert!((clip.fps - number(3)).abs() < 1e-3, "{row}: {}", clip.fps),
                false => assert!(
                    clip.assumptions
                        .iter()
                        .any(|a| matches!(a, ImportAssumption::FrameRate { .. })),
                    "{row}"
                ),
            }
            match recorded(number(4) > 0.0) {
                true => assert_eq!(
                    (f64::from(clip.width), f64::from(clip.height)),
                    (number(4), number(5)),
                    "{row}"
                ),
                false => assert!(
                    clip.assumptions
                        .iter()
                        .any(|a| matches!(a, ImportAssumption::ImageSize { .. })),
                    "{row}"
                ),
            }
        }
        assert!(clips > 0);
        println!("{set}: {clips} recordings, {frames} frames");
    }
}

/// Two runs of an estimator over one video, kept in two kinds of file: units and order agree.
#[test]
fn one_video_in_two_kinds_of_file_is_nearly_the_same() {
    let Some(folder) = folder() else { return };
    let clip = |name: &str| {
        read(&folder.join("continuous").join(name), &ImportOverrides::default()).expect("imports")
    };
    let (a, b) = (clip("p2v-what-is-your-name.pose"), clip("sign-translate-example-sentence.npz"));
    assert_eq!((a.len(), a.fps, a.width, a.height), (b.len(), b.fps, b.width, b.height));
    let pairs = || a.points().iter().flatten().zip(b.points().iter().flatten());
    for (axis, most) in [0.01, 0.01, 0.05].into_iter().enumerate() {
        let apart = pairs().map(|(a, b)| (a[axis] - b[axis]).abs()).filter(|d| !d.is_nan());
        let apart: Vec<f32> = apart.collect();
        let mean = apart.iter().sum::<f32>() / apart.len() as f32;
        assert!(apart.len() > a.len() * 500 && mean < most, "axis {axis}: {mean}");
    }
}

#[test]
fn a_reduced_pose_layout_is_refused_and_says_what_it_lacks() {
    let Some(folder) = folder() else { return };
    let path = folder.join("continuous/pose-mediapipe_long.pose");
    let said = read(&path, &ImportOverrides::default()).expect_err("refused").to_string();
    for lack in ["FACE_LANDMARKS has 128 points and lacks 340", "POSE_LANDMARKS has 8 points"] {
        assert!(said.contains(lack), "{said}");
    }
}

#[test]
fn a_damaged_recording_is_refused_or_imported_whole() {
    let Some(folder) = folder() else { return };
    let index = std::fs::read_to_string(folder.join("gislr/index.csv")).expect("index");
    let table =
        index.lines().filter_map(|row| row.split(',').next()).find(|p| p.ends_with("parquet"));
    let samples = [
        folder.join("foreign/001.npz"),
        folder.join("gislr").join(table.expect("a table")),
        folder.join("continuous/semlex-SbTU6uS4.pose"),
    ];
    let work = tempfile::tempdir().expect("folder");
    let (mut mutator, mut bytes) = (Mutator(0x5eed), Vec::new());
    for sample in samples {
        let good = std::fs::read(&sample).expect("reads");
        let path = work.path().join(sample.file_name().expect("a name"));
        let (mut imported, mut refused) = (0, 0);
        for _ in 0..200 {
            mutator.damage(&good, &mut bytes);
            std::fs::write(&path, &bytes).expect("writes");
            match read(&path, &ImportOverrides::default()) {
                Ok(clip) => {
                    imported += 1;
                    assert!((0.1..=1000.0).contains(&clip.fps) && clip.len() > 0);
                    assert!(clip.width > 0 && clip.height > 0);
                    for point in clip.points().iter().flatten() {
                        let missing = point.iter().all(|x| x.is_nan());
                        assert!(missing || point[0].is_finite() && point[1].is_finite());
                        assert!(!point[2].is_infinite());
                    }
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
        println!("{}: {imported} imported, {refused} refused", sample.display());
        assert!(refused > 20, "{}: {refused} refused", sample.display());
    }
}
