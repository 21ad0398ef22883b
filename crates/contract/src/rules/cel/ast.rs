//! What an expression is after parsing: names are already places, macros are loops.

use super::functions::Function;
use super::pattern::Pattern;

/// A part of an expression, and where in its text it begins.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// The byte in the rule's text.
    pub at: usize,
}

/// What a part is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A constant.
    Literal(Literal),
    /// A variable by its place: those of the rule first, then one for each loop around.
    Variable(usize),
    /// `operand.field`, or `has(operand.field)` when only tested.
    Select {
        /// Of what.
        operand: Box<Expr>,
        /// Which.
        field: Box<str>,
        /// `has`
        test: bool,
    },
    /// `operand[index]`
    Index(Box<Expr>, Box<Expr>),
    /// A function; a receiver is the first argument.
    Call {
        /// Which.
        function: Function,
        /// With what.
        args: Vec<Expr>,
        /// The pattern of `matches`, when it is a constant.
        pattern: Option<Pattern>,
    },
    /// All are true; `&&` of two or more.
    And(Vec<Expr>),
    /// One is true; `||` of two or more.
    Or(Vec<Expr>),
    /// `!`
    Not(Box<Expr>),
    /// `-`
    Negate(Box<Expr>),
    /// `condition ? then : otherwise`
    Choose(Box<[Expr; 3]>),
    /// Two operands.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `[...]`
    List(Vec<Expr>),
    /// `{...}`
    Map(Vec<(Expr, Expr)>),
    /// A macro over a list or the keys of a map.
    Loop(Box<Loop>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.0`
    Double(f64),
    /// `"a"`
    Text(String),
    /// `b"a"`
    Bytes(Vec<u8>),
    /// `int`, the name of a type
    Type(&'static str),
}

/// An operator of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
}

impl Operator {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}

/// Which macro a loop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Macro {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`
    ExistsOne,
    /// `map`
    Map,
    /// `filter`
    Filter,
}

/// A macro with its parts.
#[derive(Debug, Clone)]
pub struct Loop {
    /// Which.
    pub kind: Macro,
    /// Over what.
    pub range: Expr,
    /// The place of its variable.
    pub slot: usize,
    /// The condition of a `map` with three arguments.
    pub filter: Option<Expr>,
    /// What is evaluated for each element.
    pub body: Expr,
}

impl Expr {
    /// How deep it nests. Called once after parsing, when the number of parts is already bounded.
    pub fn depth(&self) -> usize {
        1 + match &self.kind {
            Kind::Literal(_) | Kind::Variable(_) => 0,
            Kind::Select { operand, .. } => operand.depth(),
            Kind::Not(inner) | Kind::Negate(inner) => inner.depth(),
            Kind::Index(a, b) | Kind::Binary(_, a, b) => a.depth().max(b.depth()),
            Kind::Call { args, .. } => deepest(args),
            Kind::And(parts) | Kind::Or(parts) | Kind::List(parts) => deepest(parts),
            Kind::Choose(parts) => deepest(parts.as_slice()),
            Kind::Map(entries) => entries
                .iter()
                .map(|(key, value)| key.depth().max(value.depth()))
                .max()
                .unwrap_or(0),
            Kind::Loop(inner) => {
                let filter = inner.filter.as_ref().map_or(0, Self::depth);
                inner.range.depth().max(inner.body.depth()).max(filter)
            }
        }
    }
}

fn deepest(parts: &[Expr]) -> usize {
    parts.iter().map(Expr::depth).max().unwrap_or(0)
}
