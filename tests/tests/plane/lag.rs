//! A rule of LAG from the API to Kafka and back: measured through the customer's policy, and never OK by silence.

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::caller::Caller;
use crate::groups::served;
use crate::planes::{ControlPlane, Made, PATIENCE, World, id, make};

async fn rule(admin: &Caller, made: &Made, group: &str, topic: Option<&str>) -> String {
    let mut rule = json!({"spec": {"cluster": made.cluster, "name": group, "kind": "LAG", "group": group, "threshold": 130}});
    if let Some(topic) = topic {
        rule["spec"]["name"] = json!(format!("{group}-{topic}"));
        rule["spec"]["topic"] = json!(topic);
    }
    let made = admin.post("/v1/alert-rules", &rule).await.expect(201);
    format!("/v1/alert-rules/{}", id(&made))
}

/// Looks until the rule stands so.
async fn stands(world: &World, plane: &ControlPlane, admin: &Caller, rule: &str, wanted: &Value) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        world.look(plane).await;
        let seen = admin.get(rule).await.expect(200)["status"].clone();
        let facts = wanted.as_object().expect("facts");
        if facts.iter().all(|(field, value)| &seen[field] == value) {
            return seen;
        }
        assert!(Instant::now() < end, "{rule} never stood so: {seen:#}");
        sleep(std::time::Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn a_lag_is_measured_and_a_change_is_seen() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let prefix = served(&world, &admin, &made).await;
    let app = rule(&admin, &made, "app", None).await;
    let one = rule(&admin, &made, "app", Some("payments")).await;
    let other = rule(&admin, &made, "app", Some("refunds")).await;
    let nobody = rule(&admin, &made, "nobody", None).await;
    // 90 and 40 records are left of two partitions.
    stands(
        &world,
        &plane,
        &admin,
        &app,
        &json!({"state": "FIRING", "value": 130}),
    )
    .await;
    stands(
        &world,
        &plane,
        &admin,
        &one,
        &json!({"state": "FIRING", "value": 130}),
    )
    .await;
    for rule in [&other, &nobody] {
        let seen = stands(
            &world,
            &plane,
            &admin,
            rule,
            &json!({"state": "NO_DATA", "reason": "NO_COMMITS"}),
        )
        .await;
        assert_eq!(seen["value"], Value::Null);
    }
    let group = format!("{prefix}app");
    let mut read = world.kafka.group(&made.pool, &group).expect("the group");
    for offset in read.committed.values_mut() {
        *offset += 10;
    }
    world.kafka.put_group(&made.pool, &group, read);
    stands(
        &world,
        &plane,
        &admin,
        &app,
        &json!({"state": "OK", "value": 110}),
    )
    .await;
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn what_the_customer_withholds_is_not_measured() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let policy = "[[rule]]\nrefuse = [\"group.read\"]\nname = \"a*\"\n";
    let agent = world.agent_of(&plane, &made.enrollment, Some(policy)).await;
    served(&world, &admin, &made).await;
    let app = rule(&admin, &made, "app", None).await;
    let absent = rule(&admin, &made, "absent", None).await;
    let busy = rule(&admin, &made, "busy", None).await;
    stands(
        &world,
        &plane,
        &admin,
        &busy,
        &json!({"state": "OK", "value": 95}),
    )
    .await;
    for rule in [&app, &absent] {
        let seen = stands(
            &world,
            &plane,
            &admin,
            rule,
            &json!({"state": "NO_DATA", "reason": "WITHHELD"}),
        )
        .await;
        assert_eq!(seen["value"], Value::Null);
    }
    agent.shutdown().await.expect("the agent ends");
}
