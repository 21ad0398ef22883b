//! What operators decide about a tenant's counts. The record is the tenant's: it sees who changed what it may have.

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Action, Change, Error, Result, code};
use crate::resources::owner;
use crate::resources::service_quota::model::Quota;
use crate::resources::service_quota::routes::{ServiceQuota, ServiceQuotaInput};
use crate::resources::service_quota::store;
use crate::rest::{Answer, Begun, Call, Write};
use crate::runtime::App;

pub async fn set(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    quota: Quota,
    input: ServiceQuotaInput,
) -> Result<Answer> {
    let ServiceQuotaInput { limit } = input;
    if !(0..=quota.most()).contains(&limit) {
        let detail = format!("The limit of {} is 0 to {}.", quota.name(), quota.most());
        return Err(Error::invalid("/limit", code::OUT_OF_RANGE, detail));
    }
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = shown(&mut write, scope, quota).await?;
    store::set(write.tx(), scope, quota, limit).await?;
    let after = record(&mut write, scope, quota, "set_service_quota", before).await?;
    write.finish(200, after).await
}

pub async fn reset(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    quota: Quota,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = shown(&mut write, scope, quota).await?;
    store::reset(write.tx(), scope, quota).await?;
    record(&mut write, scope, quota, "reset_service_quota", before).await?;
    write.finish_empty().await
}

async fn shown(write: &mut Write, scope: TenantScope, quota: Quota) -> Result<serde_json::Value> {
    let found = store::used(write.tx(), scope, quota).await?;
    serde_json::to_value(ServiceQuota::from(found)).map_err(Error::internal)
}

/// Something happened to the tenant; its own spec stays.
async fn record(
    write: &mut Write,
    scope: TenantScope,
    quota: Quota,
    action: &'static str,
    before: serde_json::Value,
) -> Result<serde_json::Value> {
    let after = shown(write, scope, quota).await?;
    let generation = store::tenant_generation(write.tx(), scope).await?;
    let name = format!("service_quota={}", quota.name());
    let change = Change::new(
        Action::Act(action),
        scope.tenant(),
        &name,
        generation,
        owner(scope),
    );
    let change = change.with_before(before).with_after(after.clone());
    write.record(change).await?;
    Ok(after)
}
