//! Bodies of registrations and look-ups, and how schemas are shown.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use weir_contract::Format;

use crate::registry::asked::Asked;
use crate::resources::contract::{
    self, Metadata, Outcome, Refusal, Registered, Schema, SchemaReference, SchemaTags, Subject, Wish,
};
use crate::runtime::Tx;

/// `RegisterSchemaRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterRequest {
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    schema_type: Option<String>,
    #[serde(default)]
    references: Option<Vec<SchemaReference>>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    rule_set: Option<Value>,
    #[serde(default)]
    version: Option<i32>,
    #[serde(default)]
    id: Option<i32>,
    #[serde(default)]
    schema_tags_to_add: Option<Vec<SchemaTags>>,
    #[serde(default)]
    schema_tags_to_remove: Option<Vec<SchemaTags>>,
    #[serde(default)]
    propagate_schema_tags: Option<bool>,
}

impl RegisterRequest {
    /// What is wished.
    pub fn wish(self) -> Outcome<Wish> {
        let Self {
            schema,
            schema_type,
            references,
            metadata,
            rule_set,
            version,
            id,
            schema_tags_to_add,
            schema_tags_to_remove,
            propagate_schema_tags,
        } = self;
        let name = schema_type.filter(|it| !it.is_empty());
        let format = match name {
            None => Format::Avro,
            Some(name) => Format::from_name(&name.to_ascii_uppercase())
                .ok_or_else(|| Refusal::InvalidSchema(format!("Invalid schema type {name}")))?,
        };
        Ok(Wish {
            text: schema,
            format,
            references: references.unwrap_or_default(),
            metadata,
            rule_set: rule_set.filter(|it| !it.is_null()),
            // 0 is none, -1 the next: clients write all three.
            version: version.filter(|it| *it > 0),
            id: id.filter(|it| *it > 0),
            tags_to_add: schema_tags_to_add.unwrap_or_default(),
            tags_to_remove: schema_tags_to_remove.unwrap_or_default(),
            propagate_tags: propagate_schema_tags == Some(true),
        })
    }
}

/// The text of a schema, in the format that the caller asks for, after what was read in this transaction.
pub async fn text_of(tx: Tx, asked: &Asked, schema: &Schema) -> Outcome<String> {
    asked.go_on(tx).await?;
    text_by(asked, schema).await
}

/// The same. Transactions end first: nobody waits for a schema to be read with a connection in his hand.
pub async fn text_by(asked: &Asked, schema: &Schema) -> Outcome<String> {
    let wanted = asked.given(&["format"]);
    let sources = match wanted {
        Some("serialized") => {
            let mut tx = asked.read().await?;
            let sources = contract::sources_of(&mut tx, asked.asker.scope, schema).await?;
            asked.go_on(tx).await?;
            sources
        }
        _ => Vec::new(),
    };
    asked.end().await?;
    contract::shown_as(wanted, schema.format, schema.text.clone(), sources).await
}

/// What a schema is made of. AVRO goes without saying, as clients of the first days know no `schemaType`.
pub fn parts(asked: &Asked, schema: &Schema, text: String) -> Map<String, Value> {
    let Schema {
        row: _,
        context,
        id: _,
        guid,
        format,
        text: _,
        references,
        metadata,
        rule_set,
    } = schema;
    let mut parts = Map::new();
    if asked.extended {
        parts.insert("guid".into(), json!(guid));
    }
    if *format != Format::Avro || asked.extended {
        parts.insert("schemaType".into(), json!(format.as_str()));
    }
    if !references.is_empty() {
        let shown = |it: &SchemaReference| {
            let qualified = *context == asked.asker.home || it.subject.starts_with(":.");
            let subject = if qualified {
                it.subject.clone()
            } else {
                let neighbour = Subject {
                    context: context.clone(),
                    name: it.subject.clone(),
                };
                neighbour.shown(&asked.asker.home)
            };
            json!({"name": it.name, "subject": subject, "version": it.version})
        };
        parts.insert(
            "references".into(),
            Value::Array(references.iter().map(shown).collect()),
        );
    }
    if let Some(metadata) = metadata {
        parts.insert("metadata".into(), json!(metadata));
    }
    if let Some(rules) = rule_set {
        parts.insert("ruleSet".into(), rules.clone());
    }
    parts.insert("schema".into(), Value::String(text));
    parts
}

/// A version of a subject.
pub fn entity(asked: &Asked, found: &Registered, text: String) -> Value {
    let Registered {
        subject,
        version,
        deleted,
        schema,
    } = found;
    let mut entity = Map::new();
    entity.insert("subject".into(), json!(subject.shown(&asked.asker.home)));
    entity.insert("version".into(), json!(version));
    entity.insert("id".into(), json!(schema.id));
    entity.extend(parts(asked, schema, text));
    if *deleted {
        entity.insert("deleted".into(), json!(true));
    }
    Value::Object(entity)
}
