//! Reads Avro's binary encoding (specification 1.12, "Binary Encoding") by a schema, within bounds.
//!
//! Nothing is allocated on the word of a length or count in the record: texts and bytes are borrowed, lists grow by what
//! was really read, and elements that take no bytes are counted. Where no rule wants the values, none are kept.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::map::Entries;
use super::{DecodeError, Key, Map, Shape, Text, Timestamp, Value};
use crate::avro::AvroSchema;
use crate::avro::model::{Field, Kind, Model, TypeId};
use crate::rules::cel::types::{Shape as TypeShape, Shapes, Type};

/// Values that a record may hold beside two for each of its bytes.
const VALUES_BASE: usize = 10_000;

/// How records of a schema are read.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) model: Arc<Model>,
    /// Units a second of the types that are points in time.
    timestamps: HashMap<TypeId, i64>,
}

impl Plan {
    /// For a schema.
    pub fn new(schema: &AvroSchema) -> Self {
        let model = Arc::clone(&schema.model);
        let mut timestamps = HashMap::new();
        for (id, found) in model.types.iter().enumerate() {
            if let Some(units) = logical_type(&model, id).and_then(units_per_second)
                && matches!(found.kind, Kind::Long)
            {
                timestamps.insert(id, units);
            }
        }
        Self { model, timestamps }
    }

    /// Reads a whole record; without `keep` only whether it can be read.
    ///
    /// # Errors
    /// Where it is not what the schema says, or beyond the bounds.
    pub fn decode<'a>(
        &'a self,
        payload: &'a [u8],
        depth_max: usize,
        keep: bool,
    ) -> Result<Value<'a>, DecodeError> {
        let mut reader = Reader {
            plan: self,
            rest: payload,
            values_left: VALUES_BASE + 2 * payload.len(),
            depth_left: depth_max,
            keep,
            path: Vec::new(),
        };
        let read = reader.value(self.model.root);
        let value = read.map_err(|reason| DecodeError::new(reader.path.join("."), reason))?;
        if !reader.rest.is_empty() {
            return Err(DecodeError::new(
                "",
                format!("{} bytes stand behind the end of the record", reader.rest.len()),
            ));
        }
        Ok(value)
    }

    /// Units a second of a type whose values are points in time.
    pub(crate) fn units(&self, id: TypeId) -> Option<i64> {
        self.timestamps.get(&id).copied()
    }

    /// What the schema says of a record before there is one.
    pub(crate) fn types(&self) -> (Type, Shapes) {
        let mut shapes = Shapes::default();
        let mut places = HashMap::new();
        for (id, found) in self.model.types.iter().enumerate() {
            if let Kind::Record { named, .. } = &found.kind {
                places.insert(id, shapes.shapes.len());
                let name = format!("the record {}", named.name.full());
                shapes.shapes.push(TypeShape {
                    name,
                    ..TypeShape::default()
                });
            }
        }
        for (id, place) in &places {
            if let Kind::Record { fields, .. } = self.model.kind(*id) {
                let typed = fields
                    .iter()
                    .map(|field| (field.name.clone(), self.type_of(field.schema, &places, 0)));
                shapes.shapes[*place].fields = typed.collect();
            }
        }
        (self.type_of(self.model.root, &places, 0), shapes)
    }

    fn type_of(&self, id: TypeId, places: &HashMap<TypeId, usize>, depth: usize) -> Type {
        if depth > 64 {
            return Type::Any;
        }
        if self.timestamps.contains_key(&id) {
            return Type::Timestamp;
        }
        match self.model.kind(id) {
            Kind::Null => Type::Null,
            Kind::Boolean => Type::Bool,
            Kind::Int | Kind::Long => Type::Int,
            Kind::Float | Kind::Double => Type::Double,
            Kind::Bytes | Kind::Fixed { .. } => Type::Bytes,
            Kind::String | Kind::Enum { .. } => Type::Text,
            Kind::Array(items) => Type::list(self.type_of(*items, places, depth + 1)),
            Kind::Map(values) => Type::map(self.type_of(*values, places, depth + 1)),
            Kind::Record { .. } => places.get(&id).map_or(Type::Any, |place| Type::Record(*place)),
            Kind::Union(branches) => {
                let mut types = branches
                    .iter()
                    .map(|branch| self.type_of(*branch, places, depth + 1));
                let first = types.next().unwrap_or(Type::Null);
                types.fold(first, |all, next| all.join(&next))
            }
        }
    }
}

fn logical_type(model: &Model, id: TypeId) -> Option<&str> {
    let properties = &model.types.get(id)?.properties;
    properties
        .iter()
        .find(|(name, _)| name == "logicalType")
        .and_then(|(_, node)| node.as_str())
}

fn units_per_second(logical: &str) -> Option<i64> {
    Some(match logical {
        "timestamp-millis" | "local-timestamp-millis" => 1_000,
        "timestamp-micros" | "local-timestamp-micros" => 1_000_000,
        "timestamp-nanos" | "local-timestamp-nanos" => 1_000_000_000,
        _ => return None,
    })
}

struct Reader<'a> {
    plan: &'a Plan,
    rest: &'a [u8],
    values_left: usize,
    depth_left: usize,
    keep: bool,
    /// Names of fields down to the one that is read; left as it is when reading fails.
    path: Vec<&'a str>,
}

type Read<T> = Result<T, String>;

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or("the record ends within a value")?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.take(N)?;
        bytes
            .try_into()
            .map_err(|_error| "the record ends within a value".to_owned())
    }

    /// A zigzag variable-length number.
    fn long(&mut self) -> Read<i64> {
        let mut number: u64 = 0;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                return Err("a number does not fit into 64 bits".to_owned());
            }
            number |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
            }
        }
        Err(if self.rest.len() < 10 {
            "the record ends within a number"
        } else {
            "a number does not end"
        }
        .to_owned())
    }

    fn length(&mut self) -> Read<usize> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_error| "a length is negative".to_owned())?;
        if length > self.rest.len() {
            return Err("a length is beyond the end of the record".to_owned());
        }
        Ok(length)
    }

    fn text(&mut self) -> Read<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).map_err(|_error| "a string is not UTF-8".to_owned())
    }

    fn index(&mut self, count: usize, what: &str) -> Read<usize> {
        let index = self.long()?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index < count)
            .ok_or_else(|| format!("{what} has {count} of them, and the record names another"))
    }

    fn value(&mut self, id: TypeId) -> Read<Value<'a>> {
        self.values_left = self
            .values_left
            .checked_sub(1)
            .ok_or("the record holds more values than its length allows")?;
        Ok(match self.plan.model.kind(id) {
            Kind::Null => Value::Null,
            Kind::Boolean => match self.fixed::<1>()?[0] {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                _ => return Err("a boolean is neither 0 nor 1".to_owned()),
            },
            Kind::Int => {
                let number = self.long()?;
                i32::try_from(number).map_err(|_error| "an int does not fit into 32 bits".to_owned())?;
                Value::Int(number)
            }
            Kind::Long => {
                let number = self.long()?;
                match self.plan.timestamps.get(&id) {
                    Some(units) => Value::Timestamp(Timestamp::from_units(number, *units)),
                    None => Value::Int(number),
                }
            }
            Kind::Float => Value::Double(f64::from(f32::from_le_bytes(self.fixed()?))),
            Kind::Double => Value::Double(f64::from_le_bytes(self.fixed()?)),
            Kind::Bytes => {
                let length = self.length()?;
                Value::bytes(self.take(length)?)
            }
            Kind::String => Value::text(self.text()?),
            Kind::Fixed { size, .. } => {
                let size = usize::try_from(*size).map_err(|_error| "a fixed is too large".to_owned())?;
                Value::bytes(self.take(size)?)
            }
            Kind::Enum { symbols, .. } => Value::text(&symbols[self.index(symbols.len(), "an enum")?]),
            Kind::Union(branches) => {
                let branch = branches[self.index(branches.len(), "a union")?];
                // A union holds no union, so this goes one deeper at most.
                self.value(branch)?
            }
            Kind::Array(items) => self.array(*items)?,
            Kind::Map(values) => self.map(*values)?,
            Kind::Record { fields, .. } => self.record(id, fields)?,
        })
    }

    fn array(&mut self, items: TypeId) -> Read<Value<'a>> {
        let mut list = Vec::new();
        self.nested(|reader| {
            reader.blocks(|reader| {
                let item = reader.value(items)?;
                if reader.keep {
                    list.push(item);
                }
                Ok(())
            })
        })?;
        Ok(if self.keep { Value::list(list) } else { Value::Null })
    }

    fn map(&mut self, values: TypeId) -> Read<Value<'a>> {
        let mut entries = Vec::new();
        self.nested(|reader| {
            reader.blocks(|reader| {
                let key = reader.text()?;
                let value = reader.value(values)?;
                if reader.keep {
                    entries.push((Key::Text(Text::Borrowed(key)), value));
                }
                Ok(())
            })
        })?;
        Ok(if self.keep {
            Value::Map(Map::of(entries))
        } else {
            Value::Null
        })
    }

    fn record(&mut self, id: TypeId, fields: &'a [Field]) -> Read<Value<'a>> {
        let mut entries = Vec::with_capacity(if self.keep { fields.len() } else { 0 });
        self.nested(|reader| {
            for field in fields {
                reader.path.push(&field.name);
                let value = reader.value(field.schema)?;
                reader.path.pop();
                if reader.keep {
                    entries.push((Key::Text(Text::Borrowed(field.name.as_str())), value));
                }
            }
            Ok(())
        })?;
        if !self.keep {
            return Ok(Value::Null);
        }
        Ok(Value::Map(Map::Owned(Rc::new(Entries::new(
            entries,
            Shape::Avro(id),
        )))))
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or("the record nests too deep")?;
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    /// Blocks of items until an empty one; a negative count has the block's length in bytes behind it.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                self.length()?;
                count = count.checked_neg().ok_or("a count does not fit into 64 bits")?;
            }
            for _item in 0..count {
                item(self)?;
            }
        }
    }
}
