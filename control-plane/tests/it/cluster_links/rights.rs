//! Who may make a link, and change it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::World;
use crate::harness::Caller;
use crate::jobs::made;
use crate::streams::id;

/// A service account of these roles, and its key to the API.
async fn account(world: &World, name: &str, roles: &[(&str, &str)]) -> (String, Caller) {
    let admin = world.admin();
    let account = made(admin, "/v1/service-accounts", json!({"name": name})).await;
    for (role, resource) in roles {
        let binding = json!({"principal": account, "role": role, "resource": resource});
        made(admin, "/v1/role-bindings", binding).await;
    }
    let key = json!({"spec": {"service_account": account}});
    let key = admin.post("/v1/api-keys", &key).await.expect(201);
    let text = |field: &str| key["secret"][field].as_str().expect("text").to_owned();
    let pair = STANDARD.encode(format!("{}:{}", text("username"), text("password")));
    let caller = world
        .away
        .bench
        .nobody()
        .with("Authorization", format!("Basic {pair}"));
    (account, caller)
}

#[tokio::test]
async fn it_takes_whoever_administers_both_clusters() {
    let world = World::make().await;
    let developer = world.away.bench.member(&world.away.taker, "DEVELOPER").await;
    developer
        .post("/v1/cluster-links", &world.spec())
        .await
        .expect_problem(403, "denied");
    let (link, _copy) = world.link(&world.spec()).await;
    let path = format!("/v1/cluster-links/{link}");
    developer.get(&path).await.expect(200);
    // And one who administers the target alone.
    let (_own, narrow) = account(&world, "narrow", &[("TENANT_ADMIN", "environment=prod/*")]).await;
    for caller in [&developer, &narrow] {
        let pause = json!({"spec": {"desired_state": "PAUSED"}});
        caller.patch(&path, &pause).await.expect_problem(403, "denied");
        caller.delete(&path).await.expect_problem(403, "denied");
    }
}

#[tokio::test]
async fn an_account_that_may_more_than_the_caller_is_not_lent() {
    let world = World::make().await;
    let both = [
        ("TENANT_ADMIN", "environment=prod/*"),
        ("TENANT_ADMIN", "environment=risk/*"),
    ];
    let (_own, caller) = account(&world, "both", &both).await;
    let (strong, _) = account(&world, "strong", &[("READER", "*")]).await;
    let lent = world.with("service_account", json!(strong));
    caller
        .post("/v1/cluster-links", &lent)
        .await
        .expect_problem(403, "denied");
    let link = caller.post("/v1/cluster-links", &world.spec()).await.expect(201);
    // What the account may do meanwhile counts when more is to be read as it.
    let more = json!({"principal": world.account, "role": "READER", "resource": "*"});
    made(world.admin(), "/v1/role-bindings", more).await;
    let path = format!("/v1/cluster-links/{}", id(&link));
    let next = json!({"cluster": world.away.cluster, "name": "next"});
    let next = made(world.admin(), "/v1/topics", next).await;
    let add = json!({"spec": {"topics": [{"topic": world.orders}, {"topic": next}]}});
    caller.patch(&path, &add).await.expect_problem(403, "denied");
    caller
        .patch(&path, &json!({"spec": {"desired_state": "PAUSED"}}))
        .await
        .expect(200);
}
