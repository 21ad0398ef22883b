//! Fields of Avro records.

use super::{Column, ColumnKind, Left, Shape};
use crate::avro::AvroSchema;
use crate::avro::model::{Kind, Model, TypeId};
use crate::value::avro_tags;

pub(super) fn columns(schema: &AvroSchema, mut left: Left) -> Vec<Column> {
    shape(&schema.model, schema.model.root, &mut left).columns
}

fn shape(model: &Model, id: TypeId, left: &mut Left) -> Shape {
    match model.kind(id) {
        Kind::Record { .. } => Shape {
            columns: fields(model, id, left),
            ..Shape::of(ColumnKind::Object)
        },
        Kind::Map(_) => Shape::of(ColumnKind::Object),
        Kind::Array(items) => shape(model, *items, left).many(),
        Kind::Union(branches) => {
            let mut others = branches
                .iter()
                .filter(|branch| !matches!(model.kind(**branch), Kind::Null));
            match (others.next(), others.next()) {
                (Some(only), None) => shape(model, *only, left),
                _ => Shape::default(),
            }
        }
        Kind::Boolean => Shape::of(ColumnKind::Boolean),
        Kind::Null => Shape::default(),
        kind => Shape::of(plain(kind, logical(model, id))),
    }
}

/// Types without parts; logical types of the specification, section "Logical Types".
fn plain(kind: &Kind, logical: Option<&str>) -> ColumnKind {
    match (kind, logical) {
        (_, Some("date")) => ColumnKind::Date,
        (_, Some("time-millis" | "time-micros")) => ColumnKind::Time,
        (Kind::Long, Some(word)) if word.contains("timestamp-") => ColumnKind::Timestamp,
        (Kind::Bytes | Kind::Fixed { .. }, Some("decimal" | "big-decimal")) => ColumnKind::Number,
        (Kind::Int | Kind::Long, _) => ColumnKind::Integer,
        (Kind::Float | Kind::Double, _) => ColumnKind::Number,
        _ => ColumnKind::String,
    }
}

fn logical(model: &Model, id: TypeId) -> Option<&str> {
    let properties = &model.types.get(id)?.properties;
    let found = properties.iter().find(|(name, _)| name == "logicalType");
    found.and_then(|(_, node)| node.as_str())
}

fn fields(model: &Model, id: TypeId, left: &mut Left) -> Vec<Column> {
    let Kind::Record { named, fields, .. } = model.kind(id) else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    for field in fields {
        if !left.take() {
            break;
        }
        left.depth -= 1;
        let shape = shape(model, field.schema, left);
        left.depth += 1;
        let nullable = match model.kind(field.schema) {
            Kind::Null => true,
            Kind::Union(branches) => branches
                .iter()
                .any(|branch| matches!(model.kind(*branch), Kind::Null)),
            _ => false,
        };
        columns.push(Column {
            name: field.name.clone(),
            full_name: format!("{}.{}", named.name.full(), field.name),
            kind: shape.kind(),
            physical: word(model, field.schema),
            required: !nullable,
            doc: field.doc.clone(),
            tags: avro_tags(field),
            columns: shape.columns,
            items: shape.items,
        });
    }
    columns
}

/// A type by its name.
fn word(model: &Model, id: TypeId) -> String {
    let kind = model.kind(id);
    match kind {
        Kind::Union(branches) => {
            let names: Vec<String> = branches
                .iter()
                .take(16)
                .map(|branch| word(model, *branch))
                .collect();
            names.join("|")
        }
        _ => {
            let name = kind.named().map_or(kind.word(), |named| named.name.full());
            match logical(model, id) {
                Some(logical) => format!("{name} ({logical})"),
                None => name.to_owned(),
            }
        }
    }
}
