//! Protobuf messages as values: fields by their names in the .proto file, well-known types as CEL sees them
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#dynamic-values>).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _,
    Value as Proto,
};

use super::map::Entries;
use super::{Blob, DecodeError, Key, Map, Shape, Text, Timestamp, Value};
use crate::rules::cel::types::{Shape as TypeShape, Shapes, Type};

/// Reads a message. Nesting is bounded by `prost` (100); unknown fields are allowed, as Protobuf wants it.
///
/// # Errors
/// Where the bytes are no message of this type. `prost` names fields in its errors, never their values.
pub fn decode(message: &MessageDescriptor, payload: &[u8]) -> Result<DynamicMessage, DecodeError> {
    let decoded = DynamicMessage::decode(message.clone(), payload).map_err(|_error| {
        DecodeError::new("", format!("the bytes are no message {}", message.full_name()))
    })?;
    if let Some(mut path) = missing(&decoded) {
        path.reverse();
        return Err(DecodeError::new(path.join("."), "a required field is missing"));
    }
    Ok(decoded)
}

/// The field that proto2 calls required and that is not there, of all messages within: its name, then those of the
/// fields that it is in.
fn missing(message: &DynamicMessage) -> Option<Vec<String>> {
    let absent = |it: &FieldDescriptor| it.cardinality() == Cardinality::Required && !message.has_field(it);
    if let Some(field) = message.descriptor().fields().find(absent) {
        return Some(vec![field.name().to_owned()]);
    }
    message.fields().find_map(|(field, value)| {
        let mut path = match value {
            Proto::Message(inner) => missing(inner),
            Proto::List(list) => list.iter().filter_map(Proto::as_message).find_map(missing),
            Proto::Map(map) => map.values().filter_map(Proto::as_message).find_map(missing),
            _ => None,
        }?;
        path.push(field.name().to_owned());
        Some(path)
    })
}

/// A message as rules see it.
pub fn message(message: &DynamicMessage) -> Value<'_> {
    let descriptor = message.descriptor();
    if let Some(value) = well_known(message, descriptor.full_name()) {
        return value;
    }
    let mut entries = Vec::new();
    for (field, found) in message.fields() {
        entries.push((Key::Text(Text::Owned(field.name().into())), value(found)));
    }
    Value::Map(Map::Owned(Rc::new(Entries::new(
        entries,
        Shape::Message(descriptor),
    ))))
}

fn value(proto: &Proto) -> Value<'_> {
    match proto {
        Proto::Bool(truth) => Value::Bool(*truth),
        Proto::I32(number) | Proto::EnumNumber(number) => Value::Int(i64::from(*number)),
        Proto::I64(number) => Value::Int(*number),
        Proto::U32(number) => Value::Uint(u64::from(*number)),
        Proto::U64(number) => Value::Uint(*number),
        Proto::F32(number) => Value::Double(f64::from(*number)),
        Proto::F64(number) => Value::Double(*number),
        Proto::String(text) => Value::text(text),
        Proto::Bytes(bytes) => Value::bytes(bytes),
        Proto::Message(inner) => message(inner),
        Proto::List(list) => Value::list(list.iter().map(value).collect()),
        Proto::Map(map) => {
            let mut entries: Vec<_> = map
                .iter()
                .map(|(name, found)| (key(name), value(found)))
                .collect();
            entries.sort_by(|(a, _), (b, _)| a.order_for_output(b));
            Value::Map(Map::of(entries))
        }
    }
}

fn key(key: &MapKey) -> Key<'_> {
    match key {
        MapKey::Bool(truth) => Key::Bool(*truth),
        MapKey::I32(number) => Key::Int(i64::from(*number)),
        MapKey::I64(number) => Key::Int(*number),
        MapKey::U32(number) => Key::Uint(u64::from(*number)),
        MapKey::U64(number) => Key::Uint(*number),
        MapKey::String(text) => Key::Text(Text::Borrowed(text)),
    }
}

/// Whether a type holds one value of a primitive type, or none.
pub(crate) fn is_wrapper(full_name: &str) -> bool {
    full_name
        .strip_prefix("google.protobuf.")
        .and_then(|name| name.strip_suffix("Value"))
        .is_some_and(|name| {
            [
                "Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64",
            ]
            .contains(&name)
        })
}

fn well_known<'a>(message: &'a DynamicMessage, full_name: &str) -> Option<Value<'a>> {
    if !full_name.starts_with("google.protobuf.") {
        return None;
    }
    let number = |tag: u32| message.get_field_by_number(tag).and_then(|it| it.as_i64());
    let nanos = || {
        message
            .get_field_by_number(2)
            .and_then(|it| it.as_i32())
            .unwrap_or_default()
    };
    match full_name {
        "google.protobuf.Timestamp" => {
            // Nanoseconds outside of their second are made whole, so that equal moments are equal.
            let nanos = i64::from(nanos());
            let seconds = number(1)?.saturating_add(nanos.div_euclid(1_000_000_000));
            Some(Value::Timestamp(Timestamp {
                seconds,
                nanos: u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?,
            }))
        }
        "google.protobuf.Duration" => Some(Value::Duration(
            i128::from(number(1)?) * 1_000_000_000 + i128::from(nanos()),
        )),
        "google.protobuf.Struct" => match message.fields().next() {
            None => Some(Value::Map(Map::of(Vec::new()))),
            Some((_field, fields)) => Some(value(fields)),
        },
        "google.protobuf.ListValue" => match message.fields().next() {
            None => Some(Value::list(Vec::new())),
            Some((_field, values)) => Some(value(values)),
        },
        "google.protobuf.Value" => Some(match message.fields().next() {
            Some((field, _null)) if field.number() == 1 => Value::Null,
            None => Value::Null,
            Some((_field, found)) => value(found),
        }),
        name if is_wrapper(name) => Some(match message.fields().next() {
            Some((_field, found)) => value(found),
            None => default_value(&message.descriptor().get_field(1)?),
        }),
        _ => None,
    }
}

/// What an unset field is.
pub fn default_value<'a>(field: &FieldDescriptor) -> Value<'a> {
    if field.is_list() {
        return Value::list(Vec::new());
    }
    if field.is_map() {
        return Value::Map(Map::of(Vec::new()));
    }
    if let Kind::Message(inner) = field.kind() {
        return match inner.full_name() {
            "google.protobuf.Timestamp" => Value::Timestamp(Timestamp { seconds: 0, nanos: 0 }),
            "google.protobuf.Duration" => Value::Duration(0),
            "google.protobuf.Value" => Value::Null,
            name if is_wrapper(name) => Value::Null,
            _ => Value::Map(Map::Owned(Rc::new(Entries::new(
                Vec::new(),
                Shape::Message(inner),
            )))),
        };
    }
    match field.default_value() {
        Proto::String(text) => Value::owned_text(&text),
        Proto::Bytes(bytes) => Value::Bytes(Blob::Owned(Rc::from(bytes.as_ref()))),
        Proto::Bool(truth) => Value::Bool(truth),
        Proto::I32(number) | Proto::EnumNumber(number) => Value::Int(i64::from(number)),
        Proto::I64(number) => Value::Int(number),
        Proto::U32(number) => Value::Uint(u64::from(number)),
        Proto::U64(number) => Value::Uint(number),
        Proto::F32(number) => Value::Double(f64::from(number)),
        Proto::F64(number) => Value::Double(number),
        Proto::Message(_) | Proto::List(_) | Proto::Map(_) => Value::Null,
    }
}

/// The value of a field, which is its default where the field cannot be unset; `None` for one that is unset or unknown.
pub fn member<'a>(map: &Map<'a>, name: &str) -> Option<Value<'a>> {
    map.get(&Key::Text(Text::Borrowed(name))).or_else(|| {
        let Some(Shape::Message(message)) = map.shape() else {
            return None;
        };
        let field = message.get_field_by_name(name)?;
        (!field.supports_presence()).then(|| default_value(&field))
    })
}

/// The entries of a map; of a message with the defaults of fields that cannot be unset, in the order of its type.
pub fn with_defaults<'a>(map: &Map<'a>) -> Vec<(Key<'a>, Value<'a>)> {
    let Some(Shape::Message(message)) = map.shape() else {
        return map.entries();
    };
    let present = |field: FieldDescriptor| {
        let value = member(map, field.name())?;
        Some((Key::Text(Text::Owned(field.name().into())), value))
    };
    let mut entries: Vec<_> = message.fields().filter_map(present).collect();
    let foreign =
        |key: &Key<'_>| !matches!(key, Key::Text(name) if message.get_field_by_name(name.as_str()).is_some());
    entries.extend(map.entries().into_iter().filter(|(key, _value)| foreign(key)));
    entries
}

/// The same, without a copy where there are no defaults to add.
pub(crate) fn seen_with_defaults<'m, 'a>(map: &'m Map<'a>) -> Cow<'m, [(Key<'a>, Value<'a>)]> {
    match (map, map.shape()) {
        (_, Some(Shape::Message(_))) | (Map::Json(_), _) => Cow::Owned(with_defaults(map)),
        (Map::Owned(owned), _) => Cow::Borrowed(owned.seen()),
    }
}

/// Whether a value is what a field without presence has when nobody set it.
pub(crate) fn is_default(value: &Value<'_>) -> bool {
    match value {
        Value::Bool(truth) => !truth,
        Value::Int(number) => *number == 0,
        Value::Uint(number) => *number == 0,
        Value::Double(number) => number.to_bits() == 0,
        Value::Text(text) => text.as_str().is_empty(),
        Value::Bytes(bytes) => bytes.as_slice().is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// What a message type says of its messages before there is one.
pub(crate) fn types(root: &MessageDescriptor) -> (Type, Shapes) {
    let mut builder = Builder {
        shapes: Shapes::default(),
        places: HashMap::new(),
        waiting: Vec::new(),
    };
    let found = builder.message(root);
    while let Some((place, message)) = builder.waiting.pop() {
        let typed = message
            .fields()
            .map(|field| (field.name().to_owned(), builder.field(&field)))
            .collect();
        builder.shapes.shapes[place].fields = typed;
    }
    (found, builder.shapes)
}

struct Builder {
    shapes: Shapes,
    places: HashMap<String, usize>,
    waiting: Vec<(usize, MessageDescriptor)>,
}

impl Builder {
    fn message(&mut self, message: &MessageDescriptor) -> Type {
        match message.full_name() {
            "google.protobuf.Timestamp" => return Type::Timestamp,
            "google.protobuf.Duration" => return Type::Duration,
            "google.protobuf.Value" => return Type::Any,
            "google.protobuf.Struct" => return Type::map(Type::Any),
            "google.protobuf.ListValue" => return Type::list(Type::Any),
            name if is_wrapper(name) => {
                return message
                    .get_field(1)
                    .map_or(Type::Any, |field| self.field(&field).maybe());
            }
            _ => {}
        }
        if let Some(place) = self.places.get(message.full_name()) {
            return Type::Record(*place);
        }
        let place = self.shapes.shapes.len();
        let name = format!("the message {}", message.full_name());
        self.shapes.shapes.push(TypeShape {
            name,
            ..TypeShape::default()
        });
        self.places.insert(message.full_name().to_owned(), place);
        self.waiting.push((place, message.clone()));
        Type::Record(place)
    }

    fn field(&mut self, field: &FieldDescriptor) -> Type {
        if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
            let key = self.field(&entry.map_entry_key_field());
            let value = self.field(&entry.map_entry_value_field());
            return Type::Map(key.into(), value.into());
        }
        let single = match field.kind() {
            Kind::Bool => Type::Bool,
            Kind::Int32
            | Kind::Sint32
            | Kind::Sfixed32
            | Kind::Int64
            | Kind::Sint64
            | Kind::Sfixed64
            | Kind::Enum(_) => Type::Int,
            Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => Type::Uint,
            Kind::Float | Kind::Double => Type::Double,
            Kind::String => Type::Text,
            Kind::Bytes => Type::Bytes,
            Kind::Message(inner) => self.message(&inner),
        };
        if field.is_list() {
            Type::list(single)
        } else {
            single
        }
    }
}
