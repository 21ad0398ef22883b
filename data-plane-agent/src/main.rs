//! `weir-agent`: reads the command line and hands over.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match weir_agent::cli::run(weir_agent::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weir-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
