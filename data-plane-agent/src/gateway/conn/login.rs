//! Before anybody is known: three small requests, little memory, little time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Request, StrBytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::{API_VERSIONS, HeaderError, RequestHeader, split_request};
use weir_kafka_wire::message::{decode_request, frame_response};

use super::intake::{Intake, IntakeError};
use super::stream::{Client, Source};
use super::{End, Gateway, upstream};
use crate::gateway::rewrite::code;
use crate::gateway::sasl::{Exchange, MECHANISMS, Registry, Step};
use crate::gateway::table::{self, BrokerVersions};
use crate::gateway::view::{Key, now_unix_seconds};

/// Frames before login: version probes, a handshake, three tokens, and some more.
const FRAMES: usize = 16;

/// How long a client has to read why its login failed before the connection ends.
const HEARING: Duration = Duration::from_millis(250);

/// A client that is logged in.
pub struct Session<C: Client> {
    /// Its key.
    pub key: Arc<Key>,
    /// Its requests.
    pub read: Intake<C::Read>,
    /// Our answers.
    pub write: C::Write,
}

/// Logs a client in, or tells why not.
pub async fn login<C: Client>(gateway: &Gateway, client: C, address: IpAddr) -> Result<Session<C>, End> {
    let (read, mut write) = client.halves();
    let mut read = Intake::new(read, BytesMut::new(), gateway.limits.stranger_frame);
    let door = Door { gateway, address };
    let key = match timeout(gateway.limits.login, door.open(&mut read, &mut write)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(End::Slow.into()),
    };
    match key {
        Ok(key) => {
            read.limit(gateway.limits.frame);
            Ok(Session { key, read, write })
        }
        Err(Failure { end, parting }) => {
            // Guessing costs time, by a timer and not by a thread; the answer comes after it, as in Kafka.
            if let Some(frame) = parting {
                sleep(gateway.guard.failed(address)).await;
                let _gone = timeout(gateway.limits.login, send(&mut write, &frame)).await;
                // Some clients (kafka-python) throw an answer away that comes together with the end.
                let _closed = timeout(HEARING, read.fill()).await;
            }
            Err(end)
        }
    }
}

/// The exchange alone, of a client that has said everything: for the fuzzer.
#[cfg(any(test, feature = "fuzzing"))]
pub async fn knock(gateway: &Gateway, said: &[u8]) -> Option<Arc<Key>> {
    let address = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let mut read = Intake::new(said, BytesMut::new(), gateway.limits.stranger_frame);
    let opened = Door { gateway, address }
        .open(&mut read, &mut tokio::io::sink())
        .await;
    opened.ok()
}

/// A login that failed, and the answer that goes out after a delay.
struct Failure {
    end: End,
    parting: Option<Bytes>,
}

impl From<End> for Failure {
    fn from(end: End) -> Self {
        Self { end, parting: None }
    }
}

impl From<IntakeError> for End {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Ended => Self::Client,
            IntakeError::Socket(error) => Self::ClientSocket(error),
            IntakeError::Frame(error) => Self::Frame(error),
        }
    }
}

/// Writes a whole frame.
pub async fn send<W: AsyncWrite + Unpin>(write: &mut W, frame: &[u8]) -> Result<(), End> {
    let written = async {
        write.write_all(frame).await?;
        write.flush().await
    };
    written.await.map_err(End::ClientSocket)
}

struct Door<'a> {
    gateway: &'a Gateway,
    address: IpAddr,
}

impl Door<'_> {
    async fn open<S: Source, W: AsyncWrite + Unpin>(
        &self,
        read: &mut Intake<S>,
        write: &mut W,
    ) -> Result<Arc<Key>, Failure> {
        let mut exchange = None;
        for _frame in 0..FRAMES {
            let frame = loop {
                match read.next().map_err(End::from)? {
                    Some(frame) => break frame,
                    None => read.fill().await.map_err(End::from)?,
                }
            };
            let (header, body) = match split_request(frame) {
                Ok(split) => split,
                Err(HeaderError::Unknown {
                    api_key: API_VERSIONS,
                    correlation_id,
                    ..
                }) => {
                    send(write, &of_another_version(correlation_id)?).await?;
                    continue;
                }
                Err(error) => return Err(End::from(error).into()),
            };
            match table::admitted(header.api_key, header.version) {
                Some(ApiKey::ApiVersions) => {
                    let versions = upstream::all_versions(self.gateway, &self.gateway.view.load()).await?;
                    let known: Vec<_> = versions.iter().map(AsRef::as_ref).collect();
                    let answer = api_versions(&header, body, &known, Budget::STRANGER)?;
                    send(write, &answer).await?;
                }
                Some(ApiKey::SaslHandshake) => {
                    exchange = Some(handshake(&header, body, write).await?);
                }
                Some(ApiKey::SaslAuthenticate) => {
                    let Some(exchange) = exchange.as_mut() else {
                        return Err(End::Early(header.api_key, header.version).into());
                    };
                    if let Some(key) = self.authenticate(exchange, &header, body, write).await? {
                        return Ok(key);
                    }
                }
                _other => return Err(End::Early(header.api_key, header.version).into()),
            }
        }
        Err(End::Slow.into())
    }

    async fn authenticate<W: AsyncWrite + Unpin>(
        &self,
        exchange: &mut Exchange,
        header: &RequestHeader,
        body: Bytes,
        write: &mut W,
    ) -> Result<Option<Arc<Key>>, Failure> {
        let request: SaslAuthenticateRequest =
            decode_request(header.version, body, Budget::STRANGER).map_err(End::from)?;
        let view = self.gateway.view.load_full();
        let registry = Registry {
            view: &view,
            pepper: &self.gateway.pepper,
            now_unix_seconds: now_unix_seconds(),
        };
        let (key, token) = match exchange.step(registry, &request.auth_bytes) {
            Step::Continue(token) => (None, token),
            Step::Done(key, token) => (Some(key), token),
            Step::Failed => {
                tracing::debug!(address = %self.address, "a login failed");
                return Err(refused(header)?);
            }
        };
        let response = SaslAuthenticateResponse::default().with_auth_bytes(token);
        send(write, &answer::<SaslAuthenticateRequest>(header, &response)?).await?;
        Ok(key)
    }
}

fn answer<R: Request>(header: &RequestHeader, response: &R::Response) -> Result<Bytes, End> {
    Ok(frame_response::<R>(
        header.version,
        header.correlation_id,
        response,
    )?)
}

/// The same words whatever was wrong.
fn refused(header: &RequestHeader) -> Result<Failure, End> {
    let response = SaslAuthenticateResponse::default()
        .with_error_code(code::SASL_AUTHENTICATION_FAILED)
        .with_error_message(Some(StrBytes::from_static_str("Authentication failed")));
    Ok(Failure {
        end: End::Authentication,
        parting: Some(answer::<SaslAuthenticateRequest>(header, &response)?),
    })
}

async fn handshake<W: AsyncWrite + Unpin>(
    header: &RequestHeader,
    body: Bytes,
    write: &mut W,
) -> Result<Exchange, End> {
    let request: SaslHandshakeRequest = decode_request(header.version, body, Budget::STRANGER)?;
    let exchange = Exchange::begin(&request.mechanism);
    let error_code = match exchange {
        Some(_) => code::NONE,
        None => code::UNSUPPORTED_SASL_MECHANISM,
    };
    let response = SaslHandshakeResponse::default()
        .with_error_code(error_code)
        .with_mechanisms(MECHANISMS.map(StrBytes::from_static_str).to_vec());
    send(write, &answer::<SaslHandshakeRequest>(header, &response)?).await?;
    exchange.ok_or(End::Mechanism)
}

/// Answers `ApiVersions`, before and after login.
pub fn api_versions(
    header: &RequestHeader,
    body: Bytes,
    brokers: &[&BrokerVersions],
    budget: Budget,
) -> Result<Bytes, End> {
    let _checked: ApiVersionsRequest = decode_request(header.version, body, budget)?;
    answer::<ApiVersionsRequest>(header, &table::advertised(brokers))
}

/// The answer to an `ApiVersions` of a version to come: in version 0, with the versions that would do.
pub fn of_another_version(correlation_id: i32) -> Result<Bytes, End> {
    let own = table::TABLE.iter().find(|(key, ..)| *key == ApiKey::ApiVersions);
    let api_keys = own.map(|(key, least, greatest)| {
        ApiVersion::default()
            .with_api_key(*key as i16)
            .with_min_version(*least)
            .with_max_version(*greatest)
    });
    let response = ApiVersionsResponse::default()
        .with_error_code(code::UNSUPPORTED_VERSION)
        .with_api_keys(api_keys.into_iter().collect());
    Ok(frame_response::<ApiVersionsRequest>(
        0,
        correlation_id,
        &response,
    )?)
}
