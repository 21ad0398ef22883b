//! Offsets of topics and of groups.

use kafka_protocol::messages::describe_producers_response::{PartitionResponse, TopicResponse};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    BrokerId, DescribeProducersRequest, ListOffsetsRequest, OffsetCommitRequest, OffsetCommitResponse,
    OffsetFetchRequest, OffsetFetchResponse, OffsetForLeaderEpochRequest,
};

use super::{Call, Operation, Plan, Refusal, Tenant, code, split_topics, topics_in};

/// Consumers are no replicas: a broker shows replicas what is not committed yet.
const NO_REPLICA: BrokerId = BrokerId(-1);

pub(super) fn list(call: Call<'_>, mut request: ListOffsetsRequest) -> Result<Plan, Refusal> {
    request.replica_id = NO_REPLICA;
    let denied = split_topics(call.tenant, Operation::Describe, &mut request.topics, |it| {
        &mut it.name
    });
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        response.topics.extend(denied.into_iter().map(|(topic, code)| {
            let partitions = topic.partitions.iter().map(|it| {
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(it.partition_index)
                    .with_error_code(code)
            });
            ListOffsetsTopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions.collect())
        }));
    })
}

pub(super) fn for_leader_epoch(
    call: Call<'_>,
    mut request: OffsetForLeaderEpochRequest,
) -> Result<Plan, Refusal> {
    request.replica_id = NO_REPLICA;
    let denied = split_topics(call.tenant, Operation::Describe, &mut request.topics, |it| {
        &mut it.topic
    });
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.topic);
        response.topics.extend(denied.into_iter().map(|(topic, code)| {
            let partitions = topic.partitions.iter().map(|it| {
                EpochEndOffset::default()
                    .with_partition(it.partition)
                    .with_error_code(code)
            });
            OffsetForLeaderTopicResult::default()
                .with_topic(topic.topic)
                .with_partitions(partitions.collect())
        }));
    })
}

pub(super) fn describe_producers(
    call: Call<'_>,
    mut request: DescribeProducersRequest,
) -> Result<Plan, Refusal> {
    let mut denied = split_topics(call.tenant, Operation::Read, &mut request.topics, |it| {
        &mut it.name
    });
    // Who writes what is shared is its owner's business. By now they have the broker's names.
    let shared = request.topics.extract_if(.., |it| {
        let topic = call.tenant.cluster.by_physical_name(&it.name);
        let mount = topic.filter(|topic| topic.mount.is_some());
        mount
            .inspect(|topic| it.name = topic.name.clone().into())
            .is_some()
    });
    denied.extend(shared.map(|it| (it, code::TOPIC_AUTHORIZATION_FAILED)));
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        for partition in response.topics.iter_mut().flat_map(|it| &mut it.partitions) {
            tenant.text_in(&mut partition.error_message);
        }
        response.topics.extend(denied.into_iter().map(|(topic, code)| {
            let partitions = topic.partition_indexes.iter().map(|index| {
                PartitionResponse::default()
                    .with_partition_index(*index)
                    .with_error_code(code)
            });
            TopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions.collect())
        }));
    })
}

pub(super) fn commit(call: Call<'_>, mut request: OffsetCommitRequest) -> Result<Plan, Refusal> {
    let group = &mut request.group_id;
    if !call.tenant.may_coordinate(Operation::Read, group) {
        let topics = request
            .topics
            .into_iter()
            .map(|it| not_committed(it, code::GROUP_AUTHORIZATION_FAILED));
        let response = OffsetCommitResponse::default().with_topics(topics.collect());
        return call.answer::<OffsetCommitRequest>(&response);
    }
    *group = call.tenant.cluster.id_out(group).into();
    let denied = split_topics(call.tenant, Operation::Read, &mut request.topics, |it| {
        &mut it.name
    });
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        let denied = denied.into_iter().map(|(topic, code)| not_committed(topic, code));
        response.topics.extend(denied);
    })
}

fn not_committed(topic: OffsetCommitRequestTopic, code: i16) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().map(|it| {
        OffsetCommitResponsePartition::default()
            .with_partition_index(it.partition_index)
            .with_error_code(code)
    });
    OffsetCommitResponseTopic::default()
        .with_name(topic.name)
        .with_partitions(partitions.collect())
}

/// From this version on a request names several groups.
const MANY_GROUPS: i16 = 8;

pub(super) fn fetch(call: Call<'_>, request: OffsetFetchRequest) -> Result<Plan, Refusal> {
    if call.header.version >= MANY_GROUPS {
        fetch_many(call, request)
    } else {
        fetch_one(call, request)
    }
}

fn fetch_one(call: Call<'_>, mut request: OffsetFetchRequest) -> Result<Plan, Refusal> {
    if !call.tenant.may_coordinate(Operation::Describe, &request.group_id) {
        let code = code::GROUP_AUTHORIZATION_FAILED;
        let topics = request.topics.unwrap_or_default().into_iter();
        let topics = topics.map(|it| not_fetched(it.name, &it.partition_indexes, code));
        // Version 1 has no room for the group's own error.
        let group_code = if call.header.version >= 2 {
            code
        } else {
            code::NONE
        };
        let response = OffsetFetchResponse::default()
            .with_error_code(group_code)
            .with_topics(topics.collect());
        return call.answer::<OffsetFetchRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    let denied = match &mut request.topics {
        Some(topics) => split_topics(call.tenant, Operation::Describe, topics, |it| &mut it.name),
        None => Vec::new(),
    };
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        let denied = denied
            .into_iter()
            .map(|(it, code)| not_fetched(it.name, &it.partition_indexes, code));
        response.topics.extend(denied);
    })
}

fn not_fetched(
    name: kafka_protocol::messages::TopicName,
    partitions: &[i32],
    code: i16,
) -> OffsetFetchResponseTopic {
    let partitions = partitions.iter().map(|index| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(*index)
            .with_committed_offset(-1)
            .with_error_code(code)
    });
    OffsetFetchResponseTopic::default()
        .with_name(name)
        .with_partitions(partitions.collect())
}

fn fetch_many(call: Call<'_>, mut request: OffsetFetchRequest) -> Result<Plan, Refusal> {
    let mut refused = Vec::new();
    let mut denied = Vec::new();
    request
        .groups
        .retain_mut(|group| match group_out(call.tenant, group) {
            Some(topics) => {
                denied.push((group.group_id.clone(), topics));
                true
            }
            None => {
                refused.push(
                    OffsetFetchResponseGroup::default()
                        .with_group_id(group.group_id.clone())
                        .with_error_code(code::GROUP_AUTHORIZATION_FAILED),
                );
                false
            }
        });
    if request.groups.is_empty() {
        let response = OffsetFetchResponse::default().with_groups(refused);
        return call.answer::<OffsetFetchRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.groups.retain_mut(|group| {
            let Some(logical) = tenant.cluster.id_in(&group.group_id) else {
                return false;
            };
            topics_in(tenant, &mut group.topics, |it| &mut it.name);
            for (_group, topics) in denied.iter_mut().filter(|(id, _topics)| *id == group.group_id) {
                group.topics.append(topics);
            }
            group.group_id = logical.into();
            true
        });
        response.groups.append(&mut refused);
    })
}

/// Maps a group; `None` when it is not allowed. Returns answers for those of its topics that are not.
fn group_out(tenant: &Tenant, group: &mut OffsetFetchRequestGroup) -> Option<Vec<OffsetFetchResponseTopics>> {
    if !tenant.may_coordinate(Operation::Describe, &group.group_id) {
        return None;
    }
    group.group_id = tenant.cluster.id_out(&group.group_id).into();
    let Some(topics) = &mut group.topics else {
        return Some(Vec::new());
    };
    let denied = split_topics(tenant, Operation::Describe, topics, |it| &mut it.name);
    Some(
        denied
            .into_iter()
            .map(|(topic, code)| {
                let partitions = topic.partition_indexes.iter().map(|index| {
                    OffsetFetchResponsePartitions::default()
                        .with_partition_index(*index)
                        .with_committed_offset(-1)
                        .with_error_code(code)
                });
                OffsetFetchResponseTopics::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            })
            .collect(),
    )
}
