//! `cargo xtask test`: checks and the rings of tests, each with its minutes, and a closing line that counts.

mod count;
pub mod database;
mod mutants;
mod rings;

use crate::progress::seconds;
use crate::up::Interrupts;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use count::Count;
use std::time::{Duration, Instant};

/// Flags of `test`.
#[derive(Debug, Clone, clap::Args)]
pub struct TestArgs {
    /// Only this ring; without it: the checks and the rings pure, it, plane and e2e.
    #[arg(long, value_enum)]
    pub ring: Option<Ring>,
    /// Plant the faults of tests/mutants.toml one by one instead, and expect a red test for each.
    #[arg(long)]
    pub mutants: bool,
    /// With --mutants: only those whose id contains this. With --ring slow: only the parts whose name contains it.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// How long the marathon of kills in ring slow runs.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub minutes: u32,
    /// First port of the end-to-end stack, if free; then the next free range.
    #[arg(long, default_value_t = 23640, value_name = "N")]
    pub port_base: u16,
}

/// The rings, from the fastest to the slowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Ring {
    /// Unit tests of all crates and of the console.
    Pure,
    /// The control plane's router in process, a database per test.
    It,
    /// Control plane and real agent together, fakes for Kafka.
    Plane,
    /// Real Kafka, stock clients, a real browser.
    E2e,
    /// What takes long: property tests with many cases, tests that are ignored elsewhere.
    Slow,
}

/// One line of the summary.
struct Row {
    name: String,
    held: bool,
    count: Count,
    took: Duration,
    note: String,
}

/// The run so far.
pub struct Suite {
    rows: Vec<Row>,
    began: Instant,
    ring: Option<(&'static str, Instant)>,
}

impl Suite {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            began: Instant::now(),
            ring: None,
        }
    }

    /// Begins a ring.
    fn enter(&mut self, name: &'static str) {
        self.leave();
        println!("\n== {name}");
        self.ring = Some((name, Instant::now()));
    }

    /// Prints the minutes of the ring that ends.
    fn leave(&mut self) {
        if let Some((name, began)) = self.ring.take() {
            println!("== {name}: {:.1} minutes", began.elapsed().as_secs_f64() / 60.0);
        }
    }

    /// Adds one step. `count` is what its runner counted: `None` for a check, which counts no tests.
    fn add(&mut self, name: &str, held: bool, count: Option<Count>, took: Duration, note: &str) {
        let mut count = count.unwrap_or_default();
        // A runner that fails without a failed test did not get as far as testing.
        if !held && count.failed == 0 {
            count.failed = 1;
        }
        println!(
            "{} {name} [{}] {note}",
            if held { "✓" } else { "✗" },
            seconds(took)
        );
        let ring = self.ring.map_or("", |it| it.0);
        let name = format!("{ring}: {name}");
        self.rows.push(Row {
            name,
            held,
            count,
            took,
            note: note.to_owned(),
        });
    }

    /// Has nothing failed so far?
    fn held(&self) -> bool {
        self.rows.iter().all(|row| row.held)
    }

    /// The table and the closing line.
    fn close(mut self) -> Result<()> {
        self.leave();
        println!("\n{:<44} {:>8} {:>8} {:>14}", "step", "passed", "failed", "time");
        let mut total = Count::default();
        for row in &self.rows {
            total += row.count;
            let mark = if row.held { "✓" } else { "✗" };
            let took = seconds(row.took);
            println!(
                "{mark} {:<42} {:>8} {:>8} {took:>14} {}",
                row.name, row.count.passed, row.count.failed, row.note
            );
        }
        println!("in {}", seconds(self.began.elapsed()));
        println!("{} passed, {} failed", total.passed, total.failed);
        if self.rows.iter().any(|it| !it.held) {
            bail!("the test run is red");
        }
        Ok(())
    }
}

/// Runs what is asked for; on a signal stops everything that it started.
pub async fn run(ws: &Workspace, args: &TestArgs) -> Result<()> {
    let mut interrupted = Interrupts::new()?;
    let ended = tokio::select! {
        ended = go(ws, args) => ended,
        name = interrupted.next() => Err(anyhow::anyhow!("{name}: stopped")),
    };
    database::TestDatabase::sweep(ws).await;
    if let Ok(state) = rings::e2e_state(ws) {
        crate::stack::stop_all(&state).await;
    }
    ended
}

async fn go(ws: &Workspace, args: &TestArgs) -> Result<()> {
    if args.mutants {
        return mutants::run(ws, args.only.as_deref()).await;
    }
    if args.only.is_some() && args.ring != Some(Ring::Slow) {
        bail!("--only goes with --mutants or with --ring slow");
    }
    let mut suite = Suite::new();
    let asked = |ring| args.ring.is_none_or(|it| it == ring);
    let mut bench = rings::Bench::prepare(ws, args).await?;
    if args.ring.is_none() {
        suite.enter("checks");
        bench.checks(&mut suite).await?;
    }
    if asked(Ring::Pure) {
        suite.enter("pure");
        bench.pure(&mut suite).await?;
    }
    if asked(Ring::It) {
        suite.enter("it");
        bench.it(&mut suite).await?;
    }
    if asked(Ring::Plane) {
        suite.enter("plane");
        bench.plane(&mut suite).await?;
    }
    if asked(Ring::E2e) {
        suite.enter("e2e");
        bench.e2e(&mut suite).await?;
    }
    if args.ring == Some(Ring::Slow) {
        suite.enter("slow");
        bench.slow(&mut suite, args).await?;
    }
    suite.close()
}
