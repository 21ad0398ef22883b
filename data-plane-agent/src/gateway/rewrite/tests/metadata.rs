//! What there is to see.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{MetadataResponseBroker, MetadataResponseTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    DescribeTopicPartitionsRequest, MetadataRequest, MetadataResponse, OffsetFetchRequest, TopicName,
};

use super::*;

fn names(request: &MetadataRequest) -> Vec<String> {
    let topics = request.topics.as_ref().unwrap().iter();
    topics.map(|it| it.name.as_ref().unwrap().to_string()).collect()
}

fn topic(physical: &str, id: u8) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_name(Some(text(physical).into()))
        .with_topic_id(sample::physical_id(id))
        .with_topic_authorized_operations(i32::MIN)
}

#[test]
fn all_topics_are_the_permitted_ones_of_the_own_cluster() {
    let everything = MetadataRequest::default().with_topics(None);
    for (key, expected) in [
        ("key_writer", vec!["orders", "payments", "secret"]),
        ("key_reader", vec!["orders"]),
    ] {
        let tenant = tenant(key);
        let (sent, _answer) = ask(&tenant, &mut Memory::default(), 12, &everything).forwarded();
        let expected: Vec<_> = expected.into_iter().map(prefix).collect();
        assert_eq!(names(&sent), expected);
        assert!(!sent.allow_auto_topic_creation);
    }
}

#[test]
fn a_topic_that_kafka_does_not_have_is_an_error_by_name_and_none_of_all() {
    let tenant = tenant("key_writer");
    let gone = topic(&prefix("payments"), 2).with_error_code(code::UNKNOWN_TOPIC_OR_PARTITION);
    let response = MetadataResponse::default().with_topics(vec![topic(&prefix("orders"), 1), gone]);
    let named = |name: &str| MetadataRequestTopic::default().with_name(Some(text(name).into()));
    let by_name = Some(vec![named("orders"), named("payments")]);
    for (topics, expected) in [(None, vec!["orders"]), (by_name, vec!["orders", "payments"])] {
        let request = MetadataRequest::default().with_topics(topics);
        let mut memory = Memory::default();
        let (_sent, answer) = ask(&tenant, &mut memory, 12, &request).forwarded();
        let (read, _reply) = reply::<MetadataRequest>(&tenant, &mut memory, 12, answer, &response);
        let seen: Vec<_> = read
            .topics
            .iter()
            .map(|it| it.name.as_ref().unwrap().to_string())
            .collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn refused_and_unknown_topics_are_answered_beside_the_permitted() {
    let tenant = tenant("key_reader");
    let asked = ["orders", "payments", "orders2", &prefix("orders")];
    let topics = asked
        .iter()
        .map(|it| MetadataRequestTopic::default().with_name(Some(text(it).into())));
    let request = MetadataRequest::default().with_topics(Some(topics.collect()));
    let mut memory = Memory::default();
    let (sent, answer) = ask(&tenant, &mut memory, 12, &request).forwarded();
    assert_eq!(names(&sent), [prefix("orders")]);
    let response = MetadataResponse::default().with_topics(vec![topic(&prefix("orders"), 1)]);
    let (read, _reply) = reply::<MetadataRequest>(&tenant, &mut memory, 12, answer, &response);
    let seen: Vec<_> = read
        .topics
        .iter()
        .map(|it| (it.name.as_ref().unwrap().to_string(), it.error_code))
        .collect();
    let denied = code::TOPIC_AUTHORIZATION_FAILED;
    assert_eq!(
        seen,
        [
            ("orders".to_owned(), 0),
            ("payments".to_owned(), denied),
            ("orders2".to_owned(), denied),
            (prefix("orders"), denied)
        ]
    );
}

#[test]
fn a_topic_of_another_cluster_is_never_shown() {
    let tenant = tenant("key_writer");
    let request = MetadataRequest::default().with_topics(None);
    let mut memory = Memory::default();
    let (_sent, answer) = ask(&tenant, &mut memory, 12, &request).forwarded();
    let foreign = format!("w{}-orders", sample::B);
    let topics = vec![
        topic(&foreign, 4),
        topic("__consumer_offsets", 9),
        topic(&prefix("orders"), 1),
    ];
    let response = MetadataResponse::default()
        .with_topics(topics)
        .with_cluster_id(Some(text("broker's own")))
        .with_brokers(vec![
            MetadataResponseBroker::default()
                .with_node_id(2.into())
                .with_host(text("10.0.0.9"))
                .with_port(9092),
        ]);
    let (read, _reply) = reply::<MetadataRequest>(&tenant, &mut memory, 12, answer, &response);
    assert_eq!(read.topics.len(), 1);
    let orders = tenant.cluster.by_name("orders").unwrap();
    assert_eq!(read.topics[0].topic_id, orders.virtual_id);
    assert_eq!(read.cluster_id, Some(tenant.cluster.kafka_id.clone()));
    assert_eq!(
        (read.brokers[0].host.as_str(), read.brokers[0].port),
        ("gateway.test", 9652)
    );
}

#[test]
fn topics_are_found_by_virtual_id_and_only_by_that() {
    let tenant = tenant("key_reader");
    let id_of = |name: &str| tenant.cluster.by_name(name).unwrap().virtual_id;
    let foreign = View::build(&sample::snapshot());
    let foreign = foreign.clusters[&format!("cluster_{}", sample::B)]
        .by_name("orders")
        .unwrap()
        .virtual_id;
    let asked = [
        id_of("orders"),
        id_of("payments"),
        sample::physical_id(1),
        foreign,
    ];
    // The Java client sends an empty name beside the id, others none.
    for name in [None, Some(TopicName::default())] {
        let topics = asked.map(|id| {
            MetadataRequestTopic::default()
                .with_topic_id(id)
                .with_name(name.clone())
        });
        let request = MetadataRequest::default().with_topics(Some(topics.to_vec()));
        let mut memory = Memory::default();
        let (sent, answer) = ask(&tenant, &mut memory, 12, &request).forwarded();
        assert_eq!(names(&sent), [prefix("orders")]);
        // The broker does not have it (yet): the client hears of its own id.
        let response = MetadataResponse::default().with_topics(vec![
            topic(&prefix("orders"), 1).with_error_code(code::UNKNOWN_TOPIC_OR_PARTITION),
        ]);
        let (read, _reply) = reply::<MetadataRequest>(&tenant, &mut memory, 12, answer, &response);
        let seen: Vec<_> = read
            .topics
            .iter()
            .map(|it| (it.topic_id, it.error_code))
            .collect();
        assert_eq!(
            seen,
            [
                (asked[0], code::UNKNOWN_TOPIC_ID),
                (asked[1], code::TOPIC_AUTHORIZATION_FAILED),
                (asked[2], code::UNKNOWN_TOPIC_ID),
                (asked[3], code::UNKNOWN_TOPIC_ID)
            ]
            .map(|(id, code)| (id, code))
        );
    }
}

#[test]
fn old_versions_create_nothing_either() {
    let tenant = tenant("key_reader");
    for version in 1..4 {
        let request = MetadataRequest::default().with_topics(None);
        let header = header::<MetadataRequest>(version);
        let mut memory = Memory::default();
        let planned = super::super::request(&tenant, &mut memory, &header, body(&request, version));
        let Ok(Plan::Forward(frame, answer)) = planned else {
            panic!("forwarded");
        };
        let (sent, sent_body) = split_request(unframed(&frame)).unwrap();
        assert_eq!(sent.version, 4);
        let sent: MetadataRequest = decode_request(4, sent_body, Budget::CLIENT).unwrap();
        assert!(!sent.allow_auto_topic_creation);
        let response = MetadataResponse::default().with_topics(vec![
            MetadataResponseTopic::default().with_name(Some(text(&prefix("orders")).into())),
        ]);
        let reply = answer(&tenant, &mut memory, body(&response, 4)).unwrap();
        let read = client_reads::<MetadataRequest>(&reply.frame, version);
        assert_eq!(read.topics[0].name.as_ref().unwrap().as_str(), "orders");
    }
}

#[test]
fn what_was_revoked_while_the_answer_was_on_its_way_is_not_shown() {
    let before = tenant("key_reader");
    let mut memory = Memory::default();
    let request = MetadataRequest::default().with_topics(None);
    let (_sent, answer) = ask(&before, &mut memory, 12, &request).forwarded();
    let mut changed = sample::snapshot();
    changed.grants.retain(|it| it.pattern != "orders");
    let folder = tempfile::tempdir().unwrap();
    let after = tenant_of(&changed, "key_reader", &shared(folder.path()));
    let response = MetadataResponse::default().with_topics(vec![topic(&prefix("orders"), 1)]);
    let (read, _reply) = reply::<MetadataRequest>(&after, &mut memory, 12, answer, &response);
    assert!(read.topics.is_empty());
}

#[test]
fn describing_every_topic_never_asks_the_broker_for_all() {
    let mut nothing = sample::snapshot();
    nothing.grants.retain(|it| it.principal_id != "reader");
    let folder = tempfile::tempdir().unwrap();
    let tenant = tenant_of(&nothing, "key_reader", &shared(folder.path()));
    let request = DescribeTopicPartitionsRequest::default().with_response_partition_limit(10);
    let answered = ask(&tenant, &mut Memory::default(), 0, &request).answered();
    assert!(answered.topics.is_empty());
    let everything = MetadataRequest::default().with_topics(None);
    let (sent, _answer) = ask(&tenant, &mut Memory::default(), 12, &everything).forwarded();
    assert_eq!(sent.topics, Some(Vec::new()));
}

#[test]
fn offsets_of_refused_topics_are_answered_within_their_group() {
    let tenant = tenant("key_reader");
    let topics = ["orders", "payments"].map(|name| {
        OffsetFetchRequestTopics::default()
            .with_name(text(name).into())
            .with_partition_indexes(vec![3])
    });
    let groups = ["g1", "other"].map(|id| {
        OffsetFetchRequestGroup::default()
            .with_group_id(text(id).into())
            .with_topics(Some(topics.to_vec()))
    });
    let request = OffsetFetchRequest::default().with_groups(groups.to_vec());
    let mut memory = Memory::default();
    let (sent, answer) = ask(&tenant, &mut memory, 8, &request).forwarded();
    assert_eq!(sent.groups.len(), 1);
    assert_eq!(sent.groups[0].group_id.as_str(), prefix("g1"));
    assert_eq!(sent.groups[0].topics.as_ref().unwrap().len(), 1);
    let group = kafka_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup::default()
        .with_group_id(text(&prefix("g1")).into());
    let response = kafka_protocol::messages::OffsetFetchResponse::default().with_groups(vec![group]);
    let (read, _reply) = reply::<OffsetFetchRequest>(&tenant, &mut memory, 8, answer, &response);
    assert_eq!(read.groups[0].group_id.as_str(), "g1");
    assert_eq!(read.groups[0].topics[0].name.as_str(), "payments");
    assert_eq!(
        read.groups[0].topics[0].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );
    assert_eq!(read.groups[1].group_id.as_str(), "other");
    assert_eq!(read.groups[1].error_code, code::GROUP_AUTHORIZATION_FAILED);
}

/// librdkafka 2.16 asks for all topics so: null, two booleans, no tagged fields, three stray bytes.
#[test]
fn bytes_after_the_request_are_not_forwarded() {
    let tenant = tenant("key_reader");
    let header = header::<MetadataRequest>(13);
    let asked = Bytes::from_static(&[0; 7]);
    let planned = super::super::request(&tenant, &mut Memory::default(), &header, asked);
    let Ok(Plan::Forward(frame, _answer)) = planned else {
        panic!("forwarded");
    };
    let (_header, sent) = split_request(unframed(&frame)).unwrap();
    let checked = weir_kafka_wire::bounds::check(Direction::Request, 3, 13, &sent, Budget::CLIENT);
    assert_eq!(checked, Ok(()));
}
