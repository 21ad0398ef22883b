//! Runs `weir-bench`: the gateway or a job's worker, peers and what stands behind them, without a control plane.

use super::report::{Figure, Report};
use super::{Bench, BenchArgs, Part};
use crate::progress::Progress;
use crate::run::{Group, logged};
use crate::setup::{Need, Tools, ensure, kafka, needs, peers};
use crate::state::is_free;
use crate::trouble::Trouble;
use crate::workspace::{Workspace, cargo, make_dir};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::Stdio;
use tokio::process::Command;

/// Ports that it listens on, from its base on.
const PORTS: u16 = 60;

/// What it prints.
#[derive(Debug, Deserialize)]
struct Found {
    settings: BTreeMap<String, String>,
    results: Vec<Figure>,
}

/// Makes sure of the peers that the wanted parts need, builds, measures.
pub async fn run(
    ws: &Workspace,
    args: &BenchArgs,
    (bench, parts): (Bench, &[Part]),
    tools: &Tools,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    // Contracts have no bar beside HAProxy, and stand before no real broker.
    let haproxy = bench == Bench::Gateway;
    let streams = parts.contains(&Part::G8);
    let kroxylicious = parts.contains(&Part::G1) || parts.contains(&Part::G3);
    let shotover = parts.contains(&Part::G1);
    let missing = [
        (haproxy, Need::Haproxy),
        (kroxylicious || streams, Need::Jdk),
        (shotover, Need::Cmake),
    ];
    let missing: Vec<Need> = missing.iter().filter(|it| it.0).map(|it| it.1).collect();
    ensure(ws, &missing, progress).await?;
    let work = ws.scratch("bench")?.join("gateway");
    make_dir(&work)?;
    let mut command = Command::new(built(ws, progress).await?);
    command
        .args([
            "run",
            "--pairs",
            &args.pairs.to_string(),
            "--port-base",
            &free(args.port_base)?.to_string(),
        ])
        .arg("--agent")
        .arg(ws.binary("weir-agent", true))
        .arg("--java")
        .arg(&tools.java)
        .arg("--work")
        .arg(&work);
    name_peers(&mut command, ws, (bench, parts), progress).await?;
    for part in parts.iter().filter(|it| it.on_bench()) {
        command.args(["--only", &part.name()]);
    }
    progress.chapter("Ours and peers");
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("start weir-bench")?;
    let group = Group::of(&child);
    let output = child.wait_with_output().await.context("wait for weir-bench")?;
    group.ended();
    if !output.status.success() {
        return Err(Trouble::new(format!("weir-bench ended with {}", output.status))
            .log(work.join("logs"))
            .remedy("what it says stands above; logs of what it started are in that folder")
            .into());
    }
    let found: Found = serde_json::from_slice(&output.stdout).context("read weir-bench's figures")?;
    report.settings.extend(found.settings);
    report.results.extend(found.results);
    Ok(())
}

/// Fetches or builds the peers that the wanted parts need, and tells `weir-bench` where they lie.
async fn name_peers(
    command: &mut Command,
    ws: &Workspace,
    (bench, parts): (Bench, &[Part]),
    progress: &Progress,
) -> Result<()> {
    let haproxy = bench == Bench::Gateway;
    let streams = parts.contains(&Part::G8);
    if haproxy {
        command
            .arg("--haproxy")
            .arg(needs::haproxy().context("find haproxy")?);
    }
    if haproxy || streams || bench == Bench::Sharing {
        command.arg("--kafka-libs").arg(kafka::fetch(ws, progress).await?);
    }
    if streams {
        let flink_libs = kafka::flink(ws, progress).await?;
        command
            .arg("--streams")
            .arg(peers::streams(ws, progress).await?)
            .arg("--flink")
            .arg(peers::flink_sql(ws, &flink_libs, progress).await?)
            .arg("--flink-libs")
            .arg(flink_libs);
    }
    if parts.contains(&Part::G1) || parts.contains(&Part::G3) {
        command
            .arg("--kroxylicious")
            .arg(peers::kroxylicious(ws, progress).await?);
    }
    if parts.contains(&Part::G1) {
        command
            .arg("--shotover")
            .arg(peers::shotover(ws, progress).await?);
    }
    Ok(())
}

/// The agent and `weir-bench`, optimised; the path of the latter.
pub async fn built(ws: &Workspace, progress: &Progress) -> Result<std::path::PathBuf> {
    let step = progress.step("agent and load generator (release)");
    let mut command = cargo(ws);
    command.args([
        "build",
        "--locked",
        "--release",
        "-p",
        "weir-agent",
        "-p",
        "weir-bench",
    ]);
    let log = ws.scratch("build")?.join("cargo-build-bench.log");
    logged(command, &log, "cargo build", "read the log").await?;
    step.done("built");
    Ok(ws.binary("weir-bench", true))
}

fn free(from: u16) -> Result<u16> {
    (0..100)
        .map(|turn| from + turn * PORTS)
        .find(|base| (0..PORTS).all(|at| is_free(base + at)))
        .context("find a free range of ports")
}
