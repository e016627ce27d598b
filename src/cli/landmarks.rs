//! `signd landmarks`: the landmarks in any file that signd reads, in one plain form.
//!
//! Output is a MessagePack map for each clip: `t`, little-endian u64 capture times in ns; `width` and
//! `height`, the image size in pixels; `landmarks`, little-endian f32 `[T,543,3]`, `NaN` where
//! missing. `signd features -` takes the same, so a trainer reads recordings, bends them and gets
//! rows without knowing any file format or feature.

use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{CommandOutcome, print};
use signd_core::frame::{Frame, Landmark, POINTS, SourceTime};
use signd_lab::clip;
use signd_lab::import::ImportOverrides;

/// Flags of `signd landmarks`.
#[derive(Debug, Args)]
pub struct LandmarksFlags {
    /// Recordings, or files that `import` reads.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct ClipLandmarks {
    t: ByteBuf,
    width: u32,
    height: u32,
    landmarks: ByteBuf,
}

impl LandmarksFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let (mut out, mut outcome) = (BufWriter::new(print::out()), CommandOutcome::Done);
        for file in &self.files {
            let clip = clip::read(file, &ImportOverrides::default());
            let (frames, losses) = clip.with_context(|| file.display().to_string())?;
            if print::losses(file, &losses) {
                outcome = CommandOutcome::Partly;
            }
            let (width, height) = frames.first().map_or((1, 1), |f| (f.width, f.height));
            let times = frames.iter().flat_map(|f| f.t.0.to_le_bytes());
            let points =
                frames.iter().flat_map(|f| bytemuck::cast_slice::<Landmark, u8>(f.points()));
            let clip = ClipLandmarks {
                t: ByteBuf::from(times.collect::<Vec<u8>>()),
                width,
                height,
                landmarks: ByteBuf::from(points.copied().collect::<Vec<u8>>()),
            };
            rmp_serde::encode::write_named(&mut out, &clip)?;
            out.flush()?;
        }
        Ok(outcome)
    }
}

/// The next clip of a stream of maps; none at its end.
pub fn clip(input: &mut impl Read) -> Result<Option<Vec<Frame>>> {
    use rmp_serde::decode::Error;
    let clip: ClipLandmarks = match rmp_serde::from_read(input) {
        Ok(clip) => clip,
        Err(Error::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof => {
            return Ok(None);
        }
        Err(error) => return Err(error).context("standard input"),
    };
    ensure!(clip.width > 0 && clip.height > 0, "an image of no size");
    let (times, points) = (clip.t.chunks_exact(8), clip.landmarks.chunks_exact(12 * POINTS));
    ensure!(
        times.len() == points.len()
            && times.remainder().is_empty()
            && points.remainder().is_empty(),
        "`t` and `landmarks` are not of one number of frames"
    );
    let mut frames: Vec<Frame> = Vec::with_capacity(times.len());
    for (t, bytes) in times.zip(points) {
        let t = SourceTime(t.iter().rev().fold(0, |t, byte| t << 8 | u64::from(*byte)));
        ensure!(frames.last().is_none_or(|before| before.t < t), "`t` does not rise");
        let mut frame = Frame::new(frames.len() as u64, t, clip.width, clip.height);
        let mut points: [Landmark; POINTS] = [[f32::NAN; 3]; POINTS];
        bytemuck::cast_slice_mut::<Landmark, u8>(&mut points).copy_from_slice(bytes);
        frame.set_points(&points);
        frames.push(frame);
    }
    Ok(Some(frames))
}
