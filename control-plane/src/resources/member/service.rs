//! What may happen to a member.

use serde_json::{Value, json};
use weir_credentials::{Secret, SecretKind};

use crate::auth::{Caller, DirectoryScope, Home, Role, bindings, password};
use crate::kernel::{Action, Change, Error, Id, MemberId, Owner, Result, code, kind};
use crate::resources::member::api::MemberInput;
use crate::resources::member::model::{self, Member, MemberSpec, normalised, resource_name};
use crate::resources::member::store;
use crate::resources::{directory_owner, organization, referred, tenant};
use crate::rest::{Answer, Begun, Call, Object, PatchInput, Write, merged};
use crate::runtime::{App, Db, Scope, Tx};

type View = Object<kind::Member>;

/// Creates the first operator; false when the e-mail address is taken.
///
/// # Errors
/// When the address is none, or the database fails.
pub async fn bootstrap(db: &Db, email: &str, password_hash: String) -> Result<bool> {
    let email = normalised(email);
    if !model::is_email(&email) {
        return Err(Error::invalid(
            "/spec/email",
            code::BAD_NAME,
            "Not an e-mail address such as name@example.com.",
        ));
    }
    let mut tx = db.begin(&Scope::Operator).await?;
    let made = store::insert_operator(&mut tx, &email, &password_hash).await?;
    tx.commit().await?;
    Ok(made)
}

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    input: MemberInput,
) -> Result<Answer> {
    let MemberInput {
        mut spec,
        metadata,
        password,
    } = input;
    spec.email = normalised(&spec.email);
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let (password, made) = chosen_or_made(password)?;
    let hash = password::hash(password.clone()).await?;
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let home = home_of(write.tx(), scope, &spec).await?;
    check_administers(caller, home, &resource_name(&spec))?;
    let id: MemberId = Id::generate();
    store::insert(write.tx(), id, home, &spec, &hash, &metadata.labels).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Create,
        id,
        &resource_name(&row.spec),
        row.generation,
        owner(home),
    );
    let view = View::from(row).json()?;
    write.record(change.with_after(view.clone())).await?;
    write
        .finish(201, if made { with_secret(view, &password) } else { view })
        .await
}

/// Where a new member belongs: as the spec says within the scope, or else where the scope stands.
async fn home_of(tx: &mut Tx, scope: DirectoryScope, spec: &MemberSpec) -> Result<Home> {
    let out_of_reach =
        |pointer| Error::invalid(pointer, code::BAD_REFERENCE, "This is not within your reach.");
    if let DirectoryScope::Tenant(scope) = scope {
        if spec.tenant.is_some_and(|it| it != scope.tenant()) {
            return Err(out_of_reach("/spec/tenant"));
        }
        if spec.organization.is_some_and(|it| it != scope.organization()) {
            return Err(out_of_reach("/spec/organization"));
        }
        return Ok(Home::Tenant(scope.organization(), scope.tenant()));
    }
    if let Some(id) = spec.tenant {
        let found = referred(
            tenant::by_id(tx, scope, id).await,
            "/spec/tenant",
            "There is no such tenant within your reach.",
        )?;
        let organization = found
            .spec
            .organization
            .ok_or_else(|| out_of_reach("/spec/tenant"))?;
        if spec.organization.is_some_and(|it| it != organization) {
            return Err(out_of_reach("/spec/organization"));
        }
        return Ok(Home::Tenant(organization, id));
    }
    match spec.organization.or_else(|| scope.organization()) {
        Some(id) => {
            let found = organization::by_id(tx, scope, id).await;
            referred(
                found,
                "/spec/organization",
                "There is no such organization within your reach.",
            )?;
            Ok(Home::Organization(id))
        }
        None => Ok(Home::Operator),
    }
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: MemberId,
    patch: PatchInput<kind::Member>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    check_administers(caller, before.home(), &resource_name(&before.spec))?;
    call.check_generation(before.generation)?;
    let immutable = ["email", "organization", "tenant"];
    let (spec, labels) = merged::<kind::Member>(&before.spec, &before.labels, patch, &immutable)?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let after = Member {
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
        &resource_name(&after.spec),
        after.generation,
        owner(after.home()),
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

/// A new password, shown once; every session of the member ends.
pub async fn reset_password(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: MemberId,
) -> Result<Answer> {
    let (password, _made) = chosen_or_made(None)?;
    let hash = password::hash(password.clone()).await?;
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    check_above(write.tx(), caller, &before).await?;
    call.check_generation(before.generation)?;
    let after = Member {
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), before.generation, &after).await?;
    store::set_password(write.tx(), id, &hash).await?;
    let name = resource_name(&after.spec);
    let change = Change::new(
        Action::Act("reset_password"),
        id,
        &name,
        after.generation,
        owner(after.home()),
    );
    write.record(change).await?;
    let view = View::from(store::by_id(write.tx(), scope, id).await?).json()?;
    write.finish(200, with_secret(view, &password)).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: MemberId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, directory_owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    check_above(write.tx(), caller, &row).await?;
    call.check_generation(row.generation)?;
    if caller.principal.uuid() == id.uuid() {
        return Err(Error::conflict(
            code::IN_USE,
            "Nobody deletes the account that he is signed in with.",
        ));
    }
    // Sessions and bindings go with their member.
    store::delete(write.tx(), id).await?;
    let change = Change::new(
        Action::Delete,
        id,
        &resource_name(&row.spec),
        row.generation,
        owner(row.home()),
    );
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}

/// Within a tenant the right to administer may be bound to some resources; a member is a resource too.
fn check_administers(caller: &Caller, home: Home, name: &str) -> Result<()> {
    let role = match home {
        Home::Operator => Role::Operator,
        Home::Organization(_) => Role::OrganizationAdmin,
        Home::Tenant(..) => Role::TenantAdmin,
    };
    if caller.covers(home, role, name) {
        return Ok(());
    }
    let detail = format!(
        "This needs the role {} on {name}. Somebody who holds it can grant it.",
        role.name()
    );
    Err(Error::denied(detail))
}

/// Whoever makes a member's password could sign in as the member: he must hold what the member holds.
async fn check_above(tx: &mut Tx, caller: &Caller, row: &Member) -> Result<()> {
    check_administers(caller, row.home(), &resource_name(&row.spec))?;
    for held in bindings(tx, row.id.uuid()).await? {
        let place = Home::of(row.spec.organization, held.tenant.or(row.spec.tenant));
        if !caller.covers(place, held.role, &held.resource) {
            return Err(Error::denied(format!(
                "The member holds {} on {}, which you do not. Somebody who does can do this.",
                held.role.name(),
                held.resource
            )));
        }
    }
    Ok(())
}

/// The password, and whether it was made here.
fn chosen_or_made(chosen: Option<String>) -> Result<(String, bool)> {
    match chosen {
        Some(text) if (password::LENGTH_MIN..=password::LENGTH_MAX).contains(&text.len()) => {
            Ok((text, false))
        }
        Some(_) => Err(Error::invalid(
            "/password",
            code::OUT_OF_RANGE,
            "A password has 12 to 256 characters.",
        )),
        None => {
            let made = Secret::generate(SecretKind::Enrollment).map_err(Error::internal)?;
            // The random part alone: a password is typed by a person, not found by a scanner.
            let text: String = made.reveal().chars().skip("weire_".len()).take(24).collect();
            Ok((text, true))
        }
    }
}

fn with_secret(mut view: Value, password: &str) -> Value {
    view["secret"] = json!({"password": password});
    view
}

fn owner(home: Home) -> Owner {
    match home {
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
