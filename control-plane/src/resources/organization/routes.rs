//! `/v1/organizations`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Operate, ReadDirectory};
use crate::kernel::{Result, kind};
use crate::resources::organization::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Served,
};
use crate::runtime::App;

type This = kind::Organization;
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

/// Create an organization
#[utoipa::path(post, path = "/v1/organizations", operation_id = "organization_create", tag = "Organization",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<Operate>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// List organizations
#[utoipa::path(get, path = "/v1/organizations", operation_id = "organization_list", tag = "Organization",
    params(PageQuery), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
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

/// Get an organization
#[utoipa::path(get, path = "/v1/organizations/{id}", operation_id = "organization_get", tag = "Organization",
    params(("id" = String, Path, description = "Id of the organization.")),
    responses((status = 200, description = "The organization.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(Served(row.into()))
}

/// Change an organization
#[utoipa::path(patch, path = "/v1/organizations/{id}", operation_id = "organization_update", tag = "Organization",
    params(("id" = String, Path, description = "Id of the organization."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<Operate>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    service::update(&app, &caller, scope, &call, id, body).await
}

/// Delete an organization
#[utoipa::path(delete, path = "/v1/organizations/{id}", operation_id = "organization_delete", tag = "Organization",
    params(("id" = String, Path, description = "Id of the organization."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<Operate>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
