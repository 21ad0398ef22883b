//! Produce and Fetch: what passes, under which names, and what is counted.

use kafka_protocol::messages::fetch_request::FetchTopic;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, NodeEndpoint, PartitionData};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use weir_proto::agent::v1::UsageRow;

use super::*;
use crate::gateway::meter::batch::tests::batch;

/// A tenant whose meter can be read.
pub(super) struct Metered {
    folder: tempfile::TempDir,
    shared: Shared,
}

impl Metered {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = shared(folder.path());
        Self { folder, shared }
    }

    pub(super) fn tenant(&self, key: &str) -> Tenant {
        self.tenant_by(&sample::snapshot(), key)
    }

    pub(super) fn tenant_by(&self, snapshot: &weir_proto::lane::v1::Snapshot, key: &str) -> Tenant {
        tenant_of(snapshot, key, &self.shared)
    }

    pub(super) fn tenant_in(&self, view: &View, key: &str) -> Tenant {
        Tenant::new(view, &view.keys[key], &self.shared).unwrap()
    }

    /// (topic id, principal, bytes, records, uncertain).
    pub(super) fn rows(&self) -> Vec<(String, String, u64, u64, bool)> {
        assert!(self.folder.path().exists());
        self.shared.meter.close_window().unwrap();
        let windows = self.shared.meter.unacknowledged(10).unwrap();
        let row = |it: &UsageRow| {
            (
                it.topic_id.clone(),
                it.principal_id.clone(),
                it.bytes,
                it.records,
                it.uncertain,
            )
        };
        windows.iter().flat_map(|it| it.rows.iter().map(row)).collect()
    }
}

pub(super) fn id_of(tenant: &Tenant, name: &str) -> Uuid {
    tenant.cluster.by_name(name).unwrap().virtual_id
}

pub(super) fn data(name: &str, id: Uuid, records: Vec<u8>) -> TopicProduceData {
    let partition = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(records.into()));
    TopicProduceData::default()
        .with_name(text(name).into())
        .with_topic_id(id)
        .with_partition_data(vec![partition])
}

pub(super) fn produce(topics: Vec<TopicProduceData>) -> ProduceRequest {
    ProduceRequest::default().with_acks(-1).with_topic_data(topics)
}

pub(super) fn produced(name: &str, id: Uuid, code: i16) -> TopicProduceResponse {
    let partition = PartitionProduceResponse::default().with_error_code(code);
    TopicProduceResponse::default()
        .with_name(text(name).into())
        .with_topic_id(id)
        .with_partition_responses(vec![partition])
}

#[test]
fn by_id_virtual_ids_become_physical_ones_and_what_is_acknowledged_counts() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_writer"), Memory::default());
    let records = batch(3, None, 100);
    let request = produce(vec![data("", id_of(&tenant, "orders"), records.clone())]);
    let (sent, answer) = ask(&tenant, &mut memory, 13, &request).forwarded();
    assert_eq!(sent.topic_data[0].topic_id, sample::physical_id(1));
    assert_eq!(
        sent.topic_data[0].partition_data[0].records.as_deref(),
        Some(&records[..])
    );
    let response = ProduceResponse::default().with_responses(vec![produced("", sample::physical_id(1), 0)]);
    let (read, _reply) = reply::<ProduceRequest>(&tenant, &mut memory, 13, answer, &response);
    assert_eq!(read.responses[0].topic_id, id_of(&tenant, "orders"));
    assert_eq!(
        metered.rows(),
        [(sample::topic_id(1), "writer".to_owned(), 161, 3, false)]
    );
}

#[test]
fn a_partly_refused_request_forwards_the_rest_and_merges_the_answers() {
    let metered = Metered::new();
    let mut snapshot = sample::snapshot();
    snapshot.grants[2].pattern = "pay*".to_owned();
    let (tenant, mut memory) = (
        tenant_of(&snapshot, "key_writer", &metered.shared),
        Memory::default(),
    );
    let topics = ["orders", "payments", "payday"].map(|it| data(it, Uuid::nil(), batch(1, None, 0)));
    let (sent, answer) = ask(&tenant, &mut memory, 9, &produce(topics.to_vec())).forwarded();
    assert_eq!(sent.topic_data.len(), 1);
    assert_eq!(sent.topic_data[0].name.as_str(), prefix("payments"));
    let response =
        ProduceResponse::default().with_responses(vec![produced(&prefix("payments"), Uuid::nil(), 0)]);
    let (read, _reply) = reply::<ProduceRequest>(&tenant, &mut memory, 9, answer, &response);
    let seen: Vec<_> = read
        .responses
        .iter()
        .map(|it| (it.name.as_str(), it.partition_responses[0].error_code))
        .collect();
    assert_eq!(
        seen,
        [
            ("payments", 0),
            ("orders", code::TOPIC_AUTHORIZATION_FAILED),
            ("payday", code::UNKNOWN_TOPIC_OR_PARTITION)
        ]
    );
    assert_eq!(metered.rows().len(), 1);
}

#[test]
fn readers_produce_nothing_and_foreign_ids_are_unknown() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let own = produce(vec![data("", id_of(&tenant, "orders"), batch(1, None, 0))]);
    let answered = ask(&tenant, &mut memory, 13, &own).answered();
    let code_of = |it: &ProduceResponse| it.responses[0].partition_responses[0].error_code;
    assert_eq!(code_of(&answered), code::TOPIC_AUTHORIZATION_FAILED);
    let writer = metered.tenant("key_writer");
    let foreign = id_of(&metered.tenant("key_other"), "orders");
    for id in [
        foreign,
        sample::physical_id(1),
        sample::physical_id(4),
        Uuid::nil(),
    ] {
        let request = produce(vec![data("", id, batch(1, None, 0))]);
        let answered = ask(&writer, &mut memory, 13, &request).answered();
        assert_eq!(code_of(&answered), code::UNKNOWN_TOPIC_ID);
    }
    let request = produce(vec![data(&prefix("orders"), Uuid::nil(), batch(1, None, 0))]);
    let answered = ask(&writer, &mut memory, 9, &request).answered();
    assert_eq!(code_of(&answered), code::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(metered.rows().is_empty());
}

#[test]
fn refused_batches_do_not_count_and_duplicates_count_once() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_writer"), Memory::default());
    let not_leader = 6;
    let attempts = [
        (0, not_leader),
        (0, 0),
        (0, 0),
        (0, code::DUPLICATE_SEQUENCE_NUMBER),
        (5, code::DUPLICATE_SEQUENCE_NUMBER),
    ];
    for (sequence, answer_code) in attempts {
        let records = batch(2, Some((9, 0, sequence)), 10);
        let request = produce(vec![data("orders", Uuid::nil(), records)]);
        let (_sent, answer) = ask(&tenant, &mut memory, 9, &request).forwarded();
        let response = ProduceResponse::default().with_responses(vec![produced(
            &prefix("orders"),
            Uuid::nil(),
            answer_code,
        )]);
        reply::<ProduceRequest>(&tenant, &mut memory, 9, answer, &response);
    }
    let rows = metered.rows();
    assert_eq!(rows, [(sample::topic_id(1), "writer".to_owned(), 142, 4, false)]);
}

#[test]
fn transactional_batches_need_their_id() {
    let metered = Metered::new();
    let mut memory = Memory::default();
    let mut records = batch(1, Some((1, 0, 0)), 0);
    records[22] |= 0x10;
    let tenant = metered.tenant("key_writer");
    let smuggled = produce(vec![data("orders", Uuid::nil(), records.clone())]);
    let answered = ask(&tenant, &mut memory, 9, &smuggled).answered();
    assert_eq!(
        answered.responses[0].partition_responses[0].error_code,
        code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    );
    let named = smuggled.with_transactional_id(Some(text("tx").into()));
    let (sent, _answer) = ask(&tenant, &mut memory, 9, &named).forwarded();
    assert_eq!(sent.transactional_id.unwrap().as_str(), prefix("tx"));
}

#[test]
fn without_acknowledgement_what_is_forwarded_counts_and_an_error_ends_the_connection() {
    let metered = Metered::new();
    let mut memory = Memory::default();
    let request = produce(vec![data("orders", Uuid::nil(), batch(4, None, 0))]).with_acks(0);
    let planned = |tenant: &Tenant, memory: &mut Memory| {
        super::super::request(tenant, memory, &header::<ProduceRequest>(9), body(&request, 9))
    };
    assert!(matches!(
        planned(&metered.tenant("key_writer"), &mut memory),
        Ok(Plan::Silent(_))
    ));
    assert_eq!(
        metered.rows(),
        [(sample::topic_id(1), "writer".to_owned(), 61, 4, false)]
    );
    assert!(matches!(
        planned(&metered.tenant("key_reader"), &mut memory),
        Err(Refusal::Unacknowledged(code::TOPIC_AUTHORIZATION_FAILED))
    ));
}

#[test]
fn broken_batches_never_reach_the_broker() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_writer"), Memory::default());
    let mut cut = batch(1, None, 9);
    cut.pop();
    let answered = ask(
        &tenant,
        &mut memory,
        9,
        &produce(vec![data("orders", Uuid::nil(), cut)]),
    )
    .answered();
    assert_eq!(
        answered.responses[0].partition_responses[0].error_code,
        code::CORRUPT_MESSAGE
    );
}

pub(super) fn fetch(ids: &[Uuid], session: (i32, i32)) -> FetchRequest {
    let topic = |id: &Uuid| {
        let partition = kafka_protocol::messages::fetch_request::FetchPartition::default().with_partition(0);
        FetchTopic::default()
            .with_topic_id(*id)
            .with_partitions(vec![partition])
    };
    FetchRequest::default()
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_topics(ids.iter().map(topic).collect())
}

pub(super) fn fetched(id: Uuid, records: Vec<u8>) -> FetchableTopicResponse {
    let partition = PartitionData::default().with_records(Some(records.into()));
    FetchableTopicResponse::default()
        .with_topic_id(id)
        .with_partitions(vec![partition])
}

#[test]
fn whole_batches_that_are_sent_count_and_cut_ones_do_not() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let request = fetch(&[id_of(&tenant, "orders")], (0, 0));
    let (sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
    assert_eq!(sent.topics[0].topic_id, sample::physical_id(1));
    let mut records = batch(2, None, 10);
    records.extend(&batch(9, None, 50)[..80]);
    let node = NodeEndpoint::default()
        .with_node_id(2.into())
        .with_host(text("10.0.0.9"));
    let response = FetchResponse::default()
        .with_session_id(77)
        .with_responses(vec![fetched(sample::physical_id(1), records.clone())])
        .with_node_endpoints(vec![node]);
    let (read, reply) = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &response);
    assert_eq!(read.responses[0].topic_id, id_of(&tenant, "orders"));
    assert_eq!(
        read.responses[0].partitions[0].records.as_deref(),
        Some(&records[..])
    );
    assert_eq!(
        (read.node_endpoints[0].host.as_str(), read.node_endpoints[0].port),
        ("gateway.test", 9652)
    );
    assert_eq!(reply.sent, [(Arc::from(sample::topic_id(1)), 71, 2)]);
}

#[test]
fn a_fetch_with_a_refused_topic_goes_without_a_session() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let both = fetch(&[id_of(&tenant, "orders"), id_of(&tenant, "secret")], (0, 0));
    let (sent, answer) = ask(&tenant, &mut memory, 13, &both).forwarded();
    assert_eq!((sent.topics.len(), sent.session_epoch), (1, -1));
    let response = FetchResponse::default().with_responses(vec![fetched(sample::physical_id(1), Vec::new())]);
    let (read, _reply) = reply::<FetchRequest>(&tenant, &mut memory, 13, answer, &response);
    assert_eq!(read.responses[1].topic_id, id_of(&tenant, "secret"));
    assert_eq!(
        read.responses[1].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );
}

#[test]
fn a_session_of_another_connection_cannot_be_used() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let stolen = ask(&tenant, &mut memory, 13, &fetch(&[], (77, 5))).answered();
    assert_eq!(stolen.error_code, code::FETCH_SESSION_ID_NOT_FOUND);
    // Nor be closed: opening anew or ending goes with no session at all.
    for epoch in [0, -1] {
        let request = fetch(&[id_of(&tenant, "orders")], (77, epoch));
        let (sent, answer) = ask(&tenant, &mut memory, 13, &request).forwarded();
        assert_eq!(sent.session_id, 0);
        let granted = FetchResponse::default().with_session_id(if epoch == 0 { 78 } else { 0 });
        reply::<FetchRequest>(&tenant, &mut memory, 13, answer, &granted);
    }
    let (sent, _answer) = ask(&tenant, &mut memory, 13, &fetch(&[], (78, 1))).forwarded();
    assert_eq!(sent.session_id, 78);
}

#[test]
fn records_revoked_while_the_fetch_was_parked_are_not_delivered() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let request = fetch(&[id_of(&tenant, "orders")], (0, 0));
    let (_sent, answer) = ask(&tenant, &mut memory, 13, &request).forwarded();
    let mut changed = sample::snapshot();
    changed.grants.retain(|it| it.pattern != "orders");
    let after = tenant_of(&changed, "key_reader", &metered.shared);
    let response = FetchResponse::default()
        .with_session_id(5)
        .with_responses(vec![fetched(sample::physical_id(1), batch(1, None, 0))]);
    let (read, reply) = reply::<FetchRequest>(&after, &mut memory, 13, answer, &response);
    assert_eq!(
        read.responses[0].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );
    assert_eq!(
        read.responses[0].partitions[0].records.as_ref().map(Bytes::len),
        Some(0)
    );
    assert!(reply.sent.is_empty());
    // The session that holds the topic ends at the next request.
    let next = ask(&after, &mut memory, 13, &fetch(&[], (5, 1))).answered();
    assert_eq!(next.error_code, code::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn records_of_a_topic_that_nobody_asked_for_are_dropped() {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let request = fetch(&[id_of(&tenant, "orders")], (0, 0));
    let (_sent, answer) = ask(&tenant, &mut memory, 13, &request).forwarded();
    let response = FetchResponse::default().with_responses(vec![
        fetched(sample::physical_id(4), batch(1, None, 0)),
        fetched(sample::physical_id(2), batch(1, None, 0)),
    ]);
    let (read, reply) = reply::<FetchRequest>(&tenant, &mut memory, 13, answer, &response);
    assert!(read.responses.is_empty());
    assert!(reply.sent.is_empty());
}

#[test]
fn a_client_cannot_fetch_as_a_replica() {
    let metered = Metered::new();
    let tenant = metered.tenant("key_writer");
    let replica = fetch(&[], (0, -1)).with_replica_id(1.into());
    let planned = super::super::request(
        &tenant,
        &mut Memory::default(),
        &header::<FetchRequest>(13),
        body(&replica, 13),
    );
    assert!(matches!(planned, Err(Refusal::Replica)));
}
