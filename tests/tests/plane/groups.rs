//! Consumer groups from the API to Kafka and back: read, reset after a plan, deleted, and refused where they must be.

use serde_json::{Value, json};
use weir_agent::platform::fake::FakeGroup;

use crate::caller::Caller;
use crate::planes::{Made, PATIENCE, World, id, is_ready, make, until};

/// A served cluster with the groups `app` (idle), `busy` (one member), and one of another cluster on the same brokers.
pub async fn served(world: &World, admin: &Caller, made: &Made) -> String {
    let mut gateway = world.gateway(1).await;
    let topic = format!("/v1/topics/{}", made.topic);
    until(admin, &topic, is_ready).await;
    gateway
        .snapshot(PATIENCE, |it| it.clusters.iter().any(|it| !it.topics.is_empty()))
        .await
        .expect("the topic is served");
    let topics = world.kafka.topics_of(&made.pool);
    let physical = topics.keys().next().expect("a topic").clone();
    let prefix = physical.strip_suffix("payments").expect("its name").to_owned();
    let at = |partition: u32, offset: i64| ((physical.clone(), partition), offset);
    let app = FakeGroup {
        committed: [at(0, 10), at(2, 60)].into(),
        ..FakeGroup::default()
    };
    world.kafka.put_group(&made.pool, &format!("{prefix}app"), app);
    let busy = FakeGroup {
        members: vec![[(physical.clone(), 1)].into()],
        committed: [at(1, 5)].into(),
    };
    world.kafka.put_group(&made.pool, &format!("{prefix}busy"), busy);
    world
        .kafka
        .put_group(&made.pool, "w01stranger-secret", FakeGroup::default());
    prefix
}

fn committed(world: &World, made: &Made, group: &str) -> Vec<i64> {
    let group = world.kafka.group(&made.pool, group);
    group.map_or_else(Vec::new, |it| it.committed.into_values().collect())
}

async fn audited(admin: &Caller, made: &Made, action: &str) -> Vec<Value> {
    let path = format!("/v1/audit-events?object_id={}&action={action}", made.cluster);
    let events = admin.get(&path).await.expect(200);
    events["data"].as_array().expect("events").clone()
}

/// Own groups, page by page and near, and nobody else's.
async fn lists(admin: &Caller, groups: &str) {
    let page = admin.get(groups).await.expect(200);
    let listed: Vec<&str> = page["data"]
        .as_array()
        .expect("groups")
        .iter()
        .filter_map(|it| it["group"].as_str())
        .collect();
    assert_eq!(listed, ["app", "busy"], "{page:#}");
    assert_eq!(page["data"][0]["lag"], 130);
    assert!(
        !page.to_string().contains("secret"),
        "another cluster's is not shown"
    );
    let first = admin.get(&format!("{groups}?page_size=1")).await.expect(200);
    let token = first["metadata"]["next_page_token"].as_str().expect("a token");
    let rest = admin
        .get(&format!("{groups}?page_token={token}"))
        .await
        .expect(200);
    assert_eq!(rest["data"][0]["group"], "busy");
    assert_eq!(rest["metadata"]["next_page_token"], Value::Null);

    let near = admin.get(&format!("{groups}/busy")).await.expect(200);
    assert_eq!(near["positions"][0]["topic_name"], "payments", "{near:#}");
    assert_eq!(
        (
            near["positions"][0]["lag"].as_i64(),
            near["positions"][0]["member"].as_i64()
        ),
        (Some(95), Some(1))
    );
    admin.get(&format!("{groups}/secret")).await.expect(404);
}

/// The plan of a reset tells what would move, and moves nothing.
async fn plans(world: &World, admin: &Caller, made: &Made, reset: &str, app: &str) {
    let earliest = json!({"to": {"kind": "EARLIEST"}});
    let plan = admin
        .post(&format!("{reset}?dry_run=true"), &earliest)
        .await
        .expect(200);
    assert_eq!(
        plan["changes"][0]["before"]["offsets"][0]["offset"], 10,
        "{plan:#}"
    );
    assert_eq!(plan["changes"][0]["after"]["offsets"][0]["offset"], 0);
    assert_eq!(committed(world, made, app), [10, 60], "a plan moves nothing");
    assert!(audited(admin, made, "reset_offsets").await.is_empty());
}

/// A reset that is sent twice under one key is done and recorded once.
async fn shifts_once(world: &World, admin: &Caller, made: &Made, reset: &str, app: &str) {
    let one =
        json!({"to": {"kind": "SHIFT", "by": -20}, "topics": [{"topic": made.topic, "partitions": [2]}]});
    let again = admin.clone().with("Idempotency-Key", "once");
    for _ in 0..2 {
        let done = again.post(reset, &one).await.expect(200);
        assert_eq!(
            (done["moves"][0]["from"].as_i64(), done["moves"][0]["to"].as_i64()),
            (Some(60), Some(40))
        );
    }
    assert_eq!(committed(world, made, app), [10, 40], "shifted once");
    let events = audited(admin, made, "reset_offsets").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["before"]["offsets"][0]["offset"], 60);
    assert_eq!(events[0]["after"]["offsets"][0]["offset"], 40);
}

/// A group with members stays as it is.
async fn refuses_active(admin: &Caller, groups: &str) {
    let earliest = json!({"to": {"kind": "EARLIEST"}});
    let active = admin
        .post(&format!("{groups}/busy/reset-offsets"), &earliest)
        .await;
    assert_eq!(
        (active.status.as_u16(), active.body["code"].as_str()),
        (409, Some("group_active"))
    );
    let active = admin.delete(&format!("{groups}/busy")).await;
    assert_eq!(
        (active.status.as_u16(), active.body["code"].as_str()),
        (409, Some("group_active"))
    );
}

#[tokio::test]
async fn a_group_is_read_reset_after_a_plan_and_deleted() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let app = format!("{}app", served(&world, &admin, &made).await);
    let groups = format!("/v1/clusters/{}/groups", made.cluster);
    let reset = format!("{groups}/app/reset-offsets");
    lists(&admin, &groups).await;
    plans(&world, &admin, &made, &reset, &app).await;
    shifts_once(&world, &admin, &made, &reset, &app).await;
    refuses_active(&admin, &groups).await;

    let nowhere = json!({"to": {"kind": "LATEST"}, "topics": [{"topic": made.topic, "partitions": [3]}]});
    admin.post(&reset, &nowhere).await.expect(422);

    admin.delete(&format!("{groups}/app")).await.expect(204);
    assert!(world.kafka.group(&made.pool, &app).is_none());
    admin.delete(&format!("{groups}/app")).await.expect(404);
    assert_eq!(audited(&admin, &made, "delete_group").await.len(), 1);
    agent.shutdown().await.expect("the agent ends");
    let away = admin.get(&groups).await;
    assert_eq!(
        (away.status.as_u16(), away.body["code"].as_str()),
        (503, Some("agent_unreachable"))
    );
}

#[tokio::test]
async fn the_customers_policy_refuses_and_withholds() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let policy = "refuse = [\"group.reset\", \"group.delete\"]\n[[rule]]\nrefuse = [\"group.read\"]\nname = \"busy\"\n";
    let agent = world.agent_of(&plane, &made.enrollment, Some(policy)).await;
    let prefix = served(&world, &admin, &made).await;
    let groups = format!("/v1/clusters/{}/groups", made.cluster);
    let page = admin.get(&groups).await.expect(200);
    assert_eq!(
        (page["withheld"].as_i64(), page.to_string().contains("busy")),
        (Some(1), false),
        "{page:#}"
    );
    let earliest = json!({"to": {"kind": "EARLIEST"}});
    let refused = admin
        .post(&format!("{groups}/app/reset-offsets"), &earliest)
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.body["code"].as_str()),
        (403, Some("policy_refused"))
    );
    let refused = admin.delete(&format!("{groups}/app")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.body["code"].as_str()),
        (403, Some("policy_refused"))
    );
    assert_eq!(committed(&world, &made, &format!("{prefix}app")), [10, 60]);
    assert!(
        audited(&admin, &made, "reset_offsets").await.is_empty(),
        "what was refused is not recorded as done"
    );
    agent.shutdown().await.expect("the agent ends");
}

/// Whoever may write topics of a name may reset groups of that name, as at the gateway; and nobody else's.
#[tokio::test]
async fn a_developer_of_some_names_resets_groups_of_those_names() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let prefix = served(&world, &admin, &made).await;
    let developer = json!({"spec": {"email": "dev@example.com"}});
    let developer = admin.post("/v1/members", &developer).await.expect(201);
    let password = developer["secret"]["password"].as_str().expect("a password");
    let session = json!({"email": "dev@example.com", "password": password});
    let session = admin.post("/v1/sessions", &session).await.expect(201);
    let token = session["token"].as_str().expect("a token");
    let caller = world.caller(&plane, token);
    let latest = json!({"to": {"kind": "LATEST"}});
    let reset = format!("/v1/clusters/{}/groups/app/reset-offsets", made.cluster);
    caller.post(&reset, &latest).await.expect(403);
    let bind = |pattern: &str| json!({"spec": {"principal": id(&developer), "role": "DEVELOPER", "resource": pattern}});
    let other = bind("environment=prod/cluster=cards/topic=pay*");
    admin.post("/v1/role-bindings", &other).await.expect(201);
    caller.post(&reset, &latest).await.expect(403);
    let own = bind("environment=prod/cluster=cards/topic=ap*");
    admin.post("/v1/role-bindings", &own).await.expect(201);
    caller.post(&reset, &latest).await.expect(200);
    assert_eq!(committed(&world, &made, &format!("{prefix}app")), [100, 100]);
    agent.shutdown().await.expect("the agent ends");
}
