//! `/v1/jobs`.

use std::collections::BTreeMap;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{ClusterId, Id, Result, kind};
use crate::resources::job::api::{JobProgress, JobRollback, JobVersionList, versions_before, view};
use crate::resources::job::decision::{self, JobScalingDecisionList};
use crate::resources::job::model::JobId;
use crate::resources::job::store::Filter;
use crate::resources::job::{progress, service, store, version};
use crate::resources::served;
use crate::rest::{
    Answer, Call, CallHeaders, CallQuery, Empty, List, Listed, Mutation, Object, ObjectInput, PageQuery,
    PatchInput, PathId, Queried, Served, until_ready,
};
use crate::runtime::App;

type This = kind::Job;
type View = Object<This>;
type Views = List<This>;
type Input = ObjectInput<This>;
type Patch = PatchInput<This>;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update, delete))
        .routes(routes!(restart))
        .routes(routes!(rollback))
        .routes(routes!(list_versions))
        .routes(routes!(list_decisions))
}

/// Create a job
#[utoipa::path(post, path = "/v1/jobs", operation_id = "job_create", tag = "Job",
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
struct JobFilter {
    /// Only those of this cluster.
    #[param(value_type = Option<String>)]
    cluster: Option<ClusterId>,
    /// Only those of this compute pool.
    #[param(value_type = Option<String>)]
    compute_pool: Option<Id<kind::ComputePool>>,
}

/// List jobs
#[utoipa::path(get, path = "/v1/jobs", operation_id = "job_list", tag = "Job",
    params(PageQuery, JobFilter), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(JobFilter {
        cluster,
        compute_pool,
    }): Queried<JobFilter>,
) -> Result<axum::Json<Views>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let filter = Filter {
        cluster,
        compute_pool,
    };
    let rows = store::list(&mut tx, scope, &filter, page).await?;
    let ids: Vec<_> = rows.iter().map(|it| it.id.uuid()).collect();
    let reports: BTreeMap<_, _> = served::reports(&mut tx, &ids).await?.into_iter().collect();
    let mut progress: BTreeMap<_, JobProgress> = progress::of(&mut tx, scope, &ids).await?;
    tx.commit().await?;
    let views = rows.into_iter().map(|row| {
        let (id, report) = (row.id.uuid(), reports.get(&row.id.uuid()));
        view(row, report, progress.remove(&id))
    });
    Ok(axum::Json(List::new(page, views.collect())))
}

/// Get a job
#[utoipa::path(get, path = "/v1/jobs/{id}", operation_id = "job_get", tag = "Job",
    params(("id" = String, Path, description = "Id of the job.")),
    responses((status = 200, description = "The job.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    read(&app, scope, id).await.map(Served)
}

/// Change a job
#[utoipa::path(patch, path = "/v1/jobs/{id}", operation_id = "job_update", tag = "Job",
    params(("id" = String, Path, description = "Id of the job."), CallQuery, CallHeaders),
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

/// Delete a job
#[utoipa::path(delete, path = "/v1/jobs/{id}", operation_id = "job_delete", tag = "Job",
    params(("id" = String, Path, description = "Id of the job."), CallQuery, CallHeaders),
    responses((status = 202, description = "Going away.", body = View), (status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, id).await
}

/// Restart a job
///
/// Its workers end and begin again where they were; nothing is lost and nothing is written twice.
#[utoipa::path(post, path = "/v1/jobs/{id}/restart", operation_id = "job_restart", tag = "Job",
    params(("id" = String, Path, description = "Id of the job."), CallQuery, CallHeaders),
    request_body = Empty, responses((status = 200, description = "The wish was noted.", body = View)))]
async fn restart(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::restart(&app, &caller, scope, &call, id).await
}

/// Run an older version again
///
/// What that version did becomes the newest version; everything else stays as it is.
#[utoipa::path(post, path = "/v1/jobs/{id}/rollback", operation_id = "job_rollback", tag = "Job",
    params(("id" = String, Path, description = "Id of the job."), CallQuery, CallHeaders),
    request_body = JobRollback, responses((status = 200, description = "The wish was noted.", body = View)))]
async fn rollback(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<This>,
    Mutation {
        body: JobRollback { version },
        call,
    }: Mutation<JobRollback>,
) -> Result<Answer> {
    let answer = service::roll_back(&app, &caller, scope, &call, id, version).await?;
    ready(&app, scope, &call, answer).await
}

/// List the versions of a job
///
/// The newest first; the thousand newest are kept.
#[utoipa::path(get, path = "/v1/jobs/{id}/versions", operation_id = "job_version_list", tag = "Job",
    params(("id" = String, Path, description = "Id of the job."), PageQuery),
    responses((status = 200, description = "A page.", body = JobVersionList)))]
async fn list_versions(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    PathId(id): PathId<This>,
) -> Result<axum::Json<JobVersionList>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    store::by_id(&mut tx, scope, id).await?;
    let rows = version::list(&mut tx, scope, id, versions_before(page), page.limit()).await?;
    tx.commit().await?;
    Ok(axum::Json(JobVersionList::new(page, rows)))
}

/// List what was decided of a job's workers
///
/// The newest first; the thousand newest are kept. What changed something is told, and what would have; not every look.
#[utoipa::path(get, path = "/v1/jobs/{id}/scaling-decisions", operation_id = "job_scaling_decision_list", tag = "Job",
    params(("id" = String, Path, description = "Id of the job."), PageQuery),
    responses((status = 200, description = "A page.", body = JobScalingDecisionList)))]
async fn list_decisions(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    PathId(id): PathId<This>,
) -> Result<axum::Json<JobScalingDecisionList>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    store::by_id(&mut tx, scope, id).await?;
    let rows = decision::list(&mut tx, scope, id, decision::before(page), page.limit()).await?;
    tx.commit().await?;
    Ok(axum::Json(JobScalingDecisionList::new(page, rows)))
}

/// Holds the answer, if the caller asked to, until the job runs.
async fn ready(app: &App, scope: TenantScope, call: &Call, answer: Answer) -> Result<Answer> {
    until_ready(app, call, answer, |app, id| async move {
        read(&app, scope, id).await?.json()
    })
    .await
}

async fn read(app: &App, scope: TenantScope, id: JobId) -> Result<View> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let report = served::report(&mut tx, id.uuid()).await?;
    let progress = progress::of(&mut tx, scope, &[id.uuid()]).await?;
    tx.commit().await?;
    Ok(view(row, report.as_ref(), progress.into_values().next()))
}
