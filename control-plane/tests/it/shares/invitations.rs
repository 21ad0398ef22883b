//! Invitations by e-mail and by link: one use, for whom they are, and nothing to be learnt from wrong ones.

use serde_json::{Value, json};

use super::{World, turn};
use crate::harness::Caller;

async fn invited(world: &World, recipient: Value) -> (String, String) {
    let made = world
        .provider
        .post("/v1/shares", &world.with("/spec/recipient", recipient))
        .await
        .expect(201);
    let token = made["invitation"]["token"].as_str().expect("a token").to_owned();
    (made["id"].as_str().expect("an id").to_owned(), token)
}

async fn claim(caller: &Caller, token: &str) -> crate::harness::Reply {
    caller
        .post("/v1/share-invitations/claim", &json!({"token": token}))
        .await
}

/// Until so many sessions wait for a lock.
async fn waiting(world: &World, count: i64) {
    let mut watcher = world.bench.database.owner().await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _attempt in 0..500 {
        let found: i64 = sqlx::query_scalar(waits)
            .fetch_one(&mut watcher)
            .await
            .expect("a number");
        if found >= count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nobody waits");
}

#[tokio::test]
async fn a_link_is_looked_at_by_anybody_and_taken_once() {
    let world = World::make().await;
    let (share, token) = invited(&world, json!({"kind": "LINK"})).await;
    let path = format!("/v1/shares/{share}");
    let shown = world.provider.get(&path).await.expect(200);
    assert!(
        !shown.to_string().contains(&token) && shown.get("invitation").is_none(),
        "it is shown once"
    );
    let body = json!({"token": token});
    let look = world
        .bench
        .nobody()
        .post("/v1/share-invitations/preview", &body)
        .await
        .expect(200);
    assert_eq!(
        (&look["phase"], &look["spec"]["name"]),
        (&json!("PREVIEWED"), &json!("cards-for-risk"))
    );
    assert!(!look.to_string().contains(&world.made.topic) && !look.to_string().contains(&world.made.cluster));
    // The provider itself is no recipient.
    turn(&world.provider, true, true).await;
    claim(&world.provider, &token)
        .await
        .expect_problem(422, "bad_reference");
    let mine = claim(&world.consumer, &token).await.expect(200);
    let (other, _) = world.bench.tenant("TENANT_ADMIN").await;
    turn(&other, false, true).await;
    for (caller, wrong) in [
        (&other, token.clone()),
        (&world.consumer, token.clone()),
        (&other, token.replace("weiri_", "weirt_")),
        (&other, format!("{}x", &token[..token.len() - 1])),
        (&other, String::new()),
    ] {
        claim(caller, &wrong)
            .await
            .expect_problem(404, "wrong_invitation");
    }
    world
        .bench
        .nobody()
        .post("/v1/share-invitations/preview", &body)
        .await
        .expect_problem(404, "wrong_invitation");
    let received = mine["id"].as_str().expect("an id").to_owned();
    world.accept(&received, json!({})).await.expect(200);
    other
        .get(&format!("/v1/received-shares/{received}"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn an_invitation_by_email_is_for_that_address() {
    let world = World::make().await;
    let (share, token) = invited(&world, json!({"kind": "EMAIL", "email": "Ann@Example.com"})).await;
    claim(&world.consumer, &token).await.expect_problem(403, "denied");
    let session = world.consumer.get("/v1/sessions/current").await.expect(200);
    let email = session["member"]["email"]
        .as_str()
        .expect("an address")
        .to_uppercase();
    let revoked = world
        .provider
        .post(&format!("/v1/shares/{share}/revoke"), &json!({}))
        .await;
    revoked.expect(200);
    claim(&world.consumer, &token)
        .await
        .expect_problem(404, "wrong_invitation");
    let (_share, token) = invited(&world, json!({"kind": "EMAIL", "email": email})).await;
    // A reader of the tenant takes nothing for it.
    let reader = world.bench.member(&world.taker, "READER").await;
    claim(&reader, &token).await.expect_problem(403, "denied");
    claim(&world.consumer, &token).await.expect(200);
}

#[tokio::test]
async fn an_invitation_made_anew_voids_the_one_before() {
    let world = World::make().await;
    let (share, first) = invited(&world, json!({"kind": "LINK"})).await;
    let anew = world
        .provider
        .post(&format!("/v1/shares/{share}/resend"), &json!({}))
        .await
        .expect(200);
    let second = anew["invitation"]["token"].as_str().expect("a token").to_owned();
    claim(&world.consumer, &first)
        .await
        .expect_problem(404, "wrong_invitation");
    // Of two with the same token one has it: both have found it, and wait for the share, before either takes it.
    let mut holder = world.bench.database.owner().await;
    let held = "BEGIN; SELECT FROM share FOR UPDATE";
    sqlx::raw_sql(held).execute(&mut holder).await.expect("the share");
    let freed = async {
        waiting(&world, 2).await;
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut holder)
            .await
            .expect("an end");
    };
    let (a, b, ()) = tokio::join!(
        claim(&world.consumer, &second),
        claim(&world.consumer, &second),
        freed
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
}

#[tokio::test]
async fn an_invitation_is_over_after_its_time() {
    let world = World::make().await;
    let (_share, token) = invited(&world, json!({"kind": "LINK"})).await;
    sqlx::query("UPDATE share SET token_expires_at = now()")
        .execute(&mut world.bench.database.owner().await)
        .await
        .expect("an end");
    claim(&world.consumer, &token)
        .await
        .expect_problem(404, "wrong_invitation");
}
