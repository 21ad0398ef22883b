//! The pinned Kafka distribution (`deploy/kafka/pom.xml`), fetched once into the cache folder.

use crate::progress::Progress;
use crate::run;
use crate::workspace::{Workspace, fingerprint, make_dir, read};
use anyhow::{Context, Result};
use std::path::PathBuf;
use tokio::process::Command;

/// The cached folder of jars for the present pom, if it is complete.
pub fn cached(ws: &Workspace) -> Result<Option<PathBuf>> {
    let libs = place(ws)?;
    Ok(libs.is_dir().then_some(libs))
}

/// The folder of jars, fetched by Maven when it is not cached.
pub async fn fetch(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    let step = progress.step("Kafka's jars");
    let libs = place(ws)?;
    if libs.is_dir() {
        step.done(format!("cached in {}", libs.display()));
        return Ok(libs);
    }
    let home = ws.cache.join("kafka");
    make_dir(&home)?;
    // Fetched beside its place and renamed, so that a folder that exists is complete.
    let fresh = home.join(format!("fetching-{}", std::process::id()));
    let log = home.join("fetch.log");
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-ntp", "-f"])
        .arg(ws.root.join("deploy/kafka/pom.xml"))
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", fresh.display()));
    step.note("by Maven, about 60 MB");
    run::logged(
        maven,
        &log,
        "fetch Kafka by Maven",
        "check that Maven Central can be reached, run this again",
    )
    .await?;
    if let Err(error) = std::fs::rename(&fresh, &libs)
        && !libs.is_dir()
    {
        return Err(error).with_context(|| format!("rename {} to {}", fresh.display(), libs.display()));
    }
    step.done(format!("fetched into {}", libs.display()));
    Ok(libs)
}

fn place(ws: &Workspace) -> Result<PathBuf> {
    let pom = read(&ws.root.join("deploy/kafka/pom.xml"))?;
    Ok(ws
        .cache
        .join("kafka")
        .join(format!("libs-{}", fingerprint([pom.as_bytes()]))))
}
