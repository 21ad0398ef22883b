//! `/v1/service-quotas`: what the tenant has and may have, and how an operator changes that.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, OperateTenant, ReadTenant};
use crate::kernel::{Error, Result};
use crate::resources::service_quota::model::Quota;
use crate::resources::service_quota::service;
use crate::resources::service_quota::store::{self, Used};
use crate::rest::{Answer, CallHeaders, CallQuery, Empty, Mutation};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set, reset))
}

/// One quota.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceQuota {
    /// What is counted. New names may appear.
    name: &'static str,
    /// How many there may be.
    limit: i64,
    /// How many there may be when nobody decides otherwise.
    default_limit: i64,
    /// How many there are.
    used: i64,
}

impl From<Used> for ServiceQuota {
    fn from(found: Used) -> Self {
        let Used { quota, used, limit } = found;
        Self {
            name: quota.name(),
            limit,
            default_limit: quota.default_limit(),
            used,
        }
    }
}

/// What an operator decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceQuotaInput {
    /// How many there may be: at most a hundred times the default. Below what there is, nothing goes; only nothing more
    /// can be made.
    #[schema(minimum = 0)]
    pub limit: i64,
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
        data.push(store::used(&mut tx, scope, quota).await?.into());
    }
    tx.commit().await?;
    Ok(axum::Json(ServiceQuotaList {
        kind: "ServiceQuotaList",
        data,
    }))
}

/// Set a service quota of a tenant
///
/// For operators, about the tenant that the `Weir-Tenant` header names. The new limit holds from the next request on.
#[utoipa::path(put, path = "/v1/service-quotas/{name}", operation_id = "service_quota_set", tag = "ServiceQuota",
    params(("name" = String, Path, description = "What is counted."), CallQuery, CallHeaders),
    request_body = ServiceQuotaInput,
    responses((status = 200, description = "Set.", body = ServiceQuota)))]
async fn set(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<OperateTenant>,
    Path(name): Path<String>,
    Mutation { body, call }: Mutation<ServiceQuotaInput>,
) -> Result<Answer> {
    service::set(&app, &caller, scope, &call, named(&name)?, body).await
}

/// Give a tenant's service quota back to its default
///
/// For operators, about the tenant that the `Weir-Tenant` header names.
#[utoipa::path(delete, path = "/v1/service-quotas/{name}", operation_id = "service_quota_reset", tag = "ServiceQuota",
    params(("name" = String, Path, description = "What is counted."), CallQuery, CallHeaders),
    responses((status = 204, description = "The default holds.")))]
async fn reset(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<OperateTenant>,
    Path(name): Path<String>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::reset(&app, &caller, scope, &call, named(&name)?).await
}

fn named(name: &str) -> Result<Quota> {
    Quota::named(name).ok_or_else(|| Error::not_found("ServiceQuota"))
}
