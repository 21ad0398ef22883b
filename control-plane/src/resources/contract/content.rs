//! What a registration stores: made of the wish, the version before and the configuration; found again, or kept under an id.

use uuid::Uuid;

use crate::kernel::{Error, code};
use crate::resources::contract::config::Config;
use crate::resources::contract::model::{
    Asker, Context, ContextName, Registered, Schema, SchemaReference, Subject,
};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::wish::{Content, Wish, populated};
use crate::resources::contract::{read, reference, schema, size, store, version};
use crate::resources::service_quota::{ContractRoom, Used};
use crate::runtime::Tx;

/// Ids below come from imports alone; the sequence gives this one and those above.
pub const IMPORTED_BELOW: i32 = 100_000_000;
/// Others may end what is being looked for at the same moment, but not for ever.
pub const TRIES_MAX: usize = 4;

/// What is to be stored: the caller's, completed by the version before and the configuration.
#[expect(
    clippy::too_many_arguments,
    reason = "what a registration is made of, all of it needed"
)]
pub async fn made(
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
    // After what the version before and the configuration add: it could grow with every version.
    let details = (&references, &metadata, &rule_set);
    size::check("References, metadata and rules", &details)?;
    let content = Content {
        format,
        text: parsed.text.clone(),
        references,
        metadata: metadata.filter(|it| !it.is_empty()),
        rule_set,
        record_names: parsed.record_names(),
    };
    Ok((content, parsed, populates))
}

/// What the schema refers to, held until it is registered.
pub async fn targets(
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
        let id = store::find(tx, asker.scope, &neighbour)
            .await?
            .ok_or_else(missing)?;
        let target = reference::hold_target(tx, asker.scope, id, it.version).await?;
        targets.push(target.ok_or_else(missing)?);
    }
    Ok(targets)
}

/// The content's row and id, found or made, as far as there is room for it.
pub async fn keep(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    wish: &Wish,
    content: &Content,
    room: &ContractRoom,
) -> Outcome<(Uuid, i32)> {
    let (scope, context) = (asker.scope, &subject.context);
    let details = (&content.references, &content.metadata, &content.rule_set);
    let bytes = i64::try_from(content.text.len() + size::of(&details)?).map_err(Error::internal)?;
    for _try in 0..TRIES_MAX {
        if let Some(given) = wish.id {
            if let Some(found) = imported(tx, asker, context, given, content, room.bytes, bytes).await? {
                return Ok(found);
            }
        } else if let Some(kept) = schema::find_or_make(tx, scope, context, content).await? {
            if kept.new {
                // Who is refused leaves nothing: his transaction ends with it.
                room.bytes.check_more(bytes)?;
            }
            return Ok((kept.row, kept.id));
        }
    }
    let detail = "The schema is being deleted and registered at the same moment; try again.";
    Err(Error::unavailable(code::BUSY, detail, 1).into())
}

/// The same under an id that is brought along; once it is made, it is to be looked for again.
async fn imported(
    tx: &mut Tx,
    asker: &Asker,
    context: &Context,
    given: i32,
    content: &Content,
    room: Used,
    bytes: i64,
) -> Outcome<Option<(Uuid, i32)>> {
    let scope = asker.scope;
    if let Some((row, known)) = schema::of_content(tx, scope, context, &content.hash()).await? {
        if known != given {
            return Err(Refusal::IdDoesNotMatch { known, given }.into());
        }
        return Ok(Some((row, known)));
    }
    room.check_more(bytes)?;
    if !(1..IMPORTED_BELOW).contains(&given) {
        let text = format!("An id that is brought along is 1 to {}", IMPORTED_BELOW - 1);
        return Err(Refusal::NotPermitted(text).into());
    }
    if schema::taken(tx, scope, context, given).await? {
        let text = format!("Overwrite new schema with id {given} is not permitted.");
        return Err(Refusal::NotPermitted(text).into());
    }
    schema::insert(tx, scope, context, given, content).await?;
    Ok(None)
}

/// A new version as it stands from now on.
pub fn registered(subject: &Subject, version: i32, row: Uuid, id: i32, content: Content) -> Registered {
    let guid = content.guid();
    let Content {
        format,
        text,
        references,
        metadata,
        rule_set,
        record_names: _,
    } = content;
    let schema = Schema {
        row,
        context: subject.context.clone(),
        id,
        guid,
        format,
        text,
        references,
        metadata,
        rule_set,
    };
    Registered {
        subject: subject.clone(),
        version,
        deleted: false,
        schema,
    }
}
