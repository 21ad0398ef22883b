//! What a tenant writes: steps in their order, and the topics where records go.
//!
//! Unknown fields are refused everywhere. Expressions are CEL, as in the rules of contracts; what they see is in docs/actions.md.

mod call;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_contract::Position;

pub use call::{Call, CallShape, Message, Method, Role, SecretUse};

use crate::limits::SPEC_BYTES_MAX;
use crate::problem::{Problem, ProblemCode};

/// What an ACTION job does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionSpec {
    /// What is done with each record, in this order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Where records go, by the names that `route` uses.
    pub sinks: BTreeMap<String, Sink>,
    /// The topic of records that a step could not work on. Without one, the job stops at the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_topic: Option<String>,
    /// What happens to records without a value, which delete on compacted topics.
    #[serde(default)]
    pub null_values: NullValues,
}

/// A topic where records go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// Its name in the cluster.
    pub topic: String,
    /// How values are written.
    #[serde(default)]
    pub encoding: Encoding,
    /// Bytes of a value at most; 8 MiB if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_bytes_max: Option<usize>,
}

/// How values are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Encoding {
    /// As they came. One with a schema keeps it while it fits, and else has the newest schema of the sink.
    #[default]
    Keep,
    /// JSON without a schema.
    Json,
    /// By the newest schema of the sink.
    Contract,
}

/// What happens to records without a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NullValues {
    /// They go, untouched by the steps, to the only sink, or to the `otherwise` of the last route; without one they are dropped.
    #[default]
    Pass,
    /// They are dropped.
    Drop,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Lets records pass for which an expression is true.
    Filter(Filter),
    /// Keeps these fields and no other.
    Project(Project),
    /// Takes fields away.
    Drop(DropFields),
    /// Gives fields other names.
    Rename(Rename),
    /// Makes fields unreadable.
    Mask(Mask),
    /// Converts fields to other types.
    Cast(Cast),
    /// Gives fields values.
    Set(Set),
    /// Makes fields of fields to fields of the record.
    Flatten(Flatten),
    /// Chooses the sink.
    Route(Route),
    /// Drops records that were there before.
    Deduplicate(Deduplicate),
    /// Sends records that break their contract to the dead letters.
    Validate(Validate),
    /// Asks an HTTP endpoint or a model.
    Call(Box<Call>),
}

/// Lets records pass for which an expression is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// A bool.
    #[serde(rename = "where")]
    pub condition: String,
}

/// Keeps these fields and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Paths.
    pub fields: Vec<String>,
}

/// Takes fields away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropFields {
    /// Paths.
    pub fields: Vec<String>,
}

/// Gives fields other names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// New names by paths; a name, not a path: a field stays where it is.
    pub fields: BTreeMap<String, String>,
}

/// Makes fields unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// Paths; these or `tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Fields with one of these tags in the contract.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What becomes of them.
    pub how: MaskHow,
}

/// How fields are made unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum MaskHow {
    /// A constant of the same type: `***`, 0, false, no bytes, 1970.
    Redact,
    /// Its keyed hash (HMAC-SHA-256), as 64 hexadecimal digits: equal values stay equal.
    Hash {
        /// The reference of the secret that is the key.
        key: String,
    },
    /// A `*` for every character but the last.
    KeepLast {
        /// How many stay; a text of no more characters is masked whole.
        n: u32,
    },
    /// Null.
    Null,
}

/// Converts fields to other types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// Types by paths.
    pub fields: BTreeMap<String, CastType>,
}

/// A type that a field can be converted to; null stays null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CastType {
    /// A whole number of 64 bits.
    Int,
    /// One that is not negative.
    Uint,
    /// A number of 64 bits with a fraction.
    Double,
    /// A text.
    String,
    /// Bytes: of a text its UTF-8.
    Bytes,
    /// True or false.
    Bool,
    /// A point in time: of a text as RFC 3339 writes it, of a whole number seconds since 1970.
    Timestamp,
    /// A span of time: of a text such as `1h30m`.
    Duration,
}

/// Gives fields values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Expressions by paths. All of them see the record as it was before the step.
    pub fields: BTreeMap<String, String>,
}

/// Makes fields of fields to fields of the record: `a: {b: 1}` becomes `a_b: 1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {
    /// What stands between names.
    #[serde(default = "underscore")]
    pub separator: String,
    /// How many levels; all if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
}

/// Chooses the sink, by `by` or by `rules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// An expression that is the name of a sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The first rule that is true says where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RouteRule>,
    /// The sink of all others; without one they are dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// Where records go for which an expression is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteRule {
    /// A bool.
    #[serde(rename = "where")]
    pub condition: String,
    /// The name of a sink.
    pub to: String,
}

/// Drops records that were there before: [`Seen`](crate::Seen) says exactly which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deduplicate {
    /// Paths whose values make the key; the record's key if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// How long a key is remembered, by the timestamps of records.
    pub window_ms: u64,
    /// How many keys are remembered for each partition.
    #[serde(default = "keys_max")]
    pub keys_max: u32,
}

/// Sends records that break their contract to the dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validate {}

fn underscore() -> String {
    "_".to_owned()
}

const fn keys_max() -> u32 {
    100_000
}

impl ActionSpec {
    /// Reads a spec of JSON.
    ///
    /// # Errors
    /// What is wrong with the text, with line and column.
    pub fn read(text: &str) -> Result<Self, Problem> {
        if text.len() > SPEC_BYTES_MAX {
            let message = format!("The spec is longer than {SPEC_BYTES_MAX} bytes; split the job.");
            return Err(Problem::new(ProblemCode::TooLong, None, "", message));
        }
        serde_json::from_str(text).map_err(|error| {
            let place = Position {
                line: error.line(),
                column: error.column(),
            };
            let told = error.to_string();
            let told = told.split(" at line ").next().unwrap_or_default();
            let mut problem = Problem::new(
                ProblemCode::NotReadable,
                None,
                "",
                format!("The spec cannot be read: {told}."),
            );
            problem.position = Some(place);
            problem
        })
    }
}

impl Step {
    /// The step's name in a spec.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Filter(_) => "filter",
            Self::Project(_) => "project",
            Self::Drop(_) => "drop",
            Self::Rename(_) => "rename",
            Self::Mask(_) => "mask",
            Self::Cast(_) => "cast",
            Self::Set(_) => "set",
            Self::Flatten(_) => "flatten",
            Self::Route(_) => "route",
            Self::Deduplicate(_) => "deduplicate",
            Self::Validate(_) => "validate",
            Self::Call(_) => "call",
        }
    }
}
