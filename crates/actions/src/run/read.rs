//! From bytes to values: frames, schemas by their ids, keys.

use std::sync::Arc;

use weir_contract::Format;
use weir_contract::record::Document;
use weir_contract::value::{DecodeError, Value, json};
use weir_contract::wire::{self, FrameError, SchemaId};

use super::outcome::{DeadLetterCode as Code, Record, Stop};
use crate::plan::{Inner, Input, KeyForm, ValueForm};
use crate::schema::{Host, Registered};

/// How a value names its schema.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// `None`: JSON of which no schema is known.
    pub registered: Option<Arc<Registered>>,
    /// `None`: it names none.
    pub named: Option<SchemaId>,
    /// Which message of a Protobuf file.
    pub indexes: Vec<u32>,
    /// Whether a header names it.
    pub in_header: bool,
}

fn dead<T>(code: Code, sentence: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Dead(code, sentence.into()))
}

/// What is wrong with a record that cannot be read.
fn undecodable(what: &str, error: &DecodeError) -> Stop {
    let place = if error.path.is_empty() {
        String::new()
    } else {
        format!(" at `{}`", error.path)
    };
    Stop::Dead(
        Code::NotDecodable,
        format!("The {what} cannot be read{place}: {}.", error.reason),
    )
}

/// The frame of a value and what is behind it.
pub(super) fn frame<'r>(
    input: &Input,
    record: &Record<'r>,
    payload: &'r [u8],
    host: &dyn Host,
) -> Result<(Frame, &'r [u8]), Stop> {
    let (newest, unframed) = match &input.value {
        ValueForm::Json => return Ok((Frame::none(None), payload)),
        ValueForm::Registered { newest, unframed } => (newest, *unframed),
    };
    let found = named(record, wire::VALUE_HEADER, payload, host);
    match found {
        Err(NotNamed::NoFrame(_error)) if unframed && newest.format() == Format::Json => {
            Ok((Frame::none(Some(Arc::clone(newest))), payload))
        }
        Err(NotNamed::NoFrame(error)) => {
            let sentence = format!("The value does not say which schema it is of: {error}.");
            dead(Code::NoFrame, sentence)
        }
        Err(NotNamed::Unknown) => dead(
            Code::UnknownSchema,
            "The value names a schema that is not among those of the topic.",
        ),
        Ok(found) => Ok(found),
    }
}

/// Why a record is of no schema.
enum NotNamed {
    NoFrame(FrameError),
    Unknown,
}

fn named<'r>(
    record: &Record<'r>,
    header: &str,
    payload: &'r [u8],
    host: &dyn Host,
) -> Result<(Frame, &'r [u8]), NotNamed> {
    let in_header = record.header(header);
    let framed = match in_header {
        Some(header) => wire::from_header(header, payload),
        None => wire::unframe(payload),
    };
    let framed = framed.map_err(NotNamed::NoFrame)?;
    let registered = host.schema(framed.schema).ok_or(NotNamed::Unknown)?;
    let (indexes, body) = match registered.format() {
        Format::Protobuf => framed.message().map_err(NotNamed::NoFrame)?,
        Format::Avro | Format::Json => (Vec::new(), framed.body),
    };
    let frame = Frame {
        registered: Some(registered),
        named: Some(framed.schema),
        indexes,
        in_header: in_header.is_some(),
    };
    Ok((frame, body))
}

impl Frame {
    const fn none(registered: Option<Arc<Registered>>) -> Self {
        Self {
            registered,
            named: None,
            indexes: Vec::new(),
            in_header: false,
        }
    }

    /// Reads what is behind it, where that is done by a schema.
    pub fn read<'p>(&self, body: &'p [u8]) -> Result<Option<Document<'p>>, Stop> {
        let read = self
            .registered
            .as_ref()
            .map(|it| it.codec.read(&self.indexes, body));
        read.transpose().map_err(|error| undecodable("value", &error))
    }

    /// The value of what was read; without a schema, of the JSON that stands there.
    pub fn value<'a>(
        &'a self,
        document: Option<&'a Document<'a>>,
        body: &'a [u8],
    ) -> Result<Value<'a>, Stop> {
        let value = match self.registered.as_ref().zip(document) {
            Some((registered, document)) => registered.codec.value(document),
            None => json::read(body),
        };
        value.map_err(|error| undecodable("value", &error))
    }
}

/// A key that was read as far as expressions need it.
pub(super) enum KeyRead<'r> {
    /// None, or nobody asks for it.
    None,
    Text(&'r str),
    Bytes(&'r [u8]),
    Json(&'r [u8]),
    Registered(Frame, &'r [u8], Option<Document<'r>>),
}

/// Reads a key if an expression names it.
pub(super) fn key<'r>(inner: &Inner, record: &Record<'r>, host: &dyn Host) -> Result<KeyRead<'r>, Stop> {
    let Some(bytes) = record.key.filter(|_key| inner.reads_key) else {
        return Ok(KeyRead::None);
    };
    Ok(match inner.input.key {
        KeyForm::Bytes => KeyRead::Bytes(bytes),
        KeyForm::Text => std::str::from_utf8(bytes).map_or(KeyRead::Bytes(bytes), KeyRead::Text),
        KeyForm::Json => KeyRead::Json(bytes),
        KeyForm::Registered => match named(record, wire::KEY_HEADER, bytes, host) {
            Ok((frame, body)) => {
                let document = frame.read(body)?;
                KeyRead::Registered(frame, body, document)
            }
            Err(NotNamed::NoFrame(error)) => {
                let sentence = format!("The key does not say which schema it is of: {error}.");
                return dead(Code::NoFrame, sentence);
            }
            Err(NotNamed::Unknown) => {
                return dead(Code::UnknownSchema, "The key names a schema that is not known.");
            }
        },
    })
}

impl KeyRead<'_> {
    /// What `key` is.
    pub fn value(&self) -> Result<Value<'_>, Stop> {
        Ok(match self {
            Self::None => Value::Null,
            Self::Text(text) => Value::text(text),
            Self::Bytes(bytes) => Value::bytes(bytes),
            Self::Json(bytes) => json::read(bytes).map_err(|error| undecodable("key", &error))?,
            Self::Registered(frame, body, document) => frame.value(document.as_ref(), body)?,
        })
    }
}
