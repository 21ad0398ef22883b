//! What quotas refuse: topics while mutations are used up, records while the storage is.

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{CreateTopicsRequest, DeleteTopicsRequest, ProduceRequest};
use weir_proto::agent::v1::{AccessRole, Quota, QuotaLimits, QuotaMode, QuotaSubject};
use weir_proto::lane::v1::{ClusterStorage, StorageUse};

use super::*;
use crate::gateway::meter::batch::tests::batch;

struct Limited {
    _folder: tempfile::TempDir,
    shared: Shared,
    tenant: Tenant,
}

/// The administrator of cluster `b`, and what limits it.
fn limited(limits: QuotaLimits) -> Limited {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let mut snapshot = sample::snapshot();
    snapshot.grants[3].role = AccessRole::Admin.into();
    snapshot.quotas = vec![Quota {
        id: "quota".to_owned(),
        cluster_id: format!("cluster_{}", sample::B),
        subject: QuotaSubject::Tenant.into(),
        mode: QuotaMode::Enforce.into(),
        limits: Some(limits),
        ..Quota::default()
    }];
    let tenant = tenant_of(&snapshot, "key_other", &shared);
    Limited {
        _folder: folder,
        shared,
        tenant,
    }
}

fn topic(name: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(text(name).into())
        .with_num_partitions(partitions)
        .with_replication_factor(-1)
}

fn creation(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(30_000)
}

#[test]
fn topics_are_refused_while_mutations_are_used_up_and_the_connection_waits() {
    let limits = QuotaLimits {
        partition_mutations_per_second: 1,
        ..QuotaLimits::default()
    };
    let Limited { tenant, .. } = &limited(limits);
    let mut memory = Memory::default();
    let both = creation(vec![topic("one", 3), topic("two", 1)]);
    let (wishes, finish) = ask(tenant, &mut memory, 7, &both).wished();
    assert_eq!(wishes.len(), 1, "the first takes what there is, and more");
    assert!(memory.refused.take().is_some());
    let results = vec![crate::intents::own_result(
        &wishes[0],
        weir_proto::agent::v1::IntentOutcome::Accepted,
        "",
    )];
    let answer = client_reads::<CreateTopicsRequest>(&[finish(results).unwrap()], 7);
    let codes: Vec<_> = answer.topics.iter().map(|it| it.error_code).collect();
    assert_eq!(codes, [code::NONE, code::THROTTLING_QUOTA_EXCEEDED]);

    // Deleting costs as much; a client of before KIP-599 waits instead; a trial costs nothing.
    let gone = DeleteTopicsRequest::default().with_topics(vec![
        DeleteTopicState::default().with_name(Some(text("orders").into())),
    ]);
    let refused = ask(tenant, &mut memory, 6, &gone).answered();
    assert_eq!(refused.responses[0].error_code, code::THROTTLING_QUOTA_EXCEEDED);
    memory.refused = None;
    let old = creation(vec![topic("old", 1)]);
    let (wishes, _finish) = ask(tenant, &mut memory, 5, &old).wished();
    assert_eq!(wishes.len(), 1);
    assert!(memory.refused.take().is_some(), "its connection is muted");
    let trial = creation(vec![topic("trial", 900)]).with_validate_only(true);
    let (wishes, _finish) = ask(tenant, &mut memory, 7, &trial).wished();
    assert_eq!((wishes.len(), memory.refused.is_none()), (1, true));
}

fn produce(name: &str, acks: i16) -> ProduceRequest {
    let partition = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(batch(1, None, 100).into()));
    let data = TopicProduceData::default()
        .with_name(text(name).into())
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_topic_data(vec![data])
}

#[test]
fn a_full_cluster_takes_no_records_and_says_why() {
    let limits = QuotaLimits {
        storage_bytes: 1_000_000,
        ..QuotaLimits::default()
    };
    let world = limited(limits);
    let tell = |bytes| {
        let cluster_id = format!("cluster_{}", sample::B);
        let clusters = vec![ClusterStorage { cluster_id, bytes }];
        world.shared.quotas.stored(&StorageUse { clusters });
    };
    let mut memory = Memory::default();
    tell(999_999);
    let (_sent, _answer) = ask(&world.tenant, &mut memory, 9, &produce("orders", -1)).forwarded();
    for version in [3, 9] {
        let refused = ask(&world.tenant, &mut memory, version, &produce("orders", -1)).answered();
        assert_eq!(
            refused.responses[0].name.as_str(),
            "orders",
            "under the client's own name"
        );
        let partition = &refused.responses[0].partition_responses[0];
        assert_eq!(partition.error_code, code::POLICY_VIOLATION);
        if version >= 8 {
            let said = partition.error_message.as_ref().unwrap();
            assert!(said.contains("1000000 bytes"), "{said}");
        }
    }
    // Without acknowledgement there is no answer to say it in: the connection ends, as Kafka's does.
    let header = header::<ProduceRequest>(9);
    let silent = body(&produce("orders", 0), 9);
    assert!(matches!(
        request(&world.tenant, &mut memory, &header, silent),
        Err(Refusal::Unacknowledged(code::POLICY_VIOLATION))
    ));
    // What may not be written to is not told about the storage.
    let strange = ask(&world.tenant, &mut memory, 9, &produce("nowhere", -1)).answered();
    let seen = strange.responses[0].partition_responses[0].error_code;
    assert_eq!(seen, code::UNKNOWN_TOPIC_OR_PARTITION);
    tell(10);
    let (_sent, _answer) = ask(&world.tenant, &mut memory, 9, &produce("orders", -1)).forwarded();
}
