//! Frames in pieces: `Produce` requests and `Fetch` answers, written around their record batches instead of copying them.
//!
//! Equal byte for byte to what `kafka-protocol` encodes, which a test compares in every version; tagged fields that
//! nobody here knows are left out.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::produce_request::TopicProduceData;
use kafka_protocol::messages::{FetchResponse, ProduceRequest, TopicName};
use kafka_protocol::protocol::Encodable;

use crate::header::{self, RequestHeader};
use crate::message::MessageError;

/// Records shorter than this are copied: a piece of their own costs more.
const WORTH_A_PIECE: usize = 4096;
const PRODUCE: i16 = 0;
const FETCH: i16 = 1;

/// A whole frame of a `Produce` request.
///
/// # Errors
/// [`MessageError::Encode`] when it is longer than a frame can be.
pub fn produce_request(header: &RequestHeader, request: &ProduceRequest) -> Result<Vec<Bytes>, MessageError> {
    let mut out = Pieces::new(header.version >= 9);
    header::put_request(&mut out.open, header);
    match &request.transactional_id {
        Some(id) => out.text(id.as_bytes()),
        None if out.flexible => out.varint(0),
        None => out.open.put_i16(-1),
    }
    out.open.put_i16(request.acks);
    out.open.put_i32(request.timeout_ms);
    out.count(request.topic_data.len());
    for topic in &request.topic_data {
        let TopicProduceData {
            name,
            topic_id,
            partition_data,
            ..
        } = topic;
        out.topic(name, topic_id.as_bytes(), header.version >= 13);
        out.count(partition_data.len());
        for partition in partition_data {
            out.open.put_i32(partition.index);
            out.records(partition.records.as_ref());
            out.no_tags();
        }
        out.no_tags();
    }
    out.no_tags();
    out.finish(PRODUCE, header.version)
}

/// A whole frame of a `Fetch` answer.
///
/// # Errors
/// [`MessageError::Encode`] when it is longer than a frame can be, or a part cannot be encoded.
pub fn fetch_response(
    version: i16,
    correlation_id: i32,
    response: &FetchResponse,
) -> Result<Vec<Bytes>, MessageError> {
    let mut out = Pieces::new(version >= 12);
    header::put_response(&mut out.open, FETCH, version, correlation_id);
    out.open.put_i32(response.throttle_time_ms);
    if version >= 7 {
        out.open.put_i16(response.error_code);
        out.open.put_i32(response.session_id);
    }
    out.count(response.responses.len());
    for topic in &response.responses {
        let FetchableTopicResponse {
            topic,
            topic_id,
            partitions,
            ..
        } = topic;
        out.topic(topic, topic_id.as_bytes(), version >= 13);
        out.count(partitions.len());
        for partition in partitions {
            out.partition(partition, version)?;
        }
        out.no_tags();
    }
    if version >= 16 && !response.node_endpoints.is_empty() {
        let mut nodes = Pieces::new(true);
        nodes.count(response.node_endpoints.len());
        for node in &response.node_endpoints {
            if node.encode(&mut nodes.open, version).is_err() {
                return Err(MessageError::Encode {
                    api_key: FETCH,
                    version,
                });
            }
        }
        out.varint(1);
        out.tag(0, &nodes.open);
    } else {
        out.no_tags();
    }
    out.finish(FETCH, version)
}

struct Pieces {
    done: Vec<Bytes>,
    open: BytesMut,
    length: usize,
    flexible: bool,
}

impl Pieces {
    fn new(flexible: bool) -> Self {
        Self {
            done: vec![Bytes::new()],
            open: BytesMut::with_capacity(512),
            length: 0,
            flexible,
        }
    }

    fn cut(&mut self) {
        let piece = self.open.split().freeze();
        self.push(piece);
    }

    fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        self.done.push(piece);
    }

    /// The first piece is the frame's length.
    fn finish(mut self, api_key: i16, version: i16) -> Result<Vec<Bytes>, MessageError> {
        self.cut();
        let length =
            i32::try_from(self.length).map_err(|_too_long| MessageError::Encode { api_key, version })?;
        if let Some(first) = self.done.first_mut() {
            *first = Bytes::copy_from_slice(&length.to_be_bytes());
        }
        Ok(self.done)
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.open.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.open.put_u8(value as u8);
    }

    fn count(&mut self, count: usize) {
        let count = count as u32;
        if self.flexible {
            self.varint(count + 1)
        } else {
            self.open.put_u32(count)
        }
    }

    fn text(&mut self, text: &[u8]) {
        if self.flexible {
            self.varint(text.len() as u32 + 1);
        } else {
            self.open.put_u16(text.len() as u16);
        }
        self.open.put_slice(text);
    }

    fn topic(&mut self, name: &TopicName, id: &[u8], by_id: bool) {
        if by_id {
            self.open.put_slice(id);
        } else {
            self.text(name.as_bytes());
        }
    }

    fn no_tags(&mut self) {
        if self.flexible {
            self.open.put_u8(0);
        }
    }

    fn tag(&mut self, tag: u32, content: &[u8]) {
        self.varint(tag);
        self.varint(content.len() as u32);
        self.open.put_slice(content);
    }

    fn records(&mut self, records: Option<&Bytes>) {
        let Some(records) = records else {
            return if self.flexible {
                self.varint(0)
            } else {
                self.open.put_i32(-1)
            };
        };
        self.count(records.len());
        if records.len() < WORTH_A_PIECE {
            self.open.put_slice(records);
        } else {
            self.cut();
            self.push(records.clone());
        }
    }

    fn partition(&mut self, partition: &PartitionData, version: i16) -> Result<(), MessageError> {
        self.open.put_i32(partition.partition_index);
        self.open.put_i16(partition.error_code);
        self.open.put_i64(partition.high_watermark);
        self.open.put_i64(partition.last_stable_offset);
        if version >= 5 {
            self.open.put_i64(partition.log_start_offset);
        }
        match &partition.aborted_transactions {
            Some(aborted) => {
                self.count(aborted.len());
                for transaction in aborted {
                    self.open.put_i64(*transaction.producer_id);
                    self.open.put_i64(transaction.first_offset);
                    self.no_tags();
                }
            }
            None if self.flexible => self.varint(0),
            None => self.open.put_i32(-1),
        }
        if version >= 11 {
            self.open.put_i32(*partition.preferred_read_replica);
        }
        self.records(partition.records.as_ref());
        if self.flexible {
            self.partition_tags(partition, version)?;
        }
        Ok(())
    }

    fn partition_tags(&mut self, partition: &PartitionData, version: i16) -> Result<(), MessageError> {
        let mut tags: Vec<(u32, BytesMut)> = Vec::new();
        set(&mut tags, 0, &partition.diverging_epoch, version)?;
        set(&mut tags, 1, &partition.current_leader, version)?;
        set(&mut tags, 2, &partition.snapshot_id, version)?;
        self.varint(tags.len() as u32);
        for (tag, content) in tags {
            self.tag(tag, &content);
        }
        Ok(())
    }
}

/// Keeps a tagged structure unless it is its default, which is not written.
fn set<T: Encodable + Default + PartialEq>(
    tags: &mut Vec<(u32, BytesMut)>,
    tag: u32,
    value: &T,
    version: i16,
) -> Result<(), MessageError> {
    if *value == T::default() {
        return Ok(());
    }
    let mut content = BytesMut::new();
    match value.encode(&mut content, version) {
        Ok(()) => {
            tags.push((tag, content));
            Ok(())
        }
        Err(_refused) => Err(MessageError::Encode {
            api_key: FETCH,
            version,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{frame_request, frame_response};
    use crate::sample;
    use crate::shape::{Direction, shape};
    use kafka_protocol::messages::fetch_response::NodeEndpoint;
    use kafka_protocol::messages::{FetchRequest, fetch_response::LeaderIdAndEpoch};
    use kafka_protocol::protocol::Decodable;

    fn together(pieces: &[Bytes]) -> Vec<u8> {
        pieces.concat()
    }

    /// Around the threshold, and absent.
    fn lengths() -> [Option<usize>; 4] {
        [None, Some(0), Some(WORTH_A_PIECE - 1), Some(WORTH_A_PIECE)]
    }

    fn sampled<M: Decodable>(direction: Direction, api_key: i16, version: i16, seed: u64) -> M {
        let shape = shape(direction, api_key, version).unwrap();
        M::decode(&mut sample::body(shape, seed), version).unwrap()
    }

    #[test]
    fn produce_requests_equal_the_encoders_in_every_version() {
        for version in 3..=13 {
            for seed in 1..60 {
                let mut request: ProduceRequest = sampled(Direction::Request, PRODUCE, version, seed * 7919);
                let partitions = request
                    .topic_data
                    .iter_mut()
                    .flat_map(|it| &mut it.partition_data);
                for (partition, length) in partitions.zip(lengths().into_iter().cycle()) {
                    partition.records = length.map(|it| vec![7; it].into());
                }
                if seed % 3 == 0 {
                    request.transactional_id = None;
                }
                let header = RequestHeader {
                    api_key: PRODUCE,
                    version,
                    correlation_id: 9,
                    client_id: None,
                };
                let pieces = produce_request(&header, &request).unwrap();
                assert_eq!(
                    together(&pieces),
                    frame_request(&header, &request).unwrap(),
                    "{version}"
                );
            }
        }
    }

    #[test]
    fn fetch_answers_equal_the_encoders_in_every_version() {
        for version in 4..=18 {
            for seed in 1..60 {
                let mut response: FetchResponse = sampled(Direction::Response, FETCH, version, seed * 7919);
                let partitions = response.responses.iter_mut().flat_map(|it| &mut it.partitions);
                for (partition, length) in partitions.zip(lengths().into_iter().cycle()) {
                    partition.records = length.map(|it| vec![7; it].into());
                    if seed % 3 == 0 {
                        partition.aborted_transactions = None;
                    }
                    if version >= 12 && seed % 2 == 0 {
                        partition.current_leader = LeaderIdAndEpoch::default().with_leader_epoch(4);
                        partition.diverging_epoch.end_offset = 300;
                    }
                }
                if version >= 16 && seed % 2 == 0 {
                    response.node_endpoints = vec![NodeEndpoint::default().with_port(5)];
                }
                let pieces = fetch_response(version, 9, &response).unwrap();
                let whole = frame_response::<FetchRequest>(version, 9, &response).unwrap();
                assert_eq!(together(&pieces), whole, "{version}");
            }
        }
    }

    #[test]
    fn large_records_are_not_copied() {
        let mut response: FetchResponse = sampled(Direction::Response, FETCH, 16, 1);
        let records = Bytes::from(vec![1; 100_000]);
        response.responses[0].partitions[0].records = Some(records.clone());
        let pieces = fetch_response(16, 1, &response).unwrap();
        assert!(pieces.iter().any(|it| it.as_ptr() == records.as_ptr()));
    }
}
