//! What may happen to a job.

use chrono::Utc;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, FieldError, Id, Labels, Result, code, kind};
use crate::resources::cluster::Cluster;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::job::api::view;
use crate::resources::job::model::{Job, JobId, JobProgram, JobSpec, resource_name};
use crate::resources::job::{store, validate};
use crate::resources::service_quota::{self, Quota};
use crate::resources::{api_key, cluster, compute_pool, owner, referred, served, service_account};
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
    check_surroundings(&mut write, caller, scope, &cluster, &spec).await?;
    let id: JobId = Id::generate();
    store::insert(write.tx(), scope, id, cluster.data_plane, &spec, &metadata.labels).await?;
    let by = caller.principal.to_string();
    store::keep_version(write.tx(), scope, id, 1, &spec.program, false, &by).await?;
    finish(write, scope, id, cluster.data_plane, Action::Create, None).await
}

fn check(spec: &JobSpec, labels: &Labels) -> Result<()> {
    let mut errors = Vec::new();
    validate::validate(spec, &mut errors);
    crate::kernel::check_labels(labels, &mut errors);
    Error::check(errors)
}

/// Everything that the spec refers to is there, fits together, and is the caller's to use.
async fn check_surroundings(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    cluster: &Cluster,
    spec: &JobSpec,
) -> Result<()> {
    if cluster.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The cluster is being deleted.",
        ));
    }
    cluster.require_gateway("keeps a job to its rights there")?;
    let pool = referred(
        compute_pool::by_id(write.tx(), scope, spec.compute_pool).await,
        "/spec/compute_pool",
        "There is no such compute pool in this tenant.",
    )?;
    if pool.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The compute pool is being deleted.",
        ));
    }
    if pool.spec.data_plane != cluster.data_plane {
        let detail = "The compute pool is on another data plane than the cluster.";
        return Err(Error::invalid("/spec/compute_pool", code::BAD_REFERENCE, detail));
    }
    let units = spec.scaling.min_workers;
    if units > pool.spec.max_units {
        let detail = format!(
            "The job needs {units} compute units at least, and its pool has {}.",
            pool.spec.max_units
        );
        return Err(Error::invalid(
            "/spec/scaling/min_workers",
            code::OUT_OF_RANGE,
            detail,
        ));
    }
    referred(
        service_account::by_id(write.tx(), scope, spec.service_account).await,
        "/spec/service_account",
        "There is no such service account in this tenant.",
    )?;
    // Whoever makes a program run as somebody could otherwise do what only that one may.
    api_key::check_held(write.tx(), caller, scope, spec.service_account).await?;
    check_topics(write, scope, spec).await
}

/// Its topics are there, of this cluster.
async fn check_topics(write: &mut Write, scope: TenantScope, spec: &JobSpec) -> Result<()> {
    let JobProgram::Action {
        source,
        steps: _,
        sinks,
        dead_letter,
    } = &spec.program;
    let source = std::iter::once(("source/topic".to_owned(), source.topic));
    let sinks = sinks.iter().enumerate();
    let sinks = sinks.map(|(number, it)| (format!("sinks/{number}/topic"), it.topic));
    let dead_letter = dead_letter.iter().map(|it| ("dead_letter".to_owned(), *it));
    let named: Vec<_> = source.chain(sinks).chain(dead_letter).collect();
    let ids: Vec<_> = named.iter().map(|(_field, topic)| topic.uuid()).collect();
    let found = store::topics_of(write.tx(), scope, spec.cluster, &ids).await?;
    let missing = named
        .into_iter()
        .filter(|(_field, topic)| !found.iter().any(|(id, _name)| id == topic));
    let errors = missing.map(|(field, _topic)| FieldError {
        pointer: format!("/spec/program/{field}"),
        code: code::BAD_REFERENCE.into(),
        detail: "There is no such topic in the job's cluster.".into(),
    });
    Error::check(errors.collect())
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
    let found = store::versions(&mut tx, scope, id, to.saturating_add(1), 1).await?;
    tx.commit().await?;
    let version = found.into_iter().find(|it| it.version == to);
    let program = version
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
    check_surroundings(&mut write, caller, scope, &cluster, &spec).await?;
    let evolves = spec.program != before.spec.program;
    let after = Job {
        spec,
        labels,
        version: before.version + i32::from(evolves),
        generation: before.generation + 1,
        ..before.clone()
    };
    if evolves {
        let (by, program) = (caller.principal.to_string(), &after.spec.program);
        store::keep_version(write.tx(), scope, id, after.version, program, true, &by).await?;
    }
    store::update(write.tx(), scope, before.generation, &after).await?;
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
    let data_plane = before.data_plane;
    if reported.is_none() {
        // No agent ever spoke of it: there is nothing to end.
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
