//! A null broker: acknowledges what is produced, answers fetches from memory. It holds connections by the thousand.

use crate::batch::batch;
use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::frame;
use weir_kafka_wire::header::{RequestHeader, split_request};
use weir_kafka_wire::kafka_protocol::messages::api_versions_response::ApiVersion;
use weir_kafka_wire::kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use weir_kafka_wire::kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use weir_kafka_wire::kafka_protocol::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use weir_kafka_wire::kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FetchResponse, InitProducerIdRequest,
    InitProducerIdResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use weir_kafka_wire::kafka_protocol::protocol::{Request, StrBytes};
use weir_kafka_wire::message::{decode_request, frame_response};
use weir_kafka_wire::pieces::fetch_response;

const FRAME_LIMIT: usize = 128 << 20;
/// Partitions of every topic.
const PARTITIONS: i32 = 8;
/// What each fetch of a partition is given.
const BATCHES_PER_FETCH: usize = 15;
const BATCH_RECORDS: usize = 63;
const OFFERED: [(i16, i16, i16); 7] = [
    (0, 3, 13),
    (1, 4, 17),
    (3, 0, 12),
    (17, 0, 1),
    (18, 0, 4),
    (22, 0, 4),
    (36, 0, 2),
];

/// Serves until the process ends.
pub async fn serve(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listen on {address}"))?;
    let one = batch(BATCH_RECORDS, 1024)?;
    let records = Bytes::from(one.repeat(BATCHES_PER_FETCH));
    let port = listener.local_addr()?.port();
    let answers = Arc::new(Answers { records, port });
    println!("ready");
    loop {
        // Out of descriptors, most likely: whoever connects is told by the time that it takes.
        if let Ok((stream, _peer)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                if let Err(error) = answers.converse(stream).await {
                    eprintln!("null broker: {error:#}");
                }
            });
        }
    }
}

struct Answers {
    records: Bytes,
    port: u16,
}

impl Answers {
    async fn converse(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = BytesMut::new();
        loop {
            let mut out = Vec::new();
            while let Some(frame) = frame::next(&mut buffer, FRAME_LIMIT)? {
                let (header, body) = split_request(frame)?;
                self.answer(&header, body, &mut out)?;
            }
            for piece in &out {
                stream.write_all(piece).await?;
            }
            // Idle connections hold no buffer.
            if buffer.is_empty() {
                buffer = BytesMut::new();
                stream.readable().await?;
            }
            let missing = frame::missing(&buffer, FRAME_LIMIT)?.unwrap_or(0);
            buffer.reserve(missing.clamp(64 << 10, 1 << 20));
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
    }

    fn answer(&self, header: &RequestHeader, body: Bytes, out: &mut Vec<Bytes>) -> Result<()> {
        let version = header.version;
        match header.api_key {
            ProduceRequest::KEY => {
                let request = decode_request(version, body, Budget::CLIENT)?;
                out.push(reply::<ProduceRequest>(header, &produced(request))?);
            }
            FetchRequest::KEY => {
                let request = decode_request(version, body, Budget::CLIENT)?;
                out.extend(fetch_response(
                    version,
                    header.correlation_id,
                    &self.fetched(request),
                )?);
            }
            MetadataRequest::KEY => {
                let request = decode_request(version, body, Budget::CLIENT)?;
                out.push(reply::<MetadataRequest>(header, &self.metadata(request))?);
            }
            ApiVersionsRequest::KEY => {
                let keys = OFFERED.map(|(key, least, greatest)| {
                    ApiVersion::default()
                        .with_api_key(key)
                        .with_min_version(least)
                        .with_max_version(greatest)
                });
                let answer = ApiVersionsResponse::default().with_api_keys(keys.to_vec());
                out.push(reply::<ApiVersionsRequest>(header, &answer)?);
            }
            SaslHandshakeRequest::KEY => {
                let mechanisms = vec![StrBytes::from_static_str("PLAIN")];
                let answer = SaslHandshakeResponse::default().with_mechanisms(mechanisms);
                out.push(reply::<SaslHandshakeRequest>(header, &answer)?);
            }
            SaslAuthenticateRequest::KEY => {
                let answer = SaslAuthenticateResponse::default();
                out.push(reply::<SaslAuthenticateRequest>(header, &answer)?);
            }
            InitProducerIdRequest::KEY => {
                let answer = InitProducerIdResponse::default().with_producer_id(7.into());
                out.push(reply::<InitProducerIdRequest>(header, &answer)?);
            }
            other => anyhow::bail!("request {other} is not answered here"),
        }
        Ok(())
    }

    fn fetched(&self, request: FetchRequest) -> FetchResponse {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|it| {
                PartitionData::default()
                    .with_partition_index(it.partition)
                    .with_high_watermark(i64::MAX)
                    .with_last_stable_offset(i64::MAX)
                    .with_records(Some(self.records.clone()))
            });
            FetchableTopicResponse::default()
                .with_topic(topic.topic)
                .with_topic_id(topic.topic_id)
                .with_partitions(partitions.collect())
        });
        FetchResponse::default().with_responses(topics.collect())
    }

    fn metadata(&self, request: MetadataRequest) -> MetadataResponse {
        let broker = MetadataResponseBroker::default()
            .with_node_id(1.into())
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(i32::from(self.port));
        let topics = request.topics.unwrap_or_default().into_iter().map(|asked| {
            let partitions = (0..PARTITIONS).map(|index| {
                MetadataResponsePartition::default()
                    .with_partition_index(index)
                    .with_leader_id(1.into())
                    .with_replica_nodes(vec![1.into()])
                    .with_isr_nodes(vec![1.into()])
            });
            let name = asked.name.unwrap_or_default();
            MetadataResponseTopic::default()
                .with_topic_id(topic_id(&name))
                .with_name(Some(name))
                .with_partitions(partitions.collect())
        });
        MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_cluster_id(Some(StrBytes::from_static_str("null")))
            .with_controller_id(1.into())
            .with_topics(topics.collect())
    }
}

/// The id of a topic of this broker, made of its name.
pub fn topic_id(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&weir_credentials::sha256(name.as_bytes())[..16]);
    Uuid::from_bytes(bytes)
}

fn reply<R: Request>(header: &RequestHeader, answer: &R::Response) -> Result<Bytes> {
    Ok(frame_response::<R>(
        header.version,
        header.correlation_id,
        answer,
    )?)
}

fn produced(request: ProduceRequest) -> ProduceResponse {
    let topics = request.topic_data.into_iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|it| {
            PartitionProduceResponse::default()
                .with_index(it.index)
                .with_base_offset(0)
        });
        TopicProduceResponse::default()
            .with_name(topic.name)
            .with_topic_id(topic.topic_id)
            .with_partition_responses(partitions.collect())
    });
    ProduceResponse::default().with_responses(topics.collect())
}
