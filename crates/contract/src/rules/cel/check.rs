//! Checks an expression against what the schema says, before any record comes.
//!
//! Only what must go wrong for every record is an error; where the schema leaves something open, so does the check.

use super::CelError;
use super::ast::{Expr, Kind, Literal, Loop, Macro, Operator};
use super::calls::result_of;
use super::types::{Shapes, Type};

/// How many names a message lists.
const NAMES_SHOWN: usize = 12;

/// The type of an expression.
///
/// # Errors
/// The first part that cannot work for any record.
pub fn check(expr: &Expr, variables: &[Type], shapes: &Shapes) -> Result<Type, CelError> {
    Checker {
        slots: variables.to_vec(),
        shapes,
    }
    .expr(expr)
}

struct Checker<'s> {
    slots: Vec<Type>,
    shapes: &'s Shapes,
}

impl Checker<'_> {
    fn expr(&mut self, expr: &Expr) -> Result<Type, CelError> {
        Ok(match &expr.kind {
            Kind::Literal(literal) => literal_type(literal),
            Kind::Variable(slot) => self.slots.get(*slot).cloned().unwrap_or(Type::Any),
            Kind::Select { operand, field, test } => {
                let operand = self.expr(operand)?;
                let selected = self.select(&operand, field, expr.at)?;
                if *test { Type::Bool } else { selected }
            }
            Kind::Index(operand, index) => self.index(operand, index)?,
            Kind::Call { function, args, .. } => {
                let mut types = Vec::with_capacity(args.len());
                for arg in args {
                    types.push(self.expr(arg)?);
                }
                result_of(*function, &types).map_err(|message| CelError::new(expr.at, message))?
            }
            Kind::And(parts) | Kind::Or(parts) => {
                for part in parts {
                    self.bool(part)?;
                }
                Type::Bool
            }
            Kind::Not(inner) => {
                self.bool(inner)?;
                Type::Bool
            }
            Kind::Negate(inner) => match self.expr(inner)?.present() {
                Type::Any => Type::Any,
                found @ (Type::Int | Type::Double | Type::Number) => found.clone(),
                found => {
                    return Err(CelError::new(
                        expr.at,
                        format!("`-` is for int and double, and this is {found}"),
                    ));
                }
            },
            Kind::Choose(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                self.bool(condition)?;
                self.expr(then)?.join(&self.expr(otherwise)?)
            }
            Kind::Binary(operator, left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                binary(*operator, &left, &right).map_err(|message| CelError::new(expr.at, message))?
            }
            Kind::List(elements) => self.list(elements)?,
            Kind::Map(entries) => self.map(entries)?,
            Kind::Loop(inner) => self.over(inner)?,
        })
    }

    fn list(&mut self, elements: &[Expr]) -> Result<Type, CelError> {
        let mut element: Option<Type> = None;
        for part in elements {
            let found = self.expr(part)?;
            element = Some(element.map_or_else(|| found.clone(), |it| it.join(&found)));
        }
        Ok(Type::list(element.unwrap_or(Type::Any)))
    }

    fn map(&mut self, entries: &[(Expr, Expr)]) -> Result<Type, CelError> {
        for (key, value) in entries {
            let found = self.expr(key)?;
            match found.present() {
                Type::Any | Type::Text | Type::Int | Type::Uint | Type::Bool | Type::Number => {}
                _ => {
                    let message = format!("a key is a string, an int, a uint or a bool, and this is {found}");
                    return Err(CelError::new(key.at, message));
                }
            }
            self.expr(value)?;
        }
        Ok(Type::Map(Type::Any.into(), Type::Any.into()))
    }

    fn bool(&mut self, expr: &Expr) -> Result<(), CelError> {
        let found = self.expr(expr)?;
        match found.present() {
            Type::Bool | Type::Any => Ok(()),
            _ => Err(CelError::new(
                expr.at,
                format!("a bool is wanted here, and this is {found}"),
            )),
        }
    }

    fn select(&self, operand: &Type, field: &str, at: usize) -> Result<Type, CelError> {
        match operand.present() {
            Type::Any => Ok(Type::Any),
            Type::Map(_key, value) => Ok(value.as_ref().clone()),
            Type::Record(index) => {
                let Some(shape) = self.shapes.get(*index) else {
                    return Ok(Type::Any);
                };
                match shape.fields.get(field) {
                    Some(found) => Ok(found.clone()),
                    None if shape.open => Ok(Type::Any),
                    None => {
                        let mut names: Vec<&str> = shape
                            .fields
                            .keys()
                            .map(String::as_str)
                            .take(NAMES_SHOWN)
                            .collect();
                        if shape.fields.len() > NAMES_SHOWN {
                            names.push("...");
                        }
                        let names = names.join(", ");
                        Err(CelError::new(
                            at,
                            format!("{} has no field `{field}`; it has {names}", shape.name),
                        ))
                    }
                }
            }
            other => Err(CelError::new(
                at,
                format!("`.{field}` is asked of {other}, which has no fields"),
            )),
        }
    }

    fn index(&mut self, operand: &Expr, index: &Expr) -> Result<Type, CelError> {
        let found = self.expr(operand)?;
        let by = self.expr(index)?;
        match found.present() {
            Type::Any => Ok(Type::Any),
            Type::List(element) => {
                if matches!(by.present(), Type::Any) || by.present().is_number() {
                    return Ok(element.as_ref().clone());
                }
                Err(CelError::new(
                    index.at,
                    format!("a list is indexed by an int, and this is {by}"),
                ))
            }
            Type::Map(key, value) => {
                if key.may_equal(&by) {
                    return Ok(value.as_ref().clone());
                }
                Err(CelError::new(
                    index.at,
                    format!("the keys of this map are {key}, and this is {by}"),
                ))
            }
            Type::Record(_) => match &index.kind {
                Kind::Literal(Literal::Text(name)) => self.select(&found, name, index.at),
                _ => Ok(Type::Any),
            },
            other => Err(CelError::new(
                operand.at,
                format!("only lists and maps have an index, and this is {other}"),
            )),
        }
    }

    fn over(&mut self, inner: &Loop) -> Result<Type, CelError> {
        let range = self.expr(&inner.range)?;
        let element = match range.present() {
            Type::Any | Type::Record(_) => Type::Any,
            Type::List(element) => element.as_ref().clone(),
            Type::Map(key, _value) => key.as_ref().clone(),
            other => {
                return Err(CelError::new(
                    inner.range.at,
                    format!("only lists and maps can be gone through, and this is {other}"),
                ));
            }
        };
        self.slots.truncate(inner.slot);
        self.slots.push(element.clone());
        if let Some(filter) = &inner.filter {
            self.bool(filter)?;
        }
        let found = match inner.kind {
            Macro::Map => Type::list(self.expr(&inner.body)?),
            Macro::All | Macro::Exists | Macro::ExistsOne => {
                self.bool(&inner.body)?;
                Type::Bool
            }
            Macro::Filter => {
                self.bool(&inner.body)?;
                Type::list(element)
            }
        };
        self.slots.truncate(inner.slot);
        Ok(found)
    }
}

const fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::Text(_) => Type::Text,
        Literal::Bytes(_) => Type::Bytes,
        Literal::Type(_) => Type::Type,
    }
}

/// The type of two operands, or why they do not go together.
fn binary(operator: Operator, left: &Type, right: &Type) -> Result<Type, String> {
    let (a, b) = (left.present(), right.present());
    let wrong = |what: &str| {
        Err(format!(
            "`{}` {what}, and these are {left} and {right}",
            operator.as_str()
        ))
    };
    match operator {
        Operator::Equal | Operator::NotEqual => {
            if a.may_equal(b) {
                Ok(Type::Bool)
            } else {
                wrong("compares values of one type")
            }
        }
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let ordered = |it: &Type| {
                it.is_number()
                    || matches!(
                        it,
                        Type::Any | Type::Bool | Type::Text | Type::Bytes | Type::Timestamp | Type::Duration
                    )
            };
            if ordered(a) && ordered(b) && a.may_equal(b) {
                Ok(Type::Bool)
            } else {
                wrong("orders two values of one type that has an order")
            }
        }
        Operator::In => match b {
            Type::Any | Type::Record(_) => Ok(Type::Bool),
            Type::List(element) | Type::Map(element, _) if element.may_equal(a) => Ok(Type::Bool),
            Type::List(_) | Type::Map(..) => wrong("looks for a value among values of its type"),
            _ => wrong("looks into a list or the keys of a map"),
        },
        _ => arithmetic(operator, a, b).map_or_else(
            || wrong("does not go with these types; convert one, as in double(x)"),
            Ok,
        ),
    }
}

fn arithmetic(operator: Operator, a: &Type, b: &Type) -> Option<Type> {
    use Operator::{Add, Remainder, Subtract};
    Some(match (operator, a, b) {
        (_, Type::Null, _) | (_, _, Type::Null) => return None,
        (_, Type::Any, _) | (_, _, Type::Any) => Type::Any,
        (Remainder, Type::Double, _) | (Remainder, _, Type::Double) => return None,
        (_, Type::Number, it) | (_, it, Type::Number) if it.is_number() => it.clone(),
        (_, a, b) if a == b && a.is_number() => a.clone(),
        (Add, Type::Text, Type::Text) => Type::Text,
        (Add, Type::Bytes, Type::Bytes) => Type::Bytes,
        (Add, Type::List(a), Type::List(b)) => Type::list(a.join(b)),
        (Add, Type::Timestamp, Type::Duration) | (Add, Type::Duration, Type::Timestamp) => Type::Timestamp,
        (Add | Subtract, Type::Duration, Type::Duration) | (Subtract, Type::Timestamp, Type::Timestamp) => {
            Type::Duration
        }
        (Subtract, Type::Timestamp, Type::Duration) => Type::Timestamp,
        _ => return None,
    })
}
