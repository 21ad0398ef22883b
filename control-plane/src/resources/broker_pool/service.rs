//! What may happen to a broker pool.

use chrono::Utc;

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, ErrorKind, Id, Result, code, kind};
use crate::resources::broker_pool::api::view;
use crate::resources::broker_pool::model::{self, BrokerPool, BrokerPoolId};
use crate::resources::broker_pool::store;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::service_quota::{self, Quota};
use crate::resources::{data_plane, owner, served};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::BrokerPool>,
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
    service_quota::check(write.tx(), scope, Quota::BrokerPools).await?;
    let data_plane = data_plane::by_id(write.tx(), scope, spec.data_plane)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => Error::invalid(
                "/spec/data_plane",
                code::BAD_REFERENCE,
                "There is no such data plane.",
            ),
            _ => error,
        })?;
    let id: BrokerPoolId = Id::generate();
    store::insert(write.tx(), scope, id, &spec, &metadata.labels).await?;
    finish(write, scope, id, data_plane.id, Action::Create, None).await
}

/// The end of every change: stamp, record, answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: BrokerPoolId,
    data_plane: DataPlaneId,
    action: Action,
    before: Option<BrokerPool>,
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
    id: BrokerPoolId,
    patch: PatchInput<kind::BrokerPool>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, scope, call, id).await?;
    let immutable = ["data_plane", "name", "brokers"];
    let (spec, labels) = merged::<kind::BrokerPool>(&before.spec, &before.labels, patch, &immutable)?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    model::validate_change(&before.spec, &spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let after = BrokerPool {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(
        write,
        scope,
        id,
        before.spec.data_plane,
        Action::Update,
        Some(before),
    )
    .await
}

/// Wishes that the agent restarts the brokers, one after the other.
pub async fn restart(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: BrokerPoolId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, scope, call, id).await?;
    if before.spec.attached.is_some() {
        let detail = "The broker pool is attached: its brokers are not the agent's to restart.";
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    let after = BrokerPool {
        restart_nonce: before.restart_nonce + 1,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(
        write,
        scope,
        id,
        before.spec.data_plane,
        Action::Act("restart"),
        Some(before),
    )
    .await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: BrokerPoolId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, scope, call, id).await?;
    let reported = served::report(write.tx(), id.uuid()).await?;
    // Probed in every case, since clusters of guests are not visible here: the foreign key refuses while any remains.
    store::refuse_while_used(write.tx(), scope, id).await?;
    if reported.is_none() {
        // No agent ever spoke of it: there is nothing to destroy.
        store::delete(write.tx(), scope, id).await?;
        let change = Change::new(
            Action::Delete,
            id,
            &before.resource_name(),
            before.generation,
            owner(scope),
        );
        write
            .record(change.with_before(view(before, None).json()?))
            .await?;
        return write.finish_empty().await;
    }
    let after = BrokerPool {
        deleted_at: Some(Utc::now()),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(
        write,
        scope,
        id,
        before.spec.data_plane,
        Action::Delete,
        Some(before),
    )
    .await
}

async fn present(write: &mut Write, scope: TenantScope, call: &Call, id: BrokerPoolId) -> Result<BrokerPool> {
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    if row.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The broker pool is being deleted.",
        ));
    }
    Ok(row)
}
