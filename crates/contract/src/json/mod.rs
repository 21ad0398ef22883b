//! JSON Schemas: reading them, and the text that is kept of them.

use serde_json::Value;

use crate::error::SchemaError;
use crate::limits::Limits;
use crate::schema::NamedSource;

/// A draft of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draft {
    /// draft-zyp-json-schema-04
    Draft4,
    /// draft-wright-json-schema-01
    Draft6,
    /// draft-handrews-json-schema-01
    Draft7,
    /// draft-handrews-json-schema-02
    Draft201909,
    /// draft-bhutton-json-schema-00
    Draft202012,
}

/// A JSON Schema with what it refers to.
#[derive(Debug, Clone)]
pub struct JsonSchema {
    /// The schema as JSON.
    pub(crate) document: Value,
    /// Which draft it is of: by `$schema`, else draft 7, as the field's registry does.
    pub(crate) draft: Draft,
    /// What its `$ref`s may name beside itself: name and document.
    pub(crate) references: Vec<(String, Value)>,
}
