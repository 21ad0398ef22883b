//! `/v1/clusters`.

use std::collections::BTreeMap;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{Result, kind};
use crate::resources::cluster::api::view;
use crate::resources::cluster::model::ClusterId;
use crate::resources::cluster::{service, store};
use crate::resources::environment::EnvironmentId;
use crate::resources::served;
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::Cluster;
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

/// Create a cluster
#[utoipa::path(post, path = "/v1/clusters", operation_id = "cluster_create", tag = "Cluster",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    let answer = service::create(&app, &caller, scope, &call, body).await?;
    ready(&app, scope, &call, answer).await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this environment.
    #[param(value_type = Option<String>)]
    environment: Option<EnvironmentId>,
}

/// List clusters
#[utoipa::path(get, path = "/v1/clusters", operation_id = "cluster_list", tag = "Cluster",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter { environment }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, environment, page).await?;
    let ids: Vec<_> = rows.iter().map(|it| it.id.uuid()).collect();
    let reports: BTreeMap<_, _> = served::reports(&mut tx, &ids).await?.into_iter().collect();
    tx.commit().await?;
    let views = rows.into_iter().map(|row| {
        let report = reports.get(&row.id.uuid());
        view(row, report)
    });
    Ok(axum::Json(List::new(page, views.collect())))
}

/// Get a cluster
#[utoipa::path(get, path = "/v1/clusters/{id}", operation_id = "cluster_get", tag = "Cluster",
    params(("id" = String, Path, description = "Id of the cluster.")),
    responses((status = 200, description = "The cluster.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

/// Change a cluster
#[utoipa::path(patch, path = "/v1/clusters/{id}", operation_id = "cluster_update", tag = "Cluster",
    params(("id" = String, Path, description = "Id of the cluster."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    let answer = service::update(&app, &caller, scope, &call, id, body).await?;
    ready(&app, scope, &call, answer).await
}

/// Delete a cluster
#[utoipa::path(delete, path = "/v1/clusters/{id}", operation_id = "cluster_delete", tag = "Cluster",
    params(("id" = String, Path, description = "Id of the cluster."), CallQuery, CallHeaders),
    responses((status = 202, description = "Going away.", body = View), (status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Holds the answer, if the caller asked to, until the cluster is ready.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        read(&app, scope, id).await?.json()
    })
    .await
}

async fn read(app: &App, scope: TenantScope, id: ClusterId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let report = served::report(&mut tx, id.uuid()).await?;
    tx.commit().await?;
    Ok(view(row, report.as_ref()))
}
