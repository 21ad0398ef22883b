//! Calls of functions: which types they take, and what they give.

use super::ast::Expr;
use super::eval::{BYTES_PER_STEP, Fault, Machine};
use super::functions::{Function, Part};
use super::pattern::Pattern;
use super::types::Type;
use super::{convert, formats, receivers, time};
use crate::value::Value;

/// The type that a function gives for arguments of these types, or why it cannot take them.
pub fn result_of(function: Function, args: &[Type]) -> Result<Type, String> {
    let first = args.first().map_or(&Type::Any, Type::present);
    let wanted: &[Type] = match function {
        Function::Size => {
            return match first {
                Type::Any | Type::Text | Type::Bytes | Type::List(_) | Type::Map(..) | Type::Record(_) => {
                    Ok(Type::Int)
                }
                other => Err(format!(
                    "`size` is for texts, bytes, lists and maps, and this is {other}"
                )),
            };
        }
        Function::Dyn => return Ok(Type::Any),
        Function::Type => return Ok(Type::Type),
        Function::Int | Function::Uint | Function::Double => &[Type::Number, Type::Text, Type::Timestamp],
        Function::Text => &[
            Type::Number,
            Type::Text,
            Type::Bytes,
            Type::Bool,
            Type::Timestamp,
            Type::Duration,
        ],
        Function::Bytes => &[Type::Text, Type::Bytes],
        Function::Bool => &[Type::Bool, Type::Text],
        Function::Timestamp => &[Type::Text, Type::Timestamp, Type::Number],
        Function::Duration => &[Type::Text, Type::Duration],
        Function::Part(Part::Hours | Part::Minutes | Part::Seconds | Part::Milliseconds) => {
            &[Type::Timestamp, Type::Duration]
        }
        Function::Part(_) => &[Type::Timestamp],
        Function::Join => {
            receivers::join_type(first)?;
            &[]
        }
        _ => &[Type::Text],
    };
    if *first != Type::Any && !wanted.is_empty() && !wanted.iter().any(|it| it.may_equal(first)) {
        let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        return Err(format!(
            "`{}` takes {}, and this is {first}",
            function.name(),
            names.join(" or ")
        ));
    }
    for (index, arg) in args.iter().enumerate().skip(1) {
        let number = matches!(function, Function::Substring | Function::CharAt);
        let fits = if number {
            arg.present().is_number()
        } else {
            *arg.present() == Type::Text
        };
        if !fits && *arg.present() != Type::Any {
            let wanted = if number { "an int" } else { "a string" };
            return Err(format!(
                "argument {index} of `{}` is {wanted}, and this is {arg}",
                function.name()
            ));
        }
    }
    Ok(given_by(function))
}

/// The type that a function gives.
fn given_by(function: Function) -> Type {
    match function {
        Function::Contains
        | Function::StartsWith
        | Function::EndsWith
        | Function::Matches
        | Function::Bool
        | Function::Form(_) => Type::Bool,
        Function::Int | Function::Part(_) | Function::IndexOf | Function::LastIndexOf => Type::Int,
        Function::Uint => Type::Uint,
        Function::Double => Type::Double,
        Function::Bytes => Type::Bytes,
        Function::Timestamp => Type::Timestamp,
        Function::Duration => Type::Duration,
        Function::Split => Type::list(Type::Text),
        _ => Type::Text,
    }
}

impl<'a> Machine<'_, 'a> {
    pub(super) fn call(
        &mut self,
        function: Function,
        args: &'a [Expr],
        pattern: Option<&Pattern>,
        at: usize,
    ) -> Result<Value<'a>, Fault> {
        let Some((first, rest)) = args.split_first() else {
            return Err(Fault::new(at, "a call without arguments"));
        };
        let first = self.eval(first)?;
        let wrong = |value: &Value<'_>| {
            Fault::new(
                at,
                format!("`{}` does not go with {}", function.name(), value.type_name()),
            )
        };
        match (function, &first) {
            (Function::Dyn, _) => return Ok(first),
            (Function::Type, _) => return Ok(Value::Type(first.type_name())),
            (Function::Size, _) => return self.size(&first, at),
            (Function::Matches, Value::Text(text)) => {
                let pattern = pattern.ok_or_else(|| wrong(&first))?;
                self.steps.charge(pattern.cost(text.as_str().len()))?;
                return Ok(Value::Bool(pattern.is_match(text.as_str())));
            }
            (Function::Part(part), Value::Timestamp(moment)) => {
                let zone = match rest.first() {
                    None => None,
                    Some(zone) => Some(self.eval(zone)?),
                };
                let offset = match &zone {
                    None => Some(0),
                    Some(Value::Text(zone)) => time::offset_seconds(zone.as_str()),
                    Some(other) => return Err(wrong(other)),
                };
                let Some(offset) = offset else {
                    return Err(Fault::new(at, "a time zone is UTC or an offset such as +02:00"));
                };
                return Ok(Value::Int(time::part(*moment, part, offset)));
            }
            (Function::Part(part), Value::Duration(span)) => {
                return time::part_of_span(*span, part)
                    .map(Value::Int)
                    .ok_or_else(|| wrong(&first));
            }
            _ => {}
        }
        if let Value::Text(text) = &first {
            self.steps.charge(text.as_str().len() / BYTES_PER_STEP)?;
        }
        if let Value::Bytes(bytes) = &first {
            self.steps.charge(bytes.as_slice().len() / BYTES_PER_STEP)?;
        }
        match (function, &first) {
            (Function::Form(form), Value::Text(text)) => {
                Ok(Value::Bool(formats::has_form(text.as_str(), form)))
            }
            (
                Function::Int
                | Function::Uint
                | Function::Double
                | Function::Text
                | Function::Bytes
                | Function::Bool
                | Function::Timestamp
                | Function::Duration,
                _,
            ) => convert::to(function, &first, at),
            _ => {
                let mut values = Vec::with_capacity(rest.len());
                for arg in rest {
                    values.push(self.eval(arg)?);
                }
                receivers::call(function, &first, &values, at, self.steps)
            }
        }
    }

    fn size(&mut self, value: &Value<'_>, at: usize) -> Result<Value<'a>, Fault> {
        let size = match value {
            Value::Text(text) => {
                self.steps.charge(text.as_str().len() / BYTES_PER_STEP)?;
                text.as_str().chars().count()
            }
            Value::Bytes(bytes) => bytes.as_slice().len(),
            Value::List(list) => list.len(),
            Value::Map(map) => map.len(),
            other => {
                return Err(Fault::new(
                    at,
                    format!("`size` does not go with {}", other.type_name()),
                ));
            }
        };
        Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
    }
}
