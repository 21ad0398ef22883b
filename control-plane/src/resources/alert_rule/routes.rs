//! `/v1/alert-rules`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{ClusterId, Result, kind};
use crate::resources::alert_rule::{service, store};
use crate::rest::{
    Answer, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served,
};
use crate::runtime::App;

type This = kind::AlertRule;
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

/// Create an alert rule
///
/// It is looked at every five seconds; when it begins to fire, when it ends, and when its value is lost, watchers get an
/// event with the action `firing`, `resolved` or `no_data`.
#[utoipa::path(post, path = "/v1/alert-rules", operation_id = "alert_rule_create", tag = "AlertRule",
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
struct AlertRuleFilter {
    /// Only those of this cluster.
    #[param(value_type = Option<String>)]
    cluster: Option<ClusterId>,
}

/// List alert rules
#[utoipa::path(get, path = "/v1/alert-rules", operation_id = "alert_rule_list", tag = "AlertRule",
    params(PageQuery, AlertRuleFilter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(AlertRuleFilter { cluster }): Queried<AlertRuleFilter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, cluster, page).await?;
    tx.commit().await?;
    let views = rows.into_iter().map(Object::from).collect();
    Ok(axum::Json(List::new(page, views)))
}

/// Get an alert rule
#[utoipa::path(get, path = "/v1/alert-rules/{id}", operation_id = "alert_rule_get", tag = "AlertRule",
    params(("id" = String, Path, description = "Id of the alert rule.")),
    responses((status = 200, description = "The alert rule.", body = View)))]
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

/// Change an alert rule
#[utoipa::path(patch, path = "/v1/alert-rules/{id}", operation_id = "alert_rule_update", tag = "AlertRule",
    params(("id" = String, Path, description = "Id of the alert rule."), CallQuery, CallHeaders),
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

/// Delete an alert rule
#[utoipa::path(delete, path = "/v1/alert-rules/{id}", operation_id = "alert_rule_delete", tag = "AlertRule",
    params(("id" = String, Path, description = "Id of the alert rule."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}
