//! Keys as credentials of readers: who is found goes on in the transaction in which he was found, under his own tenant alone.

use futures_util::future::join_all;
use serde_json::json;
use weir_control_plane::kernel::ApiKeyId;
use weir_control_plane::runtime::{LookupKey, Scope};

use super::{key, record, refused, register};
use crate::harness::{Bench, Caller};
use crate::streams::{self, id};

/// The ids of a list.
async fn listed(admin: &Caller, path: &str) -> Vec<String> {
    let list = admin.get(path).await.expect(200);
    list["data"].as_array().expect("a list").iter().map(id).collect()
}

#[tokio::test]
async fn keys_of_two_tenants_take_turns_on_the_same_connections() {
    let bench = Bench::start().await;
    let mut tenants = Vec::new();
    for schema in ["\"int\"", "\"long\""] {
        let (admin, _) = bench.tenant("TENANT_ADMIN").await;
        let made = streams::make(&admin).await;
        let app = key(&bench, &admin, "DEVELOPER", "*", Some(&made.cluster)).await;
        let api = key(&bench, &admin, "READER", "*", None).await;
        let secret = register(&app, "secret-value", schema).await;
        tenants.push(([app, api], schema, secret));
    }
    // More at once than there are connections, so that each serves both in turn.
    let mut calls = Vec::new();
    for (at, (callers, schema, own)) in tenants.iter().enumerate() {
        let (_, _, other) = &tenants[1 - at];
        for _ in 0..10 {
            for caller in callers {
                calls.push(async move {
                    let shown = caller.get(&format!("/registry/schemas/ids/{own}")).await;
                    assert_eq!(shown.expect(200), json!({"schema": schema}));
                    for more in ["", "/schema", "/subjects", "/versions"] {
                        let path = format!("/registry/schemas/ids/{other}{more}");
                        refused(caller.get(&path).await, 404, 40403);
                    }
                    let subjects = caller.get("/registry/subjects").await.expect(200);
                    assert_eq!(subjects.as_array().expect("a list").len(), 1, "{subjects}");
                });
            }
        }
    }
    join_all(calls).await;
}

#[tokio::test]
async fn a_key_opens_nothing_once_it_or_its_role_is_gone() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let app = key(&bench, &admin, "DEVELOPER", "*", None).await;
    let path = format!(
        "/registry/schemas/ids/{}",
        register(&app, "p", &record(&["id"])).await
    );
    app.get(&path).await.expect(200);
    let keys = listed(&admin, "/v1/api-keys").await;
    for binding in listed(&admin, "/v1/role-bindings").await {
        // The administrator's own stays.
        let shown = admin
            .get(&format!("/v1/role-bindings/{binding}"))
            .await
            .expect(200);
        if shown["spec"]["role"] == "DEVELOPER" {
            admin
                .delete(&format!("/v1/role-bindings/{binding}"))
                .await
                .expect(204);
        }
    }
    refused(app.get(&path).await, 403, 40301);
    for key in keys {
        admin.delete(&format!("/v1/api-keys/{key}")).await.expect(204);
    }
    refused(app.get(&path).await, 401, 401);
}

#[tokio::test]
async fn what_a_look_up_showed_shows_no_more_under_a_tenant() {
    let bench = Bench::start().await;
    let mut found = Vec::new();
    for _ in 0..2 {
        let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
        key(&bench, &admin, "READER", "*", None).await;
        let key: ApiKeyId = listed(&admin, "/v1/api-keys").await[0].parse().expect("an id");
        found.push((key, ids));
    }
    let ((one, _), (two, ids)) = (&found[0], &found[1]);
    let lookup = Scope::Lookup(LookupKey::Id(one.uuid()));
    let mut tx = bench.app.db.read(&lookup).await.expect("look up");
    let all = "SELECT id FROM api_key";
    let shown: Vec<uuid::Uuid> = sqlx::query_scalar(all).fetch_all(tx.conn()).await.expect("read");
    assert_eq!(shown, [one.uuid()]);
    tx.turn_to(ids.tenant).await.expect("turn");
    let shown: Vec<uuid::Uuid> = sqlx::query_scalar(all).fetch_all(tx.conn()).await.expect("read");
    assert_eq!(shown, [two.uuid()]);
    let tenants: i64 = sqlx::query_scalar("SELECT count(*) FROM tenant")
        .fetch_one(tx.conn())
        .await
        .expect("read");
    assert_eq!(tenants, 1);
    tx.commit().await.expect("end");
}
