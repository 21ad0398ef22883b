//! What steps do to a value beyond editing the fields of paths.

use std::rc::Rc;

use weir_contract::rules::cel::Steps;
use weir_contract::value::protobuf::with_defaults;
use weir_contract::value::{Entries, Key, Map, Shape, Text, Value};

use super::outcome::{DeadLetterCode as Code, Stop};
use crate::tree::has_a_name_twice;

/// The value with something at a path; records on the way are made where there are none.
pub(super) fn put<'a>(
    value: &Value<'a>,
    path: &'a [Box<str>],
    new: Value<'a>,
    steps: &mut Steps,
) -> Result<Value<'a>, Stop> {
    let Some((name, rest)) = path.split_first() else {
        return Ok(new);
    };
    let map = match value {
        Value::Map(map) => map.clone(),
        Value::Null => Map::of(Vec::new()),
        other => {
            let sentence = format!("`{name}` is set in {}, which has no fields.", other.type_name());
            return Err(Stop::Dead(Code::BadField, sentence));
        }
    };
    steps
        .charge(1 + map.len())
        .map_err(|fault| Stop::of(fault, None))?;
    let mut entries = with_defaults(&map);
    let is = |key: &Key<'_>| matches!(key, Key::Text(text) if text.as_str() == name.as_ref());
    let place = entries.iter().rposition(|(key, _value)| is(key));
    let before = place.map_or(Value::Null, |place| entries[place].1.clone());
    let after = put(&before, rest, new, steps)?;
    let is_field = match map.shape() {
        Some(Shape::Message(message)) => message.get_field_by_name(name).is_some(),
        _ => place.is_some(),
    };
    match place {
        Some(place) => entries[place].1 = after,
        None => entries.push((Key::Text(Text::Borrowed(name)), after)),
    }
    let shape = match map.shape() {
        Some(shape) if is_field => shape.clone(),
        _ => Shape::Free,
    };
    Ok(Value::Map(Map::Owned(Rc::new(Entries::new(entries, shape)))))
}

/// The fields of fields as fields of the record.
pub(super) fn flattened<'a>(
    value: &Value<'a>,
    separator: &str,
    depth: usize,
    steps: &mut Steps,
) -> Result<Value<'a>, Stop> {
    let Value::Map(map) = value else {
        return Ok(value.clone());
    };
    let mut flat = Vec::with_capacity(map.len());
    gather(map, "", separator, depth, &mut flat, steps)?;
    if has_a_name_twice(&flat) {
        let sentence = "Two fields would have the same name.".to_owned();
        return Err(Stop::Dead(Code::FieldExists, sentence));
    }
    Ok(Value::Map(Map::of(flat)))
}

fn gather<'a>(
    map: &Map<'a>,
    before: &str,
    separator: &str,
    depth: usize,
    flat: &mut Vec<(Key<'a>, Value<'a>)>,
    steps: &mut Steps,
) -> Result<(), Stop> {
    for (key, value) in with_defaults(map) {
        let name = match &key {
            Key::Text(text) => text.as_str().to_owned(),
            Key::Int(number) => number.to_string(),
            Key::Uint(number) => number.to_string(),
            Key::Bool(truth) => truth.to_string(),
        };
        steps
            .charge(1 + (before.len() + name.len()) / 16)
            .map_err(|fault| Stop::of(fault, None))?;
        match &value {
            Value::Map(inner) if depth > 0 && !inner.is_empty() => {
                let before = format!("{before}{name}{separator}");
                gather(inner, &before, separator, depth - 1, flat, steps)?;
            }
            _ if before.is_empty() => flat.push((key, value)),
            _ => {
                let name = format!("{before}{name}");
                flat.push((Key::Text(Text::Owned(name.into())), value));
            }
        }
    }
    Ok(())
}
