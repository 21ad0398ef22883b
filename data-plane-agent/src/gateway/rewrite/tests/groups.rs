//! Groups, coordinators and transactions.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::consumer_group_describe_response;
use kafka_protocol::messages::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse,
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, DescribeConfigsRequest,
    DescribeGroupsRequest, DescribeGroupsResponse, EndTxnRequest, FindCoordinatorRequest,
    FindCoordinatorResponse, HeartbeatRequest, InitProducerIdRequest, JoinGroupRequest, ListGroupsRequest,
    ListGroupsResponse,
};

use super::*;

#[test]
fn only_permitted_groups_of_the_own_cluster_are_listed() {
    let tenant = tenant("key_reader");
    let mut memory = Memory::default();
    let (_sent, answer) = ask(&tenant, &mut memory, 4, &ListGroupsRequest::default()).forwarded();
    let foreign = format!("w{}-g1", sample::B);
    let groups = [prefix("g1"), prefix("other"), foreign, "g1".to_owned()];
    let groups = groups.map(|id| ListedGroup::default().with_group_id(text(&id).into()));
    let response = ListGroupsResponse::default().with_groups(groups.to_vec());
    let (read, _reply) = reply::<ListGroupsRequest>(&tenant, &mut memory, 4, answer, &response);
    let seen: Vec<_> = read.groups.iter().map(|it| it.group_id.as_str()).collect();
    assert_eq!(seen, ["g1"]);
}

#[test]
fn groups_that_are_not_granted_are_refused() {
    let tenant = tenant("key_reader");
    let mut memory = Memory::default();
    let other = HeartbeatRequest::default().with_group_id(text("other").into());
    let answered = ask(&tenant, &mut memory, 4, &other).answered();
    assert_eq!(answered.error_code, code::GROUP_AUTHORIZATION_FAILED);
    let own = HeartbeatRequest::default().with_group_id(text("g1").into());
    let (sent, _answer) = ask(&tenant, &mut memory, 4, &own).forwarded();
    assert_eq!(sent.group_id.as_str(), prefix("g1"));
    for version in 2..=9 {
        let join = JoinGroupRequest::default().with_group_id(text("other").into());
        let answered = ask(&tenant, &mut memory, version, &join).answered();
        assert_eq!(answered.error_code, code::GROUP_AUTHORIZATION_FAILED);
    }
}

#[test]
fn members_come_from_the_gateway_as_clients_know_it() {
    let tenant = tenant("key_reader");
    let mut memory = Memory::default();
    let inner = || text("/10.0.0.7");
    let request = DescribeGroupsRequest::default().with_groups(vec![text("g1").into()]);
    let (_sent, answer) = ask(&tenant, &mut memory, 5, &request).forwarded();
    let member = DescribedGroupMember::default().with_client_host(inner());
    let group = DescribedGroup::default()
        .with_group_id(text(&prefix("g1")).into())
        .with_members(vec![member]);
    let response = DescribeGroupsResponse::default().with_groups(vec![group]);
    let (read, _reply) = reply::<DescribeGroupsRequest>(&tenant, &mut memory, 5, answer, &response);
    assert_eq!(read.groups[0].members[0].client_host.as_str(), "/gateway.test");

    let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![text("g1").into()]);
    let (_sent, answer) = ask(&tenant, &mut memory, 1, &request).forwarded();
    let member = consumer_group_describe_response::Member::default().with_client_host(inner());
    let group = consumer_group_describe_response::DescribedGroup::default()
        .with_group_id(text(&prefix("g1")).into())
        .with_members(vec![member]);
    let response = ConsumerGroupDescribeResponse::default().with_groups(vec![group]);
    let (read, _reply) = reply::<ConsumerGroupDescribeRequest>(&tenant, &mut memory, 1, answer, &response);
    assert_eq!(read.groups[0].members[0].client_host.as_str(), "/gateway.test");
}

#[test]
fn coordinators_are_found_under_the_gateways_addresses() {
    let tenant = tenant("key_reader");
    let mut memory = Memory::default();
    let request = FindCoordinatorRequest::default()
        .with_key_type(0)
        .with_coordinator_keys(vec![text("g1"), text("other")]);
    let (sent, answer) = ask(&tenant, &mut memory, 4, &request).forwarded();
    assert_eq!(sent.coordinator_keys, [text(&prefix("g1"))]);
    let found = Coordinator::default()
        .with_key(text(&prefix("g1")))
        .with_node_id(3.into())
        .with_host(text("10.0.0.9"))
        .with_port(9092);
    let response = FindCoordinatorResponse::default().with_coordinators(vec![found]);
    let (read, _reply) = reply::<FindCoordinatorRequest>(&tenant, &mut memory, 4, answer, &response);
    assert_eq!(read.coordinators[0].key.as_str(), "g1");
    assert_eq!(
        (read.coordinators[0].host.as_str(), read.coordinators[0].port),
        ("gateway.test", 9653)
    );
    assert_eq!(read.coordinators[1].error_code, code::GROUP_AUTHORIZATION_FAILED);
    let share = FindCoordinatorRequest::default()
        .with_key_type(2)
        .with_key(text("g1"));
    let answered = ask(&tenant, &mut memory, 3, &share).answered();
    assert_eq!(answered.error_code, code::INVALID_REQUEST);
}

fn beat(
    member: &str,
    names: Option<&[&str]>,
    pattern: Option<&str>,
    epoch: i32,
) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(text("g1").into())
        .with_member_id(text(member))
        .with_member_epoch(epoch)
        .with_subscribed_topic_names(names.map(|it| it.iter().map(|name| text(name).into()).collect()))
        .with_subscribed_topic_regex(pattern.map(text))
        .with_topic_partitions(None)
}

fn told(tenant: &Tenant, beat: &ConsumerGroupHeartbeatRequest) -> Option<Vec<String>> {
    let (sent, _answer) = ask(tenant, &mut Memory::default(), 1, beat).forwarded();
    assert_eq!(
        sent.subscribed_topic_regex, None,
        "no pattern ever reaches the broker"
    );
    let names = sent.subscribed_topic_names;
    names.map(|it| it.iter().map(|name| name.to_string()).collect())
}

#[test]
fn patterns_are_resolved_here_and_anew_when_topics_come() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let mut snapshot = sample::snapshot();
    let later = snapshot.clusters[0].topics.remove(1);
    let mut grant = snapshot.grants[0].clone();
    grant.pattern = "g1".to_owned();
    grant.principal_id = "writer".to_owned();
    snapshot.grants.push(grant);
    let tenant = tenant_of(&snapshot, "key_writer", &shared);
    let first = told(&tenant, &beat("m", None, Some("ord.*|pay.*|^zzz$"), 0));
    assert_eq!(first, Some(vec![prefix("orders")]));
    assert_eq!(told(&tenant, &beat("m", None, None, 1)), None, "nothing changed");
    snapshot.clusters[0].topics.push(later);
    let tenant = tenant_of(&snapshot, "key_writer", &shared);
    let both = Some(vec![prefix("orders"), prefix("payments")]);
    assert_eq!(told(&tenant, &beat("m", None, None, 1)), both);
    assert_eq!(told(&tenant, &beat("m", None, None, 1)), None);
    let named = Some(vec![prefix("secret")]);
    assert_eq!(told(&tenant, &beat("m", Some(&["secret"]), Some(""), 1)), named);
    assert_eq!(told(&tenant, &beat("m", None, None, -1)), None);
    assert_eq!(
        told(&tenant, &beat("m", None, None, 1)),
        None,
        "it left, and is forgotten"
    );
}

#[test]
fn a_pattern_matches_only_what_may_be_seen() {
    let tenant = tenant("key_reader");
    assert_eq!(
        told(&tenant, &beat("m", None, Some(".*"), 0)),
        Some(vec![prefix("orders")])
    );
    let refused = |beat: ConsumerGroupHeartbeatRequest| {
        ask(&tenant, &mut Memory::default(), 1, &beat)
            .answered()
            .error_code
    };
    assert_eq!(
        refused(beat("m", Some(&["orders", "payments"]), None, 0)),
        code::TOPIC_AUTHORIZATION_FAILED
    );
    assert_eq!(
        refused(beat("m", None, Some("(["), 0)),
        code::INVALID_REGULAR_EXPRESSION
    );
}

#[test]
fn assignments_name_virtual_ids_and_nothing_foreign() {
    let tenant = tenant("key_reader");
    let mut memory = Memory::default();
    let (_sent, answer) = ask(&tenant, &mut memory, 1, &beat("m", Some(&["orders"]), None, 0)).forwarded();
    let assigned = [1, 2, 4].map(|id| TopicPartitions::default().with_topic_id(sample::physical_id(id)));
    let response = ConsumerGroupHeartbeatResponse::default().with_assignment(Some(
        Assignment::default().with_topic_partitions(assigned.to_vec()),
    ));
    let (read, _reply) = reply::<ConsumerGroupHeartbeatRequest>(&tenant, &mut memory, 1, answer, &response);
    let ids: Vec<_> = read
        .assignment
        .unwrap()
        .topic_partitions
        .iter()
        .map(|it| it.topic_id)
        .collect();
    assert_eq!(ids, [tenant.cluster.by_name("orders").unwrap().virtual_id]);
}

#[test]
fn transactions_need_the_right_to_write() {
    let mut memory = Memory::default();
    let reader = tenant("key_reader");
    let end = EndTxnRequest::default().with_transactional_id(text("g1").into());
    let answered = ask(&reader, &mut memory, 4, &end).answered();
    assert_eq!(answered.error_code, code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let begin = InitProducerIdRequest::default().with_transactional_id(Some(text("g1").into()));
    let answered = ask(&reader, &mut memory, 4, &begin).answered();
    assert_eq!(answered.error_code, code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let plain = InitProducerIdRequest::default().with_transactional_id(None);
    let answered = ask(&reader, &mut memory, 4, &plain).answered();
    assert_eq!(answered.error_code, code::CLUSTER_AUTHORIZATION_FAILED);
    let writer = tenant("key_writer");
    let (sent, _answer) = ask(&writer, &mut memory, 4, &begin).forwarded();
    assert_eq!(sent.transactional_id.unwrap().as_str(), prefix("g1"));
    let (_sent, _answer) = ask(&writer, &mut memory, 4, &plain).forwarded();
}

#[test]
fn one_refused_partition_stops_the_addition_of_all() {
    let mut snapshot = sample::snapshot();
    snapshot.grants[2].pattern = "orders".to_owned();
    let mut transaction = snapshot.grants[2].clone();
    transaction.pattern = "tx".to_owned();
    snapshot.grants.push(transaction);
    let folder = tempfile::tempdir().unwrap();
    let tenant = tenant_of(&snapshot, "key_writer", &shared(folder.path()));
    let topics = ["orders", "payments"].map(|name| {
        AddPartitionsToTxnTopic::default()
            .with_name(text(name).into())
            .with_partitions(vec![0])
    });
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(text("tx").into())
        .with_v3_and_below_topics(topics.to_vec());
    let answered = ask(&tenant, &mut Memory::default(), 3, &request).answered();
    let codes: Vec<_> = answered
        .results_by_topic_v3_and_below
        .iter()
        .map(|it| it.results_by_partition[0].partition_error_code)
        .collect();
    assert_eq!(
        codes,
        [code::OPERATION_NOT_ATTEMPTED, code::TOPIC_AUTHORIZATION_FAILED]
    );
}

#[test]
fn brokers_configurations_are_nobodys_to_read() {
    let tenant = tenant("key_reader");
    let resources = [(4, "1"), (8, "x"), (32, "g1"), (32, "other")].map(|(kind, name)| {
        DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
    });
    let request = DescribeConfigsRequest::default().with_resources(resources.to_vec());
    let answered = ask(&tenant, &mut Memory::default(), 4, &request).answered();
    let codes: Vec<_> = answered.results.iter().map(|it| it.error_code).collect();
    let expected = [
        code::NONE,
        code::CLUSTER_AUTHORIZATION_FAILED,
        code::NONE,
        code::GROUP_AUTHORIZATION_FAILED,
    ];
    assert_eq!(codes, expected);
    assert!(answered.results.iter().all(|it| it.configs.is_empty()));
}
