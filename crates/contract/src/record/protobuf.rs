//! Values as Protobuf messages. What the language has no null for is left unset.

use std::collections::{BTreeSet, HashMap};

use prost_reflect::prost::Message as _;
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _,
    Value as Proto,
};

use super::{DEPTH_MAX, Room, WriteError, WriteErrorKind, Written, deeper, double, integer, unfit};
use crate::value::protobuf::{is_wrapper, required};
use crate::value::{Key, Map, Value};

pub(super) fn write(
    message: &MessageDescriptor,
    value: &Value<'_>,
    bytes_max: usize,
) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer {
        room: Room::new(bytes_max),
        bytes: 0,
        path: Vec::new(),
    };
    let built = match writer.message(message, value, DEPTH_MAX) {
        Ok(built) => built,
        Err((kind, reason)) => {
            return Err(WriteError {
                kind,
                path: writer.path.join("."),
                reason,
            });
        }
    };
    required(&built, &mut Vec::new()).map_err(|error| WriteError {
        kind: WriteErrorKind::Unfit,
        path: error.path,
        reason: error.reason,
    })?;
    match writer.room.take(built.encoded_len()) {
        Ok(()) => Ok(built.encode_to_vec()),
        Err((kind, reason)) => Err(WriteError::new(kind, reason)),
    }
}

struct Writer {
    room: Room,
    /// Of texts and bytes so far.
    bytes: usize,
    /// Names of fields down to the one that is written; left as it is when writing fails.
    path: Vec<String>,
}

impl Writer {
    fn message(
        &mut self,
        message: &MessageDescriptor,
        value: &Value<'_>,
        depth: usize,
    ) -> Written<DynamicMessage> {
        let depth = deeper(depth)?;
        if let Some(known) = self.well_known(message, value, depth)? {
            return Ok(known);
        }
        let Value::Map(map) = value else {
            return unfit(format!(
                "a message {} has fields, and {} has none",
                message.full_name(),
                value.type_name()
            ));
        };
        let mut built = DynamicMessage::new(message.clone());
        let mut chosen = BTreeSet::new();
        for (key, value) in map.entries() {
            let field = match &key {
                Key::Text(name) => message.get_field_by_name(name.as_str()),
                _ => None,
            };
            let Some(field) = field else {
                return unfit(format!("the message {} has no such field", message.full_name()));
            };
            if matches!(value, Value::Null) && !takes_null(&field) {
                continue;
            }
            self.path.push(field.name().to_owned());
            if let Some(oneof) = field.containing_oneof()
                && !chosen.insert(oneof.full_name().to_owned())
            {
                return unfit("two fields of one oneof are set");
            }
            let written = self.field(&field, &value, depth)?;
            built.set_field(&field, written);
            self.path.pop();
        }
        Ok(built)
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Value<'_>, depth: usize) -> Written<Proto> {
        match (field.is_map(), field.kind(), value) {
            (true, Kind::Message(entry), Value::Map(map)) => self.map(&entry, map, depth),
            (true, _, _) => unfit("a map is wanted here"),
            (false, kind, Value::List(list)) if field.is_list() => {
                let mut values = Vec::new();
                for item in (0..list.len()).filter_map(|index| list.get(index)) {
                    values.push(self.single(&kind, &item, depth)?);
                }
                Ok(Proto::List(values))
            }
            (false, kind, _) if !field.is_list() => self.single(&kind, value, depth),
            _ => unfit("a list is wanted here"),
        }
    }

    fn map(&mut self, entry: &MessageDescriptor, map: &Map<'_>, depth: usize) -> Written<Proto> {
        let (names, values) = (
            entry.map_entry_key_field().kind(),
            entry.map_entry_value_field().kind(),
        );
        let mut written = HashMap::new();
        for (key, value) in map.entries() {
            let key = match self.single(&names, &key.value(), depth)? {
                Proto::Bool(truth) => MapKey::Bool(truth),
                Proto::I32(number) => MapKey::I32(number),
                Proto::I64(number) => MapKey::I64(number),
                Proto::U32(number) => MapKey::U32(number),
                Proto::U64(number) => MapKey::U64(number),
                Proto::String(text) => MapKey::String(text),
                _ => return unfit("no key of a map"),
            };
            written.insert(key, self.single(&values, &value, depth)?);
        }
        Ok(Proto::Map(written))
    }

    fn single(&mut self, kind: &Kind, value: &Value<'_>, depth: usize) -> Written<Proto> {
        self.room.take(self.bytes)?;
        let number = integer(value);
        let written = match (kind, value) {
            (Kind::Bool, Value::Bool(truth)) => Some(Proto::Bool(*truth)),
            (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32, _) => fitting(number, Proto::I32),
            (Kind::Int64 | Kind::Sint64 | Kind::Sfixed64, _) => fitting(number, Proto::I64),
            (Kind::Uint32 | Kind::Fixed32, _) => fitting(number, Proto::U32),
            (Kind::Uint64 | Kind::Fixed64, _) => fitting(number, Proto::U64),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float is the nearest one to the number"
            )]
            (Kind::Float, _) => double(value).map(|number| Proto::F32(number as f32)),
            (Kind::Double, _) => double(value).map(Proto::F64),
            (Kind::String, Value::Text(text)) => {
                self.bytes += text.as_str().len();
                self.room.take(self.bytes)?;
                Some(Proto::String(text.as_str().to_owned()))
            }
            (Kind::Bytes, Value::Bytes(bytes)) => {
                self.bytes += bytes.as_slice().len();
                self.room.take(self.bytes)?;
                Some(Proto::Bytes(bytes.as_slice().to_vec().into()))
            }
            (Kind::Enum(words), Value::Text(word)) => words
                .get_value_by_name(word.as_str())
                .map(|it| Proto::EnumNumber(it.number())),
            (Kind::Enum(_), _) => fitting(number, Proto::EnumNumber),
            (Kind::Message(inner), _) => Some(Proto::Message(self.message(inner, value, depth)?)),
            _ => None,
        };
        match written {
            Some(written) => Ok(written),
            None => unfit(format!("{} does not fit {}", value.type_name(), word(kind))),
        }
    }

    fn well_known(
        &mut self,
        message: &MessageDescriptor,
        value: &Value<'_>,
        depth: usize,
    ) -> Written<Option<DynamicMessage>> {
        let name = message.full_name();
        if !name.starts_with("google.protobuf.") {
            return Ok(None);
        }
        let mut built = DynamicMessage::new(message.clone());
        match (name, value) {
            ("google.protobuf.Timestamp", Value::Timestamp(moment)) => {
                built.set_field_by_number(1, Proto::I64(moment.seconds));
                built.set_field_by_number(2, Proto::I32(i32::try_from(moment.nanos).unwrap_or(0)));
            }
            ("google.protobuf.Duration", Value::Duration(span)) => {
                let Ok(seconds) = i64::try_from(span / 1_000_000_000) else {
                    return unfit("the duration is too long");
                };
                built.set_field_by_number(1, Proto::I64(seconds));
                built.set_field_by_number(2, Proto::I32(i32::try_from(span % 1_000_000_000).unwrap_or(0)));
            }
            ("google.protobuf.Timestamp" | "google.protobuf.Duration", other) => {
                return unfit(format!("{} is no {name}", other.type_name()));
            }
            ("google.protobuf.Value", _) => self.any(&mut built, value, depth)?,
            (_, value) if is_wrapper(name) => {
                let Some(field) = message.get_field(1) else {
                    return Ok(None);
                };
                let written = self.single(&field.kind(), value, depth)?;
                built.set_field(&field, written);
            }
            // Struct and ListValue have one field, whose value stands for all of it.
            ("google.protobuf.Struct" | "google.protobuf.ListValue", value) => {
                let Some(field) = message.get_field(1) else {
                    return Ok(None);
                };
                let written = self.field(&field, value, depth)?;
                built.set_field(&field, written);
            }
            _ => return Ok(None),
        }
        Ok(Some(built))
    }

    /// `google.protobuf.Value`: null, number, text, truth, object or list, by the numbers of its fields.
    fn any(&mut self, built: &mut DynamicMessage, value: &Value<'_>, depth: usize) -> Written {
        let number = match value {
            Value::Null => 1,
            Value::Int(_) | Value::Uint(_) | Value::Double(_) => 2,
            Value::Text(_) => 3,
            Value::Bool(_) => 4,
            Value::Map(_) => 5,
            Value::List(_) => 6,
            other => return unfit(format!("{} is no google.protobuf.Value", other.type_name())),
        };
        let Some(field) = built.descriptor().get_field(number) else {
            return unfit("google.protobuf.Value has other fields than expected");
        };
        let written = if number == 1 {
            Proto::EnumNumber(0)
        } else {
            self.single(&field.kind(), value, depth)?
        };
        built.set_field(&field, written);
        Ok(())
    }
}

/// Whether null is a value of the field, and not its absence.
fn takes_null(field: &FieldDescriptor) -> bool {
    let value = matches!(field.kind(), Kind::Message(inner) if inner.full_name() == "google.protobuf.Value");
    value && field.cardinality() != Cardinality::Repeated
}

fn fitting<T: TryFrom<i128>>(number: Option<i128>, make: fn(T) -> Proto) -> Option<Proto> {
    T::try_from(number?).ok().map(make)
}

fn word(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(words) => format!("the enum {}", words.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}
