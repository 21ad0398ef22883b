//! `/v1/compute-pools`.

use std::collections::BTreeMap;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerTenant, Allowed, ReadTenant, TenantScope};
use crate::kernel::{DataPlaneId, Result, kind};
use crate::resources::compute_pool::api::view;
use crate::resources::compute_pool::model::ComputePoolId;
use crate::resources::compute_pool::{service, store};
use crate::resources::served;
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::ComputePool;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
}

/// Create a compute pool
#[utoipa::path(post, path = "/v1/compute-pools", operation_id = "compute_pool_create", tag = "ComputePool",
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
struct Filter {
    /// Only those of this data plane.
    #[param(value_type = Option<String>)]
    data_plane: Option<DataPlaneId>,
}

/// List compute pools
#[utoipa::path(get, path = "/v1/compute-pools", operation_id = "compute_pool_list", tag = "ComputePool",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter { data_plane }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, data_plane, page).await?;
    let ids: Vec<_> = rows.iter().map(|it| it.id.uuid()).collect();
    let reports: BTreeMap<_, _> = served::reports(&mut tx, &ids).await?.into_iter().collect();
    tx.commit().await?;
    let views = rows.into_iter().map(|row| {
        let report = reports.get(&row.id.uuid());
        view(row, report)
    });
    Ok(axum::Json(List::new(page, views.collect())))
}

/// Get a compute pool
#[utoipa::path(get, path = "/v1/compute-pools/{id}", operation_id = "compute_pool_get", tag = "ComputePool",
    params(("id" = String, Path, description = "Id of the compute pool.")),
    responses((status = 200, description = "The compute pool.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

/// Change a compute pool
#[utoipa::path(patch, path = "/v1/compute-pools/{id}", operation_id = "compute_pool_update", tag = "ComputePool",
    params(("id" = String, Path, description = "Id of the compute pool."), CallQuery, CallHeaders),
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

/// Delete a compute pool
#[utoipa::path(delete, path = "/v1/compute-pools/{id}", operation_id = "compute_pool_delete", tag = "ComputePool",
    params(("id" = String, Path, description = "Id of the compute pool."), CallQuery, CallHeaders),
    responses((status = 202, description = "Going away.", body = View), (status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Holds the answer, if the caller asked to, until the pool is ready.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        read(&app, scope, id).await?.json()
    })
    .await
}

async fn read(app: &App, scope: TenantScope, id: ComputePoolId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let report = served::report(&mut tx, id.uuid()).await?;
    tx.commit().await?;
    Ok(view(row, report.as_ref()))
}
