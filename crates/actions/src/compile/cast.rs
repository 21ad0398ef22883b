//! Conversions: what can be converted, and what is known afterwards.

use weir_contract::rules::cel::types::{Shapes, Type};
use weir_contract::rules::cel::{check, parse};

use super::expression::sentence;
use super::{Compiler, escaped};
use crate::known::{Known, Lookup};
use crate::plan::{Expression, Op};
use crate::problem::ProblemCode;
use crate::spec::{Cast, CastType};

impl Compiler<'_> {
    pub(super) fn cast(&mut self, cast: &Cast) -> Option<Op> {
        let at = |_place: usize, text: &str| format!("fields/{}", escaped(text));
        let paths = self.paths(cast.fields.keys().map(String::as_str), &at, "fields")?;
        let mut expressions = Vec::new();
        let mut good = true;
        for (path, (from, to)) in paths.iter().zip(&cast.fields) {
            let field = at(0, from);
            good &= self.must_be(path, &field);
            let text = format!("{}(value)", to.function());
            let expr = parse(&text, &["value"]).ok()?;
            let from = match self.known.at(path) {
                Lookup::Here(known) => known.clone(),
                _ => Known::Any,
            };
            let mut shapes = Shapes::default();
            let typed = from.typed(&mut shapes);
            // Null stays null, whatever the type.
            let checked = match typed {
                Type::Null => Ok(Type::Null),
                typed => check(&expr, &[typed.present().clone()], &shapes),
            };
            if let Err(error) = checked {
                let message = sentence(&error.message);
                self.problem(ProblemCode::WrongType, &field, message);
                good = false;
            }
            expressions.push(Expression::new(expr, text, 1));
        }
        let tree = self.tree(&paths, "fields")?;
        for (path, to) in paths.iter().zip(cast.fields.values()) {
            let to = Known::Plain(to.known());
            self.known.edit(path, &mut |known| {
                Some(match known {
                    Known::Maybe(_) => to.clone().maybe(),
                    _ => to.clone(),
                })
            });
        }
        good.then_some(Op::Cast(tree, expressions))
    }
}

impl CastType {
    /// The function of CEL that converts.
    const fn function(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
        }
    }

    const fn known(self) -> Type {
        match self {
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::String => Type::Text,
            Self::Bytes => Type::Bytes,
            Self::Bool => Type::Bool,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
        }
    }
}
