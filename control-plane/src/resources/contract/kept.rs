//! Schemas by id, kept in memory: they never change, and end only with the last version that has them.

use std::sync::Arc;

use crate::resources::contract::content::IMPORTED_BELOW;
use crate::resources::contract::model::{Asker, Context, ContextName, Schema};
use crate::resources::contract::refusal::Outcome;
use crate::resources::contract::{read, size};
use crate::runtime::{App, SchemaKey, Tx};

/// What JSON of some bytes takes as a tree, roughly.
const TREE: usize = 4;

/// The schema under an id, if it is kept, as [`read::by_id`] would find it.
pub fn kept(app: &App, asker: &Asker, id: i32, subject: Option<&str>) -> Option<Arc<Schema>> {
    app.memory.schemas.get(&place(asker, id, subject)?)
}

/// The schema under an id, read and then kept. Who reads was let in under his tenant's scope, and so is who finds it.
pub async fn by_id(
    app: &App,
    tx: &mut Tx,
    asker: &Asker,
    id: i32,
    subject: Option<&str>,
) -> Outcome<Arc<Schema>> {
    let asof = app.memory.schemas.asof();
    let schema = Arc::new(read::by_id(tx, asker, id, subject).await?);
    if let Some(place) = place(asker, id, subject)
        && place.context.is_none_or(|it| it == schema.context.key())
    {
        let details = (&schema.references, &schema.metadata, &schema.rule_set);
        let bytes = schema.text.len() + schema.context.name.len() + TREE * size::of(&details)?;
        app.memory.schemas.put(asof, place, Arc::clone(&schema), bytes);
    }
    Ok(schema)
}

/// Under which key a schema is kept. An id of the sequence is one schema of the tenant, whichever context is asked about; one that
/// was brought along may be another in each context, and where it is not in the one that is asked about, others decide.
fn place(asker: &Asker, id: i32, subject: Option<&str>) -> Option<SchemaKey> {
    let context = if id >= IMPORTED_BELOW {
        None
    } else {
        match ContextName::split(subject.unwrap_or_default()).0 {
            ContextName::Home => Some(asker.home.key()),
            ContextName::Default => Some(Context::default().key()),
            ContextName::Named(_) | ContextName::All => return None,
        }
    };
    let tenant = asker.scope.tenant();
    Some(SchemaKey { tenant, context, id })
}
