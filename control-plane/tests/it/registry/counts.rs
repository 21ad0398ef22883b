//! What a tenant has is counted as it comes and goes: the counts are what one finds by counting everything.

use futures_util::future::join_all;
use serde_json::json;

use super::{record, refused, register};
use crate::harness::{Bench, Caller, TenantIds};
use crate::streams;

/// Versions and bytes: as they were counted, and as they are.
async fn counts(bench: &Bench, tenant: &TenantIds) -> ((i64, i64), (i64, i64)) {
    let mut owner = bench.database.owner().await;
    let counted = "SELECT coalesce(sum(versions), 0)::bigint, coalesce(sum(bytes), 0)::bigint FROM contract_count WHERE tenant_id = $1";
    let there = "SELECT (SELECT count(*) FROM contract_version WHERE tenant_id = $1),
        (SELECT coalesce(sum(octet_length(text) + octet_length(schema_references::text)
            + coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(rule_set::text), 0)), 0)
            FROM contract_schema WHERE tenant_id = $1)::bigint
        + (SELECT coalesce(sum(octet_length(config::text)), 0) FROM contract_config WHERE tenant_id = $1)::bigint";
    let mut found = Vec::new();
    for statement in [counted, there] {
        let row: (i64, i64) = sqlx::query_as(statement)
            .bind(tenant.tenant.uuid())
            .fetch_one(&mut owner)
            .await
            .expect("count");
        found.push(row);
    }
    (found[0], found[1])
}

/// Fails unless the counts are right, and are what the tenant is shown; gives the number of versions.
async fn agree(bench: &Bench, admin: &Caller, tenant: &TenantIds) -> i64 {
    let (counted, there) = counts(bench, tenant).await;
    assert_eq!(counted, there, "versions and bytes");
    let shown = admin.get("/v1/service-quotas").await.expect(200);
    let used = |name: &str| {
        let quotas = shown["data"].as_array().expect("a list");
        let quota = quotas.iter().find(|it| it["name"] == name).expect(name);
        quota["used"].as_i64().expect("a number")
    };
    assert_eq!((used("contract_versions"), used("contract_bytes")), counted);
    counted.0
}

#[tokio::test]
async fn counts_follow_what_comes_and_goes_at_the_same_moment() {
    let bench = Bench::listening().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let (other, others) = bench.tenant("TENANT_ADMIN").await;
    assert_eq!(agree(&bench, &admin, &ids).await, 0);
    register(&other, "s0", &record(&["theirs"])).await;
    // The same content under many subjects, and subjects that grow meanwhile; some of it twice.
    let subjects: Vec<String> = (0..6).map(|at| format!("s{at}")).collect();
    for fields in [&["id"][..], &["id", "a=-"], &["id", "a=-", "b=-"]] {
        let schema = record(fields);
        let calls = subjects.iter().chain(&subjects);
        join_all(calls.map(|subject| register(&admin, subject, &schema))).await;
    }
    assert_eq!(agree(&bench, &admin, &ids).await, 18);
    // What is refused counts nothing.
    let refusal = admin
        .post("/registry/subjects/s0/versions", &json!({"schema": "\"int\""}))
        .await;
    assert_eq!(refusal.status, 409);
    assert_eq!(agree(&bench, &admin, &ids).await, 18);
    let path = |subject: &str, more: &str| format!("/registry/subjects/{subject}{more}");
    let softly: Vec<String> = subjects[..4].iter().map(|it| path(it, "")).collect();
    for reply in join_all(softly.iter().map(|it| admin.delete(it))).await {
        reply.expect(200);
    }
    assert_eq!(
        agree(&bench, &admin, &ids).await,
        18,
        "they come back by being registered"
    );
    // Two end for good while one comes back and one grows.
    let (schema, grown) = (record(&["id", "a=-"]), record(&["id", "a=-", "b=-", "c=-"]));
    let [one, two] = ["s0", "s1"].map(|it| path(it, "?permanent=true"));
    let (first, second, ..) = tokio::join!(
        admin.delete(&one),
        admin.delete(&two),
        register(&admin, "s2", &schema),
        register(&admin, "s4", &grown),
    );
    for reply in [first, second] {
        reply.expect(200);
    }
    // Six went; the deleted version of what came back went too.
    assert_eq!(agree(&bench, &admin, &ids).await, 18 - 6 + 1);
    assert_eq!(agree(&bench, &other, &others).await, 1);
}

#[tokio::test]
async fn configurations_count_and_end_with_their_environment() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let environment = json!({"spec": {"name": "prod"}});
    let environment = streams::id(&admin.post("/v1/environments", &environment).await.expect(201));
    for (path, body) in [
        ("/registry/config/p", r#"{"compatibility": "FULL"}"#),
        (
            "/registry/config/p",
            r#"{"compatibility": "FULL_TRANSITIVE", "normalize": true}"#,
        ),
        ("/registry/contexts/.prod/config", r#"{"compatibility": "NONE"}"#),
    ] {
        admin.send("PUT", path, body).await.expect(200);
        agree(&bench, &admin, &ids).await;
    }
    admin.delete("/registry/config/p").await.expect(200);
    agree(&bench, &admin, &ids).await;
    admin
        .delete(&format!("/v1/environments/{environment}"))
        .await
        .expect(204);
    agree(&bench, &admin, &ids).await;
    assert_eq!(counts(&bench, &ids).await.0, (0, 0));
}

#[tokio::test]
async fn a_quota_holds_by_the_counts() {
    let bench = Bench::listening().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let operator = bench.operator().await.with("Weir-Tenant", ids.tenant.to_string());
    let body = |fields: &[&str]| json!({"schema": record(fields)});
    let (versions, path) = (
        "/v1/service-quotas/contract_versions",
        "/registry/subjects/p/versions",
    );
    operator
        .send("PUT", versions, r#"{"limit": 2}"#)
        .await
        .expect(200);
    register(&admin, "p", &record(&["id"])).await;
    register(&admin, "p", &record(&["id", "a=-"])).await;
    let third = body(&["id", "a=-", "b=-"]);
    let refusal = refused(admin.post(path, &third).await, 402, 402);
    assert!(refusal.contains("contract_versions"), "{refusal}");
    // What is there is found, however full it is.
    register(&admin, "p", &record(&["id"])).await;
    // A deleted version takes its place until it is gone for good.
    admin.delete(&format!("{path}/2")).await.expect(200);
    refused(admin.post(path, &third).await, 402, 402);
    admin
        .delete(&format!("{path}/2?permanent=true"))
        .await
        .expect(200);
    admin.post(path, &third).await.expect(200);
    operator.delete(versions).await.expect(204);
    let bytes = "/v1/service-quotas/contract_bytes";
    let used = counts(&bench, &ids).await.0.1;
    let limit = json!({"limit": used + 100}).to_string();
    operator.send("PUT", bytes, limit).await.expect(200);
    // The same content again takes no more bytes, and new content does.
    register(&admin, "q", &record(&["id"])).await;
    let refusal = refused(
        admin
            .post("/registry/subjects/r/versions", &body(&["x", "y", "z"]))
            .await,
        402,
        402,
    );
    assert!(refusal.contains("contract_bytes"), "{refusal}");
    assert_eq!(agree(&bench, &admin, &ids).await, 3);
    register(&admin, "r", "\"int\"").await;
    agree(&bench, &admin, &ids).await;
}
