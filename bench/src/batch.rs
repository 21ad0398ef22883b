//! Record batches made once, and produce requests that are renumbered in place: load that costs next to nothing.

use crate::client::{Client, TopicRef};
use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeSet;
use weir_kafka_wire::header::RequestHeader;
use weir_kafka_wire::kafka_protocol::messages::ProduceRequest;
use weir_kafka_wire::kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use weir_kafka_wire::kafka_protocol::protocol::{Request as _, StrBytes};
use weir_kafka_wire::message::frame_request;

/// Where fields lie in a batch of magic 2.
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const PRODUCER: usize = 43;
const EPOCH: usize = 51;
const SEQUENCE: usize = 53;
const HEADER: usize = 61;
/// Where the correlation id lies in a framed request.
const CORRELATION: usize = 8;

/// A batch of so many records with values of so many bytes.
pub fn batch(records: usize, value_bytes: usize) -> Result<Bytes> {
    let values = (0..records).map(|at| {
        // Not compressible at a glance, the same in every run.
        let mut seed = 0x9e37_79b9_u32.wrapping_add(u32::try_from(at)?);
        let bytes = (0..value_bytes).map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed.to_le_bytes()[0]
        });
        anyhow::Ok(bytes.collect::<Vec<u8>>())
    });
    of(&values.collect::<Result<Vec<_>>>()?)
}

/// A batch of records with these values.
pub fn of(values: &[Vec<u8>]) -> Result<Bytes> {
    let mut body = Vec::with_capacity(values.iter().map(|it| it.len() + 16).sum());
    for (at, value) in values.iter().enumerate() {
        let mut record = vec![0_u8];
        varint(&mut record, 0);
        varint(&mut record, i64::try_from(at)?);
        // No key.
        varint(&mut record, -1);
        varint(&mut record, i64::try_from(value.len())?);
        record.extend(value);
        varint(&mut record, 0);
        varint(&mut body, i64::try_from(record.len())?);
        body.extend(record);
    }
    let last = i32::try_from(values.len())? - 1;
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.extend(0_i64.to_be_bytes());
    out.extend(i32::try_from(HEADER - 12 + body.len())?.to_be_bytes());
    out.extend((-1_i32).to_be_bytes());
    out.push(2);
    out.extend([0; 4]);
    out.extend(0_i16.to_be_bytes());
    out.extend(last.to_be_bytes());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = i64::try_from(now.as_millis())?;
    out.extend(now.to_be_bytes());
    out.extend(now.to_be_bytes());
    out.extend((-1_i64).to_be_bytes());
    out.extend((-1_i16).to_be_bytes());
    out.extend((-1_i32).to_be_bytes());
    out.extend((last + 1).to_be_bytes());
    out.extend(body);
    seal(&mut out);
    Ok(Bytes::from(out))
}

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

fn seal(batch: &mut [u8]) {
    let sum = crc32c::crc32c(&batch[ATTRIBUTES..]);
    batch[CRC..ATTRIBUTES].copy_from_slice(&sum.to_be_bytes());
}

/// Produce requests of one batch for each of some partitions, sent again and again in turn under new numbers.
#[derive(Debug)]
pub struct Template {
    frames: Vec<Framed>,
    /// Which one is next.
    at: usize,
    /// Of each batch, the same in all.
    records: i32,
    sequence: i32,
    identity: Option<(i64, i16)>,
    /// The requests' version.
    pub version: i16,
}

/// One request.
#[derive(Debug)]
struct Framed {
    frame: Vec<u8>,
    /// Where each batch begins.
    batches: Vec<usize>,
    batch_bytes: usize,
}

impl Framed {
    fn new(header: &RequestHeader, topic: &TopicRef, partitions: &[i32], batch: &Bytes) -> Result<Self> {
        let frame = encode(header, topic, partitions, batch)?;
        let mut batches = Vec::new();
        let mut from = 0;
        for _partition in partitions {
            let found = frame[from..].windows(32).position(|it| it == &batch[..32]);
            let at = from + found.context("find a batch in its request")?;
            batches.push(at);
            from = at + batch.len();
        }
        Ok(Self {
            frame,
            batches,
            batch_bytes: batch.len(),
        })
    }
}

impl Template {
    /// Encodes a request of each batch once; all batches have as many records as the first. `identity`: of an
    /// idempotent producer.
    pub fn new(
        client: &mut Client,
        topic: &TopicRef,
        partitions: &[i32],
        batches: &[Bytes],
        identity: Option<(i64, i16)>,
    ) -> Result<Self> {
        let version = client.version(ProduceRequest::KEY, crate::client::PRODUCE_NEWEST)?;
        let header = client.header(ProduceRequest::KEY, version);
        let counts: BTreeSet<i32> = batches.iter().map(count).collect::<Result<_>>()?;
        let [records] = counts.into_iter().collect::<Vec<_>>()[..] else {
            anyhow::bail!("batches of one template have different numbers of records");
        };
        let frames = batches
            .iter()
            .map(|it| Framed::new(&header, topic, partitions, it));
        Ok(Self {
            frames: frames.collect::<Result<_>>()?,
            at: 0,
            records,
            sequence: 0,
            identity,
            version,
        })
    }

    /// Records in one request.
    pub fn records(&self) -> u64 {
        let partitions = self.frames.first().map_or(0, |it| it.batches.len());
        u64::from(self.records.unsigned_abs()) * partitions as u64
    }

    /// Bytes of record batches in one request, on average.
    pub fn bytes(&self) -> u64 {
        let all: usize = self
            .frames
            .iter()
            .map(|it| it.batch_bytes * it.batches.len())
            .sum();
        (all / self.frames.len().max(1)) as u64
    }

    /// The next request, ready to be written.
    pub fn next(&mut self, correlation_id: i32) -> &[u8] {
        let at = self.at;
        self.at = (at + 1) % self.frames.len().max(1);
        let framed = &mut self.frames[at];
        framed.frame[CORRELATION..CORRELATION + 4].copy_from_slice(&correlation_id.to_be_bytes());
        if let Some((id, epoch)) = self.identity {
            for at in &framed.batches {
                let batch = &mut framed.frame[*at..*at + framed.batch_bytes];
                batch[PRODUCER..EPOCH].copy_from_slice(&id.to_be_bytes());
                batch[EPOCH..SEQUENCE].copy_from_slice(&epoch.to_be_bytes());
                batch[SEQUENCE..SEQUENCE + 4].copy_from_slice(&self.sequence.to_be_bytes());
                seal(batch);
            }
            self.sequence = self.sequence.checked_add(self.records).unwrap_or(0);
        }
        &framed.frame
    }
}

/// How many records a batch has.
fn count(batch: &Bytes) -> Result<i32> {
    let count = batch.get(57..61).context("read a batch's count")?;
    Ok(i32::from_be_bytes(count.try_into()?))
}

fn encode(header: &RequestHeader, topic: &TopicRef, partitions: &[i32], batch: &Bytes) -> Result<Vec<u8>> {
    let by_id = header.version >= 13;
    let mut data = TopicProduceData::default().with_partition_data(
        partitions
            .iter()
            .map(|index| {
                PartitionProduceData::default()
                    .with_index(*index)
                    .with_records(Some(batch.clone()))
            })
            .collect(),
    );
    if by_id {
        data.topic_id = topic.id;
    } else {
        data.name = StrBytes::from_string(topic.name.clone()).into();
    }
    let request = ProduceRequest::default()
        .with_transactional_id(None)
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![data]);
    Ok(BytesMut::from(&frame_request(header, &request)?[..]).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_its_length_and_checksum() {
        let made = batch(3, 100).unwrap();
        let length = i32::from_be_bytes(made[8..12].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap() + 12, made.len());
        let sum = u32::from_be_bytes(made[CRC..ATTRIBUTES].try_into().unwrap());
        assert_eq!(sum, crc32c::crc32c(&made[ATTRIBUTES..]));
        assert_eq!(i32::from_be_bytes(made[57..61].try_into().unwrap()), 3);
    }
}
