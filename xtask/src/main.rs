//! `cargo xtask`: set-up, the whole test run, golden files and benchmarks of the repository.

mod bench;
mod bless;
mod clock;
mod fuzz;
mod model;
mod postgres;
mod process;
mod progress;
mod run;
mod schema;
mod setup;
mod stack;
mod state;
mod story;
mod testing;
mod trouble;
mod up;
mod workspace;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The repository's commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Set up this machine, start everything, run the story, stay up until Ctrl-C.
    Up(up::UpArgs),
    /// Stop what `up` started.
    Down {
        /// Remove all state as well.
        #[arg(long)]
        purge: bool,
        /// The state folder.
        #[arg(long, default_value = ".weir", value_name = "DIR")]
        state_dir: PathBuf,
    },
    /// Checks and tests: exactly what CI runs.
    Test(testing::TestArgs),
    /// Measure, and write target/bench/<name>.json.
    Bench(bench::BenchArgs),
    /// Feed the gateway's decoders with what no client would send.
    Fuzz(fuzz::FuzzArgs),
    /// Write every generated file anew.
    Bless,
    /// Show what runs.
    Status {
        /// The state folder.
        #[arg(long, default_value = ".weir", value_name = "DIR")]
        state_dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            trouble::print(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let ws = workspace::Workspace::find()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("start the runtime")?;
    let ended = runtime.block_on(act(&ws, arguments.command));
    runtime.shutdown_background();
    ended
}

async fn act(ws: &workspace::Workspace, action: Action) -> Result<()> {
    match action {
        Action::Up(args) => up::up(ws, &args).await,
        Action::Bench(args) => bench::run(ws, &args).await,
        Action::Fuzz(args) => fuzz::run(ws, &args).await,
        Action::Bless => bless::run(ws).await,
        Action::Test(args) => testing::run(ws, &args).await,
        Action::Down { purge, state_dir } => up::down(ws, &state_dir, purge).await,
        Action::Status { state_dir } => up::status(ws, &state_dir),
    }
}
