//! Fields of the first message of a .proto file.

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

use super::{Column, ColumnKind, Left, Shape};
use crate::protobuf::ProtobufSchema;
use crate::value::protobuf_tags;

pub(super) fn columns(schema: &ProtobufSchema, mut left: Left) -> Vec<Column> {
    match schema.first_message() {
        Some(message) => fields(&message, &mut left),
        None => Vec::new(),
    }
}

fn fields(message: &MessageDescriptor, left: &mut Left) -> Vec<Column> {
    let mut columns = Vec::new();
    for field in message.fields() {
        if !left.take() {
            break;
        }
        left.depth -= 1;
        let shape = of(&field, left);
        left.depth += 1;
        columns.push(Column {
            name: field.name().to_owned(),
            full_name: field.full_name().to_owned(),
            kind: shape.kind(),
            physical: word(&field),
            required: field.cardinality() == Cardinality::Required,
            doc: None,
            tags: protobuf_tags(&field).into_iter().collect(),
            columns: shape.columns,
            items: shape.items,
        });
    }
    columns
}

fn of(field: &FieldDescriptor, left: &mut Left) -> Shape {
    if field.is_map() {
        return Shape::of(ColumnKind::Object);
    }
    let shape = match field.kind() {
        Kind::Message(message) => match well_known(message.full_name()) {
            Some(kind) => Shape::of(kind),
            None => Shape {
                columns: fields(&message, left),
                ..Shape::of(ColumnKind::Object)
            },
        },
        Kind::Bool => Shape::of(ColumnKind::Boolean),
        Kind::Double | Kind::Float => Shape::of(ColumnKind::Number),
        Kind::String | Kind::Bytes | Kind::Enum(_) => Shape::of(ColumnKind::String),
        _ => Shape::of(ColumnKind::Integer),
    };
    if field.is_list() { shape.many() } else { shape }
}

/// Messages that ProtoJSON writes as plain values.
fn well_known(name: &str) -> Option<ColumnKind> {
    Some(match name {
        "google.protobuf.Timestamp" => ColumnKind::Timestamp,
        "google.type.Date" => ColumnKind::Date,
        "google.type.TimeOfDay" => ColumnKind::Time,
        "google.protobuf.StringValue" | "google.protobuf.BytesValue" | "google.protobuf.Duration" => {
            ColumnKind::String
        }
        "google.protobuf.BoolValue" => ColumnKind::Boolean,
        "google.protobuf.DoubleValue" | "google.protobuf.FloatValue" | "confluent.type.Decimal" => {
            ColumnKind::Number
        }
        "google.protobuf.Int32Value"
        | "google.protobuf.Int64Value"
        | "google.protobuf.UInt32Value"
        | "google.protobuf.UInt64Value" => ColumnKind::Integer,
        _ => return None,
    })
}

fn word(field: &FieldDescriptor) -> String {
    if field.is_map() {
        return "map".to_owned();
    }
    let kind = field.kind();
    let name = match &kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(words) => words.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    if field.is_list() {
        format!("repeated {name}")
    } else {
        name
    }
}
