//! Requests for data products: asked, approved, refused, taken back and forgotten, by whom it concerns and nobody else.

use serde_json::{Value, json};

use super::products::{described, promise};
use super::{World, turn};
use crate::harness::{Caller, Reply};

/// The consumer asks.
pub async fn ask(world: &World, product: &str, body: Value) -> Reply {
    world
        .consumer
        .post(&format!("/v1/data-products/{product}/request"), &body)
        .await
}

pub async fn asked(world: &World, product: &str) -> String {
    let made = ask(world, product, json!({"reason": "Scoring of fraud."})).await;
    crate::streams::id(&made.expect(201))
}

pub async fn decide(caller: &Caller, id: &str, action: &str, body: Value) -> Reply {
    caller
        .post(&format!("/v1/access-requests/{id}/{action}"), &body)
        .await
}

pub async fn rows(caller: &Caller, query: &str) -> Vec<Value> {
    let list = caller
        .get(&format!("/v1/access-requests{query}"))
        .await
        .expect(200);
    list["data"].as_array().expect("rows").clone()
}

async fn shares(caller: &Caller) -> Vec<Value> {
    let list = caller.get("/v1/shares").await.expect(200);
    list["data"].as_array().expect("shares").clone()
}

/// Actions on requests in a tenant's record, with whether the other tenant did them.
pub async fn audited(caller: &Caller, other: &str) -> Vec<(String, bool)> {
    let list = caller.get("/v1/audit-events?page_size=1000").await.expect(200);
    let rows = list["data"].as_array().expect("rows").iter().rev();
    rows.filter(|it| it["object_kind"] == "AccessRequest")
        .map(|it| {
            (
                it["action"].as_str().expect("an action").to_owned(),
                it["who"] == other,
            )
        })
        .collect()
}

#[tokio::test]
async fn a_request_is_approved_into_a_share_that_begins_safe() {
    let world = World::make().await;
    promise(&world).await;
    let product = world.list("LISTED").await;
    let body = json!({"cluster": world.cluster, "reason": "Scoring of fraud."});
    let made = ask(&world, &product, body).await.expect(201);
    let id = crate::streams::id(&made);
    assert_eq!(
        (
            &made["status"]["phase"],
            &made["status"]["direction"],
            &made["spec"]["cluster"]
        ),
        (&json!("PENDING"), &json!("SENT"), &json!(world.cluster))
    );
    let waiting = world
        .consumer
        .get(&format!("/v1/data-products/{product}"))
        .await
        .expect(200);
    assert_eq!(waiting["status"]["access_request"], id.as_str());
    let inbox = rows(&world.provider, "?direction=received&phase=PENDING").await;
    assert_eq!(inbox[0]["status"]["topic"], world.made.topic.as_str());
    assert!(inbox[0]["spec"].get("cluster").is_none(), "the requester's own");
    // Planned it is not done.
    let planned = decide(&world.provider, &id, "approve?dry_run=true", json!({}))
        .await
        .expect(200);
    let kinds: Vec<&Value> = planned["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert_eq!(kinds, [&json!("Share"), &json!("AccessRequest")]);
    assert_eq!(shares(&world.provider).await.len(), 0);
    let done = decide(&world.provider, &id, "approve", json!({"answer": "Welcome."}))
        .await
        .expect(200);
    assert_eq!(done["status"]["phase"], "APPROVED");
    let given = shares(&world.provider).await;
    assert_eq!(given[0]["id"], done["status"]["share"]);
    safe(&world, &given[0]["spec"]);
    let sent = rows(&world.consumer, "?direction=sent").await;
    let received = sent[0]["status"]["received_share"].as_str().expect("a share");
    assert_eq!(sent[0]["status"]["answer"], "Welcome.");
    let text = json!(sent).to_string();
    for hidden in [
        &world.made.topic,
        &world.made.cluster,
        &world.giver.tenant.to_string(),
    ] {
        assert!(!text.contains(hidden.as_str()), "{hidden} in {text}");
    }
    world
        .accept(received, json!({"name_prefix": "acme."}))
        .await
        .expect(200);
    let refused = ask(&world, &product, json!({"reason": "More."})).await;
    refused.expect_problem(409, "already_shared");
    let (giver, taker) = (world.giver.tenant.to_string(), world.taker.tenant.to_string());
    let both = |flags: [bool; 2]| -> Vec<(String, bool)> {
        ["create", "approve"]
            .iter()
            .map(|it| (*it).to_owned())
            .zip(flags)
            .collect()
    };
    assert_eq!(audited(&world.provider, &taker).await, both([true, false]));
    assert_eq!(audited(&world.consumer, &giver).await, both([false, true]));
}

/// What an approval leaves out.
fn safe(world: &World, spec: &Value) {
    let shared = &spec["topics"][0];
    let steps = shared["steps"].to_string();
    for hidden in ["card", "customer", "PCI", "PII"] {
        assert!(steps.contains(hidden), "{hidden} in {steps}");
    }
    assert_eq!(shared["start"]["kind"], "LATEST");
    assert_eq!(shared["alias"], "card-payments", "not the topic's own name");
    assert_eq!(spec["fetch_bytes_per_second"], 10_485_760);
    assert_eq!(spec["price"]["per_gib"], "0.20", "as the product says");
    assert_eq!(spec["recipient"]["tenant"], world.taker.tenant.to_string());
    let ends: chrono::DateTime<chrono::Utc> = spec["expires_at"]
        .as_str()
        .expect("an end")
        .parse()
        .expect("a moment");
    let days = (ends - chrono::Utc::now()).num_days();
    assert!((89..=90).contains(&days), "{days}");
}

#[tokio::test]
async fn an_approval_with_a_mask_says_what_is_shown() {
    let world = World::make().await;
    promise(&world).await;
    let product = world.list("PUBLIC").await;
    let id = asked(&world, &product).await;
    let wrong = json!({"steps": [{"filter": {"where": "message."}}]});
    let refused = decide(&world.provider, &id, "approve", wrong)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/steps/0/filter/where");
    let past = json!({"expires_at": "2020-01-01T00:00:00Z"});
    let refused = decide(&world.provider, &id, "approve", past)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/expires_at");
    assert_eq!(
        shares(&world.provider).await.len(),
        0,
        "what is refused makes nothing"
    );
    let masked = json!({"steps": [{"mask": {"fields": ["card"], "how": {"KEEP_LAST": {"n": 4}}}}], "keys": "WITHHELD",
        "alias": "cards", "terms": "Not to be passed on.", "start": {"kind": "EARLIEST"}, "fetch_bytes_per_second": 1000});
    decide(&world.provider, &id, "approve", masked).await.expect(200);
    let spec = shares(&world.provider).await[0]["spec"].clone();
    assert_eq!(
        (
            &spec["topics"][0]["keys"],
            &spec["topics"][0]["alias"],
            &spec["terms"]
        ),
        (
            &json!("WITHHELD"),
            &json!("cards"),
            &json!("Not to be passed on.")
        )
    );
    assert_eq!(spec["topics"][0]["steps"].as_array().expect("steps").len(), 1);
}

#[tokio::test]
async fn of_two_who_approve_at_once_one_makes_a_share() {
    let world = World::make().await;
    let product = world.list("PUBLIC").await;
    let id = asked(&world, &product).await;
    let other = world.bench.member(&world.giver, "TENANT_ADMIN").await;
    let (a, b) = tokio::join!(
        decide(&world.provider, &id, "approve", json!({})),
        decide(&other, &id, "approve", json!({}))
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(shares(&world.provider).await.len(), 1);
    for action in ["approve", "reject"] {
        let again = decide(&world.provider, &id, action, json!({"reason": "x"})).await;
        if action == "reject" {
            again.expect_problem(409, "wrong_phase");
        }
    }
    let late = decide(&world.consumer, &id, "withdraw", json!({})).await;
    late.expect_problem(409, "wrong_phase");
}

#[tokio::test]
async fn automation_asks_and_approves_once() {
    let world = World::make().await;
    let product = world.list("PUBLIC").await;
    let path = format!("/v1/data-products/{product}/request");
    let body = json!({"reason": "Scoring."});
    let keyed = world.consumer.clone().with("Idempotency-Key", "ask-1");
    let planned = world
        .consumer
        .post(&format!("{path}?dry_run=true"), &body)
        .await
        .expect(200);
    assert_eq!(planned["changes"][0]["kind"], "AccessRequest");
    assert_eq!(rows(&world.provider, "").await.len(), 0);
    let first = keyed.post(&path, &body).await.expect(201);
    let again = keyed.post(&path, &body).await.expect(201);
    assert_eq!(first["id"], again["id"]);
    world
        .consumer
        .post(&path, &body)
        .await
        .expect_problem(409, "already_requested");
    let id = crate::streams::id(&first);
    let keyed = world.provider.clone().with("Idempotency-Key", "approve-1");
    let first = decide(&keyed, &id, "approve", json!({})).await.expect(200);
    let again = decide(&keyed, &id, "approve", json!({})).await.expect(200);
    assert_eq!(first["status"]["share"], again["status"]["share"]);
    assert_eq!(shares(&world.provider).await.len(), 1);
    let stale = world.provider.clone().with("If-Match", "\"1\"");
    decide(&stale, &id, "reject", json!({"reason": "x"}))
        .await
        .expect_problem(412, "moved");
}

#[tokio::test]
async fn whoever_may_decides_and_nobody_else_sees_it() {
    let world = World::make().await;
    let (third, _) = world.bench.tenant("TENANT_ADMIN").await;
    turn(&third, true, true).await;
    let product = world.list("LISTED").await;
    // Who was not named neither finds nor asks.
    let path = format!("/v1/data-products/{product}/request");
    let body = json!({"reason": "Curious."});
    third.post(&path, &body).await.expect_problem(404, "not_found");
    world
        .provider
        .post(&path, &body)
        .await
        .expect_problem(404, "not_found");
    let reader = world.bench.member(&world.taker, "READER").await;
    reader.post(&path, &body).await.expect_problem(403, "denied");
    let id = asked(&world, &product).await;
    assert_eq!(rows(&third, "").await, [json!(null); 0]);
    third
        .get(&format!("/v1/access-requests/{id}"))
        .await
        .expect_problem(404, "not_found");
    let developer = world.bench.member(&world.giver, "DEVELOPER").await;
    for (action, body) in [
        ("approve", json!({})),
        ("reject", json!({"reason": "No."})),
        ("withdraw", json!({})),
    ] {
        decide(&third, &id, action, body.clone())
            .await
            .expect_problem(404, "not_found");
        let (wrong, also) = if action == "withdraw" {
            (&world.provider, &developer)
        } else {
            (&world.consumer, &developer)
        };
        for caller in [wrong, also] {
            decide(caller, &id, action, body.clone())
                .await
                .expect_problem(403, "denied");
        }
    }
    assert_eq!(shares(&world.provider).await.len(), 0);
    let no = decide(&world.provider, &id, "reject", json!({"reason": " "})).await;
    assert_eq!(
        no.expect_problem(422, "invalid")["errors"][0]["pointer"],
        "/reason"
    );
    decide(
        &world.provider,
        &id,
        "reject",
        json!({"reason": "Not for scoring."}),
    )
    .await
    .expect(200);
    let sent = rows(&world.consumer, "?direction=sent&phase=REJECTED").await;
    assert_eq!(sent[0]["status"]["answer"], "Not for scoring.");
    assert_eq!(
        rows(&world.consumer, "?direction=received").await,
        [json!(null); 0]
    );
    for wrong in ["?phase=ACTIVE", "?direction=sideways"] {
        let path = format!("/v1/access-requests{wrong}");
        world.consumer.get(&path).await.expect_problem(422, "invalid");
    }
    // Asked anew it is another request, and may be taken back.
    let again = asked(&world, &product).await;
    assert_ne!(again, id);
    let back = decide(&world.consumer, &again, "withdraw", json!({}))
        .await
        .expect(200);
    assert_eq!(back["status"]["phase"], "WITHDRAWN");
}

#[tokio::test]
async fn what_is_private_meanwhile_is_not_approved() {
    let world = World::make().await;
    let product = world.list("PUBLIC").await;
    let id = asked(&world, &product).await;
    world.list("PRIVATE").await;
    decide(&world.provider, &id, "approve", json!({}))
        .await
        .expect_problem(409, "not_listed");
    let body = json!({"reason": "Again."});
    ask(&world, &product, body).await.expect_problem(404, "not_found");
    // Who is named no more is not approved either.
    let (_third, ids) = world.bench.tenant("TENANT_ADMIN").await;
    let mut others = described(&world, "LISTED");
    others["tenants"] = json!([ids.tenant]);
    let path = format!("/v1/topics/{}/visibility", world.made.topic);
    world
        .provider
        .send("PUT", &path, others.to_string())
        .await
        .expect(200);
    decide(&world.provider, &id, "approve", json!({}))
        .await
        .expect_problem(409, "not_listed");
    assert_eq!(shares(&world.provider).await.len(), 0);
    world.list("LISTED").await;
    turn(&world.provider, false, false).await;
    decide(&world.provider, &id, "approve", json!({}))
        .await
        .expect_problem(403, "sharing_off");
    turn(&world.provider, true, false).await;
    decide(&world.provider, &id, "approve", json!({}))
        .await
        .expect(200);
}
