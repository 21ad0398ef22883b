//! Tests of `job_manager`.

use super::super::counts::{Counts, SourceCounts};
use super::super::rest::tests::endpoint;
use super::*;
use axum::routing::{get, patch, post};
use axum::{Json, Router};

const ID: &str = "0123456789abcdef0123456789abcdef";

/// As Flink answers: one unknown name, and there is nothing.
async fn metrics(query: axum::extract::RawQuery) -> Json<Value> {
    Json(match query.0.as_deref() {
        None => {
            json!([{"id": "Source__KafkaSource-a.numRecordsIn"}, {"id": "numRecordsIn"}, {"id": "Source__KafkaSource-a.pendingRecords"}, {"id": "out[13]__Writer.numRecordsSend"},
            {"id": "out[13]__Writer.currentInputWatermark"}, {"id": "Calc[8].numRecordsIn"}])
        }
        Some(query) if query.starts_with("get=Source__KafkaSource-a.numRecordsIn&") => {
            json!([{"sum": 7.0}])
        }
        Some(query) if query.starts_with("get=Source__KafkaSource-a.pendingRecords&") => {
            json!([{"sum": 3.0}])
        }
        Some(query) if query.starts_with("get=out%5B13%5D__Writer.numRecordsSend&") => {
            json!([{"sum": 5.0}])
        }
        Some(_watermark) => json!([{"min": -9.223372036854776e18}]),
    })
}

#[tokio::test]
async fn a_job_is_looked_at() {
    let job = json!({"state": "RUNNING", "vertices": [{"id": "cbc357ccb763df2852fee8c4fc7d55f2", "name": "Source: payments[1]",
        "parallelism": 2, "maxParallelism": 128, "slotSharingGroupId": "g", "tasks": {"RUNNING": 1}}],
        "plan": {"nodes": [{"id": "cbc357ccb763df2852fee8c4fc7d55f2", "inputs": [{"id": "v-0", "ship_strategy": "HASH"}]}]}});
    let checkpoints = json!({"counts": {"restored": 1, "completed": 9, "failed": 2}, "latest": {"completed":
        {"trigger_timestamp": 1_760_000_000_000_i64, "external_path": "file:/x/chk-9"}}});
    let exceptions = json!({"exceptionHistory": {"entries": [{"exceptionName": "org.apache.flink.runtime.JobException",
        "stacktrace": "org.apache.flink.runtime.JobException: Recovery is suppressed\n\tat x\nCaused by: java.io.IOException: card 4111\n\tat y\nCaused by: java.lang.NumberFormatException: For input \"secret\"\n\tat z"},
        {"exceptionName": "no class at all: secret"}]}});
    let overview = json!({"taskmanagers": 1, "slots-total": 2, "slots-available": 1, "jobs-running": 1});
    let jobs = json!({"jobs": [{"jid": ID, "name": "job_1-a1", "state": "RESTARTING", "start-time": 5}]});
    let fixed = |value: Value| get(|| async move { Json(value) });
    let routes = Router::new()
        .route("/jobs/{id}/vertices/{vertex}/subtasks/metrics", get(metrics))
        .route("/overview", fixed(overview))
        .route("/jobs/overview", fixed(jobs))
        .route("/jobs/{id}", fixed(job))
        .route("/jobs/{id}/checkpoints", fixed(checkpoints))
        .route("/jobs/{id}/exceptions", fixed(exceptions));
    let manager = JobManager::new(endpoint(routes).await);
    assert_eq!(manager.overview().await.unwrap().slots_free, 1);
    assert_eq!(manager.jobs().await.unwrap()[0].run, Run::Restarting);
    let looked = manager.job(ID).await.unwrap();
    assert_eq!((looked.run, looked.vertices[0].running), (Run::Running, 1));
    let vertex = &looked.vertices[0];
    assert_eq!(
        (vertex.max_parallelism, vertex.table.as_deref()),
        (128, Some("payments"))
    );
    assert!(vertex.inputs[0].keyed && vertex.inputs[0].from == "v-0");
    let counts = manager.counts(ID, &looked.vertices).await.unwrap();
    let source = SourceCounts {
        records_in: Some(7),
        pending: Some(3),
    };
    let expected = Counts {
        records_in: 7,
        records_out: 5,
        pending: Some(3),
        watermark_ms: 0,
        sources: [(looked.vertices[0].id.clone(), source)].into(),
    };
    assert_eq!(counts, expected);
    let checkpoints = manager.checkpoints(ID).await.unwrap();
    assert_eq!(
        (checkpoints.completed, checkpoints.newest_path.as_deref()),
        (9, Some("file:/x/chk-9"))
    );
    let classes: Vec<(String, u64)> = manager.failures(ID).await.unwrap().into_iter().collect();
    assert_eq!(
        classes,
        [
            ("java.lang.NumberFormatException".to_owned(), 1),
            ("unknown".to_owned(), 1)
        ]
    );
    assert!(manager.job("../../etc").await.is_err());
}

#[tokio::test]
async fn a_job_is_stopped_ended_and_rescaled() {
    let under_way = json!({"status": {"id": "IN_PROGRESS"}});
    let done = json!({"status": {"id": "COMPLETED"}, "operation": {"location": "file:/x/savepoint-1"}});
    let failed = json!({"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"class": "x"}}});
    let answers = move |path: axum::extract::Path<(String, String)>| async move {
        Json(match path.1.as_str() {
            "r-1" => under_way,
            "r-2" => done,
            _other => failed,
        })
    };
    let requirements = json!({"v-1": {"parallelism": {"lowerBound": 1, "upperBound": 1}}, "v-2": {"parallelism": {"lowerBound": 1, "upperBound": 2}}});
    let taken = |Json(body): Json<Value>| async move {
        assert_eq!(
            body["v-1"]["parallelism"],
            json!({"lowerBound": 1, "upperBound": 4})
        );
        assert_eq!(
            body["v-2"]["parallelism"]["upperBound"], 2,
            "not named: as it was"
        );
        "{}"
    };
    let routes = Router::new()
        .route("/jobs/{id}", patch(|| async { axum::http::StatusCode::ACCEPTED }))
        .route(
            "/jobs/{id}/stop",
            post(|| async { Json(json!({"request-id": "r-1"})) }),
        )
        .route("/jobs/{id}/savepoints/{request}", get(answers))
        .route(
            "/jobs/{id}/resource-requirements",
            get(|| async move { Json(requirements) }).put(taken),
        );
    let manager = JobManager::new(endpoint(routes).await);
    assert_eq!(manager.stop(ID, "file:/x").await.unwrap(), "r-1");
    assert_eq!(manager.stopped(ID, "r-1").await.unwrap(), Stop::UnderWay);
    assert_eq!(
        manager.stopped(ID, "r-2").await.unwrap(),
        Stop::Done("file:/x/savepoint-1".to_owned())
    );
    assert_eq!(manager.stopped(ID, "r-3").await.unwrap(), Stop::Failed);
    manager.cancel(ID).await.unwrap();
    manager
        .rescale(ID, &[("v-1".to_owned(), 4)].into())
        .await
        .unwrap();
}
