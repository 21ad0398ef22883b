//! Data planes, pools, grants, clusters and topics: what tenants wish, before any agent answers.

use serde_json::{Value, json};

use crate::harness::{Bench, Caller};

pub struct Streams {
    pub data_plane: String,
    pub pool: String,
    pub environment: String,
    pub cluster: String,
    pub topic: String,
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

/// One of each, of one tenant.
pub async fn make(admin: &Caller) -> Streams {
    let data_plane = id(&admin
        .post("/v1/data-planes", &json!({"spec": {"name": "dp"}}))
        .await
        .expect(201));
    let pool = json!({"spec": {"data_plane": data_plane, "name": "main"}});
    let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
    let environment = id(&admin
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201));
    let cluster = json!({"spec": {"environment": environment, "broker_pool": pool, "name": "cards"}});
    let cluster = id(&admin.post("/v1/clusters", &cluster).await.expect(201));
    let topic = json!({"spec": {"cluster": cluster, "name": "payments"}});
    let topic = id(&admin.post("/v1/topics", &topic).await.expect(201));
    Streams {
        data_plane,
        pool,
        environment,
        cluster,
        topic,
    }
}

#[tokio::test]
async fn a_topic_waits_for_its_agent_and_moves_the_data_plane_on() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = make(&admin).await;
    let topic = admin.get(&format!("/v1/topics/{}", made.topic)).await.expect(200);
    assert_eq!(
        topic["metadata"]["resource_name"],
        "environment=prod/cluster=cards/topic=payments"
    );
    assert_eq!(topic["spec"]["partitions"], 6);
    assert_eq!(
        (&topic["status"]["phase"], &topic["status"]["reason"]),
        (&json!("PENDING"), &json!("WAITING_FOR_AGENT"))
    );
    let path = format!("/v1/data-planes/{}", made.data_plane);
    let before = admin.get(&path).await.expect(200)["status"]["desired_generation"]
        .as_i64()
        .unwrap();
    let topic = format!("/v1/topics/{}", made.topic);
    admin
        .patch(&topic, &json!({"spec": {"partitions": 12}}))
        .await
        .expect(200);
    let after = admin.get(&path).await.expect(200)["status"]["desired_generation"]
        .as_i64()
        .unwrap();
    assert_eq!(after, before + 1);
    let problem = admin
        .patch(&topic, &json!({"spec": {"partitions": 6}}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "cannot_shrink");
    admin
        .patch(&topic, &json!({"spec": {"name": "other"}}))
        .await
        .expect_problem(422, "invalid");
    let bad = json!({"spec": {"configs": {"min.insync.replicas": "1"}}});
    let problem = admin.patch(&topic, &bad).await.expect_problem(422, "invalid");
    assert_eq!(
        problem["errors"][0]["pointer"],
        "/spec/configs/min.insync.replicas"
    );
    admin
        .get(&format!("{topic}/extent"))
        .await
        .expect_problem(503, "agent_unreachable");
    // A plan moves nothing on.
    admin
        .patch(
            &format!("{topic}?dry_run=true"),
            &json!({"spec": {"partitions": 24}}),
        )
        .await
        .expect(200);
    assert_eq!(
        admin.get(&path).await.expect(200)["status"]["desired_generation"],
        after
    );
    // With `wait`, the answer comes when the time is over and tells where the topic stands.
    let waited = json!({"spec": {"cluster": made.cluster, "name": "waited"}});
    let waited = admin.post("/v1/topics?wait=1s", &waited).await.expect(201);
    assert_eq!(waited["status"]["phase"], "PENDING");
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = make(&admin).await;
    for path in [
        format!("/v1/clusters/{}", made.cluster),
        format!("/v1/environments/{}", made.environment),
        format!("/v1/broker-pools/{}", made.pool),
        format!("/v1/data-planes/{}", made.data_plane),
    ] {
        admin.delete(&path).await.expect_problem(409, "in_use");
    }
    // No agent ever spoke of them, so nothing needs destroying.
    for path in [
        format!("/v1/topics/{}", made.topic),
        format!("/v1/clusters/{}", made.cluster),
        format!("/v1/environments/{}", made.environment),
        format!("/v1/broker-pools/{}", made.pool),
        format!("/v1/data-planes/{}", made.data_plane),
    ] {
        admin.delete(&path).await.expect(204);
        admin.get(&path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_enrolment_token_is_shown_once() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let keyed = admin.clone().with("Idempotency-Key", "dp");
    let made = keyed
        .post("/v1/data-planes", &json!({"spec": {"name": "dp"}}))
        .await
        .expect(201);
    let token = made["enrollment"]["token"].as_str().unwrap().to_owned();
    assert!(made["enrollment"]["command"].as_str().unwrap().contains(&token));
    // A retry of the very call still gets it; nobody else does.
    let again = keyed
        .post("/v1/data-planes", &json!({"spec": {"name": "dp"}}))
        .await
        .expect(201);
    assert_eq!(again["enrollment"]["token"], token);
    let path = format!("/v1/data-planes/{}", id(&made));
    let read = admin.get(&path).await.expect(200);
    assert!(!read.to_string().contains(&token));
    assert_eq!(read["status"]["reason"], "NOT_ENROLLED");
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT row_to_json(t)::text FROM (SELECT * FROM audit_event) t")
            .fetch_all(&mut bench.database.owner().await)
            .await
            .unwrap();
    assert!(stored.iter().all(|row| !row.contains(&token)));
    let renewed = admin
        .post(&format!("{path}/enrollment-tokens"), &json!({}))
        .await
        .expect(200);
    assert_ne!(renewed["enrollment"]["token"], token);
    assert_eq!(
        admin
            .post(&format!("{path}/revoke"), &json!({}))
            .await
            .expect(200)["status"]["phase"],
        "REVOKED"
    );
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one life of a grant, told from offer to end"
)]
async fn a_guest_uses_a_pool_through_a_grant_and_within_it() {
    let bench = Bench::start().await;
    let (owner, _) = bench.tenant("TENANT_ADMIN").await;
    let (guest, ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let made = make(&owner).await;
    let environment = id(&guest
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201));
    let cluster = json!({"spec": {"environment": environment, "broker_pool": made.pool, "name": "cards"}});
    // Another tenant's pool, before any grant: as if it did not exist.
    let problem = guest
        .post("/v1/clusters", &cluster)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/spec/broker_pool");

    let offer = json!({"spec": {"broker_pool": made.pool, "guest_tenant": ids.tenant, "clusters_max": 1,
        "topics_max": 1, "partitions_max": 6}});
    let grant = owner.post("/v1/data-plane-grants", &offer).await.expect(201);
    assert_eq!(grant["status"]["phase"], "OFFERED");
    let path = format!("/v1/data-plane-grants/{}", id(&grant));
    guest
        .post("/v1/clusters", &cluster)
        .await
        .expect_problem(422, "invalid");
    stranger.get(&path).await.expect_problem(404, "not_found");
    stranger
        .post(&format!("{path}/accept"), &json!({}))
        .await
        .expect_problem(404, "not_found");
    owner
        .post(&format!("{path}/accept"), &json!({}))
        .await
        .expect_problem(403, "denied");
    let received = guest
        .get("/v1/data-plane-grants?direction=received")
        .await
        .expect(200);
    assert_eq!(received["data"][0]["id"], grant["id"]);
    assert_eq!(
        guest
            .get("/v1/data-plane-grants?direction=offered")
            .await
            .expect(200)["data"],
        json!([])
    );
    assert_eq!(
        guest
            .post(&format!("{path}/accept"), &json!({}))
            .await
            .expect(200)["status"]["phase"],
        "ACTIVE"
    );

    let cluster = guest.post("/v1/clusters", &cluster).await.expect(201);
    let second = json!({"spec": {"environment": environment, "broker_pool": made.pool, "name": "more"}});
    guest
        .post("/v1/clusters", &second)
        .await
        .expect_problem(402, "over_quota");
    // The same name as the owner's topic, on the same brokers.
    let topic = json!({"spec": {"cluster": id(&cluster), "name": "payments"}});
    guest.post("/v1/topics", &topic).await.expect(201);
    let topic = json!({"spec": {"cluster": id(&cluster), "name": "another"}});
    guest
        .post("/v1/topics", &topic)
        .await
        .expect_problem(402, "over_quota");

    // The owner sees neither the guest's cluster nor its topics, and the pool cannot go while they are there.
    assert_eq!(
        owner.get("/v1/clusters").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    owner
        .get(&format!("/v1/clusters/{}", id(&cluster)))
        .await
        .expect_problem(404, "not_found");
    owner
        .delete(&format!("/v1/topics/{}", made.topic))
        .await
        .expect(204);
    owner
        .delete(&format!("/v1/clusters/{}", made.cluster))
        .await
        .expect(204);
    owner
        .delete(&format!("/v1/broker-pools/{}", made.pool))
        .await
        .expect_problem(409, "in_use");
    // Guests do not see the owner's data plane or pool as objects of their own.
    guest
        .get(&format!("/v1/data-planes/{}", made.data_plane))
        .await
        .expect_problem(404, "not_found");
    guest
        .get(&format!("/v1/broker-pools/{}", made.pool))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(
        owner
            .post(&format!("{path}/revoke"), &json!({}))
            .await
            .expect(200)["status"]["phase"],
        "REVOKED"
    );
}

#[tokio::test]
async fn references_to_another_tenants_objects_are_refused() {
    let bench = Bench::start().await;
    let (owner, _) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let made = make(&owner).await;
    let environment = id(&stranger
        .post("/v1/environments", &json!({"spec": {"name": "e"}}))
        .await
        .expect(201));
    for (path, spec) in [
        (
            "/v1/broker-pools",
            json!({"data_plane": made.data_plane, "name": "p"}),
        ),
        (
            "/v1/clusters",
            json!({"environment": environment, "broker_pool": made.pool, "name": "c"}),
        ),
        (
            "/v1/clusters",
            json!({"environment": made.environment, "broker_pool": made.pool, "name": "c"}),
        ),
        ("/v1/topics", json!({"cluster": made.cluster, "name": "t"})),
        ("/v1/topics", json!({"cluster": "cluster_nonsense", "name": "t"})),
    ] {
        stranger
            .post(path, &json!({"spec": spec}))
            .await
            .expect_problem(422, "invalid");
    }
}

#[tokio::test]
async fn a_developer_bound_to_one_environment_changes_no_other() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let made = make(&admin).await;
    let developer = bench.member(&ids, "DEVELOPER").await;
    sqlx::query("UPDATE role_binding SET resource = 'environment=test/*' WHERE role = 'DEVELOPER'")
        .execute(&mut bench.database.owner().await)
        .await
        .unwrap();
    developer
        .get(&format!("/v1/topics/{}", made.topic))
        .await
        .expect(200);
    developer
        .delete(&format!("/v1/topics/{}", made.topic))
        .await
        .expect_problem(403, "denied");
    let topic = json!({"spec": {"cluster": made.cluster, "name": "mine"}});
    developer
        .post("/v1/topics", &topic)
        .await
        .expect_problem(403, "denied");
    developer
        .post("/v1/environments", &json!({"spec": {"name": "test"}}))
        .await
        .expect_problem(403, "denied");
    developer
        .post("/v1/data-planes", &json!({"spec": {"name": "x"}}))
        .await
        .expect_problem(403, "denied");
}
