//! What is wrong with a program's text, and where.

use std::fmt;

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Character of the line.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a program is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// It is longer, or nested deeper, than programs may be.
    TooLarge,
    /// A character or a word that is not read here, hence not let through.
    Unreadable,
    /// Brackets that do not match, a part that is missing.
    Malformed,
    /// A statement that jobs may not make.
    StatementForbidden,
    /// A word that has no business inside of a query.
    WordForbidden,
    /// A hint that jobs may not give.
    HintForbidden,
    /// A setting that jobs may not change, or a value that it cannot have.
    SettingForbidden,
    /// An option that models do not have here, or a value that it cannot have.
    OptionForbidden,
    /// A table or a model that the job does not name among its sources, sinks, views and models.
    UnknownTable,
    /// Two things have one name.
    NameTaken,
    /// The program writes nothing, or does not say where to.
    NoSink,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub code: ProblemCode,
    /// Where; of the whole program if nowhere.
    pub place: Option<Place>,
    /// A sentence for people.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(
        code: ProblemCode,
        place: impl Into<Option<Place>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            None => f.write_str(&self.message),
            Some(place) => write!(f, "{} ({place})", self.message),
        }
    }
}
