//! From AsyncAPI to contracts.

use serde_json::{Map, Value, json};

use super::refs::{alone, pointer, resolved};
use super::{CARRIED, EXTENSION, export};
use crate::document::Document;
use crate::schema::Format;
use crate::standards::StandardError;
use crate::standards::fields::{self, Fields};

/// Which message of a document a contract is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// The channel's key.
    pub channel: String,
    /// The message's key in it.
    pub message: String,
}

pub(super) fn contracts(value: &Value) -> Result<Vec<Document>, StandardError> {
    let version = value.get("asyncapi").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("3.") {
        return Err(StandardError::Version {
            standard: "AsyncAPI",
            version: version.chars().take(40).collect(),
            remedy: "convert it to 3.0.0",
        });
    }
    let spots = spots(value);
    fields::admit(value, spots.len(), "/channels")?;
    let documents: Vec<Document> = spots
        .into_iter()
        .map(|spot| contract(value, spot))
        .collect::<Result<_, _>>()?;
    if documents.is_empty() {
        return Err(StandardError::shape(
            "/channels",
            "have no message with a payload; a contract is about one",
        ));
    }
    Ok(documents)
}

/// The messages of all channels that have a payload.
fn spots(value: &Value) -> Vec<Spot> {
    let mut spots = Vec::new();
    for channel in keys(value.get("channels")) {
        let Some((at, _)) = resolved(value, &pointer(&["channels", &channel])) else {
            continue;
        };
        for message in keys(value.pointer(&format!("{at}/messages"))) {
            let spot = Spot {
                channel: channel.clone(),
                message,
            };
            if spot
                .find(value)
                .is_some_and(|(_, found)| found.get("payload").is_some())
            {
                spots.push(spot);
            }
        }
    }
    spots
}

/// The keys of an object, sorted.
fn keys(object: Option<&Value>) -> Vec<String> {
    let mut keys: Vec<String> = match object {
        Some(Value::Object(members)) => members.keys().cloned().collect(),
        _ => Vec::new(),
    };
    keys.sort();
    keys
}

impl Spot {
    /// The channel.
    pub fn channel<'v>(&self, root: &'v Value) -> Option<(String, &'v Value)> {
        resolved(root, &pointer(&["channels", &self.channel]))
    }

    /// The message, behind all `$ref`s, and where it stands.
    pub fn find<'v>(&self, root: &'v Value) -> Option<(String, &'v Value)> {
        let (channel, _) = self.channel(root)?;
        let (at, message) = resolved(
            root,
            &format!("{channel}{}", pointer(&["messages", &self.message])),
        )?;
        message.is_object().then_some((at, message))
    }
}

fn contract(value: &Value, spot: Spot) -> Result<Document, StandardError> {
    let path = pointer(&["channels", &spot.channel, "messages", &spot.message]);
    let natural = natural(value, &spot)?;
    let message = spot.find(value).map(|(_, message)| message);
    let extension = message
        .and_then(|message| message.get(EXTENSION))
        .and_then(Value::as_object);
    let merged = match extension {
        Some(rest) => fields::with_rest(natural.clone(), &still_true(rest, &natural)),
        None => natural,
    };
    let mut document = fields::document(merged, &path)?;
    // A document that says nothing beyond the contract need not be kept.
    if export::value(&document).as_ref() != Ok(value) {
        let mut kept = value.clone();
        if let Some((at, _)) = spot.find(value)
            && let Some(Value::Object(message)) = kept.pointer_mut(&at)
        {
            message.remove(EXTENSION);
        }
        let Spot { channel, message } = spot;
        document.carried.insert(
            CARRIED.to_owned(),
            json!({"channel": channel, "message": message, "document": kept}),
        );
    }
    Ok(document)
}

/// The extension without a schema's text that says something else than the payload: then somebody has changed the payload.
fn still_true(rest: &Fields, natural: &Fields) -> Fields {
    let mut rest = rest.clone();
    let parsed =
        |fields: &Fields| -> Option<Value> { serde_json::from_str(fields.get("schema")?.as_str()?).ok() };
    if let (Some(kept), Some(payload)) = (parsed(&rest), parsed(natural))
        && kept != payload
        && !is_same_avro(&rest, natural)
    {
        rest.remove("schema");
    }
    rest
}

/// Whether both are the same Avro schema, which can be written in several ways.
fn is_same_avro(rest: &Fields, natural: &Fields) -> bool {
    let stored = |schema: Option<&Value>| {
        let mut fields = fields::with_rest(natural.clone(), rest);
        fields.insert("schema".to_owned(), schema?.clone());
        let document = fields::document(fields, "").ok()?;
        let is_avro = document.schema_type == Format::Avro;
        is_avro.then_some(document.parsed_schema().ok()?.stored())
    };
    let kept = stored(rest.get("schema"));
    kept.is_some() && kept == stored(natural.get("schema"))
}

/// What the standard's own places say of a contract.
pub(super) fn natural(value: &Value, spot: &Spot) -> Result<Fields, StandardError> {
    let mut natural = Fields::new();
    let (Some((_, channel)), Some((at, message))) = (spot.channel(value), spot.find(value)) else {
        return Ok(natural);
    };
    let topic = fields::text(channel, "address").unwrap_or(&spot.channel);
    let alone = channel
        .get("messages")
        .and_then(Value::as_object)
        .is_none_or(|messages| messages.len() < 2);
    let subject = if alone {
        format!("{topic}-value")
    } else {
        let name = fields::text(message, "name").unwrap_or(&spot.message);
        format!("{topic}-{name}")
    };
    let (format, schema) = payload(value, &at)?;
    let mut put = |key: &str, value: Value| natural.insert(key.to_owned(), value);
    put("subject", subject.into());
    put("schemaType", format.as_str().into());
    put("schema", schema.into());
    let info = value.get("info");
    if let Some(version) = info
        .and_then(|info| fields::text(info, "version"))
        .and_then(fields::version)
    {
        put("version", version.into());
    }
    let contact = info.and_then(|info| info.get("contact"));
    if let Some(owner) = contact.and_then(|contact| fields::text(contact, "name")) {
        put("owner", owner.into());
    }
    if let Some(description) = fields::text(message, "description") {
        put("description", description.into());
    }
    if message.get("deprecated") == Some(&Value::Bool(true)) {
        put("lifecycle", "DEPRECATED".into());
    }
    Ok(natural)
}

/// Language and text of a message's payload.
fn payload(root: &Value, message: &str) -> Result<(Format, String), StandardError> {
    let path = format!("{message}/payload");
    let missing = || StandardError::shape(path.as_str(), "leads to a schema that is not in the document");
    let (at, payload) = resolved(root, &path).ok_or_else(missing)?;
    let Some(named) = payload.get("schemaFormat").and_then(Value::as_str) else {
        return Ok((Format::Json, alone(root, &at, payload).to_string()));
    };
    let format = format_of(named).ok_or_else(|| {
        let named: String = named.chars().take(80).collect();
        StandardError::shape(format!("{at}/schemaFormat"), format!("{named} is not read"))
    })?;
    let at = format!("{at}/schema");
    if format == Format::Json {
        // Not followed: it may lead into itself.
        let schema = root.pointer(&at).ok_or_else(missing)?;
        return Ok((format, alone(root, &at, schema).to_string()));
    }
    let (_, schema) = resolved(root, &at).ok_or_else(missing)?;
    Ok(match (format, schema) {
        (Format::Protobuf, Value::String(text)) => (format, text.clone()),
        (_, schema) => (format, schema.to_string()),
    })
}

/// Formats by their media types ("Schema formats table"), and Protobuf as registries of the field name it.
fn format_of(named: &str) -> Option<Format> {
    let media = named.split(';').next().unwrap_or_default().trim();
    if media.contains("avro") {
        Some(Format::Avro)
    } else if media.contains("protobuf") {
        Some(Format::Protobuf)
    } else if media.starts_with("application/schema+") || media.starts_with("application/vnd.aai.asyncapi") {
        Some(Format::Json)
    } else {
        None
    }
}

/// The document that a contract came from, and which of its messages it is.
pub(super) fn carried(document: &Document) -> Option<(&Map<String, Value>, Spot)> {
    let carried = document.carried.get(CARRIED)?;
    let key = |key: &str| carried.get(key)?.as_str().map(str::to_owned);
    let spot = Spot {
        channel: key("channel")?,
        message: key("message")?,
    };
    let kept = carried.get("document")?;
    spot.find(kept)?;
    Some((kept.as_object()?, spot))
}
