//! Acting on the Kafka in memory: the customer's word, and passwords that cannot be opened.

use super::*;
use crate::platform::fake::FakeKafka;
use crate::platform::native::{Native as _, permission};
use crate::resources::native::{USER_PREFIX, diff, wish};
use weir_proto::agent::v1::{AccessRole, ApiKey, Cluster, ClusterAccess, DesiredState, Grant};

const CLUSTER: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp41";
const KEY: &str = "key_01h2xcejqtf2nbrexx3vqjhp41";

struct Bench {
    kafka: FakeKafka,
    at: PoolAddress,
    key: SealingKey,
    folder: tempfile::TempDir,
    written: Written,
    state: DesiredState,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SealingKey::generate().unwrap();
        let binding = native_binding("data_plane_1", CLUSTER, "sa_1", KEY);
        let credential = NativeCredential::derive("weirs_x").unwrap();
        let sealed = key.public().seal(&binding, &credential.to_bytes()).unwrap();
        let state = DesiredState {
            data_plane_id: "data_plane_1".to_owned(),
            clusters: vec![Cluster {
                id: CLUSTER.to_owned(),
                broker_pool_id: "pool_1".to_owned(),
                access: ClusterAccess::Native.into(),
                ..Default::default()
            }],
            api_keys: vec![ApiKey {
                id: KEY.to_owned(),
                principal_id: "sa_1".to_owned(),
                cluster_id: CLUSTER.to_owned(),
                sealed,
                ..Default::default()
            }],
            grants: vec![Grant {
                principal_id: "sa_1".to_owned(),
                cluster_id: CLUSTER.to_owned(),
                pattern: "pay*".to_owned(),
                role: AccessRole::Reader.into(),
            }],
            ..Default::default()
        };
        Self {
            kafka: FakeKafka::default(),
            at: PoolAddress {
                pool_id: "pool_1".to_owned(),
                ..PoolAddress::default()
            },
            key,
            written: Written::open(folder.path()).unwrap(),
            folder,
            state,
        }
    }

    async fn turn(&mut self, policy: &str) -> Acted {
        let wish = wish(&self.state.clusters[0], &self.state, 1, false, 0).unwrap();
        let seen = self.kafka.native_of(&self.at, 1, USER_PREFIX).await.unwrap();
        let plan = diff(&wish, &seen, |name, user| self.written.has(CLUSTER, name, user));
        let mut hands = Hands {
            policy: &Policy::parse(policy).unwrap(),
            kafka: &self.kafka,
            at: &self.at,
            key: &self.key,
            written: &mut self.written,
        };
        act(&plan, &wish, &mut hands).await.unwrap()
    }
}

#[tokio::test]
async fn a_user_gets_what_was_sealed_once() {
    let mut bench = Bench::new();
    assert!(bench.turn("").await.changed);
    let native = bench.kafka.native("pool_1");
    let sealed = &bench.state.api_keys[0].sealed;
    let binding = native_binding("data_plane_1", CLUSTER, "sa_1", KEY);
    let opened = bench.key.open(&binding, sealed).unwrap();
    assert_eq!(native.passwords[KEY].to_bytes(), opened);
    assert_eq!(bench.turn("").await, Acted::default(), "nothing is done twice");
    bench.written = Written::open(bench.folder.path()).unwrap();
    assert_eq!(bench.turn("").await, Acted::default(), "nor after a restart");
    bench.state.api_keys.clear();
    assert!(bench.turn("").await.changed);
    assert_eq!(bench.kafka.native("pool_1").seen, Default::default());
}

#[tokio::test]
async fn the_customer_can_refuse_users_and_rules_but_no_revocation() {
    let mut bench = Bench::new();
    let acted = bench.turn("refuse = [\"native.user\"]").await;
    assert_eq!(acted.forbidden, BTreeSet::from([KEY.to_owned()]));
    assert_eq!(bench.kafka.log(), Vec::<String>::new(), "Kafka was not asked");
    let acted = bench
        .turn("[[rule]]\nrefuse = [\"native.acl\"]\nname = \"pay*\"")
        .await;
    assert_eq!(acted.forbidden, BTreeSet::from([KEY.to_owned()]));
    let seen = bench.kafka.native("pool_1").seen;
    assert!(seen.users.contains_key(KEY));
    assert!(seen.acls.iter().all(|it| it.permission == permission::DENY));
    bench.turn("").await;
    assert!(bench.kafka.native("pool_1").seen.acls.iter().any(Acl::allows));
    bench.state.grants.clear();
    bench
        .turn("refuse = [\"native.user\", \"native.acl\", \"native.quota\"]")
        .await;
    assert!(!bench.kafka.native("pool_1").seen.acls.iter().any(Acl::allows));
    bench.state.api_keys.clear();
    bench
        .turn("refuse = [\"native.user\", \"native.acl\", \"native.quota\"]")
        .await;
    assert_eq!(bench.kafka.native("pool_1").seen, Default::default());
}

#[tokio::test]
async fn passwords_of_another_key_data_plane_or_agent_make_no_user() {
    let mut bench = Bench::new();
    for change in [
        |state: &mut DesiredState| state.data_plane_id = "data_plane_2".to_owned(),
        |state: &mut DesiredState| state.api_keys[0].principal_id = "sa_2".to_owned(),
        |state: &mut DesiredState| state.api_keys[0].id = KEY.replace("41", "42"),
        |state: &mut DesiredState| state.api_keys[0].sealed[40] ^= 1,
        |state: &mut DesiredState| state.api_keys[0].sealed.clear(),
    ] {
        let right = bench.state.clone();
        change(&mut bench.state);
        let acted = bench.turn("").await;
        assert!(acted.stuck.values().eq([&Reason::SealedForAnother]));
        assert_eq!(bench.kafka.native("pool_1").seen, Default::default());
        bench.state = right;
    }
    bench.turn("").await;
    bench.key = SealingKey::generate().unwrap();
    bench.written = Written::open(&bench.folder.path().join("elsewhere")).unwrap();
    std::fs::create_dir(bench.folder.path().join("elsewhere")).unwrap();
    let acted = bench.turn("").await;
    assert_eq!(
        acted,
        Acted::default(),
        "a user that is there keeps its password under a new agent"
    );
}

#[tokio::test]
async fn a_kafka_that_refuses_is_asked_again() {
    let mut bench = Bench::new();
    bench.kafka.set_refusing(Some(CLUSTER_AUTHORIZATION_FAILED));
    assert_eq!(bench.turn("").await.failed, Some(Reason::LoginTooWeak));
    bench.kafka.set_refusing(None);
    assert!(bench.turn("").await.changed);
    assert!(bench.kafka.native("pool_1").seen.users.contains_key(KEY));
}
