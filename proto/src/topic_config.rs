//! Kafka's settings of a topic as they cross the network's border: enumerated keys and words, and numbers; never text.
//!
//! Both sides read the same table: the gateway turns a client's text into a [`TopicConfig`], the control plane turns it
//! back. Which values are allowed is the control plane's to say.

use crate::agent::v1::{ConfigOperation, TopicConfig, TopicConfigKey as Key, TopicConfigWord as Word};

/// What the value of a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An integer.
    Integer,
    /// A number that is sent in billionths.
    Ratio,
    /// One of these words.
    Words(&'static [(&'static str, Word)]),
}

const CLEANUP: Form = Form::Words(&[
    ("delete", Word::Delete),
    ("compact", Word::Compact),
    ("compact,delete", Word::CompactDelete),
    ("delete,compact", Word::CompactDelete),
]);
const COMPRESSION: Form = Form::Words(&[
    ("producer", Word::Producer),
    ("uncompressed", Word::Uncompressed),
    ("gzip", Word::Gzip),
    ("snappy", Word::Snappy),
    ("lz4", Word::Lz4),
    ("zstd", Word::Zstd),
]);
const TIMESTAMP: Form = Form::Words(&[
    ("CreateTime", Word::CreateTime),
    ("LogAppendTime", Word::LogAppendTime),
]);
const BILLION: i64 = 1_000_000_000;

/// Every setting that can be wished for: Kafka's name, the key that is sent, the form of its value.
pub const SETTINGS: [(&str, Key, Form); 14] = [
    ("cleanup.policy", Key::CleanupPolicy, CLEANUP),
    ("max.message.bytes", Key::MaxMessageBytes, Form::Integer),
    ("retention.bytes", Key::RetentionBytes, Form::Integer),
    ("retention.ms", Key::RetentionMs, Form::Integer),
    ("compression.type", Key::CompressionType, COMPRESSION),
    ("delete.retention.ms", Key::DeleteRetentionMs, Form::Integer),
    ("max.compaction.lag.ms", Key::MaxCompactionLagMs, Form::Integer),
    (
        "message.timestamp.after.max.ms",
        Key::MessageTimestampAfterMaxMs,
        Form::Integer,
    ),
    (
        "message.timestamp.before.max.ms",
        Key::MessageTimestampBeforeMaxMs,
        Form::Integer,
    ),
    ("message.timestamp.type", Key::MessageTimestampType, TIMESTAMP),
    (
        "min.cleanable.dirty.ratio",
        Key::MinCleanableDirtyRatio,
        Form::Ratio,
    ),
    ("min.compaction.lag.ms", Key::MinCompactionLagMs, Form::Integer),
    ("segment.bytes", Key::SegmentBytes, Form::Integer),
    ("segment.ms", Key::SegmentMs, Form::Integer),
];

/// Why a client's setting cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// No such setting is open to tenants.
    #[error("it is not open to tenants")]
    Key,
    /// The value is not of the setting's form.
    #[error("its value is not of the form that it needs")]
    Value,
}

/// A client's text as a setting; without a value, back to the default.
///
/// # Errors
/// When there is no such setting or its value has another form.
pub fn from_text(
    name: &str,
    operation: ConfigOperation,
    value: Option<&str>,
) -> Result<TopicConfig, Unsendable> {
    let (_name, key, form) = SETTINGS
        .iter()
        .find(|(known, _key, _form)| *known == name)
        .ok_or(Unsendable::Key)?;
    let mut config = TopicConfig {
        key: (*key).into(),
        operation: operation.into(),
        ..TopicConfig::default()
    };
    if operation == ConfigOperation::Reset {
        return Ok(config);
    }
    let value = value.ok_or(Unsendable::Value)?.trim();
    match form {
        Form::Integer => config.number = value.parse().map_err(|_error| Unsendable::Value)?,
        Form::Ratio => config.number = billionths(value).ok_or(Unsendable::Value)?,
        Form::Words(words) => {
            let plain: String = value.chars().filter(|it| *it != ' ').collect();
            let found = words.iter().find(|(text, _word)| *text == plain);
            config.word = found.ok_or(Unsendable::Value)?.1.into();
        }
    }
    Ok(config)
}

/// The name of a setting; `None` when this version does not know its key.
#[must_use]
pub fn name(config: &TopicConfig) -> Option<&'static str> {
    let known = SETTINGS.iter().find(|(_name, key, _form)| *key == config.key());
    known.map(|(name, _key, _form)| *name)
}

/// A setting's name and its value as Kafka writes it; `None` when the other side sent what this version does not know.
#[must_use]
pub fn to_text(config: &TopicConfig) -> Option<(&'static str, String)> {
    let (name, _key, form) = SETTINGS.iter().find(|(_name, key, _form)| *key == config.key())?;
    let value = match form {
        Form::Integer => config.number.to_string(),
        Form::Ratio => decimal(config.number)?,
        Form::Words(words) => {
            let found = words.iter().find(|(_text, word)| *word == config.word())?;
            found.0.to_owned()
        }
    };
    Some((name, value))
}

/// A decimal with at most nine places; no exponent, no sign.
fn billionths(text: &str) -> Option<i64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + places.len() == 0 || places.len() > 9 || !digits(whole) || !digits(places) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let places: i64 = format!("{places:0<9}").parse().ok()?;
    whole.checked_mul(BILLION)?.checked_add(places)
}

fn decimal(billionths: i64) -> Option<String> {
    if billionths < 0 {
        return None;
    }
    let places = format!("{:09}", billionths % BILLION);
    let places = places.trim_end_matches('0');
    let places = if places.is_empty() { "0" } else { places };
    Some(format!("{}.{places}", billionths / BILLION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(name: &str, value: &str) -> Option<String> {
        let config = from_text(name, ConfigOperation::Set, Some(value)).ok()?;
        let (known, text) = to_text(&config)?;
        assert_eq!(known, name);
        Some(text)
    }

    #[test]
    fn every_setting_returns_as_it_went() {
        for (name, _key, form) in SETTINGS {
            let values: Vec<&str> = match form {
                Form::Integer => vec!["0", "-1", "604800000", "9223372036854775807"],
                Form::Ratio => vec!["0.5", "0.0", "1.0", "0.123456789"],
                Form::Words(words) => words
                    .iter()
                    .map(|(text, _word)| *text)
                    .filter(|it| *it != "delete,compact")
                    .collect(),
            };
            for value in values {
                assert_eq!(back(name, value).as_deref(), Some(value), "{name}");
            }
        }
        assert_eq!(
            back("cleanup.policy", "delete, compact").as_deref(),
            Some("compact,delete")
        );
        assert_eq!(back("min.cleanable.dirty.ratio", "1").as_deref(), Some("1.0"));
        assert_eq!(back("min.cleanable.dirty.ratio", ".25").as_deref(), Some("0.25"));
    }

    #[test]
    fn no_text_can_be_sent() {
        let set = |name, value| from_text(name, ConfigOperation::Set, value);
        assert_eq!(
            set("unclean.leader.election.enable", Some("true")),
            Err(Unsendable::Key)
        );
        for (name, value) in [
            ("retention.ms", "canary"),
            ("retention.ms", "1e3"),
            ("retention.ms", "9223372036854775808"),
            ("compression.type", "canary"),
            ("min.cleanable.dirty.ratio", "NaN"),
            ("min.cleanable.dirty.ratio", "0.1234567890"),
            ("min.cleanable.dirty.ratio", "-0.5"),
            ("min.cleanable.dirty.ratio", "."),
        ] {
            assert_eq!(set(name, Some(value)), Err(Unsendable::Value), "{name}={value}");
        }
        assert_eq!(set("retention.ms", None), Err(Unsendable::Value));
        let reset = from_text("retention.ms", ConfigOperation::Reset, Some("canary")).unwrap();
        assert_eq!((reset.number, reset.word()), (0, Word::Unspecified));
    }

    #[test]
    fn what_is_not_known_has_no_text() {
        assert_eq!(to_text(&TopicConfig::default()), None);
        let wordless = TopicConfig {
            key: Key::CompressionType.into(),
            ..TopicConfig::default()
        };
        assert_eq!(to_text(&wordless), None);
        let foreign = TopicConfig {
            word: Word::Delete.into(),
            ..wordless
        };
        assert_eq!(to_text(&foreign), None);
    }
}
