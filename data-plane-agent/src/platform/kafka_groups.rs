//! Consumer groups over the wire protocol: each asked of its coordinator, offsets of each partition's leader.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use weir_kafka_wire::kafka_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use weir_kafka_wire::kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use weir_kafka_wire::kafka_protocol::messages::{
    BrokerId, ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, GroupId,
    ListGroupsRequest, ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest,
};
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;
use weir_proto::agent::v1::{GroupState, GroupType};

use super::assignment::assigned;
use super::groups::{Groups, ListedGroup, Mark, Positions, SeenGroup};
use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, UNKNOWN_TOPIC, accepted, text, topic_name};

const LIST_GROUPS: i16 = 5;
const DESCRIBE_GROUPS: i16 = 5;
const CONSUMER_GROUP_DESCRIBE: i16 = 0;
const OFFSET_FETCH: i16 = 8;
const OFFSET_COMMIT: i16 = 8;
const LIST_OFFSETS: i16 = 7;
const DELETE_GROUPS: i16 = 2;
const TOPICS_PER_CALL: usize = 500;

/// GROUP_ID_NOT_FOUND.
pub const GROUP_ID_NOT_FOUND: i16 = 69;
/// Before KIP-1043 a group that does not exist is described as one in this state.
const DEAD: &str = "Dead";

impl Groups for RealKafka {
    fn groups<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Vec<ListedGroup>, KafkaError>> {
        Box::pin(self.list_groups(at))
    }

    fn coordinators<'a>(
        &'a self,
        at: &'a PoolAddress,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, i32>, KafkaError>> {
        Box::pin(self.find_coordinators(at, ids))
    }

    fn describe_groups<'a>(
        &'a self,
        at: &'a PoolAddress,
        groups: &'a [ListedGroup],
    ) -> BoxFuture<'a, Result<BTreeMap<String, SeenGroup>, KafkaError>> {
        Box::pin(async move {
            let mut seen = BTreeMap::new();
            for (coordinator, ids) in by_coordinator(groups, |it| it.kind != GroupType::Consumer) {
                self.describe_classic(at, coordinator, ids, &mut seen).await?;
            }
            for (coordinator, ids) in by_coordinator(groups, |it| it.kind == GroupType::Consumer) {
                self.describe_consumer(at, coordinator, ids, &mut seen).await?;
            }
            Ok(seen)
        })
    }

    fn committed<'a>(
        &'a self,
        at: &'a PoolAddress,
        groups: &'a [ListedGroup],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Positions>, KafkaError>> {
        Box::pin(async move {
            let mut all = BTreeMap::new();
            for (coordinator, ids) in by_coordinator(groups, |_any| true) {
                self.fetch_committed(at, coordinator, ids, &mut all).await?;
            }
            Ok(all)
        })
    }

    fn offsets_at<'a>(
        &'a self,
        at: &'a PoolAddress,
        partitions: &'a BTreeSet<(String, u32)>,
        mark: Mark,
    ) -> BoxFuture<'a, Result<Positions, KafkaError>> {
        Box::pin(self.offsets_of(at, partitions, mark))
    }

    fn commit<'a>(
        &'a self,
        at: &'a PoolAddress,
        group: &'a ListedGroup,
        positions: &'a Positions,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
            for ((topic, partition), offset) in positions {
                let position = OffsetCommitRequestPartition::default()
                    .with_partition_index(number(*partition))
                    .with_committed_offset(*offset)
                    .with_committed_leader_epoch(-1)
                    .with_committed_metadata(Some(StrBytes::default()));
                topics.entry(topic).or_default().push(position);
            }
            let topics = topics.into_iter().map(|(name, partitions)| {
                OffsetCommitRequestTopic::default()
                    .with_name(topic_name(name))
                    .with_partitions(partitions)
            });
            // As nobody's member: Kafka takes it only while the group has none.
            let request = OffsetCommitRequest::default()
                .with_group_id(group_id(&group.id))
                .with_generation_id_or_member_epoch(-1)
                .with_member_id(StrBytes::default())
                .with_topics(topics.collect());
            let answer = self
                .call(at, Some(group.coordinator), &request, OFFSET_COMMIT)
                .await?;
            let mut partitions = answer.topics.iter().flat_map(|it| &it.partitions);
            partitions.try_for_each(|it| accepted(it.error_code))
        })
    }

    fn delete_group<'a>(
        &'a self,
        at: &'a PoolAddress,
        group: &'a ListedGroup,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(&group.id)]);
            let answer = self
                .call(at, Some(group.coordinator), &request, DELETE_GROUPS)
                .await?;
            answer.results.iter().try_for_each(|it| accepted(it.error_code))
        })
    }
}

impl RealKafka {
    async fn list_groups(&self, at: &PoolAddress) -> Result<Vec<ListedGroup>, KafkaError> {
        let mut all = Vec::new();
        for (node, _host, _port) in &at.brokers {
            let request = ListGroupsRequest::default();
            let answer = match self.call(at, Some(*node), &request, LIST_GROUPS).await {
                Ok(answer) => answer,
                // A broker that is down coordinates nothing: its groups are somebody else's by now.
                Err(KafkaError::Unreachable) if at.brokers.len() > 1 => continue,
                Err(error) => return Err(error),
            };
            accepted(answer.error_code)?;
            all.extend(answer.groups.into_iter().filter_map(|it| {
                let kind = match it.group_type.as_str().to_ascii_lowercase().as_str() {
                    "classic" | "" => GroupType::Classic,
                    "consumer" => GroupType::Consumer,
                    // Share and streams groups are not offered.
                    _other => return None,
                };
                Some(ListedGroup {
                    id: it.group_id.as_str().to_owned(),
                    kind,
                    state: group_state(&it.group_state),
                    coordinator: *node,
                })
            }));
        }
        Ok(all)
    }

    async fn describe_classic(
        &self,
        at: &PoolAddress,
        coordinator: i32,
        ids: Vec<GroupId>,
        seen: &mut BTreeMap<String, SeenGroup>,
    ) -> Result<(), KafkaError> {
        let request = DescribeGroupsRequest::default().with_groups(ids);
        let answer = self
            .call(at, Some(coordinator), &request, DESCRIBE_GROUPS)
            .await?;
        for group in answer.groups {
            match group.error_code {
                GROUP_ID_NOT_FOUND => continue,
                code => accepted(code)?,
            }
            if group.group_state.as_str() == DEAD {
                continue;
            }
            let mut members = group.members;
            members.sort_by(|a, b| a.member_id.as_str().cmp(b.member_id.as_str()));
            let members = members.iter().map(|it| assigned(&it.member_assignment));
            seen.insert(
                group.group_id.as_str().to_owned(),
                SeenGroup {
                    members: members.collect(),
                },
            );
        }
        Ok(())
    }

    async fn describe_consumer(
        &self,
        at: &PoolAddress,
        coordinator: i32,
        ids: Vec<GroupId>,
        seen: &mut BTreeMap<String, SeenGroup>,
    ) -> Result<(), KafkaError> {
        let request = ConsumerGroupDescribeRequest::default().with_group_ids(ids);
        let answer = self
            .call(at, Some(coordinator), &request, CONSUMER_GROUP_DESCRIBE)
            .await?;
        for group in answer.groups {
            match group.error_code {
                GROUP_ID_NOT_FOUND => continue,
                code => accepted(code)?,
            }
            let mut members = group.members;
            members.sort_by(|a, b| a.member_id.as_str().cmp(b.member_id.as_str()));
            let members = members.into_iter().map(|member| {
                let topics = member.assignment.topic_partitions.into_iter();
                topics
                    .flat_map(|topic| {
                        let name = topic.topic_name.as_str().to_owned();
                        let partitions = topic.partitions.into_iter();
                        partitions.filter_map(move |it| Some((name.clone(), u32::try_from(it).ok()?)))
                    })
                    .collect()
            });
            seen.insert(
                group.group_id.as_str().to_owned(),
                SeenGroup {
                    members: members.collect(),
                },
            );
        }
        Ok(())
    }

    async fn fetch_committed(
        &self,
        at: &PoolAddress,
        coordinator: i32,
        ids: Vec<GroupId>,
        all: &mut BTreeMap<String, Positions>,
    ) -> Result<(), KafkaError> {
        let wanted = ids.into_iter().map(|id| {
            OffsetFetchRequestGroup::default()
                .with_group_id(id)
                .with_topics(None)
        });
        let request = OffsetFetchRequest::default().with_groups(wanted.collect());
        let answer = self.call(at, Some(coordinator), &request, OFFSET_FETCH).await?;
        for group in answer.groups {
            match group.error_code {
                GROUP_ID_NOT_FOUND => continue,
                code => accepted(code)?,
            }
            let mut positions = Positions::new();
            for topic in group.topics {
                for it in topic.partitions {
                    accepted(it.error_code)?;
                    if let Ok(partition) = u32::try_from(it.partition_index)
                        && it.committed_offset >= 0
                    {
                        let place = (topic.name.as_str().to_owned(), partition);
                        positions.insert(place, it.committed_offset);
                    }
                }
            }
            all.insert(group.group_id.as_str().to_owned(), positions);
        }
        Ok(())
    }

    async fn offsets_of(
        &self,
        at: &PoolAddress,
        partitions: &BTreeSet<(String, u32)>,
        mark: Mark,
    ) -> Result<Positions, KafkaError> {
        let timestamp = match mark {
            Mark::Earliest => -2,
            Mark::Latest | Mark::Stable => -1,
            Mark::Time(unix_ms) => unix_ms,
        };
        let names: BTreeSet<&String> = partitions.iter().map(|(name, _partition)| name).collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let asked = (timestamp, i8::from(mark == Mark::Stable));
        let mut found = Positions::new();
        for page in names.chunks(TOPICS_PER_CALL) {
            let mut by_leader: BTreeMap<i32, BTreeMap<String, Vec<i32>>> = BTreeMap::new();
            for topic in self.metadata(at, page).await?.topics {
                let Some(name) = topic.name.filter(|_name| topic.error_code != UNKNOWN_TOPIC) else {
                    continue;
                };
                for it in &topic.partitions {
                    let wanted = u32::try_from(it.partition_index)
                        .is_ok_and(|at| partitions.contains(&(name.as_str().to_owned(), at)));
                    if wanted {
                        let of_leader = by_leader.entry(it.leader_id.0).or_default();
                        let numbers = of_leader.entry(name.as_str().to_owned()).or_default();
                        numbers.push(it.partition_index);
                    }
                }
            }
            for (leader, topics) in by_leader {
                self.offsets_at_leader(at, leader, &topics, asked, &mut found)
                    .await?;
            }
        }
        if matches!(mark, Mark::Time(_)) {
            // No record is that young: after the newest.
            let missing: BTreeSet<_> = found
                .iter()
                .filter(|(_place, offset)| **offset < 0)
                .map(|(place, _offset)| place.clone())
                .collect();
            if !missing.is_empty() {
                found.extend(Box::pin(self.offsets_of(at, &missing, Mark::Latest)).await?);
            }
        }
        Ok(found)
    }

    async fn offsets_at_leader(
        &self,
        at: &PoolAddress,
        leader: i32,
        topics: &BTreeMap<String, Vec<i32>>,
        (timestamp, isolation): (i64, i8),
        found: &mut Positions,
    ) -> Result<(), KafkaError> {
        let wanted = topics.iter().map(|(name, partitions)| {
            let partitions = partitions.iter().map(|partition| {
                ListOffsetsPartition::default()
                    .with_partition_index(*partition)
                    .with_current_leader_epoch(-1)
                    .with_timestamp(timestamp)
            });
            ListOffsetsTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions.collect())
        });
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_isolation_level(isolation)
            .with_topics(wanted.collect());
        let answer = self.call(at, Some(leader), &request, LIST_OFFSETS).await?;
        for topic in answer.topics {
            for it in topic.partitions {
                accepted(it.error_code)?;
                if let Ok(partition) = u32::try_from(it.partition_index) {
                    found.insert((topic.name.as_str().to_owned(), partition), it.offset);
                }
            }
        }
        Ok(())
    }
}

fn by_coordinator(
    groups: &[ListedGroup],
    which: impl Fn(&ListedGroup) -> bool,
) -> BTreeMap<i32, Vec<GroupId>> {
    let mut by: BTreeMap<i32, Vec<GroupId>> = BTreeMap::new();
    for group in groups.iter().filter(|it| which(it)) {
        by.entry(group.coordinator).or_default().push(group_id(&group.id));
    }
    by
}

fn group_state(text: &str) -> GroupState {
    match text {
        "Empty" => GroupState::Empty,
        "Stable" => GroupState::Stable,
        "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => GroupState::Rebalancing,
        DEAD => GroupState::Dead,
        _other => GroupState::Unspecified,
    }
}

fn group_id(id: &str) -> GroupId {
    GroupId(text(id))
}

fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}
