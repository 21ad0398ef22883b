//! A blocking Kafka client with nothing between the caller and the socket: what it costs is known.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use uuid::Uuid;
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::{RequestHeader, split_response};
use weir_kafka_wire::kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use weir_kafka_wire::kafka_protocol::messages::{
    ApiVersionsRequest, InitProducerIdRequest, MetadataRequest, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use weir_kafka_wire::kafka_protocol::protocol::{Request, StrBytes};
use weir_kafka_wire::message::{decode_response, frame_request};

/// Newest versions that this client speaks of the requests that matter.
pub const PRODUCE_NEWEST: i16 = 13;
pub const FETCH_NEWEST: i16 = 17;
const METADATA_NEWEST: i16 = 12;
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Kafka's errors that pass by themselves.
const COORDINATOR_LOADING: i16 = 14;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
/// Longer than any answer that is asked for here.
const FRAME_LIMIT: usize = 128 << 20;

/// Where to go, and as whom.
#[derive(Debug, Clone)]
pub struct Login {
    pub address: SocketAddr,
    pub username: String,
    pub password: String,
    pub client_id: String,
}

/// One connection, logged in.
#[derive(Debug)]
pub struct Client {
    pub stream: TcpStream,
    versions: BTreeMap<i16, i16>,
    correlation_id: i32,
    client_id: Bytes,
}

/// A topic as requests name it.
#[derive(Debug, Clone)]
pub struct TopicRef {
    pub name: String,
    pub id: Uuid,
}

impl Client {
    /// Connects, asks for versions, logs in by PLAIN.
    pub fn open(login: &Login) -> Result<Self> {
        let Login {
            address,
            username,
            password,
            client_id,
        } = login;
        let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        let mut client = Self {
            stream,
            versions: BTreeMap::new(),
            correlation_id: 0,
            client_id: Bytes::copy_from_slice(client_id.as_bytes()),
        };
        let software = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("weir-bench"))
            .with_client_software_version(StrBytes::from_static_str("1"));
        let offered = client.call(&software, 3).context("ask for versions")?;
        client.versions = offered
            .api_keys
            .iter()
            .map(|it| (it.api_key, it.max_version))
            .collect();
        let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str("PLAIN"));
        ensure!(
            client.call(&handshake, 1)?.error_code == 0,
            "PLAIN is not offered"
        );
        let token = Bytes::from(format!("\0{username}\0{password}").into_bytes());
        let answer = client.call(&SaslAuthenticateRequest::default().with_auth_bytes(token), 1)?;
        ensure!(
            answer.error_code == 0,
            "the login was refused with {}",
            answer.error_code
        );
        Ok(client)
    }

    /// The version to use: ours or the other side's newest, whichever is older.
    pub fn version(&self, api_key: i16, newest: i16) -> Result<i16> {
        let theirs = self.versions.get(&api_key).context("a request is not offered")?;
        Ok(newest.min(*theirs))
    }

    /// The header of the next request.
    pub fn header(&mut self, api_key: i16, version: i16) -> RequestHeader {
        self.correlation_id += 1;
        RequestHeader {
            api_key,
            version,
            correlation_id: self.correlation_id,
            client_id: Some(self.client_id.clone()),
        }
    }

    /// One request and its answer.
    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response> {
        let header = self.header(R::KEY, version);
        self.stream.write_all(&frame_request(&header, request)?)?;
        let (correlation_id, body) = split_response(self.frame()?, R::KEY, version)?;
        ensure!(correlation_id == header.correlation_id, "answers are out of step");
        Ok(decode_response::<R>(version, body, Budget::BROKER)?)
    }

    /// The next frame, whole.
    pub fn frame(&mut self) -> Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).context("read an answer")?;
        let length = usize::try_from(i32::from_be_bytes(length)).context("read a frame's length")?;
        ensure!(length <= FRAME_LIMIT, "an answer of {length} bytes");
        let mut frame = Vec::with_capacity(length);
        let limit = u64::try_from(length)?;
        // No page is written twice: what is reserved is filled by the socket.
        (&mut self.stream)
            .take(limit)
            .read_to_end(&mut frame)
            .context("read an answer")?;
        ensure!(frame.len() == length, "the connection ended within an answer");
        Ok(Bytes::from(frame))
    }

    /// A topic's id, as this side sees it.
    pub fn topic(&mut self, name: &str) -> Result<TopicRef> {
        let version = self.version(MetadataRequest::KEY, METADATA_NEWEST)?;
        let asked =
            MetadataRequestTopic::default().with_name(Some(StrBytes::from_string(name.to_owned()).into()));
        let answer = self.call(
            &MetadataRequest::default().with_topics(Some(vec![asked])),
            version,
        )?;
        let topic = answer.topics.first().context("no metadata of the topic")?;
        if topic.error_code != 0 {
            bail!("metadata of {name}: error {}", topic.error_code);
        }
        Ok(TopicRef {
            name: name.to_owned(),
            id: topic.topic_id,
        })
    }

    /// The identity of an idempotent producer.
    pub fn producer(&mut self) -> Result<(i64, i16)> {
        let version = self.version(InitProducerIdRequest::KEY, 4)?;
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let deadline = Instant::now() + ANSWER_WITHIN;
        let answer = loop {
            let answer = self.call(&request, version)?;
            // A broker that has just started loads its coordinators first.
            let soon = matches!(answer.error_code, COORDINATOR_LOADING | COORDINATOR_NOT_AVAILABLE);
            if !soon || Instant::now() > deadline {
                break answer;
            }
            std::thread::sleep(Duration::from_millis(200));
        };
        ensure!(
            answer.error_code == 0,
            "no producer id: error {}",
            answer.error_code
        );
        Ok((*answer.producer_id, answer.producer_epoch))
    }
}
