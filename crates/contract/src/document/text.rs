//! Documents as text: YAML 1.2, or JSON. Bounded before anything is built, aliases included, and every fault with its place.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Document, DocumentProblem};
use crate::error::Position;

/// Bytes of a document's text: a schema and its references have to fit in.
pub const DOCUMENT_BYTES_MAX: usize = 8 << 20;
/// Levels of lists and maps in one another.
const DEPTH_MAX: usize = 100;
/// Values of a document.
const VALUES_MAX: usize = 500_000;
/// Values of all repetitions, counted as often as they are repeated.
const REPEATED_MAX: usize = 50_000;
/// Bytes of all texts, repeated ones likewise.
const TEXT_BYTES_MAX: usize = 4 * DOCUMENT_BYTES_MAX;
/// Repetitions (`*name`).
const ALIASES_MAX: usize = 1_000;

const METADATA_KEYS: [&str; 3] = ["tags", "properties", "sensitive"];
const RULE_SET_KEYS: [&str; 4] = ["domainRules", "migrationRules", "encodingRules", "enableAt"];
const RULE_KEYS: [&str; 11] = [
    "name",
    "doc",
    "kind",
    "mode",
    "type",
    "tags",
    "params",
    "expr",
    "onSuccess",
    "onFailure",
    "disabled",
];

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    /// Where, if it is at a place.
    pub position: Option<Position>,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl DocumentError {
    /// One without a place.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            position: None,
            message: message.into(),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Document, DocumentError> {
    let document: Document = typed(text)?;
    if let Some((path, key)) = unknown_key(&typed(text)?) {
        return Err(DocumentError {
            position: place_of(text, &key),
            message: format!("{path} has no `{key}`"),
        });
    }
    match document.problems().into_iter().next() {
        None => Ok(document),
        Some(DocumentProblem { path, message }) => Err(DocumentError {
            position: place_of(text, &path),
            message: format!("{path}: {message}"),
        }),
    }
}

/// Reads any YAML or JSON, within the same bounds.
///
/// # Errors
/// What is wrong, with line and column.
pub fn read_value(text: &str) -> Result<Value, DocumentError> {
    typed(text)
}

fn typed<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::new(format!(
            "the document has {} bytes, more than {DOCUMENT_BYTES_MAX}",
            text.len()
        )));
    }
    // JSON's way to write characters beyond 16 bits is not YAML's.
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| DocumentError {
            position: Some(Position {
                line: error.line(),
                column: error.column().max(1),
            }),
            message: without_place(&error.to_string()),
        });
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = error.without_snippet();
        let position = error.location().and_then(|location| {
            Some(Position {
                line: usize::try_from(location.line()).ok().filter(|line| *line > 0)?,
                column: usize::try_from(location.column()).ok()?,
            })
        });
        DocumentError {
            position,
            message: without_place(&error.to_string()),
        }
    })
}

fn options() -> serde_saphyr::Options {
    let mut budget = serde_saphyr::Budget::default();
    budget.max_events = 2 * VALUES_MAX;
    budget.max_nodes = VALUES_MAX;
    budget.max_depth = DEPTH_MAX;
    budget.max_aliases = ALIASES_MAX;
    budget.max_anchors = ALIASES_MAX;
    budget.max_documents = 1;
    budget.max_total_scalar_bytes = TEXT_BYTES_MAX;
    serde_saphyr::options! {
        budget: Some(budget),
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: REPEATED_MAX },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// The message of a parser without the place that it names itself.
fn without_place(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = message.strip_prefix("error: ").unwrap_or(message);
    match message.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest.to_owned(),
        _ => message.to_owned(),
    }
}

/// A key of the metadata or of a rule that means nothing. The registry's API passes over such keys; in a file it is a mistake.
fn unknown_key(document: &Value) -> Option<(String, String)> {
    let unknown = |path: &str, value: &Value, known: &[&str]| {
        let mut keys = value.as_object()?.keys();
        let key = keys.find(|key| !known.contains(&key.as_str()))?;
        Some((path.to_owned(), key.clone()))
    };
    let part = |key: &str| document.get(key).unwrap_or(&Value::Null);
    unknown("metadata", part("metadata"), &METADATA_KEYS)
        .or_else(|| unknown("ruleSet", part("ruleSet"), &RULE_SET_KEYS))
        .or_else(|| {
            RULE_SET_KEYS.iter().find_map(|list| {
                let rules = part("ruleSet").get(*list)?.as_array()?;
                let mut rules = rules.iter().enumerate();
                rules.find_map(|(index, rule)| unknown(&format!("ruleSet.{list}[{index}]"), rule, &RULE_KEYS))
            })
        })
}

/// Where a key stands for the first time: enough for problems that only the whole document shows.
fn place_of(text: &str, path: &str) -> Option<Position> {
    let key = path.split(['.', '[']).next()?;
    text.lines().enumerate().find_map(|(line, found)| {
        let at = found.match_indices(key).find_map(|(at, _)| {
            let before = found[..at].chars().next_back();
            let rest = found[at + key.len()..].trim_start_matches(['"', '\'']);
            let begins = before.is_none_or(|it| matches!(it, ' ' | '{' | ',' | '"' | '\'' | '-'));
            (begins && rest.trim_start().starts_with(':')).then_some(at)
        })?;
        Some(Position {
            line: line + 1,
            column: found[..at].chars().count() + 1,
        })
    })
}

pub(super) fn write(document: &Document) -> Result<String, DocumentError> {
    write_yaml(document)
}

/// Any value as YAML.
///
/// # Errors
/// If it is larger than a document may be.
pub fn write_yaml<T: serde::Serialize>(value: &T) -> Result<String, DocumentError> {
    let text = serde_saphyr::to_string(value).map_err(|error| DocumentError::new(error.to_string()))?;
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::new(format!(
            "the document would have {} bytes, more than {DOCUMENT_BYTES_MAX}",
            text.len()
        )));
    }
    Ok(text)
}
