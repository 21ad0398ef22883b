//! A job has the rights of its service account and no more, and nobody makes one do what he may not do himself.

use serde_json::json;

use super::{World, made};
use crate::streams::id;

#[tokio::test]
async fn a_service_account_without_the_roles_is_refused_at_the_topics() {
    let world = World::make().await;
    let weak = made(&world.admin, "/v1/service-accounts", json!({"name": "weak"})).await;
    let spec = world.with("/spec/service_account", json!(weak));
    let problem = world
        .admin
        .post("/v1/jobs", &spec)
        .await
        .expect_problem(422, "invalid");
    let told: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["pointer"], &it["code"]))
        .collect();
    let missing = json!("role_missing");
    assert_eq!(
        told,
        [
            (&json!("/spec/program/source/topic"), &missing),
            (&json!("/spec/program/sinks/0/topic"), &missing),
            (&json!("/spec/program/dead_letter"), &missing)
        ],
        "{problem}"
    );
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("READER on environment=prod/cluster=cards/topic=payments"),
        "{detail}"
    );
    // To read is not to write.
    let reads = json!({"principal": weak, "role": "READER", "resource": "environment=prod/*"});
    made(&world.admin, "/v1/role-bindings", reads).await;
    let problem = world
        .admin
        .post("/v1/jobs", &spec)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "{problem}");
    for topic in ["approved", "dead"] {
        let resource = format!("environment=prod/cluster=cards/topic={topic}");
        let writes = json!({"principal": weak, "role": "DEVELOPER", "resource": resource});
        made(&world.admin, "/v1/role-bindings", writes).await;
    }
    world.admin.post("/v1/jobs", &spec).await.expect(201);
}

#[tokio::test]
async fn a_job_is_no_way_to_an_accounts_greater_rights() {
    let world = World::make().await;
    let binding = json!({"principal": world.account, "role": "TENANT_ADMIN", "resource": "*"});
    made(&world.admin, "/v1/role-bindings", binding).await;
    let developer = world.bench.member(&world.tenant, "DEVELOPER").await;
    developer
        .post("/v1/jobs", &world.spec())
        .await
        .expect_problem(403, "denied");
    let path = format!("/v1/jobs/{}", id(&world.job().await));
    let steps = json!({"spec": {"program": {"steps": []}}});
    developer.patch(&path, &steps).await.expect_problem(403, "denied");
    world.admin.patch(&path, &steps).await.expect(200);
    let back = format!("{path}/rollback");
    developer
        .post(&back, &json!({"version": 1}))
        .await
        .expect_problem(403, "denied");
    // What it does stays: he may stop it and start it.
    for state in ["STOPPED", "RUNNING"] {
        let wish = json!({"spec": {"desired_state": state}});
        developer.patch(&path, &wish).await.expect(200);
    }
    developer
        .post(&format!("{path}/restart"), &json!({}))
        .await
        .expect(200);
    let reader = world.bench.member(&world.tenant, "READER").await;
    reader
        .post(&format!("{path}/restart"), &json!({}))
        .await
        .expect_problem(403, "denied");
    reader.get(&path).await.expect(200);
}
