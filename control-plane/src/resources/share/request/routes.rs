//! `/v1/data-products/{id}/request` and `/v1/access-requests`.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{Error, Result, code, kind};
use crate::resources::share::request::api::{
    AccessApproval, AccessRejection, AccessRequestInput, RequestDirection,
};
use crate::resources::share::request::store::Filter;
use crate::resources::share::request::{sent, service};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, PageQuery, PathId, Phase, Queried,
    Served,
};
use crate::runtime::App;

type This = kind::AccessRequest;
type View = Object<This>;
type Views = List<This>;

/// Where a request may stand.
const PHASES: [Phase; 5] = [
    Phase::Pending,
    Phase::Approved,
    Phase::Rejected,
    Phase::Withdrawn,
    Phase::Expired,
];

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(withdraw))
}

/// Ask for a data product
///
/// Its owner decides within thirty days. One request of a tenant for the same waits at a time; 50 a day, 3 for the same.
#[utoipa::path(post, path = "/v1/data-products/{id}/request", operation_id = "data_product_request", tag = "DataProduct",
    params(("id" = String, Path, description = "Id of the data product."), CallQuery, CallHeaders),
    request_body = AccessRequestInput, responses((status = 201, description = "Asked.", body = View)))]
async fn ask(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<kind::DataProduct>,
    Mutation { body, call }: Mutation<AccessRequestInput>,
) -> Result<Answer> {
    sent::ask(&app, &caller, scope, &call, id, body).await
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filters {
    /// `received` or `sent`; left out: both.
    direction: Option<String>,
    /// PENDING, APPROVED, REJECTED, WITHDRAWN or EXPIRED.
    #[param(value_type = Option<String>)]
    phase: Option<Phase>,
}

/// List requests for data products
///
/// Those that the tenant received and those that it sent, the newest first.
#[utoipa::path(get, path = "/v1/access-requests", operation_id = "access_request_list", tag = "AccessRequest",
    params(PageQuery, Filters), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filters { direction, phase }): Queried<Filters>,
) -> Result<axum::Json<Views>> {
    let direction = match direction.as_deref() {
        None => None,
        Some("received") => Some(RequestDirection::Received),
        Some("sent") => Some(RequestDirection::Sent),
        Some(_other) => {
            let detail = "The direction is received or sent.";
            return Err(Error::invalid("", code::OUT_OF_RANGE, detail));
        }
    };
    if phase.is_some_and(|it| !PHASES.contains(&it)) {
        let detail = "The phase of a request is PENDING, APPROVED, REJECTED, WITHDRAWN or EXPIRED.";
        return Err(Error::invalid("", code::OUT_OF_RANGE, detail));
    }
    let found = service::list(&app, scope, Filter { direction, phase }, page).await?;
    Ok(axum::Json(List::new(page, found)))
}

/// Get a request for a data product
#[utoipa::path(get, path = "/v1/access-requests/{id}", operation_id = "access_request_get", tag = "AccessRequest",
    params(("id" = String, Path, description = "Id of the request.")),
    responses((status = 200, description = "The request.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    service::read(&app, scope, id).await.map(Served)
}

/// Approve a request
///
/// It becomes a share, offered to whoever asked. Needs the role TENANT_ADMIN on the topic. What the body leaves out begins safe.
#[utoipa::path(post, path = "/v1/access-requests/{id}/approve", operation_id = "access_request_approve", tag = "AccessRequest",
    params(("id" = String, Path, description = "Id of the request."), CallQuery, CallHeaders), request_body = AccessApproval,
    responses((status = 200, description = "Decided.", body = View)))]
async fn approve(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<AccessApproval>,
) -> Result<Answer> {
    service::approve(&app, &caller, scope, &call, id, body).await
}

/// Reject a request
///
/// Needs the role TENANT_ADMIN on the topic.
#[utoipa::path(post, path = "/v1/access-requests/{id}/reject", operation_id = "access_request_reject", tag = "AccessRequest",
    params(("id" = String, Path, description = "Id of the request."), CallQuery, CallHeaders), request_body = AccessRejection,
    responses((status = 200, description = "Decided.", body = View)))]
async fn reject(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<AccessRejection>,
) -> Result<Answer> {
    service::reject(&app, &caller, scope, &call, id, body).await
}

/// Withdraw a request
#[utoipa::path(post, path = "/v1/access-requests/{id}/withdraw", operation_id = "access_request_withdraw", tag = "AccessRequest",
    params(("id" = String, Path, description = "Id of the request."), CallQuery, CallHeaders), request_body = Empty,
    responses((status = 200, description = "Decided.", body = View)))]
async fn withdraw(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    sent::withdraw(&app, &caller, scope, &call, id).await
}
