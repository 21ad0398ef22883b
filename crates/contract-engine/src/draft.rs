//! A contract as somebody writes it, which may not be sound yet.

use serde::{Deserialize, Serialize};
use weir_contract::document::{Document, DocumentCompileError, Reference, Registered};
use weir_contract::rules::{Metadata, RuleProblem, RuleSet};
use weir_contract::{Format, SchemaError};

/// A version before it is registered; names as in the registry's API.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draft {
    #[serde(default)]
    schema_type: Format,
    schema: String,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    rule_set: RuleSet,
}

impl Draft {
    pub fn document(self) -> Document {
        // Who compares versions compares those of one subject, so its name does not matter.
        Document::of_registered(
            "draft",
            Registered {
                format: self.schema_type,
                schema: self.schema,
                references: self.references,
                metadata: self.metadata,
                rule_set: self.rule_set,
            },
        )
    }
}

/// Which part a problem is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    Schema,
    RuleSet,
}

/// Something that would be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub source: Source,
    /// Where in the schema; of rules the list and the rule's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// In the schema's text, or in the rule's expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    pub message: String,
}

impl Problem {
    pub fn of_schema(message: impl Into<String>) -> Self {
        Self {
            source: Source::Schema,
            path: None,
            line: None,
            column: None,
            message: message.into(),
        }
    }
}

impl From<SchemaError> for Problem {
    fn from(error: SchemaError) -> Self {
        let place = error.position;
        let reference = error.source_name;
        Self {
            path: (!error.path.is_empty()).then_some(error.path),
            line: place.map(|it| it.line),
            column: place.map(|it| it.column),
            ..Self::of_schema(match reference {
                Some(name) => format!("in the reference {name}: {}", error.message),
                None => error.message,
            })
        }
    }
}

impl From<RuleProblem> for Problem {
    fn from(problem: RuleProblem) -> Self {
        Self {
            source: Source::RuleSet,
            path: Some(format!("{}/{}", problem.list, problem.rule)),
            line: problem.position.map(|it| it.line),
            column: problem.position.map(|it| it.column),
            message: problem.message,
        }
    }
}

pub fn problems(error: DocumentCompileError) -> Vec<Problem> {
    match error {
        DocumentCompileError::Schema(error) => vec![error.into()],
        DocumentCompileError::Rules(problems) => problems.into_iter().map(Problem::from).collect(),
        other => vec![Problem::of_schema(other.to_string())],
    }
}
