//! Service levels of a share: what the contracts of its topics promise, and how that is kept, for both sides. They are those of the topic
//! itself, of which a mount is a view; nothing of a record, and nothing else of the contract.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope};
use crate::kernel::{Result, kind};
use crate::resources::service_level::{self, SharedServiceLevel};
use crate::resources::share::model::{Share, is_live};
use crate::resources::share::received::given_id;
use crate::resources::share::store;
use crate::rest::PathId;
use crate::runtime::{App, Tx};

/// The promises of one topic of a share.
#[derive(Debug, Serialize, ToSchema)]
pub struct SharedTopicServiceLevels {
    /// What the share calls it.
    alias: String,
    /// What is promised, and how it is kept.
    levels: Vec<SharedServiceLevel>,
}

/// The promises of a share's topics.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareServiceLevels {
    /// Always `ShareServiceLevels`.
    kind: &'static str,
    /// By topic; none once the share has ended.
    topics: Vec<SharedTopicServiceLevels>,
}

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(given)).routes(routes!(taken))
}

/// How the promises of a share's topics are kept
#[utoipa::path(get, path = "/v1/shares/{id}/service-levels", operation_id = "share_service_levels", tag = "Share",
    params(("id" = String, Path, description = "Id of the share.")),
    responses((status = 200, description = "The promises.", body = ShareServiceLevels)))]
async fn given(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<kind::Share>,
) -> Result<axum::Json<ShareServiceLevels>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let levels = levels(&mut tx, scope, &row).await?;
    tx.commit().await?;
    Ok(axum::Json(levels))
}

/// How the promises of a received share's topics are kept
///
/// As their provider's agents measure them.
#[utoipa::path(get, path = "/v1/received-shares/{id}/service-levels", operation_id = "received_share_service_levels",
    tag = "ReceivedShare", params(("id" = String, Path, description = "Id of the received share.")),
    responses((status = 200, description = "The promises.", body = ShareServiceLevels)))]
async fn taken(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<kind::ReceivedShare>,
) -> Result<axum::Json<ShareServiceLevels>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::received_by_id(&mut tx, scope, given_id(id)).await?;
    let provider = TenantScope::turn_to_party(&mut tx, row.provider).await?;
    let levels = levels(&mut tx, provider, &row).await?;
    tx.commit().await?;
    Ok(axum::Json(levels))
}

/// Under the provider's scope.
async fn levels(tx: &mut Tx, provider: TenantScope, row: &Share) -> Result<ShareServiceLevels> {
    let mut topics = Vec::new();
    if is_live(row.phase) {
        for shared in &row.spec.topics {
            let alias = shared.alias.clone().unwrap_or_default();
            let levels = service_level::shared(tx, provider, shared.topic).await?;
            topics.push(SharedTopicServiceLevels { alias, levels });
        }
    }
    Ok(ShareServiceLevels {
        kind: "ShareServiceLevels",
        topics,
    })
}
