//! `/v1/rate-cards`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Operate, ReadDirectory};
use crate::kernel::{Result, kind};
use crate::resources::rate_card::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Served,
};
use crate::runtime::App;

type This = kind::RateCard;
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

/// Create a rate card
#[utoipa::path(post, path = "/v1/rate-cards", operation_id = "rate_card_create", tag = "RateCard",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<Operate>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// List the rate cards that may rate the caller
#[utoipa::path(get, path = "/v1/rate-cards", operation_id = "rate_card_list", tag = "RateCard",
    params(PageQuery), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    Listed(page): Listed,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, page).await?;
    tx.commit().await?;
    Ok(axum::Json(List::new(
        page,
        rows.into_iter().map(Object::from).collect(),
    )))
}

/// Get a rate card
#[utoipa::path(get, path = "/v1/rate-cards/{id}", operation_id = "rate_card_get", tag = "RateCard",
    params(("id" = String, Path, description = "Id of the rate card.")),
    responses((status = 200, description = "The rate card.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Served(row.into()))
}

/// Change a rate card that is not yet in force
#[utoipa::path(patch, path = "/v1/rate-cards/{id}", operation_id = "rate_card_update", tag = "RateCard",
    params(("id" = String, Path, description = "Id of the rate card."), CallQuery, CallHeaders),
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

/// Delete a rate card that is not yet in force
#[utoipa::path(delete, path = "/v1/rate-cards/{id}", operation_id = "rate_card_delete", tag = "RateCard",
    params(("id" = String, Path, description = "Id of the rate card."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<Operate>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
