//! Topics with contracts, and records to them: what `G3` measures with.

use crate::lane::Plan;
use crate::sample::{FORMATS, Sample, word};
use crate::{batch, broker};
use anyhow::Result;
use bytes::Bytes;
use weir_contract::Format;
use weir_proto::agent::v1::{Enforcement, PartContract, Schema, SchemaFormat, TopicContract};
use weir_proto::lane::v1::Snapshot;

/// One record of so many is bad, where some are.
pub const ONE_BAD_IN: usize = 100;
/// Of a batch's length for each record, beside its value.
const RECORD_OVERHEAD: usize = 9;
/// What is enforced on topics, beside the one without a contract.
pub const ENFORCED: [(&str, Enforcement); 3] = [
    ("shadow", Enforcement::Shadow),
    ("dlq", Enforcement::Dlq),
    ("reject", Enforcement::Reject),
];

/// (name, physical name, id) of the topics.
pub fn topics() -> Vec<(String, String, uuid::Uuid)> {
    let mut names = vec!["plain".to_owned(), "json-unframed".to_owned()];
    for format in FORMATS {
        names.extend(ENFORCED.map(|(way, _enforcement)| format!("{}-{way}", word(format))));
    }
    let topic = |name: String| {
        let id = broker::topic_id(&name);
        (name.clone(), name, id)
    };
    names.into_iter().map(topic).collect()
}

/// With the contracts that the topics' names say, where there are schemas.
pub fn snapshot(plan: &Plan, samples: &[Sample]) -> Snapshot {
    let mut snapshot = plan.snapshot();
    for (sample, number) in samples.iter().zip(1..) {
        let format = match sample.format {
            Format::Json => SchemaFormat::Json,
            Format::Avro => SchemaFormat::Avro,
            Format::Protobuf => SchemaFormat::Protobuf,
        };
        snapshot.schemas.push(Schema {
            id: schema_id(number),
            schema_id: number,
            format: format.into(),
            text: sample.schema.clone(),
            ..Schema::default()
        });
    }
    for topic in snapshot.clusters.iter_mut().flat_map(|it| &mut it.topics) {
        topic.contract = contract(&topic.name, samples);
    }
    snapshot
}

fn schema_id(number: u32) -> String {
    format!("schema_{number}")
}

fn contract(topic: &str, samples: &[Sample]) -> Option<TopicContract> {
    let (format, way) = topic.split_once('-')?;
    let numbered = samples.iter().zip(1..);
    let (_sample, number) = numbered
        .into_iter()
        .find(|(sample, _number)| word(sample.format) == format)?;
    let enforced = ENFORCED.iter().find(|it| it.0 == way);
    let mut value = PartContract {
        schema_ids: vec![schema_id(number)],
        ..PartContract::default()
    };
    if way == "unframed" {
        value.unframed_schema_id = schema_id(number);
    }
    Some(TopicContract {
        enforcement: enforced.map_or(Enforcement::Reject, |it| it.1).into(),
        value: Some(value),
        ..TopicContract::default()
    })
}

/// Batches of one size, of good records or with bad ones among them; each record begins with `frame`.
pub fn batches(sample: &Sample, frame: &[u8], size: usize, some_bad: bool) -> Result<Vec<Bytes>> {
    let each = sample.mean_bytes() + frame.len() + RECORD_OVERHEAD;
    // Of a number that comes out even after a few batches.
    let records = (size * 1024 / each / 5 * 5).max(5);
    let count = (1..=ONE_BAD_IN).find(|it| (it * records).is_multiple_of(ONE_BAD_IN));
    let batch = |number: usize| {
        let values = (0..records).map(|at| {
            let at = number * records + at;
            let value = if some_bad && at % ONE_BAD_IN == ONE_BAD_IN - 1 {
                &sample.bad
            } else {
                &sample.good[at % sample.good.len()]
            };
            [frame, value].concat()
        });
        batch::of(&values.collect::<Vec<_>>())
    };
    (0..count.unwrap_or(1)).map(batch).collect()
}

/// What stands in front of a record: the schema's number, and that it is the first message.
pub fn frame(format: Format, number: u32) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend(number.to_be_bytes());
    if format == Format::Protobuf {
        frame.push(0);
    }
    frame
}
