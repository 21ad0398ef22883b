//! `weir contract diff`: what changed, and whom it breaks.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use weir_contract::Level;
use weir_contract::diff::{Change, Party, Severity, diff, is_breaking, level_of};

use super::file;
use crate::output::{Outcome, Output, Printer};

/// Examples, and what the long help says beyond the options.
pub const LONG: &str = r"Examples:
  weir contract diff payment-v1.yaml payment-v2.yaml
  weir contract diff old.yaml new.yaml --level FULL_TRANSITIVE --output json

BREAKING for producers: a record that was accepted may be refused, or what they write is protected less.
BREAKING for consumers: a record may be unreadable to them, or a promise that was given is withdrawn.
SAFE is asked for and hurts nobody; INFO is worth knowing, such as an incompatibility that the level allows.
Without --level it is that of the new contract, else of the old one, else BACKWARD.

Exit codes:
  0  nothing breaks
  1  at least one change is BREAKING
  2  the command line or a file is wrong; the message names line and column where there is one";

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The contract as it was.
    old: PathBuf,
    /// The contract as it will be.
    new: PathBuf,
    /// Which contract of documents that have several.
    #[arg(long)]
    subject: Option<String>,
    /// Which versions of the schema must be able to read which.
    #[arg(long, value_enum, ignore_case = true)]
    level: Option<LevelName>,
    /// How the changes are written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// As the registry's API writes levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
enum LevelName {
    Backward,
    BackwardTransitive,
    Forward,
    ForwardTransitive,
    Full,
    FullTransitive,
    None,
}

impl From<LevelName> for Level {
    fn from(level: LevelName) -> Self {
        match level {
            LevelName::Backward => Self::Backward,
            LevelName::BackwardTransitive => Self::BackwardTransitive,
            LevelName::Forward => Self::Forward,
            LevelName::ForwardTransitive => Self::ForwardTransitive,
            LevelName::Full => Self::Full,
            LevelName::FullTransitive => Self::FullTransitive,
            LevelName::None => Self::None,
        }
    }
}

/// Compares two contracts.
///
/// # Errors
/// If one of them cannot be read.
pub fn run(args: &DiffArgs) -> anyhow::Result<Outcome> {
    let subject = args.subject.as_deref();
    let old = file::contract(&args.old, subject)?;
    let new = file::contract(&args.new, subject)?;
    let level = args.level.map_or_else(|| level_of(&old, &new), Level::from);
    let changes = diff(&old, &new, level)
        .with_context(|| format!("{} and {}", args.old.display(), args.new.display()))?;
    let mut printer = Printer::new();
    let count = |severity| {
        changes
            .iter()
            .filter(|change| change.severity == severity)
            .count()
    };
    let (breaking, safe, info) = (
        count(Severity::Breaking),
        count(Severity::Safe),
        count(Severity::Info),
    );
    match args.output {
        Output::Json => {
            for change in &changes {
                printer.line(&serde_json::to_string(change)?)?;
            }
            let summary = serde_json::json!({
                "summary": {"level": level.as_str(), "breaking": breaking, "safe": safe, "info": info},
            });
            printer.line(&summary.to_string())?;
        }
        Output::Text => {
            for change in &changes {
                printer.line(&text(change))?;
            }
            let line = format!(
                "{breaking} breaking, {safe} safe, {info} to know; by level {}",
                level.as_str()
            );
            printer.line(&line)?;
        }
    }
    printer.flush()?;
    Ok(Outcome::broken_if(is_breaking(&changes)))
}

fn text(change: &Change) -> String {
    let whom = if change.concerns == [Party::Producers] {
        "producers"
    } else if change.concerns == [Party::Consumers] {
        "consumers"
    } else {
        "all"
    };
    let path = if change.path.is_empty() { "-" } else { &change.path };
    let line = format!(
        "{:8} {whom:9} {} {} {path}: {}",
        change.severity.as_str(),
        change.part.as_str(),
        change.change,
        change.message
    );
    line.chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect()
}
