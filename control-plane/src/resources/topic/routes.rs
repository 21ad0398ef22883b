//! `/v1/topics`.

use std::collections::BTreeMap;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{Page, Result, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::served;
use crate::resources::topic::api::view;
use crate::resources::topic::extent::{self, TopicExtent};
use crate::resources::topic::model::TopicId;
use crate::resources::topic::violations::{self, MINUTES_MOST, TopicViolations};
use crate::resources::topic::{service, store};
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::Topic;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(read_extent))
        .routes(routes!(read_violations))
        .routes(routes!(list_mounts))
}

/// Create a topic
#[utoipa::path(post, path = "/v1/topics", operation_id = "topic_create", tag = "Topic",
    params(CallQuery, CallHeaders), request_body = Input,
    responses((status = 201, description = "Created.", body = View)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    Mutation { body, call }: Mutation<Input>,
) -> Result<Answer> {
    let answer = service::create(&app, &caller, scope, &call, body).await?;
    ready(&app, scope, &call, answer).await
}

/// Filters of the list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this cluster.
    #[param(value_type = Option<String>)]
    cluster: Option<ClusterId>,
}

/// List topics
#[utoipa::path(get, path = "/v1/topics", operation_id = "topic_list", tag = "Topic",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter { cluster }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    page_of(&app, scope, cluster, false, page).await
}

/// List mounts
///
/// The topics that show what other tenants share.
#[utoipa::path(get, path = "/v1/mounts", operation_id = "mount_list", tag = "Topic",
    params(PageQuery, Filter), responses((status = 200, description = "A page.", body = Views)))]
async fn list_mounts(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Filter { cluster }): Queried<Filter>,
) -> Result<axum::Json<Views>> {
    page_of(&app, scope, cluster, true, page).await
}

async fn page_of(
    app: &App,
    scope: TenantScope,
    cluster: Option<ClusterId>,
    mounts_only: bool,
    page: Page,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, cluster, mounts_only, page).await?;
    let ids: Vec<_> = rows.iter().map(|it| it.id.uuid()).collect();
    let reports: BTreeMap<_, _> = served::reports(&mut tx, &ids).await?.into_iter().collect();
    tx.commit().await?;
    let views = rows.into_iter().map(|row| {
        let report = reports.get(&row.id.uuid());
        view(row, report)
    });
    Ok(axum::Json(List::new(page, views.collect())))
}

/// Get a topic
#[utoipa::path(get, path = "/v1/topics/{id}", operation_id = "topic_get", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic.")),
    responses((status = 200, description = "The topic.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

/// Change a topic
#[utoipa::path(patch, path = "/v1/topics/{id}", operation_id = "topic_update", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic."), CallQuery, CallHeaders),
    request_body(content = Patch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed.", body = View)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body, call }: Mutation<Patch>,
) -> Result<Answer> {
    let answer = service::update(&app, &caller, scope, &call, id, body).await?;
    ready(&app, scope, &call, answer).await
}

/// Delete a topic
#[utoipa::path(delete, path = "/v1/topics/{id}", operation_id = "topic_delete", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic."), CallQuery, CallHeaders),
    responses((status = 202, description = "Going away.", body = View), (status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// How much a topic holds
///
/// Asked from the agent now: offsets and sizes of each partition.
#[utoipa::path(get, path = "/v1/topics/{id}/extent", operation_id = "topic_extent", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic.")),
    responses((status = 200, description = "The extent.", body = TopicExtent)))]
async fn read_extent(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<axum::Json<TopicExtent>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let topic = store::by_id(&mut tx, scope, id).await?;
    // No connection is held while the agent thinks.
    tx.commit().await?;
    extent::ask(&app, &topic).await.map(axum::Json)
}

/// Of which time.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Period {
    /// The last minutes; an hour is kept.
    #[param(minimum = 1, maximum = 60, default = 60)]
    minutes: Option<i32>,
}

/// How a topic's contract is kept
///
/// What gateways judged and who broke which rule, from the agents' reports of the last hour: counts for people, not for bills. The
/// most frequent come first, 500 at most.
#[utoipa::path(get, path = "/v1/topics/{id}/violations", operation_id = "topic_violations", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic."), Period),
    responses((status = 200, description = "What was judged.", body = TopicViolations)))]
async fn read_violations(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
    Queried(Period { minutes }): Queried<Period>,
) -> Result<axum::Json<TopicViolations>> {
    let minutes = minutes.unwrap_or(MINUTES_MOST);
    violations::read(&app, scope, id, minutes).await.map(axum::Json)
}

/// Holds the answer, if the caller asked to, until every gateway serves the topic.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        read(&app, scope, id).await?.json()
    })
    .await
}

async fn read(app: &App, scope: TenantScope, id: TopicId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let report = served::report(&mut tx, id.uuid()).await?;
    tx.commit().await?;
    Ok(view(row, report.as_ref()))
}
