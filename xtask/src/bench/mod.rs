//! `cargo xtask bench <name>`: both sides in one run, interleaved A-B-B-A; the unit is work per CPU-second of the system under test.

mod api;
mod capture;
mod gateway;
mod peers;
mod registry;
mod report;
mod script;

use crate::progress::Progress;
use crate::setup::{Need, Tools, build, ensure, kafka};
use crate::stack::{Stack, stop_all};
use crate::state::{Ports, Settings, StateDir};
use crate::story::{self, Story};
use crate::up::Interrupts;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use clap::ValueEnum as _;
use report::Report;
use std::time::Instant;

/// Clock ticks a second in `/proc`: fixed at 100 on every Linux that people run.
const TICKS_PER_SECOND: f64 = 100.0;

/// Which benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Bench {
    /// The gateway beside its peers, beside the same broker without it, and against its bars.
    Gateway,
    /// The API beside pgbench with the same SQL.
    Api,
    /// Contracts and their registry.
    Contracts,
    /// All of them.
    All,
}

/// A part of the gateway's benchmark, or of the contracts'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Kafka's own tools through the gateway and direct, on a whole stack.
    #[value(name = "G1.direct")]
    Direct,
    /// Records beside Kroxylicious, Shotover and `HAProxy`.
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
    /// The registry beside a bare server, pgbench and Apicurio Registry.
    #[value(name = "G24")]
    G24,
}

impl Part {
    /// Is it one of this benchmark's?
    fn is_of(self, bench: Bench) -> bool {
        match bench {
            Bench::Gateway => self != Self::G24,
            Bench::Contracts => self == Self::G24,
            Bench::Api => false,
            Bench::All => true,
        }
    }

    /// As the command line names it.
    fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self).map_or_else(String::new, |it| it.get_name().to_owned())
    }
}

/// Flags of `bench`.
#[derive(Debug, Clone, clap::Args)]
pub struct BenchArgs {
    /// Which one.
    #[arg(value_enum)]
    pub name: Bench,
    /// Pairs; the result is the median of their ratios.
    #[arg(long, default_value_t = 5)]
    pub pairs: usize,
    /// Only this part of `gateway` or `contracts` (again for more); the result is then `<name>-<part>.json`.
    #[arg(long, value_enum, value_name = "PART")]
    pub only: Vec<Part>,
    /// First port, if free; then the next free range.
    #[arg(long, default_value_t = 24640, value_name = "N")]
    pub port_base: u16,
}

/// Builds optimised binaries, starts a throw-away stack with the story's tenants, measures, stops it.
pub async fn run(ws: &Workspace, args: &BenchArgs) -> Result<()> {
    if args.pairs < 5 {
        bail!("at least 5 pairs: fewer say too little");
    }
    let state = StateDir {
        root: ws.scratch("bench")?.join("state"),
    };
    let mut interrupted = Interrupts::new()?;
    let ended = tokio::select! {
        ended = go(ws, args, &state) => ended,
        name = interrupted.next() => Err(anyhow::anyhow!("{name}: stopped")),
    };
    stop_all(&state).await;
    if ended.is_ok() {
        crate::up::purge(&state).await?;
    }
    ended
}

async fn go(ws: &Workspace, args: &BenchArgs, state: &StateDir) -> Result<()> {
    let progress = Progress::new();
    progress.chapter("Set-up");
    let mut needs = vec![Need::Java, Need::Maven];
    let api = matches!(args.name, Bench::Api | Bench::All);
    let stack_needed = api || wanted(args, Part::Direct) || wanted(args, Part::G24);
    if stack_needed {
        needs.extend([Need::Node, Need::Postgres, Need::Kcat]);
    }
    if wanted(args, Part::G24) {
        // Apicurio's Java is a wheel.
        needs.push(Need::Python);
    }
    let tools = ensure(ws, &needs, &progress).await?;
    let kafka_libs = kafka::fetch(ws, &progress).await?;
    let bench = match args.name {
        Bench::Contracts => "contracts",
        _ => "gateway",
    };
    let name = match args.only.as_slice() {
        [] => bench.to_owned(),
        some => format!(
            "{bench}-{}",
            some.iter().map(|it| it.name()).collect::<Vec<_>>().join("+")
        ),
    };
    let mut report = Report::begin(ws, name).await?;
    let parts: Vec<Part> = Part::value_variants()
        .iter()
        .copied()
        .filter(|it| wanted(args, *it) && !matches!(it, Part::Direct | Part::G24))
        .collect();
    if !parts.is_empty() {
        peers::run(ws, args, &parts, &tools, &kafka_libs, &mut report, &progress).await?;
    }
    if stack_needed {
        with_stack(ws, args, state, (tools, kafka_libs), &mut report, &progress).await?;
    }
    if args.name == Bench::Api {
        Ok(())
    } else {
        report.close(ws)
    }
}

fn wanted(args: &BenchArgs, part: Part) -> bool {
    part.is_of(args.name) && (args.only.is_empty() || args.only.contains(&part))
}

/// What needs tenants, a control plane and an agent.
async fn with_stack(
    ws: &Workspace,
    args: &BenchArgs,
    state: &StateDir,
    (tools, kafka_libs): (Tools, std::path::PathBuf),
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    crate::up::purge(state).await?;
    state.create()?;
    let settings = Settings::open(state, Some(Ports::free_from(args.port_base)?.0))?;
    build::web(ws, &tools, progress).await?;
    let registry = wanted(args, Part::G24);
    let more: &[&str] = if registry { &["weir-bench"] } else { &[] };
    build::binaries_and(ws, true, more, progress).await?;
    let mut stack = Stack {
        ws: ws.clone(),
        state: state.clone(),
        settings,
        tools,
        kafka_libs,
        release: true,
    };
    crate::up::start(&mut stack, progress).await?;
    let mut story = Story::begin(&mut stack, progress);
    story::set_up(&mut story).await?;
    if wanted(args, Part::Direct) {
        progress.chapter("Gateway");
        gateway::run(&mut story, args.pairs, report).await?;
    }
    if registry {
        progress.chapter("Registry");
        registry::run(&mut story, args.pairs, report).await?;
    }
    if matches!(args.name, Bench::Api | Bench::All) {
        progress.chapter("API");
        api::run(&mut story, args.pairs).await?;
    }
    Ok(())
}

/// CPU that a set of processes used since it was made.
struct Meter {
    pids: Vec<i32>,
    ticks: u64,
    began: Instant,
}

impl Meter {
    fn start(pids: Vec<i32>) -> Self {
        let ticks = ticks(&pids);
        Self {
            pids,
            ticks,
            began: Instant::now(),
        }
    }

    /// CPU-seconds and seconds.
    fn stop(self) -> (f64, f64) {
        let used = ticks(&self.pids).saturating_sub(self.ticks);
        (used as f64 / TICKS_PER_SECOND, self.began.elapsed().as_secs_f64())
    }
}

fn ticks(pids: &[i32]) -> u64 {
    pids.iter()
        .filter_map(|pid| crate::process::Stat::read(*pid))
        .map(|it| it.ticks)
        .sum()
}
