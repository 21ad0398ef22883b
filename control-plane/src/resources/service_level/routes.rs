//! `/v1/topics/{id}/service-levels`.

use axum::extract::State;
use chrono::Utc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::{Allowed, ReadTenant, TenantScope};
use crate::kernel::{Result, kind};
use crate::resources::service_level::api::{self, SharedServiceLevel, TopicServiceLevels};
use crate::resources::service_level::store;
use crate::resources::topic::{self, TopicId};
use crate::rest::PathId;
use crate::runtime::{App, Tx};

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// How a topic's promises are kept
///
/// What the newest version of the topic's value subject promises of freshness, completeness and availability, measured once a minute
/// from what agents report, with what is left of the bad minutes of thirty days.
#[utoipa::path(get, path = "/v1/topics/{id}/service-levels", operation_id = "topic_service_levels", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic.")),
    responses((status = 200, description = "The promises.", body = TopicServiceLevels)))]
async fn read(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<kind::Topic>,
) -> Result<axum::Json<TopicServiceLevels>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    topic::by_id(&mut tx, scope, id).await?;
    let levels = levels(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(axum::Json(levels))
}

async fn levels(tx: &mut Tx, scope: TenantScope, id: TopicId) -> Result<TopicServiceLevels> {
    let now = Utc::now();
    let promised = store::promised(tx, scope.tenant(), Some(id), Uuid::nil(), now).await?;
    let found = store::found(tx, scope.tenant(), &[id.uuid()]).await?;
    Ok(api::view(id, promised.first(), &found, now))
}

/// What a topic of this tenant promises, and how it is kept, as another tenant is shown it.
///
/// # Errors
/// The database's.
pub async fn shared(tx: &mut Tx, owner: TenantScope, id: TopicId) -> Result<Vec<SharedServiceLevel>> {
    levels(tx, owner, id).await.map(TopicServiceLevels::shared)
}
