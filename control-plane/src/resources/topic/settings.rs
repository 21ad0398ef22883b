//! A topic's spec as Kafka's settings, and what a Kafka client's settings do to a spec.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{ConfigOperation, TopicConfig};
use weir_proto::topic_config;

use crate::kernel::{Error, FieldError, Result, code};
use crate::resources::cluster::ClusterId;
use crate::resources::topic::model::{CleanupPolicy, TopicSpec};

const CLEANUP_POLICY: &str = "cleanup.policy";
const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
const RETENTION_BYTES: &str = "retention.bytes";
const RETENTION_MS: &str = "retention.ms";

/// A spec in which everything but the names is the default.
///
/// # Errors
/// Never, unless the defaults do not fit their own type.
pub fn default_spec(cluster: ClusterId, name: &str) -> Result<TopicSpec> {
    let named = serde_json::json!({"cluster": cluster, "name": name});
    serde_json::from_value(named).map_err(Error::internal)
}

/// Does the setting stand in a field of its own?
#[must_use]
pub fn is_named(setting: &TopicConfig) -> bool {
    let named = [CLEANUP_POLICY, MAX_MESSAGE_BYTES, RETENTION_BYTES, RETENTION_MS];
    topic_config::name(setting).is_some_and(|it| named.contains(&it))
}

/// Every setting that the spec wishes, by Kafka's names.
#[must_use]
pub fn of_spec(spec: &TopicSpec) -> BTreeMap<String, String> {
    let cleanup_policy = match spec.cleanup_policy {
        CleanupPolicy::Delete => "delete",
        CleanupPolicy::Compact => "compact",
        CleanupPolicy::CompactDelete => "compact,delete",
    };
    let mut settings = spec.configs.clone();
    settings.extend([
        (CLEANUP_POLICY.to_owned(), cleanup_policy.to_owned()),
        (MAX_MESSAGE_BYTES.to_owned(), spec.max_message_bytes.to_string()),
        (RETENTION_BYTES.to_owned(), spec.retention_bytes.to_string()),
        (RETENTION_MS.to_owned(), spec.retention_ms.to_string()),
    ]);
    settings
}

/// Does to the spec what a client's settings ask for. With `replace`, what they do not name is the default.
///
/// # Errors
/// 422 at `/spec/configs` for a setting that this version does not know, or an operation that it does not allow.
pub fn apply(spec: &mut TopicSpec, settings: &[TopicConfig], replace: bool) -> Result<()> {
    let default = default_spec(spec.cluster, &spec.name)?;
    if replace {
        *spec = TopicSpec {
            partitions: spec.partitions,
            // No setting of Kafka's: a client that replaces all settings has not spoken of it.
            contract: spec.contract.clone(),
            ..default.clone()
        };
    }
    let mut errors = Vec::new();
    for setting in settings {
        if let Err(detail) = apply_one(spec, &default, setting) {
            errors.push(FieldError {
                pointer: "/spec/configs".into(),
                code: code::BAD_CONFIG.into(),
                detail: detail.into(),
            });
        }
    }
    Error::check(errors)
}

fn apply_one(spec: &mut TopicSpec, default: &TopicSpec, setting: &TopicConfig) -> Result<(), &'static str> {
    const UNKNOWN: &str = "This setting is not known to the control plane.";
    let name = topic_config::name(setting).ok_or(UNKNOWN)?;
    match (setting.operation(), name) {
        (ConfigOperation::Reset, CLEANUP_POLICY) => spec.cleanup_policy = default.cleanup_policy,
        (ConfigOperation::Reset, MAX_MESSAGE_BYTES) => spec.max_message_bytes = default.max_message_bytes,
        (ConfigOperation::Reset, RETENTION_BYTES) => spec.retention_bytes = default.retention_bytes,
        (ConfigOperation::Reset, RETENTION_MS) => spec.retention_ms = default.retention_ms,
        (ConfigOperation::Reset, other) => {
            spec.configs.remove(other);
        }
        (ConfigOperation::Set, MAX_MESSAGE_BYTES) => {
            let fits = setting.number.try_into();
            spec.max_message_bytes = fits.map_err(|_error| "max.message.bytes is out of range.")?;
        }
        (ConfigOperation::Set, RETENTION_BYTES) => spec.retention_bytes = setting.number,
        (ConfigOperation::Set, RETENTION_MS) => spec.retention_ms = setting.number,
        (ConfigOperation::Set, CLEANUP_POLICY) => spec.cleanup_policy = policy(named(setting)?)?,
        (ConfigOperation::Set, other) => {
            let (_name, value) = topic_config::to_text(setting).ok_or(UNKNOWN)?;
            spec.configs.insert(other.to_owned(), value);
        }
        (ConfigOperation::Add, CLEANUP_POLICY) => {
            let (held, added) = (parts(spec.cleanup_policy), named(setting)?);
            spec.cleanup_policy = policy((held.0 || added.0, held.1 || added.1))?;
        }
        (ConfigOperation::Remove, CLEANUP_POLICY) => {
            let (held, taken) = (parts(spec.cleanup_policy), named(setting)?);
            spec.cleanup_policy = policy((held.0 && !taken.0, held.1 && !taken.1))?;
        }
        (ConfigOperation::Add | ConfigOperation::Remove | ConfigOperation::Unspecified, _other) => {
            return Err("Only cleanup.policy is a list; set or reset the others.");
        }
    }
    Ok(())
}

/// (delete, compact).
const fn parts(policy: CleanupPolicy) -> (bool, bool) {
    match policy {
        CleanupPolicy::Delete => (true, false),
        CleanupPolicy::Compact => (false, true),
        CleanupPolicy::CompactDelete => (true, true),
    }
}

fn policy(parts: (bool, bool)) -> Result<CleanupPolicy, &'static str> {
    match parts {
        (true, false) => Ok(CleanupPolicy::Delete),
        (false, true) => Ok(CleanupPolicy::Compact),
        (true, true) => Ok(CleanupPolicy::CompactDelete),
        (false, false) => Err("cleanup.policy is delete, compact, or both."),
    }
}

fn named(setting: &TopicConfig) -> Result<(bool, bool), &'static str> {
    let (_name, value) =
        topic_config::to_text(setting).ok_or("cleanup.policy is delete, compact, or both.")?;
    Ok((value.contains("delete"), value.contains("compact")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::topic_config::{SETTINGS, from_text};

    fn spec() -> TopicSpec {
        default_spec(ClusterId::generate(), "orders").unwrap()
    }

    fn set(name: &str, value: &str) -> TopicConfig {
        from_text(name, ConfigOperation::Set, Some(value)).unwrap()
    }

    #[test]
    fn what_a_client_sets_is_what_kafka_is_wished() {
        let mut spec = spec();
        let wished = [
            ("cleanup.policy", "compact,delete"),
            ("max.message.bytes", "2048"),
            ("retention.bytes", "-1"),
            ("retention.ms", "3600000"),
            ("min.cleanable.dirty.ratio", "0.25"),
            ("compression.type", "zstd"),
        ];
        let settings: Vec<TopicConfig> = wished.iter().map(|(name, value)| set(name, value)).collect();
        apply(&mut spec, &settings, false).unwrap();
        let held = of_spec(&spec);
        for (name, value) in wished {
            assert_eq!(held[name], value, "{name}");
        }
        assert_eq!((spec.retention_ms, spec.configs.len()), (3_600_000, 2));
    }

    #[test]
    fn reset_and_replace_lead_back_to_the_defaults() {
        let mut changed = spec();
        let settings = [
            set("retention.ms", "1"),
            set("segment.ms", "60000"),
            set("cleanup.policy", "compact"),
        ];
        apply(&mut changed, &settings, false).unwrap();
        changed.partitions = 9;
        let contract = serde_json::from_value(serde_json::json!({"enforcement": "REJECT"})).unwrap();
        changed.contract = Some(contract);
        let mut replaced = changed.clone();
        apply(&mut replaced, &[set("segment.ms", "70000")], true).unwrap();
        assert_eq!(replaced.contract, changed.contract);
        assert_eq!(replaced.retention_ms, spec().retention_ms);
        assert_eq!(
            (replaced.partitions, replaced.configs["segment.ms"].as_str()),
            (9, "70000")
        );
        let resets: Vec<TopicConfig> = SETTINGS
            .iter()
            .map(|(name, _key, _form)| from_text(name, ConfigOperation::Reset, None).unwrap())
            .collect();
        apply(&mut changed, &resets, false).unwrap();
        assert_eq!(of_spec(&changed), of_spec(&spec()));
    }

    #[test]
    fn a_list_grows_and_shrinks_and_is_never_empty() {
        let mut spec = spec();
        let with = |operation, value| [from_text("cleanup.policy", operation, Some(value)).unwrap()];
        apply(&mut spec, &with(ConfigOperation::Add, "compact"), false).unwrap();
        assert_eq!(spec.cleanup_policy, CleanupPolicy::CompactDelete);
        apply(&mut spec, &with(ConfigOperation::Remove, "delete"), false).unwrap();
        assert_eq!(spec.cleanup_policy, CleanupPolicy::Compact);
        assert!(apply(&mut spec, &with(ConfigOperation::Remove, "compact"), false).is_err());
        let number = [from_text("retention.ms", ConfigOperation::Add, Some("1")).unwrap()];
        assert!(apply(&mut spec, &number, false).is_err());
        assert!(apply(&mut spec, &[TopicConfig::default()], false).is_err());
    }
}
