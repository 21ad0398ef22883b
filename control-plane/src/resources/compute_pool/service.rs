//! What may happen to a compute pool.

use chrono::Utc;

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, Id, Result, code, kind};
use crate::resources::compute_pool::api::view;
use crate::resources::compute_pool::model::{self, ComputePool, ComputePoolId};
use crate::resources::compute_pool::store;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::service_quota::{self, Quota};
use crate::resources::{owner, served};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::ComputePool>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    service_quota::check(write.tx(), scope, Quota::ComputePools).await?;
    store::check_room(write.tx(), scope, spec.data_plane, None, spec.max_units).await?;
    let id: ComputePoolId = Id::generate();
    store::insert(write.tx(), scope, id, &spec, &metadata.labels).await?;
    finish(write, scope, id, spec.data_plane, Action::Create, None).await
}

/// The end of every change: stamp, record, answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: ComputePoolId,
    data_plane: DataPlaneId,
    action: Action,
    before: Option<ComputePool>,
) -> Result<Answer> {
    let n = bump_generation(write.tx(), data_plane).await?;
    store::stamp(write.tx(), scope, id, n).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let report = served::report(write.tx(), id.uuid()).await?;
    let mut change = Change::new(action, id, &row.resource_name(), row.generation, owner(scope));
    if let Some(before) = before {
        change = change.with_before(view(before, report.as_ref()).json()?);
    }
    let after = view(row, report.as_ref()).json()?;
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
    id: ComputePoolId,
    patch: PatchInput<kind::ComputePool>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, scope, call, id).await?;
    let immutable = ["data_plane", "name"];
    let (spec, labels) = merged::<kind::ComputePool>(&before.spec, &before.labels, patch, &immutable)?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    if spec.max_units > before.spec.max_units {
        store::check_room(write.tx(), scope, spec.data_plane, Some(id), spec.max_units).await?;
    }
    let after = ComputePool {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    let data_plane = before.spec.data_plane;
    finish(write, scope, id, data_plane, Action::Update, Some(before)).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ComputePoolId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, scope, call, id).await?;
    if before.jobs > 0 {
        let detail = format!(
            "{} jobs are in the compute pool: delete them, or move them to another.",
            before.jobs
        );
        return Err(Error::conflict(code::IN_USE, detail));
    }
    let reported = served::report(write.tx(), id.uuid()).await?;
    let data_plane = before.spec.data_plane;
    if reported.is_none() {
        // No agent ever spoke of it: there is nothing to end.
        // A guest without a cluster there sees the data plane's generation only while it has the pool.
        bump_generation(write.tx(), data_plane).await?;
        store::delete(write.tx(), scope, id).await?;
        let name = before.resource_name();
        let change = Change::new(Action::Delete, id, &name, before.generation, owner(scope));
        write
            .record(change.with_before(view(before, None).json()?))
            .await?;
        return write.finish_empty().await;
    }
    let after = ComputePool {
        deleted_at: Some(Utc::now()),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(write, scope, id, data_plane, Action::Delete, Some(before)).await
}

async fn present(
    write: &mut Write,
    scope: TenantScope,
    call: &Call,
    id: ComputePoolId,
) -> Result<ComputePool> {
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    if row.deleted_at.is_some() {
        let detail = "The compute pool is being deleted.";
        return Err(Error::conflict(code::BEING_DELETED, detail));
    }
    Ok(row)
}
