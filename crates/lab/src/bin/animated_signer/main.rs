//! An animated signer: landmark frames of a person who signs as people do.
//!
//! The person rests, raises the hands, makes a sign, lowers the hands and rests again. Between signs
//! there are motions that are no sign. The estimator adds its faults: jitter, lost hands, swapped hands,
//! both hands in one place. Everything follows from a seed.
//!
//! The signs resemble those of ASL, but no person signed them. They are good for trying things out and
//! for tests. They are no measure of how well real signers are understood.
//!
//! `animated_signer demo OUT.mcap` makes the recording that ships with the project, and
//! `OUT.truth.jsonl` beside it. `animated_signer clips DIR --people N --seed S` makes a training set.
//! It has one sign or other motion in each recording, and `DIR/index.csv`.

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod body;
mod camera;
mod draws;
mod face;
mod hand;
mod motion;
mod performance;
mod person;
mod signs;
mod space;
mod stance;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use signd_core::frame::{ArrivalTime, Frame, SourceTime};
use signd_core::stream_id;
use signd_core::wire::landmarks;
use signd_engine::recording::RecordingWriter;

use camera::{EstimatorFaults, VirtualCamera, film};
use draws::SeededDraws;
use performance::{PerformedSign, SignPerformance};
use person::{RestPlace, SignerProfile};
use signs::{NO_SIGNS, SIGNS};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Capture time of every first frame: a second after the epoch, so that zero stays free.
const START: SourceTime = SourceTime(1_000_000_000);

#[derive(Parser)]
#[command(about = "Landmark recordings of an animated signer")]
enum SignerCommand {
    /// The recording that ships with the project.
    Demo { out: PathBuf },
    /// A training set.
    Clips {
        dir: PathBuf,
        #[arg(long)]
        people: u32,
        #[arg(long)]
        seed: u64,
        /// How often each person makes each sign.
        #[arg(long, default_value_t = 3)]
        times: u32,
    },
}

fn main() -> Result<()> {
    match SignerCommand::parse() {
        SignerCommand::Demo { out } => demo(&out),
        SignerCommand::Clips { dir, people, seed, times } => clips(&dir, people, seed, times),
    }
}

/// Twenty seconds: five signs, a scratched cheek, a hand lost in two of the signs and a swap.
fn demo(out: &Path) -> Result<()> {
    let mut draws = SeededDraws::new(20);
    let person = SignerProfile {
        left_handed: false,
        rest: RestPlace::Hanging,
        tempo: 0.8,
        sloppiness: 0.3,
        mouthing: 0.8,
        ..SignerProfile::new(&mut draws)
    };
    let mut performance = SignPerformance::new(&person, draws.fork());
    performance.wait(0.7);
    for name in ["hello", "mom", "scratch", "think", "drink", "thankyou"] {
        match SIGNS.iter().find(|sign| sign.name == name) {
            Some(sign) => performance.sign(sign),
            None => NO_SIGNS.iter().filter(|m| m.name == name).for_each(|m| performance.fidget(m)),
        }
        performance.wait(0.7);
    }
    let camera = VirtualCamera {
        fps: 30.0,
        width: 640,
        height: 480,
        at: [0.01, 0.44],
        unit: 0.36,
        jitter: 0.003,
    };
    let middle = |i: usize| 0.5 * (performance.signs[i].start + performance.signs[i].end);
    let faults = EstimatorFaults {
        lost: [1, 3].map(|i| [middle(i), middle(i) + 4.0 / 30.0]).to_vec(),
        swapped: vec![[middle(2), middle(2) + 2.0 / 30.0]],
        doubled: Vec::new(),
    };
    let frames = film(&person, &performance, &camera, &faults, &mut draws, START);
    record(out, &frames)?;
    let mut truth = File::create(out.with_extension("truth.jsonl"))?;
    for sign in &performance.signs {
        let [start, end] = seqs(sign, camera.fps);
        let line = serde_json::json!({"label": sign.label, "start_seq": start, "end_seq": end});
        writeln!(truth, "{line}")?;
    }
    Ok(())
}

/// One recording for each sign, and as many of other motions, of each person.
fn clips(dir: &Path, people: u32, seed: u64, times: u32) -> Result<()> {
    fs::create_dir_all(dir)?;
    let mut index = BufWriter::new(File::create(dir.join("index.csv"))?);
    writeln!(index, "path,label,signer,fps,width,height,start_seq,end_seq")?;
    let mut draws = SeededDraws::new(seed);
    for signer in 0..people {
        let mut draws = draws.fork();
        let person = SignerProfile::new(&mut draws);
        let mut camera = VirtualCamera::new(&mut draws);
        for take in 0..times {
            // Each take is another session: the same person, before another camera.
            camera = if take == 0 { camera } else { VirtualCamera::new(&mut draws) };
            let signs = SIGNS.iter().map(|sign| (sign, true));
            for (motion, is_sign) in signs.chain(NO_SIGNS.iter().map(|motion| (motion, false))) {
                let mut performance = SignPerformance::new(&person, draws.fork());
                performance.wait(draws.between(0.2, 0.8));
                if is_sign {
                    performance.sign(motion);
                } else {
                    performance.fidget(motion);
                }
                performance.wait(draws.between(0.4, 0.8));
                let faults = EstimatorFaults::new(&mut draws, performance.now, camera.fps);
                let frames = film(&person, &performance, &camera, &faults, &mut draws, START);
                let name = format!("{signer:03}-{take}-{}.mcap", motion.name);
                record(&dir.join(&name), &frames)?;
                let VirtualCamera { fps, width, height, .. } = camera;
                let (label, [start, end]) = match &performance.signs[..] {
                    [sign] => (sign.label, seqs(sign, fps).map(|seq| seq.to_string())),
                    _ => ("", Default::default()),
                };
                let row = format!("{name},{label},animated-{seed}-{signer},{fps},{width},{height}");
                writeln!(index, "{row},{start},{end}")?;
            }
        }
    }
    Ok(index.flush()?)
}

/// First and last frame of a sign.
fn seqs(sign: &PerformedSign, fps: f32) -> [u64; 2] {
    [sign.start, sign.end].map(|t| (t * fps).round() as u64)
}

fn record(path: &Path, frames: &[Frame]) -> Result<()> {
    let stream = stream_id::parse(b"cam1").ok_or("stream id")?;
    let mut recorder = RecordingWriter::new(BufWriter::new(File::create(path)?))?;
    let mut wire = Vec::new();
    for frame in frames {
        landmarks::encode(frame, &mut wire);
        recorder.frame(&stream, ArrivalTime(frame.t.0), frame.t, &wire)?;
    }
    Ok(recorder.finish()?)
}
