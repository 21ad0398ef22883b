//! Whether a schema may follow others: levels, findings, and the pair by pair comparison behind them.

mod avro;
mod json;
mod protobuf;
mod report;
mod rule;
mod walk;

pub use rule::Rule;

use crate::schema::Schema;
use report::{Report, Side};

/// Which versions of a subject must be able to read which; `compatibility` of the Schema Registry API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// The new schema reads what the last one wrote.
    #[default]
    Backward,
    /// The new schema reads what any earlier one wrote.
    BackwardTransitive,
    /// The last schema reads what the new one writes.
    Forward,
    /// Every earlier schema reads what the new one writes.
    ForwardTransitive,
    /// Both, with the last schema.
    Full,
    /// Both, with every earlier schema.
    FullTransitive,
    /// Anything goes.
    None,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 7] = [
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
        Self::None,
    ];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
            Self::None => "NONE",
        }
    }

    /// Reads a level as the API writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }

    /// Whether every earlier version counts, and not the last alone.
    pub const fn is_transitive(self) -> bool {
        matches!(
            self,
            Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive
        )
    }

    const fn directions(self) -> &'static [Direction] {
        match self {
            Self::Backward | Self::BackwardTransitive => &[Direction::Backward],
            Self::Forward | Self::ForwardTransitive => &[Direction::Forward],
            Self::Full | Self::FullTransitive => &[Direction::Backward, Direction::Forward],
            Self::None => &[],
        }
    }
}

/// Who could not read whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// The new schema could not read what the earlier one wrote.
    Backward,
    /// The earlier schema could not read what the new one writes.
    Forward,
}

/// One reason why a schema may not follow another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Incompatibility {
    /// The rule that is broken, by a name that stays.
    pub rule: Rule,
    /// Who could not read whom.
    pub direction: Direction,
    /// Where: a JSON pointer into the reading schema for Avro; `#/...` for the others.
    pub path: String,
    /// One sentence: what is wrong, and what would help where that is clear.
    pub message: String,
    /// Which of the earlier schemas.
    pub against: usize,
}

impl Incompatibility {
    /// As the Schema Registry API lists it among the `messages` of a check.
    pub fn registry_text(&self) -> String {
        format!(
            "{{errorType:\"{}\", description:\"{}\"}}",
            self.rule, self.message
        )
    }
}

/// All reasons why `new` may not follow `earlier`, which stand oldest first; none if it may.
///
/// Levels that are not transitive look at the last of `earlier` alone.
pub fn check(level: Level, new: &Schema, earlier: &[Schema]) -> Vec<Incompatibility> {
    let first = if level.is_transitive() {
        0
    } else {
        earlier.len().saturating_sub(1)
    };
    let mut found = Vec::new();
    // The newest first: that is the version which a developer has in mind.
    for (against, old) in earlier.iter().enumerate().skip(first).rev() {
        for direction in level.directions() {
            let (reader, writer) = match direction {
                Direction::Backward => (new, old),
                Direction::Forward => (old, new),
            };
            let side = Side::of(*direction);
            for difference in can_read(reader, writer) {
                found.push(Incompatibility {
                    rule: difference.rule,
                    direction: *direction,
                    message: difference.message(side),
                    path: difference.path,
                    against,
                });
            }
        }
    }
    found
}

/// Why `reader` could not read what `writer` wrote.
fn can_read(reader: &Schema, writer: &Schema) -> Vec<report::Difference> {
    let mut report = Report::default();
    match (reader, writer) {
        (Schema::Avro(reader), Schema::Avro(writer)) => {
            avro::compare(&reader.model, &writer.model, &mut report)
        }
        (Schema::Json(reader), Schema::Json(writer)) => json::compare(reader, writer, &mut report),
        (Schema::Protobuf(reader), Schema::Protobuf(writer)) => {
            protobuf::compare(reader, writer, &mut report)
        }
        _ => report.add(
            Rule::SchemaTypeChanged,
            "",
            format!(
                "is {}, and the {{other}} schema is {}",
                reader.format().as_str(),
                writer.format().as_str()
            ),
        ),
    }
    report.finish()
}
