//! Administrative wishes that came by the Kafka protocol: carried out as their principal, once, and nobody else's.

use prost::Message as _;
use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{
    ConfigOperation, DesiredState, Generation, Intent, IntentKind, IntentOutcome, IntentResult, ItemStatus,
    Phase, StatusReport, TopicConfig,
};
use weir_proto::topic_config::from_text;

use crate::harness::{Bench, Caller, Door, Served, Session};
use crate::streams::id;

/// A data plane with an agent that does whatever it is told, a cluster, and a service account with a key.
struct Scene {
    bench: Bench,
    admin: Caller,
    served: Served,
    key: String,
    door: Door,
    session: Session,
}

async fn post(caller: &Caller, path: &str, spec: Value) -> Value {
    caller.post(path, &json!({"spec": spec})).await.expect(201)
}

async fn scene(role: &str, resource: &str) -> Scene {
    let bench = Bench::start().await;
    let (admin, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let account = served.account.to_string();
    let key = post(
        &admin,
        "/v1/api-keys",
        json!({"service_account": account, "cluster": served.cluster}),
    );
    let key = id(&key.await);
    let binding = json!({"principal": account, "role": role, "resource": resource});
    post(&admin, "/v1/role-bindings", binding).await;
    let door = bench.door().await;
    let token = bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled");
    let mut session = door
        .session(&identity, 1, Generation::default())
        .await
        .expect("a session");
    session.welcome().await;
    Scene {
        bench,
        admin,
        served,
        key,
        door,
        session,
    }
}

impl Scene {
    fn intent(&self, intent_id: u64, kind: IntentKind, name: &str) -> Intent {
        Intent {
            intent_id,
            kind: kind.into(),
            principal_id: self.served.account.to_string(),
            cluster_id: self.served.cluster.to_string(),
            topic_name: name.to_owned(),
            wait_ms: 15_000,
            gateway_id: "gateway_1".to_owned(),
            gateway_boot: 3,
            ..Intent::default()
        }
    }

    /// Says it and obeys every desired state until the result comes.
    async fn wish(&mut self, intent: Intent) -> IntentResult {
        self.session.say(Up::Intent(intent.clone())).await;
        loop {
            match self.session.hear().await.expect("a result") {
                Down::IntentResult(result) => {
                    let named = (result.intent_id, result.gateway_id.as_str(), result.gateway_boot);
                    assert_eq!(
                        named,
                        (intent.intent_id, intent.gateway_id.as_str(), intent.gateway_boot)
                    );
                    return result;
                }
                Down::Desired(frame) => {
                    let state = DesiredState::decode(frame.body.clone()).expect("a desired state");
                    let items = state.topics.into_iter().map(|topic| ItemStatus {
                        id: topic.id,
                        phase: if topic.deleted {
                            Phase::Deleted
                        } else {
                            Phase::Ready
                        }
                        .into(),
                        observed: frame.generation,
                        policy_accepted: true,
                        ..ItemStatus::default()
                    });
                    let report = StatusReport {
                        observed: frame.generation,
                        items: items.collect(),
                        refused: None,
                    };
                    self.session.say(Up::Status(report)).await;
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    async fn topics(&self) -> Vec<Value> {
        let listed = self.admin.get("/v1/topics").await.expect(200);
        listed["data"].as_array().expect("topics").clone()
    }
}

fn set(name: &str, value: &str) -> TopicConfig {
    from_text(name, ConfigOperation::Set, Some(value)).expect("a setting")
}

#[tokio::test]
async fn a_topic_is_made_grown_changed_and_deleted_as_its_principal() {
    let mut scene = scene("TENANT_ADMIN", "environment=prod/cluster=cards/*").await;
    let created = scene.intent(1, IntentKind::CreateTopic, "orders");
    let created = Intent {
        partitions: 3,
        replication_factor: 1,
        configs: vec![set("cleanup.policy", "compact"), set("segment.ms", "60000")],
        ..created
    };
    let result = scene.wish(created).await;
    assert_eq!(result.outcome(), IntentOutcome::Accepted, "{result:?}");
    assert_eq!((result.partitions, result.replication_factor), (3, 1));
    let told = |result: &IntentResult, name: &str| {
        let found = result.configs.iter().find(|it| it.name == name);
        found.map(|it| it.value.clone())
    };
    assert_eq!(told(&result, "cleanup.policy").as_deref(), Some("compact"));
    assert_eq!(told(&result, "segment.ms").as_deref(), Some("60000"));
    let topic = scene.topics().await.remove(0);
    assert_eq!(topic["id"], result.topic_id);
    assert_eq!(
        (&topic["spec"]["name"], &topic["status"]["phase"]),
        (&json!("orders"), &json!("READY"))
    );

    let of = |scene: &Scene, intent_id, kind| Intent {
        topic_id: result.topic_id.clone(),
        ..scene.intent(intent_id, kind, "orders")
    };
    let grown = Intent {
        partitions: 5,
        ..of(&scene, 2, IntentKind::CreatePartitions)
    };
    assert_eq!(scene.wish(grown).await.outcome(), IntentOutcome::Accepted);
    let altered = Intent {
        configs: vec![set("retention.ms", "3600000")],
        ..of(&scene, 3, IntentKind::AlterConfigs)
    };
    assert_eq!(
        scene.wish(altered.clone()).await.outcome(),
        IntentOutcome::Accepted
    );
    let spec = scene.topics().await.remove(0)["spec"].clone();
    assert_eq!(
        (&spec["partitions"], &spec["retention_ms"]),
        (&json!(5), &json!(3_600_000))
    );
    assert_eq!(spec["cleanup_policy"], "COMPACT", "what is not named stays");
    let replaced = Intent {
        intent_id: 4,
        replace_configs: true,
        ..altered
    };
    assert_eq!(scene.wish(replaced).await.outcome(), IntentOutcome::Accepted);
    let spec = scene.topics().await.remove(0)["spec"].clone();
    assert_eq!(
        (&spec["cleanup_policy"], &spec["configs"]),
        (&json!("DELETE"), &json!({}))
    );
    let deleted = of(&scene, 5, IntentKind::DeleteTopic);
    assert_eq!(scene.wish(deleted).await.outcome(), IntentOutcome::Accepted);
    assert!(scene.topics().await.is_empty(), "gone, not going");

    // On record as the service account's own.
    let record = scene.admin.get("/v1/audit-events?kind=Topic").await.expect(200);
    let record = record["data"].as_array().expect("events");
    let actions: Vec<&str> = record.iter().filter_map(|it| it["action"].as_str()).collect();
    assert_eq!(actions.len(), 5, "{actions:?}");
    for event in record {
        assert_eq!(event["who"], scene.served.account.to_string());
        assert!(
            event["request_id"]
                .as_str()
                .is_some_and(|it| it.starts_with("intent_gateway_1_3_"))
        );
    }
}

#[tokio::test]
async fn a_wish_that_is_sent_twice_is_done_once_and_both_hear_the_same() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    let create = scene.intent(1, IntentKind::CreateTopic, "orders");
    let first = scene.wish(create.clone()).await;
    assert_eq!(first.outcome(), IntentOutcome::Accepted);
    assert_eq!(scene.wish(create.clone()).await, first);
    let grow = Intent {
        partitions: 9,
        topic_id: first.topic_id.clone(),
        ..scene.intent(2, IntentKind::CreatePartitions, "orders")
    };
    for _ in 0..2 {
        assert_eq!(scene.wish(grow.clone()).await.outcome(), IntentOutcome::Accepted);
    }
    let delete = Intent {
        topic_id: first.topic_id.clone(),
        ..scene.intent(3, IntentKind::DeleteTopic, "orders")
    };
    for _ in 0..2 {
        assert_eq!(
            scene.wish(delete.clone()).await.outcome(),
            IntentOutcome::Accepted
        );
    }
    // Others are other wishes: a later number, and the same number of a later start.
    let later = Intent {
        intent_id: 4,
        ..create.clone()
    };
    assert_eq!(scene.wish(later.clone()).await.outcome(), IntentOutcome::Accepted);
    let restarted = Intent {
        gateway_boot: 4,
        ..later
    };
    assert_eq!(scene.wish(restarted).await.outcome(), IntentOutcome::Exists);
    // A number that stands for another wish is nobody's.
    let forged = Intent {
        topic_name: "other".to_owned(),
        ..create
    };
    assert_eq!(scene.wish(forged).await.outcome(), IntentOutcome::Invalid);
    assert_eq!(scene.topics().await.len(), 1);
}

#[tokio::test]
async fn both_of_two_that_come_at_once_are_told_of_the_one_topic() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    let create = scene.intent(1, IntentKind::CreateTopic, "orders");
    scene.session.say(Up::Intent(create.clone())).await;
    let one = scene.wish(create.clone()).await;
    assert_eq!(one.outcome(), IntentOutcome::Accepted);
    loop {
        match scene.session.hear().await.expect("the other result") {
            Down::IntentResult(other) => {
                assert_eq!(other, one);
                break;
            }
            Down::Desired(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(scene.topics().await.len(), 1);
}

#[tokio::test]
async fn a_developers_role_administers_nothing() {
    let mut scene = scene("DEVELOPER", "*").await;
    let result = scene
        .wish(scene.intent(1, IntentKind::CreateTopic, "orders"))
        .await;
    assert_eq!(result.outcome(), IntentOutcome::Denied, "{result:?}");
    assert!(scene.topics().await.is_empty());
}

#[tokio::test]
async fn a_role_reaches_its_pattern_and_no_other_topic() {
    let mut scene = scene("TENANT_ADMIN", "environment=prod/cluster=cards/topic=a*").await;
    let own = scene
        .wish(scene.intent(1, IntentKind::CreateTopic, "apples"))
        .await;
    assert_eq!(own.outcome(), IntentOutcome::Accepted);
    let other = scene
        .wish(scene.intent(2, IntentKind::CreateTopic, "pears"))
        .await;
    assert_eq!(other.outcome(), IntentOutcome::Denied);
    let pears = scene.bench.database.topic(&scene.served, "pears").await;
    for (intent_id, kind) in [
        (3, IntentKind::DeleteTopic),
        (4, IntentKind::CreatePartitions),
        (5, IntentKind::AlterConfigs),
    ] {
        let wish = Intent {
            topic_id: pears.to_string(),
            partitions: 50,
            ..scene.intent(intent_id, kind, "pears")
        };
        assert_eq!(
            scene.wish(wish).await.outcome(),
            IntentOutcome::Denied,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn an_agent_speaks_for_nobody_without_a_key_for_a_cluster_of_its_own() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    // Another tenant on another data plane, with an account and a key of its own.
    let (other_admin, other) = scene.bench.tenant("TENANT_ADMIN").await;
    let foreign = scene.bench.database.serve(other).await;
    let account = foreign.account.to_string();
    let key = json!({"service_account": account, "cluster": foreign.cluster});
    post(&other_admin, "/v1/api-keys", key).await;
    let binding = json!({"principal": account, "role": "TENANT_ADMIN", "resource": "*"});
    post(&other_admin, "/v1/role-bindings", binding).await;
    let keyless = post(&scene.admin, "/v1/service-accounts", json!({"name": "keyless"})).await;
    let binding = json!({"principal": id(&keyless), "role": "TENANT_ADMIN", "resource": "*"});
    post(&scene.admin, "/v1/role-bindings", binding).await;
    let wishes = [
        (
            "service_account_nobody".to_owned(),
            scene.served.cluster.to_string(),
        ),
        (id(&keyless), scene.served.cluster.to_string()),
        (account.clone(), scene.served.cluster.to_string()),
        (account, foreign.cluster.to_string()),
        (scene.served.account.to_string(), foreign.cluster.to_string()),
        (scene.served.account.to_string(), "cluster_nowhere".to_owned()),
    ];
    for (at, (principal_id, cluster_id)) in wishes.into_iter().enumerate() {
        let wish = Intent {
            principal_id,
            cluster_id,
            ..scene.intent(10 + at as u64, IntentKind::CreateTopic, "orders")
        };
        let result = scene.wish(wish).await;
        assert_eq!(result.outcome(), IntentOutcome::Denied, "{at}: {result:?}");
    }
    assert!(scene.topics().await.is_empty());
    // A topic of another cluster of the same tenant is none of this client's.
    let environment = json!({"name": "test"});
    let environment = id(&post(&scene.admin, "/v1/environments", environment).await);
    let sibling = json!({"environment": environment, "broker_pool": pool(&scene), "name": "sibling"});
    let sibling = id(&post(&scene.admin, "/v1/clusters", sibling).await);
    let topic = json!({"cluster": sibling, "name": "orders"});
    let topic = id(&post(&scene.admin, "/v1/topics", topic).await);
    let wish = Intent {
        topic_id: topic,
        ..scene.intent(30, IntentKind::DeleteTopic, "orders")
    };
    assert_eq!(scene.wish(wish).await.outcome(), IntentOutcome::NotFound);
    assert_eq!(scene.topics().await.len(), 1);
}

fn pool(scene: &Scene) -> String {
    weir_control_plane::kernel::Id::<weir_control_plane::kernel::kind::BrokerPool>::from_uuid(
        scene.served.pool,
    )
    .to_string()
}

#[tokio::test]
async fn a_revoked_or_expired_key_speaks_no_more() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    let first = scene
        .wish(scene.intent(1, IntentKind::CreateTopic, "orders"))
        .await;
    assert_eq!(first.outcome(), IntentOutcome::Accepted);
    scene
        .bench
        .database
        .behind(
            &scene.served,
            "UPDATE api_key SET expires_at = now() - interval '1 second' WHERE data_plane_id = $1",
        )
        .await;
    let expired = scene.wish(scene.intent(2, IntentKind::CreateTopic, "two")).await;
    assert_eq!(expired.outcome(), IntentOutcome::Denied);
    scene
        .bench
        .database
        .behind(
            &scene.served,
            "UPDATE api_key SET expires_at = NULL WHERE data_plane_id = $1",
        )
        .await;
    let path = format!("/v1/api-keys/{}", scene.key);
    let status = scene.admin.delete(&path).await.status.as_u16();
    assert!(matches!(status, 202 | 204), "{status}");
    let revoked = scene
        .wish(scene.intent(3, IntentKind::CreateTopic, "three"))
        .await;
    assert_eq!(revoked.outcome(), IntentOutcome::Denied);
    // Not even for what it had wished before.
    let again = scene
        .wish(scene.intent(1, IntentKind::CreateTopic, "orders"))
        .await;
    assert_eq!(again.outcome(), IntentOutcome::Denied);
}

#[tokio::test]
async fn what_is_not_possible_is_told_apart() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    let result = scene
        .wish(scene.intent(1, IntentKind::CreateTopic, "orders"))
        .await;
    let create = |intent_id, name: &str| scene.intent(intent_id, IntentKind::CreateTopic, name);
    let of = |intent_id, kind, partitions, topic_id: &str| Intent {
        topic_id: topic_id.to_owned(),
        partitions,
        ..scene.intent(intent_id, kind, "orders")
    };
    let with = |intent_id, setting| Intent {
        configs: vec![setting],
        ..create(intent_id, "a")
    };
    let unknown = TopicConfig {
        key: 999,
        ..set("segment.ms", "60000")
    };
    let (grow, id) = (IntentKind::CreatePartitions, result.topic_id.as_str());
    let many = Intent {
        partitions: 1001,
        ..create(4, "a")
    };
    let replicated = Intent {
        replication_factor: 3,
        ..create(5, "a")
    };
    let wishes = [
        (create(2, "orders"), IntentOutcome::Exists),
        (create(3, "__hidden"), IntentOutcome::InvalidName),
        (many, IntentOutcome::InvalidPartitions),
        (replicated, IntentOutcome::InvalidReplicationFactor),
        (with(6, set("segment.ms", "1")), IntentOutcome::InvalidConfig),
        (with(7, unknown), IntentOutcome::InvalidConfig),
        (of(8, grow, 6, id), IntentOutcome::InvalidPartitions),
        (of(9, grow, 2, id), IntentOutcome::InvalidPartitions),
        (of(10, IntentKind::DeleteTopic, 0, ""), IntentOutcome::NotFound),
        (of(11, IntentKind::Unspecified, 0, ""), IntentOutcome::Unsupported),
    ];
    for (wish, expected) in wishes {
        let result = scene.wish(wish).await;
        assert_eq!(result.outcome(), expected, "{result:?}");
        assert!(expected == IntentOutcome::Unsupported || !result.detail.is_empty());
    }
    assert_eq!(scene.topics().await.len(), 1);
}

#[tokio::test]
async fn a_validation_changes_nothing() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    let plan = Intent {
        validate_only: true,
        partitions: 4,
        ..scene.intent(1, IntentKind::CreateTopic, "orders")
    };
    let result = scene.wish(plan).await;
    assert_eq!(
        (result.outcome(), result.partitions),
        (IntentOutcome::Accepted, 4)
    );
    assert_eq!(result.topic_id, "");
    assert!(scene.topics().await.is_empty());
    let made = scene
        .wish(scene.intent(2, IntentKind::CreateTopic, "orders"))
        .await;
    let of = |intent_id, kind| Intent {
        validate_only: true,
        topic_id: made.topic_id.clone(),
        ..scene.intent(intent_id, kind, "orders")
    };
    let wishes = [
        Intent {
            partitions: 50,
            ..of(3, IntentKind::CreatePartitions)
        },
        Intent {
            configs: vec![set("retention.ms", "1")],
            ..of(4, IntentKind::AlterConfigs)
        },
    ];
    for wish in wishes {
        assert_eq!(scene.wish(wish).await.outcome(), IntentOutcome::Accepted);
    }
    let spec = scene.topics().await.remove(0)["spec"].clone();
    assert_eq!(
        (&spec["partitions"], &spec["retention_ms"]),
        (&json!(6), &json!(604_800_000))
    );
    let again = Intent {
        validate_only: true,
        ..scene.intent(5, IntentKind::CreateTopic, "orders")
    };
    assert_eq!(scene.wish(again).await.outcome(), IntentOutcome::Exists);
}

#[tokio::test]
async fn a_count_quota_holds_for_wishes_too() {
    let mut scene = scene("TENANT_ADMIN", "*").await;
    scene
        .bench
        .database
        .behind(
            &scene.served,
            "INSERT INTO service_quota (tenant_id, name, value) SELECT tenant_id, 'topics', 1 FROM data_plane WHERE id = $1",
        )
        .await;
    let first = scene.wish(scene.intent(1, IntentKind::CreateTopic, "one")).await;
    assert_eq!(first.outcome(), IntentOutcome::Accepted);
    let second = scene.wish(scene.intent(2, IntentKind::CreateTopic, "two")).await;
    assert_eq!(second.outcome(), IntentOutcome::OverQuota, "{second:?}");
}

#[tokio::test]
async fn a_wish_that_is_not_obeyed_in_time_says_so_and_stands() {
    let scene = scene("TENANT_ADMIN", "*").await;
    let Scene {
        mut session,
        admin,
        served,
        door: _door,
        bench: _bench,
        key: _key,
    } = scene;
    let wish = Intent {
        intent_id: 1,
        kind: IntentKind::CreateTopic.into(),
        principal_id: served.account.to_string(),
        cluster_id: served.cluster.to_string(),
        topic_name: "orders".to_owned(),
        wait_ms: 0,
        ..Intent::default()
    };
    session.say(Up::Intent(wish)).await;
    let result = loop {
        match session.hear().await.expect("a result") {
            Down::IntentResult(result) => break result,
            Down::Desired(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!(result.outcome(), IntentOutcome::TimedOut);
    let path = format!("/v1/topics/{}", result.topic_id);
    assert_eq!(admin.get(&path).await.expect(200)["status"]["phase"], "PENDING");
}

#[tokio::test]
async fn an_intent_out_of_bounds_ends_the_session() {
    let scene = scene("TENANT_ADMIN", "*").await;
    let odd = [
        Intent {
            topic_name: "x".repeat(250),
            ..Intent::default()
        },
        Intent {
            topic_name: "free text".to_owned(),
            ..Intent::default()
        },
        Intent {
            gateway_id: "x".repeat(65),
            ..Intent::default()
        },
        Intent {
            configs: vec![TopicConfig::default(); 65],
            ..Intent::default()
        },
    ];
    let Scene {
        bench,
        served,
        door,
        session,
        ..
    } = scene;
    drop(session);
    let token = bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled again");
    for (at, intent) in odd.into_iter().enumerate() {
        let mut session = door
            .session(&identity, 100 + at as u64, Generation::default())
            .await
            .expect("a session");
        session.welcome().await;
        session.say(Up::Intent(intent)).await;
        assert_eq!(session.end().await.code(), tonic::Code::InvalidArgument, "{at}");
    }
}
