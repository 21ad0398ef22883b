//! From words to an expression: names become places, macros become loops, all within bounds.
//!
//! The grammar is that of <https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax>.

mod members;

use super::ast::{Expr, Kind, Literal, Operator};
use super::lexer::{Token, words};
use super::{CelError, DEPTH_MAX, PARTS_MAX, TEXT_BYTES_MAX};

/// The names of types, which are values too.
const TYPES: [(&str, &str); 12] = [
    ("int", "int"),
    ("uint", "uint"),
    ("double", "double"),
    ("bool", "bool"),
    ("string", "string"),
    ("bytes", "bytes"),
    ("list", "list"),
    ("map", "map"),
    ("null_type", "null_type"),
    ("type", "type"),
    ("timestamp", "google.protobuf.Timestamp"),
    ("duration", "google.protobuf.Duration"),
];

/// Words that the specification keeps for later.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads an expression in which `variables` are known.
///
/// # Errors
/// The first fault with its byte.
pub fn parse(text: &str, variables: &[&str]) -> Result<Expr, CelError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(CelError::new(
            0,
            format!("the expression is longer than {TEXT_BYTES_MAX} bytes; shorten or split it"),
        ));
    }
    let scope = variables.iter().map(|name| (*name).to_owned()).collect();
    let mut parser = Parser {
        words: words(text)?,
        next: 0,
        scope,
        outer: variables.len(),
        parts: 0,
        depth: 0,
    };
    let expr = parser.expr()?;
    match parser.word() {
        (Token::End, _at) => {}
        (Token::Mark(";"), at) => {
            return Err(CelError::new(
                at,
                "a second `;`: a rule is `guard ; body`, and only the first `;` parts them",
            ));
        }
        (token, at) => {
            return Err(CelError::new(
                at,
                format!("{} is not expected here", named(&token)),
            ));
        }
    }
    if expr.depth() > DEPTH_MAX {
        return Err(CelError::new(
            0,
            format!("the expression nests deeper than {DEPTH_MAX}; split it into several rules"),
        ));
    }
    Ok(expr)
}

struct Parser {
    words: Vec<(Token, usize)>,
    next: usize,
    /// Variables by place.
    scope: Vec<String>,
    /// How many of them are the rule's own.
    outer: usize,
    parts: usize,
    depth: usize,
}

/// How a word is called in a message.
fn named(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("`{name}`"),
        Token::Mark(mark) => format!("`{mark}`"),
        Token::Quoted(name) => format!("`{name}` in back ticks"),
        Token::Text(_) => "a text".to_owned(),
        Token::Bytes(_) => "bytes".to_owned(),
        Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
        Token::End => "the end".to_owned(),
    }
}

impl Parser {
    fn word(&self) -> (Token, usize) {
        self.words
            .get(self.next)
            .or(self.words.last())
            .cloned()
            .unwrap_or((Token::End, 0))
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.words.get(self.next), Some((Token::Mark(it), _at)) if *it == mark)
    }

    fn take(&mut self, mark: &str) -> Option<usize> {
        if !self.is(mark) {
            return None;
        }
        let (_token, at) = self.word();
        self.next += 1;
        Some(at)
    }

    fn want(&mut self, mark: &'static str) -> Result<(), CelError> {
        if self.take(mark).is_some() {
            return Ok(());
        }
        let (token, at) = self.word();
        Err(CelError::new(
            at,
            format!("`{mark}` is expected here, not {}", named(&token)),
        ))
    }

    fn part(&mut self, at: usize, kind: Kind) -> Result<Expr, CelError> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(CelError::new(
                at,
                format!("the expression has more than {PARTS_MAX} parts; split it"),
            ));
        }
        Ok(Expr { kind, at })
    }

    fn expr(&mut self) -> Result<Expr, CelError> {
        self.depth += 1;
        let (_token, at) = self.word();
        if self.depth > DEPTH_MAX {
            return Err(CelError::new(
                at,
                format!("the expression nests deeper than {DEPTH_MAX}; split it into several rules"),
            ));
        }
        let condition = self.either()?;
        let expr = match self.take("?") {
            None => condition,
            Some(at) => {
                let then = self.either()?;
                self.want(":")?;
                let otherwise = self.expr()?;
                self.part(at, Kind::Choose(Box::new([condition, then, otherwise])))?
            }
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// `a || b || c`
    fn either(&mut self) -> Result<Expr, CelError> {
        let first = self.both()?;
        if !self.is("||") {
            return Ok(first);
        }
        let at = first.at;
        let mut parts = vec![first];
        while self.take("||").is_some() {
            parts.push(self.both()?);
        }
        self.part(at, Kind::Or(parts))
    }

    /// `a && b && c`
    fn both(&mut self) -> Result<Expr, CelError> {
        let first = self.relation()?;
        if !self.is("&&") {
            return Ok(first);
        }
        let at = first.at;
        let mut parts = vec![first];
        while self.take("&&").is_some() {
            parts.push(self.relation()?);
        }
        self.part(at, Kind::And(parts))
    }

    fn relation(&mut self) -> Result<Expr, CelError> {
        let mut left = self.sum()?;
        loop {
            let (token, at) = self.word();
            let operator = match token {
                Token::Mark("==") => Operator::Equal,
                Token::Mark("!=") => Operator::NotEqual,
                Token::Mark("<") => Operator::Less,
                Token::Mark("<=") => Operator::LessOrEqual,
                Token::Mark(">") => Operator::Greater,
                Token::Mark(">=") => Operator::GreaterOrEqual,
                Token::Name(name) if name == "in" => Operator::In,
                Token::Mark("=") => return Err(CelError::new(at, "equality is written `==`")),
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.sum()?;
            left = self.part(at, Kind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn sum(&mut self) -> Result<Expr, CelError> {
        let mut left = self.product()?;
        loop {
            let (operator, at) = match self.word() {
                (Token::Mark("+"), at) => (Operator::Add, at),
                (Token::Mark("-"), at) => (Operator::Subtract, at),
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.product()?;
            left = self.part(at, Kind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn product(&mut self) -> Result<Expr, CelError> {
        let mut left = self.unary()?;
        loop {
            let (operator, at) = match self.word() {
                (Token::Mark("*"), at) => (Operator::Multiply, at),
                (Token::Mark("/"), at) => (Operator::Divide, at),
                (Token::Mark("%"), at) => (Operator::Remainder, at),
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.unary()?;
            left = self.part(at, Kind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn unary(&mut self) -> Result<Expr, CelError> {
        let mut marks = Vec::new();
        while let (Token::Mark(mark @ ("!" | "-")), at) = self.word() {
            self.next += 1;
            marks.push((mark, at));
            if marks.len() > DEPTH_MAX {
                return Err(CelError::new(at, "too many signs in a row"));
            }
        }
        let mut inner = match (marks.last(), self.word()) {
            // The least int has no positive counterpart, so its sign belongs to it.
            (Some(("-", at)), (Token::Int(number), _at)) if number <= 1 << 63 => {
                let at = *at;
                self.next += 1;
                marks.pop();
                let literal = self.part(
                    at,
                    Kind::Literal(Literal::Int(0_i64.wrapping_sub_unsigned(number))),
                )?;
                self.members(literal)?
            }
            _ => self.member()?,
        };
        for (mark, at) in marks.into_iter().rev() {
            let kind = if mark == "!" {
                Kind::Not(Box::new(inner))
            } else {
                Kind::Negate(Box::new(inner))
            };
            inner = self.part(at, kind)?;
        }
        Ok(inner)
    }
}
