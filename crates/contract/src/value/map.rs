//! Maps, records and messages: entries in their order, found by name.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::rc::Rc;

use prost_reflect::MessageDescriptor;

use super::{Text, Value, json, protobuf};

/// Above so many entries a look-up goes through an index that is made when first wanted.
const SCANNED: usize = 64;

/// A key of a map; CEL allows these four types.
#[derive(Debug, Clone)]
pub enum Key<'a> {
    /// A name.
    Text(Text<'a>),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A truth.
    Bool(bool),
}

impl<'a> Key<'a> {
    /// The key that a value is; `None` for types that are none. A whole double is the integer that it equals.
    pub fn of(value: &Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Text(text) => Self::Text(text.clone()),
            Value::Int(number) => Self::Int(*number),
            Value::Uint(number) => Self::Uint(*number),
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Double(number) => Self::Int(whole(*number)?),
            _ => return None,
        })
    }

    /// The value that it was.
    pub fn value(&self) -> Value<'a> {
        match self {
            Self::Text(text) => Value::Text(text.clone()),
            Self::Int(number) => Value::Int(*number),
            Self::Uint(number) => Value::Uint(*number),
            Self::Bool(truth) => Value::Bool(*truth),
        }
    }

    /// The order in which the entries of a map without one are gone through.
    pub(crate) fn order_for_output(&self, other: &Key<'_>) -> Ordering {
        self.order(other)
    }

    fn is(&self, other: &Key<'_>) -> bool {
        match (self, other) {
            (Self::Text(a), Key::Text(b)) => a.as_str() == b.as_str(),
            _ => self.order(other).is_eq(),
        }
    }

    /// One order over all four types, in which 1 and 1u are the same.
    fn order(&self, other: &Key<'_>) -> Ordering {
        match (self, other) {
            (Self::Text(a), Key::Text(b)) => a.as_str().cmp(b.as_str()),
            (Self::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Self::Int(_) | Self::Uint(_), Key::Int(_) | Key::Uint(_)) => self.number().cmp(&other.number()),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    const fn number(&self) -> i128 {
        match self {
            Self::Int(number) => *number as i128,
            Self::Uint(number) => *number as i128,
            Self::Text(_) | Self::Bool(_) => 0,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Uint(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

/// The integer that a double equals.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "compared afterwards"
)]
fn whole(number: f64) -> Option<i64> {
    let integer = number as i64;
    (integer as f64 == number && integer != i64::MAX).then_some(integer)
}

/// Of which type of the schema a map is.
#[derive(Debug, Clone, Default)]
pub enum Shape {
    /// A map, not a record.
    #[default]
    Free,
    /// An object of JSON: names, each once, in their order.
    Json,
    /// A record of an Avro plan.
    Avro(usize),
    /// A message; its fields have defaults.
    Message(MessageDescriptor),
}

/// The entries of a map.
#[derive(Debug, Default)]
pub struct Entries<'a> {
    entries: Vec<(Key<'a>, Value<'a>)>,
    shape: Shape,
    index: OnceCell<Vec<u32>>,
}

impl<'a> Entries<'a> {
    /// Entries in their order; of two with the same key the later one holds.
    pub const fn new(entries: Vec<(Key<'a>, Value<'a>)>, shape: Shape) -> Self {
        Self {
            entries,
            shape,
            index: OnceCell::new(),
        }
    }

    /// Of an object of JSON; of fields with the same name the last holds.
    pub(super) fn of_object(mut entries: Vec<(Key<'a>, Value<'a>)>) -> Self {
        // Stable, so that the last of equal names stays the last.
        entries.sort_by(|(a, _), (b, _)| a.order(b));
        entries.dedup_by(|later, earlier| {
            let same = later.0.order(&earlier.0).is_eq();
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self::new(entries, Shape::Json)
    }

    /// All of them, in their order.
    pub(crate) fn seen(&self) -> &[(Key<'a>, Value<'a>)] {
        &self.entries
    }

    fn find(&self, key: &Key<'_>) -> Option<&Value<'a>> {
        if self.entries.len() <= SCANNED {
            let found = self.entries.iter().rev().find(|(it, _value)| it.is(key));
            return found.map(|(_key, value)| value);
        }
        let index = self.index.get_or_init(|| {
            let mut index: Vec<u32> = (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).collect();
            index.sort_by(|a, b| self.entries[*a as usize].0.order(&self.entries[*b as usize].0));
            index
        });
        // The last of equal keys: the sort is stable.
        let after = index.partition_point(|at| self.entries[*at as usize].0.order(key).is_le());
        let (found, value) = &self.entries[*index.get(after.checked_sub(1)?)? as usize];
        found.order(key).is_eq().then_some(value)
    }
}

/// A map; of JSON without a copy.
#[derive(Debug, Clone)]
pub enum Map<'a> {
    /// Decoded, or made by a rule.
    Owned(Rc<Entries<'a>>),
    /// An object as `serde_json` holds it.
    Json(&'a serde_json::Map<String, serde_json::Value>),
}

impl<'a> Map<'a> {
    /// A map of entries.
    pub fn of(entries: Vec<(Key<'a>, Value<'a>)>) -> Self {
        Self::Owned(Rc::new(Entries::new(entries, Shape::Free)))
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Owned(map) => map.entries.len(),
            Self::Json(map) => map.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &Key<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (Self::Owned(map), key) => map.find(key).cloned(),
            (Self::Json(map), Key::Text(name)) => map.get(name.as_str()).map(json::value),
            (Self::Json(_), _) => None,
        }
    }

    /// The value of a field, or its default where the schema gives one.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        self.get(&Key::Text(Text::Borrowed(name)))
            .or_else(|| match self.shape() {
                Some(Shape::Message(message)) => message
                    .get_field_by_name(name)
                    .map(|field| protobuf::default_value(&field)),
                _ => None,
            })
    }

    /// Whether `has(x.name)` is true: the key is there, and in a message the field is set.
    pub fn has(&self, name: &str) -> bool {
        match (self.get(&Key::Text(Text::Borrowed(name))), self.shape()) {
            (None, _) => false,
            (Some(value), Some(Shape::Message(message))) => match message.get_field_by_name(name) {
                Some(field) if !field.supports_presence() => !protobuf::is_default(&value),
                _ => true,
            },
            (Some(_), _) => true,
        }
    }

    /// Whether no two entries can have the same name, by what the map is.
    pub(crate) fn has_unique_names(&self) -> bool {
        self.len() < 2 || !matches!(self.shape(), Some(Shape::Free))
    }

    /// The key at a position.
    pub fn key_at(&self, index: usize) -> Option<Key<'a>> {
        match self {
            Self::Owned(map) => map.entries.get(index).map(|(key, _value)| key.clone()),
            Self::Json(map) => map.keys().nth(index).map(|name| Key::Text(Text::Borrowed(name))),
        }
    }

    /// Its entries, in order.
    pub fn entries(&self) -> Vec<(Key<'a>, Value<'a>)> {
        match self {
            Self::Owned(map) => map.entries.clone(),
            Self::Json(map) => map
                .iter()
                .map(|(name, value)| (Key::Text(Text::Borrowed(name)), json::value(value)))
                .collect(),
        }
    }

    /// The value at a position; for records, whose fields stand in the order of the schema.
    pub fn value_at(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Owned(map) => map.entries.get(index).map(|(_key, value)| value.clone()),
            Self::Json(_) => None,
        }
    }

    /// Of which type of the schema it is.
    pub fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Owned(map) => Some(&map.shape),
            Self::Json(_) => None,
        }
    }
}
