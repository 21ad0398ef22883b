//! A client's administrative wish on its whole way: gateway, agent, control plane, and back as a READY topic.

use std::time::Duration;

use serde_json::{Value, json};
use weir_agent::lane::fake::FakeGateway;
use weir_proto::agent::v1::{Intent, IntentKind, IntentOutcome};

use crate::caller::Caller;
use crate::planes::{Made, PATIENCE, World, id, make, until};

/// A service account that administers the cluster and holds a key for it.
async fn administrator(admin: &Caller, made: &Made) -> String {
    let account = json!({"spec": {"name": "streams"}});
    let account = id(&admin.post("/v1/service-accounts", &account).await.expect(201));
    let binding =
        json!({"spec": {"principal": account, "role": "TENANT_ADMIN", "resource": "environment=prod/*"}});
    admin.post("/v1/role-bindings", &binding).await.expect(201);
    let key = json!({"spec": {"service_account": account, "cluster": made.cluster}});
    admin.post("/v1/api-keys", &key).await.expect(201);
    account
}

fn creation(account: &str, made: &Made, intent_id: u64, name: &str) -> Intent {
    Intent {
        intent_id,
        kind: IntentKind::CreateTopic.into(),
        principal_id: account.to_owned(),
        cluster_id: made.cluster.clone(),
        topic_name: name.to_owned(),
        partitions: 2,
        wait_ms: 25_000,
        gateway_id: "gateway-1".to_owned(),
        gateway_boot: 1,
        ..Intent::default()
    }
}

fn named(topics: &Value, name: &str) -> usize {
    let data = topics["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    data.iter().filter(|it| it["spec"]["name"] == name).count()
}

#[tokio::test]
async fn what_a_client_creates_is_there_when_it_is_told_so() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let account = administrator(&admin, &made).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let mut gateway = world.gateway(1).await;
    let wish = creation(&account, &made, 1, "orders");
    for _ in 0..2 {
        gateway.intend(wish.clone()).await.expect("the lane takes it");
        let result = gateway.result(PATIENCE).await.expect("a result");
        assert_eq!(result.outcome(), IntentOutcome::Accepted, "{result:?}");
    }
    let created = world.kafka.topics_of(&made.pool);
    assert_eq!(created.keys().filter(|it| it.ends_with("-orders")).count(), 1);
    let serves = |it: &weir_proto::lane::v1::Snapshot| {
        let topics = it.clusters.iter().flat_map(|it| &it.topics);
        topics.into_iter().any(|it| it.name == "orders")
    };
    let now = gateway.snapshot(Duration::ZERO, serves).await;
    assert!(now.is_ok(), "the gateway had it before it heard of it");
    // A wish of another gateway is not this one's to send: the lane ends.
    let foreign = Intent {
        gateway_id: "gateway-2".to_owned(),
        ..wish
    };
    gateway.intend(foreign).await.expect("sent");
    assert!(gateway.result(PATIENCE).await.is_err());
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn a_control_plane_that_dies_with_the_wish_in_its_hands_does_it_once() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let account = administrator(&admin, &made).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    // Obeys nothing yet, so that the wish is written and waits.
    let state = world.agent_state.path().join("agent");
    let mut gateway = FakeGateway::attach(&state, world.ports.lane(), "gateway-1", 1, false)
        .await
        .expect("attach to the lane");
    let wish = creation(&account, &made, 1, "orders");
    gateway.intend(wish).await.expect("the lane takes it");
    until(&admin, "/v1/topics", |it| named(it, "orders") == 1).await;
    plane.kill().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let serves = |it: &weir_proto::lane::v1::Snapshot| {
        let topics = it.clusters.iter().flat_map(|it| &it.topics);
        topics.into_iter().any(|it| it.name == "orders")
    };
    let snapshot = gateway.snapshot(PATIENCE, serves).await.expect("a snapshot");
    gateway
        .acknowledge(snapshot.version)
        .await
        .expect("the lane is up");
    let result = gateway.result(PATIENCE).await.expect("a result");
    assert_eq!(result.outcome(), IntentOutcome::Accepted, "{result:?}");
    let topics = admin.get("/v1/topics").await.expect(200);
    assert_eq!(named(&topics, "orders"), 1);
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn while_the_control_plane_is_away_clients_are_told_so_at_once() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let account = administrator(&admin, &made).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let mut gateway = world.gateway(1).await;
    let path = format!("/v1/topics/{}", made.topic);
    until(&admin, &path, crate::planes::is_ready).await;
    plane.kill().await;
    let wish = creation(&account, &made, 1, "orders");
    gateway.intend(wish).await.expect("the lane takes it");
    let result = gateway.result(PATIENCE).await.expect("a result");
    // A session that had not noticed yet may have taken it: then nobody knows.
    let told = matches!(
        result.outcome(),
        IntentOutcome::Unavailable | IntentOutcome::TimedOut
    );
    assert!(told, "{result:?}");
    gateway
        .intend(creation(&account, &made, 2, "later"))
        .await
        .expect("the lane takes it");
    let result = gateway.result(Duration::from_secs(10)).await.expect("a result");
    assert_eq!(result.outcome(), IntentOutcome::Unavailable, "{result:?}");
    assert!(!result.detail.is_empty());
    agent.shutdown().await.expect("the agent ends");
}
