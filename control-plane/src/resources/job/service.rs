//! What may happen to a job.

use chrono::Utc;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, Id, Labels, Result, code, kind};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::job::api::view;
use crate::resources::job::model::{Job, JobId, JobSpec, resource_name};
use crate::resources::job::{store, surroundings, validate, version};
use crate::resources::service_quota::{self, Quota};
use crate::resources::{cluster, owner, referred, served};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::Job>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    check(&spec, &metadata.labels)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let cluster = referred(
        cluster::by_id(write.tx(), scope, spec.cluster).await,
        "/spec/cluster",
        "There is no such cluster in this tenant.",
    )?;
    let name = resource_name(&cluster.environment_name, &cluster.spec.name, &spec.name);
    caller.require(Role::Developer, &name)?;
    service_quota::check(write.tx(), scope, Quota::Jobs).await?;
    surroundings::check_new(write.tx(), caller, scope, &cluster, &spec).await?;
    let id: JobId = Id::generate();
    store::insert(write.tx(), scope, id, cluster.data_plane, &spec, &metadata.labels).await?;
    let by = caller.principal.to_string();
    version::keep(write.tx(), scope, id, 1, &spec.program, false, &by).await?;
    finish(write, scope, id, cluster.data_plane, Action::Create, None).await
}

fn check(spec: &JobSpec, labels: &Labels) -> Result<()> {
    let mut errors = Vec::new();
    validate::validate(spec, &mut errors);
    crate::kernel::check_labels(labels, &mut errors);
    Error::check(errors)
}

/// The end of every change: stamp, record, answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: JobId,
    data_plane: DataPlaneId,
    action: Action,
    before: Option<Job>,
) -> Result<Answer> {
    let n = bump_generation(write.tx(), data_plane).await?;
    store::stamp(write.tx(), scope, id, n).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let report = served::report(write.tx(), id.uuid()).await?;
    let mut change = Change::new(action, id, &row.resource_name(), row.generation, owner(scope));
    if let Some(before) = before {
        change = change.with_before(view(before, report.as_ref(), None).json()?);
    }
    let after = view(row, report.as_ref(), None).json()?;
    write.record(change.with_after(after.clone())).await?;
    let status = match action {
        Action::Create => 201,
        Action::Delete => 202,
        Action::Update | Action::Act(_) => 200,
    };
    write.finish(status, after).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: JobId,
    patch: PatchInput<kind::Job>,
) -> Result<Answer> {
    let wish = |before: &Job| merged::<kind::Job>(&before.spec, &before.labels, patch, &["cluster", "name"]);
    change(app, caller, scope, call, id, Action::Update, wish).await
}

/// Wishes that the program of an older version runs, as a new version.
pub async fn roll_back(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: JobId,
    to: i32,
) -> Result<Answer> {
    let mut tx = app.db.read(&scope.scope()).await?;
    store::by_id(&mut tx, scope, id).await?;
    let found = version::one(&mut tx, scope, id, to).await?;
    tx.commit().await?;
    let program = found
        .map(|it| it.program)
        .ok_or_else(|| Error::invalid("/version", code::BAD_REFERENCE, "The job has no such version."))?;
    let wish = |before: &Job| {
        let spec = JobSpec {
            program,
            ..before.spec.clone()
        };
        Ok((spec, before.labels.clone()))
    };
    change(app, caller, scope, call, id, Action::Act("rollback"), wish).await
}

/// Wishes that the agent starts it anew from where it is.
pub async fn restart(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: JobId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let after = Job {
        restart_nonce: before.restart_nonce + 1,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    let data_plane = before.data_plane;
    finish(write, scope, id, data_plane, Action::Act("restart"), Some(before)).await
}

/// Changes a job to what `wish` makes of it; another program is another version.
async fn change(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: JobId,
    action: Action,
    wish: impl FnOnce(&Job) -> Result<(JobSpec, Labels)>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let (spec, labels) = wish(&before)?;
    check(&spec, &labels)?;
    let cluster = cluster::by_id(write.tx(), scope, spec.cluster).await?;
    surroundings::check_changed(write.tx(), caller, scope, &cluster, &before, &spec).await?;
    let evolves = spec.program != before.spec.program;
    let after = Job {
        spec,
        labels,
        version: before.version + i32::from(evolves),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    if evolves {
        let (by, program) = (caller.principal.to_string(), &after.spec.program);
        let keeps_state = program.keeps_state_of(&before.spec.program);
        version::keep(write.tx(), scope, id, after.version, program, keeps_state, &by).await?;
    }
    let data_plane = before.data_plane;
    finish(write, scope, id, data_plane, action, Some(before)).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: JobId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    if before.spec.deletion_protection {
        let detail = "The job is protected: set deletion_protection to false first.";
        return Err(Error::conflict(code::PROTECTED, detail));
    }
    let reported = served::report(write.tx(), id.uuid()).await?;
    let pool = served::report(write.tx(), before.spec.compute_pool.uuid()).await?;
    let data_plane = before.data_plane;
    if reported.is_none() && pool.is_none() {
        // No agent ever spoke of it or of its pool: none runs it.
        store::delete(write.tx(), scope, id).await?;
        let name = before.resource_name();
        let change = Change::new(Action::Delete, id, &name, before.generation, owner(scope));
        let change = change.with_before(view(before, None, None).json()?);
        write.record(change).await?;
        bump_generation(write.tx(), data_plane).await?;
        return write.finish_empty().await;
    }
    let after = Job {
        deleted_at: Some(Utc::now()),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(write, scope, id, data_plane, Action::Delete, Some(before)).await
}

async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: JobId,
) -> Result<Job> {
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &row.resource_name())?;
    call.check_generation(row.generation)?;
    if row.deleted_at.is_some() {
        return Err(Error::conflict(code::BEING_DELETED, "The job is being deleted."));
    }
    Ok(row)
}
