//! What may happen to a lint rule. Who makes a rule for all contracts of a place must be able to change every one of them.

use crate::auth::{Caller, Home, Role, TenantScope};
use crate::kernel::{Action, Change, Error, Id, Result, kind};
use crate::resources::contract_lint_rule::model::{
    self, ContractLintRule, ContractLintRuleId, resource_name,
};
use crate::resources::contract_lint_rule::store;
use crate::resources::service_quota::{self, Quota};
use crate::resources::{environment, owner, referred};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::ContractLintRule>;

const NO_ENVIRONMENT: &str = "There is no such environment in this tenant.";

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::ContractLintRule>,
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
    let mut environment_name = None;
    if let Some(environment) = spec.environment {
        let found = environment::by_id(write.tx(), scope, environment).await;
        environment_name = Some(referred(found, "/spec/environment", NO_ENVIRONMENT)?.spec.name);
    }
    allow(caller, scope, environment_name.as_deref())?;
    service_quota::check(write.tx(), scope, Quota::ContractLintRules).await?;
    let id: ContractLintRuleId = Id::generate();
    store::insert(write.tx(), scope, id, &spec, &metadata.labels).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let name = resource_name(environment_name.as_deref(), id);
    let change = Change::new(Action::Create, id, &name, row.generation, owner(scope));
    let view = View::from(row).json()?;
    write.record(change.with_after(view.clone())).await?;
    write.finish(201, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ContractLintRuleId,
    patch: PatchInput<kind::ContractLintRule>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let (spec, labels) =
        merged::<kind::ContractLintRule>(&before.spec, &before.labels, patch, &["environment"])?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let mut after = before.clone();
    (after.spec, after.labels, after.generation) = (spec, labels, before.generation + 1);
    store::update(write.tx(), scope, before.generation, &after).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    let name = after.resource_name();
    let change = Change::new(Action::Update, id, &name, after.generation, owner(scope));
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
    id: ContractLintRuleId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = present(&mut write, caller, scope, call, id).await?;
    store::delete(write.tx(), scope, id).await?;
    let name = row.resource_name();
    let change = Change::new(Action::Delete, id, &name, row.generation, owner(scope));
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}

async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ContractLintRuleId,
) -> Result<ContractLintRule> {
    let row = store::by_id(write.tx(), scope, id).await?;
    allow(caller, scope, row.environment_name.as_deref())?;
    call.check_generation(row.generation)?;
    Ok(row)
}

/// As for what is configured of a whole context of the registry.
fn allow(caller: &Caller, scope: TenantScope, environment: Option<&str>) -> Result<()> {
    if let Some(environment) = environment {
        return caller.require(Role::Developer, &format!("environment={environment}"));
    }
    let home = Home::Tenant(scope.organization(), scope.tenant());
    if caller.covers(home, Role::Developer, "*") {
        return Ok(());
    }
    let text =
        "This needs the role DEVELOPER on everything of the tenant. A tenant administrator can grant it.";
    Err(Error::denied(text))
}
