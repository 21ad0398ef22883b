//! `weir contract`: documents read from files, and what the shared crate says of them.

mod diff;
mod file;
mod lines;
mod test;

use clap::Subcommand;

use crate::command::EXIT_CODES;
use crate::output::Outcome;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge records by a contract, as the gateway would.
    #[command(after_help = EXIT_CODES, after_long_help = test::LONG)]
    Test(test::TestArgs),
    /// Say what changed between two contracts, and whom it breaks.
    #[command(after_help = EXIT_CODES, after_long_help = diff::LONG)]
    Diff(diff::DiffArgs),
}

/// Runs one command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Test(args) => test::run(&args),
        Command::Diff(args) => diff::run(&args),
    }
}
