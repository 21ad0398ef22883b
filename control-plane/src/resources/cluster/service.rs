//! What may happen to a cluster.

use chrono::Utc;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, ErrorKind, Id, Result, code, kind};
use crate::resources::cluster::api::view;
use crate::resources::cluster::model::{
    self, Cluster, ClusterAccess, ClusterId, new_kafka_cluster_id, resource_name,
};
use crate::resources::cluster::store;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::data_plane_grant::{Wanted, check_room};
use crate::resources::service_quota::{self, Quota};
use crate::resources::{broker_pool, environment, owner, served};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::Cluster>,
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
    let environment = environment::by_id(write.tx(), scope, spec.environment)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => Error::invalid(
                "/spec/environment",
                code::BAD_REFERENCE,
                "There is no such environment.",
            ),
            _ => error,
        })?;
    caller.require(
        Role::Developer,
        &resource_name(&environment.spec.name, &spec.name),
    )?;
    service_quota::check(write.tx(), scope, Quota::Clusters).await?;
    let pool = broker_pool::usable(write.tx(), scope, spec.broker_pool).await?;
    if pool.deleted {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The broker pool is being deleted.",
        ));
    }
    if spec.access == ClusterAccess::Native && pool.owner != scope.tenant() {
        let detail = "A cluster in native mode has Kafka's own names and rules, so it is on a broker pool of your own.";
        return Err(Error::invalid("/spec/access", code::BAD_REFERENCE, detail));
    }
    if spec.adopts && !(pool.attached && pool.owner == scope.tenant()) {
        let detail = "Only a cluster on a broker pool of your own that is attached can adopt.";
        return Err(Error::invalid("/spec/adopts", code::BAD_REFERENCE, detail));
    }
    check_room(
        write.tx(),
        scope,
        pool.id,
        Wanted {
            clusters: 1,
            topics: 0,
            partitions: 0,
        },
    )
    .await?;
    let id: ClusterId = Id::generate();
    store::insert(
        write.tx(),
        scope,
        id,
        &spec,
        pool.data_plane,
        &new_kafka_cluster_id(),
        &metadata.labels,
    )
    .await?;
    finish(write, scope, id, pool.data_plane, Action::Create, None).await
}

/// The end of every change: stamp, record, answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: ClusterId,
    data_plane: DataPlaneId,
    action: Action,
    before: Option<Cluster>,
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
    id: ClusterId,
    patch: PatchInput<kind::Cluster>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let immutable = ["environment", "broker_pool", "name", "access", "adopts"];
    let (spec, labels) = merged::<kind::Cluster>(&before.spec, &before.labels, patch, &immutable)?;
    let mut errors = Vec::new();
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let after = Cluster {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(write, scope, id, before.data_plane, Action::Update, Some(before)).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    if store::in_use(write.tx(), scope, id).await? {
        let detail = "The cluster still has topics, keys, quotas, alert rules, jobs or cluster links; delete them first.";
        return Err(Error::conflict(code::IN_USE, detail));
    }
    let pool = served::report(write.tx(), before.spec.broker_pool.uuid()).await?;
    if pool.is_none() {
        // No agent ever spoke of the pool: there is nothing to destroy.
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
    let after = Cluster {
        deleted_at: Some(Utc::now()),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(write, scope, id, before.data_plane, Action::Delete, Some(before)).await
}

async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterId,
) -> Result<Cluster> {
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &row.resource_name())?;
    call.check_generation(row.generation)?;
    if row.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The cluster is being deleted.",
        ));
    }
    Ok(row)
}
