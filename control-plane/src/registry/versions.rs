//! `/subjects/{subject}/versions` and what is below.

use serde_json::{Value, json};

use crate::registry::answer;
use crate::registry::asked::{Asked, Body, Reading, Reply, Writing, refused};
use crate::registry::subjects::lookup_of;
use crate::registry::wish::{RegisterRequest, entity, text_of};
use crate::resources::contract::{self, Lookup, Outcome, Registered, Registration};

/// `GET .../versions`
pub async fn list(Reading(asked): Reading) -> Reply {
    let found = async {
        let subject = asked.named().await?;
        let mut tx = asked.read().await?;
        let (lookup, window) = (lookup_of(&asked), asked.rows()?);
        let found = contract::versions(&mut tx, &asked.asker, &subject, lookup, window).await?;
        tx.commit().await?;
        Outcome::Ok(found)
    };
    let found = found.await.map_err(refused)?;
    Ok(asked.answer(&json!(found)))
}

/// `POST .../versions`: registers a schema, or finds it.
pub async fn register(Writing(asked): Writing, body: Body) -> Reply {
    let request: RegisterRequest = body.read()?;
    let made = async {
        let wish = request.wish()?;
        let normalize = asked.flag(&["normalize"]);
        contract::register(&asked.app, &asked.asker, asked.subject(), wish, normalize).await
    };
    let made = made.await.map_err(refused)?;
    Ok(asked.answer(&registration(&asked, &made)))
}

/// The id alone, and the rest to who asks for it or must know it: what is stored is not only what was sent.
fn registration(asked: &Asked, made: &Registration) -> Value {
    let Registration {
        registered,
        populated,
    } = made;
    if *populated {
        return entity(asked, registered, registered.schema.text.clone());
    }
    if asked.extended {
        let (version, guid) = (registered.version, registered.schema.guid);
        return json!({"id": registered.schema.id, "version": version, "guid": guid});
    }
    json!({"id": registered.schema.id})
}

async fn found(asked: &Asked) -> Outcome<(Registered, String)> {
    let number = asked.version()?;
    let subject = asked.named().await?;
    let lookup = Lookup::of(asked.flag(&["deleted"]), false);
    let mut tx = asked.read().await?;
    let found = contract::find(&mut tx, &asked.asker, &subject, number, lookup).await?;
    let text = text_of(tx, asked, &found.schema).await?;
    Ok((found, text))
}

/// `GET .../versions/{version}`
pub async fn find(Reading(asked): Reading) -> Reply {
    let (found, text) = found(&asked).await.map_err(refused)?;
    Ok(asked.answer(&entity(&asked, &found, text)))
}

/// `GET .../versions/{version}/schema`
pub async fn text(Reading(asked): Reading) -> Reply {
    let (_found, text) = found(&asked).await.map_err(refused)?;
    Ok(answer::text(asked.media, text))
}

/// `GET .../versions/{version}/referencedby`
pub async fn referenced_by(Reading(asked): Reading) -> Reply {
    let found = async {
        let number = asked.version()?;
        let subject = asked.named().await?;
        let (lookup, window) = (lookup_of(&asked), asked.rows()?);
        let mut tx = asked.read().await?;
        let found = contract::referenced_by(&mut tx, &asked.asker, &subject, number, lookup, window).await?;
        tx.commit().await?;
        Outcome::Ok(found)
    };
    let found = found.await.map_err(refused)?;
    Ok(asked.answer(&json!(found)))
}

/// `DELETE .../versions/{version}`
pub async fn remove(Writing(asked): Writing) -> Reply {
    let deleted = async {
        let number = asked.version()?;
        let subject = asked.placed().await?;
        let permanent = asked.flag(&["permanent"]);
        contract::delete_version(&asked.app, &asked.asker, &subject, number, permanent).await
    };
    let deleted = deleted.await.map_err(refused)?;
    Ok(asked.answer(&json!(deleted)))
}
