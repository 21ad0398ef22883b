//! Configuration and mode of a subject or a context: what `/config` and `/mode` show and change.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::auth::{Home, Role};
use crate::kernel::{Action, Change, Error, Id, code, kind};
use crate::resources::contract::config::{Config, Configured, Mode};
use crate::resources::contract::model::{Asker, Subject, check_subject};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::{config, size, store, verdict, writing};
use crate::resources::owner;
use crate::resources::service_quota::{self, Quota};
use crate::rest::Write;
use crate::runtime::{App, Tx};

/// What a subject, or with an empty name a context, says itself; with `inherited`, what holds.
pub async fn config_of(tx: &mut Tx, asker: &Asker, place: &Subject, inherited: bool) -> Outcome<Config> {
    let scopes = config::configured(tx, asker.scope, &place.context, &place.name).await?;
    if place.name.is_empty() || inherited {
        let mut config = scopes.config();
        config
            .compatibility_level
            .get_or_insert_with(|| "BACKWARD".to_owned());
        return Ok(config);
    }
    if scopes.subject.config == Config::default() {
        return Err(Refusal::NoConfig(place.shown(&asker.home)).into());
    }
    Ok(scopes.subject.config)
}

/// The mode that a subject or a context has itself; with `inherited`, the one that holds.
pub async fn mode_of(tx: &mut Tx, asker: &Asker, place: &Subject, inherited: bool) -> Outcome<Mode> {
    let scopes = config::configured(tx, asker.scope, &place.context, &place.name).await?;
    if place.name.is_empty() || inherited {
        return Ok(scopes.mode());
    }
    let missing = || Refusal::NoMode(place.shown(&asker.home));
    Ok(scopes.subject.mode.ok_or_else(missing)?)
}

/// Changes what the caller names and leaves the rest; null takes a field away. The answer is what the place says now.
pub async fn change_config(
    app: &App,
    asker: &Asker,
    place: &Subject,
    patch: Map<String, Value>,
) -> Outcome<Config> {
    // Read before anything is looked at, so that nonsense is refused whatever there is.
    let wanted = patched(&Config::default(), patch.clone())?;
    check(place, &wanted)?;
    let mut write = begin(app, asker, place).await?;
    let before = said(&mut write, asker, place).await?;
    let mut config = patched(&before.config, patch)?;
    config.compatibility_level = config.compatibility_level.map(|it| it.to_ascii_uppercase());
    size::check("What is configured", &config)?;
    let after = Configured {
        config,
        mode: before.mode,
    };
    put(&mut write, asker, place, "set_config", before, &after).await?;
    write.finish_empty().await?;
    Ok(after.config)
}

/// Gives a subject a level of its own, or takes it away, within a write that somebody has begun after he has seen to the permission.
pub async fn set_level(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    level: Option<String>,
) -> Outcome<()> {
    let before = said(write, asker, subject).await?;
    let mut after = before.clone();
    after.config.compatibility_level = level;
    if after == before {
        return Ok(());
    }
    put(write, asker, subject, "set_config", before, &after).await
}

/// Records a change of a contract that is none of its configuration.
pub async fn note<T: Serialize>(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    action: &'static str,
    before: &T,
    after: &T,
) -> Outcome<()> {
    let change = change(write.tx(), asker, subject, action).await?;
    let shown = |it| serde_json::to_value(it).map_err(Error::internal);
    write
        .record(change.with_before(shown(before)?).with_after(shown(after)?))
        .await?;
    Ok(())
}

fn patched(before: &Config, patch: Map<String, Value>) -> Outcome<Config> {
    let mut config = serde_json::to_value(before).map_err(Error::internal)?;
    if let Some(fields) = config.as_object_mut() {
        for (name, value) in patch {
            if value.is_null() {
                fields.remove(&name);
            } else {
                fields.insert(name, value);
            }
        }
    }
    let read = serde_json::from_value(config);
    Ok(read.map_err(|error| Error::invalid("", code::WRONG_TYPE, error.to_string()))?)
}

fn check(place: &Subject, wanted: &Config) -> Outcome<()> {
    if let Some(name) = &wanted.compatibility_level {
        verdict::level(name)?;
    }
    verdict::read_rules(wanted.default_rule_set.as_ref())?;
    verdict::read_rules(wanted.override_rule_set.as_ref())?;
    if let Some(alias) = &wanted.alias {
        check_subject(alias, alias)?;
        if place.name.is_empty() || *alias == place.name {
            let text = "An alias is for a subject, and leads to another one";
            return Err(Refusal::NotPermitted(text.into()).into());
        }
    }
    Ok(())
}

/// Takes a place's configuration away; the answer is what it was.
pub async fn remove_config(app: &App, asker: &Asker, place: &Subject) -> Outcome<Config> {
    let mut write = begin(app, asker, place).await?;
    let before = said(&mut write, asker, place).await?;
    if before.config == Config::default() && !place.name.is_empty() {
        return Err(Refusal::SubjectNotFound(place.shown(&asker.home)).into());
    }
    let (was, after) = (
        before.config.clone(),
        Configured {
            config: Config::default(),
            mode: before.mode,
        },
    );
    put(&mut write, asker, place, "remove_config", before, &after).await?;
    write.finish_empty().await?;
    Ok(was)
}

/// Sets the mode. IMPORT is for places without versions, unless it is forced.
pub async fn change_mode(app: &App, asker: &Asker, place: &Subject, mode: Mode, force: bool) -> Outcome<()> {
    let mut write = begin(app, asker, place).await?;
    let subject = (!place.name.is_empty()).then_some(place.name.as_str());
    if mode == Mode::Import
        && !force
        && store::holds_subjects(write.tx(), asker.scope, &place.context, subject).await?
    {
        let text = "Cannot import since found existing subjects";
        return Err(Refusal::NotPermitted(text.into()).into());
    }
    let before = said(&mut write, asker, place).await?;
    let after = Configured {
        config: before.config.clone(),
        mode: Some(mode),
    };
    put(&mut write, asker, place, "set_mode", before, &after).await?;
    write.finish_empty().await?;
    Ok(())
}

/// Takes a place's mode away; the answer is what it was.
pub async fn remove_mode(app: &App, asker: &Asker, place: &Subject) -> Outcome<Mode> {
    let mut write = begin(app, asker, place).await?;
    let before = said(&mut write, asker, place).await?;
    let missing = || Refusal::SubjectNotFound(place.shown(&asker.home));
    let was = match before.mode {
        Some(mode) => mode,
        None if place.name.is_empty() => Mode::ReadWrite,
        None => return Err(missing().into()),
    };
    let after = Configured {
        config: before.config.clone(),
        mode: None,
    };
    put(&mut write, asker, place, "remove_mode", before, &after).await?;
    write.finish_empty().await?;
    Ok(was)
}

/// Who changes what holds for a whole context must be able to change everything in it.
fn allow(asker: &Asker, place: &Subject) -> Outcome<()> {
    if !place.name.is_empty() {
        asker.caller.require(Role::Developer, &place.resource_name())?;
        return Ok(());
    }
    if place.context.environment.is_some() {
        let name = format!("environment={}", place.context.name);
        asker.caller.require(Role::Developer, &name)?;
        return Ok(());
    }
    let home = Home::Tenant(asker.scope.organization(), asker.scope.tenant());
    if asker.caller.covers(home, Role::Developer, "*") {
        return Ok(());
    }
    let text =
        "This needs the role DEVELOPER on everything of the tenant. A tenant administrator can grant it.";
    Err(Error::denied(text).into())
}

async fn begin(app: &App, asker: &Asker, place: &Subject) -> Outcome<Box<Write>> {
    allow(asker, place)?;
    writing::begin(app, asker).await
}

async fn said(write: &mut Write, asker: &Asker, place: &Subject) -> Outcome<Configured> {
    let Subject { context, name } = place;
    Ok(config::of_scope(write.tx(), asker.scope, context, name).await?)
}

async fn put(
    write: &mut Write,
    asker: &Asker,
    place: &Subject,
    action: &'static str,
    before: Configured,
    after: &Configured,
) -> Outcome<()> {
    let Subject { context, name } = place;
    let scope = asker.scope;
    if *after == Configured::default() {
        config::delete(write.tx(), scope, context, name).await?;
    } else {
        let counted = name.is_empty() || store::find(write.tx(), scope, place).await?.is_some();
        if before == Configured::default() && !counted {
            // A subject may be configured before it has versions, so it counts from here on.
            service_quota::check(write.tx(), scope, Quota::Contracts).await?;
        }
        if let Some(more) = size::of(&after.config)?.checked_sub(size::of(&before.config)?) {
            let more = i64::try_from(more).map_err(Error::internal)?;
            service_quota::check_more(write.tx(), scope, Quota::ContractBytes, more).await?;
        }
        config::put(write.tx(), scope, context, name, after).await?;
    }
    let change = change(write.tx(), asker, place, action).await?;
    let change = change.with_before(shown(&before)?).with_after(shown(after)?);
    write.record(change).await?;
    Ok(())
}

fn shown(said: &Configured) -> Outcome<Value> {
    let config = serde_json::to_value(&said.config).map_err(Error::internal)?;
    Ok(json!({"config": config, "mode": said.mode.map(Mode::name)}))
}

/// It is about the contract, or, where there is none, about the environment or the tenant.
async fn change(tx: &mut Tx, asker: &Asker, place: &Subject, action: &'static str) -> Outcome<Change> {
    let (scope, action) = (asker.scope, Action::Act(action));
    let name = if place.name.is_empty() {
        format!("{}contracts", place.context.resource_prefix())
    } else {
        place.resource_name()
    };
    if let Some(id) = store::find(tx, scope, place).await? {
        let generation = store::touch(tx, scope, id).await?;
        return Ok(Change::new(action, id, &name, generation, owner(scope)));
    }
    Ok(match place.context.environment {
        Some(id) => Change::new(
            action,
            Id::<kind::Environment>::from_uuid(id),
            &name,
            1,
            owner(scope),
        ),
        None => Change::new(action, scope.tenant(), &name, 1, owner(scope)),
    })
}
