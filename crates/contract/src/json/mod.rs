//! JSON Schemas: reading them, and the text that is kept of them.

pub(crate) mod address;
mod build;
mod check;
pub(crate) mod refs;
pub(crate) mod shape;

use std::sync::Arc;

use serde_json::Value;

use crate::error::SchemaError;
use crate::limits::Limits;
use crate::schema::NamedSource;
use crate::text::{self, Json, Node, Writing};
use refs::Library;

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

impl Draft {
    /// By `$schema`. `None` for a meta-schema that is none of the five: a vocabulary of one's own cannot be enforced.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let path = uri
            .trim_end_matches('#')
            .split_once("://")
            .map_or(uri, |(_, path)| path);
        Some(match path {
            "json-schema.org/draft-04/schema" => Self::Draft4,
            "json-schema.org/draft-06/schema" => Self::Draft6,
            "json-schema.org/draft-07/schema" | "json-schema.org/schema" => Self::Draft7,
            "json-schema.org/draft/2019-09/schema" => Self::Draft201909,
            "json-schema.org/draft/2020-12/schema" => Self::Draft202012,
            _ => return None,
        })
    }

    /// The keyword that names a schema.
    pub(crate) const fn id_keyword(self) -> &'static str {
        match self {
            Self::Draft4 => "id",
            _ => "$id",
        }
    }

    /// Whether keywords beside a `$ref` count.
    pub(crate) fn has_siblings_of_ref(self) -> bool {
        self >= Self::Draft201909
    }
}

impl From<Draft> for jsonschema::Draft {
    fn from(draft: Draft) -> Self {
        match draft {
            Draft::Draft4 => Self::Draft4,
            Draft::Draft6 => Self::Draft6,
            Draft::Draft7 => Self::Draft7,
            Draft::Draft201909 => Self::Draft201909,
            Draft::Draft202012 => Self::Draft202012,
        }
    }
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
    /// The schema as it was written, for its text.
    written: Arc<Node>,
    /// For comparisons.
    pub(crate) shapes: Arc<shape::Shapes>,
}

impl JsonSchema {
    /// Reads a schema and what it refers to.
    ///
    /// # Errors
    /// The first fault, with a JSON pointer and, where it is the text's, its place.
    pub fn parse(text: &str, references: &[NamedSource], limits: &Limits) -> Result<Self, SchemaError> {
        let written = document(text, limits)?;
        let value = written.to_value();
        let draft = draft_of(&value)?.unwrap_or(Draft::Draft7);
        let mut documents = Vec::with_capacity(references.len());
        for reference in references {
            let node = document(&reference.text, limits).map_err(|error| error.in_source(&reference.name))?;
            documents.push((reference.name.clone(), node.to_value()));
        }
        let library = Library::new(&value, draft, &documents)?;
        check::schema(&library, limits)?;
        let shapes = shape::Shapes::build(&library, limits)?;
        Ok(Self {
            draft,
            references: documents,
            written: Arc::new(written),
            shapes: Arc::new(shapes),
            document: value,
        })
    }

    /// The text that is kept: without spaces, in the order in which it was written.
    pub fn stored(&self) -> String {
        self.print(Writing::Kept)
    }

    /// The text of `normalize=true`: keys in order.
    pub fn normalized(&self) -> String {
        self.print(Writing::Sorted)
    }

    /// The `title`: what record-name strategies make subjects of.
    pub fn title(&self) -> Option<&str> {
        self.document.get("title").and_then(Value::as_str)
    }

    fn print(&self, writing: Writing) -> String {
        let mut out = String::new();
        text::write(&mut out, &self.written, writing);
        out
    }
}

fn document(text: &str, limits: &Limits) -> Result<Node, SchemaError> {
    let node = text::read(text, limits.json_bounds())?;
    match node.json {
        Json::Object(_) | Json::Bool(_) => Ok(node),
        _ => Err(SchemaError::invalid(
            "",
            format!("a JSON Schema is an object or a boolean, not {}", node.sort()),
        )),
    }
}

pub(crate) fn draft_of(document: &Value) -> Result<Option<Draft>, SchemaError> {
    match document.get("$schema") {
        None => Ok(None),
        Some(Value::String(uri)) => Draft::from_uri(uri).map(Some).ok_or_else(|| {
            SchemaError::invalid(
                "/$schema",
                format!("{uri:?} is none of the drafts 4, 6, 7, 2019-09 and 2020-12 of JSON Schema"),
            )
        }),
        Some(_) => Err(SchemaError::invalid("/$schema", "`$schema` must be a string")),
    }
}
