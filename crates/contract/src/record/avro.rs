//! Values in Avro's binary encoding (specification 1.12, "Binary Encoding").

use super::{DEPTH_MAX, Fit, Room, WriteError, Written, deeper, double, integer, unfit};
use crate::avro::model::{Field, Kind, TypeId};
use crate::value::avro::Plan;
use crate::value::{Key, Map, Shape, Text, Value, protobuf};

pub(super) fn write(
    plan: &Plan,
    value: &Value<'_>,
    fit: Fit,
    bytes_max: usize,
) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer {
        plan,
        fit,
        out: Vec::new(),
        room: Room::new(bytes_max),
        path: Vec::new(),
    };
    let written = writer
        .value(plan.model.root, value, DEPTH_MAX)
        .and_then(|()| writer.room.take(writer.out.len()));
    match written {
        Ok(()) => Ok(writer.out),
        Err((kind, reason)) => Err(WriteError {
            kind,
            path: writer.path.join("."),
            reason,
        }),
    }
}

struct Writer<'w> {
    plan: &'w Plan,
    fit: Fit,
    out: Vec<u8>,
    room: Room,
    /// Names of fields down to the one that is written; left as it is when writing fails.
    path: Vec<&'w str>,
}

impl<'w> Writer<'w> {
    fn value(&mut self, id: TypeId, value: &Value<'_>, depth: usize) -> Written {
        self.room.take(self.out.len())?;
        let plan = self.plan;
        let kind = plan.model.kind(id);
        match (kind, value) {
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(truth)) => self.out.push(u8::from(*truth)),
            (Kind::Int, _) => match integer(value).map(i32::try_from) {
                Some(Ok(number)) => self.long(number.into()),
                _ => return unfit("an int is a whole number of 32 bits"),
            },
            (Kind::Long, _) => match long_of(plan, id, value) {
                Some(number) => self.long(number),
                None => return unfit("a long is a whole number of 64 bits"),
            },
            (Kind::Float, _) => match double(value) {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a float is the nearest one to the number"
                )]
                Some(number) => self.out.extend((number as f32).to_le_bytes()),
                None => return unfit("a float is a number"),
            },
            (Kind::Double, _) => match double(value) {
                Some(number) => self.out.extend(number.to_le_bytes()),
                None => return unfit("a double is a number that 64 bits hold exactly"),
            },
            (Kind::String, Value::Text(text)) => self.blob(text.as_str().as_bytes())?,
            (Kind::Bytes, Value::Bytes(bytes)) => self.blob(bytes.as_slice())?,
            (Kind::Fixed { size, .. }, Value::Bytes(bytes)) => {
                if u64::try_from(bytes.as_slice().len()) != Ok(*size) {
                    return unfit(format!("a fixed has {size} bytes here"));
                }
                self.out.extend(bytes.as_slice());
            }
            (Kind::Enum { symbols, .. }, Value::Text(text)) => {
                match symbols.iter().position(|symbol| symbol == text.as_str()) {
                    Some(index) => self.count(index),
                    None => return unfit("the enum has no such symbol"),
                }
            }
            (Kind::Array(items), Value::List(list)) => {
                let depth = deeper(depth)?;
                self.count(list.len());
                for item in (0..list.len()).filter_map(|index| list.get(index)) {
                    self.value(*items, &item, depth)?;
                }
                self.end(list.len());
            }
            (Kind::Map(values), Value::Map(map)) => self.map(*values, map, deeper(depth)?)?,
            (Kind::Record { fields, .. }, Value::Map(map)) => self.record(fields, map, deeper(depth)?)?,
            (Kind::Union(branches), _) => match self.branch(branches, value) {
                Some(at) => {
                    self.count(at);
                    self.value(branches[at], value, depth)?;
                }
                None => return unfit("no branch of the union is of this type"),
            },
            _ => return unfit(format!("{} is no {}", value.type_name(), kind.word())),
        }
        Ok(())
    }

    fn map(&mut self, values: TypeId, map: &Map<'_>, depth: usize) -> Written {
        let entries = protobuf::with_defaults(map);
        self.count(entries.len());
        for (key, value) in &entries {
            let Key::Text(name) = key else {
                return unfit("the keys of a map are strings");
            };
            self.blob(name.as_str().as_bytes())?;
            self.value(values, value, depth)?;
        }
        self.end(entries.len());
        Ok(())
    }

    fn record(&mut self, fields: &'w [Field], map: &Map<'_>, depth: usize) -> Written {
        let mut found = 0;
        for field in fields {
            self.path.push(&field.name);
            match protobuf::member(map, &field.name) {
                Some(value) => {
                    found += 1;
                    self.value(field.schema, &value, depth)?;
                }
                None if self.fit == Fit::NullIfMissing && self.may_be(field.schema, &Value::Null) => {
                    self.value(field.schema, &Value::Null, depth)?;
                }
                None => return unfit("the field is missing"),
            }
            self.path.pop();
        }
        let named = |key: &Key<'_>| matches!(key, Key::Text(name) if fields.iter().any(|field| field.name == name.as_str()));
        if map.len() > found && !map.entries().iter().all(|(key, _value)| named(key)) {
            return unfit("the record has a field that its schema does not have");
        }
        Ok(())
    }

    /// The branch of a value: the record that it came from, else the first that holds it as it is, else the first into which it
    /// can be converted.
    fn branch(&self, branches: &[TypeId], value: &Value<'_>) -> Option<usize> {
        let own = match value {
            Value::Map(map) => match map.shape() {
                Some(Shape::Avro(own)) => Some(*own),
                _ => None,
            },
            _ => None,
        };
        let converted = |id: TypeId| {
            matches!(value, Value::Int(_) | Value::Uint(_))
                && (matches!(self.plan.model.kind(id), Kind::Float | Kind::Double)
                    || self.plan.units(id).is_some())
        };
        let first = |test: &dyn Fn(TypeId) -> bool| {
            branches
                .iter()
                .position(|it| test(*it) && self.may_be(*it, value))
        };
        first(&|it| Some(it) == own)
            .or_else(|| first(&|it| !converted(it)))
            .or_else(|| first(&|_any| true))
    }

    /// Whether a value can be of a type, by what is at its top.
    fn may_be(&self, id: TypeId, value: &Value<'_>) -> bool {
        match (self.plan.model.kind(id), value) {
            (Kind::Null, Value::Null) | (Kind::Boolean, Value::Bool(_)) => true,
            (Kind::Int, _) => integer(value).is_some_and(|number| i32::try_from(number).is_ok()),
            (Kind::Long, _) => long_of(self.plan, id, value).is_some(),
            #[expect(clippy::cast_possible_truncation, reason = "compared afterwards")]
            (Kind::Float, Value::Double(number)) => {
                number.is_nan() || f64::from(*number as f32).to_bits() == number.to_bits()
            }
            (Kind::Float | Kind::Double, _) => double(value).is_some(),
            (Kind::String, Value::Text(_)) | (Kind::Bytes, Value::Bytes(_)) => true,
            (Kind::Fixed { size, .. }, Value::Bytes(bytes)) => {
                u64::try_from(bytes.as_slice().len()) == Ok(*size)
            }
            (Kind::Enum { symbols, .. }, Value::Text(text)) => {
                symbols.iter().any(|symbol| symbol == text.as_str())
            }
            (Kind::Array(_), Value::List(_)) | (Kind::Map(_), Value::Map(_)) => true,
            (Kind::Record { fields, .. }, Value::Map(map)) => {
                let field = |key: &Key<'_>| matches!(key, Key::Text(name) if fields.iter().any(|field| field.name == name.as_str()));
                let lacking = |field: &Field| {
                    let name = Key::Text(Text::Borrowed(&field.name));
                    self.fit == Fit::Exact
                        && map.get(&name).is_none()
                        && protobuf::member(map, &field.name).is_none()
                };
                map.entries().iter().all(|(key, _value)| field(key)) && !fields.iter().any(lacking)
            }
            (Kind::Union(branches), _) => branches.iter().any(|branch| self.may_be(*branch, value)),
            _ => false,
        }
    }

    /// A zigzag variable-length number.
    fn long(&mut self, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
        while rest > 0x7f {
            self.out.push(u8::try_from(rest & 0x7f).unwrap_or(0) | 0x80);
            rest >>= 7;
        }
        self.out.push(u8::try_from(rest).unwrap_or(0));
    }

    fn count(&mut self, count: usize) {
        self.long(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn blob(&mut self, bytes: &[u8]) -> Written {
        self.room.take(self.out.len() + bytes.len())?;
        self.count(bytes.len());
        self.out.extend(bytes);
        Ok(())
    }

    fn end(&mut self, count: usize) {
        if count > 0 {
            self.out.push(0);
        }
    }
}

/// A whole number, or a point in time in the units of its type: what is smaller than a unit is cut off.
fn long_of(plan: &Plan, id: TypeId, value: &Value<'_>) -> Option<i64> {
    match (value, plan.units(id)) {
        (Value::Timestamp(moment), Some(units)) => {
            let nanos_per_unit = i128::from(1_000_000_000 / units);
            i64::try_from(moment.nanos_since_1970().div_euclid(nanos_per_unit)).ok()
        }
        _ => i64::try_from(integer(value)?).ok(),
    }
}
