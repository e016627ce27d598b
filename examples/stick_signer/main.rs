//! Writes the recording that ships with the project: `cargo run --release --example stick_signer OUT`.

mod signer;

use signd::frame::{Arrival, SourceTime};
use signd::recording::Recorder;
use signd::wire::{landmarks, topic};
use signer::{Gesture, frames};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: stick_signer OUT.mcap")?;
    let gestures =
        [(1.0, -0.4), (4.0, 0.6), (7.0, -0.6)].map(|(at, height)| Gesture { at, height });
    let stream = topic::stream_id(b"cam1").ok_or("stream id")?;
    let mut recorder = Recorder::new(std::fs::File::create(path)?)?;
    let mut wire = Vec::new();
    for frame in frames(&gestures, 10.0, 30.0, SourceTime(1_000_000_000)) {
        landmarks::encode(&frame, &mut wire);
        recorder.frame(&stream, Arrival(frame.t.0), frame.t, &wire)?;
    }
    recorder.finish()?;
    Ok(())
}
