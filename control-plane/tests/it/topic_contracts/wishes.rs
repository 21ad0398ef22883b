//! What a topic may promise.

use serde_json::{Value, json};

use super::World;
use crate::harness::Caller;
use crate::streams::{self, id};

async fn refused(caller: &Caller, spec: &Value, pointer: &str, code: &str) {
    let reply = caller.post("/v1/topics", spec).await;
    let problem = reply.expect_problem(422, "invalid");
    let found = (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]);
    assert_eq!(found, (&json!(pointer), &json!(code)), "{problem}");
}

#[tokio::test]
async fn a_contract_is_kept_changed_and_taken_away() {
    let world = World::make().await;
    let tenant = &world.owner;
    let dead = tenant.topic("dead", json!(null)).await;
    let contract = json!({"enforcement": "DLQ", "dead_letter_topic": dead});
    let id = tenant.topic("payments", contract).await;
    let path = format!("/v1/topics/{id}");
    let part = json!({"strategy": "TOPIC_NAME", "unframed": "REFUSED"});
    let whole = json!({"enforcement": "DLQ", "value": part, "dead_letter_topic": dead});
    let shown = tenant.admin.get(&path).await.expect(200);
    assert_eq!(shown["spec"]["contract"], whole);
    let plain = tenant.admin.get(&format!("/v1/topics/{dead}")).await.expect(200);
    assert!(plain["spec"].get("contract").is_none());
    // A field at a time; what is not said stays.
    let before = world.generation().await;
    let changed = tenant.change(&id, json!({"enforcement": "SHADOW"})).await;
    assert_eq!(changed["spec"]["contract"]["dead_letter_topic"], dead);
    assert_eq!(world.generation().await, before + 1);
    let keyed = tenant
        .change(&id, json!({"key": {"strategy": "RECORD_NAME"}, "value": null}))
        .await;
    assert!(keyed["spec"]["contract"].get("value").is_none());
    assert_eq!(keyed["spec"]["contract"]["key"]["strategy"], "RECORD_NAME");
    let audit = tenant
        .admin
        .get("/v1/audit-events?page_size=100")
        .await
        .expect(200);
    let audited = audit["data"].as_array().expect("rows").iter();
    let told = audited.filter(|it| it["after"]["spec"]["contract"] == keyed["spec"]["contract"]);
    assert_eq!(told.count(), 1, "{audit:#}");
    let none = tenant.change(&id, json!(null)).await;
    assert!(none["spec"].get("contract").is_none());
}

#[tokio::test]
async fn bad_promises_are_refused_where_they_are_bad() {
    let world = World::make().await;
    let tenant = &world.owner;
    let guest = world.guest().await;
    let foreign = guest.topic("dead", json!(null)).await;
    let elsewhere =
        json!({"spec": {"environment": tenant.environment, "broker_pool": world.pool, "name": "more"}});
    let elsewhere = id(&tenant.admin.post("/v1/clusters", &elsewhere).await.expect(201));
    let elsewhere = json!({"spec": {"cluster": elsewhere, "name": "dead"}});
    let elsewhere = id(&tenant.admin.post("/v1/topics", &elsewhere).await.expect(201));
    let compacted =
        json!({"spec": {"cluster": tenant.cluster, "name": "compacted", "cleanup_policy": "COMPACT"}});
    let compacted = id(&tenant.admin.post("/v1/topics", &compacted).await.expect(201));
    let dead = tenant.topic("dead", json!(null)).await;
    let chained = json!({"enforcement": "DLQ", "dead_letter_topic": dead});
    let chained = tenant.topic("chained", chained).await;
    let at = |field: &str| format!("/spec/contract{field}");
    let dlq = |target: &str| json!({"enforcement": "DLQ", "dead_letter_topic": target});
    for (contract, field, code) in [
        (json!({}), "", "required"),
        (json!({"enforcement": "WARN"}), "/enforcement", "wrong_type"),
        (json!({"enforcement": "DLQ"}), "/dead_letter_topic", "required"),
        (dlq(&foreign), "/dead_letter_topic", "bad_reference"),
        (dlq(&elsewhere), "/dead_letter_topic", "bad_reference"),
        (dlq(&compacted), "/dead_letter_topic", "bad_reference"),
        (dlq(&chained), "/dead_letter_topic", "bad_reference"),
        (
            json!({"enforcement": "REJECT", "key": {"strategy": "RECORD_NAME", "unframed": "JSON"}}),
            "/key/unframed",
            "out_of_range",
        ),
    ] {
        refused(&tenant.admin, &tenant.spec("new", contract), &at(field), code).await;
    }
    let path = format!("/v1/topics/{chained}");
    let own = json!({"spec": {"contract": {"dead_letter_topic": chained}}});
    let problem = tenant
        .admin
        .patch(&path, &own)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], at("/dead_letter_topic"));
    let compact = json!({"spec": {"cleanup_policy": "COMPACT_DELETE"}});
    let problem = tenant
        .admin
        .patch(&path, &compact)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], at("/enforcement"));
}

#[tokio::test]
async fn a_dead_letter_topic_stays_as_long_as_it_is_one() {
    let world = World::make().await;
    let tenant = &world.owner;
    let (dead, other) = (
        tenant.topic("dead", json!(null)).await,
        tenant.topic("other", json!(null)).await,
    );
    let contract = json!({"enforcement": "SHADOW", "dead_letter_topic": dead});
    let payments = tenant.topic("payments", contract).await;
    let path = format!("/v1/topics/{dead}");
    let problem = tenant.admin.delete(&path).await.expect_problem(409, "in_use");
    assert!(
        problem["detail"].as_str().expect("text").contains("payments"),
        "{problem}"
    );
    for change in [
        json!({"cleanup_policy": "COMPACT"}),
        json!({"contract": {"enforcement": "DLQ", "dead_letter_topic": other}}),
    ] {
        let patch = json!({ "spec": change });
        tenant
            .admin
            .patch(&path, &patch)
            .await
            .expect_problem(409, "in_use");
    }
    let more = json!({"spec": {"retention_ms": 1000}});
    tenant.admin.patch(&path, &more).await.expect(200);
    tenant
        .change(&payments, json!({"dead_letter_topic": other}))
        .await;
    tenant.admin.delete(&path).await.expect(204);
    // Who names it goes first, or both by themselves.
    tenant
        .admin
        .delete(&format!("/v1/topics/{payments}"))
        .await
        .expect(204);
    tenant
        .admin
        .delete(&format!("/v1/topics/{other}"))
        .await
        .expect(204);
}

#[tokio::test]
async fn dead_letters_go_where_the_caller_may_write() {
    let bench = crate::harness::Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let dead = json!({"spec": {"cluster": made.cluster, "name": "dead"}});
    let dead = id(&admin.post("/v1/topics", &dead).await.expect(201));
    let payments = "environment=prod/cluster=cards/topic=payments";
    let developer = crate::registry::key(&bench, &admin, "DEVELOPER", payments, None).await;
    let path = format!("/v1/topics/{}", made.topic);
    let named = json!({"spec": {"contract": {"enforcement": "DLQ", "dead_letter_topic": dead}}});
    developer.patch(&path, &named).await.expect_problem(403, "denied");
    admin.patch(&path, &named).await.expect(200);
    // What somebody else chose does not stand in the way of other changes.
    let more = json!({"spec": {"contract": {"enforcement": "SHADOW"}}});
    developer.patch(&path, &more).await.expect(200);
    let reader = bench.member(&ids, "READER").await;
    reader.patch(&path, &more).await.expect_problem(403, "denied");
}

#[tokio::test]
async fn native_clusters_have_nobody_who_judges() {
    let bench = crate::harness::Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let door = bench.door().await;
    let plane = json!({"spec": {"name": "dp"}});
    let plane = admin.post("/v1/data-planes", &plane).await.expect(201);
    let token = plane["enrollment"]["token"].as_str().expect("a token");
    door.enroll(token).await.expect("enrolled");
    let pool = json!({"spec": {"data_plane": id(&plane), "name": "main"}});
    let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
    let environment = json!({"spec": {"name": "prod"}});
    let environment = id(&admin.post("/v1/environments", &environment).await.expect(201));
    let cluster =
        json!({"spec": {"environment": environment, "broker_pool": pool, "name": "own", "access": "NATIVE"}});
    let cluster = id(&admin.post("/v1/clusters", &cluster).await.expect(201));
    let spec = |enforcement: &str| json!({"spec": {"cluster": cluster, "name": "payments", "contract": {"enforcement": enforcement}}});
    for enforcement in ["SHADOW", "MARK", "REJECT"] {
        let pointer = "/spec/contract/enforcement";
        refused(&admin, &spec(enforcement), pointer, "not_enforced").await;
    }
    admin.post("/v1/topics", &spec("OFF")).await.expect(201);
}
