//! `weir-bench`: what `cargo xtask bench gateway`, `contracts`, `sharing`, `actions` and `autoscaler` run. It starts the gateway, its peers and what stands
//! behind them, puts load on each in turn, and prints figures as JSON.

mod actions;
mod awake;
mod bare;
mod batch;
mod broker;
mod client;
mod enforced;
mod growth;
mod hello;
mod lane;
mod latency;
mod load;
mod measure;
mod memory;
mod pace;
mod parts;
mod promised;
mod quota;
mod registry_stub;
mod run;
mod sample;
mod scaling;
mod shared;
mod throughput;
mod verdicts;

use anyhow::{Context, Result};
use clap::Parser;
use std::net::SocketAddr;

/// Load and procedures of the benchmarks of gateway, contracts and jobs.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Serves as a null broker.
    Broker {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Answers every request with one word.
    Hello {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Copies a topic with librdkafka.
    Bare {
        #[command(flatten)]
        to_do: bare::Bare,
    },
    /// Uses time that nobody else wants, so that no processor sleeps.
    Spin,
    /// Runs benchmarks, one after the other.
    Run {
        #[command(flatten)]
        programs: parts::Programs,
        /// Which; all when none is named.
        #[arg(long = "only", value_enum)]
        only: Vec<Part>,
        /// Pairs of each; the result is the median of their ratios.
        #[arg(long, default_value_t = 5)]
        pairs: usize,
    },
}

/// One benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Records per CPU-second and per second beside the peers.
    #[value(name = "G1")]
    G1,
    /// Added latency.
    #[value(name = "G2")]
    G2,
    /// Precision of quotas.
    #[value(name = "G5")]
    G5,
    /// A noisy neighbour.
    #[value(name = "G6")]
    G6,
    /// Memory for hostile frames.
    #[value(name = "G7")]
    G7,
    /// Memory of idle connections.
    #[value(name = "idle")]
    Idle,
    /// Snapshots replaced under load.
    #[value(name = "swap")]
    Swap,
    /// From one tenant to a thousand.
    #[value(name = "clusters")]
    Clusters,
    /// Verdicts of contracts, without a gateway.
    #[value(name = "verdicts")]
    Verdicts,
    /// Contracts enforced on the wire.
    #[value(name = "G3")]
    G3,
    /// Jobs of actions beside their peers.
    #[value(name = "G8")]
    G8,
    /// How soon generated jobs have the right size.
    #[value(name = "G12")]
    G12,
    /// What a day with bursts costs.
    #[value(name = "G13")]
    G13,
    /// Shared topics beside the same in their owner's cluster.
    #[value(name = "shared")]
    Shared,
}

const ALL: [Part; 14] = [
    Part::G1,
    Part::G2,
    Part::G5,
    Part::G6,
    Part::G7,
    Part::Idle,
    Part::Swap,
    Part::Clusters,
    Part::Verdicts,
    Part::G3,
    Part::G8,
    Part::G12,
    Part::G13,
    Part::Shared,
];

fn main() -> Result<()> {
    match Arguments::parse().verb {
        Verb::Broker { listen } => {
            let runtime = tokio::runtime::Runtime::new().context("start a runtime")?;
            runtime.block_on(broker::serve(listen))
        }
        Verb::Hello { listen } => {
            // As `#[tokio::main]` makes the control plane's.
            let runtime = tokio::runtime::Runtime::new().context("start a runtime")?;
            runtime.block_on(hello::serve(listen))
        }
        Verb::Bare { to_do } => bare::run(&to_do),
        Verb::Spin => {
            awake::spin();
            Ok(())
        }
        Verb::Run {
            programs,
            only,
            pairs,
        } => measure(programs, &only, pairs),
    }
}

fn measure(programs: parts::Programs, only: &[Part], pairs: usize) -> Result<()> {
    let mut run = run::Run::new(programs, pairs);
    let mut results = Vec::new();
    for part in ALL.iter().filter(|it| only.is_empty() || only.contains(it)) {
        run.say(&format!("{part:?}"));
        // Where time is measured and not work.
        let times = matches!(part, Part::G2 | Part::G5 | Part::G6 | Part::Swap);
        let _awake = times.then(awake::Awake::begin).transpose()?;
        let figures = match part {
            Part::G1 => throughput::run(&mut run),
            Part::G2 => latency::run(&mut run),
            Part::G5 => quota::precision(&mut run),
            Part::G6 => quota::neighbour(&mut run),
            Part::G7 => memory::hostile(&mut run),
            Part::Idle => memory::idle(&mut run),
            Part::Swap => growth::swap(&mut run),
            Part::Clusters => growth::clusters(&mut run),
            Part::Verdicts => verdicts::run(&mut run),
            Part::G3 => enforced::run(&mut run),
            Part::G8 => actions::run(&mut run),
            Part::G12 => scaling::convergence(&mut run),
            Part::G13 => scaling::days(&mut run),
            Part::Shared => shared::run(&mut run),
        };
        results.extend(figures.with_context(|| format!("{part:?}"))?);
    }
    run.setting(
        "awake",
        "G2, G5, G6 and swap beside a loop of class SCHED_IDLE on each processor",
    );
    let found = serde_json::json!({"settings": run.settings, "results": results});
    println!("{found}");
    Ok(())
}
