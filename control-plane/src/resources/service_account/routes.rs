//! `/v1/service-accounts`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{Result, kind};
use crate::resources::service_account::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Served,
};
use crate::runtime::App;

type This = kind::ServiceAccount;
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

/// Create a service account
#[utoipa::path(post, path = "/v1/service-accounts", operation_id = "service_account_create", tag = "ServiceAccount",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// List service accounts
#[utoipa::path(get, path = "/v1/service-accounts", operation_id = "service_account_list", tag = "ServiceAccount",
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

/// Get a service account
#[utoipa::path(get, path = "/v1/service-accounts/{id}", operation_id = "service_account_get", tag = "ServiceAccount",
    params(("id" = String, Path, description = "Id of the service account.")),
    responses((status = 200, description = "The service account.", body = View)))]
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

/// Change a service account
#[utoipa::path(patch, path = "/v1/service-accounts/{id}", operation_id = "service_account_update", tag = "ServiceAccount",
    params(("id" = String, Path, description = "Id of the service account."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    service::update(&app, &caller, scope, &call, id, body).await
}

/// Delete a service account
#[utoipa::path(delete, path = "/v1/service-accounts/{id}", operation_id = "service_account_delete", tag = "ServiceAccount",
    params(("id" = String, Path, description = "Id of the service account."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
