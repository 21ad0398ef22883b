//! The command line: `run | ledger | doctor`. Every flag is an environment variable too.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod ledger;

/// The agent of Weir: runs Kafka and its gateway in your network and reports metadata.
#[derive(Debug, Parser)]
#[command(name = "weir-agent", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the ledger of everything that left this network.
    Ledger {
        #[command(subcommand)]
        command: ledger::Command,
    },
}

/// Where the agent keeps everything.
#[derive(Debug, clap::Args)]
struct StateDir {
    /// Folder of everything that the agent keeps.
    #[arg(long, env = "WEIR_STATE_DIR")]
    state_dir: PathBuf,
}

/// Runs one command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Ledger { command } => ledger::run(command),
    }
}
