//! `signd features`: the rows that a model would see, for training.
//!
//! Output is a MessagePack map for each clip, one after the other: `rows`, `columns` and `data`, the
//! little-endian f32 of all rows, `NaN` where missing. With `-` clips come from standard input as
//! maps, so that a trainer can ask for landmarks it has bent: `t`, little-endian u64 capture times in
//! ns; `width` and `height`, the image size in pixels; `landmarks`, little-endian f32 `[T,543,3]`.

use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Outcome, read_file};
use crate::clip;
use crate::config::{Flags, Settings};
use crate::features::Schema;
use crate::features::grid::RowKind;
use crate::features::schema;
use crate::frame::{Frame, POINTS, Point, SourceTime};
use crate::import::{self, Overrides};
use crate::recording;

/// Flags of `signd features`.
#[derive(Debug, Args)]
pub struct Features {
    /// Recordings, or files that `import` reads; `-` for clips from standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Groups of the feature schema, separated by spaces [default: all].
    #[arg(long)]
    groups: Option<String>,
    /// Rows a second.
    #[arg(long, default_value_t = 30.0)]
    rate: f64,
}

#[derive(Deserialize)]
struct Asked {
    t: ByteBuf,
    width: u32,
    height: u32,
    landmarks: ByteBuf,
}

#[derive(Serialize)]
struct Answer {
    rows: usize,
    columns: usize,
    data: ByteBuf,
}

impl Features {
    pub fn execute(self) -> Result<Outcome> {
        ensure!((1.0..=240.0).contains(&self.rate), "--rate is 1 to 240 rows a second");
        let schema = match &self.groups {
            Some(groups) => Schema::parse(schema::NAME, groups)?,
            None => Schema::everything(),
        };
        let kind = RowKind::Features { schema, rate: self.rate };
        let rest_line = Settings::load(&Flags::default())?.core.gate.rest_line as f32;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut answer = |frames: &[Frame]| -> Result<()> {
            let rows = clip::rows(frames, &kind, rest_line);
            let data = ByteBuf::from(bytemuck::cast_slice::<f32, u8>(&rows).to_vec());
            let columns = kind.width();
            let answer = Answer { rows: rows.len() / columns, columns, data };
            rmp_serde::encode::write_named(&mut out, &answer)?;
            Ok(out.flush()?)
        };
        for file in &self.files {
            if file == Path::new("-") {
                let mut input = BufReader::new(std::io::stdin().lock());
                while let Some(frames) = asked(&mut input)? {
                    answer(&frames)?;
                }
            } else {
                answer(&frames(file).with_context(|| file.display().to_string())?)?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// The next clip asked for; none at the end of the input.
fn asked(input: &mut impl Read) -> Result<Option<Vec<Frame>>> {
    use rmp_serde::decode::Error;
    let asked: Asked = match rmp_serde::from_read(input) {
        Ok(asked) => asked,
        Err(Error::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof => {
            return Ok(None);
        }
        Err(error) => return Err(error).context("standard input"),
    };
    ensure!(asked.width > 0 && asked.height > 0, "an image of no size");
    let (times, points) = (asked.t.chunks_exact(8), asked.landmarks.chunks_exact(12 * POINTS));
    ensure!(
        times.len() == points.len()
            && times.remainder().is_empty()
            && points.remainder().is_empty(),
        "`t` and `landmarks` are not of one number of frames"
    );
    let mut clip: Vec<Frame> = Vec::with_capacity(times.len());
    for (t, bytes) in times.zip(points) {
        let t = SourceTime(t.iter().rev().fold(0, |t, byte| t << 8 | u64::from(*byte)));
        ensure!(clip.last().is_none_or(|before| before.t < t), "`t` does not rise");
        let mut frame = Frame::new(clip.len() as u64, t, asked.width, asked.height);
        let mut points: [Point; POINTS] = [[f32::NAN; 3]; POINTS];
        bytemuck::cast_slice_mut::<Point, u8>(&mut points).copy_from_slice(bytes);
        frame.set_points(&points);
        clip.push(frame);
    }
    Ok(Some(clip))
}

/// The frames of a file: a recording's first stream, or a clip of another format.
fn frames(file: &Path) -> Result<Vec<Frame>> {
    if file.extension().is_none_or(|extension| extension != "mcap") {
        let clip = import::read(file, &Overrides::default())?;
        return Ok(clip.frames(SourceTime(1_000_000_000)).collect());
    }
    let (all, _) = recording::frames(&read_file(file)?)?;
    let first = all.first().map(|(stream, _)| *stream);
    Ok(all.into_iter().filter(|(id, _)| Some(*id) == first).map(|(_, frame)| frame).collect())
}
