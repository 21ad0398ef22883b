//! Jars by Maven, fetched once into the cache folder: the pinned Kafka distribution, the Flink that SQL jobs run on, and the
//! frameworks that tests run.

use crate::progress::Progress;
use crate::run;
use crate::workspace::{Workspace, fingerprint, make_dir, read};
use anyhow::{Context, Result};
use std::path::PathBuf;
use tokio::process::Command;

/// What a pom names.
struct Jars {
    what: &'static str,
    pom: &'static str,
    folder: &'static str,
    size: &'static str,
    /// What it names beside its dependencies.
    items: &'static [&'static str],
}

const KAFKA: Jars = Jars {
    what: "Kafka's jars",
    pom: "deploy/kafka/pom.xml",
    folder: "libs",
    size: "about 60 MB",
    items: &[],
};

const FRAMEWORKS: Jars = Jars {
    what: "jars of Kafka Streams and Connect",
    pom: "tests/clients/frameworks/pom.xml",
    folder: "frameworks",
    size: "about 110 MB",
    items: &[],
};

const FLINK: Jars = Jars {
    what: "Flink's jars",
    pom: "deploy/flink/pom.xml",
    folder: "flink",
    size: "about 280 MB",
    items: &["org.apache.maven.plugins:maven-dependency-plugin:2.10:copy"],
};

/// The cached folder of Kafka's jars for the present pom, if it is complete.
pub fn cached(ws: &Workspace) -> Result<Option<PathBuf>> {
    KAFKA.cached(ws)
}

/// The same of the frameworks.
pub fn frameworks_cached(ws: &Workspace) -> Result<Option<PathBuf>> {
    FRAMEWORKS.cached(ws)
}

/// The same of Flink.
pub fn flink_cached(ws: &Workspace) -> Result<Option<PathBuf>> {
    FLINK.cached(ws)
}

/// The folder of Kafka's jars, fetched by Maven when it is not cached.
pub async fn fetch(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    KAFKA.fetch(ws, progress).await
}

/// The folder of the jars of Flink, its SQL gateway and its Kafka connector.
pub async fn flink(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    FLINK.fetch(ws, progress).await
}

/// The folder of the jars of Kafka Streams, Connect and `MirrorMaker`.
pub async fn frameworks(ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
    FRAMEWORKS.fetch(ws, progress).await
}

impl Jars {
    fn place(&self, ws: &Workspace) -> Result<PathBuf> {
        let pom = read(&ws.root.join(self.pom))?;
        Ok(ws
            .cache
            .join("kafka")
            .join(format!("{}-{}", self.folder, fingerprint([pom.as_bytes()]))))
    }

    fn cached(&self, ws: &Workspace) -> Result<Option<PathBuf>> {
        let libs = self.place(ws)?;
        Ok(libs.is_dir().then_some(libs))
    }

    async fn fetch(&self, ws: &Workspace, progress: &Progress) -> Result<PathBuf> {
        let step = progress.step(self.what);
        let libs = self.place(ws)?;
        if libs.is_dir() {
            step.done(format!("cached in {}", libs.display()));
            return Ok(libs);
        }
        let home = ws.cache.join("kafka");
        make_dir(&home)?;
        // Fetched beside its place and renamed, so that a folder that exists is complete.
        let fresh = home.join(format!("fetching-{}-{}", self.folder, std::process::id()));
        let log = home.join("fetch.log");
        let mut maven = Command::new("mvn");
        maven
            .args(["-B", "-ntp", "-f"])
            .arg(ws.root.join(self.pom))
            .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
            .args(self.items)
            .arg(format!("-DoutputDirectory={}", fresh.display()));
        step.note(format!("by Maven, {}", self.size));
        run::logged(
            maven,
            &log,
            "fetch jars by Maven",
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
}

#[cfg(test)]
mod tests {
    use super::{FLINK, FRAMEWORKS, KAFKA};
    use std::path::Path;

    /// Two dashes end a comment (XML 1.0, 2.5): Maven reads no pom that has them inside one.
    #[test]
    fn comments_of_poms_have_no_two_dashes_inside() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for jars in [KAFKA, FLINK, FRAMEWORKS] {
            let text = std::fs::read_to_string(root.join(jars.pom)).expect("read the pom");
            for comment in text.split("<!--").skip(1) {
                let (inside, _after) = comment.split_once("--").expect("the comment ends");
                let rest = &comment[inside.len()..];
                assert!(rest.starts_with("-->"), "{}: {inside}", jars.pom);
            }
        }
    }
}
