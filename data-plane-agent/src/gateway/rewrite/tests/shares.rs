//! What shares add to reading: views, the clock, bounds of their own; and what of the owner's is not told.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use kafka_protocol::messages::delete_records_request::DeleteRecordsTopic;
use kafka_protocol::messages::describe_log_dirs_response::{DescribeLogDirsResult, DescribeLogDirsTopic};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest as Described};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::offset_fetch_response::OffsetFetchResponseTopic;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    DeleteRecordsRequest, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeProducersRequest,
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, FetchRequest, FetchResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

use super::records::{Metered, fetch, fetched, id_of};
use super::*;
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::unpack::Codec;
use crate::gateway::share::tests::{read, shown};
use crate::gateway::view::now_unix_seconds;

const MASK: &str = r#"[{"mask":{"fields":["card"],"how":"REDACT"}}]"#;

/// `b` is shown `payments` of `a` as `shared`.
fn snapshot(change: impl FnOnce(&mut LogicalTopic)) -> Snapshot {
    let mut snapshot = sample::snapshot();
    let original = snapshot.clusters[0].topics[1].clone();
    let mut topic = shown("");
    change(&mut topic);
    snapshot.clusters[1].topics.push(LogicalTopic {
        id: sample::topic_id(5),
        physical_name: original.physical_name,
        physical_id: original.physical_id,
        partitions: original.partitions,
        ..topic
    });
    snapshot
}

fn reader(metered: &Metered, change: impl FnOnce(&mut LogicalTopic)) -> Tenant {
    metered.tenant_by(&snapshot(change), "key_other")
}

fn through(steps: &str) -> impl FnOnce(&mut LogicalTopic) {
    move |it| it.mount.as_mut().unwrap().view_steps_json = steps.to_owned()
}

fn cards() -> Vec<u8> {
    samples::batch(Codec::Gzip, &[Sample::of(None, Some(br#"{"card":"4111"}"#))])
}

fn answered() -> FetchResponse {
    FetchResponse::default().with_responses(vec![fetched(sample::physical_id(2), cards())])
}

#[test]
fn a_fetch_is_answered_through_the_view() {
    let metered = Metered::new();
    let tenant = reader(&metered, through(MASK));
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&tenant, "shared")], (0, 0));
    let (_sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
    let (got, reply) = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &answered());
    let records = got.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(read(&records)[0].3.as_deref(), Some(r#"{"card":"***"}"#));
    assert_eq!(reply.sent[0].1, records.len() as u64, "what was sent counts");
}

#[test]
fn a_share_whose_view_cannot_be_compiled_is_not_open() {
    let metered = Metered::new();
    let tenant = reader(&metered, through(r#"[{"set":{"fields":{"a":"1"}}}]"#));
    let request = fetch(&[id_of(&tenant, "shared")], (0, 0));
    let refused = ask::<FetchRequest>(&tenant, &mut Memory::default(), 16, &request).answered();
    assert_eq!(
        refused.responses[0].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );
}

#[test]
fn before_its_first_second_a_share_is_not_open() {
    let metered = Metered::new();
    let begins =
        |at: i64| move |it: &mut LogicalTopic| it.mount.as_mut().unwrap().starts_at_unix_seconds = at;
    let tenant = reader(&metered, begins(i64::MAX));
    let topic = tenant.cluster.by_name("shared").unwrap();
    assert!(!tenant.sees(topic) && tenant.shown(&topic.physical_name).is_none());
    let tenant = reader(&metered, begins(1));
    assert!(tenant.sees(tenant.cluster.by_name("shared").unwrap()));
}

#[test]
fn what_was_looked_at_through_another_view_is_not_sent() {
    let metered = Metered::new();
    let before = reader(&metered, through(r#"[{"filter":{"where":"true"}}]"#));
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&before, "shared")], (0, 0));
    let (_sent, answer) = ask(&before, &mut memory, 16, &request).forwarded();
    // Too large for between clients, so that it is looked at aside.
    let long = samples::batch(
        Codec::Zstd,
        &[Sample::of(
            None,
            Some(format!(r#"{{"card":"{}"}}"#, "4".repeat(200_000)).as_bytes()),
        )],
    );
    let response = FetchResponse::default().with_responses(vec![fetched(sample::physical_id(2), long)]);
    let mut reply = answer(&before, &mut memory, body(&response, 16)).unwrap();
    let mut screening = reply.screening.take().unwrap();
    assert!(screening.run(&Pace::aside(&|| false)));
    let after = reader(&metered, through(MASK));
    let reply = screening.finish(&after).unwrap();
    let got = client_reads::<FetchRequest>(&reply.frame, 16);
    let partition = &got.responses[0].partitions[0];
    assert_eq!(
        (partition.error_code, partition.records.as_ref().map(Bytes::len)),
        (0, Some(0))
    );
    assert!(reply.sent.is_empty());
}

#[test]
fn a_fetch_of_something_shared_is_not_parked_for_long() {
    let metered = Metered::new();
    let tenant = reader(&metered, |_it| ());
    let mut memory = Memory::default();
    for (names, expected) in [(&["orders"][..], 30_000), (&["orders", "shared"][..], 500)] {
        let ids: Vec<_> = names.iter().map(|it| id_of(&tenant, it)).collect();
        let request = fetch(&ids, (0, 0)).with_max_wait_ms(30_000);
        let (sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
        assert_eq!(sent.max_wait_ms, expected);
        let granted = FetchResponse::default().with_session_id(7);
        let _reply = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &granted);
        // A session holds it, too, without naming it again.
        let next = fetch(&[], (7, 1)).with_max_wait_ms(30_000);
        let (sent, _answer) = ask(&tenant, &mut memory, 16, &next).forwarded();
        assert_eq!(sent.max_wait_ms, expected);
    }
}

#[test]
fn a_session_with_a_share_ends_with_it_by_the_clock() {
    let metered = Metered::new();
    let end = now_unix_seconds() + 2;
    let tenant = reader(&metered, |it| {
        it.mount.as_mut().unwrap().expires_at_unix_seconds = end
    });
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&tenant, "shared")], (0, 0));
    let (_sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
    let granted = FetchResponse::default().with_session_id(7);
    let _reply = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &granted);
    let (_sent, parked) = ask(&tenant, &mut memory, 16, &fetch(&[], (7, 1))).forwarded();
    while now_unix_seconds() < end {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (got, _reply) = reply::<FetchRequest>(&tenant, &mut memory, 16, parked, &answered());
    let partition = &got.responses[0].partitions[0];
    assert_eq!(partition.error_code, code::TOPIC_AUTHORIZATION_FAILED);
    assert!(partition.records.as_ref().is_none_or(Bytes::is_empty));
    let over = ask::<FetchRequest>(&tenant, &mut memory, 16, &fetch(&[], (7, 2))).answered();
    assert_eq!(
        over.error_code,
        code::FETCH_SESSION_ID_NOT_FOUND,
        "the client starts over, and hears why"
    );
    assert!(memory.fetch_bytes_max.is_none());
}

#[test]
fn nothing_is_written_to_it_or_told_of_who_writes_and_how_much_it_holds() {
    let metered = Metered::new();
    let tenant = reader(&metered, |_it| ());
    let mut memory = Memory::default();
    let topic = AddPartitionsToTxnTopic::default()
        .with_name(text("shared").into())
        .with_partitions(vec![0]);
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(text("t").into())
        .with_v3_and_below_topics(vec![topic]);
    let refused = ask::<AddPartitionsToTxnRequest>(&tenant, &mut memory, 3, &request).answered();
    let results = &refused.results_by_topic_v3_and_below[0].results_by_partition;
    assert_eq!(results[0].partition_error_code, code::TOPIC_AUTHORIZATION_FAILED);

    let request = DeleteRecordsRequest::default().with_topics(vec![
        DeleteRecordsTopic::default().with_name(text("shared").into()),
    ]);
    let (sent, _answer) = ask(&tenant, &mut memory, 2, &request).forwarded();
    assert!(sent.topics.is_empty());

    let request = DescribeProducersRequest::default().with_topics(vec![
        TopicRequest::default()
            .with_name(text("shared").into())
            .with_partition_indexes(vec![0]),
    ]);
    let (sent, answer) = ask(&tenant, &mut memory, 0, &request).forwarded();
    assert!(sent.topics.is_empty());
    let (got, _reply) =
        reply::<DescribeProducersRequest>(&tenant, &mut memory, 0, answer, &Default::default());
    assert_eq!(got.topics[0].name.as_str(), "shared");
    assert_eq!(
        got.topics[0].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );

    let everything = DescribeLogDirsRequest::default().with_topics(None);
    let (_sent, answer) = ask(&tenant, &mut memory, 4, &everything).forwarded();
    let held = [prefix("payments"), format!("w{}-orders", sample::B)]
        .map(|it| DescribeLogDirsTopic::default().with_name(text(&it).into()));
    let folder = DescribeLogDirsResult::default().with_topics(held.to_vec());
    let response = DescribeLogDirsResponse::default().with_results(vec![folder]);
    let (got, _reply) = reply::<DescribeLogDirsRequest>(&tenant, &mut memory, 4, answer, &response);
    let shown: Vec<_> = got.results[0].topics.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(shown, ["orders"]);
}

#[test]
fn committed_offsets_go_by_the_owners_name_and_come_back_under_the_readers() {
    let metered = Metered::new();
    let tenant = reader(&metered, |_it| ());
    let mut memory = Memory::default();
    let topic = OffsetFetchRequestTopic::default()
        .with_name(text("shared").into())
        .with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default()
        .with_group_id(text("g").into())
        .with_topics(Some(vec![topic]));
    let (sent, answer) = ask(&tenant, &mut memory, 7, &request).forwarded();
    assert_eq!(
        sent.group_id.as_str(),
        format!("w{}-g", sample::B),
        "a group of the reader's own"
    );
    assert_eq!(sent.topics.unwrap()[0].name.as_str(), prefix("payments"));
    let response = OffsetFetchResponse::default().with_topics(vec![
        OffsetFetchResponseTopic::default().with_name(text(&prefix("payments")).into()),
        OffsetFetchResponseTopic::default().with_name(text(&prefix("orders")).into()),
    ]);
    let (got, _reply) = reply::<OffsetFetchRequest>(&tenant, &mut memory, 7, answer, &response);
    let names: Vec<_> = got.topics.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["shared"]);
}

#[test]
fn a_pattern_finds_it_by_the_readers_name_and_its_partitions_are_assigned() {
    let metered = Metered::new();
    let tenant = reader(&metered, |_it| ());
    let mut memory = Memory::default();
    let beat = |pattern: &str| {
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(text("g").into())
            .with_member_id(text("m"))
            .with_subscribed_topic_regex(Some(text(pattern)))
            .with_topic_partitions(None)
    };
    let (sent, _answer) = ask(&tenant, &mut memory, 1, &beat("pay.*")).forwarded();
    assert_eq!(
        sent.subscribed_topic_names,
        Some(Vec::new()),
        "its owner's name is no name here"
    );
    let (sent, answer) = ask(&tenant, &mut memory, 1, &beat("sha.*")).forwarded();
    assert_eq!(
        sent.subscribed_topic_names.unwrap()[0].as_str(),
        prefix("payments")
    );
    let assigned = TopicPartitions::default()
        .with_topic_id(sample::physical_id(2))
        .with_partitions(vec![0]);
    let response = ConsumerGroupHeartbeatResponse::default()
        .with_assignment(Some(Assignment::default().with_topic_partitions(vec![assigned])));
    let (got, _reply) = reply::<ConsumerGroupHeartbeatRequest>(&tenant, &mut memory, 1, answer, &response);
    let assigned = &got.assignment.unwrap().topic_partitions;
    assert_eq!(assigned[0].topic_id, id_of(&tenant, "shared"));
}

#[test]
fn pages_of_descriptions_go_on_behind_it() {
    let metered = Metered::new();
    let tenant = reader(&metered, |_it| ());
    let mut memory = Memory::default();
    let topics = ["orders", "shared"].map(|it| Described::default().with_name(text(it).into()));
    let cursor = |name: &str| Cursor::default().with_topic_name(text(name).into());
    let request = DescribeTopicPartitionsRequest::default()
        .with_topics(topics.to_vec())
        .with_cursor(Some(cursor("shared")));
    let (sent, answer) = ask(&tenant, &mut memory, 0, &request).forwarded();
    assert_eq!(sent.cursor.unwrap().topic_name.as_str(), prefix("payments"));
    let next = kafka_protocol::messages::describe_topic_partitions_response::Cursor::default()
        .with_topic_name(text(&prefix("payments")).into())
        .with_partition_index(3);
    let response = DescribeTopicPartitionsResponse::default().with_next_cursor(Some(next));
    let (got, _reply) = reply::<DescribeTopicPartitionsRequest>(&tenant, &mut memory, 0, answer, &response);
    assert_eq!(got.next_cursor.unwrap().topic_name.as_str(), "shared");
}

#[test]
fn all_who_read_a_share_pay_from_one_budget() {
    let metered = Metered::new();
    let bounded = snapshot(|it| it.mount.as_mut().unwrap().fetch_bytes_per_second = 1000);
    let mut keys = bounded.clone();
    keys.api_keys.push(weir_proto::agent::v1::ApiKey {
        id: "key_second".to_owned(),
        principal_id: "second".to_owned(),
        ..keys.api_keys[2].clone()
    });
    let (one, other) = (
        metered.tenant_by(&keys, "key_other"),
        metered.tenant_by(&keys, "key_second"),
    );
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&one, "shared")], (0, 0)).with_max_bytes(1 << 20);
    let (sent, answer) = ask(&one, &mut memory, 16, &request).forwarded();
    assert_eq!(sent.max_bytes, 16_384, "a part of a second of the share's budget");
    let (_got, reply) = reply::<FetchRequest>(&one, &mut memory, 16, answer, &answered());
    assert_eq!(reply.shared.len(), 1);
    assert_eq!(
        (&*reply.shared[0].0, reply.shared[0].1),
        ("share_1", cards().len() as u64)
    );
    let now = one.quotas.now();
    let cost = |egress| crate::gateway::quota::Cost {
        egress,
        ..Default::default()
    };
    assert!(one.toll.is_free() && other.toll.is_free());
    let waits = one.share_toll("share_1").unwrap().pay(now, cost(5000));
    assert!(waits.until > now);
    let waits = other.share_toll("share_1").unwrap().pay(now, cost(1));
    assert!(waits.until > now, "the other one waits for what the first took");
}

#[test]
fn who_still_asks_for_what_was_shared_is_refused_rather_than_told_to_wait() {
    let metered = Metered::new();
    let before = View::build(&snapshot(|_it| ()));
    let shown = before.clusters[&format!("cluster_{}", sample::B)]
        .by_name("shared")
        .unwrap()
        .virtual_id;
    let mut view = View::build_after(&sample::snapshot(), &before);
    for _snapshot in 0..2 {
        let tenant = metered.tenant_in(&view, "key_other");
        let refused =
            ask::<FetchRequest>(&tenant, &mut Memory::default(), 16, &fetch(&[shown], (0, 0))).answered();
        assert_eq!(
            refused.responses[0].partitions[0].error_code,
            code::TOPIC_AUTHORIZATION_FAILED
        );
        let by_name = tenant
            .topic(crate::gateway::view::Operation::Read, "shared")
            .err();
        assert_eq!(by_name, Some(code::TOPIC_AUTHORIZATION_FAILED));
        let never = tenant.topic(crate::gateway::view::Operation::Read, "never").err();
        assert_eq!(never, Some(code::UNKNOWN_TOPIC_OR_PARTITION));
        view = View::build_after(&sample::snapshot(), &view);
    }
    let again = View::build_after(&snapshot(|_it| ()), &view);
    let tenant = metered.tenant_in(&again, "key_other");
    assert!(
        tenant
            .topic(crate::gateway::view::Operation::Read, "shared")
            .is_ok()
    );
}
