//! `/v1/quotas`.

use std::collections::BTreeMap;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerTenant, Allowed, ReadTenant, TenantScope};
use crate::kernel::{ClusterId, Result, kind};
use crate::resources::quota::api::view;
use crate::resources::quota::model::QuotaId;
use crate::resources::quota::usage::{self, QuotaUsage};
use crate::resources::quota::{service, store};
use crate::resources::served;
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::Quota;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(read_usage))
}

/// Create a quota
///
/// Every quota that matches a request applies, and the tightest wins: a principal's own (or else the default), the one
/// that it shares, and the tenant's. Who exceeds one is answered at once and then not read from for the answer's
/// `throttle_time_ms`, as Kafka does; nothing is refused. Begin with the mode SHADOW to see who would be throttled.
#[utoipa::path(post, path = "/v1/quotas", operation_id = "quota_create", tag = "Quota",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    let answer = service::create(&app, &caller, scope, &call, body).await?;
    ready(&app, scope, &call, answer).await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct QuotaFilter {
    /// Only those of this cluster.
    #[param(value_type = Option<String>)]
    cluster: Option<ClusterId>,
}

/// List quotas
#[utoipa::path(get, path = "/v1/quotas", operation_id = "quota_list", tag = "Quota",
    params(PageQuery, QuotaFilter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(QuotaFilter { cluster }): Queried<QuotaFilter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, cluster, page).await?;
    let ids: Vec<_> = rows.iter().map(|it| it.id.uuid()).collect();
    let reports: BTreeMap<_, _> = served::reports(&mut tx, &ids).await?.into_iter().collect();
    tx.commit().await?;
    let views = rows.into_iter().map(|row| {
        let report = reports.get(&row.id.uuid());
        view(row, report)
    });
    Ok(axum::Json(List::new(page, views.collect())))
}

/// Get a quota
#[utoipa::path(get, path = "/v1/quotas/{id}", operation_id = "quota_get", tag = "Quota",
    params(("id" = String, Path, description = "Id of the quota.")),
    responses((status = 200, description = "The quota.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

/// Change a quota
///
/// A changed limit takes hold without a client losing its connection; what was used stays used.
#[utoipa::path(patch, path = "/v1/quotas/{id}", operation_id = "quota_update", tag = "Quota",
    params(("id" = String, Path, description = "Id of the quota."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    let answer = service::update(&app, &caller, scope, &call, id, body).await?;
    ready(&app, scope, &call, answer).await
}

/// Delete a quota
#[utoipa::path(delete, path = "/v1/quotas/{id}", operation_id = "quota_delete", tag = "Quota",
    params(("id" = String, Path, description = "Id of the quota."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// How much of a quota is used
///
/// Rates, waits and principals of the last ten seconds or so, and the last hour by minutes. The agent reports every few
/// seconds; use is seen here within ten.
#[utoipa::path(get, path = "/v1/quotas/{id}/usage", operation_id = "quota_usage", tag = "Quota",
    params(("id" = String, Path, description = "Id of the quota.")),
    responses((status = 200, description = "The usage.", body = QuotaUsage)))]
async fn read_usage(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<axum::Json<QuotaUsage>> {
    usage::read(&app, scope, id, chrono::Utc::now())
        .await
        .map(axum::Json)
}

async fn read(app: &App, scope: TenantScope, id: QuotaId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let report = served::report(&mut tx, id.uuid()).await?;
    tx.commit().await?;
    Ok(view(row, report.as_ref()))
}

/// Holds the answer until the gateways keep the quota, if the caller asked to.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        read(&app, scope, id).await?.json()
    })
    .await
}
