//! Contracts as `/v1` writes them: the same registration, deletion and configuration as `/registry`'s, within the one write
//! wrapper, so that a retry repeats nothing and a dry run leaves nothing.

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Error, Result, kind};
use crate::resources::contract::api::{ContractVersionDetail, Row};
use crate::resources::contract::input::{Asked, ContractInput, ContractVersionInput};
use crate::resources::contract::look_up::gather;
use crate::resources::contract::model::{Asker, Context, ContractId, Subject, check_subject};
use crate::resources::contract::register::Within;
use crate::resources::contract::{
    config, delete, plan, register, settings, store, verdict, version, writing,
};
use crate::resources::environment::{self, EnvironmentId};
use crate::resources::{owner, referred};
use crate::rest::{Answer, Begun, Call, Object, PatchInput, Write, merged};
use crate::runtime::{App, Tx};

type View = Object<kind::Contract>;

/// Which subject.
#[derive(Debug)]
enum Place {
    /// The one of this name, in an environment or in the tenant's own context.
    Named(Option<EnvironmentId>, String),
    /// That of a contract.
    Of(ContractId),
}

/// Registers the next version of a subject, which may be the first.
pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ContractInput,
) -> Result<Answer> {
    let (environment, name, asked) = input.spec.asked();
    check_subject(&name, &name)?;
    let place = Place::Named(environment, name);
    registered(app, caller, scope, call, place, asked).await
}

/// Registers the next version of a contract.
pub async fn create_version(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ContractId,
    input: ContractVersionInput,
) -> Result<Answer> {
    let asked = input.spec.asked();
    registered(app, caller, scope, call, Place::Of(id), asked).await
}

/// Changes the contract's own compatibility level, and labels.
pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ContractId,
    patch: PatchInput<kind::Contract>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (before, asker) = present(&mut write, scope, call, id).await?;
    let (spec, labels) =
        merged::<kind::Contract>(&before.spec(), &before.labels, patch, &["environment", "subject"])?;
    let mut errors = Vec::new();
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    if labels != before.labels {
        store::label(write.tx(), scope, id, &labels).await?;
        settings::note(
            &mut write,
            &asker,
            &before.subject,
            "set_labels",
            &before.labels,
            &labels,
        )
        .await?;
    }
    let level = spec.compatibility.map(|it| it.name().to_owned());
    settings::set_level(&mut write, &asker, &before.subject, level).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    write.finish(200, View::from(after).json()?).await
}

/// Deletes every version, as `/registry` does: their ids resolve, and they come back by being registered again.
pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ContractId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (row, asker) = present(&mut write, scope, call, id).await?;
    delete::delete_within(&mut write, &asker, &row.subject, false).await?;
    write.finish_empty().await
}

async fn registered(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    place: Place,
    asked: Asked,
) -> Result<Answer> {
    let turn = verdict::turn().await?;
    if call.dry_run {
        let mut tx = app.db.read(&scope.scope()).await?;
        let subject = subject(&mut tx, scope, &place).await?;
        tx.commit().await?;
        let asker = asker(caller, scope, call, &subject)?;
        let plan = plan::of(app, &asker, call, &subject, asked).await?;
        return Ok(Answer {
            status: 200,
            body: serde_json::to_vec(&plan).map_err(Error::internal)?,
            planned: true,
        });
    }
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let subject = subject(write.tx(), scope, &place).await?;
    let asker = asker(caller, scope, call, &subject)?;
    let Asked { wish, level } = asked;
    let id = register::hold(&mut write, &asker, &subject).await?;
    call.check_generation(store::generation(write.tx(), scope, id).await?)?;
    if level.is_some() {
        settings::set_level(&mut write, &asker, &subject, level).await?;
    }
    let gathered = gather(write.tx(), &asker, &subject, wish, false).await?;
    let (_scopes, prepared) = gathered.read().await?;
    let Within {
        registration: made,
        new,
        awaited,
    } = register::within(&mut write, &asker, &subject, prepared).await?;
    let schema = made.registered.schema.row;
    let view = match place {
        Place::Named(..) => View::from(store::by_id(write.tx(), scope, id).await?).json()?,
        Place::Of(_) => {
            let number = made.registered.version;
            let findings = version::findings_of(write.tx(), scope, id, number).await?;
            let detail = ContractVersionDetail::of(id, made.registered, findings);
            serde_json::to_value(detail).map_err(Error::internal)?
        }
    };
    let answer = write.finish(if new { 201 } else { 200 }, view).await?;
    // Who waits for gateways compares nothing.
    drop(turn);
    if awaited {
        writing::until_gateways_know(app, &asker, &subject, schema).await?;
    }
    Ok(answer)
}

/// The subject of a place; as in `/registry`, an alias leads registrations, too.
async fn subject(tx: &mut Tx, scope: TenantScope, place: &Place) -> Result<Subject> {
    let (environment, name) = match place {
        Place::Of(id) => return Ok(store::by_id(tx, scope, *id).await?.subject),
        Place::Named(environment, name) => (*environment, name),
    };
    let context = context(tx, scope, environment).await?;
    let scopes = config::configured(tx, scope, &context, name).await?;
    let name = scopes.subject.config.alias.unwrap_or_else(|| name.clone());
    Ok(Subject { context, name })
}

/// Who asks, if he may change the subject.
fn asker(caller: &Caller, scope: TenantScope, call: &Call, subject: &Subject) -> Result<Asker> {
    caller.require(Role::Developer, &subject.resource_name())?;
    Ok(Asker {
        caller: caller.clone(),
        scope,
        home: subject.context.clone(),
        request_id: call.request_id.clone(),
    })
}

/// The contract as it is, held, for one who may change it.
async fn present(write: &mut Write, scope: TenantScope, call: &Call, id: ContractId) -> Result<(Row, Asker)> {
    let seen = store::by_id(write.tx(), scope, id).await?;
    let asker = asker(write.caller(), scope, call, &seen.subject)?;
    // Somebody else may have been at it until the lock was got.
    store::lock(write.tx(), scope, &seen.subject).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    Ok((row, asker))
}

/// The context of an environment, or the tenant's own.
async fn context(tx: &mut Tx, scope: TenantScope, environment: Option<EnvironmentId>) -> Result<Context> {
    let Some(id) = environment else {
        return Ok(Context::default());
    };
    let found = environment::by_id(tx, scope, id).await;
    let detail = "There is no such environment in this tenant.";
    let found = referred(found, "/spec/environment", detail)?;
    Ok(Context {
        environment: Some(id.uuid()),
        name: found.spec.name,
    })
}
