//! `?dry_run=true`: everything that is wrong, what is different, whom it meets; and nothing is written.

use serde_json::{Value, json};
use uuid::Uuid;
use weir_control_plane::kernel::{Id, ServiceAccountId, kind};

use super::{environment, record, record_with, wish};
use crate::harness::{Bench, Caller};
use crate::streams::id;
use crate::topic_contracts::World;

/// Rows of everything that a registration writes.
async fn rows(bench: &Bench) -> Vec<(String, i64)> {
    let mut owner = bench.database.owner().await;
    let mut counts = Vec::new();
    for table in [
        "contract",
        "contract_version",
        "contract_schema",
        "contract_reference",
        "contract_config",
        "audit_event",
        "event",
        "idempotency",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut owner)
            .await
            .expect("a count");
        counts.push((table.to_owned(), count));
    }
    counts
}

async fn plan(caller: &Caller, path: &str, body: &Value) -> Value {
    let plan = caller
        .post(&format!("{path}?dry_run=true"), body)
        .await
        .expect(200);
    assert_eq!(plan["kind"], "ContractPlan");
    plan
}

fn sources(plan: &Value) -> Vec<&str> {
    let problems = plan["problems"].as_array().expect("problems").iter();
    problems
        .map(|it| it["source"].as_str().expect("a source"))
        .collect()
}

#[tokio::test]
async fn a_plan_says_what_a_registration_would_do_and_does_nothing() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let keyed = admin.clone().with("Idempotency-Key", "planned");
    let first = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let before = rows(&bench).await;
    let fresh = plan(&keyed, "/v1/contracts", &first).await;
    assert_eq!(
        (&fresh["accepted"], &fresh["version"], &fresh["unchanged"]),
        (&json!(true), &json!(1), &json!(false))
    );
    assert_eq!((&fresh["problems"], &fresh["changes"]), (&json!([]), &json!([])));
    assert_eq!(rows(&bench).await, before);
    let made = admin.post("/v1/contracts", &first).await.expect(201);
    let versions = format!("/v1/contracts/{}/versions", id(&made));
    let before = rows(&bench).await;
    let same = plan(&admin, "/v1/contracts", &first).await;
    assert_eq!((&same["unchanged"], &same["version"]), (&json!(true), &json!(1)));
    let path = format!("/v1/contracts/{}?dry_run=true", id(&made));
    admin.delete(&path).await.expect(200);
    let patch = json!({"spec": {"compatibility": "NONE"}});
    admin.patch(&path, &patch).await.expect(200);
    let next = json!({"spec": {"schema": record("Payment", &["id", "note"]), "compatibility": "FULL"}});
    assert_eq!(plan(&admin, &versions, &next).await["version"], 2);
    assert_eq!(rows(&bench).await, before);
}

#[tokio::test]
async fn a_plan_says_everything_that_is_wrong_and_what_is_different() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let first = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let made = admin.post("/v1/contracts", &first).await.expect(201);
    let versions = format!("/v1/contracts/{}/versions", id(&made));
    let before = rows(&bench).await;
    let mut worse = json!({"spec": {"schema": record_with("Payment", &[], "amount"),
        "metadata": {"properties": {"classification": "RESTRICTED", "service_level.freshness": "5 m"}},
        "rule_set": {"domainRules": [{"name": "odd", "kind": "CONDITION", "type": "CEL", "mode": "WRITE",
            "expr": "message.nothing > 1"}]}}});
    let told = plan(&admin, &versions, &worse).await;
    assert_eq!(
        (&told["accepted"], &told["version"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        sources(&told),
        ["RULE_SET", "COMPATIBILITY"],
        "everything, not the first thing alone"
    );
    let [rule, schema] = told["problems"].as_array().expect("problems").as_slice() else {
        panic!("{told:#}");
    };
    assert_eq!(
        (&rule["rule"], &rule["path"]),
        (&json!("odd"), &json!("domainRules"))
    );
    assert_eq!((&rule["line"], &rule["blocking"]), (&json!(1), &json!(true)));
    assert_eq!(schema["rule"], "READER_FIELD_MISSING_DEFAULT_VALUE");
    let changes = told["changes"].as_array().expect("changes");
    assert!(
        changes
            .iter()
            .any(|it| it["part"] == "SCHEMA" && it["breaking"] == true),
        "{told:#}"
    );
    assert!(
        changes
            .iter()
            .any(|it| it["part"] == "SERVICE_LEVELS" && it["breaking"] == false),
        "{told:#}"
    );
    // A level that comes along counts in the plan, and stays a plan.
    worse["spec"]["compatibility"] = json!("NONE");
    worse["spec"]["rule_set"] = json!({"domainRules": []});
    let told = plan(&admin, &versions, &worse).await;
    assert_eq!((&told["accepted"], &told["version"]), (&json!(true), &json!(2)));
    // A promise that nobody could measure is told, and refuses nothing.
    worse["spec"]["metadata"]["properties"]["service_level.freshness"] = json!("soon");
    let told = plan(&admin, &versions, &worse).await;
    assert_eq!(
        (sources(&told), &told["accepted"]),
        (vec!["SERVICE_LEVEL"], &json!(true))
    );
    assert_eq!(told["problems"][0]["path"], "service_level.freshness");
    let torn = plan(&admin, &versions, &json!({"spec": {"schema": "{\n  \"type\""}})).await;
    assert_eq!(
        (sources(&torn), &torn["problems"][0]["line"]),
        (vec!["SCHEMA"], &json!(2))
    );
    assert_eq!(rows(&bench).await, before);
}

#[tokio::test]
async fn what_a_plan_says_is_what_happens() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let first = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let made = admin.post("/v1/contracts", &first).await.expect(201);
    let versions = format!("/v1/contracts/{}/versions", id(&made));
    let rule = |expr: &str| json!({"domainRules": [{"name": "a", "kind": "CONDITION", "type": "CEL", "expr": expr}]});
    for spec in [
        json!({"schema": record("Payment", &["id"])}),
        json!({"schema": record("Payment", &["id", "note"])}),
        json!({"schema": record("Other", &["id"])}),
        json!({"schema": record_with("Payment", &["id"], "amount")}),
        json!({"schema": "\"int\""}),
        json!({"schema": "nonsense"}),
        json!({"schema": ""}),
        json!({"schema_type": "JSON", "schema": "{\"type\": \"object\"}"}),
        json!({"schema_type": "PROTOBUF", "schema": "message A {"}),
        json!({"rule_set": rule("message.id != ''")}),
        json!({"rule_set": rule("message.id +")}),
        json!({"rule_set": {"domainRules": [{"name": "1", "type": "CEL"}]}}),
        json!({"rule_set": {"domainRules": 7}}),
        json!({"metadata": {"properties": {"owner": "cards"}}}),
        json!({"metadata": {"properties": {"long": "x".repeat(140_000)}}}),
        json!({"schema": "\"int\"", "references": [{"name": "a", "subject": "b", "version": 1}]}),
    ] {
        let body = json!({"spec": spec});
        let told = plan(&admin, &versions, &body).await;
        let reply = admin.post(&versions, &body).await;
        assert_eq!(
            told["accepted"],
            reply.status.is_success(),
            "{body:#}\n{told:#}\n{:#}",
            reply.body
        );
        if reply.status.is_success() {
            assert_eq!(told["version"], reply.body["version"], "{body:#}");
            assert_eq!(told["unchanged"], reply.status == 200, "{body:#}");
        }
    }
}

/// Notes that a service account used a topic so many hours ago.
async fn used(bench: &Bench, tenant: Uuid, topic: &str, account: &str, direction: &str, hours: i32) {
    let topic: Id<kind::Topic> = topic.parse().expect("an id");
    let account: ServiceAccountId = account.parse().expect("an id");
    sqlx::query(
        "INSERT INTO usage_hour (tenant_id, hour, cluster_id, topic_id, principal_id, direction, organization_id, environment_id,
             data_plane_id, bytes, records, requests, uncertain_bytes)
         SELECT $1, date_trunc('hour', now() - make_interval(hours => $2)), t.cluster_id, $3, $4, $5, NULL, c.environment_id,
             t.data_plane_id, 1, 1, 1, 0 FROM topic t JOIN cluster c ON c.id = t.cluster_id WHERE t.id = $3",
    )
    .bind(tenant)
    .bind(hours)
    .bind(topic.uuid())
    .bind(account.uuid())
    .bind(direction)
    .execute(&mut bench.database.owner().await)
    .await
    .expect("a row");
}

#[tokio::test]
async fn a_plan_names_the_topics_that_a_change_meets_and_who_used_them() {
    let world = World::make().await;
    let (owner, guest) = (&world.owner, world.guest().await);
    let part = |strategy: &str| json!({"enforcement": "REJECT", "value": {"strategy": strategy}});
    let payments = owner.topic("payments", json!({"enforcement": "SHADOW"})).await;
    let by_record = owner.topic("all", part("RECORD_NAME")).await;
    let by_both = owner.topic("cards", part("TOPIC_RECORD_NAME")).await;
    owner
        .topic(
            "idle",
            json!({"enforcement": "OFF", "value": {"strategy": "RECORD_NAME"}}),
        )
        .await;
    owner.topic("payments2", json!({"enforcement": "REJECT"})).await;
    guest.topic("payments", json!({"enforcement": "REJECT"})).await;
    let met = async |subject: &str| -> Vec<(String, String)> {
        let body = wish(&owner.environment, subject, &record("Payment", &["id"]));
        let told = plan(&owner.admin, "/v1/contracts", &body).await;
        let topics = told["impact"]["topics"].as_array().expect("topics").iter();
        topics
            .map(|it| {
                let text = |name: &str| it[name].as_str().expect("text").to_owned();
                assert_eq!(it["cluster_id"], owner.cluster.as_str());
                (text("topic_id"), text("enforcement"))
            })
            .collect()
    };
    let one = |id: &str, enforcement: &str| vec![(id.to_owned(), enforcement.to_owned())];
    assert_eq!(met("payments-value").await, one(&payments, "SHADOW"));
    assert_eq!(met("bank.Payment").await, one(&by_record, "REJECT"));
    assert_eq!(met("cards-bank.Payment").await, one(&by_both, "REJECT"));
    for subject in ["bank.Other", "cards-value", "payments-key", "cards-bank.Other"] {
        assert_eq!(met(subject).await, [], "{subject}");
    }

    // The same subject of a neighbour meets his topics, and tells nothing of others.
    let body = wish(&guest.environment, "payments-value", &record("Payment", &["id"]));
    let theirs = plan(&guest.admin, "/v1/contracts", &body).await;
    assert_eq!(theirs["impact"]["topics"].as_array().map(Vec::len), Some(1));
    assert_ne!(theirs["impact"]["topics"][0]["topic_id"], payments.as_str());
}

#[tokio::test]
async fn a_plan_names_who_used_those_topics_lately() {
    let world = World::make().await;
    let (owner, guest) = (&world.owner, world.guest().await);
    let payments = owner.topic("payments", json!({"enforcement": "SHADOW"})).await;
    let other = owner.topic("other", json!({"enforcement": "SHADOW"})).await;
    guest.topic("payments", json!({"enforcement": "REJECT"})).await;
    let account = async |name: &str| {
        let account = json!({"spec": {"name": name}});
        id(&owner
            .admin
            .post("/v1/service-accounts", &account)
            .await
            .expect(201))
    };
    let (writer, reader, old) = (
        account("writer").await,
        account("reader").await,
        account("old").await,
    );
    let tenant = owner.admin.get("/v1/tenants").await.expect(200);
    let tenant: Id<kind::Tenant> = id(&tenant["data"][0]).parse().expect("an id");
    let tenant = tenant.uuid();
    for hours in [1, 3] {
        used(&world.bench, tenant, &payments, &writer, "PRODUCE", hours).await;
    }
    used(&world.bench, tenant, &payments, &reader, "FETCH", 100).await;
    used(&world.bench, tenant, &payments, &old, "FETCH", 24 * 8).await;
    used(&world.bench, tenant, &other, &old, "PRODUCE", 1).await;
    let body = wish(&owner.environment, "payments-value", &record("Payment", &["id"]));
    let impact = &plan(&owner.admin, "/v1/contracts", &body).await["impact"];
    let names = |list: &str| -> Vec<&str> {
        let uses = impact[list].as_array().expect("uses").iter();
        uses.map(|it| {
            assert_eq!(it["topic_id"], payments.as_str());
            it["display_name"].as_str().expect("a name")
        })
        .collect()
    };
    assert_eq!(
        (names("writers"), names("readers")),
        (vec!["writer"], vec!["reader"])
    );
    assert_eq!(impact["truncated"], false);
    let body = wish(&guest.environment, "payments-value", &record("Payment", &["id"]));
    let theirs = plan(&guest.admin, "/v1/contracts", &body).await;
    assert_eq!(
        (&theirs["impact"]["writers"], &theirs["impact"]["readers"]),
        (&json!([]), &json!([]))
    );
}
