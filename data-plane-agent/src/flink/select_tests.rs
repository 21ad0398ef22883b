//! Questions at a Flink that is pretended.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use serde_json::json;

use super::super::rest::tests::endpoint;
use super::super::sql_gateway::SqlGateway;
use super::*;

/// What such a Flink has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) statements: Vec<String>,
    pub(crate) sessions: i32,
    /// How its job is, if there was a query.
    pub(crate) run: Option<&'static str>,
    pub(crate) cancels: u32,
    pub(crate) slots_free: u32,
    /// How a tenant's job is.
    pub(crate) neighbour: &'static str,
}

type Shared = Arc<Mutex<Seen>>;
type Said = (StatusCode, Json<Value>);

/// A Flink that answers queries by their words: `slow` never, `huge` with large rows, `endless` with rows upon rows, `broken` while it
/// runs, `wrong` not at all, others with two rows on two pages.
pub(crate) async fn flink(slots_free: u32, neighbour: &'static str) -> (Clients, Shared) {
    let seen = Shared::default();
    {
        let mut seen = seen.lock().unwrap();
        (seen.slots_free, seen.neighbour) = (slots_free, neighbour);
    }
    let routes = Router::new()
        .route("/overview", get(overview))
        .route("/jobs/overview", get(jobs))
        .route("/jobs/{id}", patch(cancel))
        .route("/jobs/{id}/exceptions", get(exceptions))
        .route("/v1/sessions", post(open))
        .route("/v1/sessions/{session}", delete(close))
        .route("/v1/sessions/{session}/statements", post(begin))
        .route("/v1/sessions/s-1/operations/{operation}/status", get(status))
        .route(
            "/v1/sessions/s-1/operations/{operation}/close",
            delete(|| async { "{}" }),
        )
        .route(
            "/v1/sessions/s-1/operations/{operation}/result/{number}",
            get(result),
        )
        .with_state(Arc::clone(&seen));
    let rest = endpoint(routes).await;
    let clients = Clients {
        job_manager: JobManager::new(rest.clone()),
        gateway: SqlGateway::new(rest),
    };
    (clients, seen)
}

async fn overview(State(seen): State<Shared>) -> Json<Value> {
    let free = seen.lock().unwrap().slots_free;
    Json(json!({"taskmanagers": 1, "slots-total": 2, "slots-available": free}))
}

async fn jobs(State(seen): State<Shared>) -> Json<Value> {
    let seen = seen.lock().unwrap();
    let mut jobs = vec![json!({"jid": "a1", "name": "job_1-3", "state": seen.neighbour, "start-time": 1})];
    if let Some(run) = seen.run {
        jobs.push(
            json!({"jid": "b2", "name": seen.properties["pipeline.name"], "state": run, "start-time": 2}),
        );
    }
    Json(json!({"jobs": jobs}))
}

async fn cancel(State(seen): State<Shared>, Path(id): Path<String>) -> StatusCode {
    assert_eq!(id, "b2", "nobody else's job");
    let mut seen = seen.lock().unwrap();
    seen.cancels += 1;
    seen.run = Some("CANCELED");
    StatusCode::ACCEPTED
}

async fn exceptions() -> Json<Value> {
    let stack =
        "org.x.Outer: a\n\tat y\nCaused by: org.apache.kafka.common.errors.TopicAuthorizationException: no";
    Json(json!({"exceptionHistory": {"entries": [{"stacktrace": stack, "exceptionName": "org.x.Outer"}]}}))
}

async fn open(State(seen): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let mut seen = seen.lock().unwrap();
    seen.properties = serde_json::from_value(body["properties"].clone()).unwrap();
    seen.sessions += 1;
    Json(json!({"sessionHandle": "s-1"}))
}

async fn close(State(seen): State<Shared>) -> &'static str {
    seen.lock().unwrap().sessions -= 1;
    "{}"
}

async fn begin(State(seen): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let statement = body["statement"].as_str().unwrap().to_owned();
    let words = ["slow", "huge", "endless", "broken", "wrong", "CREATE"];
    let operation = words
        .into_iter()
        .find(|it| statement.contains(it))
        .unwrap_or("rows");
    let mut seen = seen.lock().unwrap();
    seen.statements.push(statement);
    seen.run = match operation {
        "CREATE" | "wrong" => seen.run,
        "rows" => Some("FINISHED"),
        "broken" => Some("FAILED"),
        _goes_on => Some("RUNNING"),
    };
    Json(json!({"operationHandle": operation}))
}

async fn status(Path(operation): Path<String>) -> Json<Value> {
    Json(json!({"status": if operation == "wrong" { "ERROR" } else { "FINISHED" }}))
}

async fn result(Path((operation, number)): Path<(String, u64)>) -> Said {
    let fails = |text: &str| {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({"errors": [format!("Outer\nCaused by: {text}\n\tat z")]})),
        )
    };
    let columns = json!([{"name": "card", "logicalType": {"type": "VARCHAR", "nullable": true}},
        {"name": "n", "logicalType": {"type": "BIGINT"}}]);
    let page = |kind: &str, rows: Vec<Value>, next: u64| {
        let data: Vec<Value> = rows
            .into_iter()
            .map(|it| json!({"kind": "INSERT", "fields": it}))
            .collect();
        let mut page = json!({"resultType": kind, "results": {"columns": columns, "data": data}});
        if kind != "EOS" {
            page["nextResultUri"] =
                format!("/v1/sessions/x/operations/y/result/{next}?rowFormat=JSON").into();
        }
        (StatusCode::OK, Json(page))
    };
    match (operation.as_str(), number) {
        ("wrong", _any) => fails("org.x.Calcite: Column 'nothing' not found; very-secret"),
        ("broken", _any) => fails("org.x.TopicAuthorizationException: not yours"),
        ("slow", _any) => page("NOT_READY", Vec::new(), number),
        ("huge", _any) => page("PAYLOAD", vec![json!(["x".repeat(600_000), 1])], number + 1),
        ("endless", _any) => page("PAYLOAD", vec![json!(["c", number])], number + 1),
        ("CREATE", _any) => page("EOS", vec![json!(["OK"])], 0),
        (_rows, 0) => page("PAYLOAD", vec![json!(["a", 1])], 1),
        (_rows, 1) => page("NOT_READY", Vec::new(), 1 + u64::from(number == 1)),
        (_rows, 2) => page("PAYLOAD", vec![json!(["b", null])], 3),
        _last => page("EOS", Vec::new(), 0),
    }
}

fn asked(statement: &str, rows: usize) -> Asked {
    Asked {
        tables: Vec::new(),
        statement: statement.to_owned(),
        rows,
        settings: vec![(ZONE.to_owned(), "Europe/Berlin".to_owned())],
    }
}

async fn ask(statement: &str, rows: usize) -> (Result<Found, SelectError>, Shared) {
    let (clients, seen) = flink(1, "RUNNING").await;
    let found = select(&clients, &asked(statement, rows), Duration::from_millis(700)).await;
    (found, seen)
}

#[tokio::test]
async fn an_answer_has_all_pages_and_leaves_nothing() {
    let (found, seen) = ask("SELECT 1", 10).await;
    let found = found.unwrap();
    assert_eq!(found.rows, [[json!("a"), json!(1)], [json!("b"), Value::Null]]);
    assert_eq!(found.columns[1], ("n".to_owned(), "BIGINT".to_owned()));
    assert_eq!(found.cut, None);
    let seen = seen.lock().unwrap();
    assert_eq!((seen.sessions, seen.cancels), (0, 0));
    let has = |key: &str| seen.properties[key].as_str();
    assert!(has("pipeline.name").starts_with(PREFIX));
    assert_eq!(has("table.local-time-zone"), "Europe/Berlin");
    assert_eq!(
        (
            has("execution.runtime-mode"),
            has("parallelism.default"),
            has("restart-strategy.type")
        ),
        ("batch", "1", "none")
    );
    assert!(!seen.properties.keys().any(|it| it.contains("checkpoint")));
}

#[tokio::test]
async fn rows_bytes_and_time_are_bounded_and_what_runs_is_ended() {
    for (query, rows, count, cut) in [
        ("SELECT endless", 5, 5, None),
        ("SELECT huge", 100, 1, Some(Cut::Bytes)),
        ("SELECT slow", 100, 0, Some(Cut::Time)),
    ] {
        let (found, seen) = ask(query, rows).await;
        let found = found.unwrap();
        assert_eq!((found.rows.len(), found.cut), (count, cut), "{query}");
        let seen = seen.lock().unwrap();
        assert_eq!((seen.sessions, seen.cancels), (0, 1), "{query}");
    }
}

#[tokio::test]
async fn what_fails_says_why_and_leaves_nothing() {
    let (found, seen) = ask("SELECT wrong", 5).await;
    let Err(SelectError::Failed { class: None, words }) = found else {
        panic!("{found:?}")
    };
    assert!(
        words.starts_with("org.x.Calcite: Column 'nothing' not found"),
        "{words}"
    );
    assert_eq!(seen.lock().unwrap().sessions, 0);
    let (found, seen) = ask("SELECT broken", 5).await;
    let Err(SelectError::Failed { class, words }) = found else {
        panic!("{found:?}")
    };
    assert!(class.unwrap().ends_with("TopicAuthorizationException"));
    assert!(words.ends_with("TopicAuthorizationException: no"), "{words}");
    assert_eq!(seen.lock().unwrap().sessions, 0);
}

#[tokio::test]
async fn jobs_come_first() {
    for (free, neighbour) in [(0, "RUNNING"), (1, "RESTARTING"), (1, "CREATED")] {
        let (clients, seen) = flink(free, neighbour).await;
        let found = select(&clients, &asked("SELECT 1", 5), Duration::from_secs(5)).await;
        let expected = match neighbour {
            "RUNNING" => matches!(found, Err(SelectError::Exhausted)),
            _comes => matches!(found, Err(SelectError::Moving)),
        };
        assert!(expected, "{free} {neighbour}: {found:?}");
        assert!(seen.lock().unwrap().statements.is_empty(), "nothing was begun");
    }
}

#[tokio::test]
async fn strays_are_ended_and_nobody_elses_job() {
    let (clients, seen) = flink(1, "RUNNING").await;
    let listed = |name: &str, run: Run, started_ms: i64| Listed {
        id: if name.starts_with(PREFIX) { "b2" } else { "a1" }.to_owned(),
        name: name.to_owned(),
        run,
        started_ms,
    };
    let now = 10 * STRAY_MS;
    let fine = [
        listed("job_1-3", Run::Running, 0),
        listed("weir-select-1-1", Run::Finished, 0),
        listed("weir-select-1-2", Run::Running, now - 1_000),
    ];
    sweep(&clients.job_manager, &fine, now).await;
    assert_eq!(seen.lock().unwrap().cancels, 0);
    sweep(
        &clients.job_manager,
        &[listed("weir-select-1-0", Run::Running, 5)],
        now,
    )
    .await;
    assert_eq!(seen.lock().unwrap().cancels, 1);
}
