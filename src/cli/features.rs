//! `signd features`: the rows that a model would see, for training.
//!
//! Output is a MessagePack map for each clip, one after the other: `rows`, `columns` and `data`, the
//! little-endian f32 of all rows, `NaN` where missing. With `-` clips come from standard input in
//! the form that `signd landmarks` writes, so that a trainer can ask for landmarks it has bent.

use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use serde_bytes::ByteBuf;

use super::{CommandOutcome, landmarks, print};
use signd::config::{Settings, SettingsFlags};
use signd_core::features::Schema;
use signd_core::features::grid::RowKind;
use signd_core::features::schema::{self, GROUPS};
use signd_core::frame::Frame;
use signd_lab::clip;
use signd_lab::import::ImportOverrides;

/// Flags of `signd features`.
#[derive(Debug, Args)]
pub struct FeaturesFlags {
    /// Recordings, or files that `import` reads; `-` for clips from standard input.
    #[arg(required_unless_present = "columns")]
    files: Vec<PathBuf>,
    /// Print each group of the feature schema and its number of columns, as JSON, and end.
    #[arg(long)]
    columns: bool,
    /// Groups of the feature schema, separated by spaces [default: all].
    #[arg(long)]
    groups: Option<String>,
    /// Rows a second.
    #[arg(long, default_value_t = 30.0)]
    rate: f64,
}

#[derive(Serialize)]
struct FeaturesAnswer {
    rows: usize,
    columns: usize,
    data: ByteBuf,
}

impl FeaturesFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        if self.columns {
            let widths = GROUPS.map(|group| format!("  \"{}\": {}", group.name, group.width()));
            print::line(format_args!("{{\n{}\n}}", widths.join(",\n")))?;
            return Ok(CommandOutcome::Done);
        }
        ensure!((1.0..=240.0).contains(&self.rate), "--rate is 1 to 240 rows a second");
        let schema = match &self.groups {
            Some(groups) => Schema::parse(schema::NAME, groups)?,
            None => Schema::everything(),
        };
        let kind = RowKind::Features { schema, rate: self.rate };
        let core = Settings::load(&SettingsFlags::default())?.core;
        let mut out = BufWriter::new(print::out());
        let mut answer = |frames: &[Frame]| -> Result<()> {
            let rows = clip::rows(frames, &kind, &core);
            let data = ByteBuf::from(bytemuck::cast_slice::<f32, u8>(&rows).to_vec());
            let columns = kind.width();
            let answer = FeaturesAnswer { rows: rows.len() / columns, columns, data };
            rmp_serde::encode::write_named(&mut out, &answer)?;
            Ok(out.flush()?)
        };
        let mut outcome = CommandOutcome::Done;
        for file in &self.files {
            if file == Path::new("-") {
                let mut input = BufReader::new(std::io::stdin().lock());
                while let Some(frames) = landmarks::clip(&mut input)? {
                    answer(&frames)?;
                }
            } else {
                let clip = clip::read(file, &ImportOverrides::default());
                let (frames, losses) = clip.with_context(|| file.display().to_string())?;
                answer(&frames)?;
                if print::losses(file, &losses) {
                    outcome = CommandOutcome::Partly;
                }
            }
        }
        Ok(outcome)
    }
}
