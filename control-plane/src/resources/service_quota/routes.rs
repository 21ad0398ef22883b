//! `/v1/service-quotas`: what the tenant has and may have.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant};
use crate::kernel::Result;
use crate::resources::service_quota::model::Quota;
use crate::resources::service_quota::store::{self, Used};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One quota.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceQuota {
    /// What is counted. New names may appear.
    name: &'static str,
    /// How many there may be.
    limit: i64,
    /// How many there are.
    used: i64,
}

/// Every quota of the tenant.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceQuotaList {
    kind: &'static str,
    data: Vec<ServiceQuota>,
}

/// List service quotas
#[utoipa::path(get, path = "/v1/service-quotas", operation_id = "service_quota_list", tag = "ServiceQuota",
    responses((status = 200, description = "The tenant's quotas.", body = ServiceQuotaList)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
) -> Result<axum::Json<ServiceQuotaList>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let mut data = Vec::with_capacity(Quota::ALL.len());
    for quota in Quota::ALL {
        let Used { quota, used, limit } = store::used(&mut tx, scope, quota).await?;
        data.push(ServiceQuota {
            name: quota.name(),
            limit,
            used,
        });
    }
    tx.commit().await?;
    Ok(axum::Json(ServiceQuotaList {
        kind: "ServiceQuotaList",
        data,
    }))
}
