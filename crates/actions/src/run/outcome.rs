//! Records as they come, and what comes of them.

use std::fmt;
use std::sync::Arc;

use weir_contract::rules::cel::Fault;

use crate::frozen::TOO_DEEP;
use crate::plan::Expression;

/// A record of a topic.
#[derive(Clone, Copy)]
pub struct Record<'r> {
    /// The topic.
    pub topic: &'r str,
    /// The partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'r [u8]>,
    /// Its value; none deletes on compacted topics.
    pub value: Option<&'r [u8]>,
    /// Its headers.
    pub headers: &'r [Header<'r>],
}

/// A header of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'r> {
    /// Its name.
    pub name: &'r str,
    /// Its value.
    pub value: Option<&'r [u8]>,
}

/// A header that a plan made, or copied.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<Vec<u8>>,
}

impl fmt::Debug for Header<'_> {
    /// Without its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({:?})", self.name)
    }
}

impl fmt::Debug for OwnedHeader {
    /// Without its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({:?})", self.name)
    }
}

impl fmt::Debug for Record<'_> {
    /// Without what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({}-{}@{})", self.topic, self.partition, self.offset)
    }
}

impl<'r> Record<'r> {
    /// The value of a header; of several with one name the first holds, as for all who read frames.
    pub(crate) fn header(&self, name: &str) -> Option<&'r [u8]> {
        self.headers
            .iter()
            .find(|header| header.name == name)
            .and_then(|header| header.value)
    }
}

/// A part of a record that goes out.
#[derive(Clone, PartialEq, Eq)]
pub enum Part<T> {
    /// As it came: the host has it.
    AsItCame,
    /// This.
    New(T),
}

impl<T> fmt::Debug for Part<T> {
    /// Without what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsItCame => "AsItCame",
            Self::New(_) => "New",
        })
    }
}

/// What came of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It goes to a sink.
    Emit {
        /// The sink's name; [`Plan::topic`](crate::Plan::topic) says its topic.
        sink: Arc<str>,
        /// Its key.
        key: Part<Vec<u8>>,
        /// Its value, with the frame that names its schema.
        value: Part<Vec<u8>>,
        /// Its headers.
        headers: Part<Vec<OwnedHeader>>,
    },
    /// It goes nowhere.
    Dropped {
        /// Which step dropped it, counted from 1; `None`: it has no value.
        step: Option<usize>,
    },
    /// A step could not work on it.
    DeadLetter {
        /// Which step, counted from 1; `None`: it could not be read, or not be written.
        step: Option<usize>,
        /// What sort of fault.
        code: DeadLetterCode,
        /// What is wrong: names of the schema and of the spec, never what the record holds.
        sentence: String,
    },
}

impl Outcome {
    /// As it came, to a sink.
    pub(crate) fn unchanged(sink: &Arc<str>) -> Self {
        Self::Emit {
            sink: Arc::clone(sink),
            key: Part::AsItCame,
            value: Part::AsItCame,
            headers: Part::AsItCame,
        }
    }
}

/// Why a record is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeadLetterCode {
    /// It does not say which schema it is of.
    NoFrame,
    /// It names a schema that is not among those of the topic.
    UnknownSchema,
    /// Its bytes are no record of its format or schema.
    NotDecodable,
    /// It is larger than records may be.
    TooLarge,
    /// An expression has no value, or one of the wrong type.
    Expression,
    /// It would take more computation than a record of its size may.
    Cost,
    /// A step would make it nest too deep.
    TooDeep,
    /// A field is of a type, or in a place, with which the step can do nothing.
    BadField,
    /// A field of the new name is there already.
    FieldExists,
    /// The name that an expression gave is no sink.
    UnknownSink,
    /// It breaks the contract of its schema.
    Contract,
    /// The host does not have the key of a hash.
    NoSecret,
    /// The request of a call cannot be built.
    BadRequest,
    /// The endpoint did not answer in time.
    CallTimeout,
    /// The endpoint cannot be reached.
    CallUnreachable,
    /// The egress policy does not allow the call, or its secret is missing.
    CallForbidden,
    /// The endpoint answered 4xx.
    CallRefused4xx,
    /// The endpoint answered 5xx.
    CallFailed5xx,
    /// The endpoint answered with neither a success nor an error.
    CallUnexpected,
    /// The endpoint's answer is not JSON.
    CallNotJson,
    /// The endpoint's answer is too large.
    CallTooLarge,
    /// What came out fits neither its own schema nor the sink's.
    UnfitOutput,
    /// What came out is larger than the sink takes.
    OutputTooLarge,
    /// The sink has no schema to write by.
    NoSchema,
}

impl DeadLetterCode {
    /// Every code.
    pub const ALL: [Self; 24] = [
        Self::NoFrame,
        Self::UnknownSchema,
        Self::NotDecodable,
        Self::TooLarge,
        Self::Expression,
        Self::Cost,
        Self::TooDeep,
        Self::BadField,
        Self::FieldExists,
        Self::UnknownSink,
        Self::Contract,
        Self::NoSecret,
        Self::BadRequest,
        Self::CallTimeout,
        Self::CallUnreachable,
        Self::CallForbidden,
        Self::CallRefused4xx,
        Self::CallFailed5xx,
        Self::CallUnexpected,
        Self::CallNotJson,
        Self::CallTooLarge,
        Self::UnfitOutput,
        Self::OutputTooLarge,
        Self::NoSchema,
    ];

    /// The word for headers, counters and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoFrame => "NO_FRAME",
            Self::UnknownSchema => "UNKNOWN_SCHEMA",
            Self::NotDecodable => "NOT_DECODABLE",
            Self::TooLarge => "TOO_LARGE",
            Self::Expression => "EXPRESSION",
            Self::Cost => "COST",
            Self::TooDeep => "TOO_DEEP",
            Self::BadField => "BAD_FIELD",
            Self::FieldExists => "FIELD_EXISTS",
            Self::UnknownSink => "UNKNOWN_SINK",
            Self::Contract => "CONTRACT",
            Self::NoSecret => "NO_SECRET",
            Self::BadRequest => "BAD_REQUEST",
            Self::CallTimeout => "CALL_TIMEOUT",
            Self::CallUnreachable => "CALL_UNREACHABLE",
            Self::CallForbidden => "CALL_FORBIDDEN",
            Self::CallRefused4xx => "CALL_4XX",
            Self::CallFailed5xx => "CALL_5XX",
            Self::CallUnexpected => "CALL_UNEXPECTED",
            Self::CallNotJson => "CALL_NOT_JSON",
            Self::CallTooLarge => "CALL_TOO_LARGE",
            Self::UnfitOutput => "UNFIT_OUTPUT",
            Self::OutputTooLarge => "OUTPUT_TOO_LARGE",
            Self::NoSchema => "NO_SCHEMA",
        }
    }
}

/// Why a record goes no further.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It goes nowhere.
    Dropped,
    /// It cannot.
    Dead(DeadLetterCode, String),
}

impl Stop {
    /// A fault of an expression, or of what counts steps.
    pub fn of(fault: Fault, expression: Option<&Expression>) -> Self {
        match (fault, expression) {
            (Fault::Cost, _) => Self::Dead(
                DeadLetterCode::Cost,
                "It would take more computation than a record of its size may.".to_owned(),
            ),
            (Fault::Failed { reason, .. }, None) if reason == TOO_DEEP => Self::Dead(
                DeadLetterCode::TooDeep,
                "The record would nest too deep.".to_owned(),
            ),
            (Fault::Failed { at, reason }, Some(expression)) => Self::Dead(
                DeadLetterCode::Expression,
                format!(
                    "The expression has no value: {reason} ({}).",
                    expression.position(at)
                ),
            ),
            (Fault::Failed { reason, .. }, None) => Self::Dead(
                DeadLetterCode::BadField,
                format!("A field cannot be changed: {reason}."),
            ),
        }
    }

    /// What comes of the record.
    pub fn outcome(self, step: Option<usize>) -> Outcome {
        match self {
            Self::Dropped => Outcome::Dropped { step },
            Self::Dead(code, sentence) => Outcome::DeadLetter { step, code, sentence },
        }
    }
}

/// A record that waits.
pub(super) struct OwnedRecord {
    topic: String,
    partition: i32,
    offset: i64,
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    headers: Vec<OwnedHeader>,
}

impl OwnedRecord {
    /// Without its value, which waits beside it.
    pub fn of(record: &Record<'_>) -> Self {
        let Record {
            topic,
            partition,
            offset,
            timestamp_ms,
            key,
            value: _,
            headers,
        } = *record;
        let headers = headers.iter().map(|header| OwnedHeader {
            name: header.name.to_owned(),
            value: header.value.map(<[u8]>::to_vec),
        });
        Self {
            topic: topic.to_owned(),
            partition,
            offset,
            timestamp_ms,
            key: key.map(<[u8]>::to_vec),
            headers: headers.collect(),
        }
    }

    pub fn headers(&self) -> Vec<Header<'_>> {
        let headers = self.headers.iter().map(|header| Header {
            name: &header.name,
            value: header.value.as_deref(),
        });
        headers.collect()
    }

    pub fn borrowed<'r>(&'r self, headers: &'r [Header<'r>]) -> Record<'r> {
        Record {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: None,
            headers,
        }
    }
}
