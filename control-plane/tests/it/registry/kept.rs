//! What a control plane keeps in memory, and when it forgets: at once where something was changed, soon elsewhere.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{key, record, refused, register};
use crate::harness::{Bench, Caller, Reply};
use crate::streams::{self, id};

/// Shorter than anything is kept: who forgets within it was told.
const TOLD_WITHIN: Duration = Duration::from_secs(4);

/// Asks until the answer has this status.
async fn soon(caller: &Caller, path: &str, status: u16) -> Reply {
    let end = Instant::now() + TOLD_WITHIN;
    loop {
        let reply = caller.get(path).await;
        if reply.status.as_u16() == status {
            return reply;
        }
        assert!(Instant::now() < end, "{path} is still {}", reply.status);
        sleep(Duration::from_millis(10)).await;
    }
}

fn by_id(id: i64) -> String {
    format!("/registry/schemas/ids/{id}")
}

/// Changes rows behind everybody's back: no trigger tells of it.
async fn silently(bench: &Bench, statement: &'static str) {
    let mut owner = bench.database.owner().await;
    for statement in ["SET session_replication_role = replica", statement] {
        let done = sqlx::query(statement).execute(&mut owner).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// The ids of a list.
async fn listed(admin: &Caller, path: &str) -> Vec<String> {
    let list = admin.get(path).await.expect(200);
    list["data"].as_array().expect("a list").iter().map(id).collect()
}

/// The newest key.
async fn newest_key(admin: &Caller) -> String {
    let keys = listed(admin, "/v1/api-keys").await;
    keys.into_iter().max().expect("a key")
}

#[tokio::test]
async fn schemas_and_holders_are_kept_until_a_change_is_told() {
    let bench = Bench::listening().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let path = by_id(register(&app, "p", "\"int\"").await);
    assert_eq!(app.get(&path).await.expect(200), json!({"schema": "\"int\""}));
    silently(&bench, "UPDATE contract_schema SET text = '\"long\"'").await;
    silently(
        &bench,
        "DELETE FROM role_binding WHERE service_account_id IS NOT NULL",
    )
    .await;
    // Neither is read again.
    assert_eq!(app.get(&path).await.expect(200), json!({"schema": "\"int\""}));
    let mut owner = bench.database.owner().await;
    let told = "UPDATE contract_schema SET text = '\"string\"'";
    sqlx::query(told).execute(&mut owner).await.expect("update");
    let end = Instant::now() + TOLD_WITHIN;
    while app.get(&path).await.expect(200) != json!({"schema": "\"string\""}) {
        assert!(Instant::now() < end, "nobody told of the schema");
        sleep(Duration::from_millis(10)).await;
    }
    let told = "UPDATE api_key SET expires_at = now() + interval '1 hour'";
    sqlx::query(told).execute(&mut owner).await.expect("update");
    soon(&app, &path, 403).await;
}

#[tokio::test]
async fn nothing_is_kept_while_nobody_listens() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let path = by_id(register(&app, "p", "\"int\"").await);
    assert_eq!(app.get(&path).await.expect(200), json!({"schema": "\"int\""}));
    silently(&bench, "UPDATE contract_schema SET text = '\"long\"'").await;
    assert_eq!(app.get(&path).await.expect(200), json!({"schema": "\"long\""}));
    silently(
        &bench,
        "DELETE FROM role_binding WHERE service_account_id IS NOT NULL",
    )
    .await;
    refused(app.get(&path).await, 403, 40301);
}

#[tokio::test]
async fn a_listener_that_lost_its_connection_keeps_nothing_from_before() {
    let bench = Bench::listening().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let path = by_id(register(&app, "p", "\"int\"").await);
    app.get(&path).await.expect(200);
    let mut owner = bench.database.owner().await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let ended = sqlx::query(end).fetch_all(&mut owner).await.expect("terminate");
    assert!(!ended.is_empty(), "nobody listened");
    silently(
        &bench,
        "DELETE FROM role_binding WHERE service_account_id IS NOT NULL",
    )
    .await;
    soon(&app, &path, 403).await;
}

#[tokio::test]
async fn a_revoked_key_is_denied_at_once_and_soon_by_another_control_plane() {
    let bench = Bench::listening().await;
    let beside = bench.beside().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    for cluster in [None, Some(made.cluster.as_str())] {
        let app = key(&bench, &admin, "DEVELOPER", "*", cluster).await;
        let there = app.at(&beside.router);
        let path = by_id(register(&app, "p", "\"int\"").await);
        for caller in [&app, &there] {
            for _twice in 0..2 {
                caller.get(&path).await.expect(200);
            }
        }
        let revoked = format!("/v1/api-keys/{}", newest_key(&admin).await);
        admin.delete(&revoked).await.expect(204);
        refused(app.get(&path).await, 401, 401);
        refused(soon(&there, &path, 401).await, 401, 401);
    }
}

#[tokio::test]
async fn who_changed_something_waits_for_nobody_to_tell() {
    let bench = Bench::listening().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let mut owner = bench.database.owner().await;
    for mute in [
        "ALTER TABLE api_key DISABLE TRIGGER api_key_forget",
        "ALTER TABLE role_binding DISABLE TRIGGER role_binding_forget",
        "ALTER TABLE contract_schema DISABLE TRIGGER contract_schema_forget",
    ] {
        sqlx::query(mute).execute(&mut owner).await.expect(mute);
    }
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let path = by_id(register(&app, "p", "\"int\"").await);
    app.get(&path).await.expect(200);
    for more in ["", "?permanent=true"] {
        app.delete(&format!("/registry/subjects/p{more}"))
            .await
            .expect(200);
    }
    refused(app.get(&path).await, 404, 40403);
    app.get("/registry/subjects").await.expect(200);
    let revoked = format!("/v1/api-keys/{}", newest_key(&admin).await);
    admin.delete(&revoked).await.expect(204);
    refused(app.get("/registry/subjects").await, 401, 401);
}

#[tokio::test]
async fn a_wrong_secret_finds_no_kept_holder() {
    let bench = Bench::listening().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let other = key(&bench, &admin, "READER", "*", None).await;
    let path = by_id(register(&app, "p", "\"int\"").await);
    for caller in [&app, &other] {
        caller.get(&path).await.expect(200);
    }
    let mixed = app.with_secret_of(&other);
    refused(mixed.get(&path).await, 401, 401);
}

#[tokio::test]
async fn a_right_that_is_taken_away_or_given_counts_at_once() {
    let bench = Bench::listening().await;
    let beside = bench.beside().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let there = app.at(&beside.router);
    let path = by_id(register(&app, "p", "\"int\"").await);
    for caller in [&app, &there] {
        caller.get(&path).await.expect(200);
    }
    let bindings = admin.get("/v1/role-bindings").await.expect(200);
    let own = |it: &&Value| {
        let principal = it["spec"]["principal"].as_str();
        principal.is_some_and(|it| it.starts_with("service_account_"))
    };
    let bindings = bindings["data"].as_array().expect("a list").clone();
    let binding = bindings.iter().find(own).expect("a binding");
    admin
        .delete(&format!("/v1/role-bindings/{}", id(binding)))
        .await
        .expect(204);
    // What is shown no more is not shown from memory either.
    refused(app.get(&path).await, 403, 40301);
    refused(soon(&there, &path, 403).await, 403, 40301);
    let again =
        json!({"spec": {"principal": binding["spec"]["principal"], "role": "READER", "resource": "*"}});
    admin.post("/v1/role-bindings", &again).await.expect(201);
    app.get(&path).await.expect(200);
    soon(&there, &path, 200).await;
    let body = json!({"schema": record(&["id"])});
    refused(app.post("/registry/subjects/q/versions", &body).await, 403, 40301);
}

#[tokio::test]
async fn a_schema_that_ended_is_shown_no_more() {
    let bench = Bench::listening().await;
    let beside = bench.beside().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let there = app.at(&beside.router);
    let path = by_id(register(&app, "p", "\"int\"").await);
    register(&app, "other", "\"int\"").await;
    for (subject, left) in [("p", true), ("other", false)] {
        for caller in [&app, &there] {
            caller.get(&path).await.expect(200);
        }
        app.delete(&format!("/registry/subjects/{subject}"))
            .await
            .expect(200);
        // Deleted, but not for good: records with the id can still be read.
        for caller in [&app, &there] {
            caller.get(&path).await.expect(200);
        }
        let for_good = format!("/registry/subjects/{subject}?permanent=true");
        app.delete(&for_good).await.expect(200);
        if left {
            continue;
        }
        refused(app.get(&path).await, 404, 40403);
        refused(app.get(&format!("{path}/schema")).await, 404, 40403);
        refused(soon(&there, &path, 404).await, 404, 40403);
    }
}

#[tokio::test]
async fn what_is_kept_for_one_tenant_or_context_is_no_others() {
    let bench = Bench::listening().await;
    let (one, _) = bench.tenant("TENANT_ADMIN").await;
    let (two, _) = bench.tenant("TENANT_ADMIN").await;
    let path = by_id(register(&one, "p", "\"int\"").await);
    for _twice in 0..2 {
        one.get(&path).await.expect(200);
        refused(two.get(&path).await, 404, 40403);
    }
    // The same id, brought along by both, and into two contexts of one of them.
    streams::make(&one).await;
    let places = [
        (&one, "", "\"bytes\""),
        (&one, "/contexts/.prod", "\"float\""),
        (&two, "", "\"double\""),
    ];
    for (caller, context, schema) in places {
        let mode = format!("/registry{context}/mode/q?force=true");
        let import = caller.send("PUT", &mode, r#"{"mode": "IMPORT"}"#).await;
        import.expect(200);
        let body = json!({"schema": schema, "id": 7, "version": 1});
        let path = format!("/registry{context}/subjects/q/versions");
        caller.post(&path, &body).await.expect(200);
    }
    for _twice in 0..2 {
        for (caller, context, schema) in places {
            let shown = caller.get(&format!("/registry{context}/schemas/ids/7")).await;
            assert_eq!(shown.expect(200), json!({"schema": schema}), "{context}");
        }
        let other = one.get("/registry/schemas/ids/7?subject=:.prod:").await;
        assert_eq!(other.expect(200), json!({"schema": "\"float\""}));
    }
}

#[tokio::test]
async fn an_imported_id_of_another_context_gives_way_to_ones_own() {
    let bench = Bench::listening().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    streams::make(&admin).await;
    let import = async |context: &str, schema: &str| {
        let mode = format!("/registry{context}/mode/q?force=true");
        let import = admin.send("PUT", &mode, r#"{"mode": "IMPORT"}"#).await;
        import.expect(200);
        let body = json!({"schema": schema, "id": 7, "version": 1});
        let path = format!("/registry{context}/subjects/q/versions");
        admin.post(&path, &body).await.expect(200);
    };
    let shown = async || admin.get("/registry/schemas/ids/7").await.expect(200)["schema"].clone();
    import("/contexts/.prod", "\"float\"").await;
    assert_eq!(shown().await, "\"float\"", "the only one that there is");
    assert_eq!(shown().await, "\"float\"");
    import("", "\"int\"").await;
    assert_eq!(shown().await, "\"int\"");
}
