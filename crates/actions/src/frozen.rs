//! A value that waits for an answer: it owns what it is made of, and can go to another thread.

use std::rc::Rc;

use weir_contract::rules::cel::{Fault, Steps};
use weir_contract::value::{Entries, Key, Map, Shape, Text, Timestamp, Value};

use crate::limits::DEPTH_MAX;
use crate::tree::elements;

/// Bytes that a step of computation may copy.
const BYTES_PER_STEP: usize = 16;

/// A value, owned.
#[derive(Debug)]
pub(crate) enum Frozen {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Timestamp(Timestamp),
    Duration(i128),
    List(Vec<Frozen>),
    Map(Vec<(Name, Frozen)>, Shape),
    Type(&'static str),
}

#[derive(Debug)]
pub(crate) enum Name {
    Text(String),
    Int(i64),
    Uint(u64),
    Bool(bool),
}

/// The fault of a value that nests too deep.
pub(crate) const TOO_DEEP: &str = "the record would nest too deep";

fn deeper(depth: usize) -> Result<usize, Fault> {
    depth.checked_sub(1).ok_or(Fault::Failed {
        at: 0,
        reason: TOO_DEEP.into(),
    })
}

/// Whether a value that an expression made is of bounded depth and size.
pub(crate) fn measure(value: &Value<'_>, steps: &mut Steps) -> Result<(), Fault> {
    fn within(value: &Value<'_>, depth: usize, steps: &mut Steps) -> Result<(), Fault> {
        match value {
            Value::List(list) => {
                let depth = deeper(depth)?;
                steps.charge(1 + list.len())?;
                elements(list).try_for_each(|element| within(&element, depth, steps))
            }
            Value::Map(map) => {
                let depth = deeper(depth)?;
                steps.charge(1 + map.len())?;
                map.entries()
                    .iter()
                    .try_for_each(|(_key, value)| within(value, depth, steps))
            }
            _ => Ok(()),
        }
    }
    within(value, DEPTH_MAX, steps)
}

impl Frozen {
    /// A copy of a value, for which is charged.
    pub fn of(value: &Value<'_>, steps: &mut Steps) -> Result<Self, Fault> {
        Self::within(value, DEPTH_MAX, steps)
    }

    fn within(value: &Value<'_>, depth: usize, steps: &mut Steps) -> Result<Self, Fault> {
        steps.charge(1)?;
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Uint(number) => Self::Uint(*number),
            Value::Double(number) => Self::Double(*number),
            Value::Text(text) => {
                steps.charge(text.as_str().len() / BYTES_PER_STEP)?;
                Self::Text(text.as_str().to_owned())
            }
            Value::Bytes(bytes) => {
                steps.charge(bytes.as_slice().len() / BYTES_PER_STEP)?;
                Self::Bytes(bytes.as_slice().to_vec())
            }
            Value::Timestamp(moment) => Self::Timestamp(*moment),
            Value::Duration(span) => Self::Duration(*span),
            Value::Type(name) => Self::Type(name),
            Value::List(list) => {
                let depth = deeper(depth)?;
                let copies = elements(list).map(|element| Self::within(&element, depth, steps));
                Self::List(copies.collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let depth = deeper(depth)?;
                let mut entries = Vec::new();
                for (key, value) in map.entries() {
                    entries.push((Name::of(&key), Self::within(&value, depth, steps)?));
                }
                Self::Map(entries, map.shape().cloned().unwrap_or_default())
            }
        })
    }

    /// The value that it was.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Int(*number),
            Self::Uint(number) => Value::Uint(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Text(text) => Value::text(text),
            Self::Bytes(bytes) => Value::bytes(bytes),
            Self::Timestamp(moment) => Value::Timestamp(*moment),
            Self::Duration(span) => Value::Duration(*span),
            Self::Type(name) => Value::Type(name),
            Self::List(list) => Value::list(list.iter().map(Self::value).collect()),
            Self::Map(entries, shape) => {
                let entries = entries.iter().map(|(name, value)| (name.key(), value.value()));
                Value::Map(Map::Owned(Rc::new(Entries::new(
                    entries.collect(),
                    shape.clone(),
                ))))
            }
        }
    }
}

impl Name {
    fn of(key: &Key<'_>) -> Self {
        match key {
            Key::Text(text) => Self::Text(text.as_str().to_owned()),
            Key::Int(number) => Self::Int(*number),
            Key::Uint(number) => Self::Uint(*number),
            Key::Bool(truth) => Self::Bool(*truth),
        }
    }

    const fn key(&self) -> Key<'_> {
        match self {
            Self::Text(text) => Key::Text(Text::Borrowed(text.as_str())),
            Self::Int(number) => Key::Int(*number),
            Self::Uint(number) => Key::Uint(*number),
            Self::Bool(truth) => Key::Bool(*truth),
        }
    }
}
