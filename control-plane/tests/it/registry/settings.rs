//! Configuration and modes.

use serde_json::json;

use super::{record, refused, register};
use crate::harness::Bench;

#[tokio::test]
async fn what_is_configured_is_shown_changed_and_taken_away() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let (all, one) = ("/registry/config", "/registry/config/p");
    let backward = json!({"compatibilityLevel": "BACKWARD"});
    assert_eq!(admin.get(all).await.expect(200), backward);
    refused(admin.get(one).await, 404, 40408);
    assert_eq!(
        admin
            .get(&format!("{one}?defaultToGlobal=true"))
            .await
            .expect(200),
        backward
    );
    let put = admin.send("PUT", all, r#"{"compatibility": "full"}"#).await;
    assert_eq!(put.expect(200), json!({"compatibility": "full"}));
    assert_eq!(
        admin.get(all).await.expect(200),
        json!({"compatibilityLevel": "FULL"})
    );
    let body = r#"{"compatibility": "NONE", "normalize": true, "compatibilityGroup": "major"}"#;
    admin.send("PUT", one, body).await.expect(200);
    admin
        .send("PUT", one, r#"{"compatibilityGroup": null}"#)
        .await
        .expect(200);
    let said = json!({"normalize": true, "compatibilityLevel": "NONE"});
    assert_eq!(admin.get(one).await.expect(200), said);
    for body in [r#"{"compatibility": "SIDEWAYS"}"#, r#"{"compatibility": ""}"#] {
        refused(admin.send("PUT", one, body).await, 422, 42203);
    }
    refused(admin.send("PUT", one, r#"{"compatibility": 1}"#).await, 400, 400);
    refused(admin.send("PUT", one, r#"{"normalize": "x"}"#).await, 422, 422);
    assert_eq!(admin.delete(one).await.expect(200), said);
    refused(admin.delete(one).await, 404, 40401);
    assert_eq!(
        admin.delete(all).await.expect(200),
        json!({"compatibilityLevel": "FULL"})
    );
    assert_eq!(admin.get(all).await.expect(200), backward);
}

#[tokio::test]
async fn versions_of_one_group_are_compared_with_each_other_only() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let versions = "/registry/subjects/p/versions";
    admin
        .send("PUT", "/registry/config/p", r#"{"compatibilityGroup": "major"}"#)
        .await
        .expect(200);
    let body = |fields: &[&str], major: &str| json!({"schema": record(fields), "metadata": {"properties": {"major": major}}});
    admin.post(versions, &body(&["id"], "1")).await.expect(200);
    refused(admin.post(versions, &body(&["id", "a"], "1")).await, 409, 409);
    admin.post(versions, &body(&["id", "a"], "2")).await.expect(200);
    admin.post(versions, &body(&["id", "b=-"], "1")).await.expect(200);
}

#[tokio::test]
async fn defaults_and_overrides_populate_what_is_registered() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let body = json!({"defaultMetadata": {"properties": {"owner": "nobody"}},
        "overrideMetadata": {"properties": {"region": "eu"}},
        "defaultRuleSet": {"domainRules": [{"name": "a", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true", "disabled": false}]}});
    admin
        .send("PUT", "/registry/config", body.to_string())
        .await
        .expect(200);
    let asked = json!({"schema": "\"int\"", "metadata": {"properties": {"owner": "cards", "region": "us"}}});
    let made = admin
        .post("/registry/subjects/p/versions", &asked)
        .await
        .expect(200);
    assert_eq!(
        made["metadata"],
        json!({"properties": {"owner": "cards", "region": "eu"}})
    );
    assert_eq!(made["ruleSet"]["domainRules"][0]["name"], "a");
    let again = admin
        .post("/registry/subjects/p/versions", &asked)
        .await
        .expect(200);
    assert_eq!(again["id"], made["id"]);
    let bad = json!({"overrideRuleSet": {"domainRules": [{"name": "a", "kind": "WISH"}]}});
    refused(
        admin.send("PUT", "/registry/config", bad.to_string()).await,
        422,
        42210,
    );
}

#[tokio::test]
async fn an_alias_leads_to_its_subject() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    register(&admin, "p", "\"int\"").await;
    admin
        .send("PUT", "/registry/config/also", r#"{"alias": "p"}"#)
        .await
        .expect(200);
    let found = admin
        .get("/registry/subjects/also/versions/latest")
        .await
        .expect(200);
    assert_eq!(found["subject"], "p");
    refused(admin.delete("/registry/subjects/also").await, 404, 40401);
    refused(
        admin.send("PUT", "/registry/config/p", r#"{"alias": "p"}"#).await,
        422,
        42205,
    );
}

#[tokio::test]
async fn a_mode_says_what_may_be_done() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let (all, one) = ("/registry/mode", "/registry/mode/p");
    let mode = |name: &str| json!({"mode": name});
    assert_eq!(admin.get(all).await.expect(200), mode("READWRITE"));
    refused(admin.get(one).await, 404, 40409);
    assert_eq!(
        admin
            .get(&format!("{one}?defaultToGlobal=true"))
            .await
            .expect(200),
        mode("READWRITE")
    );
    register(&admin, "p", "\"int\"").await;
    refused(admin.send("PUT", one, r#"{"mode": "IMPORT"}"#).await, 422, 42205);
    admin
        .send("PUT", &format!("{one}?force=true"), r#"{"mode": "IMPORT"}"#)
        .await
        .expect(200);
    refused(
        admin.send("PUT", one, r#"{"mode": "SOMETIMES"}"#).await,
        422,
        42204,
    );
    refused(admin.send("PUT", one, "{}").await, 422, 42204);
    admin
        .send("PUT", one, r#"{"mode": "READONLY"}"#)
        .await
        .expect(200);
    let versions = "/registry/subjects/p/versions";
    let message = refused(
        admin.post(versions, &json!({"schema": "\"long\""})).await,
        422,
        42205,
    );
    assert_eq!(message, "Subject p is in read-only mode");
    // What is there is found, also by registering it.
    assert!(register(&admin, "p", "\"int\"").await > 0);
    refused(admin.delete("/registry/subjects/p").await, 422, 42205);
    assert_eq!(admin.delete(one).await.expect(200), mode("READONLY"));
    refused(admin.delete(one).await, 404, 40401);
    admin
        .send("PUT", all, r#"{"mode": "READONLY_OVERRIDE"}"#)
        .await
        .expect(200);
    admin
        .send("PUT", one, r#"{"mode": "READWRITE"}"#)
        .await
        .expect(200);
    refused(
        admin.post(versions, &json!({"schema": "\"long\""})).await,
        422,
        42205,
    );
    admin
        .send("PUT", all, r#"{"mode": "READONLY"}"#)
        .await
        .expect(200);
    register(&admin, "p", "\"long\"").await;
    assert_eq!(admin.delete(all).await.expect(200), mode("READONLY"));
}
