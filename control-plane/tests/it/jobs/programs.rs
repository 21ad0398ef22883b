//! What is wrong with a job is told where it is wrong.

use serde_json::{Value, json};

use super::{World, made};

#[tokio::test]
async fn bad_wishes_are_refused_where_they_are_bad() {
    let world = World::make().await;
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    let foreign = made(&stranger, "/v1/service-accounts", json!({"name": "foreign"})).await;
    let second = json!({"cluster": world.made.cluster, "name": "second"});
    let second = made(&world.admin, "/v1/topics", second).await;
    for (pointer, value, at, code) in [
        ("/spec/name", json!("Upper"), "/spec/name", "bad_name"),
        (
            "/spec/description",
            json!("x".repeat(1001)),
            "/spec/description",
            "out_of_range",
        ),
        ("/spec/priority", json!(10), "/spec/priority", "out_of_range"),
        (
            "/spec/service_account",
            json!(foreign),
            "/spec/service_account",
            "bad_reference",
        ),
        (
            "/spec/cluster",
            json!("cluster_00000000000000000000000000"),
            "/spec/cluster",
            "bad_reference",
        ),
        (
            "/spec/compute_pool",
            json!("compute_pool_00000000000000000000000000"),
            "/spec/compute_pool",
            "bad_reference",
        ),
        (
            "/spec/scaling",
            json!({"min_workers": 3, "max_workers": 2}),
            "/spec/scaling/min_workers",
            "out_of_range",
        ),
        (
            "/spec/scaling",
            json!({"min_workers": 5, "max_workers": 9}),
            "/spec/scaling/min_workers",
            "out_of_range",
        ),
        (
            "/spec/scaling",
            json!({"max_workers": 201}),
            "/spec/scaling/max_workers",
            "out_of_range",
        ),
        (
            "/spec/auto_suspend",
            json!({"idle_after_seconds": 9}),
            "/spec/auto_suspend/idle_after_seconds",
            "out_of_range",
        ),
        (
            "/spec/program/sinks",
            json!([]),
            "/spec/program/sinks",
            "out_of_range",
        ),
        (
            "/spec/program/sinks/0",
            json!({"topic": world.made.topic}),
            "/spec/program/sinks/0/topic",
            "bad_reference",
        ),
        (
            "/spec/program/sinks/1",
            json!({"topic": second}),
            "/spec/program/sinks/1/name",
            "bad_reference",
        ),
        (
            "/spec/program/dead_letter",
            json!(world.made.topic),
            "/spec/program/dead_letter",
            "bad_reference",
        ),
        (
            "/spec/program/source/topic",
            json!("topic_00000000000000000000000000"),
            "/spec/program/source/topic",
            "bad_reference",
        ),
        (
            "/spec/program/steps/0",
            json!({"filter": {"when": "true"}}),
            "/spec/program/steps/0/filter",
            "unknown_field",
        ),
        (
            "/spec/program/steps/0",
            json!({"filter": {"where": "message.amount >"}}),
            "/spec/program/steps/0/filter/where",
            "bad_expression",
        ),
        (
            "/spec/program/steps/0",
            json!({"route": {"rules": [{"where": "true", "to": "nowhere"}]}}),
            "/spec/program/steps/0/route/rules/0/to",
            "bad_reference",
        ),
        (
            "/spec/program/steps",
            json!(vec![json!({"validate": {}}); 51]),
            "/spec/program/steps",
            "out_of_range",
        ),
        (
            "/spec/program/sinks/1",
            json!({"name": "late", "topic": second}),
            "/spec/program/sinks",
            "bad_program",
        ),
    ] {
        let spec = world.with(pointer, value);
        let problem = world
            .admin
            .post("/v1/jobs", &spec)
            .await
            .expect_problem(422, "invalid");
        let found = problem["errors"].as_array().unwrap();
        let told = found
            .iter()
            .any(|it| it["code"] == code && it["pointer"].as_str().is_some_and(|it| it.starts_with(at)));
        assert!(told, "{pointer}: {at} {code} is not in {problem:#}");
    }
    assert_eq!(world.get("/v1/jobs").await["data"], json!([]));
}

/// A schema that a topic's contract takes tells which fields there are.
#[tokio::test]
async fn steps_are_checked_against_the_sources_schema() {
    let world = World::make().await;
    let schema = json!({"type": "record", "name": "Payment", "fields": [
        {"name": "amount", "type": "long"}, {"name": "card", "type": "string"}]});
    let contract = json!({"spec": {"environment": world.made.environment, "subject": "payments-value",
        "schema": schema.to_string()}});
    world.admin.post("/v1/contracts", &contract).await.expect(201);
    let filter = |text: &str| json!({"filter": {"where": text}});
    let first = |spec: Value| world.with("/spec/program/steps/0", spec);
    // Without a contract of the topic nobody knows what its records hold.
    let spec = first(filter("message.amuont > 100"));
    world.admin.post("/v1/jobs?dry_run=true", &spec).await.expect(200);
    let takes = json!({"spec": {"contract": {"enforcement": "SHADOW"}}});
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.patch(&topic, &takes).await.expect(200);
    let problem = world
        .admin
        .post("/v1/jobs", &spec)
        .await
        .expect_problem(422, "invalid");
    let error = &problem["errors"][0];
    assert_eq!(
        error["pointer"], "/spec/program/steps/0/filter/where",
        "{problem}"
    );
    assert!(error["detail"].as_str().unwrap().contains("amuont"), "{problem}");
    for wrong in [filter("message.amount"), json!({"drop": {"fields": ["cvc"]}})] {
        world
            .admin
            .post("/v1/jobs", &first(wrong))
            .await
            .expect_problem(422, "invalid");
    }
    world
        .admin
        .post("/v1/jobs", &first(filter("message.amount > 100")))
        .await
        .expect(201);
}
