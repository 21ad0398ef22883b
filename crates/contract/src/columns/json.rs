//! Properties of JSON Schemas, as far as they are declared where one looks: behind `$ref`, not in combined subschemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Column, ColumnKind, Left, Shape};
use crate::json::JsonSchema;
use crate::json::address::escape;
use crate::json::refs::{Library, Place, Target};
use crate::value::INLINE_TAGS;

/// How many `$ref`s lead from one to the next.
const REFERENCES_MAX: usize = 16;

pub(super) fn columns(schema: &JsonSchema, left: Left) -> Vec<Column> {
    let Ok(library) = Library::new(&schema.document, schema.draft, &schema.references) else {
        return Vec::new();
    };
    let root = Place {
        document: 0,
        pointer: String::new(),
    };
    let mut walk = Walk {
        library: &library,
        left,
    };
    walk.shape(root, "$").columns
}

struct Walk<'w> {
    library: &'w Library<'w>,
    left: Left,
}

fn below(place: &Place, tokens: &[&str]) -> Place {
    let mut pointer = place.pointer.clone();
    for token in tokens {
        pointer.push('/');
        pointer.push_str(&escape(token));
    }
    Place {
        document: place.document,
        pointer,
    }
}

impl<'w> Walk<'w> {
    /// The schema at a place, or where its `$ref` leads.
    fn schema(&self, mut place: Place) -> Option<(Place, &'w Map<String, Value>)> {
        for _reference in 0..REFERENCES_MAX {
            let schema = self.library.at(&place)?.as_object()?;
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return Some((place, schema));
            };
            let Ok(Target::Here(target)) = self.library.follow(&place, reference) else {
                return None;
            };
            place = target;
        }
        None
    }

    fn shape(&mut self, place: Place, path: &str) -> Shape {
        let Some((place, schema)) = self.schema(place) else {
            return Shape::default();
        };
        match kind(schema) {
            Some(ColumnKind::Object) => Shape {
                columns: self.properties(&place, schema, path),
                ..Shape::of(ColumnKind::Object)
            },
            Some(ColumnKind::Array) => {
                let items = schema.get("items").is_some_and(Value::is_object);
                let inner = if items && self.left.depth > 0 {
                    self.left.depth -= 1;
                    let inner = self.shape(below(&place, &["items"]), path);
                    self.left.depth += 1;
                    inner
                } else {
                    Shape::default()
                };
                inner.many()
            }
            kind => Shape {
                kind,
                ..Shape::default()
            },
        }
    }

    fn properties(&mut self, place: &Place, schema: &'w Map<String, Value>, path: &str) -> Vec<Column> {
        let Some(Value::Object(properties)) = schema.get("properties") else {
            return Vec::new();
        };
        let required: BTreeSet<&str> = match schema.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let mut names: Vec<&String> = properties.keys().collect();
        names.sort();
        let mut columns = Vec::new();
        for name in names {
            if !self.left.take() {
                break;
            }
            let full_name = format!("{path}.{name}");
            let place = below(place, &["properties", name]);
            let found = self.schema(place.clone());
            let (physical, doc, nullable) = found.as_ref().map_or_else(
                || ("any".to_owned(), None, true),
                |(_place, schema)| (word(schema), text(schema, "description"), admits_null(schema)),
            );
            let tags = found.map(|(_place, schema)| tags(schema)).unwrap_or_default();
            self.left.depth -= 1;
            let shape = self.shape(place, &full_name);
            self.left.depth += 1;
            columns.push(Column {
                name: name.clone(),
                full_name,
                kind: shape.kind(),
                physical,
                required: required.contains(name.as_str()) && !nullable,
                doc,
                tags,
                columns: shape.columns,
                items: shape.items,
            });
        }
        columns
    }
}

fn text(schema: &Map<String, Value>, keyword: &str) -> Option<String> {
    schema.get(keyword).and_then(Value::as_str).map(str::to_owned)
}

fn tags(schema: &Map<String, Value>) -> BTreeSet<String> {
    let tags = schema
        .get(INLINE_TAGS)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    tags.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The names of `type` but null.
fn types(schema: &Map<String, Value>) -> Vec<&str> {
    let named = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.contains_key("properties") => vec!["object"],
        _ => Vec::new(),
    };
    named.into_iter().filter(|name| *name != "null").collect()
}

fn admits_null(schema: &Map<String, Value>) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        _ => !schema.contains_key("properties"),
    }
}

fn kind(schema: &Map<String, Value>) -> Option<ColumnKind> {
    let format = schema.get("format").and_then(Value::as_str);
    Some(match (types(schema).as_slice(), format) {
        (["string"], Some("date")) => ColumnKind::Date,
        (["string"], Some("date-time")) => ColumnKind::Timestamp,
        (["string"], Some("time")) => ColumnKind::Time,
        (["string"], _) => ColumnKind::String,
        (["number"] | ["integer", "number"] | ["number", "integer"], _) => ColumnKind::Number,
        (["integer"], _) => ColumnKind::Integer,
        (["boolean"], _) => ColumnKind::Boolean,
        (["object"], _) => ColumnKind::Object,
        (["array"], _) => ColumnKind::Array,
        _ => return None,
    })
}

fn word(schema: &Map<String, Value>) -> String {
    let types = types(schema);
    if types.is_empty() {
        "any".to_owned()
    } else {
        types.join("|")
    }
}
