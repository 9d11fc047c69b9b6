//! The command `vi-lab`.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use vi_lab::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().execute(&mut std::io::stdout().lock()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nowhere is left to complain to if this fails.
            let _ = writeln!(std::io::stderr(), "vi-lab: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
