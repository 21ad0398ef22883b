//! What agents are told of topics' contracts, when that changes, and whose schemas are in it.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;
use weir_proto::agent::v1::Enforcement;

use super::{World, avro, schema, sent, topic, values};

#[tokio::test]
async fn an_agent_is_told_the_schemas_that_its_topics_need_and_no_other() {
    let world = World::make().await;
    let tenant = &world.owner;
    let first = tenant.register("payments-value", &avro("Payment", &["id"])).await;
    tenant.register("orders-value", &avro("Order", &["id"])).await;
    // The same subject in the tenant's own context is another.
    let own = "/registry/subjects/payments-value/versions";
    tenant
        .admin
        .post(own, &avro("Payment", &["own"]))
        .await
        .expect(200);
    let id = tenant.topic("payments", json!({"enforcement": "OFF"})).await;
    tenant.topic("orders", json!(null)).await;
    let mut agent = world.agent().await;
    let told = agent.told(&world).await;
    assert_eq!(sent(told), [0; 0], "nobody judges by them");
    let contract = topic(told, &id).contract.as_ref().expect("a contract");
    assert_eq!(
        (contract.enforcement(), &contract.value),
        (Enforcement::Off, &None)
    );

    let changed = tenant.change(&id, json!({"enforcement": "REJECT"})).await;
    assert_eq!(changed["spec"]["contract"]["value"]["strategy"], "TOPIC_NAME");
    let told = agent.told(&world).await;
    assert_eq!((values(told, &id), sent(told)), (vec![first], vec![first]));
    let contract = topic(told, &id).contract.as_ref().expect("a contract");
    assert_eq!(
        (contract.enforcement(), &contract.key),
        (Enforcement::Reject, &None)
    );
    let text = &schema(told, &contract.value.as_ref().expect("values").schema_ids[0]).text;
    assert!(text.contains(r#""name":"Payment""#), "{text}");
    assert!(told.topics.iter().filter(|it| it.contract.is_some()).count() == 1);

    // A contract that is taken away is gone.
    tenant.change(&id, json!(null)).await;
    let told = agent.told(&world).await;
    assert_eq!((&topic(told, &id).contract, sent(told)), (&None, vec![]));
}

#[tokio::test]
async fn what_stands_in_a_subject_moves_those_on_who_need_it_and_nobody_else() {
    let world = World::make().await;
    let tenant = &world.owner;
    let id = tenant.topic("payments", json!({"enforcement": "SHADOW"})).await;
    tenant.topic("idle", json!({"enforcement": "OFF"})).await;
    let mut agent = world.agent().await;
    assert_eq!(
        values(agent.told(&world).await, &id),
        [0; 0],
        "nothing is valid yet"
    );
    let quiet = world.generation().await;
    for subject in ["payments", "payments-key", "idle-value", "payments-value2"] {
        tenant.register(subject, &avro("Other", &["id"])).await;
    }
    let own = "/registry/subjects/payments-value/versions";
    tenant
        .admin
        .post(own, &avro("Payment", &["id"]))
        .await
        .expect(200);
    assert_eq!(world.generation().await, quiet);

    let one = tenant.register("payments-value", &avro("Payment", &["id"])).await;
    assert_eq!(world.generation().await, quiet + 1);
    assert_eq!(values(agent.told(&world).await, &id), [one]);
    // The topic is ready again when gateways obey what its subject holds now.
    let shown = tenant.admin.get(&format!("/v1/topics/{id}")).await.expect(200);
    assert_ne!(shown["status"]["phase"], "READY");
    // What is there already is no change.
    assert_eq!(
        tenant.register("payments-value", &avro("Payment", &["id"])).await,
        one
    );
    assert_eq!(world.generation().await, quiet + 1);
    let two = tenant
        .register("payments-value", &avro("Payment", &["id", "note"]))
        .await;
    assert_eq!(values(agent.told(&world).await, &id), [one, two]);
    tenant.forget("payments-value/versions/1").await;
    assert_eq!(values(agent.told(&world).await, &id), [two]);
    let before = world.generation().await;
    tenant.forget("payments-value/versions/1?permanent=true").await;
    assert_eq!(world.generation().await, before, "it did not stand any more");
    tenant.forget("payments-value").await;
    let told = agent.told(&world).await;
    assert_eq!((values(told, &id), sent(told)), (vec![], vec![]));
}

#[tokio::test]
async fn nobody_is_told_anothers_schemas() {
    let world = World::make().await;
    let guest = world.guest().await;
    let reject = json!({"enforcement": "REJECT"});
    let (own, other) = (
        world.owner.topic("payments", reject.clone()).await,
        guest.topic("payments", reject).await,
    );
    let ours = world
        .owner
        .register("payments-value", &avro("Payment", &["ours"]))
        .await;
    let mut agent = world.agent().await;
    let told = agent.told(&world).await;
    assert_eq!(values(told, &own), [ours]);
    assert_eq!(values(told, &other), [0; 0]);
    let theirs = guest
        .register("payments-value", &avro("Payment", &["theirs"]))
        .await;
    let told = agent.told(&world).await;
    assert_eq!(
        (values(told, &own), values(told, &other)),
        (vec![ours], vec![theirs])
    );
    // Another who is not on this data plane moves nothing and is not told.
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    let made = crate::streams::make(&stranger).await;
    let patch = json!({"spec": {"contract": {"enforcement": "REJECT"}}});
    let path = format!("/v1/topics/{}", made.topic);
    stranger.patch(&path, &patch).await.expect(200);
    let before = world.generation().await;
    let versions = "/registry/contexts/.prod/subjects/payments-value/versions";
    stranger
        .post(versions, &avro("Payment", &["strange"]))
        .await
        .expect(200);
    assert_eq!(world.generation().await, before);
    let mut expected = vec![ours, theirs];
    expected.sort_unstable();
    assert_eq!(sent(agent.told(&world).await), expected);
}

#[tokio::test]
async fn record_names_find_subjects_and_a_subject_of_another_name_is_none() {
    let world = World::make().await;
    let tenant = &world.owner;
    let by = |strategy| json!({"enforcement": "REJECT", "value": {"strategy": strategy}});
    let (records, own) = (
        tenant.topic("events", by("RECORD_NAME")).await,
        tenant.topic("audit", by("TOPIC_RECORD_NAME")).await,
    );
    let quiet = world.generation().await;
    // Called as no record of theirs.
    tenant.register("bank.Payment", &avro("Order", &["id"])).await;
    tenant
        .register("audit-bank.Payment", &avro("Order", &["a"]))
        .await;
    tenant
        .register("other-bank.Payment", &avro("Payment", &["b"]))
        .await;
    tenant.register("events-value", &avro("Payment", &["c"])).await;
    assert_eq!(world.generation().await, quiet);
    let order = tenant.register("bank.Order", &avro("Order", &["d"])).await;
    let audited = tenant.register("audit-bank.Order", &avro("Order", &["e"])).await;
    // A record of Protobuf is of any of its messages.
    let file = json!({"schemaType": "PROTOBUF",
        "schema": "syntax = \"proto3\"; package bank; message A { message B { string b = 1; } } message C { string c = 1; }"});
    let (nested, second) = (
        tenant.register("bank.A.B", &file).await,
        tenant.register("audit-bank.C", &file).await,
    );
    let titled = json!({"schemaType": "JSON", "schema": "{\"title\": \"Refund\", \"type\": \"object\"}"});
    let titled = tenant.register("Refund", &titled).await;
    assert_eq!(world.generation().await, quiet + 5);
    let mut agent = world.agent().await;
    let told = agent.told(&world).await;
    let sorted = |mut ids: Vec<i64>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(values(told, &records), sorted(vec![order, nested, titled]));
    assert_eq!(values(told, &own), sorted(vec![audited, second]));
    tenant.forget("bank.Order").await;
    assert_eq!(world.generation().await, quiet + 6);
    let told = agent.told(&world).await;
    assert_eq!(values(told, &records), sorted(vec![nested, titled]));
}

#[tokio::test]
async fn what_a_schema_refers_to_is_sent_with_it_and_is_not_allowed_by_that() {
    let world = World::make().await;
    let tenant = &world.owner;
    let uses = |name: &str, field: &str, subject: &str| {
        let schema = json!({"type": "record", "name": name, "namespace": "bank",
            "fields": [{"name": "it", "type": field}]});
        json!({"schema": schema.to_string(), "references": [{"name": field, "subject": subject, "version": 1}]})
    };
    // One of them lies in the tenant's own context.
    let card = "/registry/subjects/card/versions";
    let card = tenant
        .admin
        .post(card, &avro("Card", &["number"]))
        .await
        .expect(200);
    let card = card["id"].as_i64().expect("an id");
    let holder = tenant
        .register("holder", &uses("Holder", "bank.Card", ":.:card"))
        .await;
    let payment = uses("Payment", "bank.Holder", "holder");
    let payment = tenant.register("payments-value", &payment).await;
    let id = tenant.topic("payments", json!({"enforcement": "MARK"})).await;
    let mut agent = world.agent().await;
    let told = agent.told(&world).await;
    assert_eq!(values(told, &id), [payment]);
    let mut expected = vec![card, holder, payment];
    expected.sort_unstable();
    assert_eq!(sent(told), expected);
    let named = |number: i64| {
        let found = told.schemas.iter().find(|it| i64::from(it.schema_id) == number);
        let references = &found.expect("it is sent").references;
        let names = references.iter().map(|it| {
            let target = schema(told, &it.id).schema_id;
            (it.name.as_str(), i64::from(target))
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(named(payment), [("bank.Holder", holder)]);
    assert_eq!(named(holder), [("bank.Card", card)]);
    assert_eq!(named(card), []);
}

#[tokio::test]
async fn unframed_records_are_bound_to_the_newest_version_if_that_is_json() {
    let world = World::make().await;
    let tenant = &world.owner;
    let json_schema = |more: &str| {
        let schema = format!("{{\"type\": \"object\", \"description\": \"{more}\"}}");
        json!({"schemaType": "JSON", "schema": schema})
    };
    let contract = json!({"enforcement": "REJECT", "value": {"unframed": "JSON"}, "key": {}});
    let id = tenant.topic("payments", contract).await;
    let unframed = |told: &weir_proto::agent::v1::DesiredState| {
        let contract = topic(told, &id).contract.clone().expect("a contract");
        assert_eq!(contract.key.expect("keys").unframed_schema_id, "");
        let bound = contract.value.expect("values").unframed_schema_id;
        (!bound.is_empty()).then(|| i64::from(schema(told, &bound).schema_id))
    };
    let mut agent = world.agent().await;
    assert_eq!(unframed(agent.told(&world).await), None);
    tenant.register("payments-value", &json_schema("a")).await;
    let newest = tenant.register("payments-value", &json_schema("b")).await;
    tenant.register("payments-key", &json_schema("k")).await;
    assert_eq!(unframed(agent.told(&world).await), Some(newest));
    let config = "/registry/contexts/.prod/config/payments-value";
    let none = r#"{"compatibility": "NONE"}"#;
    tenant.admin.send("PUT", config, none).await.expect(200);
    tenant.register("payments-value", &avro("Payment", &["id"])).await;
    assert_eq!(unframed(agent.told(&world).await), None);
}

#[tokio::test]
async fn who_registers_is_answered_when_the_gateways_know_it() {
    let world = World::make().await;
    let tenant = &world.owner;
    let id = tenant.topic("payments", json!({"enforcement": "REJECT"})).await;
    let agent = world.agent().await;
    agent.ready(&world, &id).await;
    let path = format!("/v1/topics/{id}");
    while tenant.admin.get(&path).await.expect(200)["status"]["phase"] != "READY" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let body = avro("Payment", &["id"]);
    let mut registering = std::pin::pin!(tenant.register("payments-value", &body));
    let early = timeout(Duration::from_secs(1), &mut registering).await;
    assert!(early.is_err(), "a record with the id would be refused");
    agent.ready(&world, &id).await;
    let one = timeout(Duration::from_secs(3), &mut registering).await;
    let one = one.expect("it is not waited for longer than that");
    // It is there already, and known.
    let again = timeout(Duration::from_secs(3), tenant.register("payments-value", &body)).await;
    assert_eq!(again.expect("at once"), one);
}
