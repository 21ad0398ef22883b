//! From ODCS to contracts.

use serde_json::{Map, Value, json};

use super::{CARRIED, ENGINE, EXTENSION, STATUS, export, properties, service_levels};
use crate::document::Document;
use crate::standards::StandardError;
use crate::standards::fields::{self, Fields};

pub(super) fn contracts(value: &Value) -> Result<Vec<Document>, StandardError> {
    let version = value
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !version.starts_with("v3.") {
        return Err(StandardError::Version {
            standard: "ODCS",
            version: version.chars().take(40).collect(),
            remedy: "bring it to v3.1.0",
        });
    }
    if value.get("kind").and_then(Value::as_str) != Some("DataContract") {
        return Err(StandardError::shape("/kind", "is not DataContract"));
    }
    let schemas = match value.get("schema") {
        Some(Value::Array(schemas)) if !schemas.is_empty() => schemas,
        _ => {
            return Err(StandardError::shape(
                "/schema",
                "is missing or empty; a contract is about a schema",
            ));
        }
    };
    fields::admit(value, schemas.len(), "/schema")?;
    (0..schemas.len()).map(|index| contract(value, index)).collect()
}

fn contract(value: &Value, index: usize) -> Result<Document, StandardError> {
    let path = format!("/schema/{index}");
    let schema = object(value, index).ok_or_else(|| StandardError::shape(path.as_str(), "is no object"))?;
    if fields::text(schema, "name").is_none() {
        return Err(StandardError::shape(path, "has no name"));
    }
    let natural = natural(value, index);
    let merged = match extension(schema) {
        Some(rest) => fields::with_rest(natural, rest),
        None => natural,
    };
    let mut document = fields::document(merged, &path)?;
    // A document that says nothing beyond the contract need not be kept.
    if export::value(&document).as_ref() != Ok(value) {
        let mut kept = value.clone();
        without_extension(&mut kept, index);
        document
            .carried
            .insert(CARRIED.to_owned(), json!({"schema": index, "document": kept}));
    }
    Ok(document)
}

pub(super) fn object(value: &Value, index: usize) -> Option<&Value> {
    value
        .get("schema")?
        .get(index)
        .filter(|schema| schema.is_object())
}

/// A list of an object; none where it is something else.
pub(super) fn list<'v>(object: &'v Value, key: &str) -> &'v [Value] {
    match object.get(key) {
        Some(Value::Array(list)) => list,
        _ => &[],
    }
}

fn is_extension(property: &Value) -> bool {
    property.get("property").and_then(Value::as_str) == Some(EXTENSION)
}

fn extension(schema: &Value) -> Option<&Fields> {
    let custom = list(schema, "customProperties");
    custom
        .iter()
        .find(|it| is_extension(it))?
        .get("value")?
        .as_object()
}

/// Takes the extension out, and the list that it stood in alone.
fn without_extension(value: &mut Value, index: usize) {
    let schema = value
        .get_mut("schema")
        .and_then(|schemas| schemas.get_mut(index))
        .and_then(Value::as_object_mut);
    let Some(schema) = schema else { return };
    if let Some(Value::Array(custom)) = schema.get_mut("customProperties") {
        let before = custom.len();
        custom.retain(|it| !is_extension(it));
        if custom.is_empty() && before > 0 {
            schema.remove("customProperties");
        }
    }
}

/// What the standard's own places say of a contract.
pub(super) fn natural(value: &Value, index: usize) -> Fields {
    let mut natural = Fields::new();
    let Some(schema) = object(value, index) else {
        return natural;
    };
    let topic = fields::text(schema, "physicalName").or_else(|| fields::text(schema, "name"));
    let mut put = |key: &str, value: Value| natural.insert(key.to_owned(), value);
    put("subject", format!("{}-value", topic.unwrap_or_default()).into());
    put("schemaType", "JSON".into());
    let listed = list(schema, "properties");
    put("schema", properties::schema(listed).to_string().into());
    let tags = properties::tags(listed);
    if !tags.is_empty() {
        put("metadata", json!({ "tags": tags }));
    }
    if let Some(version) = fields::text(value, "version").and_then(fields::version) {
        put("version", version.into());
    }
    if let Some(purpose) = value
        .get("description")
        .and_then(|it| fields::text(it, "purpose"))
    {
        put("description", purpose.into());
    }
    if let Some(owner) = value.get("team").and_then(|team| fields::text(team, "name")) {
        put("owner", owner.into());
    }
    let status = value.get("status").and_then(Value::as_str);
    let lifecycle = STATUS.iter().find(|(_, word)| Some(*word) == status);
    if let Some((Some(lifecycle), _)) = lifecycle {
        put("lifecycle", lifecycle.as_str().into());
    }
    let levels = service_levels::of(list(value, "slaProperties"));
    if !levels.is_empty() {
        put("serviceLevels", Value::Array(levels));
    }
    let rules = rules(list(schema, "quality"));
    if !rules.is_empty() {
        put("ruleSet", json!({ "domainRules": rules }));
    }
    natural
}

/// Whether a check was made of a condition.
pub(super) fn is_ours(check: &Value) -> bool {
    check.get("engine").and_then(Value::as_str) == Some(ENGINE)
        && check.get("implementation").is_some_and(Value::is_object)
}

fn rules(quality: &[Value]) -> Vec<Value> {
    let ours = quality.iter().filter(|check| is_ours(check));
    ours.filter_map(|check| check.get("implementation").cloned())
        .collect()
}

/// The document that a contract came from, and which of its schemas it is.
pub(super) fn carried(document: &Document) -> Option<(&Map<String, Value>, usize)> {
    let carried = document.carried.get(CARRIED)?;
    let index = carried.get("schema")?.as_u64()?;
    let index = usize::try_from(index).ok()?;
    let kept = carried.get("document")?.as_object()?;
    object(carried.get("document")?, index)?;
    Some((kept, index))
}
