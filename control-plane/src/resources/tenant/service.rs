//! What may happen to a tenant.

use crate::auth::{Caller, DirectoryScope};
use crate::kernel::{Action, Change, Error, Id, Owner, Result, TenantId, code, kind};
use crate::resources::tenant::model::{self, resource_name};
use crate::resources::tenant::store;
use crate::resources::{directory_owner, organization, referred};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::Tenant>;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    input: ObjectInput<kind::Tenant>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let organization = spec
        .organization
        .or_else(|| scope.organization())
        .ok_or_else(|| {
            Error::invalid(
                "/spec/organization",
                code::REQUIRED,
                "Name the organization that the tenant belongs to.",
            )
        })?;
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let known = organization::by_id(write.tx(), scope, organization).await;
    referred(
        known,
        "/spec/organization",
        "There is no such organization within your reach.",
    )?;
    let id: TenantId = Id::generate();
    store::insert(write.tx(), id, organization, &spec, &metadata.labels).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let name = resource_name(&row.spec);
    let view = View::from(row).json()?;
    let owner = Owner {
        organization: Some(organization),
        tenant: None,
    };
    write
        .record(Change::new(Action::Create, id, &name, 1, owner).with_after(view.clone()))
        .await?;
    write.finish(201, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: TenantId,
    patch: PatchInput<kind::Tenant>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(before.generation)?;
    let (spec, labels) =
        merged::<kind::Tenant>(&before.spec, &before.labels, patch, &["organization", "name"])?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let mut after = before.clone();
    (after.spec, after.labels, after.generation) = (spec, labels, before.generation + 1);
    store::update(write.tx(), before.generation, &after).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    let (name, generation) = (resource_name(&after.spec), after.generation);
    let owner = Owner {
        organization: after.spec.organization,
        tenant: None,
    };
    let view = View::from(after).json()?;
    let change = Change::new(Action::Update, id, &name, generation, owner);
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
    scope: DirectoryScope,
    call: &Call,
    id: TenantId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    // Its objects hold it by their foreign keys: 409.
    store::delete(write.tx(), id).await?;
    let (name, generation) = (resource_name(&row.spec), row.generation);
    let owner = Owner {
        organization: row.spec.organization,
        tenant: None,
    };
    let change = Change::new(Action::Delete, id, &name, generation, owner);
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}
