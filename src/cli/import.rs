//! `signd import`: other landmark files to a recording.

use std::io::{Cursor, Seek, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{CommandOutcome, print};
use signd::output::{OutputKind, OutputTarget};
use signd_core::frame::{ArrivalTime, SourceTime};
use signd_core::plausibility::order::{self, PartOrder};
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::landmarks;
use signd_engine::recording::{RecordingError, RecordingWriter};
use signd_lab::import::{ImportOverrides, ImportedClip, read};

/// Flags of `signd import`.
#[derive(Debug, Args)]
pub struct ImportFlags {
    /// GISLR .parquet, .pose, .npy or .npz.
    file: PathBuf,
    /// The recording to write. It replaces an earlier import, and no other file.
    #[arg(short, long, value_name = "OUT.mcap")]
    output: PathBuf,
    /// Frames a second, when the file does not record it or is wrong.
    #[arg(long)]
    fps: Option<f64>,
    /// Image size in pixels, likewise.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u32, u32)>,
    /// Take points whose x and y are this value for missing, as 0 or -1.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    missing: Option<f32>,
    /// The coordinates are pixels: divide them by the image size.
    #[arg(long)]
    pixels: bool,
    /// x was mirrored after the estimator: mirror it back.
    #[arg(long)]
    mirrored: bool,
    /// In which order the parts lie in an array [default: face,left_hand,pose,right_hand].
    #[arg(long, value_name = "PARTS", value_parser = order::parse)]
    order: Option<PartOrder>,
    /// Stream id of the recording.
    #[arg(long, default_value = "cam1", value_name = "ID")]
    stream: String,
}

impl ImportFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let Some(stream) = stream_id::parse(self.stream.as_bytes()) else {
            bail!("`{}` is no stream id (1 to 64 of A-Za-z0-9._-)", self.stream);
        };
        let target = OutputTarget::new(&self.output, OutputKind::Clip, &[&self.file])?;
        let overrides = ImportOverrides {
            fps: self.fps,
            size: self.size,
            missing: self.missing,
            pixels: self.pixels,
            mirrored: self.mirrored,
            order: self.order,
        };
        let clip = read(&self.file, &overrides).with_context(|| self.file.display().to_string())?;
        for assumption in &clip.assumptions {
            print::note(format_args!("{}: {assumption}", self.file.display()));
        }
        for (doubt, example) in &clip.doubts {
            let (found, expected) = (doubt.found(*example), doubt.expected());
            let (file, remedy) = (self.file.display(), doubt.file_remedy());
            print::note(format_args!("{file}: warning: {found}. Expected {expected}. {remedy}"));
        }
        let mut recording = Cursor::new(Vec::new());
        record(&clip, &stream, &mut recording)?;
        let to_stdout = target.is_stream();
        target.write(recording.get_ref())?;
        let ImportedClip { width, height, .. } = &clip;
        let fps = (clip.fps * 1e3).round() / 1e3;
        let summary = format!("{} frames at {fps} a second, {width}x{height}", clip.len());
        // Where the recording may go to standard output, nothing else does.
        match to_stdout {
            true => print::note(summary),
            false => print::line(summary)?,
        }
        Ok(CommandOutcome::Done)
    }
}

/// Writes a clip as a recording of one stream.
pub fn record(
    clip: &ImportedClip,
    stream: &StreamId,
    out: impl Write + Seek,
) -> Result<(), RecordingError> {
    let mut recorder = RecordingWriter::new(out)?;
    let mut message = Vec::new();
    // No source records when it was made; a second after the epoch keeps zero free.
    for frame in clip.frames(SourceTime(1_000_000_000)) {
        landmarks::encode(&frame, &mut message);
        recorder.frame(stream, ArrivalTime(frame.t.0), frame.t, &message)?;
    }
    recorder.finish()
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parts.filter(|(w, h)| *w > 0 && *h > 0).ok_or_else(|| "expected WxH, as 640x480".into())
}
