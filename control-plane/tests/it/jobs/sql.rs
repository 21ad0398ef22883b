//! Jobs in SQL: what is refused and where, what a new version keeps, and what the agent is told.

use serde_json::{Value, json};

use super::{World, made};
use crate::streams::id;

/// A statement over one source and one sink.
fn spec(world: &World) -> Value {
    json!({"spec": {"cluster": world.made.cluster, "name": "busy", "compute_pool": world.pool,
        "service_account": world.account, "program": {"kind": "SQL",
            "statement": "SELECT card, COUNT(*) AS cnt FROM paid GROUP BY card",
            "sources": [{"name": "paid", "topic": world.made.topic, "columns": [{"name": "card", "type": "STRING"}]}],
            "sinks": [{"name": "busy", "topic": world.out, "key": ["card"], "mode": "UPSERT",
                "columns": [{"name": "card", "type": "STRING"}, {"name": "cnt", "type": "BIGINT"}]}]}}})
}

fn with(world: &World, pointer: &str, value: Value) -> Value {
    let mut spec = spec(world);
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match spec.pointer_mut(parent).expect("a parent") {
        Value::Array(items) => items[name.parse::<usize>().expect("a number")] = value,
        parent => parent[name] = value,
    }
    spec
}

/// Field, value, where it is told, and how.
type Wrong = (&'static str, Value, &'static str, &'static str);

async fn refused(world: &World, wrong: Vec<Wrong>) {
    for (field, value, at, code) in wrong {
        let wish = with(world, &format!("/spec/program/{field}"), value.clone());
        let answer = world.admin.post("/v1/jobs", &wish).await;
        assert_eq!(answer.status, 422, "{field} = {value}");
        let problem = answer.expect_problem(422, "invalid");
        let pointer = format!("/spec/program/{at}");
        let found = problem["errors"].as_array().expect("errors");
        assert!(
            found
                .iter()
                .any(|it| it["pointer"] == *pointer && it["code"] == code),
            "{field} = {value}: no {code} at {pointer} in {problem:#}"
        );
    }
    assert_eq!(world.get("/v1/jobs").await["data"], json!([]));
}

#[tokio::test]
async fn a_bad_statement_is_refused() {
    let world = World::make().await;
    let wrong = [
        ("SELECT 'card FROM paid", "bad_program"),
        ("SELECT card FROM elsewhere", "bad_reference"),
        ("DROP TABLE paid", "bad_program"),
        ("ADD JAR '/tmp/x.jar'", "bad_program"),
        (
            "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem'); SELECT card FROM paid",
            "bad_program",
        ),
        (
            "SELECT card FROM paid /*+ OPTIONS('properties.bootstrap.servers' = 'elsewhere:9092') */",
            "bad_program",
        ),
        (&"x".repeat(65_537), "out_of_range"),
    ];
    let wrong = wrong.map(|(text, code)| ("statement", json!(text), "statement", code));
    refused(&world, wrong.into()).await;
    let statement = json!("SELECT card\nFROM elsewhere");
    let wish = with(&world, "/spec/program/statement", statement);
    let problem = world
        .admin
        .post("/v1/jobs", &wish)
        .await
        .expect_problem(422, "invalid");
    let detail = problem["errors"][0]["detail"].as_str().expect("a sentence");
    assert!(detail.contains("line 2"), "the place is told: {detail}");
}

#[tokio::test]
async fn a_bad_table_is_refused_where_it_is_bad() {
    let world = World::make().await;
    let column = |kind: &str| json!([{"name": "card", "type": kind}]);
    let wrong = vec![
        ("sources", json!([]), "sources", "out_of_range"),
        ("sources/0/name", json!("a b"), "sources/0/name", "bad_name"),
        (
            "sources/0/columns",
            column("TEXTUAL"),
            "sources/0/columns/0/type",
            "bad_program",
        ),
        ("sources/0/columns", json!([]), "sources/0", "bad_program"),
        (
            "sources/0/event_time",
            json!({"column": "card"}),
            "sources/0",
            "bad_program",
        ),
        (
            "sources/0/event_time",
            json!({"delay_ms": -1}),
            "sources/0/event_time/delay_ms",
            "out_of_range",
        ),
        ("sinks/0/name", json!("paid"), "sinks/0/name", "bad_reference"),
        (
            "sinks/0/topic",
            json!(world.made.topic),
            "sinks/0/topic",
            "bad_reference",
        ),
        ("sinks/0/key", json!([]), "sinks/0/key", "required"),
        ("sinks/0/key", json!(["pan"]), "sinks/0", "bad_program"),
    ];
    refused(&world, wrong).await;
}

/// Flink has a unit for itself, and two subtasks share one.
#[tokio::test]
async fn a_pool_has_room_for_flink_too() {
    let world = World::make().await;
    let small = json!({"data_plane": world.made.data_plane, "name": "small", "max_units": 1});
    let small = made(&world.admin, "/v1/compute-pools", small).await;
    let wish = with(&world, "/spec/compute_pool", json!(small));
    let problem = world
        .admin
        .post("/v1/jobs", &wish)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        problem["errors"][0]["pointer"], "/spec/scaling/min_workers",
        "{problem}"
    );
    let mut wide = spec(&world);
    wide["spec"]["scaling"] = json!({"min_workers": 7, "max_workers": 7});
    world
        .admin
        .post("/v1/jobs", &wide)
        .await
        .expect_problem(422, "invalid");
    wide["spec"]["scaling"] = json!({"min_workers": 6, "max_workers": 6});
    world.admin.post("/v1/jobs", &wide).await.expect(201);
}

#[tokio::test]
async fn an_account_without_the_right_to_a_sink_has_no_job() {
    let world = World::make().await;
    let reader = made(&world.admin, "/v1/service-accounts", json!({"name": "reader"})).await;
    let binding =
        json!({"principal": reader, "role": "READER", "resource": "environment=prod/cluster=cards/*"});
    made(&world.admin, "/v1/role-bindings", binding).await;
    let wish = with(&world, "/spec/service_account", json!(reader));
    let problem = world
        .admin
        .post("/v1/jobs", &wish)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        problem["errors"][0]["pointer"], "/spec/program/sinks/0/topic",
        "{problem}"
    );
}

/// A version keeps what the one before remembered, unless it says otherwise; a program of another kind never does.
#[tokio::test]
async fn versions_say_what_they_keep() {
    let world = World::make().await;
    let job = id(&world.admin.post("/v1/jobs", &spec(&world)).await.expect(201));
    let path = format!("/v1/jobs/{job}");
    let change = |program: Value| json!({"spec": {"program": program}});
    let other = "SELECT card, COUNT(*) AS cnt FROM paid WHERE card <> '' GROUP BY card";
    world
        .admin
        .patch(&path, &change(json!({"statement": other})))
        .await
        .expect(200);
    world
        .admin
        .patch(
            &path,
            &change(
                json!({"statement": "SELECT card, SUM(1) AS cnt FROM paid GROUP BY card", "state": "FORGET"}),
            ),
        )
        .await
        .expect(200);
    let versions = world.get(&format!("{path}/versions")).await;
    let told: Vec<(i64, bool, &str)> = versions["data"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|it| {
            (
                it["version"].as_i64().expect("a number"),
                it["keeps_state"].as_bool().expect("yes or no"),
                it["program"]["kind"].as_str().expect("a kind"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [(3, false, "SQL"), (2, true, "SQL"), (1, false, "SQL")],
        "{versions:#}"
    );
}

/// What a contract promises are the columns, where the job says none.
#[tokio::test]
async fn columns_come_from_the_contract() {
    let world = World::make().await;
    let schema =
        json!({"type": "object", "properties": {"card": {"type": "string"}, "amount": {"type": "integer"}}});
    let contract = json!({"spec": {"environment": world.made.environment, "subject": "payments-value", "schema_type": "JSON",
        "schema": schema.to_string()}});
    world.admin.post("/v1/contracts", &contract).await.expect(201);
    let topic = format!("/v1/topics/{}", world.made.topic);
    let framed = json!({"spec": {"contract": {"enforcement": "SHADOW"}}});
    world.admin.patch(&topic, &framed).await.expect(200);
    let from_contract = with(&world, "/spec/program/sources/0/columns", json!([]));
    let problem = world
        .admin
        .post("/v1/jobs", &from_contract)
        .await
        .expect_problem(422, "invalid");
    let detail = problem["errors"][0]["detail"].as_str().expect("a sentence");
    assert!(detail.contains("frame"), "records with a frame: {problem:#}");
    let plain = json!({"spec": {"contract": {"value": {"unframed": "JSON"}}}});
    world.admin.patch(&topic, &plain).await.expect(200);
    world
        .admin
        .post("/v1/jobs?dry_run=true", &from_contract)
        .await
        .expect(200);
    let by_card = with(
        &world,
        "/spec/program/sources/0",
        json!({"name": "paid", "topic": world.made.topic, "event_time": {"column": "amount"}}),
    );
    world.admin.post("/v1/jobs", &by_card).await.expect(201);
}
