//! Records read and written by a schema: bytes to the values that rules see, and such values back to bytes.
//!
//! Reading is what verdicts do. Writing is its opposite, for jobs that change records: a value is written exactly, or it is said
//! which field does not fit and why; nothing is rounded, cut or left out in silence but where [`Fit`] says so.

mod avro;
mod json;
mod protobuf;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use prost_reflect::{DynamicMessage, MessageDescriptor};

use crate::protobuf::ProtobufSchema;
use crate::rules::cel::types::{Shapes, Type};
use crate::rules::{Metadata, root_message, types_of};
use crate::schema::{Format, Schema};
use crate::value::{self, DecodeError, FieldTypes, Shape, Stopped, TagPatterns, Value};
use crate::verdict::message_of;

pub use json::write_json;

/// How deep a record may nest, read or written.
pub const DEPTH_MAX: usize = 64;
/// Values that may be written into one record, whatever bytes they take.
const VALUES_MAX: usize = 4_000_000;

/// How much a value must be like the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// An Avro record has all of its fields and no other.
    Exact,
    /// A field of an Avro record that is missing is null, where the schema has null for it.
    NullIfMissing,
}

/// Why a value cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteErrorKind {
    /// It does not fit the schema.
    Unfit,
    /// It is larger or deeper than a record may be.
    TooLarge,
}

/// A value that cannot be written. Says where and what the schema wants, never what the value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError {
    /// What sort.
    pub kind: WriteErrorKind,
    /// The field, by names of the schema; empty at the root.
    pub path: String,
    /// A sentence.
    pub reason: String,
}

/// Reads and writes records of a schema. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Codec {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    form: Form,
    types: (Type, Shapes),
    fields: FieldTypes,
}

#[derive(Debug)]
enum Form {
    Avro(Arc<value::avro::Plan>),
    Json,
    Protobuf {
        schema: ProtobufSchema,
        first: MessageDescriptor,
    },
}

/// A payload that was read as far as it can be without borrowing from itself.
#[derive(Debug)]
pub enum Document<'p> {
    /// Avro, which is read in place.
    Avro(&'p [u8]),
    /// JSON.
    Json(serde_json::Value),
    /// A message.
    Message(Box<DynamicMessage>),
}

impl Codec {
    /// For a schema and the tags of its metadata.
    ///
    /// # Errors
    /// A sentence: there is no message that a record could be of, or the path of a tag cannot be matched.
    pub fn new(schema: &Schema, metadata: &Metadata) -> Result<Self, String> {
        let types = types_of(schema);
        let patterns = TagPatterns::new(&metadata.tags)?;
        let (form, fields) = match schema {
            Schema::Avro(schema) => {
                let plan = Arc::new(value::avro::Plan::new(schema));
                let fields = FieldTypes::of_avro(&plan, &patterns);
                (Form::Avro(plan), fields)
            }
            Schema::Json(schema) => (Form::Json, FieldTypes::of_json(schema, patterns)),
            Schema::Protobuf(schema) => {
                let first = root_message(schema).ok_or_else(|| "the file has no message".to_owned())?;
                let fields = FieldTypes::of_protobuf(&schema.pool, &patterns);
                let schema = schema.clone();
                (Form::Protobuf { schema, first }, fields)
            }
        };
        Ok(Self {
            inner: Arc::new(Inner { form, types, fields }),
        })
    }

    /// The language of its schema.
    pub fn format(&self) -> Format {
        match self.inner.form {
            Form::Avro(_) => Format::Avro,
            Form::Json => Format::Json,
            Form::Protobuf { .. } => Format::Protobuf,
        }
    }

    /// What the schema says of a record before there is one.
    pub fn types(&self) -> &(Type, Shapes) {
        &self.inner.types
    }

    /// Reads a payload without its frame; `indexes` name the message of Protobuf, the first one if there are none.
    ///
    /// # Errors
    /// Where it is no record of the schema.
    pub fn read<'p>(&self, indexes: &[u32], payload: &'p [u8]) -> Result<Document<'p>, DecodeError> {
        Ok(match &self.inner.form {
            Form::Avro(_) => Document::Avro(payload),
            Form::Json => Document::Json(value::json::decode(payload)?),
            Form::Protobuf { schema, first } => {
                let message = message_of(schema, first, indexes)?;
                Document::Message(Box::new(value::protobuf::decode(&message, payload)?))
            }
        })
    }

    /// The value of what was read.
    ///
    /// # Errors
    /// Where it is no record of the schema.
    pub fn value<'a>(&'a self, document: &'a Document<'a>) -> Result<Value<'a>, DecodeError> {
        match (document, &self.inner.form) {
            (Document::Avro(payload), Form::Avro(plan)) => plan.decode(payload, DEPTH_MAX, true),
            (Document::Avro(_), _) => Err(DecodeError::new("", "the record is of another format")),
            (Document::Json(json), _) => Ok(value::json::value(json)),
            (Document::Message(message), _) => Ok(value::protobuf::message(message)),
        }
    }

    /// The payload of a value, without a frame. Whether a JSON text satisfies its schema is for a
    /// [`Contract`](crate::verdict::Contract) to say.
    ///
    /// # Errors
    /// Where the value does not fit the schema, or is larger than `bytes_max`.
    pub fn write(
        &self,
        indexes: &[u32],
        value: &Value<'_>,
        fit: Fit,
        bytes_max: usize,
    ) -> Result<Vec<u8>, WriteError> {
        match &self.inner.form {
            Form::Avro(plan) => avro::write(plan, value, fit, bytes_max),
            Form::Json => write_json(value, bytes_max),
            Form::Protobuf { schema, first } => {
                let message = message_of(schema, first, indexes)
                    .map_err(|error| WriteError::new(WriteErrorKind::Unfit, error.reason))?;
                protobuf::write(&message, value, bytes_max)
            }
        }
    }

    /// Whether a field of an Avro record or a message carries one of these tags.
    pub fn is_tagged(&self, shape: &Shape, field: &str, tags: &BTreeSet<String>) -> bool {
        self.inner.fields.is_tagged(shape, field, tags)
    }

    /// The ways to the properties of a JSON record that carry one of these tags, through lists to every element; `None` if that
    /// takes more than so many looks. None for other formats.
    pub fn tagged_ways(
        &self,
        value: &Value<'_>,
        tags: &BTreeSet<String>,
        looks: &mut usize,
    ) -> Option<BTreeSet<Vec<String>>> {
        let mut charge = || {
            *looks = looks.checked_sub(1).ok_or(Stopped)?;
            Ok(())
        };
        self.inner.fields.ways(value, tags, &mut charge).ok()
    }

    /// Whether a field of the schema may carry one of these tags, as far as the schema says without a record.
    pub fn has_tag(&self, tags: &BTreeSet<String>) -> bool {
        self.inner.fields.mentions(tags)
    }
}

impl WriteError {
    fn new(kind: WriteErrorKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            path: String::new(),
            reason: reason.into(),
        }
    }
}

/// What is left of what a record may take.
struct Room {
    bytes_max: usize,
    values: usize,
}

/// What goes wrong inside of a record; where is known by the writer.
type Written<T = ()> = Result<T, (WriteErrorKind, String)>;

fn unfit<T>(reason: impl Into<String>) -> Written<T> {
    Err((WriteErrorKind::Unfit, reason.into()))
}

impl Room {
    const fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            values: VALUES_MAX,
        }
    }

    /// One more value, with so many bytes before it.
    fn take(&mut self, bytes: usize) -> Written {
        match self.values.checked_sub(1) {
            Some(left) if bytes <= self.bytes_max => {
                self.values = left;
                Ok(())
            }
            _ => Err((
                WriteErrorKind::TooLarge,
                format!("the record would be larger than {} bytes", self.bytes_max),
            )),
        }
    }
}

/// The level below.
fn deeper(depth: usize) -> Written<usize> {
    depth.checked_sub(1).ok_or_else(|| {
        (
            WriteErrorKind::TooLarge,
            format!("the record would nest deeper than {DEPTH_MAX}"),
        )
    })
}

/// The double that an integer is, if it is one exactly.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "compared afterwards"
)]
fn exact_double(number: i128) -> Option<f64> {
    let double = number as f64;
    (double as i128 == number).then_some(double)
}

/// The integer that a value is.
const fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number as i128),
        Value::Uint(number) => Some(*number as i128),
        _ => None,
    }
}

/// The double that a value is, exactly.
fn double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        other => exact_double(integer(other)?),
    }
}
