//! Verdicts: a contract, compiled once, judges records; whether here, there or on a laptop, with one result.

mod json;
mod judge;
mod limits;
mod paths;
mod plain;
mod sketch;
mod skim;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use prost_reflect::MessageDescriptor;

pub use limits::JudgeLimits;

use crate::error::{Position, SchemaError};
use crate::protobuf::ProtobufSchema;
use crate::rules::{
    self, Action, Compiled, EnableAt, Engine, Metadata, RuleKind, RuleMode, RuleProblem, RuleSet,
};
use crate::schema::{Format, Schema};
use crate::value::{FieldTypes, TagPatterns, avro};
use json::JsonReader;
use skim::Skim;

/// Where a record is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between producer and broker.
    Gateway,
    /// In a producer, or on a developer's machine in its stead.
    Client,
    /// In a job that reads.
    Processor,
}

impl Place {
    const fn mode(self) -> RuleMode {
        match self {
            Self::Gateway | Self::Client => RuleMode::Write,
            Self::Processor => RuleMode::Read,
        }
    }
}

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As the contract wants it.
    Valid,
    /// Not so.
    Violation(Box<Violation>),
}

impl Verdict {
    /// Whether it is as the contract wants it.
    pub const fn is_valid(&self) -> bool {
        matches!(self, Self::Valid)
    }

    /// What is wrong with it.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Valid => None,
            Self::Violation(violation) => Some(violation),
        }
    }
}

/// What sort of violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViolationKind {
    /// The bytes are no record of the schema.
    NotDecodable,
    /// They are a record, and a keyword of the schema is not satisfied.
    Schema,
    /// A condition is not met.
    Condition,
    /// A rule has no value for this record: a field is missing, a type is another.
    RuleError,
    /// Judging the record would take more steps than a record of its size may.
    Cost,
    /// A rule of a type that nothing here executes.
    UnknownRuleType,
}

impl ViolationKind {
    /// The word for counters and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotDecodable => "NOT_DECODABLE",
            Self::Schema => "SCHEMA",
            Self::Condition => "CONDITION",
            Self::RuleError => "RULE_ERROR",
            Self::Cost => "COST",
            Self::UnknownRuleType => "UNKNOWN_RULE_TYPE",
        }
    }
}

/// What is wrong with a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule that it breaks; `None` for the schema itself.
    pub rule: Option<Arc<str>>,
    /// What sort.
    pub kind: ViolationKind,
    /// Which field, by names of the schema; keys that only the record has are `*`. Empty for all of it.
    pub path: String,
    /// A sentence that may leave the network: names and what the contract says, never what the record holds.
    pub reason: String,
    /// What the rule wants to be done: ERROR where nothing is said.
    pub action: Action,
    /// May hold values of the record.
    detail: Option<String>,
}

impl Violation {
    /// One that no rule is about.
    fn of_schema(kind: ViolationKind, path: String, reason: String, detail: Option<String>) -> Self {
        Self {
            rule: None,
            kind,
            path,
            reason,
            action: Action::Error,
            detail,
        }
    }

    /// More, for the endpoint inside of the customer's network only: it may quote the record.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl fmt::Debug for Violation {
    /// Without the detail: whoever logs a violation logs no record.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Violation")
            .field("rule", &self.rule)
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("reason", &self.reason)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// Why there is no contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The schema cannot be enforced.
    #[error("schema: {0}")]
    Schema(SchemaError),
    /// The rule set is not lawful; error 42210 of the registry's API.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rules(Vec<RuleProblem>),
}

/// A schema with its rules, ready to judge. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Contract {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    reader: Reader,
    rules: Vec<Compiled>,
    fields: Option<FieldTypes>,
    enable_at: Option<EnableAt>,
    limits: JudgeLimits,
}

/// How a payload becomes a record.
#[derive(Debug)]
enum Reader {
    Avro(Arc<avro::Plan>),
    Json(Box<JsonReader>),
    Protobuf {
        schema: ProtobufSchema,
        first: MessageDescriptor,
        skim: Skim,
    },
}

impl Contract {
    /// Compiles a schema with its rules.
    ///
    /// # Errors
    /// What is wrong with them, all of it; also rules that only a gateway could run and this one does not.
    pub fn compile(
        schema: Schema,
        rule_set: &RuleSet,
        metadata: &Metadata,
        limits: JudgeLimits,
    ) -> Result<Self, CompileError> {
        let rules = rules::domain(rule_set, &schema, metadata).map_err(CompileError::Rules)?;
        let refused = unreachable_rules(&rules, rule_set.enable_at);
        if !refused.is_empty() {
            return Err(CompileError::Rules(refused));
        }
        let wants_fields = rules
            .iter()
            .any(|rule| matches!(rule.engine, Engine::CelField(_)));
        let patterns = TagPatterns::new(&metadata.tags)
            .map_err(|message| CompileError::Schema(SchemaError::invalid("", message)))?;
        let (reader, fields) = match schema {
            Schema::Avro(schema) => {
                let plan = Arc::new(avro::Plan::new(&schema));
                let fields = wants_fields.then(|| FieldTypes::of_avro(&plan, &patterns));
                (Reader::Avro(plan), fields)
            }
            Schema::Json(schema) => {
                let reader = JsonReader::new(&schema).map_err(CompileError::Schema)?;
                (
                    Reader::Json(Box::new(reader)),
                    wants_fields.then(|| FieldTypes::of_json(&schema, patterns)),
                )
            }
            Schema::Protobuf(schema) => {
                let first = rules::root_message(&schema).ok_or_else(|| {
                    CompileError::Schema(SchemaError::invalid("", "the file has no message"))
                })?;
                let fields = wants_fields.then(|| FieldTypes::of_protobuf(&schema.pool, &patterns));
                let skim = Skim::of(&first);
                (Reader::Protobuf { schema, first, skim }, fields)
            }
        };
        Ok(Self {
            inner: Arc::new(Inner {
                reader,
                rules,
                fields,
                enable_at: rule_set.enable_at,
                limits,
            }),
        })
    }

    /// The language of its schema.
    pub fn format(&self) -> Format {
        match self.inner.reader {
            Reader::Avro(_) => Format::Avro,
            Reader::Json(_) => Format::Json,
            Reader::Protobuf { .. } => Format::Protobuf,
        }
    }

    /// Judges a payload without its frame; of Protobuf one of the first message of the file.
    pub fn judge(&self, payload: &[u8], place: Place) -> Verdict {
        self.judge_message(&[], payload, place)
    }

    /// Judges a payload of the message that `indexes` name, as a frame of Protobuf carries them; other formats have none.
    pub fn judge_message(&self, indexes: &[u32], payload: &[u8], place: Place) -> Verdict {
        match judge::first(&self.inner, indexes, payload, place) {
            None => Verdict::Valid,
            Some(violation) => Verdict::Violation(Box::new(violation)),
        }
    }

    /// Everything that is wrong with a payload: what the schema says of it or, if that is nothing, one violation for each rule.
    pub fn judge_all(&self, indexes: &[u32], payload: &[u8], place: Place) -> Vec<Violation> {
        judge::all(&self.inner, indexes, payload, place)
    }
}

/// Rules that the gateway would have to run and cannot: they change records.
fn unreachable_rules(rules: &[Compiled], enable_at: Option<EnableAt>) -> Vec<RuleProblem> {
    if enable_at != Some(EnableAt::Gateway) {
        return Vec::new();
    }
    let changes = |rule: &&Compiled| rule.kind == RuleKind::Transform && rule.mode.runs_in(RuleMode::Write);
    let refused = rules.iter().filter(changes).map(|rule| RuleProblem {
        list: "domainRules",
        rule: rule.name.to_string(),
        position: None::<Position>,
        message: "a TRANSFORM cannot run at the gateway: it judges records and does not change them; \
                  let clients run it (enableAt CLIENT)"
            .to_owned(),
    });
    refused.collect()
}
