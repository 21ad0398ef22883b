//! The circle from wish to report, and what breaks it.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use weir_proto::agent::v1::{Direction, UsageRow, UsageWindow};

use crate::planes::{PATIENCE, World, id, is_ready, make, until};

const PREFIX_LENGTH: usize = 28;

#[tokio::test]
async fn a_wish_becomes_real_and_ready_means_that_the_gateway_obeys() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let path = format!("/v1/topics/{}", made.topic);
    // Kafka has it, but no gateway serves it: not READY.
    let waiting = until(&admin, &path, |it| it["status"]["observed_partitions"] == 3).await;
    assert_ne!(waiting["status"]["phase"], "READY");
    let gateway = world.gateway(1).await;
    until(&admin, &path, is_ready).await;
    until(&admin, &format!("/v1/clusters/{}", made.cluster), is_ready).await;
    let topics = world.kafka.topics_of(&made.pool);
    assert_eq!(topics.len(), 1);
    assert_eq!(topics.keys().next().expect("one")[PREFIX_LENGTH..], *"payments");

    // More partitions, then the end; the row goes when the agent says that the topic is gone.
    admin
        .patch(&path, &json!({"spec": {"partitions": 5}}))
        .await
        .expect(200);
    let grown = until(&admin, &path, |it| {
        is_ready(it) && it["status"]["observed_partitions"] == 5
    })
    .await;
    assert_eq!(grown["spec"]["partitions"], 5);
    assert_eq!(
        admin.delete(&path).await.expect(202)["status"]["phase"],
        "DELETING"
    );
    until(&admin, &path, |it| it["code"] == "not_found").await;
    assert!(world.kafka.topics_of(&made.pool).is_empty());
    drop(gateway);
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn silence_deletes_nothing() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let _gateway = world.gateway(1).await;
    until(&admin, &format!("/v1/topics/{}", made.topic), is_ready).await;
    // The row disappears without a tombstone, as by a mistaken restore.
    let mut owner = world.database.owner().await;
    sqlx::query("DELETE FROM topic")
        .execute(&mut owner)
        .await
        .expect("delete behind the API");
    let other = json!({"spec": {"cluster": made.cluster, "name": "other"}});
    let other = id(&admin.post("/v1/topics", &other).await.expect(201));
    until(&admin, &format!("/v1/topics/{other}"), is_ready).await;
    assert_eq!(
        world.kafka.topics_of(&made.pool).len(),
        2,
        "{:?}",
        world.kafka.log()
    );
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn an_agent_killed_at_any_moment_goes_on_where_it_was() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let ca = plane.app.settings.ca_sha256.clone();
    let agent = world.agent(&ca, Some(&made.enrollment), None).await;
    let path = format!("/v1/topics/{}", made.topic);
    until(&admin, &path, |it| it["status"]["observed_partitions"] == 3).await;
    // Killed right after the wish, before or while it acts.
    let topic = json!({"spec": {"cluster": made.cluster, "name": "late", "partitions": 1}});
    admin.post("/v1/topics", &topic).await.expect(201);
    agent.abandon().await;
    // No token: the identity is on disk.
    let agent = world.agent(&ca, None, None).await;
    let _gateway = world.gateway(2).await;
    until(&admin, &path, is_ready).await;
    let listed = admin.get("/v1/topics").await.expect(200);
    for topic in listed["data"].as_array().expect("topics") {
        until(&admin, &format!("/v1/topics/{}", id(topic)), is_ready).await;
    }
    let created: Vec<String> = world
        .kafka
        .log()
        .into_iter()
        .filter(|it| it.starts_with("create "))
        .collect();
    assert_eq!(created.len(), 2, "each topic is created once: {created:?}");
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn with_the_control_plane_away_the_agent_mends_and_counts_and_delivers_once() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let account = world.service_account().await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let mut gateway = world.gateway(1).await;
    let path = format!("/v1/topics/{}", made.topic);
    until(&admin, &path, is_ready).await;
    plane.kill().await;

    // Somebody meddles with Kafka: mended without the control plane.
    let name = world
        .kafka
        .topics_of(&made.pool)
        .into_keys()
        .next()
        .expect("a topic");
    world.kafka.meddle(&made.pool, &name, |topic| {
        topic.configs.insert("retention.ms".into(), "1".into());
    });
    let now = chrono::Utc::now().timestamp_millis();
    let row = UsageRow {
        cluster_id: made.cluster.clone(),
        topic_id: made.topic.clone(),
        principal_id: account.clone(),
        direction: Direction::Produce.into(),
        bytes: 1000,
        records: 10,
        requests: 1,
        uncertain: false,
    };
    let window = UsageWindow {
        gateway_id: "gateway-1".into(),
        boot: 1,
        sequence: 1,
        started_at_unix_ms: now - 1000,
        ended_at_unix_ms: now,
        rows: vec![row],
    };
    // Handed over twice, as after a lost acknowledgement.
    for _ in 0..2 {
        gateway
            .hand_over(window.clone())
            .await
            .expect("the agent keeps the window");
    }
    until_mended(&world, &made.pool, &name).await;

    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let query = usage_query(now);
    let usage = until(&admin, &query, |it| {
        it["data"].as_array().is_some_and(|rows| !rows.is_empty())
    })
    .await;
    let sum = |field: &str| -> i64 {
        usage["data"]
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row[field].as_i64())
            .sum()
    };
    assert_eq!((sum("bytes"), sum("records")), (1000, 10), "{usage:#}");
    agent.shutdown().await.expect("the agent ends");
}

/// Looks at Kafka until the agent put the topic's retention right.
async fn until_mended(world: &World, pool: &str, name: &str) {
    let end = Instant::now() + PATIENCE;
    let mut again = tokio::time::interval(Duration::from_millis(50));
    while world.kafka.topics_of(pool)[name].configs["retention.ms"] == "1" {
        again.tick().await;
        assert!(
            Instant::now() < end,
            "the drift was never mended: {:?}",
            world.kafka.log()
        );
    }
}

fn usage_query(around_unix_ms: i64) -> String {
    let at = |offset: i64| {
        let time = chrono::DateTime::from_timestamp_millis(around_unix_ms + offset).expect("a time");
        time.format("%Y-%m-%dT%H:00:00Z").to_string()
    };
    format!(
        "/v1/usage?start={}&end={}&granularity=HOURLY&group_by=topic",
        at(-3_600_000),
        at(7_200_000)
    )
}

#[tokio::test]
async fn the_customers_policy_has_the_last_word() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let policy = "refuse = [\"topic.delete\"]\n";
    let agent = world.agent_of(&plane, &made.enrollment, Some(policy)).await;
    let _gateway = world.gateway(1).await;
    let path = format!("/v1/topics/{}", made.topic);
    until(&admin, &path, is_ready).await;
    admin.delete(&path).await.expect(202);
    let refused = until(&admin, &path, |it| it["status"]["reason"] == "POLICY_REFUSED").await;
    assert_eq!(refused["status"]["phase"], "DELETING");
    assert_eq!(
        world.kafka.topics_of(&made.pool).len(),
        1,
        "{:?}",
        world.kafka.log()
    );
    agent.shutdown().await.expect("the agent ends");
}
