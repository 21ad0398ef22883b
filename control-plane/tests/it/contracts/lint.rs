//! Lint rules: what they are, whom they ask, and what follows through both faces.

use serde_json::{Value, json};

use super::{environment, record, wish};
use crate::harness::{Bench, Caller};
use crate::registry::{key, refused};
use crate::streams::id;

const OWNED: &str = "contract.owner != ''";

fn rule(name: &str, environment: Option<&str>, expression: &str, mode: &str) -> Value {
    json!({"spec": {"display_name": name, "environment": environment, "expression": expression,
        "message": format!("{name}: say whose it is."), "mode": mode}})
}

async fn make(caller: &Caller, rule: &Value) -> String {
    id(&caller.post("/v1/contract-lint-rules", rule).await.expect(201))
}

#[tokio::test]
async fn what_is_enforced_is_refused_through_both_faces_and_named() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _ids) = bench.tenant("TENANT_ADMIN").await;
    let (prod, test) = (
        environment(&admin, "prod").await,
        environment(&admin, "test").await,
    );
    let enforced = make(&admin, &rule("owned", Some(&prod), OWNED, "ENFORCE")).await;
    make(&stranger, &rule("never", None, "false", "ENFORCE")).await;
    let body = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let problem = admin
        .post("/v1/contracts", &body)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "lint_refused");
    assert_eq!(problem["errors"][0]["detail"], "owned: owned: say whose it is.");
    let registry = "/registry/contexts/.prod/subjects/payments-value/versions";
    let schema = json!({"schema": record("Payment", &["id"])});
    let message = refused(admin.post(registry, &schema).await, 422, 42201);
    assert_eq!(
        message,
        "Invalid schema: lint rule \"owned\": owned: say whose it is."
    );
    assert_eq!(admin.get("/v1/contracts").await.expect(200)["data"], json!([]));
    let plan = admin.post("/v1/contracts?dry_run=true", &body).await.expect(200);
    let found =
        json!([{"source": "LINT", "rule": "owned", "message": "owned: say whose it is.", "blocking": true}]);
    assert_eq!((&plan["accepted"], &plan["problems"]), (&json!(false), &found));
    // Another environment, and the tenant's own context, are not asked it.
    let elsewhere = wish(&test, "payments-value", &record("Payment", &["id"]));
    admin.post("/v1/contracts", &elsewhere).await.expect(201);
    admin
        .post("/registry/subjects/payments-value/versions", &schema)
        .await
        .expect(200);
    let mut owned = body.clone();
    owned["spec"]["metadata"] = json!({"properties": {"owner": "cards"}});
    let made = admin.post("/v1/contracts", &owned).await.expect(201);
    // What stands is not asked again; the next version is.
    let strict = json!({"spec": {"expression": "contract.fields.all(f, f.doc != '')"}});
    let path = format!("/v1/contract-lint-rules/{enforced}");
    admin.patch(&path, &strict).await.expect(200);
    admin.post("/v1/contracts", &owned).await.expect(200);
    let versions = format!("/v1/contracts/{}/versions", id(&made));
    let next = json!({"spec": {"schema": record("Payment", &["id", "note"])}});
    admin.post(&versions, &next).await.expect_problem(422, "invalid");
    admin.delete(&path).await.expect(204);
    admin.post(&versions, &next).await.expect(201);
}

#[tokio::test]
async fn what_is_audited_passes_is_shown_and_is_told_once() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let audited = make(&admin, &rule("owned", None, OWNED, "AUDIT")).await;
    make(
        &admin,
        &rule("team", Some(&prod), "contract.properties.team == 'x'", "AUDIT"),
    )
    .await;
    let body = wish(&prod, "payments-value", &record("Payment", &["id"]));
    let plan = admin.post("/v1/contracts?dry_run=true", &body).await.expect(200);
    assert_eq!(plan["accepted"], true);
    let rules: Vec<_> = plan["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|it| (&it["rule"], &it["blocking"]))
        .collect();
    assert_eq!(
        rules,
        [(&json!("owned"), &json!(false)), (&json!("team"), &json!(false))]
    );
    let made = admin.post("/v1/contracts", &body).await.expect(201);
    let version = format!("/v1/contracts/{}/versions/1", id(&made));
    let shown = admin.get(&version).await.expect(200);
    let findings = shown["findings"].as_array().expect("findings");
    assert_eq!(
        (findings.len(), &findings[0]["rule"], &findings[0]["rule_id"]),
        (2, &json!("owned"), &json!(audited))
    );
    let told = findings[1]["message"].as_str().expect("text");
    assert!(
        told.ends_with("(The rule has no answer: there is no `team` (line 1, column 21).)"),
        "{told}"
    );
    let schema = json!({"schema": record("Payment", &["id"])});
    let registry = "/registry/contexts/.prod/subjects/payments-value/versions";
    admin.post(registry, &schema).await.expect(200);
    admin.post("/v1/contracts", &body).await.expect(200);
    let next = json!({"schema": record("Payment", &["id", "note"])});
    admin.post(registry, &next).await.expect(200);
    let mut owner = bench.database.owner().await;
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE action = 'lint_findings'")
        .fetch_one(&mut owner)
        .await
        .expect("a count");
    assert_eq!(told, 2, "one for each version");
    // What was said stays, whatever becomes of the rule; a version without findings says none.
    admin
        .delete(&format!("/v1/contract-lint-rules/{audited}"))
        .await
        .expect(204);
    assert_eq!(
        admin.get(&version).await.expect(200)["findings"],
        shown["findings"]
    );
}

#[tokio::test]
async fn a_rule_is_checked_before_it_holds_for_anybody() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let path = "/v1/contract-lint-rules";
    for (expression, part) in [
        ("contract.ownr != ''", "(line 1, column 10)"),
        ("contract.owner", "must be a bool"),
        (
            "contract.fields.all(f, contract.fields.all(g, g.path != f.path + 'x'))",
            "1000 fields",
        ),
    ] {
        let problem = admin
            .post(path, &rule("a", None, expression, "AUDIT"))
            .await
            .expect_problem(422, "invalid");
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!("/spec/expression"), &json!("bad_expression"))
        );
        assert!(
            error["detail"].as_str().expect("text").contains(part),
            "{expression}: {error:#}"
        );
    }
    for wrong in [
        rule("", None, "true", "AUDIT"),
        rule("a", None, "", "AUDIT"),
        rule("a", None, "true", "MAYBE"),
    ] {
        admin.post(path, &wrong).await.expect_problem(422, "invalid");
    }
    let made = make(&admin, &rule("a", Some(&prod), OWNED, "AUDIT")).await;
    admin
        .post(path, &rule("a", None, OWNED, "AUDIT"))
        .await
        .expect_problem(409, "name_taken");
    let list = admin.get(&format!("{path}?environment={prod}")).await.expect(200);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    let one = format!("{path}/{made}");
    let wrong = json!({"spec": {"expression": "contract.owner !="}});
    admin.patch(&one, &wrong).await.expect_problem(422, "invalid");
    let moved = json!({"spec": {"environment": null}});
    let problem = admin.patch(&one, &moved).await.expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "immutable");
    admin
        .delete(&format!("/v1/environments/{prod}"))
        .await
        .expect_problem(409, "in_use");
}

#[tokio::test]
async fn a_rule_for_all_takes_the_role_on_all() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let prod = environment(&admin, "prod").await;
    let path = "/v1/contract-lint-rules";
    let made = make(&admin, &rule("a", Some(&prod), OWNED, "AUDIT")).await;
    let one = format!("{path}/{made}");
    let cards = key(
        &bench,
        &admin,
        "DEVELOPER",
        "environment=prod/contract=cards*",
        None,
    )
    .await;
    let stage = key(&bench, &admin, "DEVELOPER", "environment=prod*", None).await;
    for caller in [&cards, &stage] {
        caller
            .post(path, &rule("b", None, OWNED, "AUDIT"))
            .await
            .expect_problem(403, "denied");
    }
    cards
        .post(path, &rule("b", Some(&prod), OWNED, "AUDIT"))
        .await
        .expect_problem(403, "denied");
    cards.delete(&one).await.expect_problem(403, "denied");
    stage
        .post(path, &rule("b", Some(&prod), OWNED, "AUDIT"))
        .await
        .expect(201);
}
