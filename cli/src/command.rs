//! The command line: `weir contract test | diff | import | export`, `weir autoscaler simulate`.

use clap::{Parser, Subcommand};

use crate::autoscaler;
use crate::contract;
use crate::output::Outcome;

/// Weir on a laptop: data contracts tested, compared and converted, and scaling tried out, by the same code that runs in the data plane.
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
    /// How many workers a job would have had: policies of scaling against recorded or made-up load.
    #[command(after_help = EXIT_CODES)]
    Autoscaler {
        #[command(subcommand)]
        command: autoscaler::Command,
    },
}

/// Runs one command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub fn run(cli: Cli) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Contract { command } => contract::run(command),
        Command::Autoscaler { command } => autoscaler::run(&command),
    }
}
