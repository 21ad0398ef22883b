//! What may be said of a consumer group, and what may be wished of its offsets.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_proto::agent::v1::ResetTo;

use crate::kernel::{FieldError, code};
use crate::resources::topic::TopicId;

/// As long as an agent tells: Kafka's longest name of a topic.
const GROUP_LENGTH_MAX: usize = 249;
const TOPICS_MAX: usize = 1000;
const PARTITIONS_MAX: usize = 10_000;

/// Could this be the id of a group that an agent tells of?
#[must_use]
pub fn is_group_id(text: &str) -> bool {
    (1..=GROUP_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic())
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(cluster: &str, group: &str) -> String {
    format!("{cluster}/group={group}")
}

/// Where offsets go. An offset outside of what the log holds becomes its nearest end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum ResetTarget {
    /// To the oldest record that is left.
    Earliest {},
    /// After the newest record.
    Latest {},
    /// To this offset.
    Offset {
        /// The offset.
        #[schema(minimum = 0)]
        offset: i64,
    },
    /// To the first record that is not older.
    Time {
        /// The moment.
        time: DateTime<Utc>,
    },
    /// By so many records, back if negative; partitions without a committed offset stay so.
    Shift {
        /// How many.
        by: i64,
    },
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetTopic {
    /// The topic.
    pub topic: TopicId,
    /// Which partitions; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10_000)]
    pub partitions: Vec<u32>,
}

/// A reset of offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OffsetReset {
    /// Where to.
    pub to: ResetTarget,
    /// Of which topics; every partition that the group has committed when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub topics: Vec<ResetTopic>,
}

impl ResetTarget {
    /// As the agent is told.
    #[must_use]
    pub const fn told(&self) -> (ResetTo, i64) {
        match self {
            Self::Earliest {} => (ResetTo::Earliest, 0),
            Self::Latest {} => (ResetTo::Latest, 0),
            Self::Offset { offset } => (ResetTo::Offset, *offset),
            Self::Time { time } => (ResetTo::Time, time.timestamp_millis()),
            Self::Shift { by } => (ResetTo::Shift, *by),
        }
    }
}

/// Collects what is wrong with a reset.
pub fn validate(reset: &OffsetReset, errors: &mut Vec<FieldError>) {
    let OffsetReset { to, topics } = reset;
    let mut bad = |pointer: String, code: &str, detail: &str| {
        errors.push(FieldError {
            pointer,
            code: code.to_owned(),
            detail: detail.to_owned(),
        });
    };
    let (_to, value) = to.told();
    match to {
        ResetTarget::Offset { .. } if value < 0 => {
            bad("/to/offset".into(), code::OUT_OF_RANGE, "An offset is 0 or more.");
        }
        ResetTarget::Time { .. } if value < 0 => {
            bad(
                "/to/time".into(),
                code::OUT_OF_RANGE,
                "A time is in 1970 or later.",
            );
        }
        ResetTarget::Shift { .. } if value == 0 => {
            let detail = "A shift by 0 moves nothing.";
            bad("/to/by".into(), code::OUT_OF_RANGE, detail);
        }
        _fits => {}
    }
    let named: usize = topics.iter().map(|it| it.partitions.len()).sum();
    if topics.len() > TOPICS_MAX || named > PARTITIONS_MAX {
        let detail = "At most 1000 topics and 10000 partitions are named in one reset.";
        bad("/topics".into(), code::OUT_OF_RANGE, detail);
    }
    let mut seen = BTreeSet::new();
    for (at, topic) in topics.iter().enumerate() {
        if !seen.insert(topic.topic) {
            let detail = "The topic is named twice.";
            bad(format!("/topics/{at}/topic"), code::OUT_OF_RANGE, detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Id;

    fn wrong(to: ResetTarget, topics: Vec<ResetTopic>) -> Vec<String> {
        let mut errors = Vec::new();
        validate(&OffsetReset { to, topics }, &mut errors);
        errors.into_iter().map(|it| it.pointer).collect()
    }

    #[test]
    fn a_reset_names_where_to_and_each_topic_once() {
        let topic = ResetTopic {
            topic: Id::generate(),
            partitions: vec![0],
        };
        assert!(wrong(ResetTarget::Earliest {}, vec![topic.clone()]).is_empty());
        assert_eq!(
            wrong(ResetTarget::Latest {}, vec![topic.clone(), topic]),
            ["/topics/1/topic"]
        );
        assert_eq!(
            wrong(ResetTarget::Offset { offset: -1 }, Vec::new()),
            ["/to/offset"]
        );
        assert_eq!(wrong(ResetTarget::Shift { by: 0 }, Vec::new()), ["/to/by"]);
        assert!(wrong(ResetTarget::Shift { by: -5 }, Vec::new()).is_empty());
        let time = DateTime::from_timestamp_millis(-1).expect("a time");
        assert_eq!(wrong(ResetTarget::Time { time }, Vec::new()), ["/to/time"]);
    }

    #[test]
    fn a_body_is_read_strictly() {
        let read = |text: &str| serde_json::from_str::<OffsetReset>(text);
        let shift = read(r#"{"to": {"kind": "SHIFT", "by": -3}}"#).expect("a reset");
        assert_eq!(shift.to.told(), (ResetTo::Shift, -3));
        assert!(read(r#"{"to": {"kind": "EARLIEST", "offset": 3}}"#).is_err());
        assert!(read(r#"{"to": {"kind": "OFFSET"}}"#).is_err());
        assert!(read("{}").is_err());
    }

    #[test]
    fn only_what_an_agent_tells_is_an_id() {
        assert!(is_group_id("billing.v1"));
        for bad in ["", "a b", "ä", "a\n", &"x".repeat(250)] {
            assert!(!is_group_id(bad), "{bad}");
        }
    }
}
