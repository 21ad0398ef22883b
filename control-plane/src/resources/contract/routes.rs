//! `/v1/contracts`: what is registered, for people and the console. Registering is done through `/registry`.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant};
use crate::kernel::{Result, kind};
use crate::resources::contract::store;
use crate::resources::environment::EnvironmentId;
use crate::rest::{List, Listed, Object, PageQuery, PathId, Queried, Served};
use crate::runtime::App;

type This = kind::Contract;
type View = Object<This>;
type Views = List<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Which contracts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Those of this environment.
    environment: Option<EnvironmentId>,
}

/// List contracts
///
/// Subjects of the registry that have a version which is not deleted.
#[utoipa::path(get, path = "/v1/contracts", operation_id = "contract_list", tag = "Contract",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter { environment }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::shown(&mut tx, scope, None, environment, page).await?;
    tx.commit().await?;
    Ok(axum::Json(List::new(
        page,
        rows.into_iter().map(Object::from).collect(),
    )))
}

/// Get a contract
#[utoipa::path(get, path = "/v1/contracts/{id}", operation_id = "contract_get", tag = "Contract",
    params(("id" = String, Path, description = "Id of the contract.")),
    responses((status = 200, description = "The contract.", body = View)))]
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
