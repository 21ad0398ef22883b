//! The fields of a Protobuf message, by its descriptor.

use std::collections::{BTreeSet, HashMap};

use prost_reflect::{FieldDescriptor, Kind as ProtoKind, MessageDescriptor};

use super::{Around, Stopped, Visitor, within};
use crate::value::{Key, Shape, Text, Value, protobuf};

static NO_TAGS: BTreeSet<String> = BTreeSet::new();

pub(super) struct Proto<'w, 'v, 'a> {
    pub(super) tags: &'w HashMap<String, BTreeSet<String>>,
    pub(super) visit: &'w mut Visitor<'v, 'a>,
}

impl<'a> Proto<'_, '_, 'a> {
    pub(super) fn message(&mut self, value: &Value<'a>) -> Result<(), Stopped> {
        (self.visit)(None)?;
        let Value::Map(map) = value else { return Ok(()) };
        let Some(Shape::Message(message)) = map.shape() else {
            return Ok(());
        };
        let message: MessageDescriptor = message.clone();
        for field in message.fields() {
            let set = map.get(&Key::Text(Text::Owned(field.name().into())));
            // A field that can be unset and is has no value; others have their default.
            let Some(found) =
                set.or_else(|| (!field.supports_presence()).then(|| protobuf::default_value(&field)))
            else {
                continue;
            };
            self.field(&field, &found, value)?;
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &FieldDescriptor,
        found: &Value<'a>,
        message: &Value<'a>,
    ) -> Result<(), Stopped> {
        let tags = self.tags.get(field.full_name()).unwrap_or(&NO_TAGS);
        let around = Around {
            name: field.name(),
            full_name: field.full_name(),
            tags,
            message,
        };
        if let (true, ProtoKind::Message(entry)) = (field.is_map(), field.kind()) {
            let kind = entry.map_entry_value_field().kind();
            return within(found).try_for_each(|value| self.single(&kind, &value, around));
        }
        let kind = field.kind();
        if field.is_list() {
            return within(found).try_for_each(|value| self.single(&kind, &value, around));
        }
        self.single(&kind, found, around)
    }

    fn single(&mut self, kind: &ProtoKind, value: &Value<'a>, around: Around<'_, 'a>) -> Result<(), Stopped> {
        let type_name = match kind {
            ProtoKind::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" => "LONG",
            ProtoKind::Message(inner) if protobuf::is_wrapper(inner.full_name()) => {
                let Some(field) = inner.get_field(1) else {
                    return Ok(());
                };
                let tags = self.tags.get(field.full_name()).unwrap_or(&NO_TAGS);
                let around = Around {
                    name: field.name(),
                    full_name: field.full_name(),
                    tags,
                    ..around
                };
                return self.single(&field.kind(), value, around);
            }
            ProtoKind::Message(_) => return self.message(value),
            ProtoKind::Enum(_) => return (self.visit)(None),
            ProtoKind::String => "STRING",
            ProtoKind::Bytes => "BYTES",
            ProtoKind::Int32
            | ProtoKind::Sint32
            | ProtoKind::Uint32
            | ProtoKind::Fixed32
            | ProtoKind::Sfixed32 => "INT",
            ProtoKind::Int64
            | ProtoKind::Sint64
            | ProtoKind::Uint64
            | ProtoKind::Fixed64
            | ProtoKind::Sfixed64 => "LONG",
            ProtoKind::Float => "FLOAT",
            ProtoKind::Double => "DOUBLE",
            ProtoKind::Bool => "BOOLEAN",
        };
        (self.visit)(None)?;
        (self.visit)(Some(around.leaf(type_name, value)))
    }
}
