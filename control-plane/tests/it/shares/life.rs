//! The life of a share, from both sides.

use serde_json::{Value, json};

use super::World;

/// What a recipient is shown before it takes a share.
fn hides(world: &World, shown: &[Value]) {
    // Neither ids nor names of the provider's, nor what it does with records.
    for text in shown.iter().map(Value::to_string) {
        for hidden in [
            &world.made.topic,
            &world.made.cluster,
            &world.made.environment,
            &world.made.pool,
        ] {
            assert!(!text.contains(hidden.as_str()), "{hidden} in {text}");
        }
        assert!(
            !text.contains("KEEP_LAST\":") && !text.contains("cards\""),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_share_is_offered_looked_at_taken_and_left() {
    let world = World::make().await;
    let steps = json!([{"mask": {"fields": ["card"], "how": {"KEEP_LAST": {"n": 4}}}}]);
    let (share, received) = world.offer(&world.with("/spec/topics/0/steps", steps)).await;
    let seen = world.consumer.get("/v1/received-shares").await.expect(200);
    assert_eq!(seen["data"][0]["id"], received.as_str());
    assert_eq!(seen["data"][0]["spec"]["topics"][0]["alias"], "payments");
    assert_eq!(seen["data"][0]["spec"]["topics"][0]["changed"], true);
    let looked = world.act(&format!("received-shares/{received}/preview")).await;
    assert_eq!(looked["phase"], "PREVIEWED");
    hides(&world, &[seen, looked]);
    let taken = world
        .accept(&received, json!({"name_prefix": "acme."}))
        .await
        .expect(200);
    assert_eq!(taken["status"]["phase"], "ACTIVE");
    let mount = taken["status"]["mounts"][0].clone();
    assert_eq!(
        (&mount["name"], &mount["phase"]),
        (&json!("acme.payments"), &json!("PENDING"))
    );
    let path = format!("/v1/topics/{}", mount["topic"].as_str().expect("an id"));
    let topic = world.consumer.get(&path).await.expect(200);
    assert_eq!(topic["status"]["mount"]["received_share"], received.as_str());
    assert_eq!(topic["spec"]["cluster"], world.cluster.as_str());
    let mounts = world.consumer.get("/v1/mounts").await.expect(200);
    assert_eq!(mounts["data"][0]["id"], mount["topic"]);
    assert_eq!(
        world.provider.get("/v1/mounts").await.expect(200)["data"],
        json!([])
    );
    // It is read, and nothing else.
    world.provider.get(&path).await.expect_problem(404, "not_found");
    world.consumer.delete(&path).await.expect_problem(409, "mounted");
    let more = json!({"spec": {"partitions": 12}});
    world
        .consumer
        .patch(&path, &more)
        .await
        .expect_problem(409, "mounted");
    ends(&world, &share, &received, &path).await;
}

/// While it is shared a topic is not taken away; once left, nothing holds it.
async fn ends(world: &World, share: &str, received: &str, path: &str) {
    let shown = format!("/v1/topics/{}", world.made.topic);
    let refused = world.provider.delete(&shown).await.expect_problem(409, "shared");
    assert!(refused["detail"].to_string().contains("cards-for-risk"));
    let given = world
        .provider
        .get(&format!("/v1/shares/{share}"))
        .await
        .expect(200);
    assert_eq!(given["status"]["mounts"], 1);
    assert_eq!(
        given["status"]["recipient_tenant"],
        world.taker.tenant.to_string()
    );
    let left = world.act(&format!("received-shares/{received}/leave")).await;
    assert_eq!(left["status"]["phase"], "LEFT");
    assert_eq!(left["status"]["mounts"], json!([]), "no agent ever heard of them");
    world.consumer.get(path).await.expect_problem(404, "not_found");
    world
        .provider
        .delete(&format!("/v1/shares/{share}"))
        .await
        .expect(204);
    world.provider.delete(&shown).await.expect(204);
}

#[tokio::test]
async fn both_sides_have_it_in_their_records_without_the_others_people() {
    let world = World::make().await;
    let (share, received) = world.offer(&world.spec()).await;
    world.accept(&received, json!({})).await.expect(200);
    world.act(&format!("shares/{share}/revoke")).await;
    let (giver, taker) = (world.giver.tenant.to_string(), world.taker.tenant.to_string());
    let by = |rows: Vec<(String, String)>, tenant: &str| -> Vec<(String, bool)> {
        rows.into_iter()
            .map(|(action, who)| (action, who == tenant))
            .collect()
    };
    let expected = |flags: [bool; 3]| -> Vec<(String, bool)> {
        ["create", "accept", "revoke"]
            .iter()
            .map(|it| (*it).to_owned())
            .zip(flags)
            .collect()
    };
    let given = by(world.audited(&world.provider).await, &taker);
    assert_eq!(given, expected([false, true, false]));
    let received = by(world.audited(&world.consumer).await, &giver);
    assert_eq!(received, expected([true, false, true]));
}

#[tokio::test]
async fn automation_retries_plans_and_changes_what_it_has_read() {
    let world = World::make().await;
    let keyed = world.provider.clone().with("Idempotency-Key", "share-1");
    let first = keyed.post("/v1/shares", &world.spec()).await.expect(201);
    let again = keyed.post("/v1/shares", &world.spec()).await.expect(201);
    assert_eq!(first["id"], again["id"]);
    let plan = world.with("/spec/name", json!("another"));
    let plan = world
        .provider
        .post("/v1/shares?dry_run=true", &plan)
        .await
        .expect(200);
    assert_eq!(
        (&plan["kind"], &plan["changes"][0]["kind"]),
        (&json!("Plan"), &json!("Share"))
    );
    assert_eq!(
        plan["changes"].as_array().expect("changes").len(),
        1,
        "what the other side is told is not the caller's"
    );
    let list = world.provider.get("/v1/shares").await.expect(200);
    assert_eq!(list["data"].as_array().expect("shares").len(), 1);
    let path = format!("/v1/shares/{}", first["id"].as_str().expect("an id"));
    let price = json!({"spec": {"price": {"currency": "EUR", "per_gib": "0.25"}}});
    let stale = world.provider.clone().with("If-Match", "\"7\"");
    stale.patch(&path, &price).await.expect_problem(412, "moved");
    let fresh = world.provider.clone().with("If-Match", "\"1\"");
    let changed = fresh.patch(&path, &price).await.expect(200);
    assert_eq!(
        changed["spec"]["price"],
        json!({"currency": "EUR", "per_gib": "0.25", "per_month": "0"})
    );
    let received = path.replace("/v1/shares/share_", "/v1/received-shares/received_share_");
    let seen = world.consumer.get(&received).await.expect(200);
    assert_eq!(seen["spec"]["price"]["per_gib"], "0.25");
    let fixed = json!({"spec": {"recipient": {"kind": "LINK"}}});
    world
        .provider
        .patch(&path, &fixed)
        .await
        .expect_problem(422, "invalid");
    world.provider.delete(&path).await.expect(204);
    world
        .consumer
        .get(&received)
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn what_was_accepted_stays_and_what_ended_is_offered_anew() {
    let world = World::make().await;
    let (share, received) = world
        .offer(&world.with("/spec/terms", json!("Do not resell.")))
        .await;
    let refused = world
        .accept(&received, json!({}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "terms");
    let taken = world
        .accept(&received, json!({"terms_accepted": true}))
        .await
        .expect(200);
    assert!(taken["status"]["terms_accepted_at"].is_string());
    world
        .accept(&received, json!({"terms_accepted": true, "name_prefix": "b."}))
        .await
        .expect_problem(409, "wrong_phase");
    let path = format!("/v1/shares/{share}");
    let terms = json!({"spec": {"terms": "Resell."}});
    world
        .provider
        .patch(&path, &terms)
        .await
        .expect_problem(409, "wrong_phase");
    let steps = json!({"spec": {"topics": [{"topic": world.made.topic, "alias": "payments",
        "steps": [{"project": {"fields": ["id"]}}]}]}});
    world.provider.patch(&path, &steps).await.expect(200);
    world
        .provider
        .delete(&path)
        .await
        .expect_problem(409, "wrong_phase");
    world.act(&format!("shares/{share}/revoke")).await;
    world
        .accept(&received, json!({"terms_accepted": true}))
        .await
        .expect_problem(409, "wrong_phase");
    world
        .provider
        .patch(&path, &terms)
        .await
        .expect_problem(409, "wrong_phase");
    let anew = world.act(&format!("shares/{share}/resend")).await;
    assert_eq!(anew["status"]["phase"], "INVITED");
    world
        .accept(&received, json!({"terms_accepted": true}))
        .await
        .expect(200);
    world.act(&format!("received-shares/{received}/leave")).await;
    world.act(&format!("shares/{share}/resend")).await;
    let declined = world.act(&format!("received-shares/{received}/decline")).await;
    assert_eq!(declined["status"]["phase"], "DECLINED");
}

#[tokio::test]
async fn of_two_who_accept_at_once_one_does() {
    let world = World::make().await;
    let (_share, received) = world.offer(&world.spec()).await;
    let (a, b) = tokio::join!(
        world.accept(&received, json!({"name_prefix": "a."})),
        world.accept(&received, json!({"name_prefix": "b."}))
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let mounts = world.consumer.get("/v1/mounts").await.expect(200);
    assert_eq!(mounts["data"].as_array().expect("mounts").len(), 1);
}
