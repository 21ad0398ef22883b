//! `weir-agent ledger tail|verify|export`: what left this network, from the agent's own record, offline.

use std::collections::VecDeque;
use std::io::Write;

use anyhow::Context;
use clap::Subcommand;

use super::StateDir;
use crate::link::replay::replay;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the chain and decode every entry against the published descriptor.
    Verify {
        #[command(flatten)]
        state: StateDir,
    },
    /// Print the last entries, one line of JSON each.
    Tail {
        #[command(flatten)]
        state: StateDir,
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        lines: u32,
    },
    /// Print every entry, one line of JSON each.
    Export {
        #[command(flatten)]
        state: StateDir,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match command {
        Command::Verify { state } => {
            let summary = replay(&state.state_dir.join("ledger"), drop).context("verify the ledger")?;
            writeln!(out, "{}", serde_json::to_string_pretty(&summary)?)?;
        }
        Command::Tail { state, lines } => {
            let count = usize::try_from(lines)?;
            let mut last = VecDeque::with_capacity(count.min(1024));
            let checked = replay(&state.state_dir.join("ledger"), |line| {
                if last.len() == count {
                    last.pop_front();
                }
                last.push_back(line);
            });
            for line in last {
                writeln!(out, "{}", serde_json::to_string(&line)?)?;
            }
            checked.context("verify the ledger")?;
        }
        Command::Export { state } => {
            let mut written = Ok(());
            let checked = replay(&state.state_dir.join("ledger"), |line| {
                if written.is_ok() {
                    written = serde_json::to_writer(&mut out, &line)
                        .map_err(anyhow::Error::from)
                        .and_then(|()| Ok(writeln!(out)?));
                }
            });
            written?;
            checked.context("verify the ledger")?;
        }
    }
    Ok(())
}
