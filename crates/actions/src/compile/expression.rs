//! Expressions of steps: read, checked against what is known, with what they see.

use weir_contract::Position;
use weir_contract::rules::cel::ast::{Expr, Kind};
use weir_contract::rules::cel::types::{Shapes, Type};
use weir_contract::rules::cel::{self, CelError};

use super::Compiler;
use crate::known::Known;
use crate::plan::Expression;
use crate::problem::ProblemCode;

/// What every expression sees, in the order of places.
pub(crate) const VARIABLES: [&str; 9] = [
    "message",
    "key",
    "headers",
    "timestamp",
    "partition",
    "offset",
    "topic",
    "response",
    "status",
];
/// How many of them expressions see that do not speak of an answer.
pub(crate) const BEFORE_ANSWER: usize = 7;

/// What an expression must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Anything,
    Bool,
    Text,
}

impl Compiler<'_> {
    /// Reads an expression; what is wrong with it is told.
    pub(crate) fn expression(
        &mut self,
        text: &str,
        field: &str,
        wanted: Wanted,
    ) -> Option<(Expression, Known)> {
        self.read(text, field, wanted, BEFORE_ANSWER)
    }

    /// As [`expression`](Self::expression), of an answer.
    pub(crate) fn of_answer(&mut self, text: &str, field: &str) -> Option<(Expression, Known)> {
        self.read(text, field, Wanted::Anything, VARIABLES.len())
    }

    fn read(&mut self, text: &str, field: &str, wanted: Wanted, seen: usize) -> Option<(Expression, Known)> {
        let mut shapes = Shapes::default();
        let message = self.known.typed(&mut shapes);
        let types = [
            message,
            self.key_type(),
            Type::map(Type::Any),
            Type::Timestamp,
            Type::Int,
            Type::Int,
            Type::Text,
            Type::Any,
            Type::Int,
        ];
        let checked = cel::parse(text, &VARIABLES[..seen])
            .and_then(|expr| Ok((cel::check(&expr, &types[..seen], &shapes)?, expr)))
            .map_err(|error| (ProblemCode::BadExpression, error))
            .and_then(|(found, expr)| fits(&found, &expr, wanted).map(|()| (found, expr)));
        match checked {
            Ok((found, expr)) => {
                let mut uses = 0;
                gather(&expr, seen, &mut uses);
                let known = Known::of(&found, &shapes);
                Some((Expression::new(expr, text.to_owned(), uses), known))
            }
            Err((code, error)) => {
                let message = sentence(&error.message);
                self.problem(code, field, message);
                if let Some(problem) = self.problems.last_mut() {
                    problem.position = Some(Position::of(text, error.at));
                }
                None
            }
        }
    }
}

type Wrong = (ProblemCode, CelError);

fn fits(found: &Type, expr: &Expr, wanted: Wanted) -> Result<(), Wrong> {
    let (fits, word) = match wanted {
        Wanted::Anything => (true, ""),
        Wanted::Bool => (matches!(found.present(), Type::Bool | Type::Any), "a bool"),
        Wanted::Text => (matches!(found.present(), Type::Text | Type::Any), "a string"),
    };
    if fits {
        return Ok(());
    }
    let message = format!("{word} is wanted here, and this is {found}");
    Err((ProblemCode::WrongType, CelError { at: expr.at, message }))
}

/// A message of an expression as a sentence.
pub(crate) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if message.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

/// Which of the outer variables an expression names.
fn gather(expr: &Expr, outer: usize, uses: &mut u16) {
    let mut all = |parts: &[&Expr]| parts.iter().for_each(|part| gather(part, outer, uses));
    match &expr.kind {
        Kind::Literal(_) => {}
        Kind::Variable(slot) => {
            if *slot < outer {
                *uses |= 1 << slot;
            }
        }
        Kind::Select { operand, .. } => all(&[operand]),
        Kind::Not(inner) | Kind::Negate(inner) => all(&[inner]),
        Kind::Index(a, b) | Kind::Binary(_, a, b) => all(&[a, b]),
        Kind::Call { args, .. } => all(&args.iter().collect::<Vec<_>>()),
        Kind::And(parts) | Kind::Or(parts) | Kind::List(parts) => all(&parts.iter().collect::<Vec<_>>()),
        Kind::Choose(parts) => all(&parts.iter().collect::<Vec<_>>()),
        Kind::Map(entries) => {
            for (key, value) in entries {
                all(&[key, value]);
            }
        }
        Kind::Loop(inner) => {
            all(&[&inner.range, &inner.body]);
            if let Some(filter) = &inner.filter {
                all(&[filter]);
            }
        }
    }
}
