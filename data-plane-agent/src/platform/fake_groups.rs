//! Consumer groups of the Kafka in memory. Every partition of every topic holds the offsets 0 to [`END`].

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;

use futures_util::future::BoxFuture;
use weir_proto::agent::v1::{GroupState, GroupType};

use super::fake::FakeKafka;
use super::groups::{Groups, ListedGroup, Mark, Positions, SeenGroup};
use super::kafka::{KafkaError, PoolAddress};

/// After the newest record of each partition.
pub const END: i64 = 100;
/// Kafka's code for a group that is not there.
const GROUP_ID_NOT_FOUND: i16 = 69;
/// Kafka's code for a group that has members.
const NON_EMPTY_GROUP: i16 = 68;

/// A group in memory.
#[derive(Debug, Clone, Default)]
pub struct FakeGroup {
    /// What each member is assigned.
    pub members: Vec<BTreeSet<(String, u32)>>,
    /// What it has committed.
    pub committed: Positions,
}

impl FakeKafka {
    /// Puts a group there, as a consumer does by using it.
    pub fn put_group(&self, pool: &str, id: &str, group: FakeGroup) {
        let mut inner = self.inner();
        let groups = inner.groups.entry(pool.to_owned()).or_default();
        groups.insert(id.to_owned(), group);
    }

    /// A group as it is.
    #[must_use]
    pub fn group(&self, pool: &str, id: &str) -> Option<FakeGroup> {
        self.inner().groups.get(pool)?.get(id).cloned()
    }

    /// From now on every partition begins and ends there, for those who ask about committed records.
    pub fn set_edges(&self, first: i64, stable: i64) {
        self.inner().edges = (first, Some(stable));
    }

    fn with_groups<T>(
        &self,
        pool: &str,
        what: impl FnOnce(&mut BTreeMap<String, FakeGroup>) -> Result<T, KafkaError>,
    ) -> Result<T, KafkaError> {
        let mut inner = self.inner();
        if inner.away {
            return Err(KafkaError::Unreachable);
        }
        what(inner.groups.entry(pool.to_owned()).or_default())
    }

    fn change_idle<T>(
        &self,
        at: &PoolAddress,
        id: &str,
        what: &str,
        change: impl FnOnce(&mut BTreeMap<String, FakeGroup>) -> T,
    ) -> Result<T, KafkaError> {
        self.inner().log.push(format!("{what} {id}"));
        self.with_groups(&at.pool_id, |groups| match groups.get(id) {
            None => Err(KafkaError::Refused(GROUP_ID_NOT_FOUND)),
            Some(group) if !group.members.is_empty() => Err(KafkaError::Refused(NON_EMPTY_GROUP)),
            Some(_idle) => Ok(change(groups)),
        })
    }
}

impl Groups for FakeKafka {
    fn groups<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Vec<ListedGroup>, KafkaError>> {
        let listed = self.with_groups(&at.pool_id, |groups| {
            let listed = groups.iter().map(|(id, group)| ListedGroup {
                id: id.clone(),
                kind: GroupType::Classic,
                state: if group.members.is_empty() {
                    GroupState::Empty
                } else {
                    GroupState::Stable
                },
                coordinator: 1,
            });
            Ok(listed.collect())
        });
        Box::pin(ready(listed))
    }

    fn coordinators<'a>(
        &'a self,
        at: &'a PoolAddress,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, i32>, KafkaError>> {
        let found = self.with_groups(&at.pool_id, |_groups| {
            Ok(ids.iter().map(|it| (it.clone(), 1)).collect())
        });
        Box::pin(ready(found))
    }

    fn describe_groups<'a>(
        &'a self,
        at: &'a PoolAddress,
        wanted: &'a [ListedGroup],
    ) -> BoxFuture<'a, Result<BTreeMap<String, SeenGroup>, KafkaError>> {
        let seen = self.with_groups(&at.pool_id, |groups| {
            let found = wanted.iter().filter_map(|it| {
                let members = groups.get(&it.id)?.members.clone();
                Some((it.id.clone(), SeenGroup { members }))
            });
            Ok(found.collect())
        });
        Box::pin(ready(seen))
    }

    fn committed<'a>(
        &'a self,
        at: &'a PoolAddress,
        wanted: &'a [ListedGroup],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Positions>, KafkaError>> {
        let committed = self.with_groups(&at.pool_id, |groups| {
            let found = wanted
                .iter()
                .filter_map(|it| Some((it.id.clone(), groups.get(&it.id)?.committed.clone())));
            Ok(found.collect())
        });
        Box::pin(ready(committed))
    }

    fn offsets_at<'a>(
        &'a self,
        at: &'a PoolAddress,
        partitions: &'a BTreeSet<(String, u32)>,
        mark: Mark,
    ) -> BoxFuture<'a, Result<Positions, KafkaError>> {
        let offset = match mark {
            Mark::Earliest => self.inner().edges.0,
            Mark::Latest => END,
            Mark::Stable => self.inner().edges.1.unwrap_or(END),
            Mark::Time(unix_ms) => unix_ms.clamp(0, END),
        };
        let topics = self.topics_of(&at.pool_id);
        let exists = |place: &&(String, u32)| topics.get(&place.0).is_some_and(|it| place.1 < it.partitions);
        let found = partitions.iter().filter(exists);
        let found = found.map(|place| (place.clone(), offset)).collect();
        Box::pin(ready(Ok(found)))
    }

    fn commit<'a>(
        &'a self,
        at: &'a PoolAddress,
        group: &'a ListedGroup,
        positions: &'a Positions,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        let done = self.change_idle(at, &group.id, "commit", |groups| {
            if let Some(group) = groups.get_mut(&group.id) {
                group.committed.extend(positions.clone());
            }
        });
        Box::pin(ready(done))
    }

    fn delete_group<'a>(
        &'a self,
        at: &'a PoolAddress,
        group: &'a ListedGroup,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        let done = self.change_idle(at, &group.id, "delete-group", |groups| {
            groups.remove(&group.id);
        });
        Box::pin(ready(done))
    }
}
