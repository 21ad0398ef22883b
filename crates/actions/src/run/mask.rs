//! Fields that are made unreadable.

use std::collections::BTreeSet;
use std::rc::Rc;

use weir_contract::record::Codec;
use weir_contract::rules::cel::{Fault, Steps};
use weir_contract::value::{Blob, Entries, Key, Map, Shape, Timestamp, Value};

use super::outcome::{DeadLetterCode as Code, Stop};
use super::read::Frame;
use crate::frozen::TOO_DEEP;
use crate::limits::DEPTH_MAX;
use crate::plan::Masked;
use crate::schema::Host;
use crate::spec::MaskHow;
use crate::tree::{Edit, Tree, elements};

/// Looks at subschemas that finding tags may take, for each step of computation.
const LOOKS_BASE: usize = 50_000;

pub(super) fn apply<'a>(
    masked: &'a Masked,
    how: &'a MaskHow,
    value: &Value<'a>,
    frame: &Frame,
    host: &dyn Host,
    steps: &mut Steps,
) -> Result<Value<'a>, Stop> {
    let mut lost = false;
    let result = match (masked, &frame.registered) {
        (Masked::Fields(tree), _) => edit(tree, how, value, host, steps, &mut lost),
        (Masked::Tags(tags), Some(registered)) => {
            by_tags(&registered.codec, tags, how, value, host, steps, &mut lost)
        }
        (Masked::Tags(_), None) => Ok(value.clone()),
    };
    if lost {
        let sentence = "The secret that is the key of the hash is not there.".to_owned();
        return Err(Stop::Dead(Code::NoSecret, sentence));
    }
    result.map_err(|fault| Stop::of(fault, None))
}

fn edit<'a>(
    tree: &Tree,
    how: &MaskHow,
    value: &Value<'a>,
    host: &dyn Host,
    steps: &mut Steps,
    lost: &mut bool,
) -> Result<Value<'a>, Fault> {
    tree.edit(value, steps, &mut |_at, value, steps| {
        let masked = mask(how, &value, host, steps, lost, DEPTH_MAX)?;
        Ok(Edit::Value(masked, true))
    })
}

fn by_tags<'a>(
    codec: &Codec,
    tags: &BTreeSet<String>,
    how: &MaskHow,
    value: &Value<'a>,
    host: &dyn Host,
    steps: &mut Steps,
    lost: &mut bool,
) -> Result<Value<'a>, Fault> {
    let mut looks = LOOKS_BASE + steps.left();
    let ways = codec.tagged_ways(value, tags, &mut looks).ok_or(Fault::Cost)?;
    if !ways.is_empty() {
        return edit(&Tree::of_ways(&ways), how, value, host, steps, lost);
    }
    let mut walk = Tagged {
        codec,
        tags,
        how,
        host,
        steps,
        lost,
    };
    walk.value(value, DEPTH_MAX)
}

/// Records of Avro and messages know their types, and types know their tags.
struct Tagged<'t> {
    codec: &'t Codec,
    tags: &'t BTreeSet<String>,
    how: &'t MaskHow,
    host: &'t dyn Host,
    steps: &'t mut Steps,
    lost: &'t mut bool,
}

impl Tagged<'_> {
    fn value<'a>(&mut self, value: &Value<'a>, depth: usize) -> Result<Value<'a>, Fault> {
        match value {
            Value::List(list) => {
                let depth = deeper(depth)?;
                self.steps.charge(1 + list.len())?;
                let changed = elements(list).map(|element| self.value(&element, depth));
                Ok(Value::list(changed.collect::<Result<_, _>>()?))
            }
            Value::Map(map @ Map::Owned(_)) => {
                let depth = deeper(depth)?;
                self.steps.charge(1 + map.len())?;
                let shape = map.shape().cloned().unwrap_or_default();
                let mut entries = Vec::with_capacity(map.len());
                for (key, value) in map.entries() {
                    let tagged = match &key {
                        Key::Text(name) => self.codec.is_tagged(&shape, name.as_str(), self.tags),
                        _ => false,
                    };
                    let changed = if tagged {
                        mask(self.how, &value, self.host, self.steps, self.lost, depth)?
                    } else {
                        self.value(&value, depth)?
                    };
                    entries.push((key, changed));
                }
                Ok(Value::Map(Map::Owned(Rc::new(Entries::new(entries, shape)))))
            }
            other => Ok(other.clone()),
        }
    }
}

fn deeper(depth: usize) -> Result<usize, Fault> {
    depth.checked_sub(1).ok_or(Fault::Failed {
        at: 0,
        reason: TOO_DEEP.into(),
    })
}

/// What is left of a value: of a list or a record each part is masked.
fn mask<'a>(
    how: &MaskHow,
    value: &Value<'a>,
    host: &dyn Host,
    steps: &mut Steps,
    lost: &mut bool,
    depth: usize,
) -> Result<Value<'a>, Fault> {
    steps.charge(1)?;
    match (value, how) {
        (Value::Null, _) | (_, MaskHow::Null) => Ok(Value::Null),
        (Value::List(list), _) => {
            let depth = deeper(depth)?;
            let masked = elements(list).map(|element| mask(how, &element, host, steps, lost, depth));
            Ok(Value::list(masked.collect::<Result<_, _>>()?))
        }
        (Value::Map(map), _) => {
            let depth = deeper(depth)?;
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries() {
                entries.push((key, mask(how, &value, host, steps, lost, depth)?));
            }
            let shape = map.shape().cloned().unwrap_or(Shape::Free);
            Ok(Value::Map(Map::Owned(Rc::new(Entries::new(entries, shape)))))
        }
        (_, MaskHow::Redact) => redact(value, steps),
        (_, MaskHow::Hash { key }) => {
            let bytes = plain(value);
            steps.charge(16 + bytes.len() / 16)?;
            let Some(hash) = host.keyed_hash(key, &bytes) else {
                *lost = true;
                return Ok(Value::Null);
            };
            let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Value::owned_text(&text))
        }
        (_, MaskHow::KeepLast { n }) => {
            let bytes = plain(value);
            steps.charge(bytes.len() / 16)?;
            let text = String::from_utf8_lossy(&bytes);
            Ok(Value::owned_text(&keep_last(&text, *n)))
        }
    }
}

/// A constant of the same type. Bytes keep their number, which a fixed of Avro needs.
fn redact<'a>(value: &Value<'a>, steps: &mut Steps) -> Result<Value<'a>, Fault> {
    Ok(match value {
        Value::Text(_) | Value::Type(_) => Value::text("***"),
        Value::Int(_) => Value::Int(0),
        Value::Uint(_) => Value::Uint(0),
        Value::Double(_) => Value::Double(0.0),
        Value::Bool(_) => Value::Bool(false),
        Value::Bytes(bytes) => {
            let length = bytes.as_slice().len();
            steps.charge(length / 16)?;
            Value::Bytes(Blob::Owned(vec![0; length].into()))
        }
        Value::Timestamp(_) => Value::Timestamp(Timestamp { seconds: 0, nanos: 0 }),
        Value::Duration(_) => Value::Duration(0),
        Value::Null | Value::List(_) | Value::Map(_) => Value::Null,
    })
}

/// A `*` for every character but the last `n`; for all if there are no more.
fn keep_last(text: &str, n: u32) -> String {
    let kept = usize::try_from(n).unwrap_or(usize::MAX);
    let count = text.chars().count();
    let masked = if count <= kept { count } else { count - kept };
    "*".repeat(masked)
        .chars()
        .chain(text.chars().skip(masked))
        .collect()
}

/// A plain value as bytes: texts and bytes as they are, others as CEL writes them.
fn plain(value: &Value<'_>) -> Vec<u8> {
    match value {
        Value::Text(text) => text.as_str().as_bytes().to_vec(),
        Value::Bytes(bytes) => bytes.as_slice().to_vec(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Uint(number) => number.to_string().into_bytes(),
        Value::Double(number) => number.to_string().into_bytes(),
        Value::Bool(truth) => truth.to_string().into_bytes(),
        Value::Timestamp(moment) => moment.nanos_since_1970().to_string().into_bytes(),
        Value::Duration(span) => span.to_string().into_bytes(),
        Value::Type(name) => name.as_bytes().to_vec(),
        Value::Null | Value::List(_) | Value::Map(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_characters_stay_and_short_texts_do_not() {
        for (text, n, expected) in [
            ("4111111111111111", 4, "************1111"),
            ("äöü", 1, "**ü"),
            ("1234", 4, "****"),
            ("12", 4, "**"),
            ("", 4, ""),
            ("abc", 0, "***"),
        ] {
            assert_eq!(keep_last(text, n), expected);
        }
    }
}
