//! From a contract to AsyncAPI.

use serde_json::{Map, Value, json};

use super::import::{self, Spot};
use super::refs::{placed, pointer};
use super::{CARRIED, EXTENSION, VERSION};
use crate::document::{Document, Lifecycle};
use crate::json::{Draft, draft_of};
use crate::schema::Format;
use crate::standards::StandardError;
use crate::standards::fields;

pub(super) fn value(document: &Document) -> Result<Value, StandardError> {
    let (mut root, spot) = match import::carried(document) {
        Some((kept, spot)) => (kept.clone(), spot),
        None => made(document),
    };
    information(document, &mut root);
    let mut built = Value::Object(root);
    let Some((at, _)) = spot.find(&built) else {
        return Err(StandardError::shape(
            "/channels",
            "the message is not there any more",
        ));
    };
    let untouched = import::natural(&built, &spot).is_ok_and(|natural| {
        natural.get("schema").and_then(Value::as_str) == Some(&document.schema)
            && natural.get("schemaType").and_then(Value::as_str) == Some(document.schema_type.as_str())
    });
    let written = if untouched {
        None
    } else {
        Some(payload(document, &at)?)
    };
    if let Some(Value::Object(message)) = built.pointer_mut(&at) {
        about(document, message);
        if let Some(written) = written {
            message.insert("payload".to_owned(), written);
        }
    }
    let natural = import::natural(&built, &spot)?;
    let rest = fields::rest(document, CARRIED, &natural);
    if !rest.is_empty()
        && let Some(Value::Object(message)) = built.pointer_mut(&at)
    {
        message.insert(EXTENSION.to_owned(), Value::Object(rest));
    }
    Ok(built)
}

/// A document with one channel and its message, still without a payload.
fn made(document: &Document) -> (Map<String, Value>, Spot) {
    let topic = fields::topic_of(&document.subject);
    let spot = Spot {
        channel: key(topic),
        message: key(&document.subject),
    };
    let content_type = match document.schema_type {
        Format::Avro => "application/vnd.apache.avro",
        Format::Json => "application/json",
        Format::Protobuf => "application/x-protobuf",
    };
    let message = json!({
        "name": document.subject,
        "contentType": content_type,
        "bindings": {"kafka": {"schemaIdLocation": "payload", "bindingVersion": "0.5.0"}},
    });
    let at = format!("#{}", pointer(&["components", "messages", &spot.message]));
    let channel = json!({"address": topic, "messages": {&spot.message: {"$ref": at}}});
    let root = json!({
        "asyncapi": VERSION,
        "info": {"title": document.subject},
        "channels": {&spot.channel: channel},
        "components": {"messages": {&spot.message: message}},
    });
    match root {
        Value::Object(root) => (root, spot),
        _ => (Map::new(), spot),
    }
}

/// A key of `components`: letters, digits, `.`, `-` and `_`.
fn key(name: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
    name.chars().map(|it| if plain(it) { it } else { '_' }).collect()
}

fn information(document: &Document, root: &mut Map<String, Value>) {
    let mut info = match root.get("info") {
        Some(Value::Object(info)) => info.clone(),
        _ => Map::new(),
    };
    let was = info.get("version").and_then(Value::as_str);
    let version = match (document.version, was) {
        (version, Some(text)) if fields::version(text) == version => text.to_owned(),
        (Some(version), _) => version.to_string(),
        (None, _) => "0".to_owned(),
    };
    info.insert("version".to_owned(), version.into());
    info.entry("title")
        .or_insert_with(|| document.subject.as_str().into());
    let owner = document.owner.as_deref().map(Value::from);
    fields::put(&mut info, "contact", "name", owner);
    root.insert("info".to_owned(), Value::Object(info));
}

fn about(document: &Document, message: &mut Map<String, Value>) {
    match &document.description {
        Some(description) => {
            message.insert("description".to_owned(), description.as_str().into());
        }
        None => {
            message.remove("description");
        }
    }
    let is_deprecated = message.get("deprecated") == Some(&Value::Bool(true));
    match (document.lifecycle == Some(Lifecycle::Deprecated), is_deprecated) {
        (true, false) => {
            message.insert("deprecated".to_owned(), Value::Bool(true));
        }
        (false, true) => {
            message.remove("deprecated");
        }
        _ => {}
    }
}

/// The schema in its own language ("Multi Format Schema Object").
fn payload(document: &Document, message: &str) -> Result<Value, StandardError> {
    // Whoever reads it should be able to: what is no schema is not written.
    let schema = document.parsed_schema()?;
    let text = &document.schema;
    let parsed = || serde_json::from_str(text).unwrap_or_else(|_error| Value::String(text.clone()));
    let at = format!("{message}/payload/schema");
    let (named, schema) = match document.schema_type {
        Format::Avro => {
            // With name spaces beside names, as AsyncAPI's own schema of Avro wants them.
            let schema = serde_json::from_str(&schema.stored()).unwrap_or_else(|_error| parsed());
            let version = if is_plain_avro(&schema) { "1.9.0" } else { "1.12.0" };
            (
                format!("application/vnd.apache.avro+json;version={version}"),
                schema,
            )
        }
        Format::Protobuf => {
            let named = "application/vnd.google.protobuf;version=3".to_owned();
            (named, Value::String(text.clone()))
        }
        Format::Json => {
            let schema = parsed();
            let draft = draft_of(&schema).ok().flatten().unwrap_or(Draft::Draft7);
            let named = format!("application/schema+json;version={}", version_of(draft));
            (named, placed(schema, &at))
        }
    };
    Ok(json!({"schemaFormat": named, "schema": schema}))
}

/// Whether a schema is among those that AsyncAPI's schema of Avro 1.9 describes: it has no aliases with name spaces, no errors and
/// no empty unions.
fn is_plain_avro(schema: &Value) -> bool {
    match schema {
        Value::Array(branches) => !branches.is_empty() && branches.iter().all(is_plain_avro),
        Value::Object(members) => {
            let dotted = |name: &Value| name.as_str().is_some_and(|name| name.contains('.'));
            let list = |key: &str| members.get(key).and_then(Value::as_array).into_iter().flatten();
            let kind = members.get("type");
            kind != Some(&Value::from("error"))
                && !members.get("name").is_some_and(dotted)
                && !list("aliases").any(dotted)
                && ["items", "values"]
                    .iter()
                    .filter_map(|key| members.get(*key))
                    .chain(kind)
                    .all(is_plain_avro)
                && list("fields").all(is_plain_avro)
        }
        _ => true,
    }
}

const fn version_of(draft: Draft) -> &'static str {
    match draft {
        Draft::Draft4 => "draft-04",
        Draft::Draft6 => "draft-06",
        Draft::Draft7 => "draft-07",
        Draft::Draft201909 => "draft-2019-09",
        Draft::Draft202012 => "draft-2020-12",
    }
}
