//! `/v1/lineage`.

use axum::extract::State;
use chrono::Utc;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant};
use crate::kernel::Result;
use crate::resources::lineage::api::Lineage;
use crate::resources::lineage::model::Around;
use crate::resources::lineage::service;
use crate::rest::Queried;
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get))
}

/// What it is around: exactly one of these.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LineageQuery {
    /// Every topic of this cluster.
    cluster_id: Option<String>,
    /// This topic.
    topic_id: Option<String>,
    /// The topics that this contract governs.
    contract_id: Option<String>,
}

/// Who writes, who reads, what governs
///
/// Service accounts by the usage of a week, consumer groups as the agent tells of them now, contracts, jobs and dead-letter topics as
/// they are wished. At most 1,000 nodes and 5,000 edges.
#[utoipa::path(get, path = "/v1/lineage", operation_id = "lineage_get", tag = "Lineage",
    params(LineageQuery), responses((status = 200, description = "The graph.", body = Lineage)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Queried(query): Queried<LineageQuery>,
) -> Result<axum::Json<Lineage>> {
    let LineageQuery {
        cluster_id,
        topic_id,
        contract_id,
    } = query;
    let around = Around::read(cluster_id.as_deref(), topic_id.as_deref(), contract_id.as_deref())?;
    service::draw(&app, scope, around, Utc::now())
        .await
        .map(axum::Json)
}
