//! The `signd` binary: arguments, one call into the library, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = signd::cli::Arguments::parse();
    arguments.execute().into()
}
