//! The command line: `weir contract test | diff | import | export`.

use clap::{Parser, Subcommand};

use crate::contract;
use crate::output::Outcome;

/// Weir on a laptop: data contracts tested, compared and converted, by the same code that the gateway runs.
#[derive(Debug, Parser)]
#[command(name = "weir", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What every command's help ends with.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  nothing to complain of
  1  records break the contract (test), or the change breaks somebody (diff)
  2  the command line or a file is wrong; the message names line and column where there is one";

#[derive(Debug, Subcommand)]
enum Command {
    /// Data contracts: test records, compare versions, read and write other standards.
    #[command(after_help = EXIT_CODES)]
    Contract {
        #[command(subcommand)]
        command: contract::Command,
    },
}

/// Runs one command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub fn run(cli: Cli) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Contract { command } => contract::run(command),
    }
}
