//! Registering, looking up, comparing.

use serde_json::json;

use super::{record, refused, register};
use crate::harness::Bench;

#[tokio::test]
async fn a_schema_is_registered_once_and_found_again() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let one = register(&admin, "payments-value", &record(&["id"])).await;
    // Another writing of the same.
    let spaced =
        "{ \"type\":\"record\", \"name\":\"Payment\",\n \"fields\":[{\"name\":\"id\",\"type\":\"string\"}] }";
    assert_eq!(register(&admin, "payments-value", spaced).await, one);
    assert_eq!(
        register(&admin, "others-value", spaced).await,
        one,
        "one text, one id"
    );
    let two = register(&admin, "payments-value", &record(&["id", "card=-"])).await;
    assert!(two > one);
    let versions = admin.get("/registry/subjects/payments-value/versions").await;
    assert_eq!(
        versions.headers["content-type"],
        "application/vnd.schemaregistry.v1+json"
    );
    assert_eq!(versions.expect(200), json!([1, 2]));
    let latest = "/registry/subjects/payments-value/versions/latest";
    let latest = admin.get(latest).await.expect(200);
    let text = latest["schema"].as_str().expect("a text");
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(read(text), read(&record(&["id", "card=-"])));
    assert!(
        text.starts_with("{\"type\":\"record\",\"name\":\"Payment\""),
        "the canonical text: {text}"
    );
    let mut fields: Vec<&String> = latest.as_object().expect("an object").keys().collect();
    fields.sort();
    assert_eq!(
        fields,
        ["id", "schema", "subject", "version"],
        "as the first clients know it"
    );
    for version in ["2", "-1"] {
        let path = format!("/registry/subjects/payments-value/versions/{version}");
        assert_eq!(admin.get(&path).await.expect(200), latest);
    }
    let found = admin
        .post("/registry/subjects/payments-value", &json!({"schema": spaced}))
        .await
        .expect(200);
    assert_eq!((&found["version"], &found["id"]), (&json!(1), &json!(one)));
    let subjects = admin.get("/registry/subjects").await.expect(200);
    assert_eq!(subjects, json!(["others-value", "payments-value"]));
    let prefixed = admin
        .get("/registry/subjects?subjectPrefix=pay")
        .await
        .expect(200);
    assert_eq!(prefixed, json!(["payments-value"]));
    let part = admin.get("/registry/subjects?offset=1&limit=1").await.expect(200);
    assert_eq!(part, json!(["payments-value"]));
    let all = admin.get("/registry/schemas?latestOnly=true").await.expect(200);
    assert_eq!(all.as_array().expect("schemas").len(), 2);
    let record = admin.get("/v1/audit-events?page_size=1000").await.expect(200);
    let record = record["data"].as_array().expect("events").clone();
    let registered = record.iter().filter(|it| it["action"] == "register_version");
    assert_eq!(
        registered.count(),
        3,
        "each new version is in the record, and nothing else"
    );
}

#[tokio::test]
async fn newer_fields_come_to_who_says_that_he_knows_them() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let newer = admin.clone().with("Confluent-Accept-Unknown-Properties", "true");
    let body = json!({"schema": "\"string\""});
    let plain = admin
        .post("/registry/subjects/s/versions", &body)
        .await
        .expect(200);
    let full = newer
        .post("/registry/subjects/s/versions", &body)
        .await
        .expect(200);
    assert_eq!(plain, json!({"id": full["id"]}));
    assert_eq!(full["version"], 1);
    let guid = full["guid"].as_str().expect("a guid").to_owned();
    let found = newer
        .get(&format!("/registry/schemas/guids/{guid}"))
        .await
        .expect(200);
    assert_eq!(found["schema"], "\"string\"");
    assert_eq!(found["schemaType"], "AVRO");
    let ids = admin
        .get(&format!("/registry/schemas/guids/{guid}/ids"))
        .await
        .expect(200);
    assert_eq!(ids, json!([{"context": ".", "id": full["id"]}]));
    refused(admin.get("/registry/schemas/guids/x").await, 404, 40403);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn what_breaks_readers_is_refused_and_says_what() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    register(&admin, "p", &record(&["id"])).await;
    let breaking = json!({"schema": record(&["id", "card"])});
    let refusal = admin.post("/registry/subjects/p/versions", &breaking).await;
    let message = refused(refusal, 409, 409);
    assert!(
        message
            .starts_with("Schema being registered is incompatible with an earlier schema for subject \"p\""),
        "{message}"
    );
    assert!(
        message.contains("READER_FIELD_MISSING_DEFAULT_VALUE"),
        "{message}"
    );
    assert!(message.contains("{oldSchemaVersion: 1}"), "{message}");
    for path in [
        "/registry/compatibility/subjects/p/versions",
        "/registry/compatibility/subjects/p/versions/latest",
        "/registry/compatibility/subjects/p/versions/1",
    ] {
        let plain = admin.post(path, &breaking).await.expect(200);
        assert_eq!(plain, json!({"is_compatible": false}));
        let verbose = admin
            .post(&format!("{path}?verbose=true"), &breaking)
            .await
            .expect(200);
        assert!(
            verbose["messages"][0]
                .as_str()
                .expect("a message")
                .contains("card"),
            "{verbose:#}"
        );
        let fine = json!({"schema": record(&["id", "card=-"])});
        let fine = admin
            .post(&format!("{path}?verbose=true"), &fine)
            .await
            .expect(200);
        assert_eq!(fine, json!({"is_compatible": true, "messages": []}));
    }
    let path = "/registry/compatibility/subjects/p/versions/9";
    refused(admin.post(path, &breaking).await, 404, 40402);
    let path = "/registry/compatibility/subjects/nothing/versions";
    assert_eq!(
        admin.post(path, &breaking).await.expect(200)["is_compatible"],
        true
    );
    assert_eq!(
        admin.get("/registry/subjects/p/versions").await.expect(200),
        json!([1]),
        "nothing was registered"
    );
    // Without a level everything goes; transitive levels look at every version.
    admin
        .send("PUT", "/registry/config/p", r#"{"compatibility": "NONE"}"#)
        .await
        .expect(200);
    admin
        .post("/registry/subjects/p/versions", &breaking)
        .await
        .expect(200);
    admin
        .send("PUT", "/registry/config/p", r#"{"compatibility": "BACKWARD"}"#)
        .await
        .expect(200);
    let third = json!({"schema": record(&["id", "card"]).replace("\"id\",\"type\":\"string\"", "\"id\",\"type\":\"string\",\"doc\":\"x\"")});
    admin
        .post("/registry/subjects/p/versions", &third)
        .await
        .expect(200);
    let level = r#"{"compatibility": "BACKWARD_TRANSITIVE"}"#;
    admin.send("PUT", "/registry/config/p", level).await.expect(200);
    let fourth = json!({"schema": record(&["id", "card", "more=-"])});
    let message = refused(
        admin.post("/registry/subjects/p/versions", &fourth).await,
        409,
        409,
    );
    assert!(message.contains("{oldSchemaVersion: 1}"), "{message}");
}

#[tokio::test]
async fn bad_input_has_its_number() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let versions = "/registry/subjects/p/versions";
    for (body, code) in [
        (json!({"schema": "{"}), 42201),
        (json!({"schema": "{\"type\": \"no\"}"}), 42201),
        (json!({}), 42201),
        (json!({"schema": "\"int\"", "schemaType": "XML"}), 42201),
        (json!({"schema": "\"int\"", "version": 7}), 42201),
        (json!({"schema": "\"int\"", "id": 7}), 42205),
        (json!({"schema": "\"int\"", "ruleSet": []}), 42210),
        (
            json!({"schema": "\"int\"", "ruleSet": {"domainRules": [{"name": "a", "kind": "WISH"}]}}),
            42210,
        ),
    ] {
        refused(admin.post(versions, &body).await, 422, code);
    }
    let rule =
        json!({"name": "a", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "message.id != "});
    let body = json!({"schema": record(&["id"]), "ruleSet": {"domainRules": [rule]}});
    let message = refused(admin.post(versions, &body).await, 422, 42210);
    assert!(message.contains("line 1"), "{message}");
    for body in ["[]", "{", "{\"schema\": 1}"] {
        refused(admin.send("POST", versions, body).await, 400, 400);
    }
    let typed = admin.clone().with("Content-Type", "text/plain");
    refused(typed.send("POST", versions, "{}").await, 415, 415);
    for media in [
        "application/vnd.schemaregistry.v1+json",
        "application/octet-stream",
    ] {
        let typed = admin.clone().with("Content-Type", media);
        let body = json!({"schema": "\"int\""}).to_string();
        typed.send("POST", versions, body).await.expect(200);
    }
    for subject in ["a%0Ab", "__GLOBAL", &"x".repeat(600)] {
        let path = format!("/registry/subjects/{subject}/versions");
        refused(admin.post(&path, &json!({"schema": "\"int\""})).await, 422, 42208);
    }
    for version in ["0", "x", "2147483648", "-2"] {
        refused(admin.get(&format!("{versions}/{version}")).await, 422, 42202);
    }
    refused(admin.get(&format!("{versions}/9")).await, 404, 40402);
    refused(admin.get("/registry/subjects/none/versions").await, 404, 40401);
    refused(admin.get("/registry/subjects/none/versions/1").await, 404, 40401);
    let body = json!({"schema": "\"long\""});
    refused(admin.post("/registry/subjects/none", &body).await, 404, 40401);
    refused(admin.post("/registry/subjects/p", &body).await, 404, 40403);
    refused(admin.get("/registry/nothing").await, 404, 404);
    refused(admin.send("PATCH", "/registry/subjects", "").await, 405, 405);
    refused(bench.nobody().get("/registry/subjects").await, 401, 401);
    assert_eq!(admin.get("/registry/subjects").await.expect(200), json!(["p"]));
    assert_eq!(admin.get("/registry").await.expect(200), json!({}));
    assert_eq!(admin.get("/registry/").await.expect(200), json!({}));
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let versions = "/registry/subjects/p/versions";
    let (long, reference) = (
        "x".repeat(200_000),
        json!({"name": "a", "subject": "p", "version": 1}),
    );
    let tag = json!({"schemaEntity": {"entityPath": long}, "tags": ["PII"]});
    for body in [
        json!({"schema": "\"int\"", "metadata": {"properties": {"a": long}}}),
        json!({"schema": "\"int\"", "references": vec![reference; 257]}),
        json!({"schema": "\"int\"", "schemaTagsToAdd": [tag]}),
        json!({"schema": format!("\"{}\"", "x".repeat(2 * 1024 * 1024))}),
    ] {
        refused(admin.post(versions, &body).await, 422, 42209);
    }
    let config = json!({"defaultMetadata": {"properties": {"a": long}}}).to_string();
    refused(admin.send("PUT", "/registry/config/p", config).await, 422, 42209);
    assert_eq!(
        admin.get("/registry/subjects?deleted=true").await.expect(200),
        json!([])
    );
}

#[tokio::test]
async fn metadata_and_rules_belong_to_a_version_and_are_carried_on() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let rules = json!({"domainRules": [{"name": "positive", "kind": "CONDITION", "mode": "WRITE", "type": "CEL",
        "expr": "message.id != ''", "disabled": false}]});
    let metadata =
        json!({"properties": {"owner": "cards", "stage": "prod"}, "tags": {"Payment.id": ["PII"]}});
    let body = json!({"schema": record(&["id"]), "metadata": metadata, "ruleSet": rules});
    let versions = "/registry/subjects/p/versions";
    let one = admin.post(versions, &body).await.expect(200);
    assert_eq!(one["metadata"], metadata);
    assert_eq!(one["ruleSet"], rules);
    let by_id = admin
        .get(&format!("/registry/schemas/ids/{}", one["id"]))
        .await
        .expect(200);
    assert_eq!((&by_id["metadata"], &by_id["ruleSet"]), (&metadata, &rules));
    // The same text alone is the same version; a new text takes metadata and rules along.
    let again = admin
        .post(versions, &json!({"schema": record(&["id"])}))
        .await
        .expect(200);
    assert_eq!(again["id"], one["id"]);
    let two = admin
        .post(versions, &json!({"schema": record(&["id", "a=-"])}))
        .await
        .expect(200);
    assert_eq!((&two["metadata"], &two["ruleSet"]), (&metadata, &rules));
    // New metadata without a text: the same schema, another version, another id.
    let tag =
        json!({"schemaEntity": {"entityPath": "Payment.a", "entityType": "SR_FIELD"}, "tags": ["SECRET"]});
    let three = admin
        .post(versions, &json!({"schemaTagsToAdd": [tag]}))
        .await
        .expect(200);
    assert_eq!(three["version"], 3);
    assert_eq!(three["schema"], two["schema"]);
    assert_ne!(three["id"], two["id"]);
    assert_eq!(
        three["metadata"]["tags"],
        json!({"Payment.a": ["SECRET"], "Payment.id": ["PII"]})
    );
    // By what it has.
    let path = "/registry/subjects/p/metadata?key=owner&value=cards";
    assert_eq!(admin.get(path).await.expect(200)["version"], 3);
    let path = "/registry/subjects/p/metadata?key=owner&value=nobody";
    refused(admin.get(path).await, 404, 40403);
    // And for people.
    let contract = admin.get("/v1/contracts").await.expect(200)["data"][0].clone();
    assert_eq!(contract["spec"], json!({"subject": "p"}));
    assert_eq!(contract["metadata"]["resource_name"], "contract=p");
    assert_eq!(contract["status"]["owner"], "cards");
    assert_eq!(contract["status"]["versions"], json!([1, 2, 3]));
    assert_eq!(contract["status"]["compatibility"], "BACKWARD");
    assert_eq!(contract["status"]["latest"]["schema_id"], three["id"]);
    let path = format!("/v1/contracts/{}", contract["id"].as_str().expect("an id"));
    assert_eq!(admin.get(&path).await.expect(200), contract);
    let version = admin.get(&format!("{path}/versions/3")).await.expect(200);
    assert_eq!(
        (&version["schema"], &version["schema_id"]),
        (&three["schema"], &three["id"])
    );
    assert_eq!(
        (&version["tags"], &version["rule_set"]),
        (&three["metadata"]["tags"], &rules)
    );
    for none in ["4", "0", "latest", "99999999999"] {
        admin.get(&format!("{path}/versions/{none}")).await.expect(404);
    }
}

#[tokio::test]
async fn contracts_are_found_by_what_they_say_but_not_by_secrets() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _ids) = bench.tenant("TENANT_ADMIN").await;
    let metadata = json!({"tags": {"Payment.id": ["PII"]}, "sensitive": ["token"],
        "properties": {"owner": "Cards", "token": "hush"}});
    let body = json!({"schema": record(&["id"]), "metadata": metadata});
    admin
        .post("/registry/subjects/payments-value/versions", &body)
        .await
        .expect(200);
    register(&admin, "other", "\"int\"").await;
    register(&stranger, "payments-value", &record(&["id"])).await;
    for (q, found) in [
        ("PAYMENTS", 1),
        ("cards", 1),
        ("pii", 1),
        ("%22name%22", 1),
        ("value", 1),
        ("int", 1),
        ("hush", 0),
        ("%25", 0),
        ("", 2),
    ] {
        let list = admin.get(&format!("/v1/contracts?q={q}")).await.expect(200);
        assert_eq!(list["data"].as_array().map(Vec::len), Some(found), "{q}: {list}");
    }
    let long = format!("/v1/contracts?q={}", "x".repeat(201));
    admin.get(&long).await.expect(400);
}

#[tokio::test]
async fn a_tenant_has_as_much_as_it_may() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let operator = bench.operator().await.with("Weir-Tenant", ids.tenant.to_string());
    register(&admin, "p", "\"int\"").await;
    for (quota, subject, schema) in [
        ("contracts", "other", "\"int\""),
        ("contract_versions", "p", "\"long\""),
        ("contract_bytes", "p", "\"long\""),
    ] {
        let path = format!("/v1/service-quotas/{quota}");
        operator.send("PUT", &path, r#"{"limit": 1}"#).await.expect(200);
        let body = json!({"schema": schema});
        let path = format!("/registry/subjects/{subject}/versions");
        let refusal = admin.post(&path, &body).await;
        assert!(refused(refusal, 402, 402).contains(quota));
        let path = format!("/v1/service-quotas/{quota}");
        operator.delete(&path).await.expect(204);
    }
    register(&admin, "p", "\"long\"").await;
}
