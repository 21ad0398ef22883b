//! What is known of the topics that a lineage is about.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{ClusterId, DataPlaneId, Error, Id, Result, code, kind};
use crate::resources::topic::TopicId;

/// What a lineage is around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// Every topic of a cluster.
    Cluster(ClusterId),
    /// A topic, where its dead letters go, and whose come to it.
    Topic(TopicId),
    /// The topics that a contract governs.
    Contract(Id<kind::Contract>),
}

impl Around {
    /// Reads the three parameters, of which exactly one is there.
    ///
    /// # Errors
    /// 422 for none, for more than one, and for what is no such id.
    pub fn read(cluster: Option<&str>, topic: Option<&str>, contract: Option<&str>) -> Result<Self> {
        match (cluster, topic, contract) {
            (Some(text), None, None) => id("?cluster_id", text).map(Self::Cluster),
            (None, Some(text), None) => id("?topic_id", text).map(Self::Topic),
            (None, None, Some(text)) => id("?contract_id", text).map(Self::Contract),
            (None, None, None) => {
                let detail = "Name what it is around: a cluster_id, a topic_id or a contract_id.";
                Err(Error::invalid("?cluster_id", code::REQUIRED, detail))
            }
            _more => {
                let detail = "It is around one thing: a cluster_id, a topic_id or a contract_id.";
                Err(Error::invalid("?cluster_id", code::OUT_OF_RANGE, detail))
            }
        }
    }
}

fn id<K: crate::kernel::Kind>(pointer: &str, text: &str) -> Result<Id<K>> {
    text.parse().map_err(|_not_an_id| {
        let detail = format!("The id of a {} is {}_ and 26 characters.", K::KIND, K::PREFIX);
        Error::invalid(pointer, code::BAD_REFERENCE, detail)
    })
}

/// A topic of the tenant.
#[derive(Debug, Clone)]
pub struct Topic {
    pub id: TopicId,
    pub name: String,
    pub cluster: ClusterId,
    pub data_plane: DataPlaneId,
    pub enforcement: Option<String>,
    pub dead_letters: Option<TopicId>,
}

/// A contract and a topic that it governs.
#[derive(Debug, Clone)]
pub struct Governs {
    pub contract: Id<kind::Contract>,
    pub subject: String,
    pub version: i32,
    pub topic: TopicId,
}

/// What a principal did with a topic, by usage.
#[derive(Debug, Clone)]
pub struct Traffic {
    pub topic: TopicId,
    /// Id and name, if it is a service account of the tenant.
    pub account: Option<(Uuid, String)>,
    pub produces: bool,
    /// The beginning of the last hour in which it was seen.
    pub last_hour: DateTime<Utc>,
    pub bytes_last_day: i64,
}

/// A consumer group and a topic that it has offsets of, or members at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumes {
    pub cluster: ClusterId,
    pub group: String,
    pub state: &'static str,
    pub topic: TopicId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_is_around_one_thing() {
        let topic = TopicId::generate();
        let text = topic.to_string();
        assert_eq!(
            Around::read(None, Some(&text), None).ok(),
            Some(Around::Topic(topic))
        );
        for (cluster, topic, code) in [
            (None, None, code::REQUIRED),
            (Some("x"), Some(text.as_str()), code::OUT_OF_RANGE),
            (Some(text.as_str()), None, code::BAD_REFERENCE),
        ] {
            let refused = Around::read(cluster, topic, None).expect_err("refused");
            assert_eq!(refused.fields[0].code, code);
        }
    }
}
