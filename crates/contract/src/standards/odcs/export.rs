//! From a contract to ODCS.

use serde_json::{Map, Value, json};

use super::import::{self, list};
use super::{CARRIED, ENGINE, EXTENSION, STATUS, VERSION, properties, service_levels};
use crate::columns::columns;
use crate::document::Document;
use crate::rules::RuleKind;
use crate::standards::StandardError;
use crate::standards::fields;

pub(super) fn value(document: &Document) -> Result<Value, StandardError> {
    let (kept, index) = match import::carried(document) {
        Some((kept, index)) => (kept.clone(), index),
        None => (Map::new(), 0),
    };
    let mut built = Value::Object(fundamentals(document, kept));
    let schema = schema(document, &built, index)?;
    let natural = import::natural(&with_schema(built.clone(), index, schema.clone()), index);
    let rest = fields::rest(document, CARRIED, &natural);
    let mut schema = schema;
    if !rest.is_empty() {
        let mut custom = list(&Value::Object(schema.clone()), "customProperties").to_vec();
        custom.push(json!({
            "property": EXTENSION,
            "value": rest,
            "description": "What Weir keeps of this contract and the standard has no place for.",
        }));
        schema.insert("customProperties".to_owned(), Value::Array(custom));
    }
    built = with_schema(built, index, schema);
    Ok(built)
}

fn with_schema(mut built: Value, index: usize, schema: Map<String, Value>) -> Value {
    if let Value::Object(root) = &mut built {
        let schemas = root.entry("schema").or_insert_with(|| json!([]));
        match schemas.get_mut(index) {
            Some(slot) => *slot = Value::Object(schema),
            None => *schemas = json!([schema]),
        }
    }
    built
}

/// What the standard asks of every document, and what is about all of its schemas.
fn fundamentals(document: &Document, mut root: Map<String, Value>) -> Map<String, Value> {
    let older = Value::Object(root.clone());
    let was = |key: &str| older.get(key).and_then(Value::as_str);
    let mut put = |key: &str, value: Value| root.insert(key.to_owned(), value);
    put(
        "apiVersion",
        was("apiVersion")
            .filter(|it| it.starts_with("v3."))
            .unwrap_or(VERSION)
            .into(),
    );
    put("kind", "DataContract".into());
    put("id", was("id").unwrap_or(&document.subject).into());
    if older.get("name").is_none() && was("id").is_none() {
        put("name", document.subject.as_str().into());
    }
    let version = match (document.version, was("version")) {
        (version, Some(text)) if fields::version(text) == version => text.to_owned(),
        (Some(version), _) => version.to_string(),
        (None, _) => "0".to_owned(),
    };
    put("version", version.into());
    let lifecycle = |word: &str| STATUS.iter().find(|(_, it)| *it == word).and_then(|(it, _)| *it);
    let status = match was("status") {
        Some(word) if lifecycle(word) == document.lifecycle => word,
        _ => STATUS
            .iter()
            .find(|(it, _)| *it == document.lifecycle)
            .map_or("proposed", |(_, word)| word),
    };
    put("status", status.into());
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    fields::put(&mut root, "description", "purpose", text(&document.description));
    fields::put(&mut root, "team", "name", text(&document.owner));
    let entries = service_levels::entries(&document.service_levels, list(&older, "slaProperties"));
    if !entries.is_empty() || older.get("slaProperties").is_some() {
        root.insert("slaProperties".to_owned(), Value::Array(entries));
    }
    root
}

/// The schema object of a contract, over the one that it came from.
fn schema(document: &Document, built: &Value, index: usize) -> Result<Map<String, Value>, StandardError> {
    let older = import::object(built, index);
    let mut schema = older.and_then(Value::as_object).cloned().unwrap_or_default();
    if older.is_none() {
        let topic = fields::topic_of(&document.subject);
        schema.insert("name".to_owned(), topic.into());
        schema.insert("physicalType".to_owned(), "topic".into());
        schema.insert("logicalType".to_owned(), "object".into());
    }
    let untouched = older.is_some() && {
        let natural = import::natural(built, index);
        natural.get("schema").and_then(Value::as_str) == Some(&document.schema)
            && natural.get("schemaType").and_then(Value::as_str) == Some(document.schema_type.as_str())
    };
    if !untouched {
        let columns = columns(&document.parsed_schema()?);
        let older = older.map_or(&[][..], |older| list(older, "properties"));
        let listed = properties::of(&columns, &document.metadata.tags, older);
        if listed.is_empty() {
            schema.remove("properties");
        } else {
            schema.insert("properties".to_owned(), Value::Array(listed));
        }
    }
    let quality = quality(document, older.map_or(&[][..], |older| list(older, "quality")));
    if !quality.is_empty() || schema.contains_key("quality") {
        schema.insert("quality".to_owned(), Value::Array(quality));
    }
    Ok(schema)
}

/// Conditions as checks, behind those that are not of us.
fn quality(document: &Document, older: &[Value]) -> Vec<Value> {
    let mut checks: Vec<Value> = older
        .iter()
        .filter(|check| !import::is_ours(check))
        .cloned()
        .collect();
    let conditions = document.rule_set.domain_rules.iter();
    for rule in conditions.filter(|rule| rule.kind == RuleKind::Condition) {
        let mut check = json!({
            "type": "custom",
            "engine": ENGINE,
            "name": rule.name,
            "implementation": rule,
        });
        if let (Some(doc), Value::Object(check)) = (&rule.doc, &mut check) {
            check.insert("description".to_owned(), doc.as_str().into());
        }
        checks.push(check);
    }
    checks
}
