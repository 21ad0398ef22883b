//! Asking for a data product: what is refused at once, how often, and what becomes of what nobody answers.

use serde_json::json;
use sqlx::AssertSqlSafe;

use super::requests::{ask, asked, audited, decide, rows};
use super::{World, turn};

#[tokio::test]
async fn a_request_that_could_lead_nowhere_is_refused_at_once() {
    let world = World::make().await;
    let product = world.list("PUBLIC").await;
    turn(&world.consumer, true, false).await;
    let body = json!({"reason": "Scoring."});
    ask(&world, &product, body.clone())
        .await
        .expect_problem(403, "sharing_off");
    turn(&world.consumer, true, true).await;
    for (body, pointer) in [
        (json!({"reason": ""}), "/reason"),
        (json!({"reason": "x".repeat(1001)}), "/reason"),
        (json!({"reason": "x\0"}), "/reason"),
        (json!({"reason": "x", "cluster": world.made.cluster}), "/cluster"),
    ] {
        let refused = ask(&world, &product, body).await.expect_problem(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    // A cluster on a pool that has other topics.
    let (host, _) = world.bench.tenant("TENANT_ADMIN").await;
    let elsewhere = crate::streams::make(&host).await;
    let environments = world.consumer.get("/v1/environments").await.expect(200);
    let grant = json!({"broker_pool": elsewhere.pool, "guest_tenant": world.taker.tenant});
    let grant = crate::jobs::made(&host, "/v1/data-plane-grants", grant).await;
    let accept = format!("/v1/data-plane-grants/{grant}/accept");
    world.consumer.post(&accept, &json!({})).await.expect(200);
    let cluster =
        json!({"environment": environments["data"][0]["id"], "broker_pool": elsewhere.pool, "name": "far"});
    let cluster = crate::jobs::made(&world.consumer, "/v1/clusters", cluster).await;
    let far = json!({"reason": "x", "cluster": cluster});
    ask(&world, &product, far).await.expect_problem(409, "other_pool");
    // Three times within a day, and no more.
    for _ in 0..3 {
        let id = asked(&world, &product).await;
        decide(&world.consumer, &id, "withdraw", json!({}))
            .await
            .expect(200);
    }
    let reply = ask(&world, &product, body).await;
    assert!(reply.headers.contains_key("retry-after"));
    reply.expect_problem(429, "too_many_requests");
}

#[tokio::test]
async fn of_two_who_ask_at_once_one_does_and_nobody_waits_for_ever() {
    let world = World::make().await;
    let product = world.list("PUBLIC").await;
    let body = json!({"reason": "Scoring."});
    let (a, b) = tokio::join!(
        ask(&world, &product, body.clone()),
        ask(&world, &product, body.clone())
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let id = crate::streams::id(&rows(&world.consumer, "").await[0]);
    let late = format!(
        "UPDATE access_request SET expires_at = now() WHERE tenant_id = '{}'",
        world.giver.tenant.uuid()
    );
    sqlx::raw_sql(AssertSqlSafe(late))
        .execute(&mut world.bench.database.owner().await)
        .await
        .expect("wait");
    decide(&world.provider, &id, "approve", json!({}))
        .await
        .expect_problem(409, "wrong_phase");
    for _ in 0..2 {
        weir_control_plane::resources::share::expire::look(&world.bench.app)
            .await
            .expect("look");
    }
    let over = rows(&world.consumer, "?phase=EXPIRED").await;
    assert_eq!(over.len(), 1);
    let (giver, taker) = (world.giver.tenant.to_string(), world.taker.tenant.to_string());
    for (caller, other) in [(&world.provider, &taker), (&world.consumer, &giver)] {
        let told = audited(caller, other).await;
        let told: Vec<&str> = told.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(told, ["create", "expire"], "once, to both");
    }
    ask(&world, &product, body).await.expect(201);
}
