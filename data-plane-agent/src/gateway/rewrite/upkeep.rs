//! Upkeep that brokers do themselves: records, groups and offsets are deleted, sizes are told.

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DeleteRecordsRequest, DescribeLogDirsRequest,
    DescribeLogDirsResponse, OffsetDeleteRequest, OffsetDeleteResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Call, Operation, Plan, Refusal, Tenant, code, split_topics, topics_in};

/// The one folder that a logical cluster has; where brokers keep their logs is nobody's business.
const LOG_DIR: &str = "/logical";
/// How large and how full the brokers' disks are, they are told as unknown.
const UNKNOWN_BYTES: i64 = -1;

pub(super) fn delete_records(call: Call<'_>, mut request: DeleteRecordsRequest) -> Result<Plan, Refusal> {
    let banned: Vec<_> = request
        .topics
        .extract_if(.., |it| call.tenant.bans.records(&it.name))
        .collect();
    let mut denied = split_topics(call.tenant, Operation::Administer, &mut request.topics, |it| {
        &mut it.name
    });
    // Who may not do it at all hears that first.
    denied.extend(banned.into_iter().map(|it| {
        let refused = call.tenant.topic(Operation::Administer, &it.name).err();
        (it, refused.unwrap_or(code::POLICY_VIOLATION))
    }));
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        response.topics.extend(denied.into_iter().map(|(topic, code)| {
            let partitions = topic.partitions.iter().map(|it| {
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(it.partition_index)
                    .with_low_watermark(-1)
                    .with_error_code(code)
            });
            DeleteRecordsTopicResult::default()
                .with_name(topic.name)
                .with_partitions(partitions.collect())
        }));
    })
}

pub(super) fn delete_groups(call: Call<'_>, mut request: DeleteGroupsRequest) -> Result<Plan, Refusal> {
    let mut refused = Vec::new();
    request.groups_names.retain_mut(|group| {
        let refusal = if !call.tenant.access.may(Operation::Write, group) {
            Some(code::GROUP_AUTHORIZATION_FAILED)
        } else if call.tenant.bans.group(group) {
            Some(code::POLICY_VIOLATION)
        } else {
            None
        };
        match refusal {
            None => *group = call.tenant.cluster.id_out(group).into(),
            Some(code) => refused.push(
                DeletableGroupResult::default()
                    .with_group_id(group.clone())
                    .with_error_code(code),
            ),
        }
        refusal.is_none()
    });
    if request.groups_names.is_empty() {
        let response = DeleteGroupsResponse::default().with_results(refused);
        return call.answer::<DeleteGroupsRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.results.retain_mut(|it| {
            let Some(logical) = tenant.cluster.id_in(&it.group_id) else {
                return false;
            };
            it.group_id = logical.into();
            true
        });
        response.results.append(&mut refused);
    })
}

pub(super) fn delete_offsets(call: Call<'_>, mut request: OffsetDeleteRequest) -> Result<Plan, Refusal> {
    if !call.tenant.access.may(Operation::Write, &request.group_id) {
        let response = OffsetDeleteResponse::default().with_error_code(code::GROUP_AUTHORIZATION_FAILED);
        return call.answer::<OffsetDeleteRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    let denied = split_topics(call.tenant, Operation::Read, &mut request.topics, |it| {
        &mut it.name
    });
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        // An error of the whole group has no topics beside it.
        if response.error_code != code::NONE {
            return;
        }
        response.topics.extend(denied.into_iter().map(|(topic, code)| {
            let partitions = topic.partitions.iter().map(|it| {
                OffsetDeleteResponsePartition::default()
                    .with_partition_index(it.partition_index)
                    .with_error_code(code)
            });
            OffsetDeleteResponseTopic::default()
                .with_name(topic.name)
                .with_partitions(partitions.collect())
        }));
    })
}

pub(super) fn log_dirs(call: Call<'_>, mut request: DescribeLogDirsRequest) -> Result<Plan, Refusal> {
    if let Some(topics) = &mut request.topics {
        // Refused ones are left out, as Kafka leaves out what a broker does not have.
        let _denied = split_topics(call.tenant, Operation::Describe, topics, |it| &mut it.topic);
        topics.retain(|it| is_held(call.tenant, &it.topic));
        if topics.is_empty() {
            let response = DescribeLogDirsResponse::default().with_results(vec![one_folder(Vec::new())]);
            return call.answer::<DescribeLogDirsRequest>(&response);
        }
    }
    call.forward(&request, |tenant, _memory, response| {
        let folders = std::mem::take(&mut response.results);
        response.results = vec![folders_in(tenant, folders)];
    })
}

/// What is shown of other tenants takes no room here, and how much it takes there is not told.
fn is_held(tenant: &Tenant, physical_name: &str) -> bool {
    let topic = tenant.cluster.by_physical_name(physical_name);
    topic.is_none_or(|it| it.mount.is_none())
}

fn one_folder(results: Vec<DescribeLogDirsResult>) -> DescribeLogDirsResult {
    let topics = results.into_iter().flat_map(|it| it.topics);
    DescribeLogDirsResult::default()
        .with_log_dir(StrBytes::from_static_str(LOG_DIR))
        .with_topics(topics.collect())
        .with_total_bytes(UNKNOWN_BYTES)
        .with_usable_bytes(UNKNOWN_BYTES)
}

/// All folders of the broker as one, with this tenant's topics. Its error is told if no folder is well.
fn folders_in(tenant: &Tenant, mut folders: Vec<DescribeLogDirsResult>) -> DescribeLogDirsResult {
    for folder in &mut folders {
        folder.topics.retain(|it| is_held(tenant, &it.name));
        topics_in(tenant, &mut folder.topics, |it| &mut it.name);
    }
    let failed = folders
        .iter()
        .map(|it| it.error_code)
        .find(|it| *it != code::NONE);
    let well = folders.iter().any(|it| it.error_code == code::NONE);
    let error = if well {
        code::NONE
    } else {
        failed.unwrap_or(code::NONE)
    };
    one_folder(folders).with_error_code(error)
}
