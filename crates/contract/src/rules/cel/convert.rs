//! Conversions between types (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#type-conversions>).

use std::rc::Rc;

use super::eval::Fault;
use super::functions::Function;
use super::time;
use crate::value::{Blob, Text, Timestamp, Value};

/// 2^63 and 2^64, which no longer fit.
const INT_END: f64 = 9_223_372_036_854_775_808.0;
const UINT_END: f64 = 18_446_744_073_709_551_616.0;

/// Converts a value.
pub fn to<'a>(function: Function, value: &Value<'a>, at: usize) -> Result<Value<'a>, Fault> {
    let converted = match function {
        Function::Int => to_int(value).map(Value::Int),
        Function::Uint => to_uint(value).map(Value::Uint),
        Function::Double => to_double(value).map(Value::Double),
        Function::Text => return to_text(value, at),
        Function::Bytes => match value {
            Value::Bytes(_) => Some(value.clone()),
            Value::Text(Text::Borrowed(text)) => Some(Value::bytes(text.as_bytes())),
            Value::Text(Text::Owned(text)) => Some(Value::Bytes(Blob::Owned(Rc::from(text.as_bytes())))),
            _ => None,
        },
        Function::Bool => match value {
            Value::Bool(_) => Some(value.clone()),
            Value::Text(text) => match text.as_str() {
                "true" | "True" | "TRUE" | "t" | "1" => Some(Value::Bool(true)),
                "false" | "False" | "FALSE" | "f" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        },
        Function::Timestamp => match value {
            Value::Timestamp(_) => Some(value.clone()),
            Value::Text(text) => time::read_timestamp(text.as_str()).map(Value::Timestamp),
            Value::Int(seconds) => {
                let moment = Timestamp {
                    seconds: *seconds,
                    nanos: 0,
                };
                time::is_within(moment).then_some(Value::Timestamp(moment))
            }
            _ => None,
        },
        _ => match value {
            Value::Duration(_) => Some(value.clone()),
            Value::Text(text) => time::read_duration(text.as_str()).map(Value::Duration),
            _ => None,
        },
    };
    converted.ok_or_else(|| {
        Fault::new(
            at,
            format!("this {} is no {}", value.type_name(), function.name()),
        )
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "within the range by the test before; CEL cuts the fraction off"
)]
fn to_int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Uint(number) => i64::try_from(*number).ok(),
        Value::Double(number) => (*number > -INT_END && *number < INT_END).then_some(*number as i64),
        Value::Text(text) => text.as_str().parse().ok(),
        Value::Timestamp(moment) => Some(moment.seconds),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the range by the test before"
)]
fn to_uint(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Uint(number) => Some(*number),
        Value::Double(number) => (*number > -1.0 && *number < UINT_END).then_some(*number as u64),
        Value::Text(text) => text.as_str().parse().ok(),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a double is what is asked for")]
fn to_double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        Value::Text(text) => text.as_str().parse().ok(),
        _ => None,
    }
}

fn to_text<'a>(value: &Value<'a>, at: usize) -> Result<Value<'a>, Fault> {
    let text = match value {
        Value::Text(_) => return Ok(value.clone()),
        Value::Bytes(Blob::Borrowed(bytes)) => {
            return std::str::from_utf8(bytes)
                .map(Value::text)
                .map_err(|_error| Fault::new(at, "these bytes are not UTF-8"));
        }
        Value::Bytes(Blob::Owned(bytes)) => {
            let text =
                std::str::from_utf8(bytes).map_err(|_error| Fault::new(at, "these bytes are not UTF-8"))?;
            return Ok(Value::owned_text(text));
        }
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Timestamp(moment) => time::write_timestamp(*moment),
        Value::Duration(span) => time::write_duration(*span),
        other => return Err(Fault::new(at, format!("this {} is no string", other.type_name()))),
    };
    Ok(Value::owned_text(&text))
}
