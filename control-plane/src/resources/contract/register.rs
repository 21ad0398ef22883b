//! Registration: one id for equal content, one version at a time of each subject, each checked against those before it.
//!
//! Nothing locks more than the subject's own row. The id comes from a sequence; equal content meets in a unique constraint.

use uuid::Uuid;

use crate::auth::Role;
use crate::kernel::{Action, Change, Error, code};
use crate::resources::contract::compare::{Broken, compare};
use crate::resources::contract::config::{Mode, Scopes};
use crate::resources::contract::content::{self, TRIES_MAX};
use crate::resources::contract::look_up::{self, Prepared, gather_under, same};
use crate::resources::contract::model::{Asker, ContractId, Lookup, Registered, Subject};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::version::{self, Numbered};
use crate::resources::contract::wish::Wish;
use crate::resources::contract::{config, lifecycle, linting, read, reference, store, writing};
use crate::resources::contract_lint_rule::Finding;
use crate::resources::owner;
use crate::resources::service_quota::{self, Quota};
use crate::rest::Write;
use crate::runtime::{App, Tx};

/// Versions of one subject that stand: a transitive level compares with every one of them.
const VERSIONS_MAX: usize = 1_000;

/// What a registration came to.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The version, new or as it was.
    pub registered: Registered,
    /// Metadata, rules or text are not only the caller's.
    pub populated: bool,
}

/// Registers a schema under the subject that a text names, or finds it there; who is answered may produce with its id.
pub async fn register(
    app: &App,
    asker: &Asker,
    text: &str,
    wish: Wish,
    normalize: bool,
) -> Outcome<Registration> {
    let (subject, made) = registered(app, asker, text, wish, normalize).await?;
    if made.awaited {
        let schema = made.registration.registered.schema.row;
        writing::until_gateways_know(app, asker, &subject, schema).await?;
    }
    Ok(made.registration)
}

async fn registered(
    app: &App,
    asker: &Asker,
    text: &str,
    wish: Wish,
    normalize: bool,
) -> Outcome<(Subject, Within)> {
    let early = look_up::early(&wish).await;
    let mut tx = app.db.read(&asker.scope.scope()).await?;
    let (subject, scopes) = read::named_to_write(&mut tx, asker, text).await?;
    asker.caller.require(Role::Developer, &subject.resource_name())?;
    let gathered = gather_under(&mut tx, asker, &subject, scopes, wish, normalize).await?;
    let ready = match early.transpose()? {
        Some(parsed) => gathered.with(parsed),
        None => Err(Box::new(gathered)),
    };
    let (scopes, prepared) = match ready {
        Ok(ready) => ready,
        Err(gathered) => {
            // Nobody waits for a schema to be read with a connection in his hand.
            tx.commit().await?;
            let read = gathered.read().await?;
            tx = app.db.read(&asker.scope.scope()).await?;
            read
        }
    };
    let Prepared { wish, parsed } = &prepared;
    let plain = !wish.retags() && wish.version.is_none() && wish.id.is_none() && !scopes.config().populates();
    if plain
        && let Some(parsed) = parsed
        && let Some(registered) = same(&mut tx, asker, &subject, wish, parsed, Lookup::Live).await?
    {
        let awaited = writing::gateways_wait(&mut tx, asker, &subject, registered.schema.row).await?;
        tx.commit().await?;
        let registration = Registration {
            registered,
            populated: false,
        };
        return Ok((subject, Within::found(registration, awaited)));
    }
    tx.commit().await?;
    let _turn = verdict::turn().await?;
    let mut write = writing::begin(app, asker).await?;
    let made = within(&mut write, asker, &subject, prepared).await?;
    write.finish_empty().await?;
    Ok((subject, made))
}

/// What came of a registration within a write.
#[derive(Debug)]
pub struct Within {
    /// What it came to.
    pub registration: Registration,
    /// There is a new version.
    pub new: bool,
    /// There may be gateways that do not know it yet.
    pub awaited: bool,
}

impl Within {
    fn found(registration: Registration, awaited: bool) -> Self {
        Self {
            registration,
            new: false,
            awaited,
        }
    }
}

/// The same within a write that somebody has begun, after he has seen to permission and turn.
pub async fn within(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    prepared: Prepared,
) -> Outcome<Within> {
    let Prepared { wish, parsed } = prepared;
    let (registration, made) = under_lock(write, asker, subject, &wish, parsed).await?;
    let Some(made) = made else {
        return Ok(Within::found(registration, true));
    };
    record(write, asker, subject, &registration.registered, &made).await?;
    let Made {
        id,
        generation,
        findings,
        schemas,
    } = made;
    let number = registration.registered.version;
    linting::note(write, asker, subject, id, number, generation, &findings).await?;
    let awaited = writing::tell_gateways(write, asker, subject, &schemas).await?;
    Ok(Within {
        registration,
        new: true,
        awaited,
    })
}

/// What a new version brings beside itself.
struct Made {
    /// The contract, and what it is since.
    id: ContractId,
    generation: i64,
    /// What lint rules found.
    findings: Vec<Finding>,
    /// The schemas that records may be of from now on, or may no more.
    schemas: Vec<Uuid>,
}

/// The part that one registration of a subject does at a time; with what a new version brings, if there is one.
async fn under_lock(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    wish: &Wish,
    parsed: Option<Parsed>,
) -> Outcome<(Registration, Option<Made>)> {
    let scope = asker.scope;
    let id = hold(write, asker, subject).await?;
    let tx = write.tx();
    let scopes = config::configured(tx, scope, &subject.context, &subject.name).await?;
    check_mode(&scopes, subject, asker, wish.id)?;
    let (config, importing) = (scopes.config(), scopes.mode() == Mode::Import);
    let numbers = version::numbers(tx, scope, id).await?;
    let next = numbers.last().map_or(1, |it| it.version + 1);
    let before = version::last(tx, scope, subject, id, None, Lookup::Live).await?;
    let (content, parsed, populated) =
        content::made(tx, asker, wish, parsed, &config, before.as_ref(), next, importing).await?;
    verdict::check_rules(&parsed, content.rule_set.as_ref(), content.metadata.as_ref()).await?;
    let (text, hash) = (content.text_hash(), content.hash());
    let asked_twice = version::of_text(tx, scope, subject, &text, Some(&hash), Lookup::Live).await?;
    if let Some(registered) = asked_twice
        && wish.version.is_none_or(|it| it == registered.version)
        && wish.id.is_none_or(|it| it == registered.schema.id)
    {
        let registration = Registration {
            registered,
            populated,
        };
        return Ok((registration, None));
    }
    check_room(&numbers)?;
    let mut findings = Vec::new();
    if !importing {
        let metadata = content.metadata.as_ref();
        lifecycle::check(tx, asker, id, &config, metadata).await?;
        let newest = before.as_ref();
        let broken = compare(
            tx, asker, subject, id, &numbers, newest, &config, metadata, &parsed,
        )
        .await?;
        refuse_broken(broken, subject, asker)?;
        findings = linting::found(tx, asker, subject, next, &config, &content, &parsed).await?;
        linting::refuse(&findings)?;
    }
    let number = number(wish, next, importing, &numbers)?;
    let targets = content::targets(tx, asker, subject, &content.references).await?;
    let room = service_quota::contract_room(tx, scope).await?;
    let (row, schema_id) = content::keep(tx, asker, subject, wish, &content, &room).await?;
    room.versions.check_more(1)?;
    forget_same(tx, asker, id, &numbers, row, number).await?;
    let by = asker.caller.principal.to_string();
    let generation = version::insert(tx, scope, id, number, row, &by).await?;
    reference::insert(tx, scope, id, number, &targets).await?;
    let mut schemas = vec![row];
    if lifecycle::turns(before.as_ref(), content.metadata.as_ref()) {
        schemas.extend(numbers.iter().filter(|it| !it.deleted).map(|it| it.schema_row));
    }
    let registered = if content.rule_set.is_some() {
        // The database writes numbers in its own way.
        let found = version::last(tx, scope, subject, id, Some(number), Lookup::Live).await?;
        found.ok_or_else(|| Error::internal("a new version does not show"))?
    } else {
        content::registered(subject, number, row, schema_id, content)
    };
    let registration = Registration {
        registered,
        populated,
    };
    let made = Made {
        id,
        generation,
        findings,
        schemas,
    };
    Ok((registration, Some(made)))
}

/// The subject's row, made if it is missing, and held.
pub async fn hold(write: &mut Write, asker: &Asker, subject: &Subject) -> Outcome<ContractId> {
    for _try in 0..TRIES_MAX {
        if let Some(id) = store::lock(write.tx(), asker.scope, subject).await? {
            return Ok(id);
        }
        service_quota::check(write.tx(), asker.scope, Quota::Contracts).await?;
        store::insert(write.tx(), asker.scope, subject).await?;
    }
    let detail = "The subject is being deleted and registered at the same moment; try again.";
    Err(Error::unavailable(code::BUSY, detail, 1).into())
}

/// Refuses one more version of a subject that has as many as it may.
pub fn check_room(numbers: &[Numbered]) -> Outcome<()> {
    if numbers.iter().filter(|it| !it.deleted).count() < VERSIONS_MAX {
        return Ok(());
    }
    let text = format!("A subject has at most {VERSIONS_MAX} versions; delete old ones first");
    Err(Refusal::NotPermitted(text).into())
}

/// Refuses a schema that may not follow those before it.
pub fn refuse_broken(broken: Option<Broken>, subject: &Subject, asker: &Asker) -> Outcome<()> {
    let Some(broken) = broken.map(Box::new) else {
        return Ok(());
    };
    let subject = subject.shown(&asker.home);
    Err(Refusal::Incompatible { subject, broken }.into())
}

/// Refuses what the subject's mode does not permit.
pub fn check_mode(scopes: &Scopes, subject: &Subject, asker: &Asker, id: Option<i32>) -> Outcome<()> {
    let shown = subject.shown(&asker.home);
    let text = match (scopes.mode(), id) {
        (Mode::ReadOnly | Mode::ReadOnlyOverride, _) => format!("Subject {shown} is in read-only mode"),
        (Mode::ReadWrite, Some(_)) => format!("Subject {shown} is not in import mode"),
        (Mode::Import, None) => format!("Subject {shown} is not in read-write mode"),
        (Mode::ReadWrite, None) | (Mode::Import, Some(_)) => return Ok(()),
    };
    Err(Refusal::NotPermitted(text).into())
}

fn number(wish: &Wish, next: i32, importing: bool, numbers: &[Numbered]) -> Outcome<i32> {
    let Some(wanted) = wish.version.filter(|it| *it > 0) else {
        return Ok(next);
    };
    if importing {
        if numbers.iter().any(|it| it.version == wanted) {
            let text = format!("Version {wanted} is there already");
            return Err(Refusal::NotPermitted(text).into());
        }
        return Ok(wanted);
    }
    if wanted != next {
        let text = "Version is not one more than previous version";
        return Err(Refusal::InvalidSchema(text.into()).into());
    }
    Ok(next)
}

/// Deleted versions of the same schema end for good when it is registered again, as upstream has it.
async fn forget_same(
    tx: &mut Tx,
    asker: &Asker,
    id: ContractId,
    numbers: &[Numbered],
    row: Uuid,
    number: i32,
) -> Outcome<()> {
    let earlier = |it: &&Numbered| it.deleted && it.schema_row == row && it.version < number;
    let same: Vec<i32> = numbers.iter().filter(earlier).map(|it| it.version).collect();
    if !same.is_empty() {
        version::delete(tx, asker.scope, id, &same).await?;
    }
    Ok(())
}

async fn record(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    new: &Registered,
    made: &Made,
) -> Outcome<()> {
    let after = serde_json::json!({
        "subject": subject.name, "context": subject.context.label(), "version": new.version,
        "schema_id": new.schema.id, "format": new.schema.format.as_str(),
    });
    let action = Action::Act("register_version");
    let change = Change::new(
        action,
        made.id,
        &subject.resource_name(),
        made.generation,
        owner(asker.scope),
    );
    write.record(change.with_after(after)).await?;
    Ok(())
}
