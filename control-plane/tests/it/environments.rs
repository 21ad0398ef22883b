//! Environments, and with them what every room shares: envelope, pages, ETags, idempotency, plans, problems.

use serde_json::json;

use crate::harness::Bench;

#[tokio::test]
async fn an_environment_lives_through_the_api() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let made = admin
        .post(
            "/v1/environments",
            &json!({"spec": {"name": "prod"}, "metadata": {"labels": {"tier": "1"}}}),
        )
        .await
        .expect(201);
    assert_eq!(made["kind"], "Environment");
    assert_eq!(made["metadata"]["resource_name"], "environment=prod");
    assert_eq!(made["metadata"]["labels"]["tier"], "1");
    assert_eq!(made["status"]["phase"], "READY");
    let path = format!("/v1/environments/{}", made["id"].as_str().unwrap());
    let read = admin.get(&path).await;
    assert_eq!(read.headers["etag"], "\"1\"");
    assert_eq!(read.expect(200), made);

    let changed = admin
        .patch(&path, &json!({"spec": {"description": "Live"}}))
        .await
        .expect(200);
    assert_eq!(changed["metadata"]["generation"], 2);
    assert_eq!(changed["spec"], json!({"name": "prod", "description": "Live"}));
    let stale = admin.clone().with("If-Match", "\"1\"");
    stale
        .patch(&path, &json!({"spec": {"description": "Lost"}}))
        .await
        .expect_problem(412, "moved");
    stale.delete(&path).await.expect_problem(412, "moved");
    let problem = admin
        .patch(&path, &json!({"spec": {"name": "other"}}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/spec/name");
    assert_eq!(problem["errors"][0]["code"], "immutable");

    assert_eq!(admin.delete(&path).await.expect(204), json!(null));
    admin.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_list_goes_page_by_page_in_a_stable_order() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    for name in ["a", "b", "c"] {
        admin
            .post("/v1/environments", &json!({"spec": {"name": name}}))
            .await
            .expect(201);
    }
    let first = admin.get("/v1/environments?page_size=2").await.expect(200);
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let token = first["metadata"]["next_page_token"].as_str().unwrap();
    let second = admin
        .get(&format!("/v1/environments?page_size=2&page_token={token}"))
        .await
        .expect(200);
    assert_eq!(second["data"][0]["spec"]["name"], "c");
    assert!(second["metadata"].get("next_page_token").is_none());
    admin
        .get("/v1/environments?page_size=0")
        .await
        .expect_problem(422, "invalid");
    admin
        .get("/v1/environments?page_size=1001")
        .await
        .expect_problem(422, "invalid");
    admin
        .get("/v1/environments?page_size=x")
        .await
        .expect_problem(400, "malformed_query");
    admin
        .get("/v1/environments?page_token=x")
        .await
        .expect_problem(422, "invalid");
}

#[tokio::test]
async fn a_repeated_key_replays_and_a_reused_one_is_refused() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let keyed = admin.clone().with("Idempotency-Key", "once");
    let first = keyed
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201);
    let again = keyed
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201);
    assert_eq!(first, again);
    let other = keyed
        .post("/v1/environments", &json!({"spec": {"name": "test"}}))
        .await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(
        admin.get("/v1/environments").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_plan_shows_the_change_and_makes_none() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let plan = admin
        .post(
            "/v1/environments?dry_run=true",
            &json!({"spec": {"name": "prod"}}),
        )
        .await
        .expect(200);
    assert_eq!(plan["kind"], "Plan");
    assert_eq!(plan["changes"][0]["action"], "create");
    assert_eq!(plan["changes"][0]["after"]["spec"]["name"], "prod");
    assert_eq!(admin.get("/v1/environments").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn bad_input_is_named_precisely_and_changes_nothing() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    admin
        .send("POST", "/v1/environments", "{")
        .await
        .expect_problem(400, "malformed_json");
    admin.send("POST", "/v1/environments", "{} {}").await.expect(422);
    let problem = admin
        .post("/v1/environments", &json!({"spec": {"name": "a", "nmae": 1}}))
        .await;
    let problem = problem.expect_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/spec/nmae"), &json!("unknown_field"))
    );
    let problem = admin
        .post("/v1/environments", &json!({"spec": {"name": 1}}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/spec/name"), &json!("wrong_type"))
    );
    for name in ["", "A", "a/b", "../a", &"a".repeat(64)] {
        let problem = admin
            .post("/v1/environments", &json!({"spec": {"name": name}}))
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "bad_name");
    }
    admin
        .post("/v1/environments", &json!({"spec": {"name": "a"}}))
        .await
        .expect(201);
    admin
        .post("/v1/environments", &json!({"spec": {"name": "a"}}))
        .await
        .expect_problem(409, "name_taken");
    admin.get("/v1/nothing").await.expect_problem(404, "not_found");
    let reply = admin.send("PUT", "/v1/environments", "").await;
    assert!(reply.headers.contains_key("allow"));
    reply.expect_problem(405, "method_not_allowed");
    admin
        .send("POST", "/v1/environments", vec![b' '; 2 * 1024 * 1024])
        .await
        .expect_problem(413, "body_too_large");
    bench
        .nobody()
        .get("/v1/environments")
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(
        admin.get("/v1/environments").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn another_tenant_sees_nothing_and_a_reader_changes_nothing() {
    let bench = Bench::start().await;
    let (owner, tenant) = bench.tenant("DEVELOPER").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let reader = bench.member(&tenant, "READER").await;
    let made = owner
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201);
    let path = format!("/v1/environments/{}", made["id"].as_str().unwrap());
    stranger.get(&path).await.expect_problem(404, "not_found");
    stranger
        .patch(&path, &json!({"spec": {"description": "x"}}))
        .await
        .expect_problem(404, "not_found");
    stranger.delete(&path).await.expect_problem(404, "not_found");
    assert_eq!(
        stranger.get("/v1/environments").await.expect(200)["data"],
        json!([])
    );
    assert_eq!(reader.get(&path).await.expect(200)["spec"]["name"], "prod");
    reader
        .patch(&path, &json!({"spec": {"description": "x"}}))
        .await
        .expect_problem(403, "denied");
    reader.delete(&path).await.expect_problem(403, "denied");
    assert_eq!(owner.get(&path).await.expect(200), made);
}
