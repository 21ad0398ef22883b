//! Registration: one id for equal content, one version at a time of each subject, each checked against those before it.
//!
//! Nothing locks more than the subject's own row. The id comes from a sequence; equal content meets in a unique constraint.

use uuid::Uuid;
use weir_contract::Level;

use crate::auth::Role;
use crate::kernel::{Action, Change, Error};
use crate::resources::contract::config::{Config, Mode, Scopes};
use crate::resources::contract::model::{
    Asker, Context, ContextName, ContractId, Lookup, Registered, SchemaReference, Subject,
};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::version::{self, Numbered};
use crate::resources::contract::wish::{Content, Wish, populated, text_hash};
use crate::resources::contract::{config, read, reference, schema, store, writing};
use crate::resources::owner;
use crate::resources::service_quota::{self, Quota};
use crate::rest::Write;
use crate::runtime::{App, Tx};

/// Ids below come from imports alone; the sequence gives this one and those above.
const IMPORTED_BELOW: i32 = 100_000_000;
/// Versions of one subject that stand: a transitive level compares with every one of them.
const VERSIONS_MAX: usize = 1_000;
/// Others may end what is being looked for at the same moment, but not for ever.
const TRIES_MAX: usize = 4;

/// What a registration came to.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The version, new or as it was.
    pub registered: Registered,
    /// Metadata, rules or text are not only the caller's.
    pub populated: bool,
}

/// May a schema follow those before it?
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What breaks; nothing when it may.
    pub messages: Vec<String>,
}

impl Verdict {
    /// It may.
    #[must_use]
    pub fn is_compatible(&self) -> bool {
        self.messages.is_empty()
    }
}

/// Registers a schema under a subject, or finds it there.
pub async fn register(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    wish: Wish,
    normalize: bool,
) -> Outcome<Registration> {
    asker.caller.require(Role::Developer, &subject.resource_name())?;
    let (scopes, prepared) = prepare(app, asker, subject, wish, normalize).await?;
    let Prepared { wish, parsed } = prepared;
    let plain = !wish.retags() && wish.version.is_none() && wish.id.is_none() && !scopes.config().populates();
    if plain && let Some(parsed) = &parsed {
        let mut tx = app.db.read(&asker.scope.scope()).await?;
        let found = same(&mut tx, asker, subject, &wish, parsed, Lookup::Live).await?;
        tx.commit().await?;
        if let Some(registered) = found {
            return Ok(Registration {
                registered,
                populated: false,
            });
        }
    }
    let mut write = writing::begin(app, asker).await?;
    let (registration, new) = under_lock(&mut write, asker, subject, &wish, parsed).await?;
    if new {
        record(&mut write, asker, subject, &registration.registered).await?;
    }
    write.finish_empty().await?;
    Ok(registration)
}

/// Finds a schema under a subject, whatever its version.
pub async fn look_up(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    wish: Wish,
    normalize: bool,
    lookup: Lookup,
) -> Outcome<Registered> {
    let mut tx = app.db.read(&asker.scope.scope()).await?;
    let window = crate::resources::contract::model::Window { offset: 0, limit: 1 };
    read::versions(&mut tx, asker, subject, lookup, window).await?;
    tx.commit().await?;
    let (_scopes, Prepared { wish, parsed }) = prepare(app, asker, subject, wish, normalize).await?;
    let parsed = parsed.ok_or_else(|| Refusal::InvalidSchema("Empty schema".into()))?;
    let mut tx = app.db.read(&asker.scope.scope()).await?;
    let found = same(&mut tx, asker, subject, &wish, &parsed, lookup).await?;
    tx.commit().await?;
    Ok(found.ok_or(Refusal::NoSuchSchema)?)
}

/// Compares a schema with one version of a subject, or with those that its level asks for.
pub async fn judge(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    wish: Wish,
    normalize: bool,
    against: Option<Option<i32>>,
) -> Outcome<Verdict> {
    let (scopes, Prepared { wish, parsed }) = prepare(app, asker, subject, wish, normalize).await?;
    let parsed = parsed.ok_or_else(|| Refusal::InvalidSchema("Empty schema".into()))?;
    let config = scopes.config();
    let mut tx = app.db.snapshot(&asker.scope.scope()).await?;
    let messages = match against {
        Some(number) => {
            let found = read::find(&mut tx, asker, subject, number, Lookup::Live).await?;
            let level = verdict::level(config.level())?;
            one(&mut tx, asker, level, &parsed, &found).await?
        }
        None => match store::find(&mut tx, asker.scope, subject).await? {
            Some(id) => {
                let numbers = version::numbers(&mut tx, asker.scope, id).await?;
                compare(&mut tx, asker, subject, id, &numbers, &config, &wish, &parsed).await?
            }
            None => Vec::new(),
        },
    };
    tx.commit().await?;
    Ok(Verdict { messages })
}

/// A wish whose references are in the words of the subject's context, and its schema, if it brings one.
struct Prepared {
    wish: Wish,
    parsed: Option<Parsed>,
}

async fn prepare(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    mut wish: Wish,
    normalize: bool,
) -> Outcome<(Scopes, Prepared)> {
    verdict::check_rules(wish.rule_set.as_ref())?;
    let mut tx = app.db.read(&asker.scope.scope()).await?;
    let scopes = config::configured(&mut tx, asker.scope, &subject.context, &subject.name).await?;
    let normalize = normalize || scopes.config().normalize == Some(true);
    wish.references = relative(&mut tx, asker, subject, &wish.references).await?;
    let sources = version::resolve(&mut tx, asker.scope, &subject.context, &wish.references).await?;
    tx.commit().await?;
    let text = wish.text.clone().filter(|it| !it.trim().is_empty());
    let parsed = match text {
        Some(text) => Some(verdict::parse(wish.format, text, sources, normalize).await?),
        None => None,
    };
    Ok((scopes, Prepared { wish, parsed }))
}

/// References as the subject's own context writes them: a caller of another context may mean his own by a bare name.
async fn relative(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    references: &[SchemaReference],
) -> Outcome<Vec<SchemaReference>> {
    let mut own = Vec::with_capacity(references.len());
    for it in references {
        let (named, name) = ContextName::split(&it.subject);
        let context = match named {
            // A bare name is one of the subject's neighbours, as upstream has it.
            ContextName::Home => Some(subject.context.clone()),
            named => read::context(tx, asker.scope, &asker.home, named).await?,
        };
        let context: Option<Context> = context;
        let shown = match context {
            Some(context) => Subject {
                context,
                name: name.to_owned(),
            }
            .shown(&subject.context),
            None => it.subject.clone(),
        };
        own.push(SchemaReference {
            subject: shown,
            ..it.clone()
        });
    }
    Ok(own)
}

/// The version that has the same content; who says nothing of metadata and rules means the text alone.
async fn same(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    wish: &Wish,
    parsed: &Parsed,
    lookup: Lookup,
) -> Outcome<Option<Registered>> {
    let Some(id) = store::find(tx, asker.scope, subject).await? else {
        return Ok(None);
    };
    let text = text_hash(wish.format, &parsed.text, &wish.references);
    let says_more = wish.metadata.is_some() || wish.rule_set.is_some();
    let content = says_more.then(|| {
        Content {
            format: wish.format,
            text: parsed.text.clone(),
            references: wish.references.clone(),
            metadata: wish.metadata.clone(),
            rule_set: wish.rule_set.clone(),
        }
        .hash()
    });
    Ok(version::of_text(tx, asker.scope, subject, id, &text, content.as_ref(), lookup).await?)
}

/// The part that one registration of a subject does at a time.
async fn under_lock(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    wish: &Wish,
    parsed: Option<Parsed>,
) -> Outcome<(Registration, bool)> {
    let scope = asker.scope;
    let id = held(write, asker, subject).await?;
    let tx = write.tx();
    let scopes = config::configured(tx, scope, &subject.context, &subject.name).await?;
    check_mode(&scopes, subject, asker, wish)?;
    let (config, importing) = (scopes.config(), scopes.mode() == Mode::Import);
    let numbers = version::numbers(tx, scope, id).await?;
    let next = numbers.last().map_or(1, |it| it.version + 1);
    let before = version::last(tx, scope, subject, id, None, Lookup::Live).await?;
    let (content, parsed, populated) = content(tx, asker, wish, parsed, &config, before.as_ref(), next, importing).await?;
    let (text, hash) = (content.text_hash(), content.hash());
    let asked_twice = version::of_text(tx, scope, subject, id, &text, Some(&hash), Lookup::Live).await?;
    if let (Some(registered), None) = (asked_twice, wish.version)
        && wish.id.is_none_or(|it| it == registered.schema.id)
    {
        return Ok((Registration { registered, populated }, false));
    }
    if numbers.iter().filter(|it| !it.deleted).count() >= VERSIONS_MAX {
        let text = format!("A subject has at most {VERSIONS_MAX} versions; delete old ones first");
        return Err(Refusal::NotPermitted(text).into());
    }
    if !importing {
        let messages = compare(tx, asker, subject, id, &numbers, &config, wish, &parsed).await?;
        if !messages.is_empty() {
            return Err(Refusal::Incompatible {
                subject: subject.shown(&asker.home),
                details: messages.join(", "),
            }
            .into());
        }
    }
    let number = number(wish, next, importing, &numbers)?;
    let targets = targets(tx, asker, subject, &content.references).await?;
    let (row, schema_id) = keep(tx, asker, subject, wish, &content).await?;
    service_quota::check(tx, scope, Quota::ContractVersions).await?;
    forget_same(tx, asker, id, &numbers, row, number).await?;
    let by = asker.caller.principal.to_string();
    version::insert(tx, scope, id, number, row, &by).await?;
    reference::insert(tx, scope, id, number, &targets).await?;
    let found = version::last(tx, scope, subject, id, Some(number), Lookup::Live).await?;
    let registered = found.ok_or_else(|| Error::internal("a new version does not show"))?;
    debug_assert_eq!(registered.schema.id, schema_id);
    Ok((Registration { registered, populated }, true))
}

/// The subject's row, made if it is missing, and held.
async fn held(write: &mut Write, asker: &Asker, subject: &Subject) -> Outcome<ContractId> {
    for _try in 0..TRIES_MAX {
        if let Some(id) = store::lock(write.tx(), asker.scope, subject).await? {
            return Ok(id);
        }
        service_quota::check(write.tx(), asker.scope, Quota::Contracts).await?;
        store::insert(write.tx(), asker.scope, subject).await?;
    }
    let detail = "The subject is being deleted and registered at the same moment; try again.";
    Err(Error::unavailable(crate::kernel::code::BUSY, detail, 1).into())
}

fn check_mode(scopes: &Scopes, subject: &Subject, asker: &Asker, wish: &Wish) -> Outcome<()> {
    let shown = subject.shown(&asker.home);
    let text = match (scopes.mode(), wish.id) {
        (Mode::ReadOnly | Mode::ReadOnlyOverride, _) => format!("Subject {shown} is in read-only mode"),
        (Mode::ReadWrite, Some(_)) => format!("Subject {shown} is not in import mode"),
        (Mode::Import, None) => format!("Subject {shown} is not in read-write mode"),
        (Mode::ReadWrite, None) | (Mode::Import, Some(_)) => return Ok(()),
    };
    Err(Refusal::NotPermitted(text).into())
}

/// What is to be stored: the caller's, completed by the version before and the configuration.
#[expect(clippy::too_many_arguments, reason = "what a registration is made of, all of it needed")]
async fn content(
    tx: &mut Tx,
    asker: &Asker,
    wish: &Wish,
    parsed: Option<Parsed>,
    config: &Config,
    before: Option<&Registered>,
    next: i32,
    importing: bool,
) -> Outcome<(Content, Parsed, bool)> {
    let before = before.map(|it| &it.schema);
    let (format, references, parsed, mut populates) = match (parsed, before) {
        (Some(parsed), _) => (wish.format, wish.references.clone(), parsed, false),
        (None, Some(before)) => {
            let sources = version::sources_of(tx, asker.scope, before).await?;
            let parsed = verdict::parse(before.format, before.text.clone(), sources, false).await?;
            (before.format, before.references.clone(), parsed, true)
        }
        (None, None) => return Err(Refusal::InvalidSchema("Empty schema".into()).into()),
    };
    let (metadata, rule_set) = if importing {
        (wish.metadata.clone(), wish.rule_set.clone())
    } else {
        let made = populated(wish, config, before, next);
        populates |= made.0.is_some() || made.1.is_some();
        made
    };
    verdict::check_rules(rule_set.as_ref())?;
    let content = Content {
        format,
        text: parsed.text.clone(),
        references,
        metadata: metadata.filter(|it| !it.is_empty()),
        rule_set,
    };
    Ok((content, parsed, populates))
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

/// What the schema refers to, held until it is registered.
async fn targets(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    references: &[SchemaReference],
) -> Outcome<Vec<reference::Target>> {
    let mut targets = Vec::with_capacity(references.len());
    for it in references {
        let missing = || {
            let (subject, version) = (&it.subject, it.version);
            let text = format!("No schema reference found for subject \"{subject}\" and version {version}");
            Refusal::InvalidSchema(text)
        };
        let (named, name) = ContextName::split(&it.subject);
        let context = read::context(tx, asker.scope, &subject.context, named).await?;
        let neighbour = Subject {
            context: context.ok_or_else(missing)?,
            name: name.to_owned(),
        };
        let id = store::find(tx, asker.scope, &neighbour).await?.ok_or_else(missing)?;
        let target = reference::hold_target(tx, asker.scope, id, it.version).await?;
        targets.push(target.ok_or_else(missing)?);
    }
    Ok(targets)
}

/// The content's row and id, found or made.
async fn keep(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    wish: &Wish,
    content: &Content,
) -> Outcome<(Uuid, i32)> {
    let (scope, context, hash) = (asker.scope, &subject.context, content.hash());
    for _try in 0..TRIES_MAX {
        if let Some((row, known)) = schema::of_content(tx, scope, context, &hash).await? {
            return match wish.id {
                Some(given) if given != known => Err(Refusal::IdDoesNotMatch { known, given }.into()),
                _ => Ok((row, known)),
            };
        }
        service_quota::check_more(
            tx,
            scope,
            Quota::ContractBytes,
            i64::try_from(content.text.len()).unwrap_or(i64::MAX),
        )
        .await?;
        let id = match wish.id {
            None => schema::next_id(tx).await?,
            Some(id) if !(1..IMPORTED_BELOW).contains(&id) => {
                let text = format!("An id that is brought along is 1 to {}", IMPORTED_BELOW - 1);
                return Err(Refusal::NotPermitted(text).into());
            }
            Some(id) if schema::taken(tx, scope, context, id).await? => {
                let text = format!("Overwrite new schema with id {id} is not permitted.");
                return Err(Refusal::NotPermitted(text).into());
            }
            Some(id) => id,
        };
        schema::insert(tx, scope, context, id, content).await?;
    }
    let detail = "The schema is being deleted and registered at the same moment; try again.";
    Err(Error::unavailable(crate::kernel::code::BUSY, detail, 1).into())
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

/// What breaks when the schema follows those before it: of the newest version that breaks, everything.
#[expect(clippy::too_many_arguments, reason = "what a comparison is made of, all of it needed")]
async fn compare(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    id: ContractId,
    numbers: &[Numbered],
    config: &Config,
    wish: &Wish,
    new: &Parsed,
) -> Outcome<Vec<String>> {
    let level = verdict::level(config.level())?;
    if level == Level::None {
        return Ok(Vec::new());
    }
    let group = |metadata: Option<&crate::resources::contract::wish::Metadata>| {
        let key = config.compatibility_group.as_ref()?;
        metadata?.properties.as_ref()?.get(key).cloned()
    };
    let own = group(wish.metadata.as_ref());
    for numbered in numbers.iter().rev().filter(|it| !it.deleted) {
        let number = Some(numbered.version);
        let found = version::last(tx, asker.scope, subject, id, number, Lookup::Live).await?;
        let Some(found) = found.filter(|it| group(it.schema.metadata.as_ref()) == own) else {
            continue;
        };
        let mut messages = one(tx, asker, level, new, &found).await?;
        if !messages.is_empty() {
            messages.push(format!("{{oldSchemaVersion: {}}}", found.version));
            let old: String = found.schema.text.chars().take(1_000).collect();
            messages.push(format!("{{oldSchema: '{old}'}}"));
            messages.push(format!("{{compatibility: '{}'}}", config.level()));
            return Ok(messages);
        }
        if !level.is_transitive() {
            break;
        }
    }
    Ok(Vec::new())
}

async fn one(
    tx: &mut Tx,
    asker: &Asker,
    level: Level,
    new: &Parsed,
    earlier: &Registered,
) -> Outcome<Vec<String>> {
    let schema = &earlier.schema;
    let sources = version::sources_of(tx, asker.scope, schema).await?;
    let earlier = verdict::parse(schema.format, schema.text.clone(), sources, false).await?;
    verdict::broken(level, new, earlier).await
}

async fn record(write: &mut Write, asker: &Asker, subject: &Subject, new: &Registered) -> Outcome<()> {
    let missing = || Error::internal("a registered subject does not show");
    let id = store::find(write.tx(), asker.scope, subject)
        .await?
        .ok_or_else(missing)?;
    let generation = store::touch(write.tx(), asker.scope, id).await?;
    let after = serde_json::json!({
        "subject": subject.name, "context": subject.context.label(), "version": new.version,
        "schema_id": new.schema.id, "format": new.schema.format.as_str(),
    });
    let action = Action::Act("register_version");
    let change = Change::new(
        action,
        id,
        &subject.resource_name(),
        generation,
        owner(asker.scope),
    );
    write.record(change.with_after(after)).await?;
    Ok(())
}
