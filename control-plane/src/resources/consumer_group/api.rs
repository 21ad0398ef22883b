//! What the API promises of consumer groups.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use weir_proto::agent::v1 as wire;

use crate::kernel::{Id, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::topic::TopicId;
use crate::rest::ListMetadata;

/// The topics of a cluster: the agent tells ids, people read names. What is not in it is not shown.
pub type TopicNames = BTreeMap<TopicId, String>;

/// Which protocol a group speaks. New ones may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsumerGroupType {
    /// Kafka's first one, whose leader assigns.
    Classic,
    /// KIP-848, whose coordinator assigns.
    Consumer,
    /// One that this version does not know.
    Unknown,
}

/// Where a group stands. New states may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsumerGroupState {
    /// It has no members: its offsets can be reset, and it can be deleted.
    Empty,
    /// Its members have their partitions.
    Stable,
    /// Partitions are being given out.
    Rebalancing,
    /// It is going away.
    Dead,
    /// One that this version does not know.
    Unknown,
}

/// A group in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConsumerGroup {
    kind: &'static str,
    /// The cluster that it consumes from.
    cluster: ClusterId,
    /// Its id, as its members call it.
    pub group: String,
    /// Which protocol it speaks.
    #[serde(rename = "type")]
    group_type: ConsumerGroupType,
    /// Where it stands.
    state: ConsumerGroupState,
    /// How many members it has.
    members: u32,
    /// How many records are between its committed offsets and the ends of the logs; null when the ends are not known now.
    lag: Option<i64>,
    /// Partitions with a committed offset.
    partitions: u32,
}

/// A page of groups, by id.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsumerGroupList {
    kind: &'static str,
    metadata: ListMetadata,
    /// Groups of the cluster that are not told of, because the customer's policy or their id does not allow it.
    withheld: u32,
    data: Vec<ConsumerGroup>,
}

/// A member: who it is stays in the data plane.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsumerGroupMember {
    /// Its number in this answer.
    member: u32,
    /// How many partitions it has.
    partitions: u32,
}

/// Where a group is in one partition.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsumerGroupPosition {
    /// The topic.
    topic: TopicId,
    /// Its name.
    topic_name: String,
    /// The partition.
    partition: u32,
    /// The next offset that the group will read; null when it committed none.
    committed_offset: Option<i64>,
    /// Offset of the oldest record that is left; null when not known now.
    log_start_offset: Option<i64>,
    /// Offset after the newest record; null when not known now.
    log_end_offset: Option<i64>,
    /// How many records are to be read; null when not known.
    lag: Option<i64>,
    /// The member that has the partition; null when none has.
    member: Option<u32>,
}

/// A group from near.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsumerGroupDetail {
    #[serde(flatten)]
    group: ConsumerGroup,
    /// Its members.
    assignments: Vec<ConsumerGroupMember>,
    /// Where it is, by topic and partition.
    positions: Vec<ConsumerGroupPosition>,
}

/// One partition's offset before and after.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OffsetMove {
    /// The topic.
    topic: TopicId,
    /// Its name.
    topic_name: String,
    /// The partition.
    partition: u32,
    /// The committed offset before; null when there was none.
    from: Option<i64>,
    /// The committed offset after; null when there is none.
    to: Option<i64>,
}

/// What a reset did.
#[derive(Debug, Serialize, ToSchema)]
pub struct OffsetResetDone {
    kind: &'static str,
    cluster: ClusterId,
    group: String,
    /// Every partition that was meant, also those that were there already.
    moves: Vec<OffsetMove>,
}

fn known(number: i64) -> Option<i64> {
    (number >= 0).then_some(number)
}

fn topic(id: &str, names: &TopicNames) -> Option<(TopicId, String)> {
    let id: Id<kind::Topic> = id.parse().ok()?;
    Some((id, names.get(&id)?.clone()))
}

fn group(cluster: ClusterId, summary: wire::GroupSummary) -> ConsumerGroup {
    let (group_type, state) = (summary.kind(), summary.state());
    let wire::GroupSummary {
        group_id,
        kind: _,
        state: _,
        members,
        lag,
        partitions,
    } = summary;
    ConsumerGroup {
        kind: "ConsumerGroup",
        cluster,
        group: group_id,
        group_type: match group_type {
            wire::GroupType::Classic => ConsumerGroupType::Classic,
            wire::GroupType::Consumer => ConsumerGroupType::Consumer,
            wire::GroupType::Unspecified => ConsumerGroupType::Unknown,
        },
        state: match state {
            wire::GroupState::Empty => ConsumerGroupState::Empty,
            wire::GroupState::Stable => ConsumerGroupState::Stable,
            wire::GroupState::Rebalancing => ConsumerGroupState::Rebalancing,
            wire::GroupState::Dead => ConsumerGroupState::Dead,
            wire::GroupState::Unspecified => ConsumerGroupState::Unknown,
        },
        members,
        lag: known(lag),
        partitions,
    }
}

/// A page; `token` makes the token of what follows a group.
pub fn page(
    cluster: ClusterId,
    answer: wire::GroupsAnswer,
    token: impl Fn(&str) -> String,
) -> ConsumerGroupList {
    let wire::GroupsAnswer {
        groups,
        more,
        withheld,
    } = answer;
    let last = groups.last().filter(|_it| more).map(|it| token(&it.group_id));
    ConsumerGroupList {
        kind: "ConsumerGroupList",
        metadata: ListMetadata {
            next_page_token: last,
        },
        withheld,
        data: groups.into_iter().map(|it| group(cluster, it)).collect(),
    }
}

/// One group.
pub fn detail(cluster: ClusterId, answer: wire::GroupAnswer, names: &TopicNames) -> ConsumerGroupDetail {
    let wire::GroupAnswer {
        summary,
        members,
        positions,
    } = answer;
    let positions = positions.into_iter().filter_map(|it| {
        let wire::GroupPosition {
            topic_id,
            partition,
            committed_offset,
            log_start_offset,
            log_end_offset,
            member,
        } = it;
        let (topic, topic_name) = topic(&topic_id, names)?;
        let (committed, end) = (known(committed_offset), known(log_end_offset));
        Some(ConsumerGroupPosition {
            topic,
            topic_name,
            partition,
            committed_offset: committed,
            log_start_offset: known(log_start_offset),
            log_end_offset: end,
            lag: committed
                .zip(end)
                .map(|(committed, end)| end.saturating_sub(committed).max(0)),
            member: (member > 0).then_some(member),
        })
    });
    let mut positions: Vec<_> = positions.collect();
    positions.sort_by(|a, b| (&a.topic_name, a.partition).cmp(&(&b.topic_name, b.partition)));
    ConsumerGroupDetail {
        group: group(cluster, summary.unwrap_or_default()),
        assignments: members
            .into_iter()
            .map(|wire::GroupMember { member, partitions }| ConsumerGroupMember { member, partitions })
            .collect(),
        positions,
    }
}

/// The moves of a reset or a deletion.
pub fn moves(answer: wire::GroupMovesAnswer, names: &TopicNames) -> Vec<OffsetMove> {
    let moves = answer.moves.into_iter().filter_map(|it| {
        let wire::GroupMove {
            topic_id,
            partition,
            from_offset,
            to_offset,
        } = it;
        let (topic, topic_name) = topic(&topic_id, names)?;
        Some(OffsetMove {
            topic,
            topic_name,
            partition,
            from: known(from_offset),
            to: known(to_offset),
        })
    });
    let mut moves: Vec<_> = moves.collect();
    moves.sort_by(|a, b| (&a.topic_name, a.partition).cmp(&(&b.topic_name, b.partition)));
    moves
}

/// The answer of a reset.
pub fn done(cluster: ClusterId, group: &str, moves: Vec<OffsetMove>) -> OffsetResetDone {
    OffsetResetDone {
        kind: "OffsetReset",
        cluster,
        group: group.to_owned(),
        moves,
    }
}

/// A group's offsets on one side of the moves, as plans and audit events show them.
pub fn offsets(
    group: &str,
    moves: &[OffsetMove],
    side: impl Fn(&OffsetMove) -> Option<i64>,
) -> serde_json::Value {
    let offsets: Vec<_> = moves
        .iter()
        .map(|it| {
            serde_json::json!({
                "topic": it.topic, "topic_name": it.topic_name, "partition": it.partition, "offset": side(it),
            })
        })
        .collect();
    serde_json::json!({"group": group, "offsets": offsets})
}

impl OffsetMove {
    /// Before.
    pub const fn from(&self) -> Option<i64> {
        self.from
    }
    /// After.
    pub const fn to(&self) -> Option<i64> {
        self.to
    }
}
