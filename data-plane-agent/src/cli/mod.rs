//! The command line: `run | gateway | processor | ledger | doctor`. Every flag is an environment variable too.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

mod doctor;
mod ledger;
mod run;

use crate::gateway::{self, GatewayArgs};
use crate::processor;

/// The agent of Weir: runs Kafka and its gateway in your network and reports metadata.
#[derive(Debug, Parser)]
#[command(name = "weir-agent", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent.
    Run(run::RunArgs),
    /// Check what an installation needs, and print a report.
    Doctor(run::RunArgs),
    /// Serve Kafka clients: the front door of this network's broker pools.
    Gateway(GatewayArgs),
    /// Run one worker of a job: what to do comes by standard input. Started by the agent.
    Processor,
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
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    match cli.command {
        Command::Run(args) => runtime()?.block_on(run::run(args)),
        Command::Doctor(args) => runtime()?.block_on(doctor::run(args)),
        Command::Gateway(args) => runtime()?.block_on(gateway::run(args)),
        Command::Processor => processor::run(),
        Command::Ledger { command } => ledger::run(command),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
