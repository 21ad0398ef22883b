//! Contexts are environments; a key of a cluster lives in that cluster's.

use serde_json::json;

use super::{key, record, refused, register};
use crate::harness::Bench;
use crate::streams;

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn a_key_of_a_cluster_speaks_of_its_environment() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let app = key(&bench, &admin, "DEVELOPER", "*", Some(&made.cluster)).await;
    let contexts = admin.get("/registry/contexts").await.expect(200);
    assert_eq!(contexts, json!([".", ".prod"]));
    let id = register(&app, "payments-value", &record(&["id"])).await;
    assert_eq!(
        app.get("/registry/subjects").await.expect(200),
        json!(["payments-value"])
    );
    let subjects = admin.get("/registry/subjects").await.expect(200);
    assert_eq!(subjects, json!([":.prod:payments-value"]));
    // The same subject by its full name, and by a URL that names the context.
    let named = "/registry/subjects/:.prod:payments-value/versions/1";
    assert_eq!(
        admin.get(named).await.expect(200)["subject"],
        ":.prod:payments-value"
    );
    let below = "/registry/contexts/.prod/subjects/payments-value/versions/1";
    assert_eq!(admin.get(below).await.expect(200)["subject"], "payments-value");
    assert_eq!(
        app.get("/registry/subjects/payments-value/versions/1")
            .await
            .expect(200)["id"],
        id
    );
    // The tenant's own context is another, with its own ids.
    refused(
        admin.get("/registry/subjects/payments-value/versions/1").await,
        404,
        40401,
    );
    let own = register(&admin, "payments-value", &record(&["id"])).await;
    assert_ne!(own, id);
    let subject = app.get("/registry/subjects/:.:payments-value/versions/1").await;
    assert_eq!(subject.expect(200)["subject"], ":.:payments-value");
    // Ids are found wherever they are.
    for caller in [&app, &admin] {
        for id in [id, own] {
            caller
                .get(&format!("/registry/schemas/ids/{id}"))
                .await
                .expect(200);
        }
    }
    // The context's configuration is its own.
    app.send("PUT", "/registry/config", r#"{"compatibility": "NONE"}"#)
        .await
        .expect(200);
    assert_eq!(
        app.get("/registry/config").await.expect(200)["compatibilityLevel"],
        "NONE"
    );
    assert_eq!(
        admin.get("/registry/config").await.expect(200)["compatibilityLevel"],
        "BACKWARD"
    );
    let named = admin.get("/registry/config/:.prod:").await.expect(200);
    assert_eq!(named["compatibilityLevel"], "NONE");
    // A context is an environment, or it is none.
    let schema = json!({"schema": "\"int\""});
    refused(
        admin
            .post("/registry/subjects/:.nowhere:a/versions", &schema)
            .await,
        422,
        42208,
    );
    refused(
        admin.get("/registry/subjects/:.nowhere:a/versions").await,
        404,
        40401,
    );
    refused(
        admin.get("/registry/contexts/.nowhere/subjects").await,
        404,
        40401,
    );
    assert_eq!(
        admin
            .get("/registry/subjects?subjectPrefix=:.nowhere:")
            .await
            .expect(200),
        json!([])
    );
    let contract = admin
        .get(&format!("/v1/contracts?environment={}", made.environment))
        .await
        .expect(200);
    let contract = &contract["data"][0];
    assert_eq!(
        contract["spec"],
        json!({"environment": made.environment, "subject": "payments-value"})
    );
    assert_eq!(
        contract["metadata"]["resource_name"],
        "environment=prod/contract=payments-value"
    );
    // And the environment stays as long as it has contracts.
    let environment = json!({"spec": {"name": "test"}});
    let environment = streams::id(&admin.post("/v1/environments", &environment).await.expect(201));
    register(&admin, ":.test:a", "\"int\"").await;
    let path = format!("/v1/environments/{environment}");
    admin.delete(&path).await.expect_problem(409, "in_use");
    admin.delete("/registry/subjects/:.test:a").await.expect(200);
    admin
        .delete("/registry/subjects/:.test:a?permanent=true")
        .await
        .expect(200);
    admin.delete(&path).await.expect(204);
}

#[tokio::test]
async fn roles_decide_what_a_key_may() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let only = "environment=prod/contract=payments*";
    let app = key(&bench, &admin, "DEVELOPER", only, Some(&made.cluster)).await;
    let reader = key(&bench, &admin, "READER", "*", Some(&made.cluster)).await;
    register(&app, "payments-value", "\"int\"").await;
    let schema = json!({"schema": "\"int\""});
    let other = "/registry/subjects/orders-value/versions";
    refused(app.post(other, &schema).await, 403, 40301);
    refused(
        app.send("PUT", "/registry/config", r#"{"compatibility": "NONE"}"#)
            .await,
        403,
        40301,
    );
    refused(
        app.send("PUT", "/registry/mode/:.:", r#"{"mode": "READONLY"}"#)
            .await,
        403,
        40301,
    );
    app.send(
        "PUT",
        "/registry/config/payments-value",
        r#"{"compatibility": "NONE"}"#,
    )
    .await
    .expect(200);
    reader
        .get("/registry/subjects/payments-value/versions/1")
        .await
        .expect(200);
    reader
        .post("/registry/subjects/payments-value", &schema)
        .await
        .expect(200);
    let versions = "/registry/subjects/payments-value/versions";
    refused(reader.post(versions, &schema).await, 403, 40301);
    refused(
        reader.delete("/registry/subjects/payments-value").await,
        403,
        40301,
    );
    // A reader who asks whether a schema would fit changes nothing.
    let path = "/registry/compatibility/subjects/payments-value/versions";
    reader.post(path, &schema).await.expect(200);
}
