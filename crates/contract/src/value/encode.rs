//! JSON lines of Avro and Protobuf records, made into what a producer would send: what is judged then is the same bytes.
//!
//! Avro: the specification's "JSON Encoding" (1.12): values of a union but null stand in an object under their type's name,
//! bytes are characters up to U+00FF. Where a union has one branch beside null, the value may also stand alone, as most tools
//! print it. Protobuf: the ProtoJSON format (<https://protobuf.dev/programming-guides/json/>).

use std::borrow::Cow;
use std::sync::Arc;

use prost_reflect::prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor};
use serde_json::Value;

use super::DecodeError;
use super::json::decode;
use crate::avro::model::{Field, Kind, Model, TypeId};
use crate::schema::Schema;
use crate::wire::write_zigzag;

/// Makes records of JSON.
#[derive(Debug, Clone)]
pub struct Encoder(Target);

#[derive(Debug, Clone)]
enum Target {
    Avro(Arc<Model>),
    Json,
    Protobuf(MessageDescriptor),
}

/// Why a text is no record of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    /// Where, and what is wrong; quotes nothing.
    pub error: DecodeError,
    /// More; may quote the text.
    pub detail: Option<String>,
}

impl From<DecodeError> for EncodeError {
    fn from(error: DecodeError) -> Self {
        Self { error, detail: None }
    }
}

impl Encoder {
    /// For a schema; `None` if it has no message that a record could be of.
    pub fn new(schema: &Schema) -> Option<Self> {
        Some(Self(match schema {
            Schema::Avro(schema) => Target::Avro(Arc::clone(&schema.model)),
            Schema::Json(_) => Target::Json,
            Schema::Protobuf(schema) => Target::Protobuf(schema.first_message()?),
        }))
    }

    /// The record that a JSON text stands for.
    ///
    /// # Errors
    /// Where the text is no record of the schema.
    pub fn encode<'a>(&self, text: &'a [u8]) -> Result<Cow<'a, [u8]>, EncodeError> {
        match &self.0 {
            Target::Json => Ok(Cow::Borrowed(text)),
            Target::Avro(model) => {
                let value = decode(text)?;
                let mut writer = Writer {
                    model,
                    bytes: Vec::with_capacity(text.len()),
                    path: Vec::new(),
                };
                match writer.value(model.root, &value) {
                    Ok(()) => Ok(Cow::Owned(writer.bytes)),
                    Err(reason) => Err(DecodeError::new(writer.path.join("."), reason).into()),
                }
            }
            Target::Protobuf(message) => protobuf(message, text).map(Cow::Owned),
        }
    }
}

fn protobuf(message: &MessageDescriptor, text: &[u8]) -> Result<Vec<u8>, EncodeError> {
    // What is no JSON at all is told like that of other formats.
    decode(text)?;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let read = DynamicMessage::deserialize_with_options(message.clone(), &mut deserializer, &options);
    match read {
        Ok(message) => Ok(message.encode_to_vec()),
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let reason = format!("the text is no message {} ({place})", message.full_name());
            Err(EncodeError {
                error: DecodeError::new("", reason),
                detail: Some(error.to_string().chars().take(2000).collect()),
            })
        }
    }
}

struct Writer<'a> {
    model: &'a Model,
    bytes: Vec<u8>,
    /// Names of fields down to the one that is written; left as it is when writing fails.
    path: Vec<&'a str>,
}

type Written = Result<(), String>;

impl<'a> Writer<'a> {
    /// As deep as the JSON text, which is bounded: a union holds no union.
    fn value(&mut self, id: TypeId, value: &Value) -> Written {
        let kind = self.model.kind(id);
        match (kind, value) {
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(truth)) => self.bytes.push(u8::from(*truth)),
            (Kind::Int, Value::Number(number)) => match number.as_i64().map(i32::try_from) {
                Some(Ok(number)) => self.long(number.into()),
                _ => return Err("an int is a whole number of 32 bits".to_owned()),
            },
            (Kind::Long, Value::Number(number)) => match number.as_i64() {
                Some(number) => self.long(number),
                None => return Err("a long is a whole number of 64 bits".to_owned()),
            },
            (Kind::Float, _) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a float is the nearest one to the text"
                )]
                let number = float(value)? as f32;
                self.bytes.extend(number.to_le_bytes());
            }
            (Kind::Double, _) => self.bytes.extend(float(value)?.to_le_bytes()),
            (Kind::String, Value::String(text)) => self.blob(text.as_bytes()),
            (Kind::Bytes, Value::String(text)) => {
                let bytes = bytes_of(text)?;
                self.blob(&bytes);
            }
            (Kind::Fixed { size, .. }, Value::String(text)) => {
                let bytes = bytes_of(text)?;
                if u64::try_from(bytes.len()) != Ok(*size) {
                    return Err(format!("a fixed has {size} bytes here"));
                }
                self.bytes.extend(bytes);
            }
            (Kind::Enum { symbols, .. }, Value::String(text)) => {
                let index = symbols.iter().position(|symbol| symbol == text);
                self.index(index.ok_or("the enum has no such symbol")?);
            }
            (Kind::Array(items), Value::Array(list)) => {
                self.count(list.len());
                list.iter().try_for_each(|item| self.value(*items, item))?;
                self.end(list.len());
            }
            (Kind::Map(values), Value::Object(members)) => {
                self.count(members.len());
                for (key, value) in members {
                    self.blob(key.as_bytes());
                    self.value(*values, value)?;
                }
                self.end(members.len());
            }
            (Kind::Record { fields, .. }, Value::Object(members)) => self.record(fields, members)?,
            (Kind::Union(branches), _) => self.union(branches, value)?,
            _ => return Err(format!("the value is no {}", kind.word())),
        }
        Ok(())
    }

    fn record(&mut self, fields: &'a [Field], members: &serde_json::Map<String, Value>) -> Written {
        for field in fields {
            self.path.push(&field.name);
            let value = members.get(&field.name).ok_or("the field is missing")?;
            self.value(field.schema, value)?;
            self.path.pop();
        }
        if members.len() > fields.len() {
            return Err("the record has a field that its schema does not have".to_owned());
        }
        Ok(())
    }

    fn union(&mut self, branches: &[TypeId], value: &Value) -> Written {
        let name = |id: TypeId| {
            let kind = self.model.kind(id);
            kind.named().map_or(kind.word(), |named| named.name.full())
        };
        let null = |id: &TypeId| matches!(self.model.kind(*id), Kind::Null);
        let named = match value {
            Value::Null => branches.iter().position(null).map(|at| (at, value)),
            Value::Object(members) if members.len() == 1 => members.iter().find_map(|(key, inner)| {
                let at = branches.iter().position(|branch| name(*branch) == key)?;
                Some((at, inner))
            }),
            _ => None,
        };
        let others = branches.iter().filter(|branch| !null(branch)).count();
        let alone = || {
            let at = branches.iter().position(|branch| !null(branch))?;
            (others == 1 && !value.is_null()).then_some((at, value))
        };
        let Some((at, inner)) = named.or_else(alone) else {
            return Err("a value of a union is null or stands in an object under its type's name".to_owned());
        };
        self.index(at);
        self.value(branches[at], inner)
    }

    /// A zigzag variable-length number.
    fn long(&mut self, number: i64) {
        write_zigzag(&mut self.bytes, number);
    }

    fn index(&mut self, index: usize) {
        self.long(i64::try_from(index).unwrap_or(i64::MAX));
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.index(bytes.len());
        self.bytes.extend(bytes);
    }

    /// One block with everything in it; none at all where there is nothing.
    fn count(&mut self, count: usize) {
        self.index(count);
    }

    fn end(&mut self, count: usize) {
        if count > 0 {
            self.bytes.push(0);
        }
    }
}

fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) if word == "NaN" => Some(f64::NAN),
        Value::String(word) if word == "Infinity" => Some(f64::INFINITY),
        Value::String(word) if word == "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
    .ok_or_else(|| "the value is no number".to_owned())
}

fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    text.chars()
        .map(u8::try_from)
        .collect::<Result<_, _>>()
        .map_err(|_error| "bytes are characters up to U+00FF".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Format;
    use crate::value::avro::Plan;

    fn encoder(format: Format, schema: &str) -> (Encoder, Schema) {
        let schema = Schema::parse(format, schema, &[]).unwrap_or_else(|error| panic!("{error}"));
        (Encoder::new(&schema).expect("there is a message"), schema)
    }

    const AVRO: &str = r#"{"type":"record","name":"R","namespace":"n","fields":[
        {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"d","type":"double"},{"name":"b","type":"bytes"},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"f","type":{"type":"fixed","name":"F","size":2}},
        {"name":"u","type":["null","string"]},{"name":"v","type":["null","int","n.E"]},
        {"name":"a","type":{"type":"array","items":"boolean"}},{"name":"m","type":{"type":"map","values":"float"}}]}"#;

    #[test]
    fn avro_is_what_the_specification_says() {
        let (encoder, schema) = encoder(Format::Avro, AVRO);
        let text = r#"{"i":-64,"l":8192,"d":1.0,"b":"\u00ff\u0000","e":"B","f":"ab","u":{"string":"x"},"v":{"n.E":"A"},
            "a":[true,false],"m":{}}"#;
        let bytes = encoder.encode(text.as_bytes()).expect("it can be encoded");
        let expected = [
            vec![127],
            vec![0x80, 0x80, 1],
            1.0_f64.to_le_bytes().to_vec(),
            vec![4, 0xff, 0],
            vec![2],
            b"ab".to_vec(),
            vec![2, 2, b'x'],
            vec![4, 0],
            vec![4, 1, 0, 0],
            vec![0],
        ]
        .concat();
        assert_eq!(bytes.as_ref(), expected);
        let Schema::Avro(schema) = schema else {
            panic!("it is Avro")
        };
        assert!(Plan::new(&schema).decode(&bytes, 10, true).is_ok());
        let alone = text.replace(r#"{"string":"x"}"#, r#""x""#);
        assert_eq!(
            encoder.encode(alone.as_bytes()).expect("it can be encoded"),
            bytes
        );
    }

    #[test]
    fn what_is_no_avro_record_is_told_with_its_field() {
        let (encoder, _schema) = encoder(Format::Avro, AVRO);
        let good = r#"{"i":1,"l":1,"d":1.0,"b":"","e":"B","f":"ab","u":null,"v":null,"a":[],"m":{}}"#;
        assert!(encoder.encode(good.as_bytes()).is_ok());
        for (from, to, path) in [
            (r#""i":1"#, r#""i":2147483648"#, "i"),
            (r#""i":1"#, r#""i":1.5"#, "i"),
            (r#""l":1"#, r#""l":"1""#, "l"),
            (r#""b":"""#, r#""b":"Ā""#, "b"),
            (r#""e":"B""#, r#""e":"C""#, "e"),
            (r#""f":"ab""#, r#""f":"abc""#, "f"),
            (r#""u":null"#, r#""u":{"int":1}"#, "u"),
            (r#""v":null"#, r#""v":1"#, "v"),
            (r#""a":[]"#, r#""a":[1]"#, "a"),
            (r#""m":{}"#, r#""m":{"k":"x"}"#, "m"),
            (r#","m":{}"#, "", "m"),
            (r#""m":{}"#, r#""m":{},"other":1"#, ""),
            ("{", "{{", ""),
        ] {
            let text = good.replacen(from, to, 1);
            let error = encoder.encode(text.as_bytes()).expect_err(&text);
            assert_eq!(error.error.path, path, "{text}: {error:?}");
        }
    }

    #[test]
    fn protobuf_is_read_from_its_json_form() {
        let proto = "syntax = \"proto3\"; message M { int32 id = 1; string card_number = 2; }";
        let (encoder, _schema) = encoder(Format::Protobuf, proto);
        let bytes = encoder
            .encode(br#"{"id": 5, "cardNumber": "x"}"#)
            .expect("it is one");
        assert_eq!(bytes.as_ref(), [8, 5, 18, 1, b'x']);
        for text in [r#"{"id": "secret"}"#, r#"{"secret": 1}"#, "{", "[]"] {
            let error = encoder.encode(text.as_bytes()).expect_err(text);
            assert!(!error.error.reason.contains("secret"), "{error:?}");
        }
    }
}
