//! Members, values, calls and macros: what binds tightest.

use super::super::CelError;
use super::super::LOOPS_MAX;
use super::super::ast::{Expr, Kind, Literal, Loop, Macro};
use super::super::functions::{self, Function, Style};
use super::super::lexer::Token;
use super::super::pattern::Pattern;
use super::{Parser, RESERVED, TYPES, named};

impl Parser {
    pub(super) fn member(&mut self) -> Result<Expr, CelError> {
        let first = self.primary()?;
        self.members(first)
    }

    pub(super) fn members(&mut self, first: Expr) -> Result<Expr, CelError> {
        let mut expr = first;
        loop {
            if let Some(at) = self.take("[") {
                let index = self.expr()?;
                self.want("]")?;
                expr = self.part(at, Kind::Index(Box::new(expr), Box::new(index)))?;
            } else if self.take(".").is_some() {
                let (token, at) = self.word();
                self.next += 1;
                expr = match token {
                    Token::Name(name) if self.is("(") => self.method(expr, &name, at)?,
                    Token::Name(field) | Token::Quoted(field) => {
                        let kind = Kind::Select {
                            operand: Box::new(expr),
                            field: field.into(),
                            test: false,
                        };
                        self.part(at, kind)?
                    }
                    other => {
                        return Err(CelError::new(
                            at,
                            format!(
                                "the name of a field or function is expected here, not {}",
                                named(&other)
                            ),
                        ));
                    }
                };
            } else if self.is("{") && matches!(expr.kind, Kind::Select { .. } | Kind::Variable(_)) {
                return Err(CelError::new(
                    expr.at,
                    "rules do not build messages; write a map instead",
                ));
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, CelError> {
        let (token, at) = self.word();
        self.next += 1;
        let literal = match token {
            Token::Mark("(") => {
                let inner = self.expr()?;
                self.want(")")?;
                return Ok(inner);
            }
            Token::Mark("[") => {
                let elements = self.listed("]")?;
                return self.part(at, Kind::List(elements));
            }
            Token::Mark("{") => return self.map(at),
            Token::Name(name) => return self.name(name, at),
            Token::Int(number) => match i64::try_from(number) {
                Ok(number) => Literal::Int(number),
                Err(_) => {
                    return Err(CelError::new(
                        at,
                        "this number does not fit into an int; write `u` behind it",
                    ));
                }
            },
            Token::Uint(number) => Literal::Uint(number),
            Token::Double(number) => Literal::Double(number),
            Token::Text(text) => Literal::Text(text),
            Token::Bytes(bytes) => Literal::Bytes(bytes),
            other => {
                return Err(CelError::new(
                    at,
                    format!("a value is expected here, not {}", named(&other)),
                ));
            }
        };
        self.part(at, Kind::Literal(literal))
    }

    /// Expressions between commas, and the bracket behind them.
    fn listed(&mut self, end: &'static str) -> Result<Vec<Expr>, CelError> {
        let mut list = Vec::new();
        while !self.is(end) {
            list.push(self.expr()?);
            if self.take(",").is_none() {
                break;
            }
        }
        self.want(end)?;
        Ok(list)
    }

    fn map(&mut self, at: usize) -> Result<Expr, CelError> {
        let mut entries = Vec::new();
        while !self.is("}") {
            let key = self.expr()?;
            self.want(":")?;
            entries.push((key, self.expr()?));
            if self.take(",").is_none() {
                break;
            }
        }
        self.want("}")?;
        self.part(at, Kind::Map(entries))
    }

    fn name(&mut self, name: String, at: usize) -> Result<Expr, CelError> {
        let literal = match name.as_str() {
            "true" => Some(Literal::Bool(true)),
            "false" => Some(Literal::Bool(false)),
            "null" => Some(Literal::Null),
            _ => None,
        };
        if let Some(literal) = literal {
            return self.part(at, Kind::Literal(literal));
        }
        if name == "in" || RESERVED.contains(&name.as_str()) {
            return Err(CelError::new(
                at,
                format!("`{name}` is a reserved word and no name"),
            ));
        }
        if self.is("(") {
            return self.global(&name, at);
        }
        if let Some(slot) = self.scope.iter().rposition(|it| *it == name) {
            return self.part(at, Kind::Variable(slot));
        }
        if let Some((_name, type_name)) = TYPES.iter().find(|(it, _type)| *it == name) {
            return self.part(at, Kind::Literal(Literal::Type(type_name)));
        }
        let known = self.scope[..self.outer].join(", ");
        Err(CelError::new(
            at,
            format!("`{name}` is not known here; a rule of this type sees {known}"),
        ))
    }

    /// `f(a, b)`
    fn global(&mut self, name: &str, at: usize) -> Result<Expr, CelError> {
        self.want("(")?;
        let args = self.listed(")")?;
        if name == "has" {
            return match <[Expr; 1]>::try_from(args) {
                Ok(
                    [
                        Expr {
                            kind:
                                Kind::Select {
                                    operand,
                                    field,
                                    test: false,
                                },
                            ..
                        },
                    ],
                ) => self.part(
                    at,
                    Kind::Select {
                        operand,
                        field,
                        test: true,
                    },
                ),
                _ => Err(CelError::new(
                    at,
                    "`has` takes one field, as in has(message.name)",
                )),
            };
        }
        self.call(name, args, at, false)
    }

    /// `x.f(a, b)`
    fn method(&mut self, receiver: Expr, name: &str, at: usize) -> Result<Expr, CelError> {
        let kind = match name {
            "all" => Some(Macro::All),
            "exists" => Some(Macro::Exists),
            "exists_one" | "existsOne" => Some(Macro::ExistsOne),
            "map" => Some(Macro::Map),
            "filter" => Some(Macro::Filter),
            _ => None,
        };
        if let Some(kind) = kind {
            return self.over(receiver, kind, name, at);
        }
        self.want("(")?;
        let mut args = vec![receiver];
        args.extend(self.listed(")")?);
        self.call(name, args, at, true)
    }

    fn call(&mut self, name: &str, args: Vec<Expr>, at: usize, receiver: bool) -> Result<Expr, CelError> {
        let Some(signature) = functions::find(name) else {
            return Err(CelError::new(
                at,
                format!("there is no function `{name}`; docs/rules.md lists those that there are"),
            ));
        };
        let style_fits = match signature.style {
            Style::Either => true,
            Style::Global => !receiver,
            Style::Receiver => receiver,
        };
        if !style_fits {
            let right = if receiver {
                format!("{name}(x)")
            } else {
                format!("x.{name}()")
            };
            return Err(CelError::new(at, format!("`{name}` is written {right}")));
        }
        if !signature.arity.contains(&args.len()) {
            let behind = usize::from(receiver);
            let (least, most) = (signature.arity.start() - behind, signature.arity.end() - behind);
            let wanted = if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            };
            return Err(CelError::new(
                at,
                format!("`{name}` takes {wanted} arguments, not {}", args.len() - behind),
            ));
        }
        let mut pattern = None;
        if signature.function == Function::Matches
            && let Some(argument) = args.get(1)
        {
            let Kind::Literal(Literal::Text(text)) = &argument.kind else {
                return Err(CelError::new(
                    argument.at,
                    "the pattern of `matches` must be a constant, so that it can be compiled once",
                ));
            };
            pattern = Some(Pattern::compile(text).map_err(|message| CelError::new(argument.at, message))?);
        }
        self.part(
            at,
            Kind::Call {
                function: signature.function,
                args,
                pattern,
            },
        )
    }

    /// `list.all(x, body)` and its kin.
    fn over(&mut self, range: Expr, kind: Macro, name: &str, at: usize) -> Result<Expr, CelError> {
        self.want("(")?;
        let (Token::Name(variable), variable_at) = self.word() else {
            return Err(CelError::new(
                at,
                format!("`{name}` begins with the name of its variable, as in x.{name}(it, it > 0)"),
            ));
        };
        self.next += 1;
        if !self.is(",") {
            return Err(CelError::new(
                variable_at,
                format!("`{name}` wants a name, a comma and an expression, as in x.{name}(it, it > 0)"),
            ));
        }
        let slot = self.scope.len();
        if slot >= self.outer + LOOPS_MAX {
            return Err(CelError::new(
                at,
                format!("more than {LOOPS_MAX} loops stand in one another; their cost would be too high"),
            ));
        }
        self.want(",")?;
        self.scope.push(variable);
        let mut body = self.expr()?;
        let mut filter = None;
        if kind == Macro::Map && self.take(",").is_some() {
            filter = Some(std::mem::replace(&mut body, self.expr()?));
        }
        self.scope.pop();
        self.want(")")?;
        self.part(
            at,
            Kind::Loop(Box::new(Loop {
                kind,
                range,
                slot,
                filter,
                body,
            })),
        )
    }
}
