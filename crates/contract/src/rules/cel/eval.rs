//! Evaluates an expression over a record, and counts what it costs.
//!
//! Every part that is evaluated costs a step, and whatever goes over bytes or elements costs steps by their number. When
//! the steps are used up the evaluation ends with [`Fault::Cost`], which no operator absorbs: the time that an
//! expression takes is bounded by its steps, and so is the memory, because what a step may allocate is bounded.

use std::borrow::Cow;

use super::arithmetic;
use super::ast::{Expr, Kind, Literal, Operator};
use crate::value::{Key, Map, Value, compare, equal};

/// Bytes that a step may copy or look at.
pub const BYTES_PER_STEP: usize = 16;

/// Why an expression has no value. Says what was expected and where, never what the record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The steps are used up.
    Cost,
    /// An error of CEL.
    Failed {
        /// The byte of the expression.
        at: usize,
        /// A phrase.
        reason: Cow<'static, str>,
    },
}

impl Fault {
    pub(super) fn new(at: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed {
            at,
            reason: reason.into(),
        }
    }
}

/// What an evaluation may still cost.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    left: usize,
}

impl Steps {
    /// So many.
    pub const fn new(steps: usize) -> Self {
        Self { left: steps }
    }

    /// How many are left.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Takes some away.
    ///
    /// # Errors
    /// [`Fault::Cost`] when there are not so many.
    pub const fn charge(&mut self, steps: usize) -> Result<(), Fault> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Fault::Cost)
            }
        }
    }
}

/// The value of an expression; `slots` are its variables.
///
/// # Errors
/// Errors of CEL, and [`Fault::Cost`].
pub fn evaluate<'a>(
    expr: &'a Expr,
    slots: &mut Vec<Value<'a>>,
    steps: &mut Steps,
) -> Result<Value<'a>, Fault> {
    Machine { slots, steps }.eval(expr)
}

pub(super) struct Machine<'m, 'a> {
    pub(super) slots: &'m mut Vec<Value<'a>>,
    pub(super) steps: &'m mut Steps,
}

impl<'a> Machine<'_, 'a> {
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Result<Value<'a>, Fault> {
        self.steps.charge(1)?;
        match &expr.kind {
            Kind::Literal(literal) => Ok(constant(literal)),
            Kind::Variable(slot) => self
                .slots
                .get(*slot)
                .cloned()
                .ok_or_else(|| Fault::new(expr.at, "a variable is missing")),
            Kind::Select { operand, field, test } => {
                let operand = self.eval(operand)?;
                select(&operand, field, *test, expr.at)
            }
            Kind::Index(operand, index) => {
                let (operand, by) = (self.eval(operand)?, self.eval(index)?);
                at_index(&operand, &by, index.at)
            }
            Kind::Call {
                function,
                args,
                pattern,
            } => self.call(*function, args, pattern.as_ref(), expr.at),
            Kind::And(parts) => self.shortcut(parts, false),
            Kind::Or(parts) => self.shortcut(parts, true),
            Kind::Not(inner) => Ok(Value::Bool(!self.bool(inner)?)),
            Kind::Negate(inner) => match self.eval(inner)? {
                Value::Int(number) => number
                    .checked_neg()
                    .map(Value::Int)
                    .ok_or_else(|| Fault::new(expr.at, "an int overflows")),
                Value::Double(number) => Ok(Value::Double(-number)),
                other => Err(Fault::new(
                    expr.at,
                    format!("`-` does not go with {}", other.type_name()),
                )),
            },
            Kind::Choose(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                if self.bool(condition)? {
                    self.eval(then)
                } else {
                    self.eval(otherwise)
                }
            }
            Kind::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                self.binary(*operator, &left, &right, expr.at)
            }
            Kind::List(elements) => {
                let mut list = Vec::with_capacity(elements.len());
                for element in elements {
                    list.push(self.eval(element)?);
                }
                Ok(Value::list(list))
            }
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(inner) => self.over(inner),
        }
    }

    pub(super) fn bool(&mut self, expr: &'a Expr) -> Result<bool, Fault> {
        match self.eval(expr)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(Fault::new(
                expr.at,
                format!("a bool is wanted and {} stands there", other.type_name()),
            )),
        }
    }

    /// `&&` and `||`: a part that decides does so even when another part fails, on whichever side it stands.
    fn shortcut(&mut self, parts: &'a [Expr], decides: bool) -> Result<Value<'a>, Fault> {
        let mut failed = None;
        for part in parts {
            match self.bool(part) {
                Ok(truth) if truth == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(Fault::Cost) => return Err(Fault::Cost),
                Err(fault) => failed = failed.or(Some(fault)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn map(&mut self, entries: &'a [(Expr, Expr)]) -> Result<Value<'a>, Fault> {
        let mut map: Vec<(Key<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let found = self.eval(key)?;
            let Some(found) = Key::of(&found) else {
                return Err(Fault::new(key.at, format!("{} is no key", found.type_name())));
            };
            map.push((found, self.eval(value)?));
        }
        Ok(Value::Map(Map::of(map)))
    }

    pub(super) fn equal(&mut self, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Fault> {
        equal(left, right, &mut |steps| self.steps.charge(steps))
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Value<'a>,
        right: &Value<'a>,
        at: usize,
    ) -> Result<Value<'a>, Fault> {
        match operator {
            Operator::Equal => Ok(Value::Bool(self.equal(left, right)?)),
            Operator::NotEqual => Ok(Value::Bool(!self.equal(left, right)?)),
            Operator::In => self.contains(left, right, at),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                self.order(operator, left, right, at)
            }
            _ => arithmetic::combine(operator, left, right, at, self.steps),
        }
    }

    fn order(
        &mut self,
        operator: Operator,
        left: &Value<'_>,
        right: &Value<'_>,
        at: usize,
    ) -> Result<Value<'a>, Fault> {
        if let (Value::Text(a), Value::Text(b)) = (left, right) {
            self.steps.charge(a.as_str().len().min(b.as_str().len()) / 64)?;
        }
        let order = compare(left, right);
        if order.is_none() && !matches!((left, right), (Value::Double(_), _) | (_, Value::Double(_))) {
            let (a, b) = (left.type_name(), right.type_name());
            return Err(Fault::new(at, format!("{a} and {b} have no order")));
        }
        if order.is_none() && !(is_number(left) && is_number(right)) {
            let (a, b) = (left.type_name(), right.type_name());
            return Err(Fault::new(at, format!("{a} and {b} have no order")));
        }
        Ok(Value::Bool(match operator {
            Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            _ => order.is_some_and(std::cmp::Ordering::is_ge),
        }))
    }

    fn contains(&mut self, needle: &Value<'a>, hay: &Value<'a>, at: usize) -> Result<Value<'a>, Fault> {
        match hay {
            Value::List(list) => {
                for index in 0..list.len() {
                    if let Some(element) = list.get(index)
                        && self.equal(needle, &element)?
                    {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            Value::Map(map) => {
                self.steps.charge(lookup_cost(map))?;
                Ok(Value::Bool(
                    Key::of(needle).is_some_and(|key| map.get(&key).is_some()),
                ))
            }
            other => Err(Fault::new(
                at,
                format!("`in` wants a list or a map, and this is {}", other.type_name()),
            )),
        }
    }
}

const fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_))
}

/// A look-up scans few entries, or makes an index once: less than a step for each 64 entries afterwards.
fn lookup_cost(map: &Map<'_>) -> usize {
    1 + map.len() / 64
}

fn constant(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Int(number) => Value::Int(*number),
        Literal::Uint(number) => Value::Uint(*number),
        Literal::Double(number) => Value::Double(*number),
        Literal::Text(text) => Value::text(text),
        Literal::Bytes(bytes) => Value::bytes(bytes),
        Literal::Type(name) => Value::Type(name),
    }
}

fn select<'a>(operand: &Value<'a>, field: &str, test: bool, at: usize) -> Result<Value<'a>, Fault> {
    match operand {
        Value::Map(map) if test => Ok(Value::Bool(map.has(field))),
        Value::Map(map) => map
            .field(field)
            .ok_or_else(|| Fault::new(at, format!("there is no `{field}`"))),
        other => Err(Fault::new(
            at,
            format!("`.{field}` is asked of {}", other.type_name()),
        )),
    }
}

fn at_index<'a>(operand: &Value<'a>, by: &Value<'a>, at: usize) -> Result<Value<'a>, Fault> {
    match operand {
        Value::List(list) => {
            let index = match Key::of(by) {
                Some(Key::Int(number)) => usize::try_from(number).ok(),
                Some(Key::Uint(number)) => usize::try_from(number).ok(),
                _ => {
                    return Err(Fault::new(
                        at,
                        format!("a list is indexed by an int, and this is {}", by.type_name()),
                    ));
                }
            };
            index
                .and_then(|index| list.get(index))
                .ok_or_else(|| Fault::new(at, "the index is outside of the list"))
        }
        Value::Map(map) => {
            let Some(key) = Key::of(by) else {
                return Err(Fault::new(at, format!("{} is no key", by.type_name())));
            };
            let found = match &key {
                Key::Text(name) => map.field(name.as_str()),
                key => map.get(key),
            };
            found.ok_or_else(|| Fault::new(at, "there is no such key"))
        }
        other => Err(Fault::new(at, format!("{} has no index", other.type_name()))),
    }
}
