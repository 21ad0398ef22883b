//! A JSON Schema as shapes: what sort of value each subschema speaks of, and by which bounds.
//!
//! The field's registry compares schemas as its loader sees them, so shapes follow that loader: a subschema with one sort of
//! keyword is a string, a number, an object, ...; one with several sorts is an `allOf` of them; a list of types is an `anyOf`.

use std::collections::{BTreeMap, BTreeSet};

/// A shape's place in [`Shapes`].
pub(crate) type ShapeId = usize;

/// All shapes of a schema; the first is the schema itself.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    pub shapes: Vec<Shape>,
}

/// One subschema.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub kind: Kind,
    pub has_default: bool,
    /// Equal for parts of one combination that are written alike: they count once.
    pub alike: u64,
}

/// What values a subschema speaks of.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Everything: `{}`, `true`, or keywords that say nothing of values.
    Any,
    /// Nothing: `false`.
    Never,
    Null,
    Boolean,
    Text(Text),
    Number(Numbers),
    Array(Box<Items>),
    Object(Box<Properties>),
    /// `enum`, or `const` as an enum of one.
    Enum(BTreeSet<String>),
    Not(ShapeId),
    Combined(Criterion, Vec<ShapeId>),
    /// `if`, `then`, `else`: not compared, as upstream.
    Conditional,
    /// A `$ref`.
    Alias(ShapeId),
}

/// How parts are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Criterion {
    All,
    Any,
    One,
}

impl Criterion {
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "allOf",
            Self::Any => "anyOf",
            Self::One => "oneOf",
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub max_length: Option<f64>,
    pub min_length: Option<f64>,
    pub pattern: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    pub maximum: Option<f64>,
    pub minimum: Option<f64>,
    pub exclusive_maximum: Option<f64>,
    pub exclusive_minimum: Option<f64>,
    pub multiple_of: Option<f64>,
    pub is_integer: bool,
}

/// What is allowed beside what is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing is said.
    Unsaid,
    /// Everything, said so.
    Open,
    /// Nothing.
    Closed,
    /// What fits.
    Fits(ShapeId),
}

#[derive(Debug, Clone)]
pub(crate) struct Items {
    /// `items` that every item must fit.
    pub all: Option<ShapeId>,
    /// Items by place.
    pub listed: Vec<ShapeId>,
    pub additional: Rest,
    pub unevaluated: Rest,
    pub max_items: Option<f64>,
    pub min_items: Option<f64>,
    pub max_contains: Option<f64>,
    pub min_contains: Option<f64>,
    pub unique: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Properties {
    pub named: BTreeMap<String, ShapeId>,
    pub required: BTreeSet<String>,
    /// Patterns in their order, compiled: a new property may be covered by one.
    pub patterns: Vec<(regex::Regex, ShapeId)>,
    pub additional: Rest,
    pub unevaluated: Rest,
    pub max_properties: Option<f64>,
    pub min_properties: Option<f64>,
    pub needs: BTreeMap<String, BTreeSet<String>>,
    pub needs_schema: BTreeMap<String, ShapeId>,
}

impl Shapes {
    /// Follows `$ref`s. One that leads to itself allows everything: it says nothing.
    pub fn resolve(&self, id: ShapeId) -> Option<ShapeId> {
        let mut at = id;
        for _ in 0..64 {
            match self.shapes[at].kind {
                Kind::Alias(next) => at = next,
                _ => return Some(at),
            }
        }
        None
    }
}
