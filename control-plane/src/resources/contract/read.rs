//! What can be asked: subjects, versions, schemas by id and by content.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::ClusterId;
use crate::resources::contract::config::Scopes;
use crate::resources::contract::model::{
    Asker, Context, ContextName, ContractId, Lookup, Registered, Schema, Subject, Window, check_subject,
};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::{config, reference, schema, store, version};
use crate::runtime::Tx;

/// Rows that are read at once: each may have a mebibyte.
const CHUNK: i64 = 32;
/// Texts of one answer all together.
const SEARCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The context that is named; none when there is no such environment, or when all are meant.
pub async fn context(
    tx: &mut Tx,
    scope: TenantScope,
    home: &Context,
    name: ContextName,
) -> Outcome<Option<Context>> {
    Ok(match name {
        ContextName::Home => Some(home.clone()),
        ContextName::Default => Some(Context::default()),
        ContextName::Named(name) => store::context_named(tx, scope, &name).await?,
        ContextName::All => None,
    })
}

/// The context of a cluster's environment, and of no cluster the tenant's own.
pub async fn home_of(tx: &mut Tx, scope: TenantScope, cluster: Option<ClusterId>) -> Outcome<Context> {
    Ok(match cluster {
        Some(cluster) => store::context_of_cluster(tx, scope, cluster)
            .await?
            .unwrap_or_default(),
        None => Context::default(),
    })
}

/// Every context, the default one first.
pub async fn contexts(tx: &mut Tx, asker: &Asker) -> Outcome<Vec<String>> {
    let named = store::context_names(tx, asker.scope).await?;
    let labels = named.into_iter().map(|it| format!(".{it}"));
    Ok(std::iter::once(".".to_owned()).chain(labels).collect())
}

/// The subject that a text names, in a context that is there. The name may be empty: then the context itself is meant.
pub async fn placed(tx: &mut Tx, asker: &Asker, text: &str) -> Outcome<Subject> {
    let (named, name) = ContextName::split(text);
    let found = context(tx, asker.scope, &asker.home, named).await?;
    let context = found.ok_or_else(|| Refusal::InvalidSubject(text.to_owned()))?;
    if !name.is_empty() {
        check_subject(text, name)?;
    }
    Ok(Subject {
        context,
        name: name.to_owned(),
    })
}

/// The subject that a text names to be written, or the one that it is an alias of, with its configuration. A context that is not there
/// is the caller's mistake here, not a subject that is not found.
pub async fn named_to_write(tx: &mut Tx, asker: &Asker, text: &str) -> Outcome<(Subject, Scopes)> {
    let subject = placed(tx, asker, text).await?;
    check_subject(text, &subject.name)?;
    let scopes = config::configured(tx, asker.scope, &subject.context, &subject.name).await?;
    let Some(name) = scopes.subject.config.alias.clone() else {
        return Ok((subject, scopes));
    };
    let subject = Subject { name, ..subject };
    let scopes = config::configured(tx, asker.scope, &subject.context, &subject.name).await?;
    Ok((subject, scopes))
}

/// The subject that a text names, or the one that it is an alias of.
pub async fn named(tx: &mut Tx, asker: &Asker, text: &str) -> Outcome<Subject> {
    let (named, name) = ContextName::split(text);
    let found = context(tx, asker.scope, &asker.home, named).await?;
    let context = found.ok_or_else(|| Refusal::SubjectNotFound(text.to_owned()))?;
    check_subject(text, name)?;
    let scopes = config::configured(tx, asker.scope, &context, name).await?;
    let name = scopes.subject.config.alias.as_deref().unwrap_or(name);
    Ok(Subject {
        name: name.to_owned(),
        context,
    })
}

/// The contract of a subject that has at least one version that counts.
async fn known(tx: &mut Tx, asker: &Asker, subject: &Subject, lookup: Lookup) -> Outcome<ContractId> {
    let missing = || Refusal::SubjectNotFound(subject.shown(&asker.home));
    let id = store::find(tx, asker.scope, subject).await?.ok_or_else(missing)?;
    let window = Window { offset: 0, limit: 1 };
    let lookup = if lookup == Lookup::Live {
        lookup
    } else {
        Lookup::All
    };
    if version::of(tx, asker.scope, id, lookup, window).await?.is_empty() {
        return Err(missing().into());
    }
    Ok(id)
}

/// A version of a subject, or the latest.
pub async fn find(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    number: Option<i32>,
    lookup: Lookup,
) -> Outcome<Registered> {
    let id = known(tx, asker, subject, lookup).await?;
    let found = version::last(tx, asker.scope, subject, id, number, lookup).await?;
    let text = || number.map_or_else(|| "latest".to_owned(), |it| it.to_string());
    Ok(found.ok_or_else(|| Refusal::VersionNotFound(text()))?)
}

/// The numbers of a subject's versions.
pub async fn versions(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    lookup: Lookup,
    window: Window,
) -> Outcome<Vec<i32>> {
    let id = known(tx, asker, subject, lookup).await?;
    Ok(version::of(tx, asker.scope, id, lookup, window).await?)
}

/// Ids of schemas that refer to a version.
pub async fn referenced_by(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    number: Option<i32>,
    lookup: Lookup,
    window: Window,
) -> Outcome<Vec<i32>> {
    let found = find(tx, asker, subject, number, Lookup::All).await?;
    let id = known(tx, asker, subject, Lookup::All).await?;
    let ids = reference::referenced_by(tx, asker.scope, id, found.version, lookup, window).await?;
    Ok(ids)
}

/// The newest version whose metadata has all of these properties.
pub async fn latest_with_metadata(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    wanted: &BTreeMap<String, String>,
    lookup: Lookup,
) -> Outcome<Registered> {
    let id = known(tx, asker, subject, lookup).await?;
    let found = version::last_with(tx, asker.scope, subject, id, wanted, lookup).await?;
    Ok(found.ok_or(Refusal::NoSuchSchema)?)
}

/// The schema under an id: in the context that a subject names, in the caller's own, or in the only one that has it.
pub async fn by_id(tx: &mut Tx, asker: &Asker, id: i32, subject: Option<&str>) -> Outcome<Schema> {
    let missing = || Refusal::SchemaNotFound(id.to_string());
    let (named, _name) = ContextName::split(subject.unwrap_or_default());
    let context = context(tx, asker.scope, &asker.home, named).await?;
    let mut found = schema::by_id(tx, asker.scope, id, context.as_ref()).await?;
    let at = found.iter().position(|it| Some(&it.context) == context.as_ref());
    match (at, found.len()) {
        (Some(at), _any) => Ok(found.swap_remove(at)),
        (None, 1) => Ok(found.swap_remove(0)),
        _none_or_several => Err(missing().into()),
    }
}

/// The schema with this content.
pub async fn by_guid(tx: &mut Tx, asker: &Asker, guid: Uuid) -> Outcome<Schema> {
    let found = schema::by_guid(tx, asker.scope, guid).await?;
    Ok(found.ok_or_else(|| Refusal::SchemaNotFound(guid.to_string()))?)
}

/// Contexts and ids of a content.
pub async fn ids_of_guid(tx: &mut Tx, asker: &Asker, guid: Uuid) -> Outcome<Vec<(String, i32)>> {
    let ids = schema::ids_of_guid(tx, asker.scope, guid).await?;
    if ids.is_empty() {
        return Err(Refusal::SchemaNotFound(guid.to_string()).into());
    }
    Ok(ids)
}

/// The highest id in a schema's context.
pub async fn max_id(tx: &mut Tx, asker: &Asker, schema: &Schema) -> Outcome<i32> {
    Ok(schema::max_id(tx, asker.scope, &schema.context).await?)
}

/// Subjects and versions that have a schema.
pub async fn used_by(
    tx: &mut Tx,
    asker: &Asker,
    schema: &Schema,
    lookup: Lookup,
    window: Window,
) -> Outcome<Vec<(Subject, i32)>> {
    let found = version::of_schema(tx, asker.scope, &schema.context, schema.row, lookup, window).await?;
    Ok(found)
}

/// What a search is for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The beginning of names, with a context before it or none; nothing at all lists what is the caller's.
    pub prefix: Option<String>,
    /// Which versions count.
    pub lookup: Lookup,
    /// Of each subject the newest only.
    pub latest_only: bool,
    /// Which part.
    pub window: Window,
}

impl Search {
    /// Context and prefix: `Some(None)` is every context, `None` one that is not there.
    async fn place(&self, tx: &mut Tx, asker: &Asker) -> Outcome<Option<(Option<Context>, String)>> {
        let text = match (&self.prefix, asker.home.environment) {
            (Some(text), _any) => text.as_str(),
            // Who has an environment of his own sees that; the tenant's own context is above all.
            (None, Some(_)) => "",
            (None, None) => ":*:",
        };
        let (named, prefix) = ContextName::split(text);
        if named == ContextName::All {
            return Ok(Some((None, prefix.to_owned())));
        }
        let context = context(tx, asker.scope, &asker.home, named).await?;
        Ok(context.map(|it| (Some(it), prefix.to_owned())))
    }
}

/// Subjects.
pub async fn subjects(tx: &mut Tx, asker: &Asker, wanted: &Search) -> Outcome<Vec<Subject>> {
    let Some((context, prefix)) = wanted.place(tx, asker).await? else {
        return Ok(Vec::new());
    };
    let (lookup, window) = (wanted.lookup, wanted.window);
    Ok(store::subjects(tx, asker.scope, context.as_ref(), &prefix, lookup, window).await?)
}

/// Versions over subjects.
pub async fn search(tx: &mut Tx, asker: &Asker, wanted: &Search) -> Outcome<Vec<Registered>> {
    let Some((context, prefix)) = wanted.place(tx, asker).await? else {
        return Ok(Vec::new());
    };
    let (mut found, mut bytes) = (Vec::new(), 0_usize);
    let Window { offset, limit } = wanted.window;
    let mut at = 0;
    while at < limit {
        let window = Window {
            offset: offset + at,
            limit: CHUNK.min(limit - at),
        };
        let (lookup, latest_only) = (wanted.lookup, wanted.latest_only);
        let rows = version::search(
            tx,
            asker.scope,
            context.as_ref(),
            &prefix,
            lookup,
            latest_only,
            window,
        )
        .await?;
        let last = rows.len() < usize::try_from(window.limit).unwrap_or(usize::MAX);
        bytes += rows.iter().map(|it| it.schema.text.len()).sum::<usize>();
        if bytes > SEARCH_BYTES_MAX {
            let text = "The answer would be larger than 16 MiB: ask with a smaller limit and an offset, or for a prefix.";
            return Err(Refusal::TooLarge(text.into()).into());
        }
        found.extend(rows);
        at += window.limit;
        if last {
            break;
        }
    }
    Ok(found)
}
