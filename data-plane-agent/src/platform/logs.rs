//! What the agent asks of a broker pool about records: for dead letters, which it reads and writes by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::groups::Mark;
use super::kafka::{KafkaError, PoolAddress};

/// A partition, by the name that Kafka knows its topic by.
pub type Part = (String, i32);

/// A producer of transactions, as its coordinator knows it (KIP-98).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// Whoever opens a producer by the same name shuts the one before out.
    pub transactional_id: String,
    /// Kafka's number for it.
    pub id: i64,
    /// How often it was opened.
    pub epoch: i16,
    /// Node id of its coordinator.
    pub coordinator: i32,
}

/// How much is read at once, and for how long brokers wait for the first of it.
#[derive(Debug, Clone, Copy)]
pub struct Helping {
    /// Of all partitions together; one batch that is larger comes whole.
    pub bytes: usize,
    /// Of one partition.
    pub partition_bytes: usize,
    /// For how long, in milliseconds.
    pub wait_ms: i32,
}

/// What was read of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Which.
    pub part: Part,
    /// Kafka's error code.
    pub code: i16,
    /// Before which offset every transaction is over.
    pub stable: i64,
    /// Transactions that were given up: producer id, and the first offset.
    pub aborted: Vec<(i64, i64)>,
    /// Batches, the last of them perhaps not whole.
    pub records: Bytes,
}

/// A position of a group, and what was noted beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// What is read next.
    pub offset: i64,
    /// A note of at most 4096 bytes.
    pub note: String,
}

/// What a Kafka shows of itself, and of topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// Node ids of its brokers.
    pub nodes: BTreeSet<i32>,
    /// Of those topics that were asked for.
    pub topics: BTreeMap<String, Shown>,
}

/// What is shown of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Kafka's error code.
    pub code: i16,
    /// The node that leads each partition; -1: none.
    pub leaders: BTreeMap<i32, i32>,
}

/// Positions of a group.
pub type Stand = BTreeMap<Part, Position>;

/// Records of a pool. Names are Kafka's own.
pub trait Logs: Send + Sync + 'static {
    /// The same, with connections of its own: they end with it.
    fn apart(&self) -> Arc<dyn Logs>;
    /// Brokers and topics, as the first broker that answers shows them.
    fn sight<'a>(
        &'a self,
        at: &'a PoolAddress,
        topics: &'a [String],
    ) -> BoxFuture<'a, Result<Sight, KafkaError>>;
    /// The node that leads each partition (-1: none) of those of `topics` that exist.
    fn leaders<'a>(
        &'a self,
        at: &'a PoolAddress,
        topics: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<Part, i32>, KafkaError>>;
    /// Where logs begin or end.
    fn edges<'a>(
        &'a self,
        at: &'a PoolAddress,
        parts: &'a BTreeSet<Part>,
        mark: Mark,
    ) -> BoxFuture<'a, Result<BTreeMap<Part, i64>, KafkaError>>;
    /// Reads what is committed of partitions that `node` leads, each from an offset on.
    fn read<'a>(
        &'a self,
        at: &'a PoolAddress,
        node: i32,
        from: &'a [(Part, i64)],
        helping: Helping,
    ) -> BoxFuture<'a, Result<Vec<Read>, KafkaError>>;
    /// Where a group stands, when no transaction about that is under way any more.
    fn stand<'a>(&'a self, at: &'a PoolAddress, group: &'a str) -> BoxFuture<'a, Result<Stand, KafkaError>>;
    /// Opens a producer: an earlier one of this name is shut out, and what it has not finished is given up.
    fn open<'a>(
        &'a self,
        at: &'a PoolAddress,
        transactional_id: &'a str,
    ) -> BoxFuture<'a, Result<Producer, KafkaError>>;
    /// Says that the transaction will write to these partitions of a topic.
    fn begin<'a>(
        &'a self,
        at: &'a PoolAddress,
        producer: &'a Producer,
        topic: &'a str,
        partitions: &'a BTreeSet<i32>,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Writes one batch of this producer to a partition that `node` leads; on all replicas when it returns. Says the offset of its first
    /// record; -1: it was there before, and nobody knows any more.
    fn append<'a>(
        &'a self,
        at: &'a PoolAddress,
        node: i32,
        producer: &'a Producer,
        part: &'a Part,
        batch: Bytes,
    ) -> BoxFuture<'a, Result<i64, KafkaError>>;
    /// Makes positions of a group a part of the transaction.
    fn place<'a>(
        &'a self,
        at: &'a PoolAddress,
        producer: &'a Producer,
        group: &'a str,
        stand: &'a Stand,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Ends the transaction: all of it holds, or none.
    fn end<'a>(
        &'a self,
        at: &'a PoolAddress,
        producer: &'a Producer,
        commit: bool,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
}
