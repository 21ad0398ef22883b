//! A contract as a file: what the registry keeps of a subject, and what people promise beside it, in one document.
//!
//! Names are those of the Schema Registry API (`subject`, `schemaType`, `schema`, `references`, `metadata`, `ruleSet`) and of
//! Weir's own (`owner`, `classification`, `serviceLevels`, ...). Nothing here opens a file: whoever read the document resolves
//! `file:` in it before the contract is compiled.

mod check;
mod compiled;
mod registered;
mod text;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

pub use check::DocumentProblem;
pub use compiled::DocumentCompileError;
pub use registered::{CLASSIFICATION, DESCRIPTION, LIFECYCLE, OWNER, Registered, SERVICE_LEVEL};
pub use text::{DOCUMENT_BYTES_MAX, DocumentError, read_value, write_yaml};
pub use words::{Classification, Enforcement, Lifecycle};

use crate::compatibility::Level;
use crate::rules::{Metadata, RuleSet};
use crate::schema::Format;

/// Before a path from which a schema's text is to be taken.
const FILE: &str = "file:";

/// A contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// The subject of the registry that it is registered under: `<topic>-value` by the usual strategy.
    pub subject: String,
    /// Which version of the subject it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The team that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// Who may see the records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// Which versions must be able to read which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<Level>,
    /// What happens to a record that breaks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<Enforcement>,
    /// The language of the schema; AVRO where it is missing, as in the registry's API.
    #[serde(default)]
    pub schema_type: Format,
    /// The schema's text, or `file:` and a path beside the document.
    pub schema: String,
    /// What the schema refers to, dependencies first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Tags by path of fields, properties.
    #[serde(default, skip_serializing_if = "is_default")]
    pub metadata: Metadata,
    /// The rules.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rule_set: RuleSet,
    /// What is promised of the stream as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_levels: Vec<ServiceLevel>,
    /// Documents of other standards that this one was imported from, by standard: what has no place here is kept there, and
    /// stands in an export again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carried: BTreeMap<String, Value>,
}

/// Another schema that this one refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// How the schema names it: a full name in Avro, an import path in Protobuf, what stands in `$ref` in JSON Schema.
    pub name: String,
    /// The subject that it is registered under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Its version there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Its text, or `file:` and a path; needed to judge records and to compare, for nothing is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// One promise about the stream: how fresh, how complete, how available it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceLevel {
    /// `freshness`, `completeness`, `availability`, or any other of the Open Data Contract Standard's words.
    pub name: String,
    /// How much.
    pub value: Number,
    /// Of what: `percent`; `ms`, `s`, `m`, `h`, `d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The field that it is about; all of the stream where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Document {
    /// Reads a document: YAML 1.2, or JSON where it begins with `{`.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        text::read(text)
    }

    /// The document as YAML.
    ///
    /// # Errors
    /// If it is larger than a document may be.
    pub fn to_yaml(&self) -> Result<String, DocumentError> {
        text::write(self)
    }

    /// The texts that a schema may stand in: that of the document, then those of its references.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let references = self
            .references
            .iter_mut()
            .filter_map(|reference| reference.schema.as_mut());
        std::iter::once(&mut self.schema).chain(references)
    }
}

/// The path behind `file:`, if that is what a text is.
pub fn file_of(text: &str) -> Option<&str> {
    let path = text.trim().strip_prefix(FILE)?;
    (!path.contains('\n')).then_some(path)
}
