//! A job's own groups and transactional ids, which it may use without a grant; and that it may do nothing else.

use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, DeleteGroupsRequest, EndTxnRequest, FindCoordinatorRequest, GroupId,
    HeartbeatRequest, InitProducerIdRequest, JoinGroupRequest, OffsetFetchRequest, ProduceRequest,
    TransactionalId, TxnOffsetCommitRequest,
};
use weir_proto::agent::v1::ApiKey;

use super::*;

const JOB: &str = "job_01j";

/// A job with the rights of `reader`: topic `orders` and groups `g*`, to read.
fn snapshot(job: bool) -> weir_proto::lane::v1::Snapshot {
    let mut snapshot = sample::snapshot();
    snapshot.api_keys.push(ApiKey {
        id: JOB.to_owned(),
        ..snapshot.api_keys[0].clone()
    });
    if job {
        snapshot.job_keys.push(JOB.to_owned());
    }
    snapshot
}

fn worker(job: bool) -> Tenant {
    let folder = tempfile::tempdir().unwrap();
    tenant_of(&snapshot(job), JOB, &shared(folder.path()))
}

/// Which of the uses of a group and transactional id called `id` are refused.
fn refusals(tenant: &Tenant, id: &str) -> Vec<i16> {
    let mut memory = Memory::default();
    let group = || -> GroupId { text(id).into() };
    let transaction = || -> TransactionalId { text(id).into() };
    let codes = [
        ask(
            tenant,
            &mut memory,
            5,
            &JoinGroupRequest::default().with_group_id(group()),
        )
        .refusal(|it| it.error_code),
        ask(
            tenant,
            &mut memory,
            4,
            &HeartbeatRequest::default().with_group_id(group()),
        )
        .refusal(|it| it.error_code),
        ask(
            tenant,
            &mut memory,
            3,
            &FindCoordinatorRequest::default()
                .with_key_type(1)
                .with_key(text(id)),
        )
        .refusal(|it| it.error_code),
        ask(
            tenant,
            &mut memory,
            8,
            &OffsetFetchRequest::default()
                .with_groups(vec![OffsetFetchRequestGroup::default().with_group_id(group())]),
        )
        .refusal(|it| it.groups[0].error_code),
        ask(
            tenant,
            &mut memory,
            4,
            &InitProducerIdRequest::default().with_transactional_id(Some(transaction())),
        )
        .refusal(|it| it.error_code),
        ask(
            tenant,
            &mut memory,
            3,
            &AddOffsetsToTxnRequest::default()
                .with_transactional_id(transaction())
                .with_group_id(group()),
        )
        .refusal(|it| it.error_code),
        ask(
            tenant,
            &mut memory,
            3,
            &EndTxnRequest::default().with_transactional_id(transaction()),
        )
        .refusal(|it| it.error_code),
    ];
    codes.into_iter().flatten().collect()
}

#[test]
fn a_job_uses_its_own_groups_and_transactional_ids_without_a_grant() {
    let worker = worker(true);
    for own in [JOB.to_owned(), format!("{JOB}-0"), format!("{JOB}-")] {
        assert!(refusals(&worker, &own).is_empty(), "{own}");
    }
    let request = InitProducerIdRequest::default().with_transactional_id(Some(text(JOB).into()));
    let (sent, _answer) = ask(&worker, &mut Memory::default(), 4, &request).forwarded();
    assert_eq!(
        sent.transactional_id.unwrap().as_str(),
        prefix(JOB),
        "under the cluster's prefix, as every other id"
    );
}

#[test]
fn ids_of_others_stay_as_they_are_granted() {
    let worker = worker(true);
    for other in ["job_01", "job_01jx", "job_02-0", "g", "x", ""] {
        let all = refusals(&worker, other);
        // `g*` may be read: the four uses of groups and coordinators pass, the three of transactions do not.
        let expected = if other == "g" { 3 } else { 7 };
        assert_eq!(all.len(), expected, "{other}: {all:?}");
    }
}

#[test]
fn a_plain_key_of_the_same_name_has_no_ids_of_its_own() {
    assert_eq!(refusals(&worker(false), JOB).len(), 7);
}

#[test]
fn a_job_may_neither_delete_its_group_nor_write_where_its_principal_may_not() {
    let worker = worker(true);
    let mut memory = Memory::default();
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![text(JOB).into()]);
    let answered = ask(&worker, &mut memory, 2, &delete).answered();
    assert_eq!(answered.results[0].error_code, code::GROUP_AUTHORIZATION_FAILED);

    let plain = InitProducerIdRequest::default().with_transactional_id(None);
    let answered = ask(&worker, &mut memory, 4, &plain).answered();
    assert_eq!(answered.error_code, code::CLUSTER_AUTHORIZATION_FAILED);

    let topic = |name: &str| {
        TopicProduceData::default()
            .with_name(text(name).into())
            .with_partition_data(vec![PartitionProduceData::default()])
    };
    let produce = ProduceRequest::default()
        .with_transactional_id(Some(text(JOB).into()))
        .with_acks(-1)
        .with_topic_data(vec![topic("orders"), topic("secret"), topic(JOB)]);
    let answered = ask(&worker, &mut memory, 9, &produce).answered();
    let codes: Vec<_> = answered
        .responses
        .iter()
        .map(|it| it.partition_responses[0].error_code)
        .collect();
    assert_eq!(codes, [code::TOPIC_AUTHORIZATION_FAILED; 3]);

    let offsets = TxnOffsetCommitRequest::default()
        .with_transactional_id(text(JOB).into())
        .with_group_id(text("other").into());
    let mut with_topic = offsets;
    with_topic.topics.push(
        kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestTopic::default()
            .with_name(text("orders").into())
            .with_partitions(vec![Default::default()]),
    );
    let answered = ask(&worker, &mut memory, 3, &with_topic).answered();
    assert_eq!(
        answered.topics[0].partitions[0].error_code,
        code::GROUP_AUTHORIZATION_FAILED
    );
}
