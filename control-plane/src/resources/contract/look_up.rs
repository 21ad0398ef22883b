//! Is a schema there, and may it follow those that are?

use weir_contract::Level;

use crate::resources::contract::config::{self, Config, Scopes};
use crate::resources::contract::model::{
    Asker, ContextName, ContractId, Lookup, Registered, SchemaReference, Subject, Window,
};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::version::{self, Numbered};
use crate::resources::contract::wish::{Content, Metadata, Wish, text_hash};
use crate::resources::contract::{read, size, store};
use crate::runtime::{App, Tx};

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
    let window = Window { offset: 0, limit: 1 };
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
    let _turn = verdict::turn().await?;
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
                compare(
                    &mut tx,
                    asker,
                    subject,
                    id,
                    &numbers,
                    &config,
                    wish.metadata.as_ref(),
                    &parsed,
                )
                .await?
            }
            None => Vec::new(),
        },
    };
    tx.commit().await?;
    Ok(Verdict { messages })
}

/// A wish whose references are in the words of the subject's context, and its schema, if it brings one.
pub struct Prepared {
    pub wish: Wish,
    pub parsed: Option<Parsed>,
}

pub async fn prepare(
    app: &App,
    asker: &Asker,
    subject: &Subject,
    mut wish: Wish,
    normalize: bool,
) -> Outcome<(Scopes, Prepared)> {
    size::check_references(&wish.references)?;
    wish.rule_set = verdict::read_rules(wish.rule_set.as_ref())?;
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

/// References as the subject's own context writes them, with the latest version pinned to the one that it is now.
async fn relative(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    references: &[SchemaReference],
) -> Outcome<Vec<SchemaReference>> {
    let mut own = Vec::with_capacity(references.len());
    for it in references {
        let (named, name) = ContextName::split(&it.subject);
        // A bare name is one of the subject's neighbours, as upstream has it.
        let Some(context) = read::context(tx, asker.scope, &subject.context, named).await? else {
            own.push(it.clone());
            continue;
        };
        let neighbour = Subject {
            context,
            name: name.to_owned(),
        };
        let mut version = it.version;
        if version < 0
            && let Some(id) = store::find(tx, asker.scope, &neighbour).await?
        {
            let latest = version::last(tx, asker.scope, &neighbour, id, None, Lookup::Live).await?;
            version = latest.map_or(version, |it| it.version);
        }
        own.push(SchemaReference {
            name: it.name.clone(),
            subject: neighbour.shown(&subject.context),
            version,
        });
    }
    Ok(own)
}

/// The version that has the same content; who says nothing of metadata and rules means the text alone.
pub async fn same(
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
            record_names: Vec::new(),
        }
        .hash()
    });
    Ok(version::of_text(tx, asker.scope, subject, id, &text, content.as_ref(), lookup).await?)
}

/// What breaks when the schema follows those before it: of the newest version that breaks, everything.
#[expect(
    clippy::too_many_arguments,
    reason = "what a comparison is made of, all of it needed"
)]
pub async fn compare(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    id: ContractId,
    numbers: &[Numbered],
    config: &Config,
    metadata: Option<&Metadata>,
    new: &Parsed,
) -> Outcome<Vec<String>> {
    let level = verdict::level(config.level())?;
    if level == Level::None {
        return Ok(Vec::new());
    }
    let group = |metadata: Option<&Metadata>| {
        let key = config.compatibility_group.as_ref()?;
        metadata?.properties.as_ref()?.get(key).cloned()
    };
    let own = group(metadata);
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
