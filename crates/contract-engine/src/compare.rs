//! What is different in a new version, and whether the registry would take it.

use serde::{Deserialize, Serialize};
use weir_contract::compatibility::{Incompatibility, Level, check};
use weir_contract::diff::{self, Change, DiffError};

use crate::draft::{Draft, Problem, problems};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compare {
    before: Draft,
    after: Draft,
    level: Level,
}

#[derive(Debug, Serialize)]
pub struct Compared {
    /// Whether the new schema may follow by the level.
    compatible: bool,
    findings: Vec<Incompatibility>,
    /// All that is different, the worst first.
    changes: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    breaking: bool,
    #[serde(flatten)]
    change: Change,
}

pub fn compare(asked: Compare) -> Result<Compared, Vec<Problem>> {
    let (before, after) = (asked.before.document(), asked.after.document());
    let old = before.parsed_schema().map_err(problems)?;
    let new = after.parsed_schema().map_err(problems)?;
    let findings = check(asked.level, &new, &[old]);
    let changes = diff::diff(&before, &after, asked.level).map_err(|error| match error {
        DiffError::Old(error) | DiffError::New(error) => problems(error),
    })?;
    let told = changes.into_iter().map(|change| Told {
        breaking: change.severity == diff::Severity::Breaking,
        change,
    });
    Ok(Compared {
        compatible: findings.is_empty(),
        findings,
        changes: told.collect(),
    })
}
