//! JSON records: read, and validated by their schema.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;

use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

use super::paths::Paths;
use super::plain::Plain;
use super::{Violation, ViolationKind};
use crate::error::SchemaError;
use crate::json::JsonSchema;
use crate::limits::Limits;

/// Names in a path that are longer are cut.
const NAME_CHARACTERS_MAX: usize = 100;

/// A schema, compiled.
#[derive(Debug)]
pub(super) struct JsonReader {
    validator: Validator,
    /// Names of properties that stand in the schema: the only ones that a path may say.
    names: HashSet<String>,
    /// For schemas that could take exponential time.
    paths: Option<Paths>,
    /// For schemas that need no value.
    plain: Option<Plain>,
}

impl JsonReader {
    pub fn new(schema: &JsonSchema) -> Result<Self, SchemaError> {
        let limits = Limits::DEFAULT;
        let patterns = PatternOptions::regex()
            .size_limit(limits.pattern_bytes)
            .dfa_size_limit(limits.pattern_bytes);
        let validator = jsonschema::options()
            .with_draft(schema.draft.into())
            .with_pattern_options(patterns)
            // `format` describes and does not test, as the specification has it since 2019-09; see docs/rules.md.
            .should_validate_formats(false)
            .with_base_uri("weir:///")
            .with_retriever(Given {
                references: schema.references.clone().into(),
            })
            .build(&schema.document)
            .map_err(|error| {
                SchemaError::invalid(error.instance_path().to_string(), error.masked().to_string())
            })?;
        let mut names = HashSet::new();
        gather(&schema.document, &mut names);
        for (_name, reference) in &schema.references {
            gather(reference, &mut names);
        }
        Ok(Self {
            validator,
            names,
            paths: Paths::of(schema),
            plain: Plain::of(&schema.document, schema.draft),
        })
    }

    /// Whether the schema names a property like this.
    pub fn knows(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a text is a record that the schema has nothing against, as far as that is told without a value.
    pub fn admits(&self, payload: &[u8]) -> bool {
        self.plain.as_ref().is_some_and(|it| it.admits(payload))
    }

    /// What the schema says against a value.
    pub fn violation(&self, value: &Value, payload_bytes: usize) -> Option<Violation> {
        if self
            .paths
            .as_ref()
            .is_some_and(|paths| !paths.admit(value, payload_bytes))
        {
            let reason = "the schema would take more steps than a record of this size may".to_owned();
            return Some(Violation::of_schema(
                ViolationKind::Cost,
                String::new(),
                reason,
                None,
            ));
        }
        if self.validator.is_valid(value) {
            return None;
        }
        Some(match self.validator.validate(value) {
            Ok(()) => {
                let reason = "the record does not satisfy its schema".to_owned();
                Violation::of_schema(ViolationKind::Schema, String::new(), reason, None)
            }
            Err(error) => self.told(&error),
        })
    }

    fn told(&self, error: &ValidationError<'_>) -> Violation {
        let path = self.path(error);
        let keyword = error.kind().keyword();
        let schema_path: String = error.schema_path().to_string().chars().take(300).collect();
        let place = if path.is_empty() {
            "the record".to_owned()
        } else {
            format!("`{path}`")
        };
        let reason = format!("{place} does not satisfy `{keyword}` of the schema, at {schema_path}");
        let detail = error.to_string().chars().take(2000).collect();
        Violation::of_schema(ViolationKind::Schema, path, reason, Some(detail))
    }

    /// The place in the record. A key that the schema does not name is part of the record and not told.
    fn path(&self, error: &ValidationError<'_>) -> String {
        let mut path = String::new();
        for token in error.instance_path().to_string().split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            if token.bytes().all(|it| it.is_ascii_digit()) && !self.names.contains(&token) {
                path.push_str("[]");
                continue;
            }
            if !path.is_empty() {
                path.push('.');
            }
            if self.names.contains(&token) {
                path.extend(token.chars().take(NAME_CHARACTERS_MAX));
            } else {
                path.push('*');
            }
        }
        path
    }
}

/// Names under `properties` and in `required`, wherever they stand.
fn gather(schema: &Value, names: &mut HashSet<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| gather(item, names)),
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| gather(member, names));
        }
        _ => {}
    }
}

/// References that were handed in; nothing else is ever got from anywhere.
struct Given {
    references: Arc<[(String, Value)]>,
}

impl Retrieve for Given {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let uri = uri.as_str().trim_end_matches('#');
        let relative = |name: &str| {
            uri.strip_suffix(name.trim_start_matches("./").trim_start_matches('/'))
                .is_some_and(|it| it.ends_with('/'))
        };
        let exact = self.references.iter().find(|(name, _)| name == uri);
        let found = exact.or_else(|| self.references.iter().find(|(name, _)| relative(name)));
        found
            .map(|(_name, value)| value.clone())
            .ok_or_else(|| "schemas are not fetched".into())
    }
}
