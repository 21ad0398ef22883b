//! What is not linked: what is not there or not the caller's, loops, what is copied already; and what others see.

use serde_json::{Value, json};

use super::World;
use crate::harness::Caller;
use crate::jobs::made;
use crate::streams::{self, id};

async fn refused(caller: &Caller, spec: &Value, pointer: &str, code: &str) {
    let problem = caller
        .post("/v1/cluster-links", spec)
        .await
        .expect_problem(422, "invalid");
    let first = &problem["errors"][0];
    assert_eq!(
        (&first["pointer"], &first["code"]),
        (&json!(pointer), &json!(code)),
        "{problem:#}"
    );
}

#[tokio::test]
async fn what_cannot_be_linked_is_refused_where_it_stands() {
    let world = World::make().await;
    let none = |prefix: &str| json!(format!("{prefix}_00000000000000000000000000"));
    // Without the role it is not read, whatever whoever asks may do.
    let stranger = made(world.admin(), "/v1/service-accounts", json!({"name": "stranger"})).await;
    for (field, value, pointer, code) in [
        (
            "source_cluster",
            none("cluster"),
            "source_cluster",
            "bad_reference",
        ),
        (
            "target_cluster",
            none("cluster"),
            "target_cluster",
            "bad_reference",
        ),
        (
            "target_cluster",
            json!(world.away.cluster),
            "target_cluster",
            "bad_reference",
        ),
        // Another tenant's cluster is not there.
        (
            "source_cluster",
            json!(world.away.made.cluster),
            "source_cluster",
            "bad_reference",
        ),
        (
            "service_account",
            none("service_account"),
            "service_account",
            "bad_reference",
        ),
        (
            "service_account",
            json!(stranger),
            "topics/0/topic",
            "role_missing",
        ),
    ] {
        let pointer = format!("/spec/{pointer}");
        refused(world.admin(), &world.with(field, value), &pointer, code).await;
    }
}

#[tokio::test]
async fn a_topic_is_copied_once_under_a_name_that_is_free() {
    let world = World::make().await;
    let (admin, orders) = (world.admin(), &world.orders);
    let absent = "topic_00000000000000000000000000";
    for (topics, pointer, code) in [
        (json!([{"topic": absent}]), "0/topic", "bad_reference"),
        (json!([{"topic": world.home.topic}]), "0/topic", "bad_reference"),
        (
            json!([{"topic": world.away.made.topic}]),
            "0/topic",
            "bad_reference",
        ),
        (
            json!([{"topic": orders}, {"topic": orders, "name": "again"}]),
            "1/topic",
            "bad_reference",
        ),
        (json!([{"topic": orders, "name": "a b"}]), "0/name", "bad_name"),
        (
            json!([{"topic": orders, "name": "payments"}]),
            "0/name",
            "name_taken",
        ),
    ] {
        let pointer = format!("/spec/topics/{pointer}");
        refused(admin, &world.with("topics", topics), &pointer, code).await;
    }
    // Once into a cluster, by whatever link.
    world.link(&world.spec()).await;
    let mut again = world.with("topics", json!([{"topic": orders, "name": "again"}]));
    again["spec"]["name"] = json!("second");
    admin
        .post("/v1/cluster-links", &again)
        .await
        .expect_problem(409, "in_use");
    let links = world.get("/v1/cluster-links").await;
    assert_eq!(links["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_copy_is_not_copied_back_to_where_it_came_from() {
    let world = World::make().await;
    let admin = world.admin();
    let reads_all = json!({"principal": world.account, "role": "READER", "resource": "*"});
    made(admin, "/v1/role-bindings", reads_all).await;
    let (_link, copy) = world.link(&world.spec()).await;
    let back = |source: &str, target: &str, topic: &str, name: &str| {
        json!({"spec": {"name": name, "source_cluster": source, "target_cluster": target, "service_account": world.account,
            "topics": [{"topic": topic, "name": "back"}]}})
    };
    let (home, away) = (&world.home.cluster, &world.away.cluster);
    refused(
        admin,
        &back(home, away, &copy, "back"),
        "/spec/topics/0/topic",
        "bad_reference",
    )
    .await;
    // On to a third, and from there no way back either.
    let third =
        json!({"environment": world.home.environment, "broker_pool": world.home.pool, "name": "third"});
    let third = made(admin, "/v1/clusters", third).await;
    let (_on, further) = world.link(&back(home, &third, &copy, "on")).await;
    refused(
        admin,
        &back(&third, away, &further, "round"),
        "/spec/topics/0/topic",
        "bad_reference",
    )
    .await;
    // What is home's own goes the other way.
    world.link(&back(home, away, &world.home.topic, "there")).await;
}

#[tokio::test]
async fn only_gateways_are_linked() {
    let world = World::make().await;
    let admin = world.admin();
    let cluster = |name: &str| json!({"environment": world.home.environment, "broker_pool": world.home.pool, "name": name});
    let mut native = cluster("native");
    native["access"] = json!("NATIVE");
    let native = made(admin, "/v1/clusters", native).await;
    admin
        .post("/v1/cluster-links", &world.with("target_cluster", json!(native)))
        .await
        .expect_problem(409, "native_access");
    let mut from = world.with("source_cluster", json!(native));
    from["spec"]["topics"] = json!([]);
    admin
        .post("/v1/cluster-links", &from)
        .await
        .expect_problem(409, "native_access");
    let attached = json!({"data_plane": world.home.data_plane, "name": "old", "attached": {"bootstrap_servers": ["kafka.example:9092"], "credential": "old"}});
    let attached = made(admin, "/v1/broker-pools", attached).await;
    let adopts = json!({"environment": world.home.environment, "broker_pool": attached, "name": "old", "adopts": true});
    let adopts = made(admin, "/v1/clusters", adopts).await;
    refused(
        admin,
        &world.with("target_cluster", json!(adopts)),
        "/spec/target_cluster",
        "bad_reference",
    )
    .await;
    // Such a cluster may be read.
    let mut from = world.with("source_cluster", json!(adopts));
    from["spec"]["topics"] = json!([]);
    admin.post("/v1/cluster-links", &from).await.expect(201);
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_a_link() {
    let world = World::make().await;
    let (link, copy) = world.link(&world.spec()).await;
    let path = format!("/v1/cluster-links/{link}");
    // Neither a stranger nor the tenant whose data plane its source is on.
    let (stranger, _) = world.away.bench.tenant("TENANT_ADMIN").await;
    let theirs = streams::make(&stranger).await;
    for other in [&stranger, &world.away.provider] {
        other.get(&path).await.expect_problem(404, "not_found");
        other
            .patch(&path, &json!({"spec": {"desired_state": "PAUSED"}}))
            .await
            .expect_problem(404, "not_found");
        other.delete(&path).await.expect_problem(404, "not_found");
        other
            .get(&format!("/v1/topics/{copy}"))
            .await
            .expect_problem(404, "not_found");
        assert_eq!(
            other.get("/v1/cluster-links").await.expect(200)["data"],
            json!([])
        );
    }
    // A name of another tenant's is free.
    let second = json!({"environment": theirs.environment, "broker_pool": theirs.pool, "name": "second"});
    let second = made(&stranger, "/v1/clusters", second).await;
    let account = made(&stranger, "/v1/service-accounts", json!({"name": "mover"})).await;
    let binding = json!({"principal": account, "role": "READER", "resource": "*"});
    made(&stranger, "/v1/role-bindings", binding).await;
    let own = json!({"spec": {"name": "bring-home", "source_cluster": theirs.cluster, "target_cluster": second,
        "service_account": account, "topics": [{"topic": theirs.topic}]}});
    let own = stranger.post("/v1/cluster-links", &own).await.expect(201);
    assert_ne!(id(&own), link);
    assert_eq!(
        stranger.get("/v1/cluster-links").await.expect(200)["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
