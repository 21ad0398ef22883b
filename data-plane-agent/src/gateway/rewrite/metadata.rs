//! What there is: topics of this cluster that the principal may see, and the gateway's addresses in place of brokers'.

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use kafka_protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse, DescribeTopicPartitionsRequest, MetadataRequest,
};
use uuid::Uuid;

use super::{Call, Operation, Plan, Refusal, Tenant, code};
use crate::gateway::view::Topic;

/// "Not asked for" in Kafka's bit fields of operations.
const NOT_ASKED: i32 = i32::MIN;
/// The bit of "describe", which is all that a tenant may do to its cluster by the Kafka protocol.
const DESCRIBE: i32 = 1 << 8;
/// The first version in which a request can say that no topic is to be created.
const WITHOUT_CREATION: i16 = 4;

fn visible(tenant: &Tenant) -> impl Iterator<Item = &Arc<Topic>> {
    tenant.cluster.topics().iter().filter(|it| tenant.sees(it))
}

pub(super) fn metadata(call: Call<'_>, mut request: MetadataRequest) -> Result<Plan, Refusal> {
    let by_name = |topic: &Arc<Topic>| {
        MetadataRequestTopic::default().with_name(Some(topic.physical_name.clone().into()))
    };
    let mut refused = Vec::new();
    let mut by_id = HashSet::new();
    let all = request.topics.is_none();
    let topics = match request.topics.take() {
        None => visible(call.tenant).map(by_name).collect(),
        Some(asked) => {
            let mut topics = Vec::with_capacity(asked.len());
            for it in asked {
                // The Java client asks by id with an empty name beside it, others with none.
                let name = it.name.filter(|_name| it.topic_id.is_nil());
                let found = match &name {
                    Some(name) => call.tenant.topic(Operation::Describe, name),
                    None => call.tenant.topic_by_id(Operation::Describe, it.topic_id),
                };
                match found {
                    Ok(topic) => {
                        if name.is_none() {
                            by_id.insert(topic.virtual_id);
                        }
                        topics.push(by_name(topic));
                    }
                    Err(code) => refused.push(
                        MetadataResponseTopic::default()
                            .with_error_code(code)
                            // Before version 12 a name cannot be null.
                            .with_name(name.or((call.header.version < 12).then(Default::default)))
                            .with_topic_id(it.topic_id)
                            .with_topic_authorized_operations(NOT_ASKED),
                    ),
                }
            }
            topics
        }
    };
    request.topics = Some(topics);
    request.allow_auto_topic_creation = false;
    let upstream = call.header.version.max(WITHOUT_CREATION);
    call.forward_as(upstream, &request, move |tenant, _memory, response| {
        for broker in &mut response.brokers {
            (broker.host, broker.port) = tenant.front.address(*broker.node_id);
            broker.rack = None;
        }
        response.cluster_id = Some(tenant.cluster.kafka_id.clone());
        if response.cluster_authorized_operations != NOT_ASKED {
            response.cluster_authorized_operations = DESCRIBE;
        }
        // A list of all topics has those that exist: one that Kafka does not have yet, or no longer, was not asked for.
        response
            .topics
            .retain_mut(|it| topic_in(tenant, it, &by_id) && !(all && is_absent(it.error_code)));
        response.topics.append(&mut refused);
    })
}

fn is_absent(error_code: i16) -> bool {
    error_code == code::UNKNOWN_TOPIC_OR_PARTITION
}

/// False for a topic that this tenant must not hear of.
fn topic_in(tenant: &Tenant, answered: &mut MetadataResponseTopic, by_id: &HashSet<Uuid>) -> bool {
    let Some(topic) = answered.name.as_ref().and_then(|name| tenant.shown(name)) else {
        return false;
    };
    answered.name = Some(topic.name.clone().into());
    answered.topic_id = topic.virtual_id;
    answered.is_internal = false;
    if answered.topic_authorized_operations != NOT_ASKED {
        answered.topic_authorized_operations = tenant.topic_operations(topic);
    }
    // The broker was asked by name; a client that asked by id must read its own question.
    if is_absent(answered.error_code) && by_id.contains(&topic.virtual_id) {
        answered.error_code = code::UNKNOWN_TOPIC_ID;
        answered.name = None;
    }
    true
}

pub(super) fn describe_cluster(call: Call<'_>, request: &DescribeClusterRequest) -> Result<Plan, Refusal> {
    const BROKERS: i8 = 1;
    if request.endpoint_type != BROKERS {
        let response = DescribeClusterResponse::default()
            .with_error_code(code::CLUSTER_AUTHORIZATION_FAILED)
            .with_endpoint_type(request.endpoint_type)
            .with_cluster_id(call.tenant.cluster.kafka_id.clone());
        return call.answer::<DescribeClusterRequest>(&response);
    }
    call.forward(request, |tenant, _memory, response| {
        for broker in &mut response.brokers {
            (broker.host, broker.port) = tenant.front.address(*broker.broker_id);
            broker.rack = None;
        }
        response.cluster_id = tenant.cluster.kafka_id.clone();
        tenant.text_in(&mut response.error_message);
        if response.cluster_authorized_operations != NOT_ASKED {
            response.cluster_authorized_operations = DESCRIBE;
        }
    })
}

pub(super) fn describe_partitions(
    call: Call<'_>,
    mut request: DescribeTopicPartitionsRequest,
) -> Result<Plan, Refusal> {
    let tenant = call.tenant;
    let mut refused = Vec::new();
    let physical = |topic: &Arc<Topic>| TopicRequest::default().with_name(topic.physical_name.clone().into());
    let all = request.topics.is_empty();
    if all {
        request.topics = visible(tenant).map(physical).collect();
    } else {
        let asked = std::mem::take(&mut request.topics);
        for it in asked {
            match tenant.topic(Operation::Describe, &it.name) {
                Ok(topic) => request.topics.push(physical(topic)),
                Err(code) => refused.push(
                    DescribeTopicPartitionsResponseTopic::default()
                        .with_error_code(code)
                        .with_name(Some(it.name)),
                ),
            }
        }
    }
    if let Some(cursor) = &mut request.cursor {
        // The next page: what was refused stood on the first.
        refused.clear();
        cursor.topic_name = tenant.cluster.subscription_out(&cursor.topic_name).into();
    }
    if request.topics.is_empty() {
        // The broker would take an empty list for every topic it has.
        let response =
            kafka_protocol::messages::DescribeTopicPartitionsResponse::default().with_topics(refused);
        return call.answer::<DescribeTopicPartitionsRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.topics.retain_mut(|answered| {
            let Some(topic) = answered.name.as_ref().and_then(|name| tenant.shown(name)) else {
                return false;
            };
            answered.name = Some(topic.name.clone().into());
            answered.topic_id = topic.virtual_id;
            answered.is_internal = false;
            answered.topic_authorized_operations = tenant.topic_operations(topic);
            !(all && is_absent(answered.error_code))
        });
        if let Some(cursor) = &mut response.next_cursor {
            cursor.topic_name = tenant.cluster.subscription_in(&cursor.topic_name).into();
        }
        response.topics.append(&mut refused);
    })
}
