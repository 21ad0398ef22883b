//! What is different between two contracts, and whom it breaks.
//!
//! One sentence for each party decides. A change breaks **producers** when a record that was accepted may be refused, or what
//! they wrote in confidence is protected less. It breaks **consumers** when a record that they read may be unreadable to them, or
//! a promise that was given is withdrawn. What the compatibility level does not ask of a schema is told and breaks nobody.

mod expression;
mod promises;
mod rules;
mod schema;
mod tags;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::compatibility::Level;
use crate::document::{Document, DocumentCompileError};

/// No comparison tells more changes than this.
pub const CHANGES_MAX: usize = 1_000;

/// What a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Asked for, and nobody is hurt.
    Safe,
    /// Somebody who did nothing wrong has to change something.
    Breaking,
}

impl Severity {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Safe => "SAFE",
            Self::Breaking => "BREAKING",
        }
    }
}

/// Whom a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Party {
    /// Those who write.
    Producers,
    /// Those who read.
    Consumers,
}

impl Party {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Producers => "PRODUCERS",
            Self::Consumers => "CONSUMERS",
        }
    }

    const BOTH: &'static [Self] = &[Self::Producers, Self::Consumers];
    const WRITING: &'static [Self] = &[Self::Producers];
    const READING: &'static [Self] = &[Self::Consumers];
}

/// Which part of a contract changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Part {
    /// Subject, schema and references.
    Schema,
    /// Rules, and where they run.
    Rules,
    /// What happens to a record that breaks the contract.
    Enforcement,
    /// Tags of fields.
    Tags,
    /// Who may see the records.
    Classification,
    /// What is promised of the stream.
    ServiceLevels,
    /// How far the contract has come.
    Lifecycle,
    /// Owner, description, properties.
    About,
}

impl Part {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "SCHEMA",
            Self::Rules => "RULES",
            Self::Enforcement => "ENFORCEMENT",
            Self::Tags => "TAGS",
            Self::Classification => "CLASSIFICATION",
            Self::ServiceLevels => "SERVICE_LEVELS",
            Self::Lifecycle => "LIFECYCLE",
            Self::About => "ABOUT",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it means.
    pub severity: Severity,
    /// Which part of the contract.
    pub part: Part,
    /// Whom it concerns.
    pub concerns: &'static [Party],
    /// What sort of change, by a name that stays; of schemas the rule of compatibility.
    pub change: &'static str,
    /// Where: a place in the schema, a rule's list and name, a tag's path, a service level.
    pub path: String,
    /// One sentence.
    pub message: String,
}

/// Collects changes within [`CHANGES_MAX`].
#[derive(Debug, Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(
        &mut self,
        (severity, concerns): (Severity, &'static [Party]),
        (part, change): (Part, &'static str),
        path: impl Into<String>,
        message: impl Into<String>,
    ) {
        if self.0.len() < CHANGES_MAX {
            self.0.push(Change {
                severity,
                part,
                concerns,
                change,
                path: path.into(),
                message: message.into(),
            });
        }
    }
}

/// Breaks those who write, those who read, or both.
const fn breaking(concerns: &'static [Party]) -> (Severity, &'static [Party]) {
    (Severity::Breaking, concerns)
}

const fn safe(concerns: &'static [Party]) -> (Severity, &'static [Party]) {
    (Severity::Safe, concerns)
}

const fn told(concerns: &'static [Party]) -> (Severity, &'static [Party]) {
    (Severity::Info, concerns)
}

/// Why two contracts cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// The older one is not sound.
    #[error("the old contract: {0}")]
    Old(DocumentCompileError),
    /// The newer one is not sound.
    #[error("the new contract: {0}")]
    New(DocumentCompileError),
}

/// The level by which a new contract is compared with an old one if nobody names another: its own, else the old one's, else
/// BACKWARD, as in the registry.
pub fn level_of(old: &Document, new: &Document) -> Level {
    new.compatibility.or(old.compatibility).unwrap_or_default()
}

/// Everything that is different in `new`, the worst first.
///
/// # Errors
/// If a schema of the two cannot be read.
pub fn diff(old: &Document, new: &Document, level: Level) -> Result<Vec<Change>, DiffError> {
    let mut changes = Changes::default();
    schema::compare(old, new, level, &mut changes)?;
    rules::compare(&old.rule_set, &new.rule_set, &mut changes);
    tags::compare(old, new, &mut changes);
    promises::compare(old, new, &mut changes);
    let mut changes = changes.0;
    changes.sort_by_key(|change| std::cmp::Reverse(change.severity));
    Ok(changes)
}

/// Whether one of the changes breaks anybody.
pub fn is_breaking(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.severity == Severity::Breaking)
}
