//! `cargo xtask bless`: writes every generated file anew. What changed is for the reviewer of the diff.

use crate::progress::Progress;
use crate::run::{captured, logged};
use crate::schema;
use crate::setup::{Need, Tools, build, ensure};
use crate::testing::database::TestDatabase;
use crate::trouble::Trouble;
use crate::workspace::{Workspace, cargo, make_dir, write};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Writes all generated files.
pub async fn run(ws: &Workspace) -> Result<()> {
    let progress = Progress::new();
    let tools = ensure(ws, &[Need::Postgres, Need::Node, Need::Openssl], &progress).await?;
    let database = TestDatabase::start(ws, tools.postgres_bin.clone(), "bless").await?;
    let ended = all(ws, &tools, &database, &progress).await;
    database.stop().await?;
    ended
}

async fn all(ws: &Workspace, tools: &Tools, database: &TestDatabase, progress: &Progress) -> Result<()> {
    let postgres = database.instance();
    let step = progress.step("migrations/schema.sql");
    let url = schema::migrated(ws, &postgres, "bless").await?;
    let dumped = schema::dump(&postgres, "bless").await?;
    step.done(replace(&ws.root.join("migrations/schema.sql"), &dumped)?);
    queries(ws, &url, progress).await?;
    openapi(ws, progress).await?;
    web_types(ws, tools, progress).await?;
    outbound_fields(ws, progress).await
}

/// `.sqlx`: what the database says about every checked query.
async fn queries(ws: &Workspace, url: &str, progress: &Progress) -> Result<()> {
    let step = progress.step(".sqlx");
    // Into a folder of its own: a build that fails leaves the committed one as it is, and old queries do not stay.
    let fresh = ws.scratch("bless")?.join("sqlx");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).with_context(|| format!("remove {}", fresh.display()))?;
    }
    make_dir(&fresh)?;
    // Queries are described when their crate is compiled, so it must be compiled.
    for source in [
        "control-plane/src/lib.rs",
        "control-plane/src/main.rs",
        "control-plane/tests/it/main.rs",
    ] {
        touch(&ws.root.join(source))?;
    }
    let mut command = cargo(ws);
    command
        .args(["check", "--locked", "-p", "weir-control-plane", "--all-targets"])
        .env("DATABASE_URL", url)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &fresh);
    let log = ws.scratch("bless")?.join("sqlx.log");
    std::fs::remove_file(&log).ok();
    logged(
        command,
        &log,
        "describe the queries",
        "read the log: a query does not fit the migrations",
    )
    .await?;
    let described = names(&fresh)?;
    if described.is_empty() {
        return Err(Trouble::new("no query was described").log(log).into());
    }
    let committed = ws.root.join(".sqlx");
    make_dir(&committed)?;
    for name in names(&committed)? {
        if !described.contains(&name) {
            std::fs::remove_file(committed.join(&name))
                .with_context(|| format!("remove {}", name.display()))?;
        }
    }
    for name in &described {
        let text = crate::workspace::read(&fresh.join(name))?;
        replace(&committed.join(name), &text)?;
    }
    step.done(format!("{} queries", described.len()));
    Ok(())
}

/// `control-plane/openapi.json`.
async fn openapi(ws: &Workspace, progress: &Progress) -> Result<()> {
    let step = progress.step("control-plane/openapi.json");
    let mut command = cargo(ws);
    command.args([
        "run",
        "--quiet",
        "--locked",
        "-p",
        "weir-control-plane",
        "--",
        "openapi",
    ]);
    let output = captured(command).await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Trouble::new(format!("weir-control-plane openapi: {said}")).into());
    }
    let text = String::from_utf8(output.stdout).context("openapi.json is not text")?;
    step.done(replace(&ws.root.join("control-plane/openapi.json"), &text)?);
    Ok(())
}

/// The console's types of the API.
async fn web_types(ws: &Workspace, tools: &Tools, progress: &Progress) -> Result<()> {
    let step = progress.step("the console's API types");
    if !ws.root.join("web/package.json").is_file() {
        step.done("this tree has no console");
        return Ok(());
    }
    build::web_packages(ws, tools).await?;
    let log = ws.scratch("bless")?.join("web-types.log");
    let command = build::npm(ws, tools, &["run", "generate"])?;
    logged(command, &log, "npm run generate", "read the log").await?;
    step.done("generated from openapi.json");
    Ok(())
}

/// `proto/outbound-fields.txt`: new fields are appended, for a person to class.
async fn outbound_fields(ws: &Workspace, progress: &Progress) -> Result<()> {
    let step = progress.step("proto/outbound-fields.txt");
    let path = ws.root.join("proto/outbound-fields.txt");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let mut command = cargo(ws);
    command
        .args(["test", "--quiet", "--locked", "-p", "weir-proto"])
        .env("WEIR_BLESS", "1");
    // Red when a new field waits for its class: told below.
    captured(command).await?;
    let after = crate::workspace::read(&path)?;
    if after.contains("UNCLASSED") {
        return Err(Trouble::new("new fields leave the customer's network unclassed")
            .remedy(format!("class them in {}", path.display()))
            .into());
    }
    step.done(if after == before { "unchanged" } else { "written" });
    Ok(())
}

/// Writes a file when it differs; says whether it did.
fn replace(path: &Path, text: &str) -> Result<&'static str> {
    if std::fs::read_to_string(path).is_ok_and(|held| held == text) {
        return Ok("unchanged");
    }
    write(path, text)?;
    Ok("written")
}

fn touch(path: &Path) -> Result<()> {
    let file = std::fs::File::options()
        .append(true)
        .open(path)
        .with_context(|| format!("open {}", path.display()))?;
    file.set_modified(SystemTime::now())
        .with_context(|| format!("touch {}", path.display()))
}

fn names(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut names: Vec<PathBuf> = entries
        .flatten()
        .map(|it| PathBuf::from(it.file_name()))
        .filter(|it| it.extension().is_some_and(|end| end == "json"))
        .collect();
    names.sort();
    Ok(names)
}
