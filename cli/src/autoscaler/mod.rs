//! `weir autoscaler`: policies of scaling tried against a model of a job, and against what a job did.

mod replay;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use weir_autoscaler::simulator::{Job, Row, Service, Settings, Trace, compare, suite, table};
use weir_autoscaler::{Graph, Policy, Vertex};

use crate::command::EXIT_CODES;
use crate::output::{Outcome, Output, Printer};

/// Files are no larger.
const FILE_BYTES_MAX: u64 = 256 << 20;

const LONG: &str = "\
The job is one source whose tasks each do --rate-per-task records per second. A trace is JSON lines, in order of time:
  {\"at_ms\": 60000, \"records_per_second\": 1500}
Without one the nine traces of the suite are run, on jobs of their own. A policy is a JSON object; what it leaves out is
as usual (docs/autoscaling.md). Everything else in the table is others' published rules on the same load.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a load against a model of a job, and print how policies did.
    #[command(after_help = EXIT_CODES, after_long_help = LONG)]
    Simulate(SimulateArgs),
    /// Tell what another policy would have decided of a job that ran.
    #[command(after_help = EXIT_CODES, after_long_help = replay::LONG)]
    Replay(replay::ReplayArgs),
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Records per second over time, as JSON lines.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The policy, as a JSON object.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Records per second that one task does.
    #[arg(long, value_name = "RECORDS", default_value_t = 1000.0)]
    rate_per_task: f64,
    /// Partitions of the source.
    #[arg(long, value_name = "COUNT", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    partitions: u32,
    /// How long a change stops the job.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    restart_seconds: u64,
    /// How results are written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Runs one command.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Simulate(args) => simulate(args),
        Command::Replay(args) => replay::run(args),
    }
}

fn simulate(args: &SimulateArgs) -> anyhow::Result<Outcome> {
    let policy = match &args.policy {
        Some(path) => policy(path)?,
        None => Policy::default(),
    };
    let settings = Settings::default();
    let rows = match &args.trace {
        Some(path) => compare(&trace(args, path)?, &policy, &settings),
        None => suite(&policy, &settings)?,
    };
    let mut printer = Printer::new();
    match args.output {
        Output::Text => printer.text(&table(&rows))?,
        Output::Json => {
            for row in &rows {
                printer.line(&line(row))?;
            }
        }
    }
    printer.flush()?;
    Ok(Outcome::Fine)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let length = std::fs::metadata(path).with_context(|| format!("{name}"))?.len();
    if length > FILE_BYTES_MAX {
        bail!("{name}: a file has {} MiB at most", FILE_BYTES_MAX >> 20);
    }
    std::fs::read_to_string(path).with_context(|| format!("{name}"))
}

fn policy(path: &Path) -> anyhow::Result<Policy> {
    let policy: Policy = serde_json::from_str(&read(path)?).with_context(|| format!("{}", path.display()))?;
    if let Some(fault) = policy.faults().first() {
        bail!("{}: {fault}", path.display());
    }
    Ok(policy)
}

fn trace(args: &SimulateArgs, path: &Path) -> anyhow::Result<Trace> {
    if !(args.rate_per_task.is_finite() && args.rate_per_task > 0.0) {
        bail!("--rate-per-task is a number above 0");
    }
    let graph = Graph {
        vertices: vec![Vertex::source("workers", 1, args.partitions)],
        edges: Vec::new(),
    };
    let service = Service {
        rate_per_task: args.rate_per_task,
        ..Service::default()
    };
    let mut job = Job::new(graph, vec![service], 7)?;
    job.restart_ms = args.restart_seconds.min(86_400) * 1000;
    Trace::from_lines(job, &read(path)?).with_context(|| format!("{}", path.display()))
}

fn line(row: &Row) -> String {
    let score = &row.score;
    serde_json::json!({
        "trace": row.trace, "policy": row.policy, "late_minutes": score.late_minutes(), "slot_hours": score.slot_hours(),
        "rescales": score.rescales, "flaps": score.flaps, "thinned_while_behind": score.thinned_while_behind,
        "final_backlog": score.final_backlog, "slots_most": score.slots_most,
    })
    .to_string()
}
