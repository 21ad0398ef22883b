//! Batches for tests and for the fuzzer, written as a producer writes them.

use std::sync::Arc;

use weir_proto::agent::v1::{Enforcement, PartContract, Schema, SchemaFormat, TopicContract as Wish};
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic, Snapshot};

use super::records::HEADER;
use super::unpack::{Codec, pack};
use super::{Counts, Pace, Part, Progress, Refused, Schemas, TopicContract, Work};

/// A record to be.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Sample {
    /// With a key and a value.
    #[must_use]
    pub fn of(key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        Self {
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: Vec::new(),
        }
    }

    /// With headers, too.
    #[must_use]
    pub fn with(mut self, headers: &[(&str, Option<&[u8]>)]) -> Self {
        let owned = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec)));
        self.headers.extend(owned);
        self
    }

    fn write(&self, offset: i64, out: &mut Vec<u8>) {
        let mut body = vec![0];
        zigzag(&mut body, offset * 3);
        zigzag(&mut body, offset);
        bytes(&mut body, self.key.as_deref());
        bytes(&mut body, self.value.as_deref());
        zigzag(&mut body, self.headers.len() as i64);
        for (name, value) in &self.headers {
            bytes(&mut body, Some(name.as_bytes()));
            bytes(&mut body, value.as_deref());
        }
        zigzag(out, body.len() as i64);
        out.extend(body);
    }
}

fn bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => zigzag(out, -1),
        Some(bytes) => {
            zigzag(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

fn zigzag(out: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// A batch of an idempotent producer, its checksum true.
#[must_use]
pub fn batch(codec: Codec, records: &[Sample]) -> Vec<u8> {
    let mut plain = Vec::new();
    for (offset, record) in (0..).zip(records) {
        record.write(offset, &mut plain);
    }
    raw(
        u16::from(codec.number()),
        records.len() as i32,
        &pack(codec, &plain).unwrap_or_default(),
    )
}

/// A batch with these attributes, this count and these bytes for records, its checksum true.
#[must_use]
pub fn raw(attributes: u16, count: i32, packed: &[u8]) -> Vec<u8> {
    let mut out = vec![0; HEADER];
    out.extend_from_slice(packed);
    let length = (out.len() - 12) as i32;
    out[8..12].copy_from_slice(&length.to_be_bytes());
    out[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
    out[16] = 2;
    out[21..23].copy_from_slice(&attributes.to_be_bytes());
    out[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    out[27..35].copy_from_slice(&1_700_000_000_000_i64.to_be_bytes());
    out[35..43].copy_from_slice(&1_700_000_000_500_i64.to_be_bytes());
    out[43..51].copy_from_slice(&9_i64.to_be_bytes());
    out[57..61].copy_from_slice(&count.to_be_bytes());
    let checksum = crc32c::crc32c(&out[21..]);
    out[17..21].copy_from_slice(&checksum.to_be_bytes());
    out
}

/// A schema as the control plane tells it.
#[must_use]
pub fn schema(number: u32, format: SchemaFormat, text: &str, rule_set: &str) -> Schema {
    Schema {
        id: format!("schema_{number}"),
        schema_id: number,
        guid: vec![number as u8; 16],
        format: format.into(),
        text: text.to_owned(),
        rule_set: rule_set.to_owned(),
        ..Schema::default()
    }
}

/// A contract whose values are of these schemas.
#[must_use]
pub fn wish(enforcement: Enforcement, numbers: &[u32]) -> Wish {
    Wish {
        enforcement: enforcement.into(),
        value: Some(PartContract {
            schema_ids: numbers.iter().map(|it| format!("schema_{it}")).collect(),
            ..PartContract::default()
        }),
        ..Wish::default()
    }
}

/// A snapshot with one topic.
#[must_use]
pub fn snapshot(schemas: Vec<Schema>, wish: Wish) -> Snapshot {
    let topic = LogicalTopic {
        contract: Some(wish),
        ..LogicalTopic::default()
    };
    Snapshot {
        clusters: vec![LogicalCluster {
            topics: vec![topic],
            ..LogicalCluster::default()
        }],
        schemas,
        ..Snapshot::default()
    }
}

/// A contract, bound to its schemas; `None`: nothing is enforced.
#[must_use]
pub fn bound(schemas: Vec<Schema>, wish: &Wish) -> Option<Arc<TopicContract>> {
    let compiled = Schemas::build(&snapshot(schemas, wish.clone()), &Schemas::default());
    TopicContract::bind(wish, &compiled).map(Arc::new)
}

/// One partition's work.
#[must_use]
pub fn work(contract: &Arc<TopicContract>, records: Vec<u8>, counts: &Arc<Counts>) -> Work {
    let part = Part {
        ring: None,
        topic: "topic_1".into(),
        contract: Some(Arc::clone(contract)),
        slot: 0,
        partition: 3,
        records: records.into(),
    };
    Work::new(vec![part], "writer".into(), Arc::clone(counts))
}

/// All formats, keys and values, records without a frame: for the fuzzer.
#[must_use]
pub fn every_format(enforcement: Enforcement) -> Option<Arc<TopicContract>> {
    const RULES: &str = r#"{"domainRules":[
        {"name":"a","kind":"CONDITION","type":"CEL","mode":"WRITE","expr":"message.a < 1000"},
        {"name":"f","kind":"CONDITION","type":"CEL_FIELD","mode":"WRITE","expr":"typeName == 'STRING' ; value != 'x'"}]}"#;
    let avro = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"m","type":{"type":"map","values":["null","string"]}}]}"#;
    let proto =
        "syntax = \"proto3\"; message M { int64 a = 1; message N { string s = 1; repeated M m = 2; } }";
    let schemas = vec![
        schema(1, SchemaFormat::Avro, avro, RULES),
        schema(
            2,
            SchemaFormat::Json,
            r##"{"properties":{"a":{"type":"integer"},"l":{"items":{"$ref":"#"}}}}"##,
            RULES,
        ),
        schema(3, SchemaFormat::Protobuf, proto, RULES),
    ];
    let mut wish = wish(enforcement, &[1, 2, 3]);
    if let Some(value) = &mut wish.value {
        value.unframed_schema_id = "schema_2".to_owned();
    }
    wish.key = wish.value.clone();
    bound(schemas, &wish)
}

/// Judges, and says what is refused and how many records were judged and violating; pausing after so many questions.
#[must_use]
pub fn outcome(contract: &Arc<TopicContract>, records: Vec<u8>, step: usize) -> (Option<Refused>, u64, u64) {
    let counts = Arc::default();
    let mut work = work(contract, records, &counts);
    let asked = std::cell::Cell::new(0);
    for patience in 1.. {
        asked.set(0);
        let stopped = || {
            asked.set(asked.get() + 1);
            asked.get() > step.saturating_mul(patience)
        };
        if work.run(&Pace::aside(&stopped)) == Progress::Done {
            break;
        }
    }
    let refused = work.finish().into_iter().next().and_then(|it| it.refused);
    let report = counts.window().and_then(|it| it.report).unwrap_or_default();
    let topic = report.topics.first().cloned().unwrap_or_default();
    (refused, topic.records, topic.violating)
}
