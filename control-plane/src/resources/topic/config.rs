//! The topic settings that tenants may set beside the named ones, with their ranges (Kafka 4.3, "Topic Configs").

use std::collections::BTreeMap;

use crate::kernel::{FieldError, code};

/// What a setting accepts.
enum Accepts {
    /// An integer in a range.
    Integer(i64, i64),
    /// A number in a range.
    Number(f64, f64),
    /// One of these words.
    Words(&'static [&'static str]),
}

const DAY_MS: i64 = 86_400_000;

/// Replication, unclean elections and everything that could hurt neighbours on the same brokers stay with the operator.
const ALLOWED: &[(&str, Accepts)] = &[
    (
        "compression.type",
        Accepts::Words(&["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
    ),
    ("delete.retention.ms", Accepts::Integer(0, 30 * DAY_MS)),
    ("max.compaction.lag.ms", Accepts::Integer(1, i64::MAX)),
    ("message.timestamp.after.max.ms", Accepts::Integer(0, i64::MAX)),
    ("message.timestamp.before.max.ms", Accepts::Integer(0, i64::MAX)),
    (
        "message.timestamp.type",
        Accepts::Words(&["CreateTime", "LogAppendTime"]),
    ),
    ("min.cleanable.dirty.ratio", Accepts::Number(0.0, 1.0)),
    ("min.compaction.lag.ms", Accepts::Integer(0, i64::MAX)),
    ("segment.bytes", Accepts::Integer(1_048_576, 1_073_741_824)),
    ("segment.ms", Accepts::Integer(60_000, 30 * DAY_MS)),
];

/// Collects settings that are not allowed, or whose value is out of range.
pub fn validate(configs: &BTreeMap<String, String>, errors: &mut Vec<FieldError>) {
    for (name, value) in configs {
        let detail = match ALLOWED.iter().find(|(allowed, _)| allowed == name) {
            None => {
                let names: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
                format!(
                    "This setting is not open to tenants. Open ones: {}.",
                    names.join(", ")
                )
            }
            Some((_, accepts)) => match refusal(accepts, value) {
                None => continue,
                Some(detail) => detail,
            },
        };
        // JSON Pointer escapes: RFC 6901, section 3.
        let name = name.replace('~', "~0").replace('/', "~1");
        errors.push(FieldError {
            pointer: format!("/spec/configs/{name}"),
            code: code::BAD_CONFIG.into(),
            detail,
        });
    }
}

fn refusal(accepts: &Accepts, value: &str) -> Option<String> {
    match accepts {
        Accepts::Integer(least, most) => {
            let fits = value
                .parse::<i64>()
                .is_ok_and(|it| (*least..=*most).contains(&it));
            (!fits).then(|| format!("An integer from {least} to {most}, as text."))
        }
        Accepts::Number(least, most) => {
            let fits = value
                .parse::<f64>()
                .is_ok_and(|it| (*least..=*most).contains(&it));
            (!fits).then(|| format!("A number from {least} to {most}, as text."))
        }
        Accepts::Words(words) => (!words.contains(&value)).then(|| format!("One of {}.", words.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(name: &str, value: &str) -> usize {
        let mut errors = Vec::new();
        validate(
            &BTreeMap::from([(name.to_owned(), value.to_owned())]),
            &mut errors,
        );
        errors.len()
    }

    #[test]
    fn only_open_settings_in_their_range_pass() {
        assert_eq!(errors("segment.ms", "60000"), 0);
        assert_eq!(errors("segment.ms", "59999"), 1);
        assert_eq!(errors("segment.ms", "soon"), 1);
        assert_eq!(errors("compression.type", "zstd"), 0);
        assert_eq!(errors("compression.type", "rar"), 1);
        assert_eq!(errors("min.cleanable.dirty.ratio", "0.5"), 0);
        assert_eq!(errors("min.cleanable.dirty.ratio", "NaN"), 1);
        assert_eq!(errors("unclean.leader.election.enable", "true"), 1);
        assert_eq!(errors("min.insync.replicas", "1"), 1);
    }
}
