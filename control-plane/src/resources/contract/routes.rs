//! `/v1/contracts`: what is registered, and registering, for people, scripts and the console. `/registry` is the same for clients.

use axum::extract::{FromRequestParts, Path, State};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{Error, Kind as _, Result, kind};
use crate::resources::contract::api::ContractVersionDetail;
use crate::resources::contract::input::{ContractInput, ContractVersionInput};
use crate::resources::contract::model::{ContractId, Lookup, Sought};
use crate::resources::contract::plan::ContractPlan;
use crate::resources::contract::standing::{ContractClassification, ContractLifecycle};
use crate::resources::contract::{service, store, version};
use crate::resources::environment::EnvironmentId;
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, PageQuery, PatchInput, PathId,
    Queried, Served,
};
use crate::runtime::App;

type This = kind::Contract;
type View = Object<This>;
type Views = List<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(create_version))
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

/// What a registration answers beside 201.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the document alone")]
enum ContractAnswer {
    /// The same version was there already.
    #[schema(title = "unchanged")]
    Unchanged(View),
    /// With `dry_run`.
    #[schema(title = "plan")]
    Plan(ContractPlan),
}

/// What registering a version answers beside 201.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the document alone")]
enum ContractVersionAnswer {
    /// The same version was there already.
    #[schema(title = "unchanged")]
    Unchanged(ContractVersionDetail),
    /// With `dry_run`.
    #[schema(title = "plan")]
    Plan(ContractPlan),
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

/// Register a version of a subject
///
/// The first one makes the contract. It is answered once gateways of topics that take its schema know it, five seconds later at
/// most. With `dry_run` the answer is a plan: everything that is wrong, what is different from the newest version, and whom it
/// meets.
#[utoipa::path(post, path = "/v1/contracts", operation_id = "contract_create", tag = "Contract",
    params(CallQuery, CallHeaders), request_body = ContractInput,
    responses((status = 201, description = "Registered.", body = View),
        (status = 200, description = "The contract, if the same version is there already; with `dry_run`, the plan.",
            body = inline(ContractAnswer))))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    Mutation { body, call }: Mutation<ContractInput>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// Register a version of a contract
///
/// As `POST /v1/contracts`, of a contract that is there; what is left out is taken from the newest version.
#[utoipa::path(post, path = "/v1/contracts/{id}/versions", operation_id = "contract_version_create", tag = "Contract",
    params(("id" = String, Path, description = "Id of the contract."), CallQuery, CallHeaders),
    request_body = ContractVersionInput,
    responses((status = 201, description = "Registered.", body = ContractVersionDetail),
        (status = 200, description = "The version, if the same is there already; with `dry_run`, the plan.",
            body = inline(ContractVersionAnswer))))]
async fn create_version(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<ContractVersionInput>,
) -> Result<Answer> {
    service::create_version(&app, &caller, scope, &call, id, body).await
}

/// Change a contract
///
/// Its own compatibility level (null: it is inherited again) and its labels; everything else changes with a new version.
#[utoipa::path(patch, path = "/v1/contracts/{id}", operation_id = "contract_update", tag = "Contract",
    params(("id" = String, Path, description = "Id of the contract."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    service::update(&app, &caller, scope, &call, id, body).await
}

/// Delete a contract
///
/// Every version of the subject, as `/registry` deletes it: ids that records carry still resolve, and a version comes back when it
/// is registered again. What other schemas refer to stays.
#[utoipa::path(delete, path = "/v1/contracts/{id}", operation_id = "contract_delete", tag = "Contract",
    params(("id" = String, Path, description = "Id of the contract."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
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
    let findings = version::findings_of(&mut tx, scope, contract, version).await?;
    tx.commit().await?;
    let found = found.ok_or_else(|| Error::not_found("ContractVersion"))?;
    Ok(axum::Json(ContractVersionDetail::of(contract, found, findings)))
}
