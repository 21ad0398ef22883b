//! What is refused, and how precisely.

use serde_json::{Value, json};

use super::{World, guest, turn};
use crate::jobs::made;
use crate::streams::{self, Streams};

#[tokio::test]
async fn nobody_shares_before_his_tenant_says_so() {
    let world = World::make().await;
    turn(&world.provider, false, true).await;
    world
        .provider
        .post("/v1/shares", &world.spec())
        .await
        .expect_problem(403, "sharing_off");
    turn(&world.provider, true, false).await;
    let (_share, received) = world.offer(&world.spec()).await;
    turn(&world.consumer, true, false).await;
    world
        .accept(&received, json!({}))
        .await
        .expect_problem(403, "sharing_off");
    // It takes who administers the topic to share it, and who administers the cluster to take it.
    let developer = world.bench.member(&world.giver, "DEVELOPER").await;
    let other = world.with("/spec/name", json!("other"));
    developer
        .post("/v1/shares", &other)
        .await
        .expect_problem(403, "denied");
    turn(&world.consumer, false, true).await;
    let developer = world.bench.member(&world.taker, "DEVELOPER").await;
    let body = json!({"cluster": world.cluster});
    let accept = format!("/v1/received-shares/{received}/accept");
    developer.post(&accept, &body).await.expect_problem(403, "denied");
}

/// What stands where, and what is said of it.
fn wrong_offers(world: &World, foreign: &Streams) -> [(&'static str, Value, &'static str, &'static str); 9] {
    let masked = json!([{"filter": {"where": "message.card == '4111'"}}, {"mask": {"fields": ["card"], "how": "REDACT"}}]);
    [
        (
            "/spec/cluster",
            json!(foreign.cluster),
            "/spec/cluster",
            "bad_reference",
        ),
        (
            "/spec/topics/0/topic",
            json!(foreign.topic),
            "/spec/topics/0/topic",
            "bad_reference",
        ),
        (
            "/spec/topics/0/steps",
            masked,
            "/spec/topics/0/steps/0/filter/where",
            "bad_program",
        ),
        (
            "/spec/topics/0/steps",
            json!([{"drop": {"fields": ["card"]}}]),
            "/spec/topics/0/steps/0",
            "bad_program",
        ),
        (
            "/spec/topics/0/steps",
            json!([{"filter": {"where": "message."}}]),
            "/spec/topics/0/steps/0/filter/where",
            "bad_expression",
        ),
        (
            "/spec/topics/0/alias",
            json!("a b"),
            "/spec/topics/0/alias",
            "bad_name",
        ),
        (
            "/spec/recipient",
            json!({"kind": "TENANT", "tenant": world.giver.tenant}),
            "/spec/recipient",
            "bad_reference",
        ),
        (
            "/spec/recipient",
            json!({"kind": "TENANT", "tenant": "tenant_00000000000000000000000000"}),
            "/spec/recipient/tenant",
            "bad_reference",
        ),
        (
            "/spec/expires_at",
            json!("2026-01-01T00:00:00Z"),
            "/spec/expires_at",
            "out_of_range",
        ),
    ]
}

#[tokio::test]
async fn a_wrong_offer_is_refused_where_it_is_wrong() {
    let world = World::make().await;
    let foreign = streams::make(&world.bench.tenant("TENANT_ADMIN").await.0).await;
    for (place, value, pointer, code) in wrong_offers(&world, &foreign) {
        let reply = world
            .provider
            .post("/v1/shares", &world.with(place, value))
            .await
            .expect(422);
        let told = reply["errors"]
            .as_array()
            .and_then(|it| it.first())
            .cloned()
            .unwrap_or_default();
        assert_eq!(
            (&told["pointer"], &told["code"]),
            (&json!(pointer), &json!(code)),
            "{reply:#}"
        );
    }
    let second = made(
        &world.provider,
        "/v1/topics",
        json!({"cluster": world.made.cluster, "name": "other"}),
    )
    .await;
    let clash = json!([{"topic": world.made.topic, "alias": "x"}, {"topic": second, "alias": "x"}]);
    world
        .provider
        .post("/v1/shares", &world.with("/spec/topics", clash))
        .await
        .expect_problem(409, "name_taken");
}

#[tokio::test]
async fn with_a_contract_steps_are_judged_by_its_fields() {
    let world = World::make().await;
    let schema = json!({"schema": r#"{"type":"record","name":"P","fields":[{"name":"id","type":"string"},
        {"name":"card","type":"string"},{"name":"amount","type":"long"}]}"#});
    world
        .provider
        .post(
            "/registry/contexts/.prod/subjects/payments-value/versions",
            &schema,
        )
        .await
        .expect(200);
    let missing = json!([{"mask": {"fields": ["pan"], "how": "REDACT"}}]);
    let refused = world
        .provider
        .post("/v1/shares", &world.with("/spec/topics/0/steps", missing))
        .await
        .expect(422);
    assert_eq!(
        refused["errors"][0]["pointer"], "/spec/topics/0/steps/0/mask/fields/0",
        "{refused:#}"
    );
    let steps = json!([{"filter": {"where": "message.amount > 100"}}, {"mask": {"fields": ["card"], "how": "REDACT"}},
        {"project": {"fields": ["id", "card"]}}]);
    let (_share, received) = world.offer(&world.with("/spec/topics/0/steps", steps)).await;
    let look = world.act(&format!("received-shares/{received}/preview")).await;
    assert_eq!(look["topics"][0]["filtered"], true);
    assert_eq!(
        look["topics"][0]["fields"],
        json!([{"path": "card", "type": "string", "masked": "REDACT"},
        {"path": "id", "type": "string"}])
    );
}

#[tokio::test]
async fn a_wrong_acceptance_is_refused_precisely() {
    let world = World::make().await;
    let (_share, received) = world.offer(&world.spec()).await;
    let accept = format!("/v1/received-shares/{received}/accept");
    // Into somebody else's cluster, and into one of its own on another pool.
    let foreign = json!({"cluster": world.made.cluster});
    let told = world
        .consumer
        .post(&accept, &foreign)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(told["errors"][0]["pointer"], "/cluster");
    let data_plane = made(&world.consumer, "/v1/data-planes", json!({"name": "own"})).await;
    let pool = made(
        &world.consumer,
        "/v1/broker-pools",
        json!({"data_plane": data_plane, "name": "own"}),
    )
    .await;
    let environment = made(&world.consumer, "/v1/environments", json!({"name": "own"})).await;
    let own = json!({"environment": environment, "broker_pool": pool, "name": "own"});
    let own = made(&world.consumer, "/v1/clusters", own).await;
    let told = world
        .consumer
        .post(&accept, &json!({"cluster": own}))
        .await
        .expect_problem(409, "other_pool");
    assert!(told["detail"].to_string().contains("cluster link"));
    made(
        &world.consumer,
        "/v1/topics",
        json!({"cluster": world.cluster, "name": "payments"}),
    )
    .await;
    world
        .accept(&received, json!({}))
        .await
        .expect_problem(409, "name_taken");
    world
        .accept(&received, json!({"name_prefix": "__"}))
        .await
        .expect_problem(422, "invalid");
    world
        .accept(&received, json!({"name_prefix": "a."}))
        .await
        .expect(200);
    // The same topic by another share, into the same cluster.
    let (_share, second) = world.offer(&world.with("/spec/name", json!("again"))).await;
    world
        .accept(&second, json!({"name_prefix": "b."}))
        .await
        .expect_problem(409, "already_mounted");
    // A mount is not shared further.
    turn(&world.consumer, true, true).await;
    let mounts = world.consumer.get("/v1/mounts").await.expect(200);
    let on = json!({"spec": {"cluster": world.cluster, "name": "on", "topics": [{"topic": mounts["data"][0]["id"]}],
        "recipient": {"kind": "LINK"}}});
    world
        .consumer
        .post("/v1/shares", &on)
        .await
        .expect_problem(409, "mounted");
}

#[tokio::test]
async fn a_third_tenant_on_the_pool_sees_nothing() {
    let world = World::make().await;
    let (third, ids) = world.bench.tenant("TENANT_ADMIN").await;
    turn(&third, true, true).await;
    let cluster = guest(&world.provider, &world.made, &third, &ids).await;
    let (share, received) = world.offer(&world.spec()).await;
    for action in ["preview", "accept", "decline", "leave"] {
        let path = format!("/v1/received-shares/{received}/{action}");
        let body = if action == "accept" {
            json!({"cluster": cluster})
        } else {
            json!({})
        };
        third.post(&path, &body).await.expect_problem(404, "not_found");
        // Nor does the provider decide for its recipient.
        let reply = world.provider.post(&path, &body).await;
        reply.expect_problem(404, "not_found");
    }
    for caller in [&third, &world.consumer] {
        caller
            .get(&format!("/v1/shares/{share}"))
            .await
            .expect_problem(404, "not_found");
        for action in ["revoke", "resend", "extend"] {
            let path = format!("/v1/shares/{share}/{action}");
            caller
                .post(&path, &json!({}))
                .await
                .expect_problem(404, "not_found");
        }
    }
    for list in ["/v1/shares", "/v1/received-shares", "/v1/mounts"] {
        assert_eq!(third.get(list).await.expect(200)["data"], json!([]), "{list}");
    }
}

#[tokio::test]
async fn a_version_that_a_share_relies_on_stays_readable() {
    let world = World::make().await;
    let schema =
        |fields: &str| json!({"schema": format!(r#"{{"type":"record","name":"P","fields":[{fields}]}}"#)});
    let (id, card) = (
        r#"{"name":"id","type":"string"}"#,
        r#"{"name":"card","type":"string"}"#,
    );
    let path = "/registry/contexts/.prod/subjects/payments-value/versions";
    let first = schema(&format!("{id},{card}"));
    world.provider.post(path, &first).await.expect(200);
    let missing = world.with("/spec/topics/0/contract_version", json!(2));
    let told = world
        .provider
        .post("/v1/shares", &missing)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(told["errors"][0]["pointer"], "/spec/topics/0/contract_version");
    let (share, _received) = world
        .offer(&world.with("/spec/topics/0/contract_version", json!(1)))
        .await;
    // To leave a field out is BACKWARD compatible, and yet who reads by version 1 misses it.
    let fewer = schema(id);
    let refused = world.provider.post(path, &fewer).await.expect(409);
    assert!(
        refused["message"].to_string().contains("cards-for-risk"),
        "{refused:#}"
    );
    let contract = world.provider.get("/v1/contracts").await.expect(200)["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let plan = format!("/v1/contracts/{contract}/versions?dry_run=true");
    let plan = world
        .provider
        .post(&plan, &json!({"spec": fewer}))
        .await
        .expect(200);
    assert_eq!(plan["accepted"], false, "{plan:#}");
    let more = schema(&format!(
        r#"{id},{card},{{"name":"note","type":"string","default":""}}"#
    ));
    world.provider.post(path, &more).await.expect(200);
    // With the share it ends.
    world.act(&format!("shares/{share}/revoke")).await;
    world.provider.post(path, &fewer).await.expect(200);
}

#[tokio::test]
async fn a_job_reads_a_mount_and_writes_none_and_holds_it_while_it_does() {
    let world = World::make().await;
    let (_share, received) = world.offer(&world.spec()).await;
    let taken = world.accept(&received, json!({})).await.expect(200);
    let mount = taken["status"]["mounts"][0]["topic"].clone();
    let own = json!({"cluster": world.cluster, "name": "own"});
    let own = made(&world.consumer, "/v1/topics", own).await;
    let contract = json!({"spec": {"contract": {"enforcement": "DLQ", "dead_letter_topic": mount}}});
    let told = world
        .consumer
        .patch(&format!("/v1/topics/{own}"), &contract)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(told["errors"][0]["code"], "bad_reference");
    let account = made(&world.consumer, "/v1/service-accounts", json!({"name": "job"})).await;
    let binding = json!({"principal": account, "role": "DEVELOPER", "resource": "environment=risk/*"});
    made(&world.consumer, "/v1/role-bindings", binding).await;
    let grants = world.provider.get("/v1/data-plane-grants").await.expect(200);
    let grant = format!(
        "/v1/data-plane-grants/{}",
        grants["data"][0]["id"].as_str().expect("an id")
    );
    world
        .provider
        .patch(&grant, &json!({"spec": {"compute_units_max": 2}}))
        .await
        .expect(200);
    let pool = json!({"data_plane": world.made.data_plane, "name": "jobs", "max_units": 2});
    let pool = made(&world.consumer, "/v1/compute-pools", pool).await;
    let job = |source: &Value, sink: &Value| {
        json!({"spec": {"cluster": world.cluster, "name": "copy", "compute_pool": pool, "service_account": account,
            "program": {"kind": "ACTION", "source": {"topic": source}, "steps": [], "sinks": [{"topic": sink}]}}})
    };
    let told = world
        .consumer
        .post("/v1/jobs", &job(&json!(own), &mount))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        (&told["errors"][0]["pointer"], &told["errors"][0]["code"]),
        (&json!("/spec/program/sinks/0/topic"), &json!("mounted"))
    );
    world
        .consumer
        .post("/v1/jobs", &job(&mount, &json!(own)))
        .await
        .expect(201);
    let leave = format!("/v1/received-shares/{received}/leave");
    let told = world
        .consumer
        .post(&leave, &json!({}))
        .await
        .expect_problem(409, "in_use");
    assert!(told["detail"].to_string().contains("copy"));
}
