//! Transactions: under prefixed ids, on permitted topics and groups.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestTopic;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    DescribeTransactionsRequest, DescribeTransactionsResponse, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse, ListTransactionsRequest, TransactionalId,
    TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};

use super::{Call, Operation, Plan, Refusal, code, split_topics, topics_in};

impl Call<'_> {
    /// Maps a transactional id; false when the principal may not use it.
    fn transaction(self, operation: Operation, id: &mut TransactionalId) -> bool {
        let allowed = self.tenant.may_coordinate(operation, id);
        if allowed {
            *id = self.tenant.cluster.id_out(id).into();
        }
        allowed
    }
}

pub(super) fn init_producer_id(call: Call<'_>, mut request: InitProducerIdRequest) -> Result<Plan, Refusal> {
    let refusal =
        match &mut request.transactional_id {
            Some(id) => (!call.transaction(Operation::Write, id))
                .then_some(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
            None => (!call.tenant.access.may_anywhere(Operation::Write))
                .then_some(code::CLUSTER_AUTHORIZATION_FAILED),
        };
    if let Some(code) = refusal {
        let response = InitProducerIdResponse::default()
            .with_error_code(code)
            .with_producer_id((-1).into());
        return call.answer::<InitProducerIdRequest>(&response);
    }
    call.forward(&request, |_tenant, _memory, _response| {})
}

pub(super) fn add_partitions(
    call: Call<'_>,
    mut request: AddPartitionsToTxnRequest,
) -> Result<Plan, Refusal> {
    let results = |topics: Vec<(AddPartitionsToTxnTopic, i16)>| {
        let results = topics.into_iter().map(|(topic, code)| {
            let partitions = topic.partitions.iter().map(|index| {
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(*index)
                    .with_partition_error_code(code)
            });
            AddPartitionsToTxnTopicResult::default()
                .with_name(topic.name)
                .with_results_by_partition(partitions.collect())
        });
        let response =
            AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results.collect());
        call.answer::<AddPartitionsToTxnRequest>(&response)
    };
    let topics = &mut request.v3_and_below_topics;
    if !call.transaction(Operation::Write, &mut request.v3_and_below_transactional_id) {
        let refused = topics.drain(..);
        return results(
            refused
                .map(|it| (it, code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED))
                .collect(),
        );
    }
    let asked = topics.clone();
    let denied = split_topics(call.tenant, Operation::Write, topics, |it| &mut it.name);
    if !denied.is_empty() {
        // All or nothing, as in Kafka: the permitted ones are not attempted.
        let of = |name| denied.iter().find(|(topic, _code)| topic.name == name);
        let each = asked.into_iter().map(|it| {
            let code = of(it.name.clone()).map_or(code::OPERATION_NOT_ATTEMPTED, |(_topic, code)| *code);
            (it, code)
        });
        return results(each.collect());
    }
    call.forward(&request, |tenant, _memory, response| {
        topics_in(tenant, &mut response.results_by_topic_v3_and_below, |it| {
            &mut it.name
        });
    })
}

pub(super) fn add_offsets(call: Call<'_>, mut request: AddOffsetsToTxnRequest) -> Result<Plan, Refusal> {
    let refuse = |code| {
        let response = AddOffsetsToTxnResponse::default().with_error_code(code);
        call.answer::<AddOffsetsToTxnRequest>(&response)
    };
    if !call.transaction(Operation::Write, &mut request.transactional_id) {
        return refuse(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    if !call.tenant.may_coordinate(Operation::Read, &request.group_id) {
        return refuse(code::GROUP_AUTHORIZATION_FAILED);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    call.forward(&request, |_tenant, _memory, _response| {})
}

pub(super) fn end(call: Call<'_>, mut request: EndTxnRequest) -> Result<Plan, Refusal> {
    if !call.transaction(Operation::Write, &mut request.transactional_id) {
        let response = EndTxnResponse::default().with_error_code(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
        return call.answer::<EndTxnRequest>(&response);
    }
    call.forward(&request, |_tenant, _memory, _response| {})
}

pub(super) fn offset_commit(call: Call<'_>, mut request: TxnOffsetCommitRequest) -> Result<Plan, Refusal> {
    let refusal = if !call.transaction(Operation::Write, &mut request.transactional_id) {
        Some(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    } else if !call.tenant.may_coordinate(Operation::Read, &request.group_id) {
        Some(code::GROUP_AUTHORIZATION_FAILED)
    } else {
        None
    };
    if let Some(code) = refusal {
        let topics = request.topics.into_iter().map(|it| not_committed(it, code));
        let response = TxnOffsetCommitResponse::default().with_topics(topics.collect());
        return call.answer::<TxnOffsetCommitRequest>(&response);
    }
    request.group_id = call.tenant.cluster.id_out(&request.group_id).into();
    let denied = split_topics(call.tenant, Operation::Read, &mut request.topics, |it| {
        &mut it.name
    });
    call.forward(&request, move |tenant, _memory, response| {
        topics_in(tenant, &mut response.topics, |it| &mut it.name);
        let denied = denied.into_iter().map(|(topic, code)| not_committed(topic, code));
        response.topics.extend(denied);
    })
}

fn not_committed(topic: TxnOffsetCommitRequestTopic, code: i16) -> TxnOffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().map(|it| {
        TxnOffsetCommitResponsePartition::default()
            .with_partition_index(it.partition_index)
            .with_error_code(code)
    });
    TxnOffsetCommitResponseTopic::default()
        .with_name(topic.name)
        .with_partitions(partitions.collect())
}

pub(super) fn describe(call: Call<'_>, mut request: DescribeTransactionsRequest) -> Result<Plan, Refusal> {
    let mut refused = Vec::new();
    request.transactional_ids.retain_mut(|id| {
        let allowed = call.transaction(Operation::Describe, id);
        if !allowed {
            refused.push(
                TransactionState::default()
                    .with_transactional_id(id.clone())
                    .with_error_code(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
            );
        }
        allowed
    });
    if request.transactional_ids.is_empty() {
        let response = DescribeTransactionsResponse::default().with_transaction_states(refused);
        return call.answer::<DescribeTransactionsRequest>(&response);
    }
    call.forward(&request, move |tenant, _memory, response| {
        response.transaction_states.retain_mut(|it| {
            let Some(logical) = tenant.cluster.id_in(&it.transactional_id) else {
                return false;
            };
            it.transactional_id = logical.into();
            topics_in(tenant, &mut it.topics, |topic| &mut topic.topic);
            true
        });
        response.transaction_states.append(&mut refused);
    })
}

pub(super) fn list(call: Call<'_>, request: &ListTransactionsRequest) -> Result<Plan, Refusal> {
    call.forward(request, |tenant, _memory, response| {
        response.transaction_states.retain_mut(|it| {
            let logical = tenant.cluster.id_in(&it.transactional_id);
            match logical.filter(|id| tenant.may_coordinate(Operation::Describe, id)) {
                Some(logical) => {
                    it.transactional_id = logical.into();
                    true
                }
                None => false,
            }
        });
    })
}
