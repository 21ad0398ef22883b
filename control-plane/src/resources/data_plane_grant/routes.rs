//! `/v1/data-plane-grants`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerTenant, Allowed, ReadTenant};
use crate::kernel::{Result, kind};
use crate::resources::data_plane_grant::model::Decision;
use crate::resources::data_plane_grant::store::Direction;
use crate::resources::data_plane_grant::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served,
};
use crate::runtime::App;

type This = kind::DataPlaneGrant;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(revoke))
}

/// Offer a data plane grant
#[utoipa::path(post, path = "/v1/data-plane-grants", operation_id = "data_plane_grant_create", tag = "DataPlaneGrant",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::offer(&app, &caller, scope, &call, body).await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those lent by the tenant, or lent to it.
    #[param(inline)]
    direction: Option<Direction>,
}

/// List data plane grants, offered and received
#[utoipa::path(get, path = "/v1/data-plane-grants", operation_id = "data_plane_grant_list", tag = "DataPlaneGrant",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter { direction }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, direction, page).await?;
    tx.commit().await?;
    Ok(axum::Json(List::new(
        page,
        rows.into_iter().map(Object::from).collect(),
    )))
}

/// Get a data plane grant
#[utoipa::path(get, path = "/v1/data-plane-grants/{id}", operation_id = "data_plane_grant_get", tag = "DataPlaneGrant",
    params(("id" = String, Path, description = "Id of the grant.")),
    responses((status = 200, description = "The grant.", body = View)))]
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

/// Change a data plane grant
#[utoipa::path(patch, path = "/v1/data-plane-grants/{id}", operation_id = "data_plane_grant_update", tag = "DataPlaneGrant",
    params(("id" = String, Path, description = "Id of the grant."), CallQuery, CallHeaders),
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

/// Delete a data plane grant
#[utoipa::path(delete, path = "/v1/data-plane-grants/{id}", operation_id = "data_plane_grant_delete", tag = "DataPlaneGrant",
    params(("id" = String, Path, description = "Id of the grant."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Accept an offered grant
#[utoipa::path(post, path = "/v1/data-plane-grants/{id}/accept", operation_id = "data_plane_grant_accept",
    tag = "DataPlaneGrant", params(("id" = String, Path, description = "Id of the grant."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "Decided.", body = View)))]
async fn accept(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::decided(&app, &caller, scope, &call, id, Decision::Accept).await
}

/// Decline an offered grant
#[utoipa::path(post, path = "/v1/data-plane-grants/{id}/decline", operation_id = "data_plane_grant_decline",
    tag = "DataPlaneGrant", params(("id" = String, Path, description = "Id of the grant."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "Decided.", body = View)))]
async fn decline(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::decided(&app, &caller, scope, &call, id, Decision::Decline).await
}

/// Take a grant back
#[utoipa::path(post, path = "/v1/data-plane-grants/{id}/revoke", operation_id = "data_plane_grant_revoke",
    tag = "DataPlaneGrant", params(("id" = String, Path, description = "Id of the grant."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "Decided.", body = View)))]
async fn revoke(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::decided(&app, &caller, scope, &call, id, Decision::Revoke).await
}
