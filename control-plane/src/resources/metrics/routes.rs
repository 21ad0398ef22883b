//! `/v1/metrics`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant};
use crate::kernel::Result;
use crate::resources::metrics::{render, store};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(scrape))
}

/// Scrape the tenant's metrics
///
/// In the Prometheus text format, for a scraper that signs in with an API key or a token. A thousand series of traffic at
/// most; what is beyond them is counted as `other`.
#[utoipa::path(get, path = "/v1/metrics", operation_id = "metrics_scrape", tag = "Metrics",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain")))]
async fn scrape(State(app): State<App>, Allowed { scope, .. }: Allowed<ReadTenant>) -> Result<Response> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let numbers = store::read(&mut tx, scope).await?;
    tx.commit().await?;
    let format = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((format, render::text(&numbers)).into_response())
}
