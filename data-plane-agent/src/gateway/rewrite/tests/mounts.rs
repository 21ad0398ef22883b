//! Another tenant's topic, shared: read under its name here, and nothing else.

use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    DeleteTopicsRequest, FetchRequest, FetchResponse, MetadataRequest, MetadataResponse, ProduceRequest,
};
use weir_proto::agent::v1::{AccessRole, Mount};
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

use super::records::{Metered, data, fetch, fetched, id_of, produce};
use super::*;
use crate::gateway::meter::batch::tests::batch;

/// `b` is shown `payments` of `a` as `shared`, until `expires_at`.
fn snapshot(expires_at: i64) -> Snapshot {
    let mut snapshot = sample::snapshot();
    let original = snapshot.clusters[0].topics[1].clone();
    snapshot.clusters[1].topics.push(LogicalTopic {
        id: sample::topic_id(5),
        name: "shared".to_owned(),
        mount: Some(Mount {
            share_id: "share_1".to_owned(),
            topic_id: original.id.clone(),
            expires_at_unix_seconds: expires_at,
            ..Mount::default()
        }),
        ..original
    });
    snapshot
}

const LATER: i64 = i64::MAX;

#[test]
fn it_is_read_by_its_own_id_and_counted_as_the_readers() {
    let metered = Metered::new();
    for expires_at in [0, LATER] {
        let tenant = metered.tenant_by(&snapshot(expires_at), "key_other");
        let mut memory = Memory::default();
        let request = fetch(&[id_of(&tenant, "shared")], (0, 0));
        let (sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
        assert_eq!(sent.topics[0].topic_id, sample::physical_id(2), "the original's");
        let response =
            FetchResponse::default().with_responses(vec![fetched(sample::physical_id(2), batch(3, None, 9))]);
        let (read, reply) = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &response);
        tenant.meter.fetched(&tenant.payer, &reply.sent);
        assert_eq!(read.responses[0].topic_id, id_of(&tenant, "shared"));
        assert_eq!(
            read.responses[0].partitions[0].records.as_ref().unwrap().len(),
            70
        );
    }
    let counted: Vec<_> = metered.rows().into_iter().map(|it| (it.0, it.1, it.3)).collect();
    assert_eq!(counted, [(sample::topic_id(5), "other".to_owned(), 6)]);
}

#[test]
fn an_administrator_sees_it_and_may_read_it_but_neither_write_nor_administer() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&snapshot(0), "key_other");
    let own = tenant.topic_operations(tenant.cluster.by_name("orders").unwrap());
    let shared = tenant.topic_operations(tenant.cluster.by_name("shared").unwrap());
    assert_eq!((own & 1 << 4 != 0, shared & 1 << 4 != 0), (true, false), "WRITE");
    assert_eq!(shared & 1 << 3, 1 << 3, "READ");
    let mut memory = Memory::default();
    for version in [9, 13] {
        let request = produce(vec![data("shared", id_of(&tenant, "shared"), batch(1, None, 0))]);
        let refused = ask::<ProduceRequest>(&tenant, &mut memory, version, &request).answered();
        let code = refused.responses[0].partition_responses[0].error_code;
        assert_eq!(code, code::TOPIC_AUTHORIZATION_FAILED, "{version}");
    }
    let doomed = DeleteTopicState::default().with_name(Some(text("shared").into()));
    let request = DeleteTopicsRequest::default().with_topics(vec![doomed]);
    let (wishes, _finish) = match ask(&tenant, &mut memory, 6, &request) {
        Outcome::Wished(wishes, finish) => (wishes, Some(finish)),
        _answered => (Vec::new(), None),
    };
    assert!(wishes.is_empty(), "nobody is asked to delete it");
}

#[test]
fn its_owner_is_not_shown_what_others_call_it() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&snapshot(0), "key_writer");
    assert!(tenant.cluster.by_name("shared").is_none());
    let id = tenant.shown_by_id(sample::physical_id(2)).unwrap();
    assert_eq!(id.name.as_str(), "payments");
}

#[test]
fn when_the_share_has_ended_nothing_of_it_is_read_or_shown() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&snapshot(1), "key_other");
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&tenant, "shared")], (0, 0));
    let refused = ask::<FetchRequest>(&tenant, &mut memory, 16, &request).answered();
    let code = refused.responses[0].partitions[0].error_code;
    assert_eq!(code, code::TOPIC_AUTHORIZATION_FAILED);
    let everything = MetadataRequest::default().with_topics(None);
    let (sent, _answer) = ask(&tenant, &mut memory, 12, &everything).forwarded();
    assert_eq!(sent.topics.unwrap().len(), 1, "its own orders");
    let by_name = MetadataRequestTopic::default().with_name(Some(text("shared").into()));
    let request = MetadataRequest::default().with_topics(Some(vec![by_name]));
    let (sent, answer) = ask(&tenant, &mut memory, 12, &request).forwarded();
    assert_eq!(sent.topics, Some(Vec::new()));
    let (read, _reply) =
        reply::<MetadataRequest>(&tenant, &mut memory, 12, answer, &MetadataResponse::default());
    assert_eq!(read.topics[0].error_code, code::TOPIC_AUTHORIZATION_FAILED);
}

#[test]
fn records_of_a_share_that_ended_while_the_fetch_was_parked_are_not_delivered() {
    let metered = Metered::new();
    let before = metered.tenant_by(&snapshot(0), "key_other");
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&before, "shared")], (0, 0));
    let (_sent, answer) = ask(&before, &mut memory, 16, &request).forwarded();
    let response =
        FetchResponse::default().with_responses(vec![fetched(sample::physical_id(2), batch(3, None, 9))]);
    let after = metered.tenant_by(&snapshot(1), "key_other");
    let (read, _reply) = reply::<FetchRequest>(&after, &mut memory, 16, answer, &response);
    let partition = &read.responses[0].partitions[0];
    assert_eq!(partition.error_code, code::TOPIC_AUTHORIZATION_FAILED);
    assert!(partition.records.as_ref().is_none_or(Bytes::is_empty));
    assert!(metered.rows().is_empty());
}

/// A reader of everything in the cluster, for what a role alone would open.
#[test]
fn a_role_on_the_name_is_needed_as_for_any_topic() {
    let metered = Metered::new();
    let mut snapshot = snapshot(0);
    for grant in &mut snapshot.grants {
        if grant.principal_id == "other" {
            grant.pattern = "orders".to_owned();
            grant.role = AccessRole::Admin.into();
        }
    }
    let tenant = metered.tenant_by(&snapshot, "key_other");
    let request = fetch(&[id_of(&tenant, "shared")], (0, 0));
    let refused = ask::<FetchRequest>(&tenant, &mut Memory::default(), 16, &request).answered();
    assert_eq!(
        refused.responses[0].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );
    let shown = MetadataResponseTopic::default()
        .with_name(Some(text(&prefix("payments")).into()))
        .with_topic_id(sample::physical_id(2));
    let response = MetadataResponse::default().with_topics(vec![shown]);
    let everything = MetadataRequest::default().with_topics(None);
    let mut memory = Memory::default();
    let (_sent, answer) = ask(&tenant, &mut memory, 12, &everything).forwarded();
    let (read, _reply) = reply::<MetadataRequest>(&tenant, &mut memory, 12, answer, &response);
    assert!(read.topics.is_empty());
}
