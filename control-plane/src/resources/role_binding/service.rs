//! What may happen to a role binding.

use crate::auth::{Caller, DirectoryScope, Home, Principal};
use crate::kernel::{Action, Change, Error, Id, Owner, Result, RoleBindingId, code, kind};
use crate::resources::role_binding::model::{self, RoleBinding, RoleBindingSpec, resource_name};
use crate::resources::role_binding::store;
use crate::resources::{api_key, directory_owner, member, referred, service_account};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::RoleBinding>;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    input: ObjectInput<kind::RoleBinding>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let place = place_of(&mut write, scope, &spec).await?;
    refuse_escalation(caller, place, &spec)?;
    let id: RoleBindingId = Id::generate();
    store::insert(write.tx(), id, place, &spec, &metadata.labels).await?;
    tell_gateways(&mut write, scope, spec.principal).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let view = View::from(row).json()?;
    let change = Change::new(Action::Create, id, &resource_name(id), 1, owner(place));
    write.record(change.with_after(view.clone())).await?;
    write.finish(201, view).await
}

async fn place_of(write: &mut Write, scope: DirectoryScope, spec: &RoleBindingSpec) -> Result<Home> {
    let no_principal = "There is no such principal within your reach.";
    let request = match scope {
        DirectoryScope::Tenant(scope) => Some(Home::Tenant(scope.organization(), scope.tenant())),
        DirectoryScope::Organization(_) | DirectoryScope::Operator => None,
    };
    let home = match spec.principal {
        Principal::Member(id) => {
            let found = member::by_id(write.tx(), scope, id).await;
            referred(found, "/spec/principal", no_principal)?.home()
        }
        Principal::ServiceAccount(id) => {
            let DirectoryScope::Tenant(scope) = scope else {
                let detail = "Name the service account's tenant in the Weir-Tenant header.";
                return Err(Error::invalid("/spec/principal", code::TENANT_REQUIRED, detail));
            };
            referred(
                service_account::by_id(write.tx(), scope, id).await,
                "/spec/principal",
                no_principal,
            )?;
            Home::Tenant(scope.organization(), scope.tenant())
        }
    };
    model::place(spec.role, home, request).ok_or_else(|| {
        let detail = "This role means nothing for this principal: OPERATOR is for operators, ORGANIZATION_ADMIN for \
            members of an organization, the others need a tenant.";
        Error::invalid("/spec/role", code::OUT_OF_RANGE, detail)
    })
}

/// Nobody hands on, or takes away, more than he holds.
fn refuse_escalation(caller: &Caller, place: Home, spec: &RoleBindingSpec) -> Result<()> {
    if caller.covers(place, spec.role, &spec.resource) {
        return Ok(());
    }
    let detail = format!(
        "You do not hold {} on {} yourself, so you cannot give or take it.",
        spec.role.name(),
        spec.resource
    );
    Err(Error::denied(detail))
}

/// The keys of a service account carry its rights to the gateways.
async fn tell_gateways(write: &mut Write, scope: DirectoryScope, principal: Principal) -> Result<()> {
    match (principal, scope) {
        (Principal::ServiceAccount(id), DirectoryScope::Tenant(scope)) => {
            api_key::keys_changed(write.tx(), scope, id).await
        }
        _ => Ok(()),
    }
}

fn owner(place: Home) -> Owner {
    match place {
        Home::Operator => Owner {
            organization: None,
            tenant: None,
        },
        Home::Organization(organization) => Owner {
            organization: Some(organization),
            tenant: None,
        },
        Home::Tenant(organization, tenant) => Owner {
            organization: Some(organization),
            tenant: Some(tenant),
        },
    }
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: RoleBindingId,
    patch: PatchInput<kind::RoleBinding>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(before.generation)?;
    let immutable = ["principal", "role", "resource"];
    let (spec, labels) = merged::<kind::RoleBinding>(&before.spec, &before.labels, patch, &immutable)?;
    let mut errors = Vec::new();
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let after = RoleBinding {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), before.generation, &after).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Update,
        id,
        &resource_name(id),
        after.generation,
        owner(after.place),
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
    scope: DirectoryScope,
    call: &Call,
    id: RoleBindingId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    refuse_escalation(caller, row.place, &row.spec)?;
    if row.spec.principal == caller.principal {
        // So that the last administrator cannot lock everybody out by one call.
        let detail = "Nobody takes a role from himself; another administrator can.";
        return Err(Error::conflict(code::IN_USE, detail));
    }
    store::delete(write.tx(), id).await?;
    tell_gateways(&mut write, scope, row.spec.principal).await?;
    let change = Change::new(
        Action::Delete,
        id,
        &resource_name(id),
        row.generation,
        owner(row.place),
    );
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}
