//! Deletion, in two steps as the Schema Registry API has it: deleted versions still resolve by id, and come back by registering
//! them again; permanently deleted ones are gone. What others refer to stays.

use serde_json::json;
use uuid::Uuid;

use crate::auth::Role;
use crate::kernel::{Action, Change};
use crate::resources::contract::config::Configured;
use crate::resources::contract::model::{Asker, ContractId, Subject};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::version::{self, Numbered};
use crate::resources::contract::{config, reference, schema, store, writing};
use crate::resources::owner;
use crate::rest::Write;
use crate::runtime::App;

/// Deletes every version of a subject; the answer is their numbers.
pub async fn delete_subject(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    permanent: bool,
) -> Outcome<Vec<i32>> {
    asker.caller.require(Role::Developer, &subject.resource_name())?;
    let mut write = writing::begin(app, asker).await?;
    let versions = delete_within(&mut write, asker, subject, permanent).await?;
    finish(app, write, permanent).await?;
    Ok(versions)
}

/// The same within a write that somebody has begun, after he has seen to the permission.
pub async fn delete_within(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    permanent: bool,
) -> Outcome<Vec<i32>> {
    let shown = subject.shown(&asker.home);
    let (id, numbers) = held(write, asker, subject).await?;
    let standing: Vec<Numbered> = numbers.iter().filter(|it| !it.deleted).copied().collect();
    let chosen = match (permanent, standing.is_empty()) {
        (true, false) => return Err(Refusal::SubjectNotSoftDeleted(shown).into()),
        (true, true) => numbers,
        (false, true) => return Err(Refusal::SubjectSoftDeleted(shown).into()),
        (false, false) => standing,
    };
    end(write, asker, subject, id, &chosen, permanent).await
}

/// Deletes one version, or the latest; the answer is its number.
pub async fn delete_version(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    number: Option<i32>,
    permanent: bool,
) -> Outcome<i32> {
    let shown = subject.shown(&asker.home);
    asker.caller.require(Role::Developer, &subject.resource_name())?;
    let mut write = writing::begin(app, asker).await?;
    let (id, numbers) = held(&mut write, asker, subject).await?;
    let latest = || {
        numbers
            .iter()
            .rev()
            .find(|it| !it.deleted)
            .or_else(|| numbers.last())
    };
    let chosen = match number {
        Some(number) => numbers.iter().find(|it| it.version == number),
        None => latest(),
    };
    let text = || number.map_or_else(|| "latest".to_owned(), |it| it.to_string());
    let chosen = *chosen.ok_or_else(|| Refusal::VersionNotFound(text()))?;
    match (permanent, chosen.deleted) {
        (true, false) => return Err(Refusal::VersionNotSoftDeleted(shown, chosen.version).into()),
        (false, true) => return Err(Refusal::VersionSoftDeleted(shown, chosen.version).into()),
        (true, true) | (false, false) => {}
    }
    end(&mut write, asker, subject, id, &[chosen], permanent).await?;
    finish(app, write, permanent).await?;
    Ok(chosen.version)
}

/// Elsewhere the database tells that a schema ended; here nobody gets an answer before it is forgotten.
async fn finish(app: &App, write: Box<Write>, permanent: bool) -> Outcome<()> {
    let finished = write.finish_empty().await;
    if permanent {
        app.memory.schemas.forget();
    }
    finished?;
    Ok(())
}

/// Holds the subject; with its versions.
async fn held(write: &mut Write, asker: &Asker, subject: &Subject) -> Outcome<(ContractId, Vec<Numbered>)> {
    let missing = || Refusal::SubjectNotFound(subject.shown(&asker.home));
    let id = store::lock(write.tx(), asker.scope, subject)
        .await?
        .ok_or_else(missing)?;
    let scopes = config::configured(write.tx(), asker.scope, &subject.context, &subject.name).await?;
    if scopes.mode().refuses_changes() {
        let text = format!("Subject {} is in read-only mode", subject.shown(&asker.home));
        return Err(Refusal::NotPermitted(text).into());
    }
    let numbers = version::numbers(write.tx(), asker.scope, id).await?;
    if numbers.is_empty() {
        return Err(missing().into());
    }
    Ok((id, numbers))
}

async fn end(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    id: ContractId,
    chosen: &[Numbered],
    permanent: bool,
) -> Outcome<Vec<i32>> {
    let scope = asker.scope;
    let versions: Vec<i32> = chosen.iter().map(|it| it.version).collect();
    let mut rows: Vec<Uuid> = chosen.iter().map(|it| it.schema_row).collect();
    let tx = write.tx();
    // Who registers a reference holds what it refers to: after this, each has either been seen or will find nothing.
    version::hold_versions(tx, scope, id, &versions).await?;
    if let Some(version) = reference::refers(tx, scope, id, &versions).await? {
        return Err(Refusal::ReferenceExists(subject.shown(&asker.home), version).into());
    }
    if permanent {
        version::delete(tx, scope, id, &versions).await?;
        schema::forget_unused(tx, scope, &rows).await?;
    } else {
        version::mark_deleted(tx, scope, id, &versions).await?;
    }
    let left = version::numbers(tx, scope, id).await?;
    let generation = store::touch(tx, scope, id).await?;
    if left.iter().all(|it| it.deleted) {
        // As upstream: the subject's own configuration ends with its last version.
        let said = config::of_scope(tx, scope, &subject.context, &subject.name).await?;
        if said != Configured::default() {
            config::delete(tx, scope, &subject.context, &subject.name).await?;
        }
    }
    if left.is_empty() {
        store::delete(tx, scope, id).await?;
    }
    let action = Action::Act(if permanent {
        "delete_versions_permanently"
    } else {
        "delete_versions"
    });
    let change = Change::new(action, id, &subject.resource_name(), generation, owner(scope));
    let before = json!({"subject": subject.name, "context": subject.context.label(), "versions": versions});
    write.record(change.with_before(before)).await?;
    if !permanent {
        // A retired contract is back when the version that retired it goes.
        rows.extend(left.iter().filter(|it| !it.deleted).map(|it| it.schema_row));
        writing::tell_gateways(write, asker, subject, &rows).await?;
    }
    Ok(versions)
}
