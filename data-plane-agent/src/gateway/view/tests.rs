//! The name map, and what a changed snapshot means for a connection. The snapshot built here serves other rooms' tests.

use weir_proto::agent::v1::{AccessRole, ApiKey, Grant};
use weir_proto::lane::v1::{Broker, LogicalCluster, LogicalTopic, Snapshot, Upstream};

use super::names::uuid_of_type_id;
use super::*;

/// Suffix of the first cluster's id.
pub const A: &str = "01jabcdefghjkmnpqrstvwxyz0";
/// Suffix of the second cluster's id.
pub const B: &str = "01jabcdefghjkmnpqrstvwxyz1";

/// The topic id of number `n`.
#[must_use]
pub fn topic_id(n: u8) -> String {
    format!("topic_01jabcdefghjkmnpqrstvwxy{n:02}")
}

/// The broker's id of topic number `n`.
#[must_use]
pub fn physical_id(n: u8) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1000)
}

use uuid::Uuid;

fn cluster(suffix: &str, topics: &[(u8, &str)]) -> LogicalCluster {
    LogicalCluster {
        id: format!("cluster_{suffix}"),
        kafka_cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        broker_pool_id: "pool_1".to_owned(),
        physical_prefix: format!("w{suffix}-"),
        own_names: false,
        topics: topics
            .iter()
            .map(|(n, name)| LogicalTopic {
                id: topic_id(*n),
                name: (*name).to_owned(),
                physical_name: format!("w{suffix}-{name}"),
                physical_id: physical_id(*n).as_bytes().to_vec(),
                partitions: 2,
                ..LogicalTopic::default()
            })
            .collect(),
    }
}

fn grant(principal: &str, suffix: &str, pattern: &str, role: AccessRole) -> Grant {
    Grant {
        principal_id: principal.to_owned(),
        cluster_id: format!("cluster_{suffix}"),
        pattern: pattern.to_owned(),
        role: role.into(),
    }
}

/// Two clusters on one pool: `a` has orders, payments and secret; `b` has orders. `reader` may read orders and groups
/// `g*` of `a`, `writer` may write everything of `a` but see nothing of `b`, `other` is `b`'s.
#[must_use]
pub fn snapshot() -> Snapshot {
    let key = |id: &str, principal: &str, suffix: &str| ApiKey {
        id: id.to_owned(),
        principal_id: principal.to_owned(),
        cluster_id: format!("cluster_{suffix}"),
        sha256: weir_credentials::sha256(id.as_bytes()).to_vec(),
        ..ApiKey::default()
    };
    Snapshot {
        version: 1,
        upstreams: vec![Upstream {
            broker_pool_id: "pool_1".to_owned(),
            brokers: vec![Broker {
                node_id: 1,
                host: "127.0.0.1".to_owned(),
                port: 9,
                place: 0,
            }],
            ..Upstream::default()
        }],
        clusters: vec![
            cluster(A, &[(1, "orders"), (2, "payments"), (3, "secret")]),
            cluster(B, &[(4, "orders")]),
        ],
        api_keys: vec![
            key("key_reader", "reader", A),
            key("key_writer", "writer", A),
            key("key_other", "other", B),
        ],
        grants: vec![
            grant("reader", A, "orders", AccessRole::Reader),
            grant("reader", A, "g*", AccessRole::Reader),
            grant("writer", A, "*", AccessRole::Developer),
            grant("other", B, "*", AccessRole::Admin),
        ],
        quotas: Vec::new(),
        token_issuers: vec![token_sample::issuer()],
        bans: Vec::new(),
        job_keys: Vec::new(),
        schemas: Vec::new(),
    }
}

fn a() -> Arc<Cluster> {
    Arc::clone(&View::build(&snapshot()).clusters[&format!("cluster_{A}")])
}

#[test]
fn a_topic_is_found_by_each_of_its_names() {
    let cluster = a();
    let topic = cluster.by_name("orders").unwrap();
    assert_eq!(topic.physical_name.as_str(), format!("w{A}-orders"));
    assert_eq!(cluster.by_physical_name(&topic.physical_name), Some(topic));
    assert_eq!(cluster.by_virtual_id(topic.virtual_id), Some(topic));
    assert_eq!(cluster.by_physical_id(physical_id(1)), Some(topic));
    assert_ne!(topic.virtual_id, topic.physical_id);
}

#[test]
fn another_cluster_has_the_same_name_and_shares_nothing() {
    let view = View::build(&snapshot());
    let (a, b) = (a(), &view.clusters[&format!("cluster_{B}")]);
    let (ours, theirs) = (a.by_name("orders").unwrap(), b.by_name("orders").unwrap());
    assert_ne!(ours.physical_name, theirs.physical_name);
    assert_eq!(a.by_physical_name(&theirs.physical_name), None);
    assert_eq!(a.by_physical_id(theirs.physical_id), None);
    assert_eq!(a.by_virtual_id(theirs.virtual_id), None);
    assert_eq!(a.by_name(&theirs.physical_name), None);
    assert_eq!(a.id_in(&b.id_out("group")), None);
    assert_eq!(a.id_in(&a.id_out("group")).unwrap().as_str(), "group");
}

#[test]
fn the_nil_id_is_nobody() {
    let mut snapshot = snapshot();
    snapshot.clusters[0].topics[0].physical_id.clear();
    let view = View::build(&snapshot);
    let cluster = &view.clusters[&format!("cluster_{A}")];
    assert!(cluster.by_name("orders").unwrap().physical_id.is_nil());
    assert_eq!(cluster.by_physical_id(Uuid::nil()), None);
    assert_eq!(cluster.by_virtual_id(Uuid::nil()), None);
}

#[test]
fn subscriptions_return_as_they_went_even_of_topics_to_come() {
    let cluster = a();
    for name in ["orders", "not-yet", ""] {
        let out = cluster.subscription_out(name);
        assert!(out.starts_with(&format!("w{A}-")));
        assert_eq!(cluster.subscription_in(&out).as_str(), name);
    }
}

#[test]
fn texts_lose_physical_names() {
    let cluster = a();
    let text = format!("topic w{A}-orders-0 and w{B}-orders of w");
    assert_eq!(cluster.text_in(&text).as_str(), "topic orders-0 and orders of w");
    assert_eq!(cluster.text_in("wwé w").as_str(), "wwé w");
}

#[test]
fn a_type_id_holds_its_uuid() {
    assert_eq!(
        uuid_of_type_id("topic_01h455vb4pex5vsknk084sn02q")
            .unwrap()
            .to_string(),
        "01890a5d-ac96-774b-bcce-b302099a8057"
    );
    for wrong in [
        "topic",
        "topic_",
        "topic_81h455vb4pex5vsknk084sn02q",
        "topic_01h455vb4pex5vsknk084sn02l",
    ] {
        assert_eq!(uuid_of_type_id(wrong), None, "{wrong}");
    }
}

#[test]
fn a_connection_stands_only_while_its_very_key_stands() {
    let view = View::build(&snapshot());
    let held = Arc::clone(&view.keys["key_reader"]);
    assert!(view.upholds(&held, 100));
    let changed = |change: fn(&mut Snapshot)| {
        let mut changed = snapshot();
        change(&mut changed);
        View::build(&changed).upholds(&held, 100)
    };
    assert!(!changed(|it| drop(it.api_keys.remove(0))));
    assert!(!changed(|it| it.api_keys[0].sha256[0] ^= 1));
    assert!(!changed(|it| it.api_keys[0].principal_id = "writer".to_owned()));
    assert!(!changed(|it| it.api_keys[0].cluster_id = format!("cluster_{B}")));
    assert!(!changed(|it| it.api_keys[0].expires_at_unix_seconds = 100));
    assert!(changed(|it| it.api_keys[0].expires_at_unix_seconds = 101));
    assert!(!changed(|it| drop(it.clusters.remove(0))));
}

#[test]
fn an_unsound_scram_verifier_opens_nothing() {
    let mut snapshot = snapshot();
    snapshot.api_keys[0].scram_sha_256 = Some(Scram {
        salt: vec![1],
        iterations: 4096,
        stored_key: Vec::new(),
        server_key: Vec::new(),
    });
    assert_eq!(View::build(&snapshot).keys["key_reader"].scram_sha_256, None);
}
