//! Whether a field's default is a value of its type: the table of "Schema Declaration", `default`.

use super::model::{Kind, Model, TypeId};
use crate::text::{Json, Node};

/// Says what is wrong with a default.
pub(crate) fn check(model: &Model, schema: TypeId, default: &Node) -> Result<(), String> {
    if fits(model, schema, default) {
        return Ok(());
    }
    let kind = model.kind(schema);
    let mut text = String::new();
    crate::text::write(&mut text, default, crate::text::Writing::Kept);
    if text.chars().count() > 64 {
        text = text.chars().take(64).chain("...".chars()).collect();
    }
    Err(format!(
        "the default {text} is not a value of the field's type, {}",
        kind.word()
    ))
}

fn fits(model: &Model, schema: TypeId, default: &Node) -> bool {
    match (model.kind(schema), &default.json) {
        (Kind::Null, Json::Null) | (Kind::Boolean, Json::Bool(_)) => true,
        (Kind::Int, Json::Number(raw)) => raw.parse::<i32>().is_ok(),
        (Kind::Long, Json::Number(raw)) => raw.parse::<i64>().is_ok(),
        (Kind::Float | Kind::Double, Json::Number(_)) => true,
        // Bytes are written as characters up to U+00FF.
        (Kind::Bytes, Json::String(text)) => text.chars().all(|one| u32::from(one) < 256),
        (Kind::Fixed { size, .. }, Json::String(text)) => {
            text.chars().all(|one| u32::from(one) < 256) && u64::try_from(text.chars().count()) == Ok(*size)
        }
        (Kind::String, Json::String(_)) => true,
        (Kind::Enum { symbols, .. }, Json::String(text)) => symbols.contains(text),
        (Kind::Array(items), Json::Array(values)) => values.iter().all(|value| fits(model, *items, value)),
        (Kind::Map(of), Json::Object(members)) => members.iter().all(|(_, value)| fits(model, *of, value)),
        // Since 1.12 any branch will do; before it was the first.
        (Kind::Union(branches), _) => branches.iter().any(|branch| fits(model, *branch, default)),
        (Kind::Record { fields, .. }, Json::Object(_)) => fields.iter().all(|field| {
            default
                .get(&field.name)
                .or(field.default.as_ref())
                .is_some_and(|value| fits(model, field.schema, value))
        }),
        _ => false,
    }
}
