//! `/v1/members`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerDirectory, Allowed, ReadDirectory};
use crate::kernel::{Result, kind};
use crate::resources::member::api::MemberInput;
use crate::resources::member::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, PageQuery, PatchInput, PathId,
    Served,
};
use crate::runtime::App;

type This = kind::Member;
type View = Object<This>;
type Views = List<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(reset_password))
}

/// Create a member
#[utoipa::path(post, path = "/v1/members", operation_id = "member_create", tag = "Member",
    params(CallQuery, CallHeaders), request_body = MemberInput,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerDirectory>,
    Mutation { body, call }: Mutation<MemberInput>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// List members
#[utoipa::path(get, path = "/v1/members", operation_id = "member_list", tag = "Member",
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

/// Get a member
#[utoipa::path(get, path = "/v1/members/{id}", operation_id = "member_get", tag = "Member",
    params(("id" = String, Path, description = "Id of the member.")),
    responses((status = 200, description = "The member.", body = View)))]
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

/// Change a member
#[utoipa::path(patch, path = "/v1/members/{id}", operation_id = "member_update", tag = "Member",
    params(("id" = String, Path, description = "Id of the member."), CallQuery, CallHeaders),
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

/// Delete a member
#[utoipa::path(delete, path = "/v1/members/{id}", operation_id = "member_delete", tag = "Member",
    params(("id" = String, Path, description = "Id of the member."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerDirectory>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Make a new password
///
/// Shown once; every session of the member ends.
#[utoipa::path(post, path = "/v1/members/{id}/reset-password", operation_id = "member_reset_password", tag = "Member",
    params(("id" = String, Path, description = "Id of the member."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "The member, with the new password.", body = View)))]
async fn reset_password(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerDirectory>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::reset_password(&app, &caller, scope, &call, id).await
}
