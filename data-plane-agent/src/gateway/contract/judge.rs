//! One record and what its topic promises: which schema it names, whether it may, and what that schema says of it.

use std::sync::Arc;

use weir_contract::Format;
use weir_contract::verdict::{Place, Verdict, ViolationKind as Sort};
use weir_contract::wire::{self, FrameError, Framed, SchemaId};
use weir_proto::agent::v1::{RecordPart, ViolationKind};

use super::bind::{Enforced, PartRule, TopicContract};
use super::records::Record;

/// What is wrong with a record.
#[derive(Debug)]
pub struct Breach {
    /// Key or value; of a whole batch, that which is promised.
    pub part: RecordPart,
    /// The batch cannot be read.
    pub whole_batch: bool,
    /// The schema that it names, if that is known.
    pub schema: Option<Arc<Enforced>>,
    /// What sort.
    pub kind: ViolationKind,
    /// The rule's name.
    pub rule: Option<Arc<str>>,
    /// Which field, by names of the schema.
    pub path: String,
    /// A sentence: names and what the contract says, never what the record holds.
    pub reason: String,
}

impl Breach {
    /// One of a whole batch.
    #[must_use]
    pub fn of_batch(contract: &TopicContract, kind: ViolationKind, reason: &str) -> Self {
        let part = if contract.value.is_some() {
            RecordPart::Value
        } else {
            RecordPart::Key
        };
        Self {
            whole_batch: true,
            ..Self::new(part, None, kind, reason.to_owned())
        }
    }

    fn new(part: RecordPart, schema: Option<&Arc<Enforced>>, kind: ViolationKind, reason: String) -> Self {
        Self {
            part,
            whole_batch: false,
            schema: schema.cloned(),
            kind,
            rule: None,
            path: String::new(),
            reason,
        }
    }

    /// What it is about, in sentences.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.part {
            _all if self.whole_batch => "the batch",
            RecordPart::Key => "the key",
            RecordPart::Value | RecordPart::Unspecified => "the value",
        }
    }

    /// Key or value, as the interface between the planes calls them.
    #[must_use]
    pub fn part_word(&self) -> &'static str {
        let name = self.part.as_str_name();
        name.strip_prefix("RECORD_PART_").unwrap_or(name)
    }

    /// The sort of violation in the same words.
    #[must_use]
    pub fn kind_word(&self) -> &'static str {
        let name = self.kind.as_str_name();
        name.strip_prefix("VIOLATION_KIND_").unwrap_or(name)
    }

    /// The place of its rule among the schema's domain rules, counted from 1; 0: none.
    #[must_use]
    pub fn rule_place(&self) -> u32 {
        match (&self.schema, &self.rule) {
            (Some(schema), Some(rule)) => schema.rule(rule),
            _none => 0,
        }
    }
}

/// The first thing that is wrong with a record: of its key, else of its value. What is null is neither right nor wrong:
/// a null value deletes on compacted topics, and clients' serializers pass null as it is.
#[must_use]
pub fn first(contract: &TopicContract, record: &Record<'_>) -> Option<Breach> {
    let key = contract.key.as_ref().zip(record.key);
    let value = contract.value.as_ref().zip(record.value);
    let of_key = key.and_then(|(rule, payload)| breach(rule, RecordPart::Key, payload, record));
    of_key.or_else(|| value.and_then(|(rule, payload)| breach(rule, RecordPart::Value, payload, record)))
}

/// What a record looked like that broke its contract: names of the schema and types.
#[must_use]
pub fn sketch(breach: &Breach, contract: &TopicContract, record: &Record<'_>) -> String {
    let (rule, payload) = match breach.part {
        RecordPart::Key => (contract.key.as_ref(), record.key),
        _value => (contract.value.as_ref(), record.value),
    };
    let (Some(rule), Some(payload)) = (rule, payload) else {
        return String::new();
    };
    let unknown = || format!("{} bytes", payload.len());
    let Some(compiled) = breach.schema.as_ref().and_then(|it| it.contract.as_ref()) else {
        return unknown();
    };
    match framed(rule, breach.part, payload, record) {
        Ok(Some(framed)) if compiled.format() == Format::Protobuf => match framed.message() {
            Ok((indexes, body)) => compiled.sketch(&indexes, body),
            Err(_unreadable) => unknown(),
        },
        Ok(Some(framed)) => compiled.sketch(&[], framed.body),
        Ok(None) => compiled.sketch(&[], payload),
        Err(_unreadable) => unknown(),
    }
}

/// The frame, `None` where a record needs none and has none.
fn framed<'a>(
    rule: &PartRule,
    part: RecordPart,
    payload: &'a [u8],
    record: &Record<'a>,
) -> Result<Option<Framed<'a>>, FrameError> {
    let name = if part == RecordPart::Key {
        wire::KEY_HEADER
    } else {
        wire::VALUE_HEADER
    };
    if let Some(header) = record.header(name) {
        return wire::from_header(header, payload).map(Some);
    }
    match wire::unframe(payload) {
        Ok(framed) => Ok(Some(framed)),
        Err(_no_frame) if rule.unframed.is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

fn breach(rule: &PartRule, part: RecordPart, payload: &[u8], record: &Record<'_>) -> Option<Breach> {
    let framed = match framed(rule, part, payload, record) {
        Ok(framed) => framed,
        Err(error) => return Some(Breach::new(part, None, ViolationKind::NoFrame, error.to_string())),
    };
    let schema = match &framed {
        None => rule.unframed.as_ref(),
        Some(framed) => rule.schema(framed.schema),
    };
    let Some(schema) = schema else {
        let named = framed.map_or(SchemaId::Id(0), |it| it.schema);
        return Some(Breach::new(
            part,
            None,
            ViolationKind::UnknownSchema,
            unknown(named),
        ));
    };
    let Some(contract) = &schema.contract else {
        let reason = "the gateway cannot enforce its schema".to_owned();
        return Some(Breach::new(
            part,
            Some(schema),
            ViolationKind::UnknownSchema,
            reason,
        ));
    };
    let verdict = match framed {
        None => contract.judge(payload, Place::Gateway),
        Some(framed) if contract.format() == Format::Protobuf => match framed.message() {
            Ok((indexes, body)) => contract.judge_message(&indexes, body, Place::Gateway),
            Err(error) => {
                let kind = ViolationKind::NotDecodable;
                return Some(Breach::new(part, Some(schema), kind, error.to_string()));
            }
        },
        Some(framed) => contract.judge(framed.body, Place::Gateway),
    };
    match verdict {
        Verdict::Valid => None,
        Verdict::Violation(violation) => Some(Breach {
            rule: violation.rule,
            path: violation.path,
            ..Breach::new(part, Some(schema), kind(violation.kind), violation.reason)
        }),
    }
}

fn unknown(named: SchemaId) -> String {
    match named {
        SchemaId::Id(id) => format!("schema {id} is not among those of the topic"),
        SchemaId::Guid(guid) => {
            let guid = uuid::Uuid::from_bytes(guid);
            format!("schema {guid} is not among those of the topic")
        }
    }
}

const fn kind(sort: Sort) -> ViolationKind {
    match sort {
        Sort::NotDecodable => ViolationKind::NotDecodable,
        Sort::Schema => ViolationKind::Schema,
        Sort::Condition => ViolationKind::Condition,
        Sort::RuleError => ViolationKind::RuleError,
        Sort::Cost => ViolationKind::Cost,
        Sort::UnknownRuleType => ViolationKind::UnknownRuleType,
    }
}
