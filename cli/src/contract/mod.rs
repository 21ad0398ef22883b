//! `weir contract`: documents read from files, and what the shared crate says of them.

mod convert;
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
    /// Write a document of another standard as a contract of Weir.
    #[command(after_help = EXIT_CODES, after_long_help = convert::IMPORT_LONG)]
    Import(convert::ImportArgs),
    /// Write a contract in the words of another standard.
    #[command(after_help = EXIT_CODES, after_long_help = convert::EXPORT_LONG)]
    Export(convert::ExportArgs),
}

/// Runs one command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Test(args) => test::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Import(args) => convert::import(&args),
        Command::Export(args) => convert::export(&args),
    }
}
