//! The HTTP router: every room's routes, and what surrounds them.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::registry;
use crate::resources::{
    access_token, adoption, alert_rule, api_key, audit_event, broker_pool, cluster, cluster_link,
    compute_pool, connection, consumer_group, contract, contract_lint_rule, cost, data_plane,
    data_plane_grant, environment, event, job, lineage, member, metrics, organization, quota, rate_card,
    role_binding, service_account, service_level, service_quota, session, share, tenant, topic, usage,
};
use crate::rest;
use crate::runtime::App;
use crate::server::{console, errors, health, openapi};

const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The API: one line per room.
fn api() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (router, document) = OpenApiRouter::with_openapi(openapi::base())
        .merge(session::router())
        .merge(access_token::router())
        .merge(organization::router())
        .merge(tenant::router())
        .merge(member::router())
        .merge(role_binding::router())
        .merge(api_key::router())
        .merge(environment::router())
        .merge(data_plane::router())
        .merge(broker_pool::router())
        .merge(data_plane_grant::router())
        .merge(cluster::router())
        .merge(cluster_link::router())
        .merge(compute_pool::router())
        .merge(job::router())
        .merge(connection::router())
        .merge(contract::router())
        .merge(contract_lint_rule::router())
        .merge(consumer_group::router())
        .merge(adoption::router())
        .merge(topic::router())
        .merge(share::router())
        .merge(service_level::router())
        .merge(lineage::router())
        .merge(quota::router())
        .merge(alert_rule::router())
        .merge(metrics::router())
        .merge(event::router())
        .merge(audit_event::router())
        .merge(service_account::router())
        .merge(service_quota::router())
        .merge(usage::router())
        .merge(rate_card::router())
        .merge(cost::router())
        .split_for_parts();
    (router, openapi::finished(document))
}

/// The document alone.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    api().1
}

/// The whole HTTP face: API, its documentation, the console, probes.
pub fn router(app: &App) -> Router {
    health::start_metrics();
    let (router, document) = api();
    // It reads bodies by its own bounds and refuses in its own words.
    let registry = registry::router()
        .route_layer(from_fn(health::measure))
        .layer(from_fn(rest::detached))
        .layer(CatchPanicLayer::custom(rest::panicked))
        .layer(from_fn(registry::speak));
    router
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/docs/errors", get(errors::serve))
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .route_layer(from_fn(health::measure))
        .fallback(console::serve)
        .method_not_allowed_fallback(rest::wrong_method)
        .layer(from_fn(rest::detached))
        .layer(CatchPanicLayer::custom(rest::panicked))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .merge(registry)
        .layer(from_fn(rest::request_id))
        .with_state(app.clone())
}
