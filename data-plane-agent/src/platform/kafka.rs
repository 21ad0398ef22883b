//! What the agent asks of a broker pool.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use weir_proto::agent::v1::PartitionExtent;

use crate::upstream::Security;

/// A topic id as Kafka gives it.
pub type PhysicalId = [u8; 16];

/// Where the brokers of one pool are, and the internal principal that the agent made for itself and the gateway.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PoolAddress {
    /// The pool.
    pub pool_id: String,
    /// Node id, host, port.
    pub brokers: Vec<(i32, String, u16)>,
    /// SASL user.
    pub username: String,
    /// Its password, which never leaves this machine.
    pub password: String,
    /// TLS and mechanism.
    pub security: Security,
    /// Which of the gateway's ports is which broker's, by node id; empty: that of its node id.
    pub places: BTreeMap<i32, u16>,
}

impl std::fmt::Debug for PoolAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolAddress")
            .field("pool_id", &self.pool_id)
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

/// A topic as Kafka has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTopic {
    /// Kafka's own id.
    pub physical_id: PhysicalId,
    /// How many partitions.
    pub partitions: u32,
    /// Settings of this topic, without defaults.
    pub configs: BTreeMap<String, String>,
}

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Kafka's name for it.
    pub physical_name: String,
    /// How many partitions.
    pub partitions: u32,
    /// How many copies.
    pub replication_factor: u32,
    /// Its settings.
    pub configs: BTreeMap<String, String>,
}

/// Why Kafka did not do it. Kafka's words are not kept: only its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// No broker answered as a broker does.
    #[error("no broker of the pool answered")]
    Unreachable,
    /// A broker did not take the login.
    #[error("a broker of the pool refused the login")]
    Login,
    /// Who is known by a key showed another one, or did not take ours.
    #[error("who answered has another key than is pinned, or does not take ours")]
    Stranger,
    /// Kafka's error code.
    #[error("Kafka refused with code {0}")]
    Refused(i16),
}

/// Kafka's administration, as far as the agent needs it.
pub trait Kafka: super::discovery::Discovery + super::groups::Groups + super::native::Native {
    /// The node ids of those brokers of the pool that are registered and not fenced.
    fn brokers_ready<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<BTreeSet<i32>, KafkaError>>;
    /// Those of `names` that exist.
    fn topics<'a>(
        &'a self,
        at: &'a PoolAddress,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, SeenTopic>, KafkaError>>;
    /// Makes a topic and says its id.
    fn create_topic<'a>(
        &'a self,
        at: &'a PoolAddress,
        topic: &'a NewTopic,
    ) -> BoxFuture<'a, Result<PhysicalId, KafkaError>>;
    /// Raises the number of partitions to `partitions`.
    fn create_partitions<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        partitions: u32,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Sets and removes settings of a topic, leaving others.
    fn alter_configs<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        set: &'a BTreeMap<String, String>,
        remove: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Deletes exactly the topic with this id, never another of the same name.
    fn delete_topic<'a>(
        &'a self,
        at: &'a PoolAddress,
        id: PhysicalId,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Bytes that each topic of the pool holds, without copies: of each partition, the largest.
    fn sizes<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<BTreeMap<String, u64>, KafkaError>>;
    /// Offsets and size of each partition; nothing when there is no such topic.
    fn extent<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<PartitionExtent>>, KafkaError>>;
}
