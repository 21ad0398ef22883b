//! Before anybody is known: three small requests, little memory, little time.

#[cfg(any(test, feature = "fuzzing"))]
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
use tokio::time::{Instant, sleep, timeout};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::{API_VERSIONS, HeaderError, RequestHeader, split_request};
use weir_kafka_wire::message::{decode_request, frame_response};
use weir_proto::agent::v1::SignInMechanism;

use super::acquaintance::{Acquaintance, Listening};
use super::certificate::{BY_CERTIFICATE, next_frame};
use super::intake::{Intake, IntakeError};
use super::stream::{Client, Source};
use super::{Arrival, End, Gateway, Waiting, upstream};
use crate::gateway::rewrite::code;
use crate::gateway::sasl::{Exchange, Login, MECHANISMS, Registry, Step};
use crate::gateway::table::{self, BrokerVersions};
#[cfg(any(test, feature = "fuzzing"))]
use crate::gateway::view::Key;
use crate::gateway::view::{now_unix_ms, now_unix_seconds};

/// Frames before login: version probes, a handshake, three tokens, and some more.
const FRAMES: usize = 16;

/// How long a client has to read why its login failed before the connection ends.
const HEARING: Duration = Duration::from_millis(250);

/// A client that is logged in.
pub struct Session<C: Client> {
    /// Who it is.
    pub login: Login,
    /// How it showed that.
    pub mechanism: &'static str,
    /// Its requests.
    pub read: Intake<C::Read>,
    /// Our answers.
    pub write: C::Write,
    /// What it said of itself.
    pub known: Acquaintance,
}

/// Logs a client in, or tells why not.
pub async fn login<C: Client>(
    gateway: &Gateway,
    client: C,
    waiting: &Waiting<'_>,
    arrival: &Arrival,
) -> Result<Session<C>, End> {
    let (read, mut write) = client.halves();
    let mut read = Intake::new(
        read,
        BytesMut::new(),
        gateway.limits.stranger_frame,
        &gateway.buffers,
    );
    let told = Listening::default();
    let door = Door {
        gateway,
        arrival,
        told: &told,
    };
    if door.shown().is_some_and(|it| it.is_ok()) {
        // It is known who this is, though it may yet log in as somebody else.
        read.limit(gateway.limits.frame);
    }
    let entered = match timeout(gateway.limits.login, door.open(&mut read, &mut write)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(End::Slow.into()),
    };
    match entered {
        Ok((login, mechanism)) => {
            read.limit(gateway.limits.frame);
            let mut known = told.so_far();
            if mechanism == BY_CERTIFICATE {
                known.mechanism = SignInMechanism::Mtls;
            }
            Ok(Session {
                login,
                mechanism,
                read,
                write,
                known,
            })
        }
        Err(Failure { end, parting }) => {
            // Guessing costs time, by a timer and not by a thread; the answer comes after it, as in Kafka.
            if let Some(frame) = parting {
                sleep(waiting.failed()).await;
                let _gone = timeout(gateway.limits.login, send(&mut write, &frame)).await;
                // Some clients (kafka-python) throw an answer away that comes together with the end.
                let _closed = timeout(HEARING, read.fill()).await;
            } else if let End::Certificate(_) = end {
                sleep(waiting.failed()).await;
            }
            Err(end)
        }
    }
}

/// The exchange alone, of a client that has said everything: for the fuzzer.
#[cfg(any(test, feature = "fuzzing"))]
pub async fn knock(gateway: &Gateway, said: &[u8]) -> Option<Arc<Key>> {
    let arrival = Arrival {
        address: std::net::Ipv4Addr::LOCALHOST.into(),
        node: None,
        named: None,
        presented: None,
    };
    let mut read = Intake::new(
        said,
        BytesMut::new(),
        gateway.limits.stranger_frame,
        &gateway.buffers,
    );
    let told = Listening::default();
    let opened = Door {
        gateway,
        arrival: &arrival,
        told: &told,
    }
    .open(&mut read, &mut tokio::io::sink())
    .await;
    opened.ok().map(|(login, _mechanism)| login.key)
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
            IntakeError::Short(short) => Self::Short(short),
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

pub(super) struct Door<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) arrival: &'a Arrival,
    told: &'a Listening,
}

impl Door<'_> {
    async fn open<S: Source, W: AsyncWrite + Unpin>(
        &self,
        read: &mut Intake<S>,
        write: &mut W,
    ) -> Result<(Login, &'static str), Failure> {
        let mut exchange = None;
        let begun = Instant::now();
        for _frame in 0..FRAMES {
            let shown = self.shown().filter(|_it| exchange.is_none());
            let patience = matches!(shown, Some(Ok(_))).then_some(begun + self.gateway.limits.login / 2);
            let Some(frame) = next_frame(read, patience).await? else {
                return Ok((self.by_certificate()?, BY_CERTIFICATE));
            };
            let whole = frame.clone();
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
            self.told.note(&header, &body);
            match table::admitted(header.api_key, header.version) {
                Some(ApiKey::ApiVersions) => {
                    let versions = upstream::all_versions(self.gateway, &self.gateway.view.load()).await?;
                    let known: Vec<_> = versions.iter().map(AsRef::as_ref).collect();
                    let answer = api_versions(&header, body, &known, Budget::STRANGER)?;
                    send(write, &answer).await?;
                }
                Some(ApiKey::SaslHandshake) => {
                    let (begun, answer) = handshake(&header, body, Budget::STRANGER)?;
                    send(write, &answer).await?;
                    exchange = Some(begun.ok_or(End::Mechanism)?);
                }
                Some(ApiKey::SaslAuthenticate) => {
                    let Some(exchange) = exchange.as_mut() else {
                        return Err(End::Early(header.api_key, header.version).into());
                    };
                    if let Some(login) = self.authenticate(exchange, &header, body, write).await? {
                        return Ok((login, exchange.mechanism()));
                    }
                }
                Some(_other) if shown.is_some() => {
                    let login = self.by_certificate()?;
                    read.give_back(whole);
                    return Ok((login, BY_CERTIFICATE));
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
    ) -> Result<Option<Login>, Failure> {
        match step(self.gateway, exchange, header, body, Budget::STRANGER)? {
            Stepped::Under(answer) => {
                send(write, &answer).await?;
                Ok(None)
            }
            Stepped::Done(login, answer) if self.arrival.agrees(&login.key) => {
                send(write, &answer).await?;
                Ok(Some(login))
            }
            Stepped::Done(..) | Stepped::Failed => {
                tracing::debug!(address = %self.arrival.address, "a login failed");
                Err(Failure {
                    end: End::Authentication,
                    parting: Some(refused(header)?),
                })
            }
        }
    }
}

/// What a token led to, and the frame that answers it.
pub(super) enum Stepped {
    /// Another token is awaited.
    Under(Bytes),
    /// Logged in.
    Done(Login, Bytes),
    /// Not.
    Failed,
}

/// Takes a token of an exchange.
pub(super) fn step(
    gateway: &Gateway,
    exchange: &mut Exchange,
    header: &RequestHeader,
    body: Bytes,
    budget: Budget,
) -> Result<Stepped, End> {
    let request: SaslAuthenticateRequest = decode_request(header.version, body, budget)?;
    let view = gateway.view.load_full();
    let registry = Registry {
        view: &view,
        pepper: &gateway.pepper,
        now_unix_seconds: now_unix_seconds(),
    };
    let response = SaslAuthenticateResponse::default();
    Ok(match exchange.step(registry, &request.auth_bytes) {
        Step::Continue(token) => Stepped::Under(answer::<SaslAuthenticateRequest>(
            header,
            &response.with_auth_bytes(token),
        )?),
        Step::Done(login, token) => {
            let lifetime_ms = lifetime_ms(&login, now_unix_ms());
            let response = response
                .with_auth_bytes(token)
                .with_session_lifetime_ms(if header.version == 0 { 0 } else { lifetime_ms });
            Stepped::Done(login, answer::<SaslAuthenticateRequest>(header, &response)?)
        }
        Step::Failed => Stepped::Failed,
    })
}

/// How long the login is good (KIP-368); 0 is for ever.
fn lifetime_ms(login: &Login, now_unix_ms: i64) -> i64 {
    match login.ends_at() {
        0 => 0,
        end => end.saturating_mul(1000).saturating_sub(now_unix_ms).max(1),
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
pub(super) fn refused(header: &RequestHeader) -> Result<Bytes, End> {
    let response = SaslAuthenticateResponse::default()
        .with_error_code(code::SASL_AUTHENTICATION_FAILED)
        .with_error_message(Some(StrBytes::from_static_str("Authentication failed")));
    answer::<SaslAuthenticateRequest>(header, &response)
}

/// Begins an exchange, if the mechanism is offered; and the frame that says so.
pub(super) fn handshake(
    header: &RequestHeader,
    body: Bytes,
    budget: Budget,
) -> Result<(Option<Exchange>, Bytes), End> {
    let request: SaslHandshakeRequest = decode_request(header.version, body, budget)?;
    let exchange = Exchange::begin(&request.mechanism);
    let error_code = match exchange {
        Some(_) => code::NONE,
        None => code::UNSUPPORTED_SASL_MECHANISM,
    };
    let response = SaslHandshakeResponse::default()
        .with_error_code(error_code)
        .with_mechanisms(MECHANISMS.map(StrBytes::from_static_str).to_vec());
    Ok((exchange, answer::<SaslHandshakeRequest>(header, &response)?))
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
