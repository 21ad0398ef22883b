//! `weir`: reads the command line and hands over.

mod autoscaler;
mod command;
mod contract;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match command::run(command::Cli::parse()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("weir: {error:#}");
            ExitCode::from(output::WRONG)
        }
    }
}
