//! The `signd` binary: arguments, one command, exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::CliArguments::parse();
    arguments.execute().into()
}
