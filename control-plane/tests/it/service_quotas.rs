//! Service quotas: what a tenant may have, and who may change that.

use serde_json::{Value, json};

use crate::harness::Bench;
use crate::streams;

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let all = list["data"].as_array().expect("quotas");
    all.iter().find(|it| it["name"] == name).expect("the quota")
}

#[tokio::test]
async fn an_operator_raises_what_a_tenant_may_have_and_gives_it_back() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let operator = bench.operator().await.with("Weir-Tenant", ids.tenant.to_string());
    let path = "/v1/service-quotas/topics";
    let before = admin.get("/v1/service-quotas").await.expect(200);
    assert_eq!(named(&before, "topics")["limit"], 5_000);

    // As many as there are: nothing more can be made, and the answer says who helps.
    let used = named(&before, "topics")["used"].as_i64().expect("a count");
    let set = operator
        .send("PUT", path, json!({"limit": used}).to_string())
        .await
        .expect(200);
    assert_eq!(
        set,
        json!({"name": "topics", "limit": used, "default_limit": 5_000, "used": used})
    );
    let topic = json!({"spec": {"cluster": made.cluster, "name": "more", "partitions": 1}});
    let refused = admin
        .post("/v1/topics", &topic)
        .await
        .expect_problem(402, "over_quota");
    let detail = refused["detail"].as_str().expect("a sentence");
    assert!(detail.contains("ask an operator"), "{detail}");

    // A plan changes nothing; raised by one, one more can be made.
    let raised = json!({"limit": used + 1}).to_string();
    let planned = format!("{path}?dry_run=true");
    let plan = operator.send("PUT", &planned, raised.clone()).await.expect(200);
    assert_eq!(plan["changes"][0]["after"]["limit"], used + 1);
    admin
        .post("/v1/topics", &topic)
        .await
        .expect_problem(402, "over_quota");
    operator.send("PUT", path, raised).await.expect(200);
    admin.post("/v1/topics", &topic).await.expect(201);

    // The tenant sees in its record who decided.
    let record = admin.get("/v1/audit-events?page_size=1000").await.expect(200);
    let seen = record["data"].as_array().expect("events");
    let decided = seen
        .iter()
        .filter(|it| it["action"] == "set_service_quota")
        .count();
    assert_eq!(decided, 2, "{record:#}");

    operator.delete(path).await.expect(204);
    let after = admin.get("/v1/service-quotas").await.expect(200);
    assert_eq!(named(&after, "topics")["limit"], 5_000);
}

#[tokio::test]
async fn nobody_else_raises_it_and_not_beyond_bounds() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let path = "/v1/service-quotas/topics";
    let body = json!({"limit": 6_000}).to_string();
    let owner = bench.member(&ids, "ORGANIZATION_ADMIN").await;
    let owner = owner.with("Weir-Tenant", ids.tenant.to_string());
    for caller in [&admin, &owner] {
        let refused = caller.send("PUT", path, body.clone()).await;
        refused.expect_problem(403, "denied");
        caller.delete(path).await.expect_problem(403, "denied");
    }
    let operator = bench.operator().await;
    let aimless = operator.send("PUT", path, body.clone()).await;
    aimless.expect_problem(403, "tenant_required");
    let operator = operator.with("Weir-Tenant", ids.tenant.to_string());
    let unknown = operator.send("PUT", "/v1/service-quotas/wishes", body).await;
    unknown.expect_problem(404, "not_found");
    for limit in [-1, 500_001] {
        let body = json!({"limit": limit}).to_string();
        let refused = operator
            .send("PUT", path, body)
            .await
            .expect_problem(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/limit");
    }
}
