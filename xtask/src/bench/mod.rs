//! `cargo xtask bench <name>`: both sides in one run, interleaved A-B-B-A; the unit is work per CPU-second of the system under test.

mod api;
mod capture;
mod gateway;
mod peers;
mod reaction;
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
    /// Data contracts: verdicts beside plain decoding, and enforced by the gateway.
    Contracts,
    /// Shared topics beside the same in their owner's cluster, and how soon a share ends.
    Sharing,
    /// Jobs of actions beside a bare loop, Kafka Streams and Flink SQL.
    Actions,
    /// The autoscaler: in a model beside the rules of others, and from zero and back on real Kafka.
    Autoscaler,
    /// The API beside pgbench with the same SQL.
    Api,
    /// All of them.
    All,
}

impl Bench {
    /// The ones that it stands for, each with a report of its own.
    fn each(self) -> Vec<Self> {
        match self {
            Self::All => {
                vec![
                    Self::Gateway,
                    Self::Contracts,
                    Self::Sharing,
                    Self::Actions,
                    Self::Autoscaler,
                    Self::Api,
                ]
            }
            one => vec![one],
        }
    }
}

/// A part of a benchmark; the API's has none.
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
    /// Verdicts of contracts, without a gateway.
    #[value(name = "verdicts")]
    Verdicts,
    /// Contracts enforced on the wire.
    #[value(name = "G3")]
    G3,
    /// The registry beside a bare server, pgbench and Apicurio Registry.
    #[value(name = "G24")]
    G24,
    /// Jobs of actions, records per CPU-second.
    #[value(name = "G8")]
    G8,
    /// How soon generated jobs have the right size.
    #[value(name = "G12")]
    G12,
    /// What a day with bursts costs.
    #[value(name = "G13")]
    G13,
    /// From zero and back.
    #[value(name = "G14")]
    G14,
    /// Shared topics.
    #[value(name = "shared")]
    Shared,
}

impl Part {
    /// The benchmark that it is a part of.
    const fn bench(self) -> Bench {
        match self {
            Self::Direct
            | Self::G1
            | Self::G2
            | Self::G5
            | Self::G6
            | Self::G7
            | Self::Idle
            | Self::Swap
            | Self::Clusters => Bench::Gateway,
            Self::Verdicts | Self::G3 | Self::G24 => Bench::Contracts,
            Self::G8 => Bench::Actions,
            Self::Shared => Bench::Sharing,
            Self::G12 | Self::G13 | Self::G14 => Bench::Autoscaler,
        }
    }

    /// Whether `weir-bench` runs it.
    const fn on_bench(self) -> bool {
        !self.on_stack() && !matches!(self, Self::G14)
    }

    /// Whether it runs on a whole stack with tenants.
    const fn on_stack(self) -> bool {
        matches!(self, Self::Direct | Self::G24)
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
    /// Only this part of the benchmark (again for more); the result is then `<name>-<part>.json`.
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
    let chosen = chosen(args)?;
    let progress = Progress::new();
    for (bench, parts) in chosen {
        one(ws, args, state, (bench, &parts), &progress).await?;
        stop_all(state).await;
    }
    Ok(())
}

/// Which benchmarks, and which parts of each.
fn chosen(args: &BenchArgs) -> Result<Vec<(Bench, Vec<Part>)>> {
    let benches = args.name.each();
    if let Some(other) = args.only.iter().find(|it| !benches.contains(&it.bench())) {
        let word = args.name.to_possible_value();
        let word = word.as_ref().map_or("", |it| it.get_name());
        bail!("{} is no part of {word}", other.name());
    }
    let chosen = benches.into_iter().map(|bench| {
        let parts = Part::value_variants().iter().copied();
        let wanted = |it: &Part| it.bench() == bench && (args.only.is_empty() || args.only.contains(it));
        (bench, parts.filter(wanted).collect::<Vec<_>>())
    });
    Ok(chosen
        .filter(|(_bench, parts)| args.only.is_empty() || !parts.is_empty())
        .collect())
}

/// The name of a benchmark's file.
fn file_name(bench: Bench, only: &[Part], parts: &[Part]) -> String {
    let name = bench.to_possible_value();
    let name = name.map_or_else(String::new, |it| it.get_name().to_owned());
    if only.is_empty() {
        return name;
    }
    let parts: Vec<String> = parts.iter().map(|it| it.name()).collect();
    format!("{name}-{}", parts.join("+"))
}

/// One benchmark, with a report of its own.
async fn one(
    ws: &Workspace,
    args: &BenchArgs,
    state: &StateDir,
    (bench, parts): (Bench, &[Part]),
    progress: &Progress,
) -> Result<()> {
    progress.chapter("Set-up");
    let mut needs = vec![Need::Java, Need::Maven, Need::Openssl];
    let stack_needed = bench == Bench::Api || parts.iter().any(|it| it.on_stack());
    if stack_needed {
        needs.extend([Need::Node, Need::Postgres, Need::Kcat]);
    }
    if parts.contains(&Part::G24) {
        // Apicurio's Java is a wheel.
        needs.push(Need::Python);
    }
    let tools = ensure(ws, &needs, progress).await?;
    let mut report = Report::begin(ws, file_name(bench, &args.only, parts)).await?;
    if parts.iter().any(|it| it.on_bench()) {
        peers::run(ws, args, (bench, parts), &tools, &mut report, progress).await?;
    }
    if parts.contains(&Part::G14) {
        progress.chapter("From zero and back");
        reaction::run(ws, &tools, &mut report, progress).await?;
    }
    if stack_needed {
        with_stack(ws, args, state, tools, (bench, parts), &mut report, progress).await?;
    }
    report.close(ws)
}

/// What needs tenants, a control plane and an agent.
async fn with_stack(
    ws: &Workspace,
    args: &BenchArgs,
    state: &StateDir,
    tools: Tools,
    (bench, parts): (Bench, &[Part]),
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let kafka_libs = kafka::fetch(ws, progress).await?;
    crate::up::purge(state).await?;
    state.create()?;
    let settings = Settings::open(state, Some(Ports::free_from(args.port_base)?.0))?;
    build::web(ws, &tools, progress).await?;
    let more: &[&str] = if parts.contains(&Part::G24) {
        &["weir-bench"]
    } else {
        &[]
    };
    build::binaries_and(ws, true, more, progress).await?;
    let mut stack = Stack {
        ws: ws.clone(),
        state: state.clone(),
        settings,
        tools,
        kafka_libs,
        flink_libs: None,
        model: None,
        release: true,
    };
    crate::up::start(&mut stack, progress).await?;
    let mut story = Story::begin(&mut stack, progress);
    story::set_up(&mut story).await?;
    if bench == Bench::Api {
        progress.chapter("API");
        api::run(&mut story, args.pairs, report).await?;
    }
    for part in parts.iter().filter(|it| it.on_stack()) {
        progress.chapter(&part.name());
        match part {
            Part::Direct => gateway::run(&mut story, args.pairs, report).await?,
            Part::G24 => registry::run(&mut story, args.pairs, report).await?,
            other => bail!("{} does not run on a stack", other.name()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen_by(name: Bench, only: &[Part]) -> Result<Vec<(Bench, Vec<Part>)>> {
        chosen(&BenchArgs {
            name,
            pairs: 5,
            only: only.to_vec(),
            port_base: 1,
        })
    }

    #[test]
    fn parts_belong_to_their_benchmark() {
        let all = chosen_by(Bench::All, &[]).unwrap();
        let names: Vec<_> = all.iter().map(|it| file_name(it.0, &[], &it.1)).collect();
        assert_eq!(
            names,
            ["gateway", "contracts", "sharing", "actions", "autoscaler", "api"]
        );
        let counted: usize = all.iter().map(|it| it.1.len()).sum();
        assert_eq!(counted, Part::value_variants().len());
        assert_eq!(
            chosen_by(Bench::Contracts, &[Part::G3]).unwrap(),
            [(Bench::Contracts, vec![Part::G3])]
        );
        assert_eq!(file_name(Bench::Gateway, &[Part::G2], &[Part::G2]), "gateway-G2");
        assert!(chosen_by(Bench::Gateway, &[Part::G3]).is_err());
        assert!(chosen_by(Bench::Api, &[Part::G1]).is_err());
        assert_eq!(chosen_by(Bench::All, &[Part::G2]).unwrap().len(), 1);
    }
}
