//! For machines that watch the process: is it alive, can it serve, and how is it doing.

use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::runtime::{App, Scope};

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts to collect; later calls change nothing.
pub fn start_metrics() {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Another recorder in this process means a test: ours then stays empty.
        let _already_set = metrics::set_global_recorder(recorder);
        handle
    });
}

/// 200 while the process runs.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when the database answers; 503 otherwise.
pub async fn ready(State(app): State<App>) -> Response {
    let answered = async {
        let tx = app.db.read(&Scope::Operator).await?;
        tx.commit().await
    };
    match answered.await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "answer a readiness probe"
            );
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

/// The counters, in the Prometheus text format.
pub async fn metrics() -> Response {
    let text = METRICS.get().map(PrometheusHandle::render).unwrap_or_default();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

/// Counts and times every request under its route, never under its path: ids stay out.
pub async fn measure(request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", |it| it.as_str())
        .to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let labels = [
        ("method", method),
        ("route", route),
        ("status", response.status().as_str().to_owned()),
    ];
    metrics::counter!("weir_http_requests_total", &labels).increment(1);
    metrics::histogram!("weir_http_request_seconds", &labels).record(begun.elapsed().as_secs_f64());
    response
}
