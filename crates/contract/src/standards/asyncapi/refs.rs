//! `$ref`s of AsyncAPI documents: a JSON pointer behind `#` is one into the whole document, also in the schema of a payload.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::json::address::escape;
use crate::standards::fields::weight;

/// How many `$ref`s lead from one to the next.
const HOPS_MAX: usize = 16;
/// Schemas that a payload may take in.
const DEFINITIONS_MAX: usize = 1_000;
/// Values of all of them; what is beyond is left where it is.
const TAKEN_MAX: usize = 200_000;

/// A JSON pointer of keys.
pub(super) fn pointer(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("/{}", escape(key))).collect()
}

/// Where a `$ref` within the document leads.
fn local(value: &Value) -> Option<&str> {
    let reference = value.get("$ref")?.as_str()?;
    reference.strip_prefix('#').filter(|it| it.starts_with('/'))
}

/// What stands at a pointer, or where its `$ref`s lead, and the pointer of that.
pub(super) fn resolved<'v>(root: &'v Value, pointer: &str) -> Option<(String, &'v Value)> {
    let mut pointer = pointer.to_owned();
    for _hop in 0..HOPS_MAX {
        let value = root.pointer(&pointer)?;
        match local(value) {
            Some(next) => pointer = next.to_owned(),
            None => return Some((pointer, value)),
        }
    }
    None
}

/// Changes the text of every `$ref`.
fn each_ref(value: &mut Value, change: &mut dyn FnMut(&str) -> Option<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_ref(item, change)),
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                match member {
                    Value::String(text) if key == "$ref" => {
                        if let Some(changed) = change(text) {
                            *text = changed;
                        }
                    }
                    other => each_ref(other, change),
                }
            }
        }
        _ => {}
    }
}

/// Whether `#` in a schema means the schema itself wherever it stands, because it has an address of its own.
fn has_address(schema: &Value) -> bool {
    ["$id", "id"]
        .iter()
        .any(|key| schema.get(*key).is_some_and(Value::is_string))
}

/// A schema as it has to stand at a pointer of the document: its `$ref`s into itself lead there.
pub(super) fn placed(mut schema: Value, at: &str) -> Value {
    if !has_address(&schema) {
        each_ref(&mut schema, &mut |text| match text.strip_prefix('#') {
            Some("") => Some(format!("#{at}")),
            Some(rest) if rest.starts_with('/') => Some(format!("#{at}{rest}")),
            _ => None,
        });
    }
    schema
}

/// The schema at a pointer, standing alone: `$ref`s into itself begin at it again, and what it refers to in the rest of the
/// document is taken in as `definitions`.
pub(super) fn alone(root: &Value, at: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    if has_address(&schema) {
        return schema;
    }
    let mut taken = Taken {
        root,
        at,
        names: BTreeMap::new(),
        left: TAKEN_MAX,
        waiting: Vec::new(),
        used: match schema.get("definitions") {
            Some(Value::Object(own)) => own.keys().cloned().collect(),
            _ => Vec::new(),
        },
    };
    taken.rewrite(&mut schema);
    let mut definitions = Map::new();
    while let Some((pointer, name)) = taken.waiting.pop() {
        if let Some(target) = root.pointer(&pointer) {
            let mut target = target.clone();
            taken.rewrite(&mut target);
            definitions.insert(name, target);
        }
    }
    if !definitions.is_empty()
        && let Value::Object(members) = &mut schema
    {
        let own = members
            .entry("definitions")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(own) = own {
            own.extend(definitions);
        }
    }
    schema
}

struct Taken<'t> {
    root: &'t Value,
    at: &'t str,
    /// The name of each definition by its pointer in the document.
    names: BTreeMap<String, String>,
    left: usize,
    waiting: Vec<(String, String)>,
    used: Vec<String>,
}

impl Taken<'_> {
    fn rewrite(&mut self, schema: &mut Value) {
        each_ref(schema, &mut |text| {
            let pointer = text.strip_prefix('#').filter(|it| it.starts_with('/'))?;
            if let Some(rest) = pointer.strip_prefix(self.at)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return Some(format!("#{rest}"));
            }
            let name = self.name(pointer)?;
            Some(format!("#/definitions/{}", escape(&name)))
        });
    }

    fn name(&mut self, pointer: &str) -> Option<String> {
        if let Some(name) = self.names.get(pointer) {
            return Some(name.clone());
        }
        // What the document does not have is the schema's own business.
        let target = self.root.pointer(pointer)?;
        let weight = weight(target, self.left);
        if self.names.len() >= DEFINITIONS_MAX || weight > self.left {
            self.left = 0;
            return None;
        }
        self.left -= weight;
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let plain = last.replace("~1", "/").replace("~0", "~");
        let mut name = plain.clone();
        let mut count = 1;
        while self.used.contains(&name) {
            count += 1;
            name = format!("{plain}-{count}");
        }
        self.used.push(name.clone());
        self.names.insert(pointer.to_owned(), name.clone());
        self.waiting.push((pointer.to_owned(), name.clone()));
        Some(name)
    }
}
