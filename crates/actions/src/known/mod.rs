//! What is known of a record before there is one: a tree of types that follows the record through the steps.

mod fit;
mod steps;

use std::collections::BTreeMap;
use std::fmt;

use weir_contract::Format;
use weir_contract::rules::cel::types::{Shape, Shapes, Type};

pub(crate) use fit::misfit;
pub(crate) use steps::Lookup;

/// Levels that are followed; recursive types end there.
const DEPTH_MAX: usize = 8;
/// Parts that are followed.
const PARTS_MAX: usize = 5_000;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Any,
    /// A type without parts.
    Plain(Type),
    /// A list.
    List(Box<Known>),
    /// Values by keys.
    Map(Box<Known>),
    /// Fields.
    Record(Fields),
    /// The type, or null.
    Maybe(Box<Known>),
}

/// The fields of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// By name.
    pub fields: BTreeMap<String, Known>,
    /// Whether a record may have others.
    pub open: bool,
}

/// One column of what comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its path.
    pub path: String,
    /// Its type in a word: `int`, `string`, `list`, ...; `any` where it is not known.
    pub kind: String,
}

impl Known {
    /// What a schema says.
    pub(crate) fn of(root: &Type, shapes: &Shapes) -> Self {
        let mut left = PARTS_MAX;
        from_type(root, shapes, DEPTH_MAX, &mut left)
    }

    /// A record without a schema: a JSON object is the most usual, and nothing is certain.
    pub(crate) const fn nothing() -> Self {
        Self::Any
    }

    /// The same for the check of an expression; records become shapes.
    pub(crate) fn typed(&self, shapes: &mut Shapes) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Plain(plain) => plain.clone(),
            Self::List(element) => Type::list(element.typed(shapes)),
            Self::Map(value) => Type::map(value.typed(shapes)),
            Self::Maybe(inner) => inner.typed(shapes).maybe(),
            Self::Record(fields) => {
                let place = shapes.shapes.len();
                shapes.shapes.push(Shape::default());
                let typed = fields
                    .fields
                    .iter()
                    .map(|(name, known)| (name.clone(), known.typed(shapes)))
                    .collect();
                shapes.shapes[place] = Shape {
                    name: "the record".to_owned(),
                    fields: typed,
                    open: fields.open,
                };
                Type::Record(place)
            }
        }
    }

    /// Without null.
    pub(crate) fn present(&self) -> &Self {
        match self {
            Self::Maybe(inner) => inner.present(),
            other => other,
        }
    }

    /// Or null.
    pub(crate) fn maybe(self) -> Self {
        match self {
            Self::Any | Self::Maybe(_) | Self::Plain(Type::Null) => self,
            other => Self::Maybe(Box::new(other)),
        }
    }

    /// The columns, nested records after the field that they are in.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        self.gather(&mut String::new(), &mut columns);
        columns
    }

    fn gather(&self, path: &mut String, columns: &mut Vec<Column>) {
        let Self::Record(fields) = self.present() else {
            if let Self::List(element) = self.present() {
                element.gather(path, columns);
            }
            return;
        };
        for (name, known) in &fields.fields {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            path.push_str(name);
            columns.push(Column {
                path: path.clone(),
                kind: known.to_string(),
            });
            known.gather(path, columns);
            path.truncate(length);
        }
    }

    /// The formats that can hold what comes out: JSON always, Avro and Protobuf where every field is known.
    pub(crate) fn formats(&self) -> Vec<Format> {
        let mut formats = vec![Format::Json];
        if matches!(self, Self::Record(_)) && self.is_certain() {
            formats.extend([Format::Avro, Format::Protobuf]);
        }
        formats
    }

    fn is_certain(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Plain(plain) => !matches!(plain, Type::Any),
            Self::List(inner) | Self::Map(inner) | Self::Maybe(inner) => inner.is_certain(),
            Self::Record(fields) => !fields.open && fields.fields.values().all(Self::is_certain),
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Record(_) => "record",
            Self::Maybe(inner) => return write!(f, "{inner} or null"),
            Self::Plain(plain) => match plain {
                Type::Null => "null",
                Type::Bool => "bool",
                Type::Int => "int",
                Type::Uint => "uint",
                Type::Double => "double",
                Type::Number => "number",
                Type::Text => "string",
                Type::Bytes => "bytes",
                Type::Timestamp => "timestamp",
                Type::Duration => "duration",
                _ => "any",
            },
        })
    }
}

fn from_type(found: &Type, shapes: &Shapes, depth: usize, left: &mut usize) -> Known {
    let (Some(depth), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else {
        return Known::Any;
    };
    *left = rest;
    match found {
        Type::Any | Type::Type => Known::Any,
        Type::List(element) => Known::List(Box::new(from_type(element, shapes, depth, left))),
        Type::Map(_key, value) => Known::Map(Box::new(from_type(value, shapes, depth, left))),
        Type::Maybe(inner) => from_type(inner, shapes, depth + 1, left).maybe(),
        Type::Record(place) => match shapes.get(*place) {
            None => Known::Any,
            Some(shape) => Known::Record(Fields {
                fields: shape
                    .fields
                    .iter()
                    .map(|(name, field)| (name.clone(), from_type(field, shapes, depth, left)))
                    .collect(),
                open: shape.open,
            }),
        },
        plain => Known::Plain(plain.clone()),
    }
}
