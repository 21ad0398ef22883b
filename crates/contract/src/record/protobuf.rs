//! Values as Protobuf messages. What the language has no null for is left unset.

use std::collections::BTreeSet;

use prost_reflect::prost::Message as _;
use prost_reflect::prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{Cardinality, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Proto};

use super::{DEPTH_MAX, Room, WriteError, Written, deeper, double, integer, unfit};
use crate::value::protobuf::is_wrapper;
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
    let built = writer.message(message, value, DEPTH_MAX).and_then(|built| {
        writer.room.take(built.len())?;
        Ok(built)
    });
    built.map_err(|(kind, reason)| WriteError {
        kind,
        path: writer.path.join("."),
        reason,
    })
}

struct Writer {
    room: Room,
    /// Of texts and bytes so far.
    bytes: usize,
    /// Names of fields down to the one that is written; left as it is when writing fails.
    path: Vec<String>,
}

impl Writer {
    /// A message. Its fields stand in the order of their numbers and the entries of a map in that of their keys, so that equal
    /// values have equal bytes; `DynamicMessage` would shuffle maps.
    fn message(&mut self, message: &MessageDescriptor, value: &Value<'_>, depth: usize) -> Written<Vec<u8>> {
        self.room.take(self.bytes)?;
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
        let mut fields = Vec::with_capacity(map.len());
        for (key, value) in map.entries() {
            let field = match &key {
                Key::Text(name) => message.get_field_by_name(name.as_str()),
                _ => None,
            };
            match field {
                Some(field) if matches!(value, Value::Null) && !takes_null(&field) => {}
                Some(field) => fields.push((field, value)),
                None => {
                    let name = message.full_name();
                    return unfit(format!("the message {name} has no such field"));
                }
            }
        }
        fields.sort_by_key(|(field, _value)| field.number());
        self.whole(message, &fields)?;
        self.fields(message, &fields, depth)
    }

    /// Whether what must be set is, and of a oneof no more than one.
    fn whole(&mut self, message: &MessageDescriptor, fields: &[(FieldDescriptor, Value<'_>)]) -> Written {
        let mut chosen = BTreeSet::new();
        for (field, _value) in fields {
            if let Some(oneof) = field.containing_oneof()
                && !chosen.insert(oneof.full_name().to_owned())
            {
                self.path.push(field.name().to_owned());
                return unfit("two fields of one oneof are set");
            }
        }
        let is_set = |wanted: &FieldDescriptor| fields.iter().any(|(field, _value)| field == wanted);
        let mut required = message
            .fields()
            .filter(|field| field.cardinality() == Cardinality::Required);
        match required.find(|field| !is_set(field)) {
            None => Ok(()),
            Some(field) => {
                self.path.push(field.name().to_owned());
                unfit("a required field is missing")
            }
        }
    }

    fn fields(
        &mut self,
        message: &MessageDescriptor,
        fields: &[(FieldDescriptor, Value<'_>)],
        depth: usize,
    ) -> Written<Vec<u8>> {
        let mut out = Vec::new();
        let mut plain = DynamicMessage::new(message.clone());
        for (field, value) in fields {
            self.path.push(field.name().to_owned());
            match field.kind() {
                Kind::Message(inner) => {
                    out.extend(plain.encode_to_vec());
                    plain.clear();
                    self.messages(field, &inner, value, depth, &mut out)?;
                }
                kind => plain.set_field(field, self.plain(field, &kind, value)?),
            }
            self.path.pop();
        }
        out.extend(plain.encode_to_vec());
        Ok(out)
    }

    /// A field of numbers, texts and the like.
    fn plain(&mut self, field: &FieldDescriptor, kind: &Kind, value: &Value<'_>) -> Written<Proto> {
        match (field.is_list(), value) {
            (true, Value::List(list)) => {
                let mut values = Vec::new();
                for item in (0..list.len()).filter_map(|index| list.get(index)) {
                    values.push(self.single(kind, &item)?);
                }
                Ok(Proto::List(values))
            }
            (true, _) => unfit("a list is wanted here"),
            (false, _) => self.single(kind, value),
        }
    }

    /// A field of messages.
    fn messages(
        &mut self,
        field: &FieldDescriptor,
        inner: &MessageDescriptor,
        value: &Value<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Written {
        match value {
            Value::Map(map) if field.is_map() => self.map(field, inner, map, depth, out),
            _ if field.is_map() => unfit("a map is wanted here"),
            Value::List(list) if field.is_list() => {
                for item in (0..list.len()).filter_map(|index| list.get(index)) {
                    let bytes = self.message(inner, &item, depth)?;
                    put(out, field, &bytes);
                }
                Ok(())
            }
            _ if field.is_list() => unfit("a list is wanted here"),
            _ => {
                let bytes = self.message(inner, value, depth)?;
                put(out, field, &bytes);
                Ok(())
            }
        }
    }

    fn map(
        &mut self,
        field: &FieldDescriptor,
        entry: &MessageDescriptor,
        map: &Map<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Written {
        let (name, value_field) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        let mut entries = map.entries();
        entries.sort_by(|(a, _), (b, _)| a.order_for_output(b));
        for (key, value) in &entries {
            let mut plain = DynamicMessage::new(entry.clone());
            plain.set_field(&name, self.single(&name.kind(), &key.value())?);
            let mut bytes = Vec::new();
            match value_field.kind() {
                Kind::Message(inner) => {
                    let value = self.message(&inner, value, depth)?;
                    bytes.extend(plain.encode_to_vec());
                    put(&mut bytes, &value_field, &value);
                }
                kind => {
                    plain.set_field(&value_field, self.single(&kind, value)?);
                    bytes.extend(plain.encode_to_vec());
                }
            }
            put(out, field, &bytes);
        }
        Ok(())
    }

    /// A number, a text or the like.
    fn single(&mut self, kind: &Kind, value: &Value<'_>) -> Written<Proto> {
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
    ) -> Written<Option<Vec<u8>>> {
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
            ("google.protobuf.Value", Value::Null) => {
                built.set_field_by_number(1, Proto::EnumNumber(0));
            }
            ("google.protobuf.Value", _) => {
                let number = any_number(value).map_or_else(
                    || unfit(format!("{} is no google.protobuf.Value", value.type_name())),
                    Ok,
                )?;
                return self.only(message, number, value, depth).map(Some);
            }
            // These have one field, whose value stands for all of it.
            ("google.protobuf.Struct" | "google.protobuf.ListValue", _) => {
                return self.only(message, 1, value, depth).map(Some);
            }
            (name, _) if is_wrapper(name) => return self.only(message, 1, value, depth).map(Some),
            _ => return Ok(None),
        }
        Ok(Some(built.encode_to_vec()))
    }

    /// A message of one field.
    fn only(
        &mut self,
        message: &MessageDescriptor,
        number: u32,
        value: &Value<'_>,
        depth: usize,
    ) -> Written<Vec<u8>> {
        match message.get_field(number) {
            None => unfit(format!("{} has other fields than expected", message.full_name())),
            Some(field) => {
                let length = self.path.len();
                let written = self.fields(message, &[(field, value.clone())], depth);
                // The field is of the language and not of the schema.
                self.path.truncate(length);
                written
            }
        }
    }
}

/// The field of `google.protobuf.Value` for a value: number, text, truth, object or list.
const fn any_number(value: &Value<'_>) -> Option<u32> {
    Some(match value {
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => 2,
        Value::Text(_) => 3,
        Value::Bool(_) => 4,
        Value::Map(_) => 5,
        Value::List(_) => 6,
        _ => return None,
    })
}

/// A message within a message: with its length in front, or between the marks of a group.
fn put(out: &mut Vec<u8>, field: &FieldDescriptor, bytes: &[u8]) {
    if field.is_group() {
        encode_key(field.number(), WireType::StartGroup, out);
        out.extend(bytes);
        encode_key(field.number(), WireType::EndGroup, out);
        return;
    }
    encode_key(field.number(), WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend(bytes);
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
