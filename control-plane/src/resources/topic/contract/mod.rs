//! A topic's contract: which schemas its records may be of, and what happens to one that breaks it.

mod check;
mod store;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::kernel::{Error, FieldError, Result, code};
use crate::resources::topic::model::{CleanupPolicy, TopicId};

pub use check::{behind_subject, check, check_free, check_stays_fit, tell_of_subject, until_judged};
pub use store::{Taking, taking};

/// What happens to a record that breaks the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Enforcement {
    /// Nothing is judged.
    Off,
    /// It is counted.
    Shadow,
    /// It is counted, and says so in a header.
    Mark,
    /// It is marked, withheld from consumers, and copied once into the dead-letter topic.
    Dlq,
    /// Its batch is refused.
    Reject,
}

/// Which subjects hold the schemas: the strategies of the field's serializers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubjectStrategy {
    /// `payments-value` for the topic `payments`.
    #[default]
    TopicName,
    /// The record's full name, such as `com.example.Payment`, for every topic of the environment.
    RecordName,
    /// `payments-com.example.Payment`.
    TopicRecordName,
}

/// What becomes of a record that does not say which schema it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unframed {
    /// It breaks the contract.
    #[default]
    Refused,
    /// It is judged as JSON of the newest version, if that is a JSON Schema.
    Json,
}

/// What is promised of keys, or of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PartContract {
    /// Which subjects hold the schemas.
    #[schema(default = "TOPIC_NAME")]
    pub strategy: SubjectStrategy,
    /// What becomes of a record that does not say which schema it is of.
    #[schema(default = "REFUSED")]
    pub unframed: Unframed,
}

/// What a topic promises of its records. With neither `key` nor `value`, it is about values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "Wished", deny_unknown_fields)]
pub struct TopicContract {
    /// What happens to a record that breaks it.
    pub enforcement: Enforcement,
    /// What is promised of keys; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<PartContract>,
    /// What is promised of values; absent beside a `key`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<PartContract>,
    /// Where DLQ copies records that break it: another topic of the same cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub dead_letter_topic: Option<TopicId>,
}

/// As it is written; a merge patch can take `value` away only if there is a `key`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wished {
    enforcement: Enforcement,
    key: Option<PartContract>,
    value: Option<PartContract>,
    dead_letter_topic: Option<TopicId>,
}

impl From<Wished> for TopicContract {
    fn from(wished: Wished) -> Self {
        let Wished {
            enforcement,
            key,
            value,
            dead_letter_topic,
        } = wished;
        Self {
            enforcement,
            key,
            value: value.or_else(|| key.is_none().then(PartContract::default)),
            dead_letter_topic,
        }
    }
}

impl TopicContract {
    /// Does anybody judge records by it?
    #[must_use]
    pub fn judges(&self) -> bool {
        self.enforcement != Enforcement::Off
    }

    /// As the column holds it: the dead-letter topic has one of its own.
    pub(super) fn stored(&self) -> Result<Value> {
        let alone = Self {
            dead_letter_topic: None,
            ..self.clone()
        };
        serde_json::to_value(alone).map_err(Error::internal)
    }

    /// Reads both columns; the check of the first knows no other content.
    #[must_use]
    pub fn read(stored: Option<Value>, dead_letter_topic: Option<TopicId>) -> Option<Self> {
        let contract: Self = serde_json::from_value(stored?).ok()?;
        Some(Self {
            dead_letter_topic,
            ..contract
        })
    }
}

/// Collects what is wrong with a contract beside its topic's clean-up policy.
pub(super) fn validate(
    contract: &TopicContract,
    cleanup_policy: CleanupPolicy,
    errors: &mut Vec<FieldError>,
) {
    let mut refuse = |pointer: &str, code: &str, detail: &str| {
        errors.push(FieldError {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        });
    };
    let TopicContract {
        enforcement,
        key,
        value,
        dead_letter_topic,
    } = contract;
    let keeps_bad = matches!(enforcement, Enforcement::Mark | Enforcement::Dlq);
    if keeps_bad && cleanup_policy != CleanupPolicy::Delete {
        let detail = "On a compacted topic a bad record that is kept would take the place of the good one before it: take REJECT, \
                      or SHADOW to count.";
        refuse("/spec/contract/enforcement", code::OUT_OF_RANGE, detail);
    }
    if *enforcement == Enforcement::Dlq && dead_letter_topic.is_none() {
        let detail = "DLQ needs a topic of the same cluster that it copies records into.";
        refuse("/spec/contract/dead_letter_topic", code::REQUIRED, detail);
    }
    for (pointer, part) in [
        ("/spec/contract/key/unframed", key),
        ("/spec/contract/value/unframed", value),
    ] {
        let unbound =
            part.is_some_and(|it| it.unframed == Unframed::Json && it.strategy != SubjectStrategy::TopicName);
        if unbound {
            let detail = "A record without a frame names no record either: JSON goes with the strategy TOPIC_NAME alone.";
            refuse(pointer, code::OUT_OF_RANGE, detail);
        }
    }
}

/// A dead-letter topic takes what others may not keep: it is not compacted, and nothing of it goes on to a third.
pub(super) fn fits_dead_letters(cleanup_policy: CleanupPolicy, contract: Option<&TopicContract>) -> bool {
    cleanup_policy == CleanupPolicy::Delete && contract.is_none_or(|it| it.enforcement != Enforcement::Dlq)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contract(wished: Value) -> TopicContract {
        serde_json::from_value(wished).unwrap()
    }

    fn found(wished: Value, policy: CleanupPolicy) -> Vec<(String, String)> {
        let mut errors = Vec::new();
        validate(&contract(wished), policy, &mut errors);
        errors.into_iter().map(|it| (it.pointer, it.code)).collect()
    }

    #[test]
    fn a_contract_is_about_values_unless_it_says_otherwise() {
        let plain = contract(json!({"enforcement": "REJECT"}));
        assert_eq!((plain.key, plain.value), (None, Some(PartContract::default())));
        let keyed = contract(json!({"enforcement": "REJECT", "key": {"strategy": "RECORD_NAME"}}));
        assert_eq!(keyed.value, None);
        let part = keyed.key.unwrap();
        assert_eq!(
            (part.strategy, part.unframed),
            (SubjectStrategy::RecordName, Unframed::Refused)
        );
        for wrong in [
            json!({}),
            json!({"enforcement": "MAYBE"}),
            json!({"enforcement": "OFF", "values": {}}),
            json!({"enforcement": "OFF", "value": {"subject": "x"}}),
        ] {
            assert!(
                serde_json::from_value::<TopicContract>(wrong.clone()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let topic = TopicId::generate();
        for wished in [
            json!({"enforcement": "OFF"}),
            json!({"enforcement": "DLQ", "dead_letter_topic": topic, "key": {"unframed": "JSON"}}),
            json!({"enforcement": "SHADOW", "key": {}, "value": {"strategy": "TOPIC_RECORD_NAME"}}),
        ] {
            let contract = contract(wished);
            let stored = contract.stored().unwrap();
            assert!(stored.get("dead_letter_topic").is_none());
            let again = TopicContract::read(Some(stored), contract.dead_letter_topic);
            assert_eq!(again, Some(contract));
        }
        assert_eq!(TopicContract::read(None, None), None);
    }

    #[test]
    fn what_cannot_be_kept_is_refused_where_it_stands() {
        let at = |pointer: &str, code: &str| vec![(format!("/spec/contract/{pointer}"), code.to_owned())];
        let topic = TopicId::generate();
        for policy in [CleanupPolicy::Compact, CleanupPolicy::CompactDelete] {
            for (enforcement, fits) in [
                ("OFF", true),
                ("SHADOW", true),
                ("MARK", false),
                ("DLQ", false),
                ("REJECT", true),
            ] {
                let wished = json!({"enforcement": enforcement, "dead_letter_topic": topic});
                let expected = if fits {
                    Vec::new()
                } else {
                    at("enforcement", code::OUT_OF_RANGE)
                };
                assert_eq!(found(wished.clone(), policy), expected, "{enforcement}");
                assert_eq!(found(wished, CleanupPolicy::Delete), [], "{enforcement}");
            }
        }
        assert_eq!(
            found(json!({"enforcement": "DLQ"}), CleanupPolicy::Delete),
            at("dead_letter_topic", code::REQUIRED)
        );
        for strategy in ["RECORD_NAME", "TOPIC_RECORD_NAME"] {
            let part = json!({"strategy": strategy, "unframed": "JSON"});
            let wished = json!({"enforcement": "REJECT", "key": part});
            assert_eq!(
                found(wished, CleanupPolicy::Delete),
                at("key/unframed", code::OUT_OF_RANGE)
            );
        }
        let bound = json!({"enforcement": "REJECT", "value": {"unframed": "JSON"}});
        assert_eq!(found(bound, CleanupPolicy::Delete), []);
    }
}
