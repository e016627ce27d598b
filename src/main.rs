//! The `signd` binary: arguments, one command, exit code.

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::CliArguments::parse();
    arguments.execute().into()
}
