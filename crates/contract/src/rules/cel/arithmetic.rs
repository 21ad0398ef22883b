//! The operators that make a new value of two: of one type, checked for overflow.

use std::rc::Rc;

use super::ast::Operator;
use super::eval::{BYTES_PER_STEP, Fault, Steps};
use super::time;
use crate::value::{Blob, Text, Value};

/// The value of `left operator right`.
pub fn combine<'a>(
    operator: Operator,
    left: &Value<'a>,
    right: &Value<'a>,
    at: usize,
    steps: &mut Steps,
) -> Result<Value<'a>, Fault> {
    let overflow = |what: &'static str| Fault::new(at, format!("{what} overflows"));
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => integers(operator, *a, *b, at).map(Value::Int),
        (Value::Uint(a), Value::Uint(b)) => unsigned(operator, *a, *b, at).map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => doubles(operator, *a, *b)
            .map(Value::Double)
            .ok_or_else(|| Fault::new(at, "`%` is not for doubles")),
        (Value::Text(a), Value::Text(b)) if operator == Operator::Add => {
            let (a, b) = (a.as_str(), b.as_str());
            steps.charge((a.len() + b.len()) / BYTES_PER_STEP)?;
            Ok(Value::Text(Text::Owned([a, b].concat().into())))
        }
        (Value::Bytes(a), Value::Bytes(b)) if operator == Operator::Add => {
            let (a, b) = (a.as_slice(), b.as_slice());
            steps.charge((a.len() + b.len()) / BYTES_PER_STEP)?;
            Ok(Value::Bytes(Blob::Owned(Rc::from([a, b].concat()))))
        }
        (Value::List(a), Value::List(b)) if operator == Operator::Add => {
            steps.charge(a.len() + b.len())?;
            let elements = (0..a.len()).filter_map(|index| a.get(index));
            Ok(Value::list(
                elements
                    .chain((0..b.len()).filter_map(|index| b.get(index)))
                    .collect(),
            ))
        }
        (Value::Timestamp(a), Value::Timestamp(b)) if operator == Operator::Subtract => {
            Ok(Value::Duration(a.nanos_since_1970() - b.nanos_since_1970()))
        }
        (Value::Timestamp(a), Value::Duration(b))
            if matches!(operator, Operator::Add | Operator::Subtract) =>
        {
            let span = if operator == Operator::Add { *b } else { -*b };
            time::shifted(*a, span)
                .map(Value::Timestamp)
                .ok_or_else(|| overflow("a timestamp"))
        }
        (Value::Duration(a), Value::Timestamp(b)) if operator == Operator::Add => time::shifted(*b, *a)
            .map(Value::Timestamp)
            .ok_or_else(|| overflow("a timestamp")),
        (Value::Duration(a), Value::Duration(b))
            if matches!(operator, Operator::Add | Operator::Subtract) =>
        {
            let span = if operator == Operator::Add { a + b } else { a - b };
            time::span(span)
                .map(Value::Duration)
                .ok_or_else(|| overflow("a duration"))
        }
        (a, b) => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(Fault::new(
                at,
                format!("`{}` does not go with {a} and {b}", operator.as_str()),
            ))
        }
    }
}

fn integers(operator: Operator, a: i64, b: i64, at: usize) -> Result<i64, Fault> {
    if b == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
        return Err(Fault::new(at, "a division by zero"));
    }
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.ok_or_else(|| Fault::new(at, "an int overflows"))
}

fn unsigned(operator: Operator, a: u64, b: u64, at: usize) -> Result<u64, Fault> {
    if b == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
        return Err(Fault::new(at, "a division by zero"));
    }
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.ok_or_else(|| Fault::new(at, "a uint overflows"))
}

fn doubles(operator: Operator, a: f64, b: f64) -> Option<f64> {
    Some(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        _ => return None,
    })
}
