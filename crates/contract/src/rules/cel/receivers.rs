//! Functions of texts. What they make is charged before it is made.

use super::eval::{BYTES_PER_STEP, Fault, Steps};
use super::functions::Function;
use super::types::Type;
use crate::value::Value;

/// The type of `join`.
pub fn join_type(first: &Type) -> Result<Type, String> {
    match first {
        Type::Any => Ok(Type::Text),
        Type::List(element) if Type::Text.may_equal(element) => Ok(Type::Text),
        other => Err(format!("`join` is for a list of strings, and this is {other}")),
    }
}

/// Calls a function of a text, or `join` of a list.
pub fn call<'a>(
    function: Function,
    first: &Value<'a>,
    args: &[Value<'a>],
    at: usize,
    steps: &mut Steps,
) -> Result<Value<'a>, Fault> {
    let wrong = |value: &Value<'_>| {
        Fault::new(
            at,
            format!("`{}` does not go with {}", function.name(), value.type_name()),
        )
    };
    if function == Function::Join {
        return join(first, args.first(), steps).ok_or_else(|| wrong(first))?;
    }
    let Value::Text(text) = first else {
        return Err(wrong(first));
    };
    let text = text.as_str();
    if matches!(function, Function::Substring | Function::CharAt) {
        return cut(function, text, args)
            .ok_or_else(|| Fault::new(at, "the position is outside of the text"));
    }
    let mut texts = [""; 2];
    for (slot, arg) in texts.iter_mut().zip(args) {
        let Value::Text(arg) = arg else {
            return Err(wrong(arg));
        };
        *slot = arg.as_str();
    }
    let [other, replacement] = texts;
    steps.charge(other.len() / BYTES_PER_STEP)?;
    Ok(match function {
        Function::Contains => Value::Bool(text.contains(other)),
        Function::StartsWith => Value::Bool(text.starts_with(other)),
        Function::EndsWith => Value::Bool(text.ends_with(other)),
        Function::LowerAscii => Value::owned_text(&text.to_ascii_lowercase()),
        Function::UpperAscii => Value::owned_text(&text.to_ascii_uppercase()),
        Function::Trim => Value::owned_text(text.trim()),
        Function::IndexOf => Value::Int(position(text, text.find(other))),
        Function::LastIndexOf => Value::Int(position(text, text.rfind(other))),
        Function::Split => {
            let parts = if other.is_empty() {
                text.chars().count()
            } else {
                text.matches(other).count() + 1
            };
            steps.charge(parts.saturating_mul(2))?;
            let part = |part: &str| Value::owned_text(part);
            Value::list(if other.is_empty() {
                text.chars().map(|it| part(it.encode_utf8(&mut [0; 4]))).collect()
            } else {
                text.split(other).map(part).collect()
            })
        }
        Function::Replace => {
            let grown = text.matches(other).count().saturating_mul(replacement.len());
            steps.charge(grown / BYTES_PER_STEP)?;
            Value::owned_text(&text.replace(other, replacement))
        }
        _ => return Err(wrong(first)),
    })
}

/// A place in characters, -1 for none.
fn position(text: &str, byte: Option<usize>) -> i64 {
    byte.map_or(-1, |byte| {
        i64::try_from(text[..byte].chars().count()).unwrap_or(i64::MAX)
    })
}

fn cut<'a>(function: Function, text: &str, args: &[Value<'a>]) -> Option<Value<'a>> {
    let number = |index: usize| match args.get(index) {
        Some(Value::Int(number)) => usize::try_from(*number).ok(),
        Some(Value::Uint(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    let count = text.chars().count();
    let from = number(0)?;
    let to = match (function, args.len()) {
        // Behind the last character there is an empty one.
        (Function::CharAt, _) if from <= count => from.saturating_add(1).min(count),
        (_, 1) => count,
        _ => number(1)?,
    };
    if from > to || to > count {
        return None;
    }
    let part: String = text.chars().skip(from).take(to - from).collect();
    Some(Value::owned_text(&part))
}

/// `None` if something in it is no text.
fn join<'a>(
    list: &Value<'a>,
    separator: Option<&Value<'a>>,
    steps: &mut Steps,
) -> Option<Result<Value<'a>, Fault>> {
    let Value::List(list) = list else { return None };
    let separator = match separator {
        None => "",
        Some(Value::Text(text)) => text.as_str(),
        Some(_) => return None,
    };
    let mut joined = String::new();
    for index in 0..list.len() {
        let Some(Value::Text(text)) = list.get(index) else {
            return None;
        };
        if let Err(fault) = steps.charge(1 + (text.as_str().len() + separator.len()) / BYTES_PER_STEP) {
            return Some(Err(fault));
        }
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text.as_str());
    }
    Some(Ok(Value::owned_text(&joined)))
}
