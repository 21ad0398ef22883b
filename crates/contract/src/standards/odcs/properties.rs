//! `schema[].properties`: made of a schema's columns, and a JSON Schema made of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::columns::{Column, ColumnKind};

/// Levels of properties that are read.
const DEPTH_MAX: usize = 30;

/// Options of logical types that mean the same in JSON Schema (ODCS, "Logical Type Options").
const OPTIONS: [(&str, &str); 13] = [
    ("minLength", "minLength"),
    ("maxLength", "maxLength"),
    ("pattern", "pattern"),
    ("minimum", "minimum"),
    ("maximum", "maximum"),
    ("exclusiveMinimum", "exclusiveMinimum"),
    ("exclusiveMaximum", "exclusiveMaximum"),
    ("multipleOf", "multipleOf"),
    ("minItems", "minItems"),
    ("maxItems", "maxItems"),
    ("uniqueItems", "uniqueItems"),
    ("minProperties", "minProperties"),
    ("maxProperties", "maxProperties"),
];

/// The properties of columns, with the tags that are put on exactly them. What older ones of the same name say beyond that is kept.
pub(super) fn of(
    columns: &[Column],
    tags: &BTreeMap<String, BTreeSet<String>>,
    older: &[Value],
) -> Vec<Value> {
    let property = |column: &Column| {
        let named = |value: &&Value| value.get("name").and_then(Value::as_str) == Some(&column.name);
        let before = older.iter().find(named).and_then(Value::as_object);
        let mut property = before.cloned().unwrap_or_default();
        let inner = of(&column.columns, tags, list(before, "properties"));
        put(&mut property, "name", Some(column.name.as_str().into()));
        put(&mut property, "logicalType", column.kind.as_str().map(Into::into));
        put(
            &mut property,
            "physicalType",
            Some(column.physical.as_str().into()),
        );
        put(
            &mut property,
            "required",
            column.required.then_some(Value::Bool(true)),
        );
        if let Some(doc) = &column.doc {
            put(&mut property, "description", Some(doc.as_str().into()));
        }
        if let Some(tags) = tags.get(&column.full_name).filter(|tags| !tags.is_empty()) {
            put(&mut property, "tags", Some(json!(tags)));
        }
        if let Some(items) = column.items {
            let mut of_items = Map::new();
            put(&mut of_items, "logicalType", items.as_str().map(Into::into));
            // Of lists within lists nobody knows here how deep they go, and the standard has properties of objects alone.
            if !inner.is_empty() && items == ColumnKind::Object {
                put(&mut of_items, "properties", Some(Value::Array(inner)));
            }
            put(&mut property, "items", Some(Value::Object(of_items)));
        } else if !inner.is_empty() {
            put(&mut property, "properties", Some(Value::Array(inner)));
        }
        Value::Object(property)
    };
    columns.iter().map(property).collect()
}

fn put(object: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            object.insert(key.to_owned(), value);
        }
        None => {
            object.remove(key);
        }
    }
}

fn list<'v>(object: Option<&'v Map<String, Value>>, key: &str) -> &'v [Value] {
    match object.and_then(|object| object.get(key)) {
        Some(Value::Array(list)) => list,
        _ => &[],
    }
}

/// A JSON Schema of properties: what is not required may be missing or null, and other fields are allowed.
pub(super) fn schema(properties: &[Value]) -> Value {
    object(properties, DEPTH_MAX)
}

fn object(properties: &[Value], depth: usize) -> Value {
    let mut members = Map::new();
    let mut required = Vec::new();
    for property in properties {
        let Some(name) = property.get("name").and_then(Value::as_str) else {
            continue;
        };
        let is_required = property.get("required") == Some(&Value::Bool(true));
        if is_required && !members.contains_key(name) {
            required.push(Value::from(name));
        }
        members.insert(name.to_owned(), of_property(property, is_required, depth));
    }
    let mut schema = Map::from_iter([("type".to_owned(), Value::from("object"))]);
    if !members.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(members));
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    Value::Object(schema)
}

fn of_property(property: &Value, required: bool, depth: usize) -> Value {
    let logical = property.get("logicalType").and_then(Value::as_str);
    let (word, format) = match logical {
        Some("date") => ("string", Some("date")),
        Some("timestamp") => ("string", Some("date-time")),
        Some("time") => ("string", Some("time")),
        Some(word @ ("string" | "number" | "integer" | "boolean" | "object" | "array")) => (word, None),
        // Of an unknown type, as of none, nothing is said.
        _ => ("", None),
    };
    let mut schema = match (word, property.get("properties"), property.get("items")) {
        ("object", Some(Value::Array(inner)), _) if depth > 0 => into_object(object(inner, depth - 1)),
        ("array", _, Some(items)) if depth > 0 => {
            let items = of_property(items, true, depth - 1);
            Map::from_iter([("items".to_owned(), items)])
        }
        _ => Map::new(),
    };
    if !word.is_empty() {
        let types = if required {
            Value::from(word)
        } else {
            json!([word, "null"])
        };
        schema.insert("type".to_owned(), types);
    }
    if let Some(format) = format {
        schema.insert("format".to_owned(), format.into());
    }
    let options = property.get("logicalTypeOptions");
    // Options of dates are dates and no numbers or lengths.
    for (theirs, ours) in OPTIONS.iter().filter(|_option| format.is_none()) {
        if let Some(value) = options.and_then(|options| options.get(*theirs)) {
            schema.insert((*ours).to_owned(), value.clone());
        }
    }
    if let Some(description) = property.get("description").and_then(Value::as_str) {
        schema.insert("description".to_owned(), description.into());
    }
    Value::Object(schema)
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The tags of properties, by the names that a JSON Schema's fields have.
pub(super) fn tags(properties: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut tags = BTreeMap::new();
    gather(properties, "$", DEPTH_MAX, &mut tags);
    tags
}

fn gather(properties: &[Value], path: &str, depth: usize, tags: &mut BTreeMap<String, BTreeSet<String>>) {
    for property in properties {
        let Some(name) = property.get("name").and_then(Value::as_str) else {
            continue;
        };
        let path = format!("{path}.{name}");
        let found: BTreeSet<String> = match property.get("tags") {
            Some(Value::Array(words)) => words
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => BTreeSet::new(),
        };
        if !found.is_empty() {
            tags.insert(path.clone(), found);
        }
        if depth > 0 {
            for holder in [Some(property), property.get("items")].into_iter().flatten() {
                gather(list(holder.as_object(), "properties"), &path, depth - 1, tags);
            }
        }
    }
}
