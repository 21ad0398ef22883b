//! `/v1/contracts`: what is registered, for people and the console. Registering is done through `/registry`.

use axum::extract::{FromRequestParts, Path, State};
use http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant};
use crate::kernel::{Error, Kind as _, Result, kind};
use crate::resources::contract::api::ContractVersionDetail;
use crate::resources::contract::model::{ContractId, Lookup, Sought};
use crate::resources::contract::standing::{ContractClassification, ContractLifecycle};
use crate::resources::contract::{store, version};
use crate::resources::environment::EnvironmentId;
use crate::rest::{List, Listed, Object, PageQuery, PathId, Queried, Served};
use crate::runtime::App;

type This = kind::Contract;
type View = Object<This>;
type Views = List<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(get_version))
}

/// `{id}` and `{version}` of a path; a text that can be no version names none.
struct PathVersion {
    contract: ContractId,
    version: i32,
}

impl<S: Send + Sync> FromRequestParts<S> for PathVersion {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let missing = || Error::not_found(This::KIND);
        let Path((id, version)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_unreadable| missing())?;
        let contract = id.parse().map_err(|_none| missing())?;
        let version = version
            .parse()
            .map_err(|_none| Error::not_found("ContractVersion"))?;
        Ok(Self { contract, version })
    }
}

/// Which contracts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Those of this environment.
    environment: Option<EnvironmentId>,
    /// Those whose subject, or whose newest version's schema, tags or properties, contain this text, however it is written.
    /// Properties that the version calls sensitive are not looked at.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Those whose newest version has exactly this property `owner`, and does not call it sensitive.
    owner: Option<String>,
    /// Those whose newest version is in this stage.
    #[param(inline)]
    lifecycle: Option<ContractLifecycle>,
    /// Those whose newest version is of this class.
    #[param(inline)]
    classification: Option<ContractClassification>,
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
    Queried(filter): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    let Filter {
        environment,
        q,
        owner,
        lifecycle,
        classification,
    } = filter;
    let sought = Sought {
        owner,
        lifecycle,
        classification,
        ..Sought::from_query(environment, q)?
    };
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::shown(&mut tx, scope, None, &sought, page).await?;
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

/// Get a version of a contract
///
/// Its schema, metadata and rules as they were registered.
#[utoipa::path(get, path = "/v1/contracts/{id}/versions/{version}", operation_id = "contract_version_get", tag = "Contract",
    params(("id" = String, Path, description = "Id of the contract."),
        ("version" = i32, Path, description = "Number of a version that is not deleted.", minimum = 1)),
    responses((status = 200, description = "The version.", body = ContractVersionDetail)))]
async fn get_version(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathVersion { contract, version }: PathVersion,
) -> Result<axum::Json<ContractVersionDetail>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let subject = store::by_id(&mut tx, scope, contract).await?.subject;
    let found = version::last(&mut tx, scope, &subject, contract, Some(version), Lookup::Live).await?;
    tx.commit().await?;
    let found = found.ok_or_else(|| Error::not_found("ContractVersion"))?;
    Ok(axum::Json(ContractVersionDetail::of(contract, found)))
}
