//! `/v1/cluster-links`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{ClusterId, Result, kind};
use crate::resources::cluster_link::api::view;
use crate::resources::cluster_link::model::ClusterLinkId;
use crate::resources::cluster_link::{service, store};
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::ClusterLink;
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

/// Create a cluster link
#[utoipa::path(post, path = "/v1/cluster-links", operation_id = "cluster_link_create", tag = "ClusterLink",
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
struct ClusterLinkFilter {
    /// Only those that read or write this cluster.
    #[param(value_type = Option<String>)]
    cluster: Option<ClusterId>,
}

/// List cluster links
#[utoipa::path(get, path = "/v1/cluster-links", operation_id = "cluster_link_list", tag = "ClusterLink",
    params(PageQuery, ClusterLinkFilter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(ClusterLinkFilter { cluster }): Queried<ClusterLinkFilter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, cluster, page).await?;
    let said = store::said(&mut tx, scope, &rows).await?;
    tx.commit().await?;
    let views = rows.into_iter().map(|row| view(row, &said));
    Ok(axum::Json(List::new(page, views.collect())))
}

/// Get a cluster link
#[utoipa::path(get, path = "/v1/cluster-links/{id}", operation_id = "cluster_link_get", tag = "ClusterLink",
    params(("id" = String, Path, description = "Id of the cluster link.")),
    responses((status = 200, description = "The cluster link.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

/// Change a cluster link
#[utoipa::path(patch, path = "/v1/cluster-links/{id}", operation_id = "cluster_link_update", tag = "ClusterLink",
    params(("id" = String, Path, description = "Id of the cluster link."), CallQuery, CallHeaders),
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

/// Delete a cluster link
#[utoipa::path(delete, path = "/v1/cluster-links/{id}", operation_id = "cluster_link_delete", tag = "ClusterLink",
    params(("id" = String, Path, description = "Id of the cluster link."), CallQuery, CallHeaders),
    responses((status = 204, description = "Ended: the copies stay, as ordinary topics.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Holds the answer, if the caller asked to, until the link runs, or stands as wished.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        read(&app, scope, id).await?.json()
    })
    .await
}

async fn read(app: &App, scope: TenantScope, id: ClusterLinkId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let said = store::said(&mut tx, scope, std::slice::from_ref(&row)).await?;
    tx.commit().await?;
    Ok(view(row, &said))
}
