//! Failures that a person can act on: what failed, which log to read, what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// One failure with its log file and its remedy.
#[derive(Debug)]
pub struct Trouble {
    what: String,
    log: Option<PathBuf>,
    remedy: Option<String>,
}

impl Trouble {
    /// `what` failed.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            log: None,
            remedy: None,
        }
    }

    /// The log that tells why.
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// What to do about it.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(log) = &self.log {
            write!(f, "\n    log:    {}", log.display())?;
            for line in last_lines(log, 6) {
                write!(f, "\n            | {line}")?;
            }
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "\n    remedy: {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trouble {}

/// Prints an error with all its causes to stderr.
pub fn print(error: &anyhow::Error) {
    for (depth, cause) in error.chain().enumerate() {
        let lead = if depth == 0 { "FAILED " } else { "  because " };
        eprintln!("{lead}{cause}");
    }
}

/// The last non-empty lines of a log, shortened.
pub fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let text = std::fs::read(path).unwrap_or_default();
    let tail = &text[text.len().saturating_sub(16 * 1024)..];
    let lines: Vec<String> = String::from_utf8_lossy(tail)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.chars().take(240).collect())
        .collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}
