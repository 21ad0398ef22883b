//! `/v1/shares` and the switch of sharing: what a provider does.

mod received;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{AdministerTenant, Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{Error, Result, code, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::share::api::{self, ShareEnd};
use crate::resources::share::model::{Decision, ShareId};
use crate::resources::share::switch::{self, Sharing};
use crate::resources::share::{levels, party, product, request, service, store};
use crate::resources::topic::TopicId;
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until,
};
use crate::runtime::App;

type This = kind::Share;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_sharing, put_sharing))
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(resend))
        .routes(routes!(extend))
        .routes(routes!(revoke))
        .routes(routes!(rotate_key))
        .merge(received::router())
        .merge(levels::router())
        .merge(product::router())
        .merge(request::router())
}

/// Get the switch of sharing
#[utoipa::path(get, path = "/v1/sharing", operation_id = "sharing_get", tag = "Share",
    responses((status = 200, description = "The switch.", body = Sharing)))]
async fn get_sharing(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
) -> Result<axum::Json<Sharing>> {
    switch::read(&app, scope).await.map(axum::Json)
}

/// Turn sharing on or off
///
/// Off both ways until a tenant administrator says otherwise. What is shared already goes on: it is ended by whoever gave or took it.
#[utoipa::path(put, path = "/v1/sharing", operation_id = "sharing_put", tag = "Share",
    params(CallQuery, CallHeaders), request_body = Sharing,
    responses((status = 200, description = "Turned.", body = Sharing)))]
async fn put_sharing(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    Mutation { body, call }: Mutation<Sharing>,
) -> Result<Answer> {
    switch::write(&app, &caller, scope, &call, body).await
}

/// Share topics
///
/// Needs the role TENANT_ADMIN on each of them. A tenant finds the share among those it receives; for EMAIL and LINK the answer has an invitation
/// once.
#[utoipa::path(post, path = "/v1/shares", operation_id = "share_create", tag = "Share",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    let answer = service::create(&app, &caller, scope, &call, body).await?;
    enforced(&app, scope, &call, answer).await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this cluster.
    #[param(value_type = Option<String>)]
    cluster: Option<ClusterId>,
    /// Only those with this topic.
    #[param(value_type = Option<String>)]
    topic: Option<TopicId>,
    /// `given`, which it is when left out, or `received`: the page is of ReceivedShare then, as `/v1/received-shares` lists them, which knows
    /// neither of the other filters.
    direction: Option<String>,
}

/// The register of shares, from either side.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Register {
    Given(Views),
    Received(List<kind::ReceivedShare>),
}

/// List the shares that the tenant gives, or those that it receives
#[utoipa::path(get, path = "/v1/shares", operation_id = "share_list", tag = "Share",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter {
        cluster,
        topic,
        direction,
    }): Queried<Filter>,
) -> Result<axum::Json<Register>> {
    let filtered = cluster.is_some() || topic.is_some();
    match direction.as_deref() {
        None | Some("given") => {}
        Some("received") if !filtered => {
            let page = received::page(&app, scope, page).await?;
            return Ok(axum::Json(Register::Received(page)));
        }
        Some(_other) => {
            let detail = "The direction is given, or received without another filter.";
            return Err(Error::invalid("", code::OUT_OF_RANGE, detail));
        }
    }
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, store::Filter { cluster, topic }, page).await?;
    let mut beside = party::beside_given(&mut tx, scope, &rows).await?;
    tx.commit().await?;
    let views = rows.into_iter().map(|row| {
        let beside = beside.remove(&row.id.uuid()).unwrap_or_default();
        api::given(row, &beside)
    });
    Ok(axum::Json(Register::Given(List::new(page, views.collect()))))
}

/// Get a share
#[utoipa::path(get, path = "/v1/shares/{id}", operation_id = "share_get", tag = "Share",
    params(("id" = String, Path, description = "Id of the share.")),
    responses((status = 200, description = "The share.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

async fn read(app: &App, scope: TenantScope, id: ShareId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let mut beside = party::beside_given(&mut tx, scope, std::slice::from_ref(&row)).await?;
    tx.commit().await?;
    let beside = beside.remove(&row.id.uuid()).unwrap_or_default();
    Ok(api::given(row, &beside))
}

/// Change a share
///
/// Once it is accepted its terms, topics, names and beginnings stay; another price counts from the next full hour on.
#[utoipa::path(patch, path = "/v1/shares/{id}", operation_id = "share_update", tag = "Share",
    params(("id" = String, Path, description = "Id of the share."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    let answer = service::update(&app, &caller, scope, &call, id, body).await?;
    enforced(&app, scope, &call, answer).await
}

/// Delete a share
///
/// One that is not active, once its mounts are gone.
#[utoipa::path(delete, path = "/v1/shares/{id}", operation_id = "share_delete", tag = "Share",
    params(("id" = String, Path, description = "Id of the share."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Offer a share anew
///
/// One that nobody has taken or that has ended: it is INVITED again, and earlier invitations are void.
#[utoipa::path(post, path = "/v1/shares/{id}/resend", operation_id = "share_resend", tag = "Share",
    params(("id" = String, Path, description = "Id of the share."), CallQuery, CallHeaders), request_body = ShareEnd,
    responses((status = 200, description = "Decided.", body = View)))]
async fn resend(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<ShareEnd>,
) -> Result<Answer> {
    service::decided(&app, &caller, scope, &call, id, (Decision::Resend, body)).await
}

/// Move the end of a share
#[utoipa::path(post, path = "/v1/shares/{id}/extend", operation_id = "share_extend", tag = "Share",
    params(("id" = String, Path, description = "Id of the share."), CallQuery, CallHeaders), request_body = ShareEnd,
    responses((status = 200, description = "Decided.", body = View)))]
async fn extend(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<ShareEnd>,
) -> Result<Answer> {
    let answer = service::decided(&app, &caller, scope, &call, id, (Decision::Extend, body)).await?;
    enforced(&app, scope, &call, answer).await
}

/// Exchange the keys of an encrypted share
///
/// What is written from then on is under a new data key, and other keys of both sides wrap it; what is there stays readable.
#[utoipa::path(post, path = "/v1/shares/{id}/rotate-key", operation_id = "share_rotate_key", tag = "Share",
    params(("id" = String, Path, description = "Id of the share."), CallQuery, CallHeaders), request_body = Empty,
    responses((status = 200, description = "Decided.", body = View)))]
async fn rotate_key(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    let decision = (Decision::RotateKey, ShareEnd::default());
    let answer = service::decided(&app, &caller, scope, &call, id, decision).await?;
    enforced(&app, scope, &call, answer).await
}

/// End a share
///
/// Its topics are shown no more, within a second of the gateways' hearing of it; what was read stays in usage and audit.
#[utoipa::path(post, path = "/v1/shares/{id}/revoke", operation_id = "share_revoke", tag = "Share",
    params(("id" = String, Path, description = "Id of the share."), CallQuery, CallHeaders), request_body = Empty,
    responses((status = 200, description = "Decided.", body = View)))]
async fn revoke(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    let decision = (Decision::Revoke, ShareEnd::default());
    let answer = service::decided(&app, &caller, scope, &call, id, decision).await?;
    enforced(&app, scope, &call, answer).await
}

/// Holds the answer, if the caller asked to, until every gateway obeys.
async fn enforced(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    let read = |app: App, id| async move { read(&app, scope, id).await?.json() };
    until(app, call, answer, read, is_enforced).await
}

/// Does an object say that every gateway obeys?
fn is_enforced(object: &serde_json::Value) -> bool {
    object.pointer("/status/enforced") == Some(&serde_json::Value::Bool(true))
}
