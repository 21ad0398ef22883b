//! Where things are: the repository, the build output, the cache folder outside the repository.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository and the folders beside it.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The repository's root.
    pub root: PathBuf,
    /// Cargo's target folder (`CARGO_TARGET_DIR` respected).
    pub target: PathBuf,
    /// Downloads that outlive the repository: `WEIR_CACHE_DIR`, else `~/.cache/weir`.
    pub cache: PathBuf,
}

impl Workspace {
    /// Finds the repository that this program belongs to.
    pub fn find() -> Result<Self> {
        let manifest = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(it) => PathBuf::from(it),
            None => PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        };
        let root = manifest
            .parent()
            .context("find the repository's root")?
            .to_owned();
        let asked = Command::new(cargo_program())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(&root)
            .output()
            .context("ask cargo where it builds to")?;
        let answer: serde_json::Value = serde_json::from_slice(&asked.stdout)
            .with_context(|| format!("read cargo metadata: {}", String::from_utf8_lossy(&asked.stderr)))?;
        let target = answer["target_directory"]
            .as_str()
            .context("cargo metadata names no target folder")?;
        Ok(Self {
            target: PathBuf::from(target),
            cache: cache_dir()?,
            root,
        })
    }

    /// A binary that cargo built.
    pub fn binary(&self, name: &str, release: bool) -> PathBuf {
        self.target
            .join(if release { "release" } else { "debug" })
            .join(name)
    }

    /// A folder for xtask's own logs and stamps below the target folder.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let dir = self.target.join("xtask").join(name);
        make_dir(&dir)?;
        Ok(dir)
    }
}

/// The cargo that called us.
fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Cargo, or `program` that calls it, in the repository.
pub fn cargo(ws: &Workspace) -> tokio::process::Command {
    cargo_like(ws, &cargo_program())
}

/// A program that calls cargo, in the repository, without what cargo told us about our own package: build scripts
/// that look at these variables would run again with every change of the caller.
pub fn cargo_like(ws: &Workspace, program: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let about_us = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_");
        if about_us || matches!(text.as_ref(), "CARGO_PRIMARY_PACKAGE" | "LD_LIBRARY_PATH") {
            command.env_remove(&name);
        }
    }
    command.env("CARGO_TERM_COLOR", "never").current_dir(&ws.root);
    command
}

fn cache_dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("WEIR_CACHE_DIR") {
        return std::path::absolute(dir).context("read WEIR_CACHE_DIR");
    }
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").context("neither WEIR_CACHE_DIR nor HOME is set")?)
            .join(".cache"),
    };
    Ok(base.join("weir"))
}

/// Creates a folder and its ancestors.
pub fn make_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))
}

/// Writes a file; the error names it.
pub fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let fresh = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .with_context(|| format!("create {}", fresh.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("write {}", fresh.display()))?;
    std::fs::rename(&fresh, path).with_context(|| format!("write {}", path.display()))
}

/// Reads a text file; the error names it.
pub fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

/// FNV-1a over `parts`: names folders after their content; not for security.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

/// `count` random bytes as hexadecimal digits.
pub fn random_hex(count: usize) -> Result<String> {
    use std::io::Read as _;
    let mut bytes = vec![0_u8; count];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_keep_the_borders_of_parts() {
        assert_ne!(
            fingerprint([b"ab".as_slice(), b"c"]),
            fingerprint([b"a".as_slice(), b"bc"])
        );
        assert_eq!(fingerprint([b"ab".as_slice()]), fingerprint([b"ab".as_slice()]));
    }
}
