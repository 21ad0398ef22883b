//! `/schemas`: by id, by content, and over subjects.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::registry::answer;
use crate::registry::asked::{Asked, Reading, Reply, refused};
use crate::registry::subjects::lookup_of;
use crate::registry::wish::{entity, parts, text_by, text_of};
use crate::resources::contract::{self, Outcome, Refusal, Schema, Search, TYPES};

/// Schemas of one answer: each has its whole text.
const SCHEMAS_MAX: i64 = 1_000;

/// `GET /schemas/types`
pub async fn types(Reading(asked): Reading) -> Reply {
    Ok(asked.answer(&json!(TYPES)))
}

/// `GET /schemas`
pub async fn list(Reading(asked): Reading) -> Reply {
    let found = async {
        let wanted = Search {
            prefix: asked
                .given(&["subjectPrefix", "subject_prefix"])
                .map(str::to_owned),
            lookup: lookup_of(&asked),
            latest_only: asked.flag(&["latestOnly", "latest_only"]),
            window: asked.window(SCHEMAS_MAX)?,
        };
        let mut tx = asked.read().await?;
        let found = contract::search(&mut tx, &asked.asker, &wanted).await?;
        tx.commit().await?;
        Outcome::Ok(found)
    };
    let found = found.await.map_err(refused)?;
    let shown = found.iter().map(|it| entity(&asked, it, it.schema.text.clone()));
    Ok(asked.answer(&Value::Array(shown.collect())))
}

/// The schema of the path. What is no id names nothing.
async fn schema(asked: &Asked) -> Outcome<Arc<Schema>> {
    let text = asked.at("id").unwrap_or_default();
    let id = text
        .parse::<i32>()
        .map_err(|_no_id| Refusal::SchemaNotFound(text.to_owned()))?;
    let subject = asked.given(&["subject"]);
    if let Some(kept) = contract::kept(&asked.app, &asked.asker, id, subject) {
        return Ok(kept);
    }
    let mut tx = asked.read().await?;
    let schema = contract::by_id(&asked.app, &mut tx, &asked.asker, id, subject).await?;
    asked.go_on(tx).await?;
    Ok(schema)
}

/// `GET /schemas/ids/{id}`
pub async fn by_id(Reading(asked): Reading) -> Reply {
    let shown = async {
        let schema = schema(&asked).await?;
        let max = if asked.flag(&["fetchMaxId", "fetch_max_id"]) {
            let mut tx = asked.read().await?;
            let max = contract::max_id(&mut tx, &asked.asker, &schema).await?;
            asked.go_on(tx).await?;
            Some(max)
        } else {
            None
        };
        let text = text_by(&asked, &schema).await?;
        let mut shown = parts(&asked, &schema, text);
        if let Some(max) = max {
            shown.insert("maxId".into(), json!(max));
        }
        Outcome::Ok(Value::Object(shown))
    };
    Ok(asked.answer(&shown.await.map_err(refused)?))
}

/// `GET /schemas/ids/{id}/schema`
pub async fn text_by_id(Reading(asked): Reading) -> Reply {
    let text = async { text_by(&asked, &*schema(&asked).await?).await };
    Ok(answer::text(asked.media, text.await.map_err(refused)?))
}

/// Subjects and versions that have the schema of the path; of those that `subject` names, if it does.
async fn used(asked: &Asked) -> Outcome<Vec<(String, i32)>> {
    let schema = schema(asked).await?;
    let (lookup, window) = (lookup_of(asked), asked.rows()?);
    let mut tx = asked.read().await?;
    let found = contract::used_by(&mut tx, &asked.asker, &schema, lookup, window).await?;
    tx.commit().await?;
    let shown = found
        .into_iter()
        .map(|(subject, version)| (subject.shown(&asked.asker.home), version));
    let wanted = asked.given(&["subject"]).filter(|it| !it.is_empty());
    Ok(shown
        .filter(|(subject, _version)| wanted.is_none_or(|it| it == subject))
        .collect())
}

/// `GET /schemas/ids/{id}/subjects`
pub async fn subjects(Reading(asked): Reading) -> Reply {
    let found = used(&asked).await.map_err(refused)?;
    let mut names: Vec<String> = found.into_iter().map(|(subject, _version)| subject).collect();
    names.dedup();
    Ok(asked.answer(&json!(names)))
}

/// `GET /schemas/ids/{id}/versions`
pub async fn versions(Reading(asked): Reading) -> Reply {
    let found = used(&asked).await.map_err(refused)?;
    let shown = found
        .into_iter()
        .map(|(subject, version)| json!({"subject": subject, "version": version}));
    Ok(asked.answer(&Value::Array(shown.collect())))
}

fn guid_of(asked: &Asked) -> Outcome<Uuid> {
    let text = asked.at("guid").unwrap_or_default();
    let guid = text
        .parse()
        .map_err(|_no_guid| Refusal::SchemaNotFound(text.to_owned()))?;
    Ok(guid)
}

/// `GET /schemas/guids/{guid}`
pub async fn by_guid(Reading(asked): Reading) -> Reply {
    let shown = async {
        let guid = guid_of(&asked)?;
        let mut tx = asked.read().await?;
        let schema = contract::by_guid(&mut tx, &asked.asker, guid).await?;
        let text = text_of(tx, &asked, &schema).await?;
        Outcome::Ok(Value::Object(parts(&asked, &schema, text)))
    };
    Ok(asked.answer(&shown.await.map_err(refused)?))
}

/// `GET /schemas/guids/{guid}/ids`
pub async fn ids_of_guid(Reading(asked): Reading) -> Reply {
    let found = async {
        let guid = guid_of(&asked)?;
        let mut tx = asked.read().await?;
        let found = contract::ids_of_guid(&mut tx, &asked.asker, guid).await?;
        tx.commit().await?;
        Outcome::Ok(found)
    };
    let found = found.await.map_err(refused)?;
    let shown = found
        .into_iter()
        .map(|(context, id)| json!({"context": context, "id": id}));
    Ok(asked.answer(&Value::Array(shown.collect())))
}
