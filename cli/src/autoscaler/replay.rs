//! `weir autoscaler replay`: what another policy would have decided of a job that ran.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use weir_autoscaler::recording::Recording;
use weir_autoscaler::replay::{Replayed, replay};
use weir_autoscaler::{Graph, Limits, Outcome as Decided, Parallelism, Policy};

use super::read;
use crate::output::{Outcome, Output, Printer};

pub const LONG: &str = "\
A recording is what the agent keeps beside a job while it scales it: jobs/<job>/recording.jsonl in its state folder, and
recording.jsonl.1 from before; it stays in your network, and has counts of records and no record. A policy is a JSON object;
what it leaves out is as it was then. What is printed are the changes that would have been decided, and their sum beside
what happened. Records that came and the backlog are taken as they were: how the day would have gone tells `simulate`. Room
in the compute pool is not reckoned with.";

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// What an agent recorded, as JSON lines.
    #[arg(long, value_name = "FILE")]
    recording: PathBuf,
    /// What is to be different from the policy then, as a JSON object.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How results are written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// How often tasks changed, and how many slots they took for how long.
#[derive(Default)]
struct Sum {
    changes: u32,
    slot_ms: u64,
}

pub fn run(args: &ReplayArgs) -> anyhow::Result<Outcome> {
    let path = args.recording.display();
    let recordings = Recording::from_lines(&read(&args.recording)?).with_context(|| format!("{path}"))?;
    let changes = match &args.policy {
        Some(path) => serde_json::from_str(&read(path)?).with_context(|| format!("{}", path.display()))?,
        None => serde_json::Map::new(),
    };
    let mut printer = Printer::new();
    for it in &recordings {
        let policy = changed(&it.policy, &changes)?;
        let replayed = replay(&it.graph, &it.samples, &policy, &Limits::default());
        print(&mut printer, args.output, &it.graph, &replayed)?;
    }
    printer.flush()?;
    Ok(Outcome::Fine)
}

fn changed(then: &Policy, changes: &serde_json::Map<String, serde_json::Value>) -> anyhow::Result<Policy> {
    let mut policy = serde_json::to_value(then)?;
    if let Some(fields) = policy.as_object_mut() {
        fields.extend(changes.clone());
    }
    let policy: Policy = serde_json::from_value(policy).context("the policy")?;
    if let Some(fault) = policy.faults().first() {
        bail!("the policy: {fault}");
    }
    Ok(policy)
}

fn print(printer: &mut Printer, output: Output, graph: &Graph, replayed: &[Replayed]) -> anyhow::Result<()> {
    let began = replayed.first().map_or(0, |it| it.decision.at_ms);
    let (mut recorded, mut decided) = (Sum::default(), Sum::default());
    let mut has = graph.parallelism();
    for (at, it) in replayed.iter().enumerate() {
        let next = replayed.get(at + 1);
        let span_ms = next.map_or(0, |next| next.decision.at_ms.saturating_sub(it.decision.at_ms));
        recorded.slot_ms += graph.slots(&it.recorded) * span_ms;
        recorded.changes += u32::from(next.is_some_and(|next| next.recorded != it.recorded));
        if let Decided::Scale { parallelism } = &it.decision.outcome {
            decided.changes += 1;
            let line = match output {
                Output::Text => format!(
                    "{}  {} -> {}  (recorded {})  {}",
                    clock(it.decision.at_ms.saturating_sub(began)),
                    tasks(&has),
                    tasks(parallelism),
                    tasks(&it.recorded),
                    it.decision.sentence
                ),
                Output::Json => serde_json::to_string(&it)?,
            };
            printer.line(&line)?;
            has.clone_from(parallelism);
        }
        decided.slot_ms += graph.slots(&has) * span_ms;
    }
    let hours = |sum: &Sum| sum.slot_ms as f64 / 3_600_000.0;
    let line = match output {
        Output::Text => format!(
            "{} samples: recorded {} changes and {:.2} slot-hours, with this policy {} and {:.2}",
            replayed.len(),
            recorded.changes,
            hours(&recorded),
            decided.changes,
            hours(&decided)
        ),
        Output::Json => serde_json::json!({
            "samples": replayed.len(),
            "recorded": {"changes": recorded.changes, "slot_hours": hours(&recorded)},
            "replayed": {"changes": decided.changes, "slot_hours": hours(&decided)},
        })
        .to_string(),
    };
    Ok(printer.line(&line)?)
}

/// Tasks of each vertex: `3`, or `3+1` of two.
fn tasks(parallelism: &Parallelism) -> String {
    let all: Vec<String> = parallelism.values().map(ToString::to_string).collect();
    all.join("+")
}

/// Since the recording's first sample.
fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
