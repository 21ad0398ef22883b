//! The console and the binaries.

use crate::progress::{Progress, Step};
use crate::run;
use crate::setup::needs::Tools;
use crate::setup::wheels::path_with;
use crate::workspace::{Workspace, cargo, fingerprint, read, write};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// `npm <arguments>` in `web/`.
pub fn npm(ws: &Workspace, tools: &Tools, arguments: &[&str]) -> Result<Command> {
    let dirs: Vec<PathBuf> = tools.node_bin.iter().cloned().collect();
    let path = path_with(&dirs)?;
    let program = dirs
        .first()
        .map_or_else(|| PathBuf::from("npm"), |bin| bin.join("npm"));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(ws.root.join("web"))
        .env("PATH", path);
    Ok(command)
}

/// Installs the console's packages when the lock file changed.
pub async fn web_packages(ws: &Workspace, tools: &Tools) -> Result<bool> {
    let scratch = ws.scratch("web")?;
    let web = ws.root.join("web");
    let lock = fingerprint([read(&web.join("package-lock.json"))?.as_bytes()]);
    // The stamp lies among the packages: whoever removes them removes it.
    let stamp = web.join("node_modules/.weir-installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|it| it == lock) {
        return Ok(false);
    }
    let log = scratch.join("npm-ci.log");
    let install = npm(ws, tools, &["ci", "--no-audit", "--no-fund"])?;
    run::logged(
        install,
        &log,
        "npm ci",
        "check that the npm registry can be reached, run this again",
    )
    .await?;
    write(&stamp, &lock)?;
    Ok(true)
}

/// Where the contract engine runs in a browser: a program with standard input and output.
const ENGINE_TARGET: &str = "wasm32-wasip1";
const ENGINE: &str = "weir-contract-engine";

/// Is the target's standard library there, whoever installed it?
async fn engine_target_stands(ws: &Workspace) -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", ENGINE_TARGET])
        .current_dir(&ws.root)
        .output()
        .await;
    asked
        .is_ok_and(|it| it.status.success() && Path::new(String::from_utf8_lossy(&it.stdout).trim()).is_dir())
}

/// Builds the contract engine that the console loads, where the console's build finds it.
async fn engine(ws: &Workspace, step: &Step) -> Result<()> {
    let scratch = ws.scratch("engine")?;
    if !engine_target_stands(ws).await {
        step.note(format!("rustup target add {ENGINE_TARGET}"));
        let mut target = Command::new("rustup");
        target
            .args(["target", "add", ENGINE_TARGET])
            .current_dir(&ws.root);
        run::logged(
            target,
            &scratch.join("rustup.log"),
            "rustup target add",
            "install rustup (https://rustup.rs), check that static.rust-lang.org can be reached, run this again",
        )
        .await?;
    }
    step.note("contract engine (three to five minutes the first time)");
    let mut build = cargo(ws);
    build.args(["build", "--locked", "-p", ENGINE, "--bin", ENGINE]);
    build.args(["--profile", "engine", "--target", ENGINE_TARGET]);
    let log = scratch.join("cargo-build.log");
    run::logged(build, &log, "cargo build of the contract engine", "read the log").await?;
    let built = ws
        .target
        .join(ENGINE_TARGET)
        .join("engine")
        .join(ENGINE)
        .with_extension("wasm");
    let place = ws.root.join("web/src/engine/contract.wasm");
    std::fs::copy(&built, &place).with_context(|| format!("copy {}", built.display()))?;
    Ok(())
}

/// Builds the console into `web/dist`, from which the control plane embeds it.
pub async fn web(ws: &Workspace, tools: &Tools, progress: &Progress) -> Result<()> {
    let step = progress.step("console");
    if !ws.root.join("web/package.json").is_file() {
        step.done("this tree has none");
        return Ok(());
    }
    engine(ws, &step).await?;
    let stamp = ws.scratch("web")?.join("built");
    let inputs = web_inputs(&ws.root.join("web"))?;
    let built = ws.root.join("web/dist/index.html").is_file();
    if built && std::fs::read_to_string(&stamp).is_ok_and(|it| it == inputs) {
        step.done("unchanged");
        return Ok(());
    }
    step.note("npm ci");
    web_packages(ws, tools).await?;
    step.note("npm run build");
    let log = ws.scratch("web")?.join("npm-build.log");
    run::logged(
        npm(ws, tools, &["run", "build"])?,
        &log,
        "npm run build",
        "read the log, mend web/, run this again",
    )
    .await?;
    // A control plane that was built before there was a console has none, and Cargo watches no files that were not there.
    let embeds = ws.root.join("control-plane/src/server/console.rs");
    std::fs::File::options()
        .append(true)
        .open(&embeds)
        .and_then(|it| it.set_modified(std::time::SystemTime::now()))
        .with_context(|| format!("touch {}", embeds.display()))?;
    write(&stamp, &inputs)?;
    step.done("built");
    Ok(())
}

/// Names and contents of all files that the console is built from.
fn web_inputs(web: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![web.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path = entry
                .with_context(|| format!("list {}", folder.display()))?
                .path();
            let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            if matches!(name, "node_modules" | "dist" | ".vite" | "test-results") {
                continue;
            }
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    let mut parts = Vec::with_capacity(files.len() * 2);
    for file in &files {
        parts.push(file.display().to_string().into_bytes());
        parts.push(std::fs::read(file).with_context(|| format!("read {}", file.display()))?);
    }
    Ok(fingerprint(parts.iter().map(Vec::as_slice)))
}

/// Builds control plane and agent.
pub async fn binaries(ws: &Workspace, release: bool, progress: &Progress) -> Result<()> {
    binaries_and(ws, release, &[], progress).await
}

/// Builds control plane, agent and further packages, all with the same features of what they share.
pub async fn binaries_and(ws: &Workspace, release: bool, more: &[&str], progress: &Progress) -> Result<()> {
    let step = progress.step(if release { "binaries (release)" } else { "binaries" });
    let mut command = cargo(ws);
    command.args([
        "build",
        "--locked",
        "-p",
        "weir-control-plane",
        "-p",
        "weir-agent",
    ]);
    for package in more {
        command.args(["-p", package]);
    }
    if release {
        command.arg("--release");
    }
    let log = ws.scratch("build")?.join("cargo-build.log");
    let build = run::logged(
        command,
        &log,
        "cargo build",
        "read the log; `rustup show` must name the pinned tool chain",
    );
    tokio::pin!(build);
    loop {
        let crates = std::fs::read_to_string(&log).map_or(0, |it| it.matches(" Compiling ").count());
        step.note(format!(
            "cargo build, {crates} crates begun (about 330 the first time, 4 to 15 minutes); log {}",
            log.display()
        ));
        tokio::select! {
            built = &mut build => {
                built?;
                break;
            }
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    step.done(ws.binary("weir-control-plane", release).display().to_string());
    Ok(())
}
