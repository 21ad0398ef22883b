//! The fields of an Avro record, by the schema's types.

use std::collections::BTreeMap;

use super::{Around, Named, Stopped, Visitor, within};
use crate::avro::model::{Kind, TypeId};
use crate::value::avro::Plan;
use crate::value::{Shape, Value};

pub(super) struct Avro<'w, 'v, 'a> {
    pub(super) plan: &'w Plan,
    pub(super) records: &'w BTreeMap<TypeId, Vec<Named>>,
    pub(super) visit: &'w mut Visitor<'v, 'a>,
}

impl<'a> Avro<'_, '_, 'a> {
    pub(super) fn value(
        &mut self,
        id: TypeId,
        value: &Value<'a>,
        around: Option<Around<'_, 'a>>,
    ) -> Result<(), Stopped> {
        (self.visit)(None)?;
        let type_name = match self.plan.model.kind(id) {
            Kind::Union(branches) => {
                let branch = branches.iter().find(|branch| self.fits(**branch, value));
                return branch.map_or(Ok(()), |branch| self.value(*branch, value, around));
            }
            Kind::Array(inner) | Kind::Map(inner) => {
                let inner = *inner;
                return within(value).try_for_each(|value| self.value(inner, &value, around));
            }
            Kind::Record { fields, .. } => {
                let Value::Map(map) = value else { return Ok(()) };
                let Some(names) = self.records.get(&id) else {
                    return Ok(());
                };
                for (index, (field, named)) in fields.iter().zip(names).enumerate() {
                    let Some(found) = map.value_at(index) else {
                        continue;
                    };
                    let Named { full_name, tags } = named;
                    self.value(
                        field.schema,
                        &found,
                        Some(Around {
                            name: &field.name,
                            full_name,
                            tags,
                            message: value,
                        }),
                    )?;
                }
                return Ok(());
            }
            // Enums and fixed are no primitive types; field rules pass them by, as upstream.
            Kind::Enum { .. } | Kind::Fixed { .. } => return Ok(()),
            Kind::Null => "NULL",
            Kind::Boolean => "BOOLEAN",
            Kind::Int => "INT",
            Kind::Long => "LONG",
            Kind::Float => "FLOAT",
            Kind::Double => "DOUBLE",
            Kind::Bytes => "BYTES",
            Kind::String => "STRING",
        };
        around.map_or(Ok(()), |around| (self.visit)(Some(around.leaf(type_name, value))))
    }

    /// Whether a value that was read from a union can be of a branch.
    fn fits(&self, id: TypeId, value: &Value<'a>) -> bool {
        match (self.plan.model.kind(id), value) {
            (Kind::Null, Value::Null)
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Int | Kind::Long, Value::Int(_))
            | (Kind::Long, Value::Timestamp(_))
            | (Kind::Float | Kind::Double, Value::Double(_))
            | (Kind::Bytes | Kind::Fixed { .. }, Value::Bytes(_))
            | (Kind::String, Value::Text(_))
            | (Kind::Array(_), Value::List(_)) => true,
            (Kind::Enum { symbols, .. }, Value::Text(text)) => {
                symbols.iter().any(|symbol| symbol == text.as_str())
            }
            (Kind::Record { .. }, Value::Map(map)) => {
                matches!(map.shape(), Some(Shape::Avro(of)) if *of == id)
            }
            (Kind::Map(_), Value::Map(map)) => matches!(map.shape(), Some(Shape::Free)),
            _ => false,
        }
    }
}
