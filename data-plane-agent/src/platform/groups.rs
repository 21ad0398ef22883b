//! What the agent asks of a broker pool about consumer groups.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use weir_proto::agent::v1::{GroupState, GroupType};

use super::kafka::{KafkaError, PoolAddress};

/// Offsets by (topic as Kafka calls it, partition).
pub type Positions = BTreeMap<(String, u32), i64>;

/// A group as its coordinator lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// As Kafka knows it.
    pub id: String,
    /// Classic, or of KIP-848.
    pub kind: GroupType,
    /// Where it stands.
    pub state: GroupState,
    /// Node id of its coordinator.
    pub coordinator: i32,
}

/// A group from near.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenGroup {
    /// What each member is assigned; the members in the order of their ids.
    pub members: Vec<BTreeSet<(String, u32)>>,
}

/// Which offset of a partition is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Of the oldest record that is left.
    Earliest,
    /// After the newest record.
    Latest,
    /// After the newest record that readers of committed records may have.
    Stable,
    /// Of the first record that is not older than this, in milliseconds since 1970; after the newest if there is none.
    Time(i64),
}

/// Consumer groups, as far as the agent needs them.
pub trait Groups: Send + Sync + 'static {
    /// Every group of the pool.
    fn groups<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Vec<ListedGroup>, KafkaError>>;
    /// The node that coordinates each of these groups, whether they exist or not; without those that have none now.
    fn coordinators<'a>(
        &'a self,
        at: &'a PoolAddress,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, i32>, KafkaError>>;
    /// Those of `groups` that still exist, by id.
    fn describe_groups<'a>(
        &'a self,
        at: &'a PoolAddress,
        groups: &'a [ListedGroup],
    ) -> BoxFuture<'a, Result<BTreeMap<String, SeenGroup>, KafkaError>>;
    /// What each of `groups` has committed, by id.
    fn committed<'a>(
        &'a self,
        at: &'a PoolAddress,
        groups: &'a [ListedGroup],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Positions>, KafkaError>>;
    /// An offset of each partition; those that do not exist are left out.
    fn offsets_at<'a>(
        &'a self,
        at: &'a PoolAddress,
        partitions: &'a BTreeSet<(String, u32)>,
        mark: Mark,
    ) -> BoxFuture<'a, Result<Positions, KafkaError>>;
    /// Commits offsets for a group. Kafka refuses while the group has members.
    fn commit<'a>(
        &'a self,
        at: &'a PoolAddress,
        group: &'a ListedGroup,
        positions: &'a Positions,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
    /// Deletes a group and its offsets. Kafka refuses while it has members.
    fn delete_group<'a>(
        &'a self,
        at: &'a PoolAddress,
        group: &'a ListedGroup,
    ) -> BoxFuture<'a, Result<(), KafkaError>>;
}
