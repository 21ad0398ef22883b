//! `/v1/data-planes`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerTenant, Allowed, ReadTenant};
use crate::kernel::{Result, kind};
use crate::resources::data_plane::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Served,
};
use crate::runtime::App;

type This = kind::DataPlane;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(renew_token))
        .routes(routes!(revoke))
}

/// Create a data plane
#[utoipa::path(post, path = "/v1/data-planes", operation_id = "data_plane_create", tag = "DataPlane",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// List data planes
#[utoipa::path(get, path = "/v1/data-planes", operation_id = "data_plane_list", tag = "DataPlane",
    params(PageQuery), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, page).await?;
    tx.commit().await?;
    Ok(axum::Json(List::new(
        page,
        rows.into_iter().map(Object::from).collect(),
    )))
}

/// Get a data plane
#[utoipa::path(get, path = "/v1/data-planes/{id}", operation_id = "data_plane_get", tag = "DataPlane",
    params(("id" = String, Path, description = "Id of the data plane.")),
    responses((status = 200, description = "The data plane.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(Served(row.into()))
}

/// Change a data plane
#[utoipa::path(patch, path = "/v1/data-planes/{id}", operation_id = "data_plane_update", tag = "DataPlane",
    params(("id" = String, Path, description = "Id of the data plane."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    service::update(&app, &caller, scope, &call, id, body).await
}

/// Delete a data plane
#[utoipa::path(delete, path = "/v1/data-planes/{id}", operation_id = "data_plane_delete", tag = "DataPlane",
    params(("id" = String, Path, description = "Id of the data plane."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Make a new enrolment token
#[utoipa::path(post, path = "/v1/data-planes/{id}/enrollment-tokens", operation_id = "data_plane_renew_token",
    tag = "DataPlane", params(("id" = String, Path, description = "Id of the data plane."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "The data plane, with a new token.", body = View)))]
async fn renew_token(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::renew_token(&app, &caller, scope, &call, id).await
}

/// Cut the agent off
#[utoipa::path(post, path = "/v1/data-planes/{id}/revoke", operation_id = "data_plane_revoke", tag = "DataPlane",
    params(("id" = String, Path, description = "Id of the data plane."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "Cut off.", body = View)))]
async fn revoke(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::revoke(&app, &caller, scope, &call, id).await
}
