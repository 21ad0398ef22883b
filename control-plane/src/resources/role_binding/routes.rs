//! `/v1/role-bindings`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerDirectory, Allowed, Principal, ReadDirectory};
use crate::kernel::{Result, kind};
use crate::resources::role_binding::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::RoleBinding;
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

/// Create a role binding
#[utoipa::path(post, path = "/v1/role-bindings", operation_id = "role_binding_create", tag = "RoleBinding",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerDirectory>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    let answer = service::create(&app, &caller, scope, &call, body).await?;
    until_ready(&app, &call, answer, |app, id| async move {
        let mut tx = app.db.read(&scope.scope()).await?;
        let row = store::by_id(&mut tx, scope, id).await?;
        tx.commit().await?;
        View::from(row).json()
    })
    .await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this member or service account.
    principal: Option<Principal>,
}

/// List role bindings
#[utoipa::path(get, path = "/v1/role-bindings", operation_id = "role_binding_list", tag = "RoleBinding",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    Listed(page): Listed,
    Queried(Filter { principal }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, principal, page).await?;
    tx.commit().await?;
    Ok(axum::Json(List::new(
        page,
        rows.into_iter().map(Object::from).collect(),
    )))
}

/// Get a role binding
#[utoipa::path(get, path = "/v1/role-bindings/{id}", operation_id = "role_binding_get", tag = "RoleBinding",
    params(("id" = String, Path, description = "Id of the role binding.")),
    responses((status = 200, description = "The role binding.", body = View)))]
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

/// Change a role binding
#[utoipa::path(patch, path = "/v1/role-bindings/{id}", operation_id = "role_binding_update", tag = "RoleBinding",
    params(("id" = String, Path, description = "Id of the role binding."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerDirectory>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    service::update(&app, &caller, scope, &call, id, body).await
}

/// Delete a role binding
#[utoipa::path(delete, path = "/v1/role-bindings/{id}", operation_id = "role_binding_delete", tag = "RoleBinding",
    params(("id" = String, Path, description = "Id of the role binding."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerDirectory>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
