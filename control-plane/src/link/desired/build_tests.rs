//! Building a desired state: names, order, grants.

use super::*;
use prost::Message as _;

const TENANT: Uuid = Uuid::from_u128(0x10);
const ACCOUNT: Uuid = Uuid::from_u128(0x40);

fn uuid(bits: u128) -> Uuid {
    Uuid::from_u128(bits)
}

fn rows() -> Rows {
    let topic = |id: u128, name: &str| TopicRow {
        id: uuid(id),
        cluster_id: uuid(0x30),
        name: name.to_owned(),
        partitions: 6,
        retention_ms: 604_800_000,
        retention_bytes: -1,
        cleanup_policy: "COMPACT_DELETE".to_owned(),
        max_message_bytes: 1_048_588,
        configs: BTreeMap::from([("segment.ms".to_owned(), "1000".to_owned())]),
        adopted: false,
        changed_settings: Vec::new(),
        contract: None,
        mount: None,
        mirror: None,
        deleted: id == 0x52,
    };
    Rows {
        pools: vec![PoolRow {
            id: uuid(0x20),
            name: "main".to_owned(),
            brokers: 3,
            attached: None,
            restart_nonce: 2,
            deleted: false,
        }],
        clusters: vec![ClusterRow {
            id: uuid(0x30),
            tenant_id: TENANT,
            environment_id: uuid(0x11),
            environment_name: "prod".to_owned(),
            broker_pool_id: uuid(0x20),
            name: "cards".to_owned(),
            access: ClusterAccess::Gateway,
            adopts: false,
            kafka_cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            deleted: false,
        }],
        topics: vec![topic(0x52, "payments"), topic(0x51, "orders")],
        keys: vec![KeyRow {
            id: uuid(0x60),
            service_account_id: ACCOUNT,
            cluster_id: uuid(0x30),
            secret_sha256: vec![1; 32],
            scram_iterations: 4096,
            scram_256: ScramRow {
                salt: vec![2],
                stored_key: vec![3],
                server_key: vec![4],
            },
            scram_512: ScramRow {
                salt: vec![5],
                stored_key: vec![6],
                server_key: vec![7],
            },
            sealed: None,
            expires_at_unix_seconds: 0,
            public_key_sha256: Vec::new(),
        }],
        bindings: vec![binding(
            TENANT,
            ACCOUNT,
            "DEVELOPER",
            "environment=prod/cluster=cards/topic=pay*",
        )],
        ..Rows::default()
    }
}

fn binding(tenant_id: Uuid, service_account_id: Uuid, role: &str, resource: &str) -> BindingRow {
    BindingRow {
        tenant_id,
        service_account_id,
        role: role.to_owned(),
        resource: resource.to_owned(),
    }
}

fn data_plane() -> DataPlaneId {
    DataPlaneId::from_uuid(uuid(1))
}

#[test]
fn rows_become_the_wish() {
    let state = build(data_plane(), "https://weir", rows());
    assert_eq!(state.data_plane_id, "data_plane_00000000000000000000000001");
    assert_eq!(state.broker_pools[0].brokers, 3);
    let topic = &state.topics[0];
    assert_eq!(topic.name, "orders");
    assert_eq!(topic.physical_name, "w0000000000000000000000001g-orders");
    assert_eq!(
        (topic.partitions, topic.replication_factor, topic.deleted),
        (6, 3, false)
    );
    let configs: Vec<_> = topic
        .configs
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_str()))
        .collect();
    assert_eq!(
        configs,
        [
            ("cleanup.policy", "compact,delete"),
            ("max.message.bytes", "1048588"),
            ("retention.bytes", "-1"),
            ("retention.ms", "604800000"),
            ("segment.ms", "1000"),
        ]
    );
    assert!(state.topics[1].deleted);
    assert_eq!(state.grants.len(), 1);
    assert_eq!(
        (state.grants[0].pattern.as_str(), state.grants[0].role()),
        ("pay*", AccessRole::Developer)
    );
    let key = &state.api_keys[0];
    assert_eq!(key.scram_sha_256.as_ref().unwrap().iterations, 4096);
    assert_eq!(key.scram_sha_512.as_ref().unwrap().salt, [5]);
}

#[test]
fn a_key_by_certificate_has_a_public_key_and_nothing_that_a_secret_could_match() {
    let mut rows = rows();
    let key = &mut rows.keys[0];
    key.public_key_sha256 = vec![9; 32];
    key.secret_sha256.clear();
    for it in [&mut key.scram_256, &mut key.scram_512] {
        (it.salt, it.stored_key, it.server_key) = Default::default();
    }
    let key = &build(data_plane(), "https://weir", rows).api_keys[0];
    assert_eq!(key.public_key_sha256, [9; 32]);
    assert!(key.sha256.is_empty());
    assert_eq!((&key.scram_sha_256, &key.scram_sha_512), (&None, &None));
}

#[test]
fn the_order_of_rows_does_not_change_the_bytes() {
    let bytes = build(data_plane(), "https://weir", rows()).encode_to_vec();
    let mut turned = rows();
    turned.topics.reverse();
    turned.bindings.extend(rows().bindings);
    assert_eq!(build(data_plane(), "https://weir", turned).encode_to_vec(), bytes);
}

#[test]
fn bindings_of_strangers_and_keyless_accounts_grant_nothing() {
    let mut rows = rows();
    rows.bindings = vec![
        binding(uuid(0x99), ACCOUNT, "TENANT_ADMIN", "*"),
        binding(TENANT, uuid(0x98), "TENANT_ADMIN", "*"),
        binding(TENANT, ACCOUNT, "OPERATOR", "*"),
    ];
    assert_eq!(build(data_plane(), "https://weir", rows).grants, []);
}

#[test]
fn patterns_are_reduced_to_the_clusters_topics() {
    for (resource, expected) in [
        ("*", Some("*")),
        ("environment=prod", Some("*")),
        ("environment=prod/*", Some("*")),
        ("environment=p*", Some("*")),
        ("environment=prod/cluster=cards", Some("*")),
        ("environment=prod/cluster=cards/*", Some("*")),
        ("environment=prod/cluster=cards/topic=*", Some("*")),
        ("environment=prod/cluster=cards/top*", Some("*")),
        ("environment=prod/cluster=cards/topic=pay", Some("pay")),
        ("environment=prod/cluster=cards/topic=pay*", Some("pay*")),
        ("environment=prod/cluster=cards/topic=", None),
        ("environment=prod/cluster=cards/group=*", None),
        ("environment=prod/cluster=card", None),
        ("environment=prod/cluster=cards2", None),
        ("environment=prod/cluster=cards2/topic=pay", None),
        ("environment=test/*", None),
        ("environment=pro", None),
        ("", None),
    ] {
        let found = topic_pattern(resource, "prod", "cards");
        assert_eq!(found.as_deref(), expected, "{resource}");
    }
}

#[test]
fn an_adopted_topic_keeps_its_name_and_what_was_not_changed_is_not_wished() {
    let mut rows = rows();
    rows.topics[0].adopted = true;
    rows.topics[0].changed_settings = vec!["retention.ms".to_owned()];
    let adopted = build(Id::generate(), "https://weir.test", rows);
    let topic = adopted.topics.iter().find(|it| it.adopted).expect("adopted");
    assert_eq!(topic.physical_name, topic.name);
    let names: Vec<_> = topic.configs.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["retention.ms"]);
}

#[test]
fn a_native_cluster_has_kafkas_own_names_and_its_keys_come_sealed_and_bare() {
    let mut rows = rows();
    rows.clusters[0].access = ClusterAccess::Native;
    rows.keys[0].sealed = Some(vec![9; 80]);
    let state = build(data_plane(), "https://weir", rows);
    assert_eq!(state.clusters[0].access(), wire::ClusterAccess::Native);
    assert!(
        state
            .topics
            .iter()
            .all(|it| it.physical_name == it.name && !it.adopted)
    );
    let key = &state.api_keys[0];
    assert_eq!(key.sealed, [9; 80]);
    assert!(key.sha256.is_empty() && key.scram_sha_256.is_none() && key.scram_sha_512.is_none());
    assert_eq!(state.grants.len(), 1);
}
