//! How far a contract is in its life, and what follows: for later versions, and for records.

use serde_json::{Value, json};

use super::{environment, record, record_with, wish};
use crate::harness::Bench;
use crate::registry::refused;
use crate::streams::id;
use crate::topic_contracts::{World, values};

fn at(stage: &str, schema: &str) -> Value {
    json!({"spec": {"schema": schema, "metadata": {"properties": {"lifecycle": stage}}}})
}

#[tokio::test]
async fn drafts_are_not_compared_with_and_nothing_becomes_one_again() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let mut first = wish(&prod, "payments-value", &record_with("Payment", &[], "draft"));
    first["spec"]["metadata"] = json!({"properties": {"lifecycle": "draft"}});
    let made = admin.post("/v1/contracts", &first).await.expect(201);
    let path = format!("/v1/contracts/{}", id(&made));
    let versions = format!("{path}/versions");
    // Nobody relies on a draft: what follows may be anything.
    let stable = at("STABLE", &record("Payment", &["id"]));
    let second = at("DRAFT", &record_with("Payment", &["id"], "other"));
    admin.post(&versions, &second).await.expect(201);
    admin.post(&versions, &stable).await.expect(201);
    let broken = at("STABLE", &record_with("Payment", &["id"], "amount"));
    admin
        .post(&versions, &broken)
        .await
        .expect_problem(409, "incompatible");
    let verdict = "/registry/contexts/.prod/compatibility/subjects/payments-value/versions";
    let schema = json!({"schema": record_with("Payment", &["id"], "amount")});
    assert_eq!(
        admin.post(verdict, &schema).await.expect(200)["is_compatible"],
        false
    );

    let back = at("DRAFT", &record("Payment", &["id", "note"]));
    let problem = admin.post(&versions, &back).await.expect_problem(422, "invalid");
    let error = &problem["errors"][0];
    assert_eq!(
        (&error["pointer"], &error["code"]),
        (
            &json!("/spec/metadata/properties/lifecycle"),
            &json!("bad_lifecycle")
        )
    );
    assert!(
        error["detail"]
            .as_str()
            .expect("text")
            .starts_with("Version 3 is STABLE"),
        "{error:#}"
    );
    let plan = admin
        .post(&format!("{versions}?dry_run=true"), &back)
        .await
        .expect(200);
    assert_eq!(
        (&plan["accepted"], &plan["problems"][0]["source"]),
        (&json!(false), &json!("LIFECYCLE"))
    );
    let registry = "/registry/contexts/.prod/subjects/payments-value/versions";
    let same = json!({"schema": record("Payment", &["id", "note"]), "metadata": {"properties": {"lifecycle": "DRAFT"}}});
    refused(admin.post(registry, &same).await, 422, 42205);
    // A version that says nothing hides no promise, and a sensitive property says nothing.
    let silent = json!({"spec": {"schema": record("Payment", &["id", "note"]), "metadata": {"properties": {"owner": "cards"}}}});
    admin.post(&versions, &silent).await.expect(201);
    admin.post(&versions, &back).await.expect_problem(422, "invalid");
    let mut hidden = back.clone();
    hidden["spec"]["metadata"]["sensitive"] = json!(["lifecycle"]);
    admin.post(&versions, &hidden).await.expect(201);
    // NONE promised nothing.
    let mut free = back;
    free["spec"]["compatibility"] = json!("NONE");
    admin.post(&versions, &free).await.expect(201);
}

#[tokio::test]
async fn records_of_what_is_retired_are_of_no_schema() {
    let world = World::make().await;
    let tenant = &world.owner;
    let topic = tenant.topic("payments", json!({"enforcement": "REJECT"})).await;
    let by_record = json!({"enforcement": "REJECT", "value": {"strategy": "RECORD_NAME"}});
    let others = tenant.topic("all", by_record).await;
    let mut agent = world.agent().await;
    let first = wish(&tenant.environment, "payments-value", &record("Payment", &["id"]));
    let made = tenant.admin.post("/v1/contracts", &first).await.expect(201);
    let number = |it: &Value| it["schema_id"].as_i64().expect("an id");
    let one = number(&made["status"]["latest"]);
    let versions = format!("/v1/contracts/{}/versions", id(&made));
    let post = async |body: &Value| tenant.admin.post(&versions, body).await.expect(201);
    let two = number(&post(&at("DEPRECATED", &record("Payment", &["id", "note"]))).await);
    assert_eq!(values(agent.told(&world).await, &topic), [one, two]);

    let before = world.generation().await;
    post(&at("RETIRED", &record("Payment", &["id", "note"]))).await;
    assert_eq!(world.generation().await, before + 1);
    let told = agent.told(&world).await;
    assert_eq!((values(told, &topic), &told.schemas), (vec![], &vec![]));
    // Consumers still read what was written.
    let by_id = format!("/registry/contexts/.prod/schemas/ids/{two}");
    tenant.admin.get(&by_id).await.expect(200);
    // A newer version brings the contract back, the retired one stays out.
    let four = number(&post(&at("STABLE", &record("Payment", &["id", "note", "more"]))).await);
    assert_eq!(values(agent.told(&world).await, &topic), [one, two, four]);
    post(&at("RETIRED", &record("Payment", &["id", "note", "more"]))).await;
    assert_eq!(values(agent.told(&world).await, &topic), [0; 0]);
    tenant.forget("payments-value/versions/5").await;
    assert_eq!(values(agent.told(&world).await, &topic), [one, two, four]);

    // By the strategy of records, too, and another contract's life is its own.
    let named = wish(&tenant.environment, "bank.Payment", &record("Payment", &["id"]));
    let made = tenant.admin.post("/v1/contracts", &named).await.expect(201);
    assert_eq!(values(agent.told(&world).await, &others), [one]);
    let retired = json!({"spec": {"schema": record("Refund", &["id"]), "compatibility": "NONE",
        "metadata": {"properties": {"lifecycle": "RETIRED"}}}});
    let path = format!("/v1/contracts/{}/versions", id(&made));
    tenant.admin.post(&path, &retired).await.expect(201);
    let told = agent.told(&world).await;
    assert_eq!(
        values(told, &others),
        [0; 0],
        "told, although the new version is of another record"
    );
    assert_eq!(values(told, &topic), [one, two, four]);
}
