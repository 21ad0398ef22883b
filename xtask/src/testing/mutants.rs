//! Plants the faults of `tests/mutants.toml` one by one in a copy of the tree and expects a red test for each.

use super::database::TestDatabase;
use crate::progress::{Progress, seconds};
use crate::run::captured;
use crate::setup::{Need, build, ensure};
use crate::workspace::{Workspace, cargo, make_dir, read, write};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// A test that runs so long hangs: the fault was noticed.
const RUN_AT_MOST: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutant: Vec<Mutant>,
}

/// One fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    /// A short name.
    id: String,
    /// What would be hurt if nobody noticed.
    hurts: String,
    /// The file, from the repository's root.
    file: PathBuf,
    /// Text that occurs exactly once in it.
    find: String,
    /// What stands there instead.
    replace: String,
    /// The package whose tests should notice.
    package: String,
    /// `lib`, `bins`, or the name of an integration test.
    target: String,
    /// Runs only tests whose name contains this; all when empty.
    #[serde(default)]
    test: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// A test was red.
    Caught,
    /// All tests were green.
    Missed,
    /// It does not compile: that is no test of a test.
    Broken,
}

/// Runs all, or those whose id contains `only`.
pub async fn run(ws: &Workspace, only: Option<&str>) -> Result<()> {
    let mutants = load(ws, only)?;
    let progress = Progress::new();
    let tools = ensure(ws, &[Need::Node, Need::Postgres, Need::Openssl], &progress).await?;
    build::web(ws, &tools, &progress).await?;
    let lab = Lab::set_up(ws, &progress).await?;
    let database = TestDatabase::start(ws, tools.postgres_bin.clone(), "mutants").await?;
    let ended = lab.try_all(&mutants, &database.url, &progress).await;
    database.stop().await?;
    ended
}

fn load(ws: &Workspace, only: Option<&str>) -> Result<Vec<Mutant>> {
    let path = ws.root.join("tests/mutants.toml");
    let list: List = toml::from_str(&read(&path)?).with_context(|| format!("read {}", path.display()))?;
    let mut ids = BTreeSet::new();
    for mutant in &list.mutant {
        if !ids.insert(&mutant.id) {
            bail!("{}: two faults are called {}", path.display(), mutant.id);
        }
        planted(mutant, &ws.root)?;
    }
    let chosen: Vec<Mutant> = list
        .mutant
        .into_iter()
        .filter(|it| only.is_none_or(|part| it.id.contains(part)))
        .collect();
    if chosen.is_empty() {
        bail!("no fault of {} is called like that", path.display());
    }
    Ok(chosen)
}

/// The file with the fault in it. Refuses when `find` does not occur exactly once.
fn planted(mutant: &Mutant, root: &Path) -> Result<String> {
    let text = read(&root.join(&mutant.file)).with_context(|| format!("plant {}", mutant.id))?;
    let times = text.matches(&mutant.find).count();
    if times != 1 {
        bail!(
            "{}: `find` occurs {times} times in {}, not once",
            mutant.id,
            mutant.file.display()
        );
    }
    if mutant.find == mutant.replace {
        bail!("{}: `find` and `replace` are the same", mutant.id);
    }
    Ok(text.replacen(&mutant.find, &mutant.replace, 1))
}

/// A copy of the tree with a target folder of its own, so that no faulty binary gets into the real one.
struct Lab {
    tree: Workspace,
}

impl Lab {
    async fn set_up(ws: &Workspace, progress: &Progress) -> Result<Self> {
        let step = progress.step("copy the tree");
        let home = ws.scratch("mutants")?;
        let (root, target) = (home.join("tree"), home.join("target"));
        make_dir(&root)?;
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&ws.root);
        let listed = captured(git).await?;
        let mut kept = BTreeSet::new();
        for name in listed.stdout.split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
            let name = PathBuf::from(String::from_utf8_lossy(name).into_owned());
            if ws.root.join(&name).is_file() {
                copy_if_changed(&ws.root.join(&name), &root.join(&name))?;
                kept.insert(name);
            }
        }
        // The console's build is embedded, and is not in git.
        let dist = ws.root.join("web/dist");
        for file in files_below(&dist)? {
            let name = Path::new("web/dist").join(file.strip_prefix(&dist).context("name a built file")?);
            copy_if_changed(&file, &root.join(&name))?;
            kept.insert(name);
        }
        for file in files_below(&root)? {
            if !kept.contains(file.strip_prefix(&root).context("name a copied file")?) {
                std::fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
            }
        }
        if !target.exists() && ws.target.join("debug/deps").exists() {
            step.note("copy what is built already");
            make_dir(&target)?;
            let mut copy = Command::new("cp");
            copy.args(["-a", "--reflink=auto"])
                .arg(ws.target.join("debug"))
                .arg(&target);
            captured(copy).await?;
        }
        step.done(format!("{} files", kept.len()));
        Ok(Self {
            tree: Workspace {
                root,
                target,
                cache: ws.cache.clone(),
            },
        })
    }

    async fn try_all(&self, mutants: &[Mutant], database: &str, progress: &Progress) -> Result<()> {
        progress.chapter("Green before: the tests that should notice");
        let mut seen = BTreeSet::new();
        for mutant in mutants {
            if seen.insert((&mutant.package, &mutant.target, &mutant.test)) {
                self.green_before(mutant, database, progress).await?;
            }
        }
        progress.chapter("Faults");
        let mut outcomes = Vec::new();
        for mutant in mutants {
            let step = progress.step(&mutant.id);
            let began = Instant::now();
            let outcome = self.try_one(mutant, database).await?;
            let text = match outcome {
                Outcome::Caught => "caught",
                Outcome::Missed => "MISSED: no test is red",
                Outcome::Broken => "BROKEN: does not compile, so it shows nothing",
            };
            step.done(format!("{text} ({})", mutant.hurts));
            outcomes.push((mutant, outcome, began.elapsed()));
        }
        println!();
        for (mutant, outcome, took) in outcomes.iter().filter(|it| it.1 != Outcome::Caught) {
            println!(
                "{outcome:?} {} in {} [{}]: {}",
                mutant.id,
                mutant.file.display(),
                seconds(*took),
                mutant.hurts
            );
        }
        let caught = outcomes.iter().filter(|it| it.1 == Outcome::Caught).count();
        println!(
            "{caught} of {} planted faults caught ({} %)",
            outcomes.len(),
            caught * 100 / outcomes.len()
        );
        if caught == outcomes.len() {
            Ok(())
        } else {
            bail!("a planted fault went through")
        }
    }

    /// A red or missing test would catch anything.
    async fn green_before(&self, mutant: &Mutant, database: &str, progress: &Progress) -> Result<()> {
        let step = progress.step(format!("{} {} {}", mutant.package, mutant.target, mutant.test));
        let built = captured(self.command(mutant, database, true)).await?;
        if !built.status.success() {
            bail!(
                "{}: does not build without the fault: {}",
                mutant.id,
                String::from_utf8_lossy(&built.stderr)
            );
        }
        let ran = captured(self.command(mutant, database, false)).await?;
        let output = String::from_utf8_lossy(&ran.stdout);
        let tests = super::count::count(super::count::Runner::CargoTest, &output).unwrap_or_default();
        if !ran.status.success() || tests.passed == 0 {
            bail!(
                "{}: without the fault {} tests pass and {} fail",
                mutant.id,
                tests.passed,
                tests.failed
            );
        }
        step.done(format!("{} tests", tests.passed));
        Ok(())
    }

    async fn try_one(&self, mutant: &Mutant, database: &str) -> Result<Outcome> {
        let path = self.tree.root.join(&mutant.file);
        let sound = read(&path)?;
        write(&path, &planted(mutant, &self.tree.root)?)?;
        let outcome = self.judge(mutant, database).await;
        write(&path, &sound)?;
        outcome
    }

    async fn judge(&self, mutant: &Mutant, database: &str) -> Result<Outcome> {
        let built = captured(self.command(mutant, database, true)).await?;
        if !built.status.success() {
            return Ok(Outcome::Broken);
        }
        match tokio::time::timeout(RUN_AT_MOST, captured(self.command(mutant, database, false))).await {
            Ok(ran) if ran.as_ref().is_ok_and(|it| it.status.success()) => Ok(Outcome::Missed),
            Ok(ran) => ran.map(|_red| Outcome::Caught),
            Err(_hangs) => Ok(Outcome::Caught),
        }
    }

    fn command(&self, mutant: &Mutant, database: &str, build_only: bool) -> Command {
        let mut command = cargo(&self.tree);
        command.args(["test", "--locked", "--quiet", "-p", &mutant.package]);
        match mutant.target.as_str() {
            "lib" => command.arg("--lib"),
            "bins" => command.arg("--bins"),
            integration => command.args(["--test", integration]),
        };
        if build_only {
            command.arg("--no-run");
        } else if !mutant.test.is_empty() {
            command.args(["--", &mutant.test]);
        }
        command
            .env("CARGO_TARGET_DIR", &self.tree.target)
            .env("WEIR_BIN_DIR", self.tree.target.join("debug"))
            .env("WEIR_TEST_DATABASE_URL", database);
        command
    }
}

/// Copies content, and leaves an equal file alone, so that cargo does not take it for changed.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let content = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
    if std::fs::read(to).is_ok_and(|held| held == content) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        make_dir(folder)?;
    }
    std::fs::write(to, content).with_context(|| format!("write {}", to.display()))
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop().filter(|it| it.exists()) {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path = entry
                .with_context(|| format!("list {}", folder.display()))?
                .path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push(path)
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_fits_nowhere_or_twice_is_refused() {
        let root = std::env::temp_dir().join(format!("weir-mutants-{}", std::process::id()));
        make_dir(&root).unwrap();
        write(&root.join("a.rs"), "if a < b { a } else { b }").unwrap();
        let mutant = |find: &str, replace: &str| Mutant {
            id: "it".into(),
            hurts: "nobody".into(),
            file: "a.rs".into(),
            find: find.into(),
            replace: replace.into(),
            package: "p".into(),
            target: "lib".into(),
            test: String::new(),
        };
        assert_eq!(
            planted(&mutant("a < b", "a > b"), &root).unwrap(),
            "if a > b { a } else { b }"
        );
        assert!(planted(&mutant("{", "}"), &root).is_err());
        assert!(planted(&mutant("c", "d"), &root).is_err());
        assert!(planted(&mutant("a < b", "a < b"), &root).is_err());
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn every_fault_of_the_list_fits_its_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let ws = Workspace {
            root: root.to_owned(),
            target: PathBuf::new(),
            cache: PathBuf::new(),
        };
        assert!(load(&ws, None).unwrap().len() > 100);
    }
}
