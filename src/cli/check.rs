//! `signd check` and `signd model`: what would run, without running it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{CommandOutcome, Common, inference, model, print};
use signd::config::{Settings, SettingsFlags};
use signd_core::features::grid::RowKind;

/// What a model file says of itself.
#[derive(Debug, Args)]
pub struct ModelFile {
    /// The model.
    file: PathBuf,
}

/// Checks configuration and model, and that this machine has the endpoints.
pub fn check(common: &Common) -> Result<CommandOutcome> {
    let settings = common.settings(SettingsFlags::default())?;
    settings.key_policy()?;
    inference(&settings)?;
    for (_, endpoint) in settings.bound() {
        match endpoint.look() {
            // By the very daemon, most likely, whose next configuration this is.
            Err(error) if error.taken => {}
            looked => looked?,
        }
    }
    print::line("configuration and model are usable")?;
    Ok(CommandOutcome::Done)
}

impl ModelFile {
    pub fn execute(self) -> Result<CommandOutcome> {
        let settings =
            Settings::load(&SettingsFlags { model: Some(self.file), ..SettingsFlags::default() })?;
        let model = model(&settings)?;
        let card = model.card();
        let mut out = print::out();
        writeln!(out, "name        {}", card.identity.name)?;
        writeln!(out, "sha256      {}", card.identity.sha256)?;
        for (title, text) in [("author", &card.author), ("license", &card.license)] {
            writeln!(out, "{title:<12}{}", text.as_deref().unwrap_or("not stated"))?;
        }
        let contract = card.contract;
        match &card.kind {
            RowKind::Features { schema, rate } => {
                let columns = schema.width();
                writeln!(out, "contract    {contract}, {columns} columns at {rate} rows a second")?;
                writeln!(out, "groups      {}", schema.names())?;
            }
            RowKind::Landmarks => writeln!(out, "contract    {contract}, 543 x 3 a frame")?,
        }
        let numbers = |size: Option<usize>| size.map_or("none".into(), |n| format!("{n} numbers"));
        writeln!(out, "state       {}", numbers(model.state_size()))?;
        writeln!(out, "embedding   {}", numbers(model.embedding_size()))?;
        writeln!(out, "window      {} rows", card.window)?;
        writeln!(out, "temperature {}", card.temperature)?;
        let threshold = card.threshold.map_or("none".into(), |p| p.to_string());
        writeln!(out, "threshold   {threshold}")?;
        writeln!(
            out,
            "tagger      {}",
            if card.tagger.is_some() { "yes" } else { "none: by rules" }
        )?;
        let no_sign = card.labels.no_sign.map_or("none", |i| card.labels.names[i].as_str());
        writeln!(out, "no sign     {no_sign}")?;
        writeln!(out, "labels      {}: {}", card.labels.names.len(), card.labels.names.join(" "))?;
        Ok(CommandOutcome::Done)
    }
}
