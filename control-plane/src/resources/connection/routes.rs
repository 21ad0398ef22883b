//! `/v1/clusters/{id}/connections`.

use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope};
use crate::kernel::{ClusterId, Error, Result, code, kind};
use crate::resources::cluster::{self, Cluster};
use crate::resources::connection::api::{Connection, ConnectionList};
use crate::resources::connection::ask;
use crate::rest::{PathId, Queried};
use crate::runtime::App;

const PAGE_DEFAULT: u32 = 100;
const PAGE_MAX: u32 = 1000;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// The page.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ConnectionPage {
    /// Connections on the page.
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    page_size: u32,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

const fn page_default() -> u32 {
    PAGE_DEFAULT
}

/// List the connections of a cluster
///
/// Asked from its gateways now: who is connected, with which key, since when, and what it moved.
#[utoipa::path(get, path = "/v1/clusters/{id}/connections", operation_id = "connection_list", tag = "Connection",
    params(("id" = String, Path, description = "Id of the cluster."), ConnectionPage),
    responses((status = 200, description = "A page.", body = ConnectionList)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<kind::Cluster>,
    Queried(ConnectionPage {
        page_size,
        page_token,
    }): Queried<ConnectionPage>,
) -> Result<axum::Json<ConnectionList>> {
    if !(1..=PAGE_MAX).contains(&page_size) {
        let detail = "page_size is 1 to 1000.";
        return Err(Error::invalid("?page_size", code::OUT_OF_RANGE, detail));
    }
    if page_token.as_deref().is_some_and(|it| !ask::is_id(it)) {
        let detail = "The page token is not one that this list gave out; start without one.";
        return Err(Error::invalid("?page_token", code::BAD_PAGE_TOKEN, detail));
    }
    let cluster = find(&app, scope, id).await?;
    let (data, more) = ask::page(&app, scope, &cluster, page_token.unwrap_or_default(), page_size).await?;
    let next = data.last().filter(|_last| more).map(|it| it.id.clone());
    Ok(axum::Json(ConnectionList::new(data, next)))
}

/// Get a connection
///
/// Who it is, what it may do, and which quotas apply, as its gateway has it now.
#[utoipa::path(get, path = "/v1/clusters/{id}/connections/{connection}", operation_id = "connection_get",
    tag = "Connection",
    params(("id" = String, Path, description = "Id of the cluster."),
        ("connection" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The connection.", body = Connection)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Path((id, connection)): Path<(String, String)>,
) -> Result<axum::Json<Connection>> {
    let id: ClusterId = id.parse().map_err(|_| Error::not_found("Cluster"))?;
    let cluster = find(&app, scope, id).await?;
    if !ask::is_id(&connection) {
        return Err(Error::not_found("Connection"));
    }
    ask::one(&app, scope, &cluster, connection).await.map(axum::Json)
}

/// No database connection is held while the agent thinks.
async fn find(app: &App, scope: TenantScope, id: ClusterId) -> Result<Cluster> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let found = cluster::by_id(&mut tx, scope, id).await?;
    tx.commit().await?;
    found.require_gateway("here sees their connections")?;
    Ok(found)
}
