//! `/v1/contract-lint-rules`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{Result, kind};
use crate::resources::contract_lint_rule::{service, store};
use crate::resources::environment::EnvironmentId;
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served,
};
use crate::runtime::App;

type This = kind::ContractLintRule;
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

/// Create a lint rule
///
/// Every registration in its environment is asked it from now on, through `/v1/contracts` and `/registry`; versions that are there
/// stay. The expression is checked against what a contract is, and its cost is tried.
#[utoipa::path(post, path = "/v1/contract-lint-rules", operation_id = "contract_lint_rule_create", tag = "ContractLintRule",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    service::create(&app, &caller, scope, &call, body).await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ContractLintRuleFilter {
    /// Only those for this environment alone.
    environment: Option<EnvironmentId>,
}

/// List lint rules
#[utoipa::path(get, path = "/v1/contract-lint-rules", operation_id = "contract_lint_rule_list", tag = "ContractLintRule",
    params(PageQuery, ContractLintRuleFilter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(ContractLintRuleFilter { environment }): Queried<ContractLintRuleFilter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, environment, page).await?;
    tx.commit().await?;
    let views = rows.into_iter().map(Object::from).collect();
    Ok(axum::Json(List::new(page, views)))
}

/// Get a lint rule
#[utoipa::path(get, path = "/v1/contract-lint-rules/{id}", operation_id = "contract_lint_rule_get", tag = "ContractLintRule",
    params(("id" = String, Path, description = "Id of the lint rule.")),
    responses((status = 200, description = "The lint rule.", body = View)))]
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

/// Change a lint rule
#[utoipa::path(patch, path = "/v1/contract-lint-rules/{id}", operation_id = "contract_lint_rule_update", tag = "ContractLintRule",
    params(("id" = String, Path, description = "Id of the lint rule."), CallQuery, CallHeaders),
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

/// Delete a lint rule
#[utoipa::path(delete, path = "/v1/contract-lint-rules/{id}", operation_id = "contract_lint_rule_delete", tag = "ContractLintRule",
    params(("id" = String, Path, description = "Id of the lint rule."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
