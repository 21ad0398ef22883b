//! Jobs of actions from zero and back, by the agent's own test on real Kafka, which writes down how long it took.

use super::peers;
use super::report::{Figure, Report, median};
use crate::progress::Progress;
use crate::run::logged;
use crate::setup::{Tools, kafka};
use crate::workspace::{Workspace, cargo, read};
use anyhow::{Context, Result};
use serde::Deserialize;

const TEST: &str = "real_reaction::from_zero_and_back";

/// What the test found, in milliseconds, CPU-seconds a minute and bytes.
#[derive(Debug, Deserialize)]
struct Found {
    jobs: u32,
    idle_after_ms: u32,
    warm_ms: Vec<f64>,
    woken_ms: Vec<f64>,
    asleep_ms: Vec<f64>,
    nobody: [f64; 3],
    many: [f64; 3],
}

/// The benchmark.
pub async fn run(ws: &Workspace, tools: &Tools, report: &mut Report, progress: &Progress) -> Result<()> {
    peers::built(ws, progress).await?;
    let libs = kafka::fetch(ws, progress).await?;
    let step = progress.step("a job falls asleep and wakes");
    let folder = ws.scratch("bench")?;
    let figures = folder.join("reaction.json");
    let mut test = cargo(ws);
    test.args(["test", "--locked", "-p", "weir-agent", "--test", "it", "--"])
        .args(["--ignored", "--exact", TEST])
        .env("WEIR_KAFKA_LIBS", libs)
        .env("WEIR_BENCH_AGENT", ws.binary("weir-agent", true))
        .env("WEIR_BENCH_FIGURES", &figures);
    if let Some(java) = tools.java.parent() {
        let path = std::env::var("PATH").unwrap_or_default();
        test.env("PATH", format!("{}:{path}", java.display()));
    }
    let log = folder.join("reaction.log");
    logged(test, &log, "the agent's test on real Kafka", "read the log").await?;
    let found: Found = serde_json::from_str(&read(&figures)?).context("read the test's figures")?;
    report.setting("G14.jobs", found.jobs.to_string());
    report.setting("G14.idle_after_ms", found.idle_after_ms.to_string());
    report.results.extend(found.figures());
    step.done(format!(
        "{:.0} ms until the first record",
        median(&found.woken_ms)
    ));
    Ok(())
}

impl Found {
    fn figures(&self) -> Vec<Figure> {
        let jobs = f64::from(self.jobs);
        let more = |at: usize| (self.many[at] - self.nobody[at]) / jobs;
        let woken = sorted(&self.woken_ms);
        let times = |id, what, values: &[f64]| figure(id, what, "ms", values);
        let mut p99 = times(
            "G14",
            "from a record in the source of a sleeping job until its own came out, p99",
            &woken,
        );
        p99.value = percentile(&woken, 0.99);
        (p99.ship, p99.goal) = (Some(3_000.0), Some(1_000.0));
        vec![
            p99,
            times("G14.median", "the same, median", &woken),
            times("G14.warm", "the same of a job that runs", &self.warm_ms),
            times(
                "G14.asleep",
                "from the last record out until the job sleeps, beyond its idle time",
                &self.asleep_ms,
            ),
            figure(
                "G14.idle.agent",
                "the agent's CPU for a sleeping job",
                "ms a minute",
                &[more(0) * 1e3],
            ),
            figure(
                "G14.idle.all",
                "the same with gateway and broker",
                "ms a minute",
                &[more(1) * 1e3],
            ),
            figure(
                "G14.idle.memory",
                "the agent's memory for a sleeping job",
                "bytes",
                &[more(2)],
            ),
            figure(
                "G14.nobody.agent",
                "the agent's CPU without jobs",
                "ms a minute",
                &[self.nobody[0] * 1e3],
            ),
            figure(
                "G14.nobody.memory",
                "the agent's memory without jobs",
                "bytes",
                &[self.nobody[2]],
            ),
        ]
    }
}

fn figure(id: &str, what: &str, unit: &str, values: &[f64]) -> Figure {
    let sorted = sorted(values);
    Figure {
        id: id.to_owned(),
        what: what.to_owned(),
        value: median(values),
        unit: unit.to_owned(),
        peer: String::new(),
        peer_version: String::new(),
        pairs: values.len(),
        min: sorted.first().copied().unwrap_or(f64::NAN),
        max: sorted.last().copied().unwrap_or(f64::NAN),
        ship: None,
        goal: None,
        sides: [Some(median(values)), None],
        less_is_better: true,
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value that this share of them does not exceed; of few the largest.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_their_largest_as_percentile() {
        let few = sorted(&[3.0, 1.0, 2.0]);
        assert_eq!((percentile(&few, 0.99), percentile(&few, 0.5)), (3.0, 2.0));
        assert!(percentile(&[], 0.99).is_nan());
        let found = Found {
            jobs: 100,
            idle_after_ms: 2_000,
            warm_ms: vec![200.0],
            woken_ms: vec![900.0, 4_000.0],
            asleep_ms: vec![],
            nobody: [1.0, 2.0, 1_000.0],
            many: [2.0, 5.0, 3_000.0],
        };
        let figures = found.figures();
        assert_eq!(figures[0].ships(), Some(false));
        let by = |id: &str| figures.iter().find(|it| it.id == id).map(|it| it.value);
        assert_eq!(
            (by("G14.idle.agent"), by("G14.idle.all")),
            (Some(10.0), Some(30.0))
        );
        assert_eq!(by("G14.idle.memory"), Some(20.0));
    }
}
