//! A topic that a cluster link writes: read like any other, and written by nobody.

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, FetchRequest, FetchResponse,
    ProduceRequest,
};
use weir_proto::lane::v1::Snapshot;

use super::records::{Metered, data, fetch, fetched, id_of, produce};
use super::*;
use crate::gateway::meter::batch::tests::batch;

/// The administrator's own `orders` is a copy, or is not any more.
fn snapshot(mirror: bool) -> Snapshot {
    let mut snapshot = sample::snapshot();
    for topic in &mut snapshot.clusters[1].topics {
        topic.mirror = mirror && topic.name == "orders";
    }
    snapshot
}

#[test]
fn a_copy_is_read_and_neither_written_nor_administered_until_it_is_none_any_more() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&snapshot(true), "key_other");
    let operations = tenant.topic_operations(tenant.cluster.by_name("orders").unwrap());
    assert_eq!(
        (operations & 1 << 3, operations & 1 << 4),
        (1 << 3, 0),
        "READ, no WRITE"
    );
    let mut memory = Memory::default();
    for version in [9, 13] {
        let request = produce(vec![data("orders", id_of(&tenant, "orders"), batch(1, None, 0))]);
        let refused = ask::<ProduceRequest>(&tenant, &mut memory, version, &request).answered();
        let code = refused.responses[0].partition_responses[0].error_code;
        assert_eq!(code, code::TOPIC_AUTHORIZATION_FAILED, "{version}");
    }
    let all = DeleteRecordsPartition::default().with_offset(-1);
    let records = DeleteRecordsTopic::default()
        .with_name(text("orders").into())
        .with_partitions(vec![all]);
    let request = DeleteRecordsRequest::default().with_topics(vec![records]);
    let (sent, answer) = ask::<DeleteRecordsRequest>(&tenant, &mut memory, 2, &request).forwarded();
    assert!(sent.topics.is_empty());
    let nothing = DeleteRecordsResponse::default();
    let (read, _reply) = reply::<DeleteRecordsRequest>(&tenant, &mut memory, 2, answer, &nothing);
    let code = read.topics[0].partitions[0].error_code;
    assert_eq!(code, code::TOPIC_AUTHORIZATION_FAILED);
    let doomed = DeleteTopicState::default().with_name(Some(text("orders").into()));
    let request = DeleteTopicsRequest::default().with_topics(vec![doomed]);
    let wishes = match ask(&tenant, &mut memory, 6, &request) {
        Outcome::Wished(wishes, _finish) => wishes.len(),
        _answered => 0,
    };
    assert_eq!(wishes, 0);

    let request = fetch(&[id_of(&tenant, "orders")], (0, 0));
    let (sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
    let physical = sent.topics[0].topic_id;
    let response = FetchResponse::default().with_responses(vec![fetched(physical, batch(3, None, 9))]);
    let (read, _reply) = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &response);
    assert_eq!(
        read.responses[0].partitions[0].records.as_ref().unwrap().len(),
        70
    );

    let promoted = metered.tenant_by(&snapshot(false), "key_other");
    let request = produce(vec![data(
        "orders",
        id_of(&promoted, "orders"),
        batch(1, None, 0),
    )]);
    let (sent, _answer) = ask::<ProduceRequest>(&promoted, &mut memory, 9, &request).forwarded();
    assert_eq!(sent.topic_data.len(), 1, "written like any other");
}
