//! A contract as the members of its document, and what two standards do alike with them.

use serde_json::{Map, Value};

use super::StandardError;
use crate::document::{Document, DocumentProblem};

/// Values that all contracts of a document may keep of it.
const KEPT_MAX: usize = 2_000_000;

/// Members of Weir's own document.
pub(super) type Fields = Map<String, Value>;

/// The members of a contract, without the document of this standard that it came from.
fn of(document: &Document, standard: &str) -> Fields {
    let mut fields = match serde_json::to_value(document) {
        Ok(Value::Object(fields)) => fields,
        _ => Fields::new(),
    };
    if let Some(Value::Object(carried)) = fields.get_mut("carried") {
        carried.remove(standard);
        if carried.is_empty() {
            fields.remove("carried");
        }
    }
    fields
}

/// The contract of members that were put together from a foreign document.
pub(super) fn document(fields: Fields, path: &str) -> Result<Document, StandardError> {
    let document: Document = serde_json::from_value(Value::Object(fields))
        .map_err(|error| StandardError::shape(path, format!("no contract can be made of it: {error}")))?;
    match document.problems().into_iter().next() {
        None => Ok(document),
        Some(DocumentProblem { path: field, message }) => {
            Err(StandardError::shape(path, format!("{field}: {message}")))
        }
    }
}

/// What of a contract is not among the members that were read back from a standard's own places: what its extension has to keep.
/// Members that are there too much are kept as null.
pub(super) fn rest(document: &Document, standard: &str, natural: &Fields) -> Fields {
    let all = of(document, standard);
    let mut rest: Fields = all
        .iter()
        .filter(|(name, value)| natural.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for name in natural.keys().filter(|name| !all.contains_key(*name)) {
        rest.insert(name.clone(), Value::Null);
    }
    rest
}

/// Members from the standard's places, and over them those of the extension.
pub(super) fn with_rest(mut natural: Fields, rest: &Fields) -> Fields {
    for (name, value) in rest {
        if value.is_null() {
            natural.remove(name);
        } else {
            natural.insert(name.clone(), value.clone());
        }
    }
    natural
}

/// The topic of a subject by the usual strategy: what stands before `-value` or `-key`.
pub(super) fn topic_of(subject: &str) -> &str {
    let cut = subject
        .strip_suffix("-value")
        .or_else(|| subject.strip_suffix("-key"));
    cut.filter(|topic| !topic.is_empty()).unwrap_or(subject)
}

/// A text that is not blank.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.trim().is_empty())
}

/// Puts a member in an object that may not be there yet; takes it out for `None`, and the object with its last member.
pub(super) fn put(target: &mut Map<String, Value>, object: &str, key: &str, value: Option<Value>) {
    let Some(value) = value else {
        if let Some(Value::Object(inner)) = target.get_mut(object) {
            inner.remove(key);
            if inner.is_empty() {
                target.remove(object);
            }
        }
        return;
    };
    let slot = target.entry(object).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(inner) = slot {
        inner.insert(key.to_owned(), value);
    }
}

/// A version that is a number from 1 on.
pub(super) fn version(text: &str) -> Option<u32> {
    text.parse().ok().filter(|version| *version > 0)
}

/// How many values there are in one, counted until there are more than `most`.
pub(super) fn weight(value: &Value, most: usize) -> usize {
    let mut count = 0;
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        count += 1;
        if count > most {
            break;
        }
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => waiting.extend(members.values()),
            _ => {}
        }
    }
    count
}

/// Refuses a document whose contracts, each of which keeps the whole of it, would take much more than it does.
pub(super) fn admit(value: &Value, contracts: usize, path: &str) -> Result<(), StandardError> {
    let most = KEPT_MAX / contracts.max(1);
    if weight(value, most) > most {
        let message = format!("{contracts} contracts are too many for a document of this length; split it");
        return Err(StandardError::shape(path, message));
    }
    Ok(())
}
