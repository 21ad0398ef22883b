//! What may happen to a quota.

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, FieldError, Id, Result, code, kind};
use crate::resources::cluster::{Cluster, ClusterAccess};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::quota::api::view;
use crate::resources::quota::model::{Quota, QuotaId, QuotaSpec};
use crate::resources::quota::{floors, store, validate};
use crate::resources::service_quota::{self, Quota as Count};
use crate::resources::{cluster, owner, referred, served};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

const NO_CLUSTER: &str = "There is no such cluster in this tenant.";

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::Quota>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    validate::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let found = cluster::by_id(write.tx(), scope, spec.cluster).await;
    let cluster = referred(found, "/spec/cluster", NO_CLUSTER)?;
    let id: QuotaId = Id::generate();
    caller.require(
        Role::TenantAdmin,
        &format!("{}/quota={id}", cluster.resource_name()),
    )?;
    check_kept(&cluster, &spec)?;
    let locked = store::lock_cluster(write.tx(), scope, spec.cluster).await;
    let data_plane = referred(locked, "/spec/cluster", NO_CLUSTER)?;
    service_quota::check(write.tx(), scope, Count::Quotas).await?;
    check_principals(&mut write, scope, &spec).await?;
    store::insert(write.tx(), scope, id, &spec, data_plane, &metadata.labels).await?;
    check_floors(&mut write, scope, id, &spec).await?;
    finish(write, scope, id, data_plane, Action::Create, None).await
}

/// The end of create and update: stamp, record, answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: QuotaId,
    data_plane: DataPlaneId,
    action: Action,
    before: Option<Quota>,
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
    let status = if action == Action::Create { 201 } else { 200 };
    write.finish(status, after).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: QuotaId,
    patch: PatchInput<kind::Quota>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let (spec, labels) = merged::<kind::Quota>(&before.spec, &before.labels, patch, &["cluster"])?;
    let mut errors = Vec::new();
    validate::validate(&spec, &mut errors);
    validate::validate_change(&before.spec, &spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    check_kept(&cluster::by_id(write.tx(), scope, spec.cluster).await?, &spec)?;
    // A cluster that is going away takes no change, as it takes no new quota.
    let locked = store::lock_cluster(write.tx(), scope, spec.cluster).await;
    locked.map_err(|_gone| Error::conflict(code::BEING_DELETED, "The cluster is being deleted."))?;
    check_principals(&mut write, scope, &spec).await?;
    let after = Quota {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    check_floors(&mut write, scope, id, &after.spec).await?;
    finish(write, scope, id, before.data_plane, Action::Update, Some(before)).await
}

/// The gateways let it go with the next version that they acknowledge.
pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: QuotaId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = present(&mut write, caller, scope, call, id).await?;
    let (name, generation, data_plane) = (row.resource_name(), row.generation, row.data_plane);
    store::delete(write.tx(), scope, id).await?;
    let change = Change::new(Action::Delete, id, &name, generation, owner(scope));
    write.record(change.with_before(view(row, None).json()?)).await?;
    bump_generation(write.tx(), data_plane).await?;
    write.finish_empty().await
}

/// What nobody would keep is not taken.
fn check_kept(cluster: &Cluster, spec: &QuotaSpec) -> Result<()> {
    let mut errors = Vec::new();
    if cluster.spec.access == ClusterAccess::Native {
        validate::validate_native(spec, &mut errors);
    }
    Error::check(errors)
}

/// Whoever is named belongs to the tenant.
async fn check_principals(write: &mut Write, scope: TenantScope, spec: &QuotaSpec) -> Result<()> {
    let strangers = store::strangers(write.tx(), scope, &spec.subject).await?;
    let errors = strangers.into_iter().map(|at| FieldError {
        pointer: format!("/spec/subject/principals/{at}"),
        code: code::BAD_REFERENCE.into(),
        detail: "There is no such service account in this tenant.".into(),
    });
    Error::check(errors.collect())
}

/// What all quotas of the cluster promise together can be kept.
async fn check_floors(write: &mut Write, scope: TenantScope, id: QuotaId, spec: &QuotaSpec) -> Result<()> {
    let all = store::of_cluster(write.tx(), scope, spec.cluster).await?;
    let all: Vec<_> = all.into_iter().map(|it| (it.id, it.spec)).collect();
    let mut errors = Vec::new();
    floors::check(&all, id, &mut errors);
    Error::check(errors)
}

async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: QuotaId,
) -> Result<Quota> {
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::TenantAdmin, &row.resource_name())?;
    call.check_generation(row.generation)?;
    Ok(row)
}
