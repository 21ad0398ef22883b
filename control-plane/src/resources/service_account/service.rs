//! What may happen to a service account.

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, Error, Id, Result, ServiceAccountId, kind};
use crate::resources::owner;
use crate::resources::service_account::model::{self, resource_name};
use crate::resources::service_account::store;
use crate::resources::service_quota::{self, Quota};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::ServiceAccount>;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::ServiceAccount>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    caller.require(Role::Developer, &resource_name(&spec))?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    service_quota::check(write.tx(), scope, Quota::ServiceAccounts).await?;
    let id: ServiceAccountId = Id::generate();
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
    write.finish(201, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ServiceAccountId,
    patch: PatchInput<kind::ServiceAccount>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &before.resource_name())?;
    call.check_generation(before.generation)?;
    let (spec, labels) = merged::<kind::ServiceAccount>(&before.spec, &before.labels, patch, &["name"])?;
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
    write
        .record(
            change
                .with_before(View::from(before).json()?)
                .with_after(view.clone()),
        )
        .await?;
    write.finish(200, view).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ServiceAccountId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &row.resource_name())?;
    call.check_generation(row.generation)?;
    // A key of it holds it by its foreign key: 409 with what to delete first. Its bindings go with it.
    store::delete(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Delete,
        id,
        &row.resource_name(),
        row.generation,
        owner(scope),
    );
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}
