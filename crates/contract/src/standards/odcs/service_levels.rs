//! `slaProperties` and service levels: numbers are promises that can be compared; everything else is left where it is.

use serde_json::{Map, Value};

use crate::document::ServiceLevel;

/// What of an entry a service level says.
const SAID: [(&str, &str); 5] = [
    ("property", "name"),
    ("value", "value"),
    ("unit", "unit"),
    ("element", "element"),
    ("description", "description"),
];

/// Whether an entry is a service level: a number under a name that no entry before it had for the same element.
fn is_level(entry: &Value, before: &[Value]) -> bool {
    let name = entry.get("property").and_then(Value::as_str);
    let key = |entry: &Value| (entry.get("property").cloned(), entry.get("element").cloned());
    name.is_some_and(|name| !name.trim().is_empty())
        && entry.get("value").is_some_and(Value::is_number)
        && !percent_beyond(entry)
        && !before.iter().any(|other| key(other) == key(entry))
}

/// A percentage that is none.
fn percent_beyond(entry: &Value) -> bool {
    let unit = entry.get("unit").and_then(Value::as_str);
    let value = entry.get("value").and_then(Value::as_f64);
    matches!(unit, Some("%" | "percent")) && !value.is_some_and(|value| (0.0..=100.0).contains(&value))
}

/// The service levels of a list of entries, as members of a document.
pub(super) fn of(entries: &[Value]) -> Vec<Value> {
    let mut levels = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if is_level(entry, &entries[..index]) {
            let members = SAID.iter().filter_map(|(theirs, ours)| {
                let value = entry.get(*theirs)?;
                (value.is_string() || *ours == "value").then(|| ((*ours).to_owned(), value.clone()))
            });
            levels.push(Value::Object(members.collect()));
        }
    }
    levels
}

/// The entries of service levels, those of an older document changed where they are: what it says beside stays.
pub(super) fn entries(levels: &[ServiceLevel], older: &[Value]) -> Vec<Value> {
    let mut left: Vec<&ServiceLevel> = levels.iter().collect();
    let mut entries = Vec::new();
    for (index, entry) in older.iter().enumerate() {
        if !is_level(entry, &older[..index]) {
            entries.push(entry.clone());
            continue;
        }
        let same = |level: &&ServiceLevel| {
            entry.get("property").and_then(Value::as_str) == Some(&level.name)
                && entry.get("element").and_then(Value::as_str) == level.element.as_deref()
        };
        if let Some(found) = left.iter().position(same) {
            entries.push(written(
                left.remove(found),
                entry.as_object().cloned().unwrap_or_default(),
            ));
        }
    }
    entries.extend(left.into_iter().map(|level| written(level, Map::new())));
    entries
}

fn written(level: &ServiceLevel, mut entry: Map<String, Value>) -> Value {
    let ours = match serde_json::to_value(level) {
        Ok(Value::Object(ours)) => ours,
        _ => Map::new(),
    };
    for (theirs, name) in SAID {
        match ours.get(name) {
            Some(value) => {
                entry.insert(theirs.to_owned(), value.clone());
            }
            None => {
                entry.remove(theirs);
            }
        }
    }
    Value::Object(entry)
}
