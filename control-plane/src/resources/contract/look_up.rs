//! Is a schema there, and may it follow those that are?

use weir_contract::NamedSource;

use crate::resources::contract::compare::{self, compare};
use crate::resources::contract::config::{self, Scopes};
use crate::resources::contract::model::{
    Asker, ContextName, Lookup, Registered, SchemaReference, Subject, Window,
};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::version;
use crate::resources::contract::wish::{Content, Wish, text_hash};
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
            let found = compare::one(&mut tx, asker, level, &parsed, &found).await?;
            compare::lines(&found)
        }
        None => match store::find(&mut tx, asker.scope, subject).await? {
            Some(id) => {
                let numbers = version::numbers(&mut tx, asker.scope, id).await?;
                let metadata = wish.metadata.as_ref();
                let broken = compare(
                    &mut tx, asker, subject, id, &numbers, None, &config, metadata, &parsed,
                )
                .await?;
                broken.map(|it| it.messages()).unwrap_or_default()
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
    wish: Wish,
    normalize: bool,
) -> Outcome<(Scopes, Prepared)> {
    let mut tx = app.db.read(&asker.scope.scope()).await?;
    let gathered = gather(&mut tx, asker, subject, wish, normalize).await?;
    tx.commit().await?;
    gathered.read().await
}

/// A wish's schema, if it can be read without the database. It is known before anything is asked, and what is wrong with it is said
/// only when its turn comes.
pub async fn early(wish: &Wish) -> Option<Outcome<Parsed>> {
    let text = wish.text.clone().filter(|it| !it.trim().is_empty())?;
    if !wish.references.is_empty() {
        return None;
    }
    Some(verdict::parse(wish.format, text, Vec::new(), false).await)
}

/// A wish with everything that its schema refers to, not yet read.
#[derive(Debug)]
pub struct Gathered {
    scopes: Scopes,
    wish: Wish,
    sources: Vec<NamedSource>,
    normalize: bool,
}

/// Gathers what reading a wish needs of the database.
pub async fn gather(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    wish: Wish,
    normalize: bool,
) -> Outcome<Gathered> {
    let scopes = config::configured(tx, asker.scope, &subject.context, &subject.name).await?;
    gather_under(tx, asker, subject, scopes, wish, normalize).await
}

/// The same, by a configuration that was read.
pub async fn gather_under(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    scopes: Scopes,
    mut wish: Wish,
    normalize: bool,
) -> Outcome<Gathered> {
    size::check_references(&wish.references)?;
    wish.rule_set = verdict::read_rules(wish.rule_set.as_ref())?;
    let normalize = normalize || scopes.config().normalize == Some(true);
    wish.references = relative(tx, asker, subject, &wish.references).await?;
    let sources = version::resolve(tx, asker.scope, &subject.context, &wish.references).await?;
    Ok(Gathered {
        scopes,
        wish,
        sources,
        normalize,
    })
}

impl Gathered {
    /// What was read of it without the database, and is to be stored as it was read.
    pub fn with(self, parsed: Parsed) -> Result<(Scopes, Prepared), Box<Self>> {
        if self.normalize || !self.sources.is_empty() {
            return Err(Box::new(self));
        }
        let prepared = Prepared {
            wish: self.wish,
            parsed: Some(parsed),
        };
        Ok((self.scopes, prepared))
    }

    /// Reads the schema, if the wish brings one.
    pub async fn read(self) -> Outcome<(Scopes, Prepared)> {
        let Self {
            scopes,
            wish,
            sources,
            normalize,
        } = self;
        let text = wish.text.clone().filter(|it| !it.trim().is_empty());
        let parsed = match text {
            Some(text) => Some(verdict::parse(wish.format, text, sources, normalize).await?),
            None => None,
        };
        Ok((scopes, Prepared { wish, parsed }))
    }
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
    Ok(version::of_text(tx, asker.scope, subject, &text, content.as_ref(), lookup).await?)
}
