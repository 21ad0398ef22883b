//! Schemas, by the rules of compatibility.

use super::{Changes, DiffError, Part, Party, Severity, breaking, safe};
use crate::compatibility::{Direction, Incompatibility, Level, check};
use crate::document::Document;

pub(super) fn compare(
    old: &Document,
    new: &Document,
    level: Level,
    changes: &mut Changes,
) -> Result<(), DiffError> {
    if old.subject != new.subject {
        changes.add(
            breaking(Party::BOTH),
            (Part::Schema, "SUBJECT_CHANGED"),
            "subject",
            format!(
                "The subject was {} and is {}: that is another contract.",
                old.subject, new.subject
            ),
        );
    }
    let before = old.parsed_schema().map_err(DiffError::Old)?;
    let after = new.parsed_schema().map_err(DiffError::New)?;
    // Both directions are told; the level decides which of them break.
    let asked = check(level, &after, std::slice::from_ref(&before));
    let found = check(Level::Full, &after, std::slice::from_ref(&before));
    for finding in &found {
        let severity = if asked.contains(finding) {
            Severity::Breaking
        } else {
            Severity::Info
        };
        changes.add(
            (severity, concerned(finding.direction)),
            (Part::Schema, finding.rule.as_str()),
            finding.path.clone(),
            sentence(finding),
        );
    }
    if before.normalized() == after.normalized() {
        return Ok(());
    }
    for (direction, text) in [
        (
            Direction::Backward,
            "The new schema reads what the old one wrote.",
        ),
        (
            Direction::Forward,
            "The old schema reads what the new one writes.",
        ),
    ] {
        if !found.iter().any(|finding| finding.direction == direction) {
            let name = match direction {
                Direction::Backward => "READS_OLD_RECORDS",
                Direction::Forward => "READ_BY_OLD_SCHEMA",
            };
            changes.add(safe(concerned(direction)), (Part::Schema, name), "", text);
        }
    }
    Ok(())
}

/// A new schema that cannot read old records refuses those who go on writing them and fails those who read with it; one whose
/// records the old one cannot read fails those who have not changed yet.
const fn concerned(direction: Direction) -> &'static [Party] {
    match direction {
        Direction::Backward => Party::BOTH,
        Direction::Forward => Party::READING,
    }
}

fn sentence(finding: &Incompatibility) -> String {
    let who = match finding.direction {
        Direction::Backward => "The new schema cannot read what the old one wrote",
        Direction::Forward => "The old schema cannot read what the new one writes",
    };
    format!("{who}: {}", finding.message)
}
