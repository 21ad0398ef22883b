//! Records of a request, as a producer would have sent them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use weir_contract::Format;
use weir_contract::value::encode::Encoder;
use weir_contract::wire::{self, SchemaId};

use crate::gateway::contract::schema_of;
use crate::processor::engine::{Header, OwnedHeader, Record};
use crate::processor::spec::Program;

/// A record as people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// A text; null if there is none.
    key: Option<String>,
    /// JSON; on a topic with schemas it is written by the newest. Null, or nothing, is a record without a value.
    #[serde(default)]
    value: Value,
    /// Instead of `value`: its bytes, frame and all.
    value_base64: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    partition: i32,
    #[serde(default)]
    timestamp_unix_ms: i64,
}

/// A record as it came.
#[derive(Debug, Default)]
pub struct Came {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<OwnedHeader>,
}

impl Came {
    /// Its headers, as a record has them.
    pub fn headers(&self) -> Vec<Header<'_>> {
        let headers = self.headers.iter().map(|it| Header {
            name: &it.name,
            value: it.value.as_deref(),
        });
        headers.collect()
    }

    /// For the steps.
    pub fn record<'r>(&'r self, topic: &'r str, headers: &'r [Header<'r>]) -> Record<'r> {
        Record {
            topic,
            partition: self.partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers,
        }
    }

    /// About how much it holds.
    pub fn bytes(&self) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|it| it.name.len() + it.value.as_ref().map_or(0, Vec::len));
        self.key.as_ref().map_or(0, Vec::len)
            + self.value.as_ref().map_or(0, Vec::len)
            + headers.sum::<usize>()
    }
}

/// The records of a request.
///
/// # Errors
/// A sentence: which one cannot be a record, and why.
pub fn records(samples: &[Sample], program: &Program) -> Result<Vec<Came>, String> {
    let writer = Writer::of(program)?;
    let records = samples.iter().enumerate().map(|(at, sample)| {
        let value = match (&sample.value_base64, &sample.value) {
            (Some(text), Value::Null) => Some(
                STANDARD
                    .decode(text)
                    .map_err(|it| format!("Sample {at}: {it}."))?,
            ),
            (Some(_bytes), _value) => return Err(format!("Sample {at} has `value` and `value_base64`.")),
            (None, Value::Null) => None,
            (None, value) => Some(writer.write(value).map_err(|it| format!("Sample {at}: {it}."))?),
        };
        let headers = sample.headers.iter().map(|(name, value)| OwnedHeader {
            name: name.clone(),
            value: Some(value.clone().into_bytes()),
        });
        Ok(Came {
            partition: sample.partition,
            offset: i64::try_from(at).unwrap_or(i64::MAX),
            timestamp_ms: sample.timestamp_unix_ms,
            key: sample.key.clone().map(String::into_bytes),
            value,
            headers: headers.collect(),
        })
    });
    records.collect()
}

/// How values of the source are written: by its newest schema, or as JSON.
struct Writer(Option<(Encoder, Vec<u8>)>);

impl Writer {
    fn of(program: &Program) -> Result<Self, String> {
        let unreadable = |error: std::io::Error| error.to_string();
        let contracts = program.contracts().map_err(unreadable)?;
        let Some(part) = contracts.get(&program.source).and_then(|it| it.value.as_ref()) else {
            return Ok(Self(None));
        };
        let schemas = program.schemas().map_err(unreadable)?;
        let texts = schemas.iter().map(|it| (it.id.as_str(), it)).collect();
        let of_part = schemas.iter().filter(|it| part.schema_ids.contains(&it.id));
        let Some(newest) = of_part.max_by_key(|it| it.schema_id) else {
            return Ok(Self(None));
        };
        let (schema, _rules, _metadata) = schema_of(newest, &texts)?;
        let indexes = (schema.format() == Format::Protobuf).then_some(&[0][..]);
        let frame = wire::frame(SchemaId::Id(newest.schema_id), indexes);
        Ok(Self(Encoder::new(&schema).map(|it| (it, frame))))
    }

    fn write(&self, value: &Value) -> Result<Vec<u8>, String> {
        let text = value.to_string();
        match &self.0 {
            None => Ok(text.into_bytes()),
            Some((encoder, frame)) => {
                let body = encoder
                    .encode(text.as_bytes())
                    .map_err(|it| match it.error.path.as_str() {
                        "" => it.error.reason.clone(),
                        path => format!("{path}: {}", it.error.reason),
                    })?;
                Ok([frame.as_slice(), &body].concat())
            }
        }
    }
}
