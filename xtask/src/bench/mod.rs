//! `cargo xtask bench <name>`: both sides in one run, interleaved A-B-B-A; the unit is work per CPU-second of the system under test.

mod api;
mod capture;
mod gateway;
mod peers;
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
    /// All of them.
    All,
}

/// A part of the gateway's benchmark.
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
}

impl Part {
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
    /// Only this part of `gateway` (again for more); the result is then `gateway-<part>.json`.
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
    let mut needs = vec![Need::Java, Need::Maven, Need::Openssl];
    let stack_needed = args.name != Bench::Gateway || wanted(args, Part::Direct);
    if stack_needed {
        needs.extend([Need::Node, Need::Postgres, Need::Kcat]);
    }
    let tools = ensure(ws, &needs, &progress).await?;
    let kafka_libs = kafka::fetch(ws, &progress).await?;
    let name = match args.only.as_slice() {
        [] => "gateway".to_owned(),
        some => format!(
            "gateway-{}",
            some.iter().map(|it| it.name()).collect::<Vec<_>>().join("+")
        ),
    };
    let mut report = Report::begin(ws, name).await?;
    let parts: Vec<Part> = Part::value_variants()
        .iter()
        .copied()
        .filter(|it| wanted(args, *it))
        .collect();
    if args.name != Bench::Api && parts.iter().any(|it| *it != Part::Direct) {
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
    args.only.is_empty() || args.only.contains(&part)
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
    build::binaries(ws, true, progress).await?;
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
    if args.name != Bench::Api && wanted(args, Part::Direct) {
        progress.chapter("Gateway");
        gateway::run(&mut story, args.pairs, report).await?;
    }
    if args.name != Bench::Gateway {
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
