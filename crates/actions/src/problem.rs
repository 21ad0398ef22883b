//! What is wrong with a spec, for those who wrote it.

use std::fmt;

use serde::Serialize;
use weir_contract::Position;

/// Something that is wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which step, counted from 1.
    pub step: Option<usize>,
    /// The field, as a JSON pointer into the spec.
    pub pointer: String,
    /// The place in the expression that stands there, or in the text of the spec if that cannot be read.
    pub position: Option<Position>,
    /// What sort.
    pub code: ProblemCode,
    /// A sentence: what is wrong and what to do.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(
        code: ProblemCode,
        step: Option<usize>,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            step,
            pointer: pointer.into(),
            position: None,
            code,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.as_str())?;
        if let Some(step) = self.step {
            write!(f, ", step {step}")?;
        }
        if !self.pointer.is_empty() {
            write!(f, ", {}", self.pointer)?;
        }
        if let Some(position) = self.position {
            write!(f, ", {position}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What sort of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProblemCode {
    /// The text is no spec.
    NotReadable,
    /// More, longer or larger than a bound.
    TooLong,
    /// A number outside of its range.
    OutOfRange,
    /// Something is missing that a step cannot do without.
    Missing,
    /// A name of a sink, a topic or a field that cannot be one.
    BadName,
    /// No path of fields.
    BadPath,
    /// Two paths of a step of which one lies in the other, or that are the same.
    OverlappingPaths,
    /// A field that no record has.
    UnknownField,
    /// A field of that name is there already.
    FieldExists,
    /// An expression that cannot be read, or that goes wrong for every record.
    BadExpression,
    /// An expression or a field of a type that the step cannot use.
    WrongType,
    /// A sink that the spec does not name.
    UnknownSink,
    /// A sink to which no record goes.
    UnusedSink,
    /// Several sinks and no step that chooses.
    NeedsRoute,
    /// A tag that no field carries.
    UnknownTag,
    /// A mask by tags behind steps after which nobody knows which field carried a tag.
    TagsTooLate,
    /// There is no contract to validate against.
    NoContract,
    /// A deduplicating step behind a call: its window could not be rebuilt without calling again.
    AfterCall,
    /// No address that can be called.
    BadUrl,
    /// A header that cannot be sent.
    BadHeader,
    /// A field that a call of this shape does not have.
    NotForShape,
    /// What comes out does not fit the sink's schema.
    UnfitOutput,
}

impl ProblemCode {
    /// Every code.
    pub const ALL: [Self; 22] = [
        Self::NotReadable,
        Self::TooLong,
        Self::OutOfRange,
        Self::Missing,
        Self::BadName,
        Self::BadPath,
        Self::OverlappingPaths,
        Self::UnknownField,
        Self::FieldExists,
        Self::BadExpression,
        Self::WrongType,
        Self::UnknownSink,
        Self::UnusedSink,
        Self::NeedsRoute,
        Self::UnknownTag,
        Self::TagsTooLate,
        Self::NoContract,
        Self::AfterCall,
        Self::BadUrl,
        Self::BadHeader,
        Self::NotForShape,
        Self::UnfitOutput,
    ];

    /// The word for interfaces and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotReadable => "NOT_READABLE",
            Self::TooLong => "TOO_LONG",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Missing => "MISSING",
            Self::BadName => "BAD_NAME",
            Self::BadPath => "BAD_PATH",
            Self::OverlappingPaths => "OVERLAPPING_PATHS",
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::FieldExists => "FIELD_EXISTS",
            Self::BadExpression => "BAD_EXPRESSION",
            Self::WrongType => "WRONG_TYPE",
            Self::UnknownSink => "UNKNOWN_SINK",
            Self::UnusedSink => "UNUSED_SINK",
            Self::NeedsRoute => "NEEDS_ROUTE",
            Self::UnknownTag => "UNKNOWN_TAG",
            Self::TagsTooLate => "TAGS_TOO_LATE",
            Self::NoContract => "NO_CONTRACT",
            Self::AfterCall => "AFTER_CALL",
            Self::BadUrl => "BAD_URL",
            Self::BadHeader => "BAD_HEADER",
            Self::NotForShape => "NOT_FOR_SHAPE",
            Self::UnfitOutput => "UNFIT_OUTPUT",
        }
    }
}
