//! Produce: by name up to version 12, by topic id from 13. Record batches pass as they are, but where contracts or encryption say otherwise.

use std::sync::Arc;

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::pieces::produce_request;

use super::{Call, Memory, Operation, Plan, Refusal, Tenant, code, enforce};
use crate::gateway::contract::Part;
use crate::gateway::meter::batch::{self, Batch};
use crate::gateway::meter::{Fate, Outgoing};
use crate::gateway::view::Topic;

/// From this version on topics go by id.
pub(super) const BY_ID: i16 = 13;

pub(super) fn produce(
    call: Call<'_>,
    memory: &mut Memory,
    mut request: ProduceRequest,
) -> Result<Plan, Refusal> {
    memory.produced_bytes = bytes_of(&request);
    let sorted = match full(call, memory.produced_bytes) {
        None => sort(call, &mut request),
        Some(limit) => refuse_all(call, &mut request, limit),
    };
    if sorted.judged.is_empty() {
        return pass(call, &request, sorted);
    }
    enforce::judge(call, request, sorted)
}

/// Plans what passes.
pub(super) fn pass(call: Call<'_>, request: &ProduceRequest, mut sorted: Sorted) -> Result<Plan, Refusal> {
    if request.acks == 0 {
        return silent(call, request, &sorted);
    }
    if request.topic_data.is_empty() {
        let response = ProduceResponse::default().with_responses(sorted.refused);
        return call.answer::<ProduceRequest>(&response);
    }
    // Noted before the request can reach the broker.
    let ticket = call.tenant.meter.intend(&call.tenant.payer, &sorted.batches);
    let batches = std::mem::take(&mut sorted.batches);
    let by_id = call.header.version >= BY_ID;
    let frame = produce_request(call.header, request)?;
    let answered = move |tenant: &Tenant, _memory: &mut Memory, response: &mut ProduceResponse| {
        ticket.settle(&fates(&batches, &sorted.topics, response, by_id));
        inwards(tenant, response, &sorted.topics, by_id);
        response.responses.append(&mut sorted.refused);
    };
    Ok(call.send::<ProduceRequest, _>(call.header.version, frame, answered))
}

fn silent(call: Call<'_>, request: &ProduceRequest, sorted: &Sorted) -> Result<Plan, Refusal> {
    if let Some(refused) = sorted
        .refused
        .iter()
        .flat_map(|it| &it.partition_responses)
        .next()
    {
        return Err(Refusal::Unacknowledged(refused.error_code));
    }
    let frame = produce_request(call.header, request)?;
    call.tenant.meter.forwarded(&call.tenant.payer, &sorted.batches);
    Ok(Plan::Silent(frame))
}

/// All that was sent, whether it may pass or not: it came over the wire.
fn bytes_of(request: &ProduceRequest) -> u64 {
    let partitions = request.topic_data.iter().flat_map(|it| &it.partition_data);
    partitions
        .map(|it| it.records.as_ref().map_or(0, |records| records.len() as u64))
        .sum()
}

/// The limit of the cluster's storage, when it is used up.
fn full(call: Call<'_>, bytes: u64) -> Option<u64> {
    let tenant = call.tenant;
    if tenant.toll.is_free() || bytes == 0 {
        return None;
    }
    tenant.toll.store(tenant.quotas.now(), bytes).err()
}

/// Nothing passes: what the principal may write to is refused for the storage, the rest as ever. POLICY_VIOLATION is not
/// tried again by clients, so that their senders learn of it at once; nothing was written.
fn refuse_all(call: Call<'_>, request: &mut ProduceRequest, limit: u64) -> Sorted {
    let mut sorted = sort(call, request);
    let text = format!(
        "The cluster may hold {limit} bytes and does: delete topics or records, shorten their retention, or raise the quota."
    );
    let text = StrBytes::from_string(text);
    for (mut data, topic) in request.topic_data.drain(..).zip(&sorted.topics) {
        // Under the name or id that the client used.
        if call.header.version >= BY_ID {
            data.topic_id = topic.virtual_id;
        } else {
            data.name = topic.name.clone().into();
        }
        let mut refused = refusals(&data);
        for partition in &data.partition_data {
            refused.push(partition, code::POLICY_VIOLATION);
        }
        for answer in &mut refused.0.partition_responses {
            answer.error_message = Some(text.clone());
        }
        sorted.refused.extend(refused.finish());
    }
    sorted.batches.clear();
    sorted.judged.clear();
    sorted.topics.clear();
    sorted
}

/// What passes (mapped, left in the request) and what does not.
pub(super) struct Sorted {
    pub(super) topics: Vec<Arc<Topic>>,
    pub(super) batches: Vec<Outgoing>,
    pub(super) refused: Vec<TopicProduceResponse>,
    /// What is to be judged or encrypted of what passes.
    pub(super) judged: Vec<Part>,
}

fn sort(call: Call<'_>, request: &mut ProduceRequest) -> Sorted {
    let tenant = call.tenant;
    let mut sorted = Sorted {
        topics: Vec::new(),
        batches: Vec::new(),
        refused: Vec::new(),
        judged: Vec::new(),
    };
    let transaction = request
        .transactional_id
        .as_ref()
        .map(|id| tenant.may_coordinate(Operation::Write, id));
    if let Some(id) = &mut request.transactional_id {
        *id = tenant.cluster.id_out(id).into();
    }
    let mut passed = Vec::with_capacity(request.topic_data.len());
    for mut data in request.topic_data.drain(..) {
        let found = addressed(call, &data);
        let mut refused = refusals(&data);
        match found {
            Err(code) => data
                .partition_data
                .drain(..)
                .for_each(|it| refused.push(&it, code)),
            Ok(topic) => data
                .partition_data
                .retain(|partition| match admit(partition, transaction) {
                    Ok(batches) => {
                        sorted.batches.extend(batches.into_iter().map(|batch| Outgoing {
                            topic: Arc::clone(&topic.id),
                            partition: partition.index,
                            batch,
                        }));
                        true
                    }
                    Err(code) => {
                        refused.push(partition, code);
                        false
                    }
                }),
        }
        sorted.refused.extend(refused.finish());
        if let (Ok(topic), false) = (found, data.partition_data.is_empty()) {
            if call.header.version >= BY_ID {
                data.topic_id = topic.physical_id;
            } else {
                data.name = topic.physical_name.clone().into();
            }
            if topic.contract.is_some() || topic.encrypts() {
                sorted.judged.extend(enforce::parts(topic, passed.len(), &data));
            }
            sorted.topics.push(Arc::clone(topic));
            passed.push(data);
        }
    }
    request.topic_data = passed;
    sorted
}

/// The topic that a client names, if it may write to it.
fn addressed<'t>(call: Call<'t>, data: &TopicProduceData) -> Result<&'t Arc<Topic>, i16> {
    if call.header.version < BY_ID {
        return call.tenant.topic(Operation::Write, &data.name);
    }
    let topic = call.tenant.topic_by_id(Operation::Write, data.topic_id)?;
    // A topic whose physical id is not known yet cannot be addressed by id.
    if topic.physical_id.is_nil() {
        return Err(code::UNKNOWN_TOPIC_ID);
    }
    Ok(topic)
}

/// The batches of a partition, or why they may not pass.
fn admit(partition: &PartitionProduceData, transaction: Option<bool>) -> Result<Vec<Batch>, i16> {
    let records = partition.records.as_deref().unwrap_or_default();
    let batches = batch::produced(records).map_err(|_broken| code::CORRUPT_MESSAGE)?;
    let transactional = batches.iter().any(|it| it.transactional);
    match transaction {
        Some(false) => Err(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        None if transactional => Err(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        _allowed => Ok(batches),
    }
}

/// The refused partitions of one topic, under the name or id that the client used.
struct Refusals(TopicProduceResponse);

fn refusals(data: &TopicProduceData) -> Refusals {
    Refusals(
        TopicProduceResponse::default()
            .with_name(data.name.clone())
            .with_topic_id(data.topic_id),
    )
}

impl Refusals {
    fn push(&mut self, partition: &PartitionProduceData, code: i16) {
        self.0.partition_responses.push(
            PartitionProduceResponse::default()
                .with_index(partition.index)
                .with_error_code(code)
                .with_base_offset(-1),
        );
    }

    fn finish(self) -> Option<TopicProduceResponse> {
        (!self.0.partition_responses.is_empty()).then_some(self.0)
    }
}

/// What became of each batch. One that the broker already had is acknowledged too; the meter knows whether it counted.
fn fates(batches: &[Outgoing], topics: &[Arc<Topic>], response: &ProduceResponse, by_id: bool) -> Vec<Fate> {
    let acknowledged = |batch: &Outgoing| {
        let topic = topics.iter().find(|it| it.id == batch.topic)?;
        let answered = response.responses.iter().find(|it| {
            if by_id {
                it.topic_id == topic.physical_id
            } else {
                *it.name == topic.physical_name
            }
        })?;
        let partition = answered
            .partition_responses
            .iter()
            .find(|it| it.index == batch.partition)?;
        matches!(partition.error_code, code::NONE | code::DUPLICATE_SEQUENCE_NUMBER).then_some(())
    };
    batches
        .iter()
        .map(|batch| match acknowledged(batch) {
            Some(()) => Fate::Acknowledged,
            None => Fate::Refused,
        })
        .collect()
}

/// Maps by the topics of the request: what was acknowledged is answered, whatever the snapshot says by now.
fn inwards(tenant: &Tenant, response: &mut ProduceResponse, topics: &[Arc<Topic>], by_id: bool) {
    response.responses.retain_mut(|answered| {
        let topic = topics.iter().find(|it| {
            if by_id {
                it.physical_id == answered.topic_id
            } else {
                it.physical_name == *answered.name
            }
        });
        let Some(topic) = topic else {
            return false;
        };
        if by_id {
            answered.topic_id = topic.virtual_id;
        } else {
            answered.name = topic.name.clone().into();
        }
        for partition in &mut answered.partition_responses {
            tenant.text_in(&mut partition.error_message);
            for record in &mut partition.record_errors {
                tenant.text_in(&mut record.batch_index_error_message);
            }
        }
        true
    });
    for node in &mut response.node_endpoints {
        (node.host, node.port) = tenant.front.address(*node.node_id);
        node.rack = None;
    }
}
