//! What the agent asks of a Kafka that it did not start: who is there, and what it holds.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::kafka::{KafkaError, PoolAddress};

/// A topic that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTopic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// How many copies of the first partition.
    pub replication_factor: u32,
    /// Kafka's own.
    pub internal: bool,
    /// Settings as they work, with those of the brokers; true: made on the topic itself.
    pub settings: BTreeMap<String, (String, bool)>,
}

/// Access rules that Kafka keeps: counted, never told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoundAcls {
    /// Rules.
    pub bindings: u32,
    /// Principals that they speak of.
    pub principals: u32,
}

/// A broker as it names itself: node id, host, port.
pub type Node = (i32, String, u16);

/// Looking around, without changing anything.
pub trait Discovery: Send + Sync + 'static {
    /// The brokers as they name themselves: node id, host, port.
    fn brokers<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Vec<Node>, KafkaError>>;
    /// The names of all topics, and which of them are Kafka's own.
    fn topic_names<'a>(
        &'a self,
        at: &'a PoolAddress,
    ) -> BoxFuture<'a, Result<BTreeMap<String, bool>, KafkaError>>;
    /// Those of `names` that exist, from near.
    fn find_topics<'a>(
        &'a self,
        at: &'a PoolAddress,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<FoundTopic>, KafkaError>>;
    /// Access rules; nothing when Kafka keeps none or does not tell us.
    fn acls<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Option<FoundAcls>, KafkaError>>;
}
