//! `signd keygen`: a new key pair.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{CommandOutcome, print};
use signd::keys::secret::KeyPair;

/// Flags of `signd keygen`.
#[derive(Debug, Args)]
pub struct KeygenFlags {
    /// Where to write the secret key, readable by you alone; the file must not exist yet.
    file: PathBuf,
}

impl KeygenFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let pair = KeyPair::generate()?;
        pair.write(&self.file)?;
        print::line(pair.public)?;
        Ok(CommandOutcome::Done)
    }
}
