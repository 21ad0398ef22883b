//! Administration: what becomes a wish, what its results are to a client, what is forwarded, what is answered here.

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::DeleteRecordsTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_log_dirs_response::{DescribeLogDirsResult, DescribeLogDirsTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    AlterClientQuotasRequest, CreateAclsRequest, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteGroupsRequest, DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest,
    DescribeAclsRequest, DescribeLogDirsRequest, DescribeLogDirsResponse, ElectLeadersRequest,
    IncrementalAlterConfigsRequest, ListConfigResourcesRequest, OffsetDeleteRequest,
};
use weir_proto::agent::v1::{
    AccessRole, Config, ConfigOperation, IntentKind, IntentOutcome, IntentResult, TopicConfigKey,
    TopicConfigWord,
};

use weir_proto::lane::v1::{Ban, BannedAct};

use super::*;
use crate::intents::own_result;

/// `b`'s administrator; its one topic is number 4, orders.
fn administrator() -> Tenant {
    tenant("key_other")
}

fn topic(name: &str) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(text(name).into())
        .with_num_partitions(-1)
        .with_replication_factor(-1)
}

fn creation(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(30_000)
}

fn finished<R: Request>(finish: Finish, results: Vec<IntentResult>, version: i16) -> R::Response {
    client_reads::<R>(&[finish(results).unwrap()], version)
}

/// A topic with a setting of each form.
fn configured() -> CreatableTopic {
    let config = |name: &str, value: &str| {
        CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    };
    topic("new").with_num_partitions(3).with_configs(vec![
        config("cleanup.policy", "delete, compact"),
        config("retention.ms", "-1"),
        config("min.cleanable.dirty.ratio", "0.5"),
    ])
}

#[test]
fn a_creation_is_a_wish_with_the_principals_name_and_no_text() {
    let tenant = administrator();
    for version in 2..=7 {
        let request = creation(vec![configured()]).with_validate_only(true);
        let (wishes, _finish) = ask(&tenant, &mut Memory::default(), version, &request).wished();
        let [wish] = &wishes[..] else {
            panic!("one topic, one wish")
        };
        let named = (wish.kind(), wish.topic_name.as_str());
        assert_eq!(named, (IntentKind::CreateTopic, "new"));
        let whose = (wish.principal_id.as_str(), &*wish.cluster_id);
        assert_eq!(whose, ("other", &*tenant.cluster.id));
        let numbers = (wish.partitions, wish.replication_factor, wish.wait_ms);
        assert_eq!(numbers, (3, 0, 24_000));
        assert!(wish.validate_only);
        let sent = |it: &weir_proto::agent::v1::TopicConfig| {
            assert_eq!(it.operation(), ConfigOperation::Set);
            (it.key(), it.number, it.word())
        };
        let none = TopicConfigWord::Unspecified;
        assert_eq!(
            wish.configs.iter().map(sent).collect::<Vec<_>>(),
            [
                (TopicConfigKey::CleanupPolicy, 0, TopicConfigWord::CompactDelete),
                (TopicConfigKey::RetentionMs, -1, none),
                (TopicConfigKey::MinCleanableDirtyRatio, 500_000_000, none),
            ]
        );
    }
}

#[test]
fn a_creation_is_answered_with_id_partitions_and_settings() {
    let tenant = administrator();
    for version in 2..=7 {
        let request = creation(vec![topic("new")]);
        let (wishes, finish) = ask(&tenant, &mut Memory::default(), version, &request).wished();
        let made = IntentResult {
            topic_id: sample::topic_id(9),
            partitions: 3,
            replication_factor: 1,
            configs: vec![Config {
                name: "retention.ms".to_owned(),
                value: "-1".to_owned(),
            }],
            ..own_result(&wishes[0], IntentOutcome::Accepted, "")
        };
        let answer = finished::<CreateTopicsRequest>(finish, vec![made], version);
        let it = &answer.topics[0];
        let said = (it.name.as_str(), it.error_code, &it.error_message);
        assert_eq!(said, ("new", code::NONE, &None));
        if version >= 5 {
            assert_eq!((it.num_partitions, it.replication_factor), (3, 1));
            assert_eq!(it.configs.as_ref().unwrap()[0].name.as_str(), "retention.ms");
        }
        if version >= 7 {
            let id = crate::gateway::view::uuid_of_type_id(&sample::topic_id(9));
            assert_eq!(Some(it.topic_id), id);
        }
    }
}

#[test]
fn what_is_refused_here_is_no_wish_and_each_item_has_its_own_answer() {
    let tenant = administrator();
    let odd = |name: &str, value: &str| {
        let config = CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)));
        topic("odd").with_configs(vec![config])
    };
    let placed = kafka_protocol::messages::create_topics_request::CreatableReplicaAssignment::default();
    for (asked, expected) in [
        (topic("sp ace"), code::INVALID_TOPIC_EXCEPTION),
        (topic(""), code::INVALID_TOPIC_EXCEPTION),
        (topic(&"x".repeat(201)), code::INVALID_TOPIC_EXCEPTION),
        (topic("x").with_num_partitions(0), code::INVALID_PARTITIONS),
        (
            topic("x").with_replication_factor(0),
            code::INVALID_REPLICATION_FACTOR,
        ),
        (
            topic("x").with_assignments(vec![placed]),
            code::INVALID_REPLICA_ASSIGNMENT,
        ),
        (odd("retention.ms", "canary"), code::INVALID_CONFIG),
        (
            odd("unclean.leader.election.enable", "true"),
            code::INVALID_CONFIG,
        ),
    ] {
        let request = creation(vec![asked]);
        let answer = ask(&tenant, &mut Memory::default(), 7, &request).answered();
        assert_eq!(answer.topics[0].error_code, expected);
        let said = answer.topics[0].error_message.as_ref().unwrap();
        assert!(!said.contains("canary"), "values are not repeated: {said}");
    }
    let request = creation(vec![
        topic("a"),
        topic("twice"),
        topic("sp ace"),
        topic("twice"),
        topic("b"),
    ]);
    let (wishes, finish) = ask(&tenant, &mut Memory::default(), 7, &request).wished();
    assert_eq!(
        wishes.iter().map(|it| it.topic_name.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    let results = vec![
        own_result(&wishes[0], IntentOutcome::Exists, "It is there."),
        own_result(&wishes[1], IntentOutcome::OverQuota, ""),
    ];
    let answer = finished::<CreateTopicsRequest>(finish, results, 7);
    let codes: Vec<_> = answer
        .topics
        .iter()
        .map(|it| (it.name.to_string(), it.error_code))
        .collect();
    let expected = [
        ("a", code::TOPIC_ALREADY_EXISTS),
        ("twice", code::INVALID_REQUEST),
        ("sp ace", code::INVALID_TOPIC_EXCEPTION),
        ("twice", code::INVALID_REQUEST),
        ("b", code::THROTTLING_QUOTA_EXCEEDED),
    ];
    assert_eq!(codes, expected.map(|(name, code)| (name.to_owned(), code)));
    assert_eq!(answer.topics[0].error_message, Some(text("It is there.")));
    assert!(answer.throttle_time_ms > 0, "who is over a quota is to pause");
}

#[test]
fn every_outcome_has_kafkas_word_in_every_version() {
    let tenant = administrator();
    let expected = [
        (IntentOutcome::Denied, code::TOPIC_AUTHORIZATION_FAILED),
        (IntentOutcome::Invalid, code::INVALID_REQUEST),
        (IntentOutcome::Unsupported, code::POLICY_VIOLATION),
        (IntentOutcome::Exists, code::TOPIC_ALREADY_EXISTS),
        (IntentOutcome::NotFound, code::UNKNOWN_TOPIC_OR_PARTITION),
        (IntentOutcome::InvalidName, code::INVALID_TOPIC_EXCEPTION),
        (IntentOutcome::InvalidPartitions, code::INVALID_PARTITIONS),
        (
            IntentOutcome::InvalidReplicationFactor,
            code::INVALID_REPLICATION_FACTOR,
        ),
        (IntentOutcome::InvalidConfig, code::INVALID_CONFIG),
        (IntentOutcome::TimedOut, code::REQUEST_TIMED_OUT),
        (IntentOutcome::PolicyRefused, code::POLICY_VIOLATION),
        (IntentOutcome::Unavailable, code::POLICY_VIOLATION),
        (IntentOutcome::Failed, code::UNKNOWN_SERVER_ERROR),
    ];
    for version in 2..=7 {
        let said = |outcome| {
            let request = creation(vec![topic("new")]);
            let (wishes, finish) = ask(&tenant, &mut Memory::default(), version, &request).wished();
            let result = own_result(&wishes[0], outcome, "");
            let answer = finished::<CreateTopicsRequest>(finish, vec![result], version);
            assert!(answer.topics[0].error_message.is_some(), "each refusal says why");
            answer.topics[0].error_code
        };
        for (outcome, code) in expected {
            assert_eq!(said(outcome), code, "{outcome:?}");
        }
        let quota = if version >= 6 {
            code::THROTTLING_QUOTA_EXCEEDED
        } else {
            code::POLICY_VIOLATION
        };
        assert_eq!(said(IntentOutcome::OverQuota), quota);
    }
}

#[test]
fn only_administrators_wish() {
    for key in ["key_reader", "key_writer"] {
        let tenant = tenant(key);
        let mut memory = Memory::default();
        let denied = code::TOPIC_AUTHORIZATION_FAILED;
        let created = ask(&tenant, &mut memory, 7, &creation(vec![topic("new")])).answered();
        assert_eq!(created.topics[0].error_code, denied);
        let by_name = DeleteTopicState::default().with_name(Some(text("orders").into()));
        let orders = tenant.cluster.by_name("orders").unwrap().virtual_id;
        let by_id = DeleteTopicState::default().with_topic_id(orders);
        let delete = DeleteTopicsRequest::default().with_topics(vec![by_name, by_id]);
        let deleted = ask(&tenant, &mut memory, 6, &delete).answered();
        assert!(deleted.responses.iter().all(|it| it.error_code == denied));
        let grow = CreatePartitionsTopic::default()
            .with_name(text("orders").into())
            .with_count(9)
            .with_assignments(None);
        let grow = CreatePartitionsRequest::default().with_topics(vec![grow]);
        assert_eq!(
            ask(&tenant, &mut memory, 3, &grow).answered().results[0].error_code,
            denied
        );
        let alter = alteration(2, "orders", "retention.ms", 0, Some("1"));
        assert_eq!(
            ask(&tenant, &mut memory, 1, &alter).answered().responses[0].error_code,
            denied
        );
        let records = DeleteRecordsTopic::default().with_name(text("orders").into());
        let records = DeleteRecordsRequest::default().with_topics(vec![records]);
        let (sent, _answer) = ask(&tenant, &mut memory, 2, &records).forwarded();
        assert!(sent.topics.is_empty(), "nothing is deleted for {key}");
    }
}

#[test]
fn topics_go_by_name_and_by_id_and_only_own_ones() {
    let tenant = administrator();
    let own = tenant.cluster.by_name("orders").unwrap();
    let state = DeleteTopicState::default;
    let foreign = crate::gateway::view::uuid_of_type_id(&sample::topic_id(2)).unwrap();
    let request = DeleteTopicsRequest::default()
        .with_timeout_ms(1000)
        .with_topics(vec![
            state().with_topic_id(own.virtual_id),
            state().with_topic_id(foreign),
            state().with_name(Some(text("payments").into())),
            state()
                .with_name(Some(text("orders").into()))
                .with_topic_id(own.virtual_id),
        ]);
    let (wishes, finish) = ask(&tenant, &mut Memory::default(), 6, &request).wished();
    assert_eq!(wishes.len(), 1);
    assert_eq!((wishes[0].topic_id.as_str(), wishes[0].wait_ms), (&*own.id, 800));
    let done = own_result(&wishes[0], IntentOutcome::Accepted, "");
    let answer = finished::<DeleteTopicsRequest>(finish, vec![done], 6);
    let codes: Vec<i16> = answer.responses.iter().map(|it| it.error_code).collect();
    let expected = [
        code::NONE,
        code::UNKNOWN_TOPIC_ID,
        code::UNKNOWN_TOPIC_OR_PARTITION,
        code::INVALID_REQUEST,
    ];
    assert_eq!(codes, expected);
    assert_eq!(answer.responses[0].name, Some(text("orders").into()));
    assert_eq!(answer.responses[1].name, None);
    for version in 1..=5 {
        let request = DeleteTopicsRequest::default().with_topic_names(vec![text("orders").into()]);
        let (wishes, finish) = ask(&tenant, &mut Memory::default(), version, &request).wished();
        let done = own_result(&wishes[0], IntentOutcome::Accepted, "");
        let answer = finished::<DeleteTopicsRequest>(finish, vec![done], version);
        assert_eq!(answer.responses[0].error_code, code::NONE);
    }
}

fn alteration(
    kind: i8,
    name: &str,
    setting: &str,
    operation: i8,
    value: Option<&str>,
) -> IncrementalAlterConfigsRequest {
    let config = AlterableConfig::default()
        .with_name(text(setting))
        .with_config_operation(operation)
        .with_value(value.map(text));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(vec![config]);
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

#[test]
fn settings_change_by_operation_and_of_topics_only() {
    let tenant = administrator();
    let mut memory = Memory::default();
    for (operation, value, sent) in [
        (0, Some("compact"), ConfigOperation::Set),
        (1, None, ConfigOperation::Reset),
        (2, Some("compact"), ConfigOperation::Add),
        (3, Some("delete"), ConfigOperation::Remove),
    ] {
        let request = alteration(2, "orders", "cleanup.policy", operation, value);
        let (wishes, _finish) = ask(&tenant, &mut memory, 1, &request).wished();
        assert_eq!(wishes[0].configs[0].operation(), sent);
        assert!(!wishes[0].replace_configs);
    }
    for (request, expected) in [
        (
            alteration(4, "1", "log.dirs", 0, Some("x")),
            code::CLUSTER_AUTHORIZATION_FAILED,
        ),
        (
            alteration(2, "orders", "retention.ms", 2, Some("1")),
            code::INVALID_CONFIG,
        ),
        (
            alteration(2, "orders", "retention.ms", 9, Some("1")),
            code::INVALID_REQUEST,
        ),
        (
            alteration(2, "orders", "retention.ms", 0, None),
            code::INVALID_CONFIG,
        ),
        (
            alteration(2, "nowhere", "retention.ms", 0, Some("1")),
            code::UNKNOWN_TOPIC_OR_PARTITION,
        ),
    ] {
        let answer = ask(&tenant, &mut memory, 1, &request).answered();
        assert_eq!(answer.responses[0].error_code, expected, "{request:?}");
    }
}

#[test]
fn sizes_are_of_own_topics_in_one_folder_without_a_path() {
    let tenant = tenant("key_reader");
    let mut memory = Memory::default();
    let all = DescribeLogDirsRequest::default().with_topics(None);
    for version in 1..=4 {
        let (_sent, answer) = ask(&tenant, &mut memory, version, &all).forwarded();
        let held = |name: String| DescribeLogDirsTopic::default().with_name(text(&name).into());
        let folder = |path: &str, error, topics| {
            DescribeLogDirsResult::default()
                .with_log_dir(text(path))
                .with_error_code(error)
                .with_topics(topics)
                .with_total_bytes(1 << 40)
                .with_usable_bytes(1 << 39)
        };
        let mut results = vec![
            folder(
                "/var/kafka/a",
                0,
                vec![
                    held(prefix("orders")),
                    held(prefix("secret")),
                    held("__consumer_offsets".to_owned()),
                ],
            ),
            folder(
                "/var/kafka/b",
                0,
                vec![held(format!("w{}-orders", sample::B)), held(prefix("orders"))],
            ),
            folder("/var/kafka/c", 56, Vec::new()),
        ];
        if version < 4 {
            for it in &mut results {
                (it.total_bytes, it.usable_bytes) = (-1, -1);
            }
        }
        let response = DescribeLogDirsResponse::default().with_results(results);
        let (read, _reply) =
            reply::<DescribeLogDirsRequest>(&tenant, &mut memory, version, answer, &response);
        let [only] = &read.results[..] else {
            panic!("one folder")
        };
        assert_eq!((only.log_dir.as_str(), only.error_code), ("/logical", code::NONE));
        let names: Vec<_> = only.topics.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["orders", "orders"]);
        assert_eq!((only.total_bytes, only.usable_bytes), (-1, -1));
    }
    let asked = |name: &str| DescribableLogDirTopic::default().with_topic(text(name).into());
    let named = DescribeLogDirsRequest::default().with_topics(Some(vec![asked("orders"), asked("secret")]));
    let (sent, _answer) = ask(&tenant, &mut memory, 4, &named).forwarded();
    assert_eq!(sent.topics.unwrap()[0].topic.as_str(), prefix("orders"));
    let none = DescribeLogDirsRequest::default().with_topics(Some(vec![asked("secret")]));
    let answered = ask(&tenant, &mut memory, 4, &none).answered();
    assert!(
        answered.results[0].topics.is_empty(),
        "an empty list would mean all"
    );
}

#[test]
fn groups_and_their_offsets_are_a_developers_to_delete() {
    let mut memory = Memory::default();
    let groups = DeleteGroupsRequest::default().with_groups_names(vec![text("g1").into()]);
    let offsets = OffsetDeleteRequest::default().with_group_id(text("g1").into());
    let reader = tenant("key_reader");
    let answered = ask(&reader, &mut memory, 2, &groups).answered();
    assert_eq!(answered.results[0].error_code, code::GROUP_AUTHORIZATION_FAILED);
    let answered = ask(&reader, &mut memory, 0, &offsets).answered();
    assert_eq!(answered.error_code, code::GROUP_AUTHORIZATION_FAILED);
    let writer = tenant("key_writer");
    let (sent, _answer) = ask(&writer, &mut memory, 2, &groups).forwarded();
    assert_eq!(sent.groups_names[0].as_str(), prefix("g1"));
    let (sent, _answer) = ask(&writer, &mut memory, 0, &offsets).forwarded();
    assert_eq!(sent.group_id.as_str(), prefix("g1"));
}

#[test]
fn what_the_customers_policy_bans_does_not_reach_the_broker() {
    let mut memory = Memory::default();
    let banned = |key: &str| {
        let mut snapshot = sample::snapshot();
        let ban = |act: BannedAct, pattern: &str| Ban {
            act: act.into(),
            pattern: pattern.to_owned(),
        };
        snapshot.bans = vec![
            ban(BannedAct::DeleteGroup, "g*"),
            ban(BannedAct::DeleteRecords, "orders"),
        ];
        let folder = tempfile::tempdir().unwrap();
        tenant_of(&snapshot, key, &shared(folder.path()))
    };
    let groups = DeleteGroupsRequest::default().with_groups_names(vec![text("g1").into(), text("h").into()]);
    let (sent, _answer) = ask(&banned("key_writer"), &mut memory, 2, &groups).forwarded();
    assert_eq!(sent.groups_names.len(), 1, "the other one only");
    let groups = DeleteGroupsRequest::default().with_groups_names(vec![text("g1").into()]);
    let answered = ask(&banned("key_writer"), &mut memory, 2, &groups).answered();
    assert_eq!(answered.results[0].error_code, code::POLICY_VIOLATION);
    let answered = ask(&banned("key_reader"), &mut memory, 2, &groups).answered();
    assert_eq!(
        answered.results[0].error_code,
        code::GROUP_AUTHORIZATION_FAILED,
        "who may not hears only that"
    );
    let records = DeleteRecordsRequest::default().with_topics(vec![
        DeleteRecordsTopic::default().with_name(text("orders").into()),
    ]);
    let tenant = banned("key_other");
    let (sent, answer) = ask(&tenant, &mut memory, 2, &records).forwarded();
    assert!(sent.topics.is_empty());
    let none = DeleteRecordsResponse::default();
    let (told, _reply) = reply::<DeleteRecordsRequest>(&tenant, &mut memory, 2, answer, &none);
    assert_eq!(told.topics[0].name.as_str(), "orders");
}

fn acls(tenant: &Tenant, request: &DescribeAclsRequest) -> Vec<(String, i8, i8, String, i8)> {
    let answer = ask(tenant, &mut Memory::default(), 3, request).answered();
    assert_eq!(answer.error_code, code::NONE);
    let lines = answer.resources.iter().flat_map(|resource| {
        resource.acls.iter().map(|acl| {
            assert_eq!((acl.host.as_str(), acl.permission_type), ("*", 3));
            (
                acl.principal.to_string(),
                resource.resource_type,
                resource.pattern_type,
                resource.resource_name.to_string(),
                acl.operation,
            )
        })
    });
    lines.collect()
}

fn any() -> DescribeAclsRequest {
    DescribeAclsRequest::default()
        .with_resource_type_filter(1)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(1)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(1)
        .with_permission_type(1)
}

#[test]
fn acls_are_what_the_roles_mean_and_others_are_an_administrators_to_see() {
    let reader = tenant("key_reader");
    let seen = acls(&reader, &any());
    assert!(seen.iter().all(|it| it.0 == "User:reader"));
    assert!(
        seen.contains(&("User:reader".to_owned(), 2, 3, "orders".to_owned(), 3)),
        "{seen:?}"
    );
    assert!(
        seen.contains(&("User:reader".to_owned(), 3, 4, "g".to_owned(), 3)),
        "prefixed: {seen:?}"
    );
    assert!(!seen.iter().any(|it| it.4 == 4), "a reader writes nothing");
    // What is described is what is allowed.
    let writing = any().with_operation(4).with_resource_type_filter(2);
    let writer = tenant("key_writer");
    assert_eq!(
        acls(&writer, &writing),
        [("User:writer".to_owned(), 2, 3, "*".to_owned(), 4)]
    );
    let of_orders = any()
        .with_resource_type_filter(2)
        .with_pattern_type_filter(2)
        .with_resource_name_filter(Some(text("orders")))
        .with_operation(3);
    assert_eq!(acls(&writer, &of_orders).len(), 1, "a star matches");
    let literal = of_orders.clone().with_pattern_type_filter(3);
    assert!(acls(&writer, &literal).is_empty());
    assert!(
        acls(&writer, &any().with_permission_type(2)).is_empty(),
        "nothing is denied by rule"
    );
    let of_reader = any().with_principal_filter(Some(text("User:reader")));
    assert!(acls(&writer, &of_reader).is_empty());

    let folder = tempfile::tempdir().unwrap();
    let mut snapshot = sample::snapshot();
    snapshot.grants[2].role = AccessRole::Admin.into();
    let admin = tenant_of(&snapshot, "key_writer", &shared(folder.path()));
    let seen = acls(&admin, &any());
    assert!(seen.iter().any(|it| it.0 == "User:reader"));
    assert!(
        !seen.iter().any(|it| it.0 == "User:other"),
        "of its own cluster only"
    );
    snapshot.grants[2].pattern = "pay*".to_owned();
    let partial = tenant_of(&snapshot, "key_writer", &shared(folder.path()));
    assert!(acls(&partial, &any()).iter().all(|it| it.0 == "User:writer"));
}

#[test]
fn what_is_managed_elsewhere_says_so() {
    let tenant = administrator();
    let mut memory = Memory::default();
    let acl = kafka_protocol::messages::create_acls_request::AclCreation::default();
    let request = CreateAclsRequest::default().with_creations(vec![acl]);
    let answer = ask(&tenant, &mut memory, 3, &request).answered();
    assert_eq!(answer.results[0].error_code, code::POLICY_VIOLATION);
    assert!(
        answer.results[0]
            .error_message
            .as_ref()
            .unwrap()
            .contains("/v1/role-bindings")
    );
    let entry = kafka_protocol::messages::alter_client_quotas_request::EntryData::default();
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    let answer = ask(&tenant, &mut memory, 1, &request).answered();
    assert_eq!(answer.entries[0].error_code, code::POLICY_VIOLATION);
    let elections = ElectLeadersRequest::default().with_topic_partitions(None);
    let answer = ask(&tenant, &mut memory, 2, &elections).answered();
    assert_eq!(answer.error_code, code::CLUSTER_AUTHORIZATION_FAILED);
}

#[test]
fn topics_are_the_only_resources_with_settings() {
    let tenant = tenant("key_reader");
    let listed = |version, types: &[i8]| -> Vec<String> {
        let request = ListConfigResourcesRequest::default().with_resource_types(types.to_vec());
        let answer = ask(&tenant, &mut Memory::default(), version, &request).answered();
        let names = answer
            .config_resources
            .iter()
            .map(|it| it.resource_name.to_string());
        names.collect()
    };
    assert_eq!(listed(1, &[]), ["orders"]);
    assert_eq!(listed(1, &[2, 4]), ["orders"]);
    assert!(listed(1, &[16]).is_empty());
    assert!(listed(0, &[]).is_empty());
}

/// Whatever a request holds, and whatever a broker or the control plane answers: no name of the broker's is shown.
#[test]
fn no_answer_of_any_administrative_request_shows_a_physical_name() {
    let tenant = administrator();
    let own = format!("w{}-", sample::B);
    for (key, least, greatest) in table::TABLE {
        for version in least..=greatest {
            for seed in 1..30 {
                let frame = match planned(&tenant, key, version, seed) {
                    Ok(Plan::Wish(wishes, finish)) => {
                        let detail = "No.";
                        let results = wishes
                            .iter()
                            .map(|it| own_result(it, IntentOutcome::Failed, detail));
                        finish(results.collect()).unwrap()
                    }
                    Ok(Plan::Local(frame)) => frame,
                    _forwarded_or_refused => continue,
                };
                let shown = frame.windows(own.len()).any(|it| it == own.as_bytes());
                assert!(!shown, "{key:?} {version}");
            }
        }
    }
}
