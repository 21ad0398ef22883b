//! `/v1/api-keys`.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{ClusterId, Result, ServiceAccountId, kind};
use crate::resources::api_key::service;
use crate::resources::api_key::store::{self, Filter};
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::ApiKey;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// Which keys to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FilterQuery {
    /// Those of this service account.
    service_account: Option<ServiceAccountId>,
    /// Those that open this cluster.
    cluster: Option<ClusterId>,
}

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
}

/// Create an API key
#[utoipa::path(post, path = "/v1/api-keys", operation_id = "api_key_create", tag = "ApiKey",
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

/// List API keys
#[utoipa::path(get, path = "/v1/api-keys", operation_id = "api_key_list", tag = "ApiKey",
    params(PageQuery, FilterQuery), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(FilterQuery {
        service_account,
        cluster,
    }): Queried<FilterQuery>,
) -> Result<axum::Json<Views>> {
    let filter = Filter {
        service_account,
        cluster,
    };
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, &filter, page).await?;
    tx.commit().await?;
    Ok(axum::Json(List::new(
        page,
        rows.into_iter().map(Object::from).collect(),
    )))
}

/// Get an API key
#[utoipa::path(get, path = "/v1/api-keys/{id}", operation_id = "api_key_get", tag = "ApiKey",
    params(("id" = String, Path, description = "Id of the API key.")),
    responses((status = 200, description = "The API key.", body = View)))]
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

/// Change an API key
#[utoipa::path(patch, path = "/v1/api-keys/{id}", operation_id = "api_key_update", tag = "ApiKey",
    params(("id" = String, Path, description = "Id of the API key."), CallQuery, CallHeaders),
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

/// Delete an API key
#[utoipa::path(delete, path = "/v1/api-keys/{id}", operation_id = "api_key_delete", tag = "ApiKey",
    params(("id" = String, Path, description = "Id of the API key."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Holds the answer until the gateways take the key, if the caller asked to.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        let mut tx = app.db.read(&scope.scope()).await?;
        let row = store::by_id(&mut tx, scope, id).await?;
        tx.commit().await?;
        View::from(row).json()
    })
    .await
}
