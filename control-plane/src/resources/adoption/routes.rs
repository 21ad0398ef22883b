//! `/v1/clusters/{id}/adoption`, and what is done there.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerTenant, Allowed};
use crate::kernel::{Result, kind};
use crate::resources::adoption::api::{Adoption, AdoptionPlan};
use crate::resources::adoption::model::AdoptionSelection;
use crate::resources::adoption::service;
use crate::rest::{Answer, CallHeaders, CallQuery, Mutation, PathId};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(plan))
        .routes(routes!(adopt))
        .routes(routes!(release))
}

/// Plan an adoption
///
/// What the attached Kafka holds, asked of the agent now, and what would become of each topic and group. Nothing is changed.
#[utoipa::path(get, path = "/v1/clusters/{id}/adoption", operation_id = "adoption_plan", tag = "Adoption",
    params(("id" = String, Path, description = "Id of the cluster.")),
    responses((status = 200, description = "The plan.", body = AdoptionPlan)))]
async fn plan(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<kind::Cluster>,
) -> Result<axum::Json<AdoptionPlan>> {
    service::plan(&app, scope, id).await.map(axum::Json)
}

/// Adopt topics
///
/// They become topics of the cluster under their own names. Nothing is copied, no setting is changed, and whoever speaks to
/// that Kafka directly notices nothing.
#[utoipa::path(post, path = "/v1/clusters/{id}/adopt", operation_id = "adoption_adopt", tag = "Adoption",
    params(("id" = String, Path, description = "Id of the cluster."), CallQuery, CallHeaders),
    request_body = AdoptionSelection, responses((status = 200, description = "Adopted.", body = Adoption)))]
async fn adopt(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<kind::Cluster>,
    Mutation { body, call }: Mutation<AdoptionSelection>,
) -> Result<Answer> {
    service::adopt(&app, &caller, scope, &call, id, body).await
}

/// Release adopted topics
///
/// They are topics of Weir's no longer; in Kafka they stay as they are, with their records and settings.
#[utoipa::path(post, path = "/v1/clusters/{id}/release", operation_id = "adoption_release", tag = "Adoption",
    params(("id" = String, Path, description = "Id of the cluster."), CallQuery, CallHeaders),
    request_body = AdoptionSelection, responses((status = 200, description = "Released.", body = Adoption)))]
async fn release(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<kind::Cluster>,
    Mutation { body, call }: Mutation<AdoptionSelection>,
) -> Result<Answer> {
    service::release(&app, &caller, scope, &call, id, body).await
}
