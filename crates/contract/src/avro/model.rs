//! An Avro schema as types that point at each other: what compatibility and printing walk over.

use std::collections::HashMap;

use crate::text::Node;

/// A type's place in its [`Model`].
pub(crate) type TypeId = usize;

/// All types of a schema and of what it refers to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// The types; recursive ones point back.
    pub types: Vec<Type>,
    /// The schema itself.
    pub root: TypeId,
    /// Named types by their full names.
    pub names: HashMap<String, TypeId>,
    /// Types below this came from references.
    pub own_from: TypeId,
}

impl Model {
    pub fn kind(&self, id: TypeId) -> &Kind {
        &self.types[id].kind
    }

    /// Whether a named type came from a reference.
    pub const fn is_referenced(&self, id: TypeId) -> bool {
        id < self.own_from
    }
}

/// One type.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    pub kind: Kind,
    /// Attributes that Avro gives no meaning, and those of logical types, in their order.
    pub properties: Vec<(String, Node)>,
}

/// What a type is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record {
        named: Named,
        fields: Vec<Field>,
        is_error: bool,
    },
    Enum {
        named: Named,
        symbols: Vec<String>,
        default: Option<String>,
    },
    Fixed {
        named: Named,
        size: u64,
    },
}

impl Kind {
    /// As Avro writes the type.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record { .. } => "record",
            Self::Enum { .. } => "enum",
            Self::Fixed { .. } => "fixed",
        }
    }

    /// The primitive type of that name.
    pub fn primitive(word: &str) -> Option<Self> {
        Some(match word {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }

    /// Name and aliases of a record, enum or fixed.
    pub const fn named(&self) -> Option<&Named> {
        match self {
            Self::Record { named, .. } | Self::Enum { named, .. } | Self::Fixed { named, .. } => Some(named),
            _ => None,
        }
    }
}

/// What records, enums and fixed have in common.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub name: Name,
    pub doc: Option<String>,
    pub aliases: Vec<Name>,
}

/// A full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(String);

impl Name {
    /// Of a name that may be short, and the name space around it.
    pub fn new(name: &str, space: Option<&str>) -> Self {
        match space {
            Some(space) if !space.is_empty() && !name.contains('.') => Self(format!("{space}.{name}")),
            _ => Self(name.trim_start_matches('.').to_owned()),
        }
    }

    pub fn full(&self) -> &str {
        &self.0
    }

    pub fn short(&self) -> &str {
        self.0.rsplit_once('.').map_or(&self.0, |(_, short)| short)
    }

    pub fn space(&self) -> Option<&str> {
        self.0.rsplit_once('.').map(|(space, _)| space)
    }

    /// How it is written inside a name space.
    pub fn within(&self, space: Option<&str>) -> &str {
        let unclear = self.space().is_none() && space.is_some();
        if self.space() == space && !unclear {
            self.short()
        } else {
            self.full()
        }
    }
}

/// A field of a record.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub name: String,
    pub schema: TypeId,
    pub doc: Option<String>,
    pub default: Option<Node>,
    pub order: Order,
    pub aliases: Vec<String>,
    pub properties: Vec<(String, Node)>,
}

/// How a field takes part in sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
    Ignore,
}

impl Order {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
            Self::Ignore => "ignore",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Ascending, Self::Descending, Self::Ignore]
            .into_iter()
            .find(|order| order.word() == word)
    }
}
