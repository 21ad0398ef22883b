//! `weir-agent`: reads the command line and hands over.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    weir_agent::cli::run(weir_agent::cli::Cli::parse())
}
