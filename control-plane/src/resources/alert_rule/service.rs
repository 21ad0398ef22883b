//! What may happen to an alert rule.

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, Error, Id, Result, code, kind};
use crate::resources::alert_rule::model::{self, AlertKind, AlertRule, AlertRuleId};
use crate::resources::alert_rule::store;
use crate::resources::cluster::ClusterAccess;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::service_quota::{self, Quota};
use crate::resources::{cluster, owner, referred};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::AlertRule>;

const NO_CLUSTER: &str = "There is no such cluster in this tenant.";

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::AlertRule>,
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
    let found = cluster::by_id(write.tx(), scope, spec.cluster).await;
    let cluster = referred(found, "/spec/cluster", NO_CLUSTER)?;
    let name = format!("{}/alert_rule={}", cluster.resource_name(), spec.name);
    caller.require(Role::Developer, &name)?;
    if cluster.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The cluster is being deleted.",
        ));
    }
    if cluster.spec.access == ClusterAccess::Native
        && matches!(
            spec.kind,
            AlertKind::Throttling | AlertKind::Storage | AlertKind::Violations
        )
    {
        let detail = "The cluster is in native mode: what this alert watches is measured by gateways and quotas that it does not have.";
        return Err(Error::invalid("/spec/kind", code::NOT_ENFORCED, detail));
    }
    service_quota::check(write.tx(), scope, Quota::AlertRules).await?;
    let id: AlertRuleId = Id::generate();
    store::insert(write.tx(), scope, id, &spec, &metadata.labels).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Create,
        id,
        &row.resource_name(),
        row.generation,
        owner(scope),
    );
    let view = View::from(row).json()?;
    write.record(change.with_after(view.clone())).await?;
    if spec.kind == AlertKind::Lag {
        // Its agent is to measure from now on.
        bump_generation(write.tx(), cluster.data_plane).await?;
    }
    write.finish(201, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AlertRuleId,
    patch: PatchInput<kind::AlertRule>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let fixed = ["cluster", "name", "kind", "group", "topic"];
    let (spec, labels) = merged::<kind::AlertRule>(&before.spec, &before.labels, patch, &fixed)?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let mut after = before.clone();
    (after.spec, after.labels, after.generation) = (spec, labels, before.generation + 1);
    store::update(write.tx(), scope, before.generation, &after).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Update,
        id,
        &after.resource_name(),
        after.generation,
        owner(scope),
    );
    let view = View::from(after).json()?;
    let change = change.with_before(View::from(before).json()?);
    write.record(change.with_after(view.clone())).await?;
    write.finish(200, view).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AlertRuleId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = present(&mut write, caller, scope, call, id).await?;
    store::delete(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Delete,
        id,
        &row.resource_name(),
        row.generation,
        owner(scope),
    );
    let (watched, cluster) = (row.spec.kind, row.spec.cluster);
    write.record(change.with_before(View::from(row).json()?)).await?;
    if watched == AlertKind::Lag {
        let cluster = cluster::by_id(write.tx(), scope, cluster).await?;
        bump_generation(write.tx(), cluster.data_plane).await?;
    }
    write.finish_empty().await
}

async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AlertRuleId,
) -> Result<AlertRule> {
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &row.resource_name())?;
    call.check_generation(row.generation)?;
    Ok(row)
}
