//! The catalog: who finds a topic there, what is told of it, and what nobody is told.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::{World, turn};
use crate::harness::{Caller, TenantIds};
use crate::jobs::made;
use crate::streams::{Streams, id};

/// A contract whose fields carry tags, in the schema and in its metadata, and that promises something.
pub async fn promise(world: &World) {
    let schema = json!({"type": "record", "name": "Payment", "namespace": "bank", "fields": [
        {"name": "id", "type": "string"}, {"name": "amount", "type": "long"},
        {"name": "card", "type": "string", "confluent:tags": ["PCI"]}, {"name": "customer", "type": "string"}]});
    let version = json!({"schema": schema.to_string(), "metadata": {"tags": {"bank.Payment.customer": ["PII"]},
        "properties": {"service_level.freshness": "5 m", "service_level.availability": "99.9 percent"}}});
    let path = "/registry/contexts/.prod/subjects/payments-value/versions";
    world.provider.post(path, &version).await.expect(200);
}

/// How the provider's payments are described.
pub fn described(world: &World, visibility: &str) -> Value {
    let tenants = if visibility == "LISTED" {
        json!([world.taker.tenant])
    } else {
        json!([])
    };
    json!({"visibility": visibility, "name": "Card payments", "description": "Every payment by card, as it is booked.",
        "price": {"currency": "EUR", "per_gib": "0.20", "per_month": "10"}, "tenants": tenants})
}

impl World {
    /// Lists the provider's payments; gives the id by which others find them.
    pub async fn list(&self, visibility: &str) -> String {
        let path = format!("/v1/topics/{}/visibility", self.made.topic);
        let body = described(self, visibility).to_string();
        let written = self.provider.send("PUT", &path, body).await.expect(200);
        written["data_product"].as_str().expect("an id").to_owned()
    }
}

/// What a tenant finds.
pub async fn names(caller: &Caller, query: &str) -> Vec<String> {
    let list = caller.get(&format!("/v1/data-products{query}")).await.expect(200);
    let rows = list["data"].as_array().expect("rows").iter();
    rows.map(|it| it["spec"]["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// For the stranger sweep: a data product of the other tenant's that this one finds, and a request of the other's that it received.
pub async fn found_and_asked(
    (owner, ids): (&Caller, &TenantIds),
    made: &Streams,
    (other, guest): (&Caller, &TenantIds),
) -> (String, String) {
    let listed = async |caller: &Caller, topic: &str, to: &TenantIds| {
        let body = json!({"visibility": "LISTED", "name": "Payments", "tenants": [to.tenant]}).to_string();
        let path = format!("/v1/topics/{topic}/visibility");
        let written = caller.send("PUT", &path, body).await.expect(200);
        written["data_product"].as_str().expect("an id").to_owned()
    };
    let topics = other.get("/v1/topics").await.expect(200);
    let found = listed(other, &id(&topics["data"][0]), ids).await;
    let own = listed(owner, &made.topic, guest).await;
    let path = format!("/v1/data-products/{own}/request");
    let request = other.post(&path, &json!({"reason": "Scoring."})).await;
    (found, id(&request.expect(201)))
}

#[tokio::test]
async fn a_topic_is_found_by_those_whom_its_owner_admits() {
    let world = World::make().await;
    let (third, _) = world.bench.tenant("TENANT_ADMIN").await;
    let path = format!("/v1/topics/{}/visibility", world.made.topic);
    let private = world.provider.get(&path).await.expect(200);
    assert_eq!(
        (&private["spec"]["visibility"], &private["metadata"]["generation"]),
        (&json!("PRIVATE"), &json!(0))
    );
    let product = world.list("PRIVATE").await;
    let one = format!("/v1/data-products/{product}");
    let found = |seen: [usize; 3]| seen;
    for (visibility, expected) in [
        ("PRIVATE", [0, 0, 0]),
        ("LISTED", [1, 0, 0]),
        ("PUBLIC", [1, 1, 0]),
        ("PRIVATE", [0, 0, 0]),
    ] {
        assert_eq!(world.list(visibility).await, product, "its id stays");
        let seen = [
            names(&world.consumer, "").await.len(),
            names(&third, "").await.len(),
            names(&world.provider, "").await.len(),
        ];
        assert_eq!(found(seen), expected, "{visibility}");
        for (caller, rows) in [
            (&world.consumer, seen[0]),
            (&third, seen[1]),
            (&world.provider, 0),
        ] {
            let reply = caller.get(&one).await;
            if rows == 1 {
                reply.expect(200);
            } else {
                reply.expect_problem(404, "not_found");
            }
        }
    }
    // Whose topic it is not learns nothing of how it is described, and changes nothing.
    world.list("PUBLIC").await;
    third.get(&path).await.expect_problem(404, "not_found");
    let body = described(&world, "PRIVATE").to_string();
    third
        .send("PUT", &path, body)
        .await
        .expect_problem(404, "not_found");
    // What a tenant that gives nothing any more has listed is found no more, and again once it gives.
    turn(&world.provider, false, false).await;
    assert_eq!(names(&world.consumer, "").await, [""; 0]);
    world.consumer.get(&one).await.expect_problem(404, "not_found");
    turn(&world.provider, true, false).await;
    assert_eq!(names(&world.consumer, "").await, ["Card payments"]);
    world
        .provider
        .delete(&format!("/v1/topics/{}", world.made.topic))
        .await;
    world.consumer.get(&one).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn who_finds_it_is_told_what_it_would_read_and_nothing_of_its_owner() {
    let world = World::make().await;
    promise(&world).await;
    let product = world.list("PUBLIC").await;
    let list = world.consumer.get("/v1/data-products").await.expect(200);
    let one = format!("/v1/data-products/{product}");
    let seen = world.consumer.get(&one).await.expect(200);
    let status = &seen["status"];
    let shown: Vec<(Value, Value)> = status["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|it| (it["path"].clone(), it["masked"].clone()))
        .collect();
    let plain = |path: &str| (json!(path), Value::Null);
    let hidden = |path: &str| (json!(path), json!("REDACT"));
    assert_eq!(
        shown,
        [plain("amount"), hidden("card"), hidden("customer"), plain("id")]
    );
    assert_eq!(seen["spec"]["price"]["per_month"], "10");
    assert_eq!(
        status["clusters"],
        json!([world.cluster]),
        "its own, on that pool"
    );
    let levels = status["service_levels"].as_array().expect("levels");
    assert_eq!(
        (levels.len(), &levels[0]["name"], &levels[0]["objective"]["unit"]),
        (2, &json!("freshness"), &json!("m"))
    );
    assert!(levels[0].get("contract_id").is_none());
    for text in [list.to_string(), seen.to_string()] {
        for told in [
            &world.made.topic,
            &world.made.cluster,
            &world.made.environment,
            &world.made.pool,
            &world.giver.tenant.to_string(),
            "bank.Payment",
            "\"payments\"",
            "member_",
            "contract_",
        ] {
            assert!(!text.contains(told), "{told} in {text}");
        }
    }
    // And its owner sees what others are shown.
    let own = format!("/v1/topics/{}/visibility", world.made.topic);
    let own = world.provider.get(&own).await.expect(200);
    assert_eq!(own["fields"], status["fields"]);
}

#[tokio::test]
async fn a_catalog_is_searched_and_read_by_pages() {
    let world = World::make().await;
    world.list("PUBLIC").await;
    for (name, said) in [("Orders", "Every order"), ("Stock", "What is left of CARDS")] {
        let topic = json!({"cluster": world.made.cluster, "name": name.to_lowercase()});
        let topic = made(&world.provider, "/v1/topics", topic).await;
        let body = json!({"visibility": "PUBLIC", "name": name, "description": said}).to_string();
        let path = format!("/v1/topics/{topic}/visibility");
        world.provider.send("PUT", &path, body).await.expect(200);
    }
    assert_eq!(
        names(&world.consumer, "?q=card").await,
        ["Card payments", "Stock"]
    );
    assert_eq!(names(&world.consumer, "?q=%25").await, [""; 0], "no wildcard");
    let page = world
        .consumer
        .get("/v1/data-products?page_size=2")
        .await
        .expect(200);
    let token = page["metadata"]["next_page_token"].as_str().expect("a token");
    let rest = names(&world.consumer, &format!("?page_size=2&page_token={token}")).await;
    assert_eq!(
        (page["data"].as_array().expect("rows").len(), rest),
        (2, vec!["Stock".to_owned()])
    );
    for wrong in ["x".repeat(201), "%00".to_owned()] {
        let path = format!("/v1/data-products?q={wrong}");
        world.consumer.get(&path).await.expect_problem(422, "invalid");
    }
}

#[tokio::test]
async fn listing_takes_the_right_the_switch_and_a_topic_of_ones_own() {
    let world = World::make().await;
    let path = format!("/v1/topics/{}/visibility", world.made.topic);
    let put =
        async |caller: &Caller, path: &str, body: &Value| caller.send("PUT", path, body.to_string()).await;
    let public = described(&world, "PUBLIC");
    let developer = world.bench.member(&world.giver, "DEVELOPER").await;
    put(&developer, &path, &public)
        .await
        .expect_problem(403, "denied");
    turn(&world.provider, false, true).await;
    put(&world.provider, &path, &public)
        .await
        .expect_problem(403, "sharing_off");
    put(&world.provider, &path, &described(&world, "PRIVATE"))
        .await
        .expect(200);
    turn(&world.provider, true, true).await;
    for (field, value, pointer) in [
        ("name", json!(""), "/name"),
        ("tenants", json!([world.taker.tenant]), "/tenants"),
        ("price", json!({"currency": "euro"}), "/price/currency"),
    ] {
        let mut wrong = public.clone();
        wrong[field] = value;
        let refused = put(&world.provider, &path, &wrong)
            .await
            .expect_problem(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    let mut nobody = described(&world, "LISTED");
    nobody["tenants"] = json!([world.made.topic.replace("topic_", "tenant_")]);
    let refused = put(&world.provider, &path, &nobody)
        .await
        .expect_problem(422, "bad_reference");
    assert_eq!(refused["errors"][0]["pointer"], "/tenants");
    // Planned it is not done; and who changes what he has not read is told so.
    let planned = format!("{path}?dry_run=true");
    let plan = put(&world.provider, &planned, &public).await.expect(200);
    assert_eq!(plan["changes"][0]["action"], "list");
    assert_eq!(names(&world.consumer, "").await, [""; 0]);
    let stale = world.provider.clone().with("If-Match", "\"7\"");
    put(&stale, &path, &public).await.expect_problem(412, "moved");
    // A mount is another's to list.
    let (_share, received) = world.offer(&world.spec()).await;
    let taken = world.accept(&received, json!({})).await.expect(200);
    turn(&world.consumer, true, true).await;
    let mount = taken["status"]["mounts"][0]["topic"].as_str().expect("an id");
    let mount = format!("/v1/topics/{mount}/visibility");
    put(&world.consumer, &mount, &public)
        .await
        .expect_problem(409, "mounted");
}

#[tokio::test]
async fn both_sides_of_a_share_see_how_its_promises_are_kept() {
    let world = World::make().await;
    promise(&world).await;
    let (third, _) = world.bench.tenant("TENANT_ADMIN").await;
    let (share, received) = world.offer(&world.spec()).await;
    let measured = format!(
        "INSERT INTO service_level (topic_id, tenant_id, name, since, minute, known_at, state, value, good, bad, remaining_ratio, spent_told)
         SELECT id, tenant_id, 'FRESHNESS', now() - interval '1 day', date_trunc('minute', now()), now(), 'OK', 60, 1400, 2, 0.9, false
         FROM topic WHERE tenant_id = '{}'",
        world.giver.tenant.uuid()
    );
    sqlx::raw_sql(AssertSqlSafe(measured))
        .execute(&mut world.bench.database.owner().await)
        .await
        .expect("measure");
    let (given, taken) = (
        format!("/v1/shares/{share}/service-levels"),
        format!("/v1/received-shares/{received}/service-levels"),
    );
    let ours = world.provider.get(&given).await.expect(200);
    let theirs = world.consumer.get(&taken).await.expect(200);
    assert_eq!(ours, theirs);
    assert_eq!(theirs["topics"][0]["alias"], "payments");
    let level = &theirs["topics"][0]["levels"][0];
    assert_eq!(
        (
            &level["name"],
            &level["state"],
            &level["measured"],
            &level["budget"]["spent_minutes"]
        ),
        (
            &json!("freshness"),
            &json!("OK"),
            &json!({"value": 1.0, "unit": "m"}),
            &json!(2)
        )
    );
    for hidden in [&world.made.topic, "contract_"] {
        assert!(!theirs.to_string().contains(hidden), "{hidden}");
    }
    for path in [&given, &taken] {
        third.get(path).await.expect_problem(404, "not_found");
    }
    world.consumer.get(&given).await.expect_problem(404, "not_found");
    world.act(&format!("shares/{share}/revoke")).await;
    let after = world.consumer.get(&taken).await.expect(200);
    assert_eq!(after["topics"], json!([]), "what ended tells nothing more");
}

#[tokio::test]
async fn one_register_lists_both_directions_with_the_others_name() {
    let world = World::make().await;
    let (share, received) = world.offer(&world.spec()).await;
    let list = async |caller: &Caller, query: &str| {
        caller.get(&format!("/v1/shares{query}")).await.expect(200)["data"].clone()
    };
    assert_eq!(
        list(&world.provider, "").await,
        list(&world.provider, "?direction=given").await
    );
    let given = list(&world.provider, "").await;
    assert_eq!(given[0]["id"], share.as_str());
    assert!(
        given[0]["status"].get("recipient_name").is_none(),
        "who was only named is no party yet"
    );
    let taken = list(&world.consumer, "?direction=received").await;
    assert_eq!(
        (&taken[0]["kind"], &taken[0]["id"]),
        (&json!("ReceivedShare"), &json!(received))
    );
    let old = world.consumer.get("/v1/received-shares").await.expect(200);
    assert_eq!(old["data"], taken);
    let name = async |caller: &Caller, id: String| {
        let spec = caller.get(&format!("/v1/tenants/{id}")).await.expect(200)["spec"].clone();
        [&spec["display_name"], &spec["name"]]
            .into_iter()
            .find_map(|it| it.as_str().filter(|it| !it.is_empty()).map(str::to_owned))
            .expect("a name")
    };
    let giver = name(&world.provider, world.giver.tenant.to_string()).await;
    assert_eq!(taken[0]["status"]["provider_name"], giver);
    world.accept(&received, json!({})).await.expect(200);
    let taker = name(&world.consumer, world.taker.tenant.to_string()).await;
    let given = list(&world.provider, "").await;
    assert_eq!(given[0]["status"]["recipient_name"], taker);
    for wrong in ["?direction=sideways", "?direction=received&topic="] {
        let wrong = wrong.replace("topic=", &format!("topic={}", world.made.topic));
        world
            .consumer
            .get(&format!("/v1/shares{wrong}"))
            .await
            .expect_problem(422, "invalid");
    }
}

#[tokio::test]
async fn a_filter_reads_keys_only_where_they_are_shown() {
    let world = World::make().await;
    let steps =
        json!([{"filter": {"where": "key == '4111'"}}, {"mask": {"fields": ["card"], "how": "REDACT"}}]);
    for keys in [Value::Null, json!("HASHED"), json!("WITHHELD")] {
        let mut spec = world.with("/spec/topics/0/steps", steps.clone());
        if !keys.is_null() {
            spec["spec"]["topics"][0]["keys"] = keys;
        }
        let refused = world.provider.post("/v1/shares", &spec).await;
        let refused = refused.expect_problem(422, "invalid");
        assert_eq!(
            refused["errors"][0]["pointer"],
            "/spec/topics/0/steps/0/filter/where"
        );
    }
    let mut shown = world.with("/spec/topics/0/steps", steps);
    shown["spec"]["topics"][0]["keys"] = json!("SHOWN");
    world.provider.post("/v1/shares", &shown).await.expect(201);
}
