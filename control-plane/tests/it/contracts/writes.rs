//! Registering, changing and deleting through `/v1`.

use serde_json::json;

use super::{environment, record, record_with, wish};
use crate::harness::Bench;
use crate::registry::key;
use crate::streams::id;
use crate::topic_contracts::World;

#[tokio::test]
async fn a_contract_is_registered_and_both_faces_show_it() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let mut wish = wish(&prod, "payments-value", &record("Payment", &["id"]));
    wish["spec"]["metadata"] = json!({"properties": {"owner": "cards", "key": "hush"}, "sensitive": ["key"],
        "tags": {"bank.Payment.id": ["PII"]}});
    wish["spec"]["rule_set"] = json!({"domainRules": [{"name": "id", "kind": "CONDITION", "type": "CEL",
        "mode": "WRITE", "expr": "message.id != ''"}]});
    wish["spec"]["compatibility"] = json!("FULL");
    let made = admin.post("/v1/contracts", &wish).await.expect(201);
    assert_eq!(
        made["spec"],
        json!({"environment": prod, "subject": "payments-value", "compatibility": "FULL"})
    );
    assert_eq!(
        (&made["status"]["versions"], &made["status"]["owner"]),
        (&json!([1]), &json!("cards"))
    );
    let path = format!("/v1/contracts/{}", id(&made));
    let version = admin.get(&format!("{path}/versions/1")).await.expect(200);
    assert_eq!(version["rule_set"]["domainRules"][0]["name"], "id");
    assert_eq!(
        version["properties"],
        json!({"owner": "cards"}),
        "what is sensitive is not shown"
    );
    let registry = "/registry/contexts/.prod/subjects/payments-value/versions";
    let same = admin.get(&format!("{registry}/1")).await.expect(200);
    assert_eq!(
        (&same["id"], &same["schema"]),
        (&version["schema_id"], &version["schema"])
    );
    // The same again is what is there.
    let again = admin.post("/v1/contracts", &wish).await.expect(200);
    assert_eq!(
        (id(&again), &again["status"]["versions"]),
        (id(&made), &json!([1]))
    );

    // The next version takes over what it does not say.
    let next = json!({"spec": {"schema": record("Payment", &["id", "note"])}});
    let second = admin.post(&format!("{path}/versions"), &next).await.expect(201);
    assert_eq!(
        (&second["kind"], &second["version"]),
        (&json!("ContractVersion"), &json!(2))
    );
    assert_eq!(
        (&second["tags"], &second["rule_set"]),
        (&version["tags"], &version["rule_set"])
    );
    admin.post(&format!("{path}/versions"), &next).await.expect(200);
    let about = json!({"spec": {"metadata": {"properties": {"owner": "loans"}}}});
    let third = admin.post(&format!("{path}/versions"), &about).await.expect(201);
    assert_eq!(
        (&third["version"], &third["schema"]),
        (&json!(3), &second["schema"])
    );
    assert_eq!(admin.get(registry).await.expect(200), json!([1, 2, 3]));
}

#[tokio::test]
async fn a_retry_registers_nothing_twice_and_a_stale_one_is_told_so() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let first = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let keyed = admin.clone().with("Idempotency-Key", "one");
    let made = keyed.post("/v1/contracts", &first).await.expect(201);
    let path = format!("/v1/contracts/{}", id(&made));
    let next = json!({"spec": {"schema": record("Payment", &["id", "note"])}});
    let keyed = admin.clone().with("Idempotency-Key", "two");
    let second = keyed.post(&format!("{path}/versions"), &next).await.expect(201);
    // Between the two it was deleted; what was done is told again and not done again.
    admin.delete(&path).await.expect(204);
    let replayed = keyed.post(&format!("{path}/versions"), &next).await.expect(201);
    assert_eq!(replayed, second);
    let first_again = admin.clone().with("Idempotency-Key", "one");
    assert_eq!(first_again.post("/v1/contracts", &first).await.expect(201), made);
    admin.get(&path).await.expect_problem(404, "not_found");
    let other = json!({"spec": {"schema": record("Payment", &["id", "other"])}});
    keyed
        .post(&format!("{path}/versions"), &other)
        .await
        .expect_problem(422, "idempotency_key_reused");

    let back = admin.post("/v1/contracts", &first).await.expect(201);
    let stale = admin.clone().with("If-Match", "\"1\"");
    assert_ne!(back["metadata"]["generation"], 1);
    let versions = format!("{path}/versions");
    stale.post(&versions, &other).await.expect_problem(412, "moved");
    let patch = json!({"spec": {"compatibility": "NONE"}});
    stale.patch(&path, &patch).await.expect_problem(412, "moved");
    stale.delete(&path).await.expect_problem(412, "moved");
}

#[tokio::test]
async fn what_is_wrong_is_said_where_it_stands() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let post = async |body: serde_json::Value| admin.post("/v1/contracts", &body).await;
    let torn = wish(&prod, "a-value", "{\"type\":\n \"record\",");
    let problem = post(torn).await.expect_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/spec/schema"), &json!("bad_schema"))
    );
    assert!(
        problem["detail"].as_str().expect("text").contains("line 2"),
        "{problem:#}"
    );
    let mut ruled = wish(&prod, "a-value", &record("Payment", &["id"]));
    ruled["spec"]["rule_set"] = json!({"domainRules": [
        {"name": "one", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "message.nothing > 1"},
        {"name": "two", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "message.id +"}]});
    let problem = post(ruled).await.expect_problem(422, "invalid");
    let errors = problem["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2, "{problem:#}");
    assert_eq!(
        (&errors[1]["pointer"], &errors[1]["code"]),
        (&json!("/spec/rule_set"), &json!("bad_rule_set"))
    );
    assert!(
        errors[1]["detail"].as_str().expect("text").starts_with("two: "),
        "{problem:#}"
    );
    let mut unknown = wish(&prod, "a-value", "\"int\"");
    unknown["spec"]["ruleset"] = json!({});
    post(unknown).await.expect_problem(422, "invalid");
    post(wish(&prod, "", "\"int\""))
        .await
        .expect_problem(422, "invalid");
    let gone = json!({"spec": {"subject": "a", "schema": "\"int\"", "references": [{"name": "X", "subject": "x", "version": 1}]}});
    let problem = post(gone).await.expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "bad_schema");
    assert_eq!(admin.get("/v1/contracts").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn the_level_decides_what_may_follow() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let made = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let made = admin.post("/v1/contracts", &made).await.expect(201);
    let path = format!("/v1/contracts/{}", id(&made));
    let versions = format!("{path}/versions");
    assert_eq!(made["spec"].get("compatibility"), None, "it is inherited");
    let breaking = json!({"spec": {"schema": record_with("Payment", &["id"], "amount")}});
    let problem = admin
        .post(&versions, &breaking)
        .await
        .expect_problem(409, "incompatible");
    let error = &problem["errors"][0];
    assert_eq!(error["pointer"], "/spec/schema");
    let detail = error["detail"].as_str().expect("text");
    assert!(
        detail.starts_with("READER_FIELD_MISSING_DEFAULT_VALUE: Against version 1: "),
        "{detail}"
    );
    let none = json!({"spec": {"compatibility": "NONE"}});
    let changed = admin.patch(&path, &none).await.expect(200);
    assert_eq!(
        (
            &changed["spec"]["compatibility"],
            &changed["status"]["compatibility"]
        ),
        (&json!("NONE"), &json!("NONE"))
    );
    admin.post(&versions, &breaking).await.expect(201);
    let inherited = json!({"spec": {"compatibility": null}, "metadata": {"labels": {"team": "cards"}}});
    let changed = admin.patch(&path, &inherited).await.expect(200);
    assert_eq!(changed["spec"].get("compatibility"), None);
    assert_eq!(changed["status"]["compatibility"], "BACKWARD");
    assert_eq!(changed["metadata"]["labels"], json!({"team": "cards"}));
    for fixed in [json!({"subject": "x"}), json!({"environment": null})] {
        let problem = admin
            .patch(&path, &json!({"spec": fixed}))
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "immutable");
    }
    let strange = json!({"spec": {"compatibility": "SIDEWAYS"}});
    admin.patch(&path, &strange).await.expect_problem(422, "invalid");
    // A level that comes with a version counts for it.
    let mut both = json!({"spec": {"schema": record_with("Payment", &["id", "amount"], "bank")}});
    admin
        .post(&versions, &both)
        .await
        .expect_problem(409, "incompatible");
    both["spec"]["compatibility"] = json!("FORWARD");
    admin.post(&versions, &both).await.expect(201);
    let now = admin.get(&path).await.expect(200);
    assert_eq!(now["spec"]["compatibility"], "FORWARD");
    let read_only = json!({"mode": "READONLY"});
    let mode = "/registry/contexts/.prod/mode/payments-value";
    admin.send("PUT", mode, read_only.to_string()).await.expect(200);
    let more = json!({"spec": {"schema": record("Payment", &["id", "more"])}});
    admin
        .post(&versions, &more)
        .await
        .expect_problem(409, "not_permitted");
    admin.delete(&path).await.expect_problem(409, "not_permitted");
}

#[tokio::test]
async fn a_role_on_one_subject_registers_no_other_and_strangers_see_none() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let cards = key(
        &bench,
        &admin,
        "DEVELOPER",
        "environment=prod/contract=cards*",
        None,
    )
    .await;
    let schema = record("Payment", &["id"]);
    let made = cards
        .post("/v1/contracts", &wish(&prod, "cards-value", &schema))
        .await
        .expect(201);
    for dry in ["", "?dry_run=true"] {
        let path = format!("/v1/contracts{dry}");
        cards
            .post(&path, &wish(&prod, "loans-value", &schema))
            .await
            .expect_problem(403, "denied");
        let problem = stranger
            .post(&path, &wish(&prod, "cards-value", &schema))
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "bad_reference");
        let versions = format!("/v1/contracts/{}/versions{dry}", id(&made));
        let body = json!({"spec": {"schema": schema}});
        stranger
            .post(&versions, &body)
            .await
            .expect_problem(404, "not_found");
    }
    let loans = wish(&prod, "loans-value", &schema);
    let loans = id(&admin.post("/v1/contracts", &loans).await.expect(201));
    let path = format!("/v1/contracts/{loans}");
    let none = json!({"spec": {"compatibility": "NONE"}});
    cards.patch(&path, &none).await.expect_problem(403, "denied");
    cards.delete(&path).await.expect_problem(403, "denied");
    cards
        .post(&format!("{path}/versions"), &json!({"spec": {"schema": schema}}))
        .await
        .expect_problem(403, "denied");
}

#[tokio::test]
async fn a_registration_moves_the_gateways_of_its_topics_on_and_a_deletion_too() {
    let world = World::make().await;
    let tenant = &world.owner;
    let topic = tenant.topic("payments", json!({"enforcement": "SHADOW"})).await;
    let mut agent = world.agent().await;
    let quiet = world.generation().await;
    let other = wish(&tenant.environment, "orders-value", &record("Order", &["id"]));
    tenant.admin.post("/v1/contracts", &other).await.expect(201);
    let plan = wish(&tenant.environment, "payments-value", &record("Payment", &["id"]));
    tenant
        .admin
        .post("/v1/contracts?dry_run=true", &plan)
        .await
        .expect(200);
    assert_eq!(world.generation().await, quiet);
    let made = tenant.admin.post("/v1/contracts", &plan).await.expect(201);
    assert_eq!(world.generation().await, quiet + 1);
    let one = made["status"]["latest"]["schema_id"].as_i64().expect("an id");
    let told = crate::topic_contracts::values(agent.told(&world).await, &topic);
    assert_eq!(told, [one]);
    let path = format!("/v1/contracts/{}", id(&made));
    tenant.admin.delete(&path).await.expect(204);
    let told = crate::topic_contracts::values(agent.told(&world).await, &topic);
    assert_eq!(told, [0; 0]);
}
