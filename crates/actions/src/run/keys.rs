//! The key by which a record is compared with those before it.

use weir_contract::rules::cel::{Fault, Steps};
use weir_contract::value::protobuf::{member, with_defaults};
use weir_contract::value::{Key, Value};

use super::outcome::{Record, Stop};
use crate::path::Path;
use crate::seen::{Hashed, hashed};
use crate::tree::elements;

/// `None`: there is nothing by which it could be compared.
pub(super) fn of(
    paths: &[Path],
    value: &Value<'_>,
    record: &Record<'_>,
    steps: &mut Steps,
) -> Result<Option<Hashed>, Stop> {
    if paths.is_empty() {
        return Ok(record.key.map(hashed));
    }
    let mut bytes = Vec::new();
    let mut something = false;
    for path in paths {
        let found = at(value, path, steps).and_then(|found| {
            something |= !matches!(found, Value::Null);
            write(&found, &mut bytes, steps)
        });
        found.map_err(|fault| Stop::of(fault, None))?;
    }
    Ok(something.then(|| hashed(&bytes)))
}

/// What stands at a path; null if nothing does, a list of what it leads to through a list.
fn at<'a>(value: &Value<'a>, path: &[Box<str>], steps: &mut Steps) -> Result<Value<'a>, Fault> {
    steps.charge(1)?;
    let Some((name, rest)) = path.split_first() else {
        return Ok(value.clone());
    };
    match value {
        Value::Map(map) => member(map, name).map_or(Ok(Value::Null), |found| at(&found, rest, steps)),
        Value::List(list) => {
            let found = elements(list).map(|element| at(&element, path, steps));
            Ok(Value::list(found.collect::<Result<_, _>>()?))
        }
        _ => Ok(Value::Null),
    }
}

/// One form for equal values: numbers by what they count, maps by their keys in order; parts cannot run into one another.
fn write(value: &Value<'_>, bytes: &mut Vec<u8>, steps: &mut Steps) -> Result<(), Fault> {
    steps.charge(1)?;
    let mut part = |sort: u8, content: &[u8]| {
        bytes.push(sort);
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(content);
    };
    match value {
        Value::Null => part(0, &[]),
        Value::Bool(truth) => part(1, &[u8::from(*truth)]),
        Value::Int(number) => part(2, &i128::from(*number).to_le_bytes()),
        Value::Uint(number) => part(2, &i128::from(*number).to_le_bytes()),
        Value::Double(number) => match whole(*number) {
            Some(number) => part(2, &number.to_le_bytes()),
            None => part(3, &number.to_bits().to_le_bytes()),
        },
        Value::Text(text) => {
            steps.charge(text.as_str().len() / 16)?;
            part(4, text.as_str().as_bytes());
        }
        Value::Bytes(blob) => {
            steps.charge(blob.as_slice().len() / 16)?;
            part(5, blob.as_slice());
        }
        Value::Timestamp(moment) => part(6, &moment.nanos_since_1970().to_le_bytes()),
        Value::Duration(span) => part(7, &span.to_le_bytes()),
        Value::Type(name) => part(8, name.as_bytes()),
        Value::List(list) => {
            part(9, &(list.len() as u64).to_le_bytes());
            for element in elements(list) {
                write(&element, bytes, steps)?;
            }
        }
        Value::Map(map) => {
            let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            for (key, value) in with_defaults(map) {
                let mut entry = (Vec::new(), Vec::new());
                write(&Key::value(&key), &mut entry.0, steps)?;
                write(&value, &mut entry.1, steps)?;
                entries.push(entry);
            }
            entries.sort();
            part(10, &(entries.len() as u64).to_le_bytes());
            for (key, value) in entries {
                part(11, &key);
                part(12, &value);
            }
        }
    }
    Ok(())
}

/// The whole number that a double is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "compared afterwards"
)]
fn whole(number: f64) -> Option<i128> {
    let integer = number as i128;
    (integer as f64 == number && number.abs() < 1e37).then_some(integer)
}
