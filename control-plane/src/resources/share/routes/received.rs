//! `/v1/received-shares` and `/v1/share-invitations`: what a recipient does.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::is_enforced;
use crate::auth::{AdministerTenant, Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{Page, Result, kind};
use crate::resources::share::api::{self, Beside, ShareAcceptance, ShareInvitation, SharePreview};
use crate::resources::share::model::Decision;
use crate::resources::share::received::{self, given_id};
use crate::resources::share::{invitation, party, store};
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, PageQuery, PathId, Served,
    until,
};
use crate::runtime::App;

type This = kind::ReceivedShare;
type View = Object<This>;
type Views = List<This>;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(preview))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(leave))
        .routes(routes!(preview_invitation))
        .routes(routes!(claim_invitation))
}

/// List the shares that the tenant receives
#[utoipa::path(get, path = "/v1/received-shares", operation_id = "received_share_list", tag = "ReceivedShare",
    params(PageQuery), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(list): Listed,
) -> Result<axum::Json<Views>> {
    page(&app, scope, list).await.map(axum::Json)
}

/// A page of them, for both paths that list them.
pub async fn page(app: &App, scope: TenantScope, page: Page) -> Result<Views> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::received_list(&mut tx, scope, page).await?;
    let beside = party::beside_received(&mut tx, scope, &rows).await?;
    tx.commit().await?;
    let nothing = Beside::default();
    let views = rows
        .iter()
        .map(|row| api::received(row, beside.get(&row.id.uuid()).unwrap_or(&nothing)));
    Ok(List::new(page, views.collect()))
}

/// Get a received share
#[utoipa::path(get, path = "/v1/received-shares/{id}", operation_id = "received_share_get", tag = "ReceivedShare",
    params(("id" = String, Path, description = "Id of the received share.")),
    responses((status = 200, description = "The share.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::received_by_id(&mut tx, scope, given_id(id)).await?;
    let beside = party::beside_received(&mut tx, scope, std::slice::from_ref(&row)).await?;
    tx.commit().await?;
    let nothing = Beside::default();
    let beside = beside.get(&row.id.uuid()).unwrap_or(&nothing);
    Ok(Served(api::received(&row, beside)))
}

/// Look at a received share
///
/// Its topics with the fields of their records, after everything that is done with them. The first look makes it PREVIEWED.
#[utoipa::path(post, path = "/v1/received-shares/{id}/preview", operation_id = "received_share_preview",
    tag = "ReceivedShare", params(("id" = String, Path, description = "Id of the received share."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "What it is.", body = SharePreview)))]
async fn preview(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<axum::Json<SharePreview>> {
    received::preview(&app, &caller, scope, &call, given_id(id))
        .await
        .map(axum::Json)
}

/// Accept a share
///
/// Needs the role TENANT_ADMIN on the cluster, which is on the broker pool of the shared topics and has no topics of these names yet.
#[utoipa::path(post, path = "/v1/received-shares/{id}/accept", operation_id = "received_share_accept",
    tag = "ReceivedShare", params(("id" = String, Path, description = "Id of the received share."), CallQuery, CallHeaders),
    request_body = ShareAcceptance, responses((status = 200, description = "Decided.", body = View)))]
async fn accept(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<ShareAcceptance>,
) -> Result<Answer> {
    let answer = received::accept(&app, &caller, scope, &call, given_id(id), body).await?;
    enforced(&app, scope, &call, answer).await
}

/// Decline a share
#[utoipa::path(post, path = "/v1/received-shares/{id}/decline", operation_id = "received_share_decline",
    tag = "ReceivedShare", params(("id" = String, Path, description = "Id of the received share."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "Decided.", body = View)))]
async fn decline(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    received::decided(&app, &caller, scope, &call, given_id(id), Decision::Decline).await
}

/// Leave a share
///
/// The topics that show it go. Refused while a job reads one of them.
#[utoipa::path(post, path = "/v1/received-shares/{id}/leave", operation_id = "received_share_leave",
    tag = "ReceivedShare", params(("id" = String, Path, description = "Id of the received share."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "Decided.", body = View)))]
async fn leave(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    let answer = received::decided(&app, &caller, scope, &call, given_id(id), Decision::Leave).await?;
    enforced(&app, scope, &call, answer).await
}

/// Holds the answer, if the caller asked to, until every gateway obeys.
async fn enforced(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    let read = |app: App, id| async move { received::read(&app, scope, given_id(id)).await };
    until::<This, _>(app, call, answer, read, is_enforced).await
}

/// Look at an invitation
///
/// Whoever has the token sees what he would get, before he belongs to any tenant. The token stands in the body, where no server logs it. Thirty
/// looks a minute from one address.
#[utoipa::path(post, path = "/v1/share-invitations/preview", operation_id = "share_invitation_preview", tag = "ReceivedShare",
    request_body = ShareInvitation, security(()), responses((status = 200, description = "What it is.", body = SharePreview)))]
async fn preview_invitation(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Mutation { body, call }: Mutation<ShareInvitation>,
) -> Result<axum::Json<SharePreview>> {
    invitation::count(peer.map(|Extension(ConnectInfo(it))| it.ip()))?;
    invitation::preview(&app, &call, &body.token)
        .await
        .map(axum::Json)
}

/// Take an invitation
///
/// The share is among those that the tenant receives from then on, to be accepted or declined; the token is used. One by e-mail is for whoever
/// signed in with that address.
#[utoipa::path(post, path = "/v1/share-invitations/claim", operation_id = "share_invitation_claim", tag = "ReceivedShare",
    params(CallQuery, CallHeaders), request_body = ShareInvitation,
    responses((status = 200, description = "Taken.", body = View)))]
async fn claim_invitation(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Allowed { caller, scope, .. }: Allowed<AdministerTenant>,
    Mutation { body, call }: Mutation<ShareInvitation>,
) -> Result<Answer> {
    invitation::count(peer.map(|Extension(ConnectInfo(it))| it.ip()))?;
    invitation::claim(&app, &caller, scope, &call, &body.token).await
}
