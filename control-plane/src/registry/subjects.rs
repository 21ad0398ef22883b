//! `/`, `/contexts`, `/subjects` and what is below a subject but its versions.

use std::collections::BTreeMap;

use serde_json::json;

use crate::registry::asked::{Asked, Body, Reading, Reply, Writing, refused};
use crate::registry::wish::{RegisterRequest, entity, text_of};
use crate::resources::contract::{self, Lookup, Outcome, Search};

/// `GET /`: clients ask it to see whether there is a registry.
pub async fn root(Reading(asked): Reading) -> Reply {
    Ok(asked.answer(&json!({})))
}

/// `GET /contexts`
pub async fn contexts(Reading(asked): Reading) -> Reply {
    let prefix = asked.given(&["contextPrefix"]).unwrap_or_default().to_owned();
    let found = async {
        let mut tx = asked.read().await?;
        let mut found = contract::contexts(&mut tx, &asked.asker).await?;
        tx.commit().await?;
        found.retain(|it| it.starts_with(&prefix));
        Outcome::Ok(found)
    };
    let found = found.await.map_err(refused)?;
    Ok(asked.answer(&json!(found)))
}

/// Which versions count, by `deleted` and `deletedOnly`.
pub fn lookup_of(asked: &Asked) -> Lookup {
    Lookup::of(
        asked.flag(&["deleted"]),
        asked.flag(&["deletedOnly", "deleted_only"]),
    )
}

/// `GET /subjects`
pub async fn list(Reading(asked): Reading) -> Reply {
    let found = async {
        let wanted = Search {
            // Python's client names it `subject`.
            prefix: asked
                .given(&["subjectPrefix", "subject_prefix", "subject"])
                .map(str::to_owned),
            lookup: lookup_of(&asked),
            latest_only: false,
            window: asked.rows()?,
        };
        let mut tx = asked.read().await?;
        let found = contract::subjects(&mut tx, &asked.asker, &wanted).await?;
        tx.commit().await?;
        Outcome::Ok(found)
    };
    let found = found.await.map_err(refused)?;
    let names: Vec<String> = found.iter().map(|it| it.shown(&asked.asker.home)).collect();
    Ok(asked.answer(&json!(names)))
}

/// `POST /subjects/{subject}`: is this schema registered here?
pub async fn look_up(Reading(asked): Reading, body: Body) -> Reply {
    let request: RegisterRequest = body.read()?;
    let found = async {
        let wish = request.wish()?;
        let subject = asked.named().await?;
        let (normalize, lookup) = (asked.flag(&["normalize"]), lookup_of(&asked));
        let found = contract::look_up(&asked.app, &asked.asker, &subject, wish, normalize, lookup).await?;
        let text = text_of(asked.read().await?, &asked, &found.schema).await?;
        Outcome::Ok(entity(&asked, &found, text))
    };
    Ok(asked.answer(&found.await.map_err(refused)?))
}

/// `DELETE /subjects/{subject}`
pub async fn remove(Writing(asked): Writing) -> Reply {
    let deleted = async {
        let subject = asked.placed().await?;
        contract::delete_subject(&asked.app, &asked.asker, &subject, asked.flag(&["permanent"])).await
    };
    let deleted = deleted.await.map_err(refused)?;
    Ok(asked.answer(&json!(deleted)))
}

/// `GET /subjects/{subject}/metadata`: the newest version whose metadata has these properties.
pub async fn latest_with_metadata(Reading(asked): Reading) -> Reply {
    let found = async {
        // Some clients encode keys and values once more than a query needs.
        let plain = |text: &str| {
            let decoded = form_urlencoded::parse(text.as_bytes()).next();
            decoded.map_or_else(|| text.to_owned(), |(key, _empty)| key.into_owned())
        };
        let keys = asked.all("key").into_iter().map(plain);
        let wanted: BTreeMap<String, String> = keys.zip(asked.all("value").into_iter().map(plain)).collect();
        let subject = asked.named().await?;
        let mut tx = asked.read().await?;
        let lookup = lookup_of(&asked);
        let found = contract::latest_with_metadata(&mut tx, &asked.asker, &subject, &wanted, lookup).await?;
        let text = text_of(tx, &asked, &found.schema).await?;
        Outcome::Ok(entity(&asked, &found, text))
    };
    Ok(asked.answer(&found.await.map_err(refused)?))
}
