//! Which topics and groups of an attached Kafka can be adopted. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_proto::agent::v1::{ConfigOperation, DiscoveredTopic, TopicConfig};

use crate::kernel::{FieldError, code};
use crate::resources::cluster::ClusterId;
use crate::resources::topic::{self, TopicSpec};

/// Topics of one call.
pub const TOPICS_MAX: usize = 500;
const NAME_LENGTH_MAX: usize = 249;

/// Which topics are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptionSelection {
    /// Their names; every one that can be when left out, at most 500 at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 500)]
    pub topics: Vec<String>,
}

/// What would become of a topic or group. New ones may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdoptionVerdict {
    /// It can be adopted under its own name.
    Adopt,
    /// It is adopted.
    Adopted,
    /// It cannot be.
    Refused,
}

/// Why something cannot be adopted. New ones may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdoptionRefusal {
    /// Kafka's own topic.
    Internal,
    /// The cluster has another topic of this name.
    NameTaken,
    /// The name is none that a topic here may have.
    IllegalName,
    /// Its settings are outside of what can be said here.
    Settings,
    /// There is no such topic, or it is withheld.
    NotFound,
}

impl AdoptionRefusal {
    /// As a sentence.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Internal => "Kafka's own topics stay Kafka's.",
            Self::NameTaken => "The cluster has a topic of this name that is not this one; delete it first.",
            Self::IllegalName => "The name has more than 200 characters, or begins with __.",
            Self::Settings => {
                "It has more partitions, larger batches or another clean-up than topics here may have."
            }
            Self::NotFound => {
                "Kafka has no such topic, or the policy of the data plane's owner withholds it."
            }
        }
    }
}

/// Collects what is wrong with a selection.
pub fn validate(selection: &AdoptionSelection, errors: &mut Vec<FieldError>) {
    let AdoptionSelection { topics } = selection;
    let mut bad = |pointer: String, detail: &str| {
        errors.push(FieldError {
            pointer,
            code: code::OUT_OF_RANGE.into(),
            detail: detail.into(),
        });
    };
    if topics.len() > TOPICS_MAX {
        bad("/topics".into(), "At most 500 topics at a time.");
    }
    for (at, name) in topics.iter().enumerate() {
        if !(1..=NAME_LENGTH_MAX).contains(&name.len()) || !name.bytes().all(|it| it.is_ascii_graphic()) {
            bad(format!("/topics/{at}"), "Not the name of a topic.");
        }
    }
}

/// The names of a cluster's topics: those that were adopted, and all others.
#[derive(Debug, Default)]
pub struct Taken {
    /// Adopted.
    pub adopted: BTreeSet<String>,
    /// Made here.
    pub own: BTreeSet<String>,
}

/// What a topic would be here, or why it cannot be.
pub fn judge(
    cluster: ClusterId,
    found: &DiscoveredTopic,
    taken: &Taken,
) -> Result<(AdoptionVerdict, Option<TopicSpec>), AdoptionRefusal> {
    if taken.adopted.contains(&found.name) {
        return Ok((AdoptionVerdict::Adopted, None));
    }
    if found.internal {
        return Err(AdoptionRefusal::Internal);
    }
    if taken.own.contains(&found.name) {
        return Err(AdoptionRefusal::NameTaken);
    }
    let mut spec =
        topic::default_spec(cluster, &found.name).map_err(|_error| AdoptionRefusal::IllegalName)?;
    spec.partitions = i32::try_from(found.partitions).map_err(|_error| AdoptionRefusal::Settings)?;
    // The four that every topic here has, as they work; others only where somebody set them.
    let (named, others): (Vec<&TopicConfig>, Vec<&TopicConfig>) =
        found.configs.iter().partition(|it| topic::is_named_setting(it));
    let named: Vec<TopicConfig> = named.into_iter().map(set).collect();
    topic::apply_settings(&mut spec, &named, false).map_err(|_error| AdoptionRefusal::Settings)?;
    let mut errors = Vec::new();
    topic::validate(&spec, &mut errors);
    match errors.first() {
        Some(wrong) if wrong.pointer == "/spec/name" => return Err(AdoptionRefusal::IllegalName),
        Some(_wrong) => return Err(AdoptionRefusal::Settings),
        None => {}
    }
    for other in others {
        if other.operation() != ConfigOperation::Set {
            continue;
        }
        // One that could not be wished for here stays in Kafka and is not shown.
        let mut with = spec.clone();
        let mut errors = Vec::new();
        if topic::apply_settings(&mut with, &[set(other)], false).is_ok() {
            topic::validate(&with, &mut errors);
            if errors.is_empty() {
                spec = with;
            }
        }
    }
    Ok((AdoptionVerdict::Adopt, Some(spec)))
}

fn set(config: &TopicConfig) -> TopicConfig {
    TopicConfig {
        operation: ConfigOperation::Set.into(),
        ..*config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Id;
    use weir_proto::topic_config::from_text;

    fn found(name: &str, settings: &[(&str, &str, ConfigOperation)]) -> DiscoveredTopic {
        let configs = settings.iter().map(|(key, value, source)| TopicConfig {
            operation: (*source).into(),
            ..from_text(key, ConfigOperation::Set, Some(value)).expect("a setting")
        });
        DiscoveredTopic {
            name: name.to_owned(),
            partitions: 3,
            replication_factor: 2,
            configs: configs.collect(),
            ..DiscoveredTopic::default()
        }
    }

    fn refusal(found: &DiscoveredTopic, taken: &Taken) -> Option<AdoptionRefusal> {
        judge(Id::generate(), found, taken).err()
    }

    #[test]
    fn a_topic_is_described_as_it_works_and_named_settings_come_from_brokers_too() {
        let topic = found(
            "Orders_v1.eu",
            &[
                ("retention.ms", "1000", ConfigOperation::Reset),
                ("cleanup.policy", "compact", ConfigOperation::Set),
                ("segment.ms", "600000", ConfigOperation::Set),
                ("segment.bytes", "1", ConfigOperation::Set),
                ("compression.type", "zstd", ConfigOperation::Reset),
            ],
        );
        let (verdict, spec) = judge(Id::generate(), &topic, &Taken::default()).expect("adoptable");
        let spec = spec.expect("a spec");
        assert_eq!(verdict, AdoptionVerdict::Adopt);
        assert_eq!((spec.partitions, spec.retention_ms), (3, 1000));
        assert_eq!(spec.cleanup_policy.name(), "COMPACT");
        assert_eq!(
            spec.configs.keys().collect::<Vec<_>>(),
            ["segment.ms"],
            "what brokers say is theirs, what is out of range is left alone"
        );
    }

    #[test]
    fn clashes_and_what_cannot_be_said_are_refused() {
        let taken = Taken {
            adopted: ["mine".to_owned()].into(),
            own: ["orders".to_owned()].into(),
        };
        assert_eq!(
            refusal(&found("orders", &[]), &taken),
            Some(AdoptionRefusal::NameTaken)
        );
        assert_eq!(
            refusal(&found("__x", &[]), &taken),
            Some(AdoptionRefusal::IllegalName)
        );
        assert_eq!(
            refusal(&found(&"x".repeat(201), &[]), &taken),
            Some(AdoptionRefusal::IllegalName)
        );
        let internal = DiscoveredTopic {
            internal: true,
            ..found("__consumer_offsets", &[])
        };
        assert_eq!(refusal(&internal, &taken), Some(AdoptionRefusal::Internal));
        let huge = found("big", &[("max.message.bytes", "99000000", ConfigOperation::Set)]);
        assert_eq!(refusal(&huge, &taken), Some(AdoptionRefusal::Settings));
        let again = judge(Id::generate(), &found("mine", &[]), &taken);
        assert_eq!(again, Ok((AdoptionVerdict::Adopted, None)));
    }
}
