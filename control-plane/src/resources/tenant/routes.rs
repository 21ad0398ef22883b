//! `/v1/tenants`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ManageTenants, ReadDirectory};
use crate::kernel::{Result, kind};
use crate::resources::tenant::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Served,
};
use crate::runtime::App;

type This = kind::Tenant;
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

/// Create a tenant
#[utoipa::path(post, path = "/v1/tenants", operation_id = "tenant_create", tag = "Tenant",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<ManageTenants>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// List tenants
#[utoipa::path(get, path = "/v1/tenants", operation_id = "tenant_list", tag = "Tenant",
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

/// Get a tenant
#[utoipa::path(get, path = "/v1/tenants/{id}", operation_id = "tenant_get", tag = "Tenant",
    params(("id" = String, Path, description = "Id of the tenant.")),
    responses((status = 200, description = "The tenant.", body = View)))]
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

/// Change a tenant
#[utoipa::path(patch, path = "/v1/tenants/{id}", operation_id = "tenant_update", tag = "Tenant",
    params(("id" = String, Path, description = "Id of the tenant."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<ManageTenants>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    service::update(&app, &caller, scope, &call, id, body).await
}

/// Delete a tenant
#[utoipa::path(delete, path = "/v1/tenants/{id}", operation_id = "tenant_delete", tag = "Tenant",
    params(("id" = String, Path, description = "Id of the tenant."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<ManageTenants>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
