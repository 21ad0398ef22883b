//! Prebuilt tools that are published as Python wheels, each set in a venv of its own in the cache folder.

use crate::run;
use crate::setup::needs::find;
use crate::trouble::Trouble;
use crate::workspace::{Workspace, fingerprint, make_dir};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The `bin` folder of a venv that holds `wheels` (pinned), made when it is not there yet. `proof` must run in it.
pub async fn venv(ws: &Workspace, name: &str, wheels: &[&str], proof: &str) -> Result<PathBuf> {
    let key = fingerprint(wheels.iter().map(|it| it.as_bytes()));
    made(ws, name, &key, wheels, proof).await
}

/// The same for a file of requirements that is whole and names its wheels by hash.
pub async fn venv_of(ws: &Workspace, name: &str, requirements: &Path) -> Result<PathBuf> {
    let key = fingerprint([crate::workspace::read(requirements)?.as_bytes()]);
    let file = requirements.display().to_string();
    let install = [
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "-r",
        &file,
    ];
    made(ws, name, &key, &install, "python").await
}

async fn made(ws: &Workspace, name: &str, key: &str, install_what: &[&str], proof: &str) -> Result<PathBuf> {
    let dir = ws.cache.join("wheels").join(format!("{name}-{key}"));
    let bin = dir.join("bin");
    // The mark is written last, so a set-up that was interrupted is done again.
    let mark = dir.join("complete");
    if mark.is_file() && bin.join(proof).is_file() {
        return Ok(bin);
    }
    let remedy = format!("check the network, remove {} and run this again", dir.display());
    if dir.exists() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
    }
    make_dir(&ws.cache.join("wheels"))?;
    let log = ws.cache.join("wheels").join(format!("{name}.log"));
    let python = find("python3")
        .ok_or_else(|| Trouble::new("python3 is missing").remedy("sudo apt-get install -y python3-venv"))?;
    let mut make = Command::new(python);
    make.args(["-m", "venv"]).arg(&dir);
    run::logged(make, &log, &format!("make a venv for {name}"), &remedy).await?;
    let mut install = Command::new(bin.join("python"));
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(install_what);
    run::logged(
        install,
        &log,
        &format!("pip install {}", install_what.join(" ")),
        &remedy,
    )
    .await?;
    if !bin.join(proof).is_file() {
        return Err(Trouble::new(format!("{proof} is not in {}", bin.display()))
            .log(log)
            .remedy(remedy)
            .into());
    }
    crate::workspace::write(&mark, "")?;
    Ok(bin)
}

/// PATH with `dirs` before it.
pub fn path_with(dirs: &[PathBuf]) -> Result<std::ffi::OsString> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(dirs.iter().cloned().chain(std::env::split_paths(&old))).context("build PATH")
}
