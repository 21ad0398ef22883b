//! A registration that is only asked about: everything that is wrong, not the first thing alone; what would be different; whom it
//! meets. In a transaction that cannot write.

mod api;
mod compared;
mod impact;

pub use api::ContractPlan;

use api::ContractChange;
use compared::Side;

use crate::resources::contract::compare::compare;
use crate::resources::contract::config::{self, Config};
use crate::resources::contract::content;
use crate::resources::contract::input::Asked;
use crate::resources::contract::look_up::{Prepared, gather};
use crate::resources::contract::model::{Asker, ContractId, Lookup, Registered, Subject};
use crate::resources::contract::problem::ContractProblem;
use crate::resources::contract::refusal::{Failure, Outcome};
use crate::resources::contract::verdict::Parsed;
use crate::resources::contract::version::Numbered;
use crate::resources::contract::wish::Content;
use crate::resources::contract::{lifecycle, linting, promise, register, schema, store, verdict, version};
use crate::resources::service_quota::{self, Quota};
use crate::rest::Call;
use crate::runtime::{App, Tx};

/// What stands before the version that is asked about.
struct Before {
    id: Option<ContractId>,
    numbers: Vec<Numbered>,
    newest: Option<Registered>,
    config: Config,
}

impl Before {
    fn next(&self) -> i32 {
        self.numbers.last().map_or(1, |it| it.version + 1)
    }
}

/// The plan. What forbids a version whatever is in it (a mode, a service quota) is refused as without `dry_run`.
///
/// # Errors
/// As a registration, but for what is wrong with the contract itself.
pub async fn of(
    app: &App,
    asker: &Asker,
    call: &Call,
    subject: &Subject,
    asked: Asked,
) -> Outcome<ContractPlan> {
    let mut tx = app.db.snapshot(&asker.scope.scope()).await?;
    let Asked { wish, level } = asked;
    let before = before(&mut tx, asker, call, subject, level).await?;
    let mut problems = Vec::new();
    let gathered = gather(&mut tx, asker, subject, wish, false).await;
    let prepared = match kept(&mut problems, gathered)? {
        Some(gathered) => kept(&mut problems, gathered.read().await)?,
        None => None,
    };
    let mut read = None;
    if let Some((_scopes, Prepared { wish, parsed })) = prepared {
        let (next, newest) = (before.next(), before.newest.as_ref());
        let made = content::made(&mut tx, asker, &wish, parsed, &before.config, newest, next, false).await;
        read = kept(&mut problems, made)?.map(|(content, parsed, _populated)| (content, parsed));
    }
    let (mut unchanged, mut changes) = (None, Vec::new());
    if let Some((content, parsed)) = &read {
        unchanged = same(&mut tx, asker, subject, &before, content).await?;
        if unchanged.is_none() {
            problems.extend(judged(&mut tx, asker, subject, &before, content, parsed).await?);
            changes = differences(&mut tx, asker, subject, &before, content).await?;
        }
    }
    let mut names = match before.id {
        Some(id) => schema::record_names(&mut tx, asker.scope, id).await?,
        None => Vec::new(),
    };
    names.extend(read.iter().flat_map(|(_content, parsed)| parsed.record_names()));
    let impact = impact::of(&mut tx, asker.scope, subject, &names).await?;
    tx.commit().await?;
    let accepted = read.is_some() && !problems.iter().any(|it| it.blocking);
    Ok(ContractPlan {
        kind: "ContractPlan",
        accepted,
        version: unchanged.or_else(|| accepted.then(|| before.next())),
        unchanged: unchanged.is_some(),
        problems,
        changes,
        impact,
    })
}

async fn before(
    tx: &mut Tx,
    asker: &Asker,
    call: &Call,
    subject: &Subject,
    level: Option<String>,
) -> Outcome<Before> {
    let scope = asker.scope;
    let scopes = config::configured(tx, scope, &subject.context, &subject.name).await?;
    let mut config = scopes.config();
    if level.is_some() {
        config.compatibility_level = level;
    }
    let id = store::find(tx, scope, subject).await?;
    let Some(known) = id else {
        register::check_mode(&scopes, subject, asker, None)?;
        service_quota::check(tx, scope, Quota::Contracts).await?;
        return Ok(Before {
            id,
            numbers: Vec::new(),
            newest: None,
            config,
        });
    };
    call.check_generation(store::generation(tx, scope, known).await?)?;
    register::check_mode(&scopes, subject, asker, None)?;
    let numbers = version::numbers(tx, scope, known).await?;
    let newest = version::last(tx, scope, subject, known, None, Lookup::Live).await?;
    Ok(Before {
        id,
        numbers,
        newest,
        config,
    })
}

/// The number of the version that is the same.
async fn same(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    before: &Before,
    content: &Content,
) -> Outcome<Option<i32>> {
    if before.id.is_none() {
        return Ok(None);
    }
    let (text, hash) = (content.text_hash(), content.hash());
    let found = version::of_text(tx, asker.scope, subject, &text, Some(&hash), Lookup::Live).await?;
    Ok(found.map(|it| it.version))
}

/// What would refuse a new version.
async fn judged(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    before: &Before,
    content: &Content,
    parsed: &Parsed,
) -> Outcome<Vec<ContractProblem>> {
    register::check_room(&before.numbers)?;
    service_quota::check(tx, asker.scope, Quota::ContractVersions).await?;
    let mut problems = Vec::new();
    let metadata = content.metadata.as_ref();
    let rules = verdict::check_rules(parsed, content.rule_set.as_ref(), metadata).await;
    kept(&mut problems, rules)?;
    if let Some(id) = before.id {
        let step = lifecycle::check(tx, asker, id, &before.config, metadata).await;
        kept(&mut problems, step)?;
        let (numbers, newest, config) = (&before.numbers, before.newest.as_ref(), &before.config);
        let broken = compare(tx, asker, subject, id, numbers, newest, config, metadata, parsed).await?;
        kept(&mut problems, register::refuse_broken(broken, subject, asker))?;
    }
    let found = linting::found(tx, asker, subject, before.next(), &before.config, content, parsed).await?;
    problems.extend(found.iter().map(ContractProblem::of_finding));
    let promises = metadata.map(promise::problems).unwrap_or_default();
    problems.extend(promises.iter().map(ContractProblem::of_promise));
    Ok(problems)
}

/// What is different from the newest version.
async fn differences(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    before: &Before,
    content: &Content,
) -> Outcome<Vec<ContractChange>> {
    let Some(newest) = &before.newest else {
        return Ok(Vec::new());
    };
    let schema = &newest.schema;
    let old = Side {
        subject: &subject.name,
        format: schema.format,
        text: &schema.text,
        sources: version::sources_of(tx, asker.scope, schema).await?,
        metadata: schema.metadata.as_ref(),
        rule_set: schema.rule_set.as_ref(),
    };
    let new = Side {
        subject: &subject.name,
        format: content.format,
        text: &content.text,
        sources: version::resolve(tx, asker.scope, &subject.context, &content.references).await?,
        metadata: content.metadata.as_ref(),
        rule_set: content.rule_set.as_ref(),
    };
    let level = verdict::level(before.config.level())?;
    let changes = verdict::changes(old.document()?, new.document()?, level).await?;
    Ok(changes.into_iter().map(compared::shown).collect())
}

/// Keeps what is wrong with the contract, and goes on; fails with anything else.
fn kept<T>(problems: &mut Vec<ContractProblem>, outcome: Outcome<T>) -> Outcome<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Refused(refusal)) => match refusal.problems() {
            Some(found) => {
                problems.extend(found);
                Ok(None)
            }
            None => Err(refusal.into()),
        },
        Err(broken) => Err(broken),
    }
}
