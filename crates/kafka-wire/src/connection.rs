//! A client connection to one broker: calls one at a time, each with a deadline and within bounds.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::bounds::Budget;
use crate::frame::{self, FrameError};
use crate::header::{HeaderError, RequestHeader, split_response};
use crate::message::{MessageError, decode_response, frame_request};

/// How a connection behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// For connecting, and for each call.
    pub timeout: Duration,
    /// The largest answer accepted.
    pub frame_limit: usize,
    /// What we call ourselves.
    pub client_id: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            frame_limit: 100 * 1024 * 1024,
            client_id: "weir".to_owned(),
        }
    }
}

/// Why a call failed. After anything but [`CallError::Message`] of encoding the connection is of no further use.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The socket failed.
    #[error("the connection to the broker failed")]
    Io(#[from] io::Error),
    /// No answer in time.
    #[error("no answer within the deadline")]
    Timeout,
    /// An earlier call failed halfway.
    #[error("the connection is out of step after an earlier failure")]
    Broken,
    /// The answer's frame is out of bounds.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The answer's header is malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The request cannot be encoded or the answer not decoded.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// An answer to something else.
    #[error("the broker answered another request")]
    OutOfStep,
    /// The broker refused the login; Kafka's error code.
    #[error("the broker refused the login with error {0}")]
    Login(i16),
}

/// One connection to one broker.
#[derive(Debug)]
pub struct Connection<S = TcpStream> {
    stream: S,
    buffer: BytesMut,
    correlation_id: i32,
    options: Options,
    broken: bool,
}

impl Connection {
    /// Connects with the default [`Options`].
    ///
    /// # Errors
    /// [`CallError::Io`] or [`CallError::Timeout`].
    pub async fn connect(host: &str, port: u16) -> Result<Self, CallError> {
        Self::connect_with(host, port, Options::default()).await
    }

    /// Connects.
    ///
    /// # Errors
    /// [`CallError::Io`] or [`CallError::Timeout`].
    pub async fn connect_with(host: &str, port: u16, options: Options) -> Result<Self, CallError> {
        let stream = timeout(options.timeout, TcpStream::connect((host, port)))
            .await
            .map_err(|_elapsed| CallError::Timeout)??;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream, options))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Speaks over a stream that is open.
    #[must_use]
    pub fn over(stream: S, options: Options) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            correlation_id: 0,
            options,
            broken: false,
        }
    }

    /// Logs in by SASL/PLAIN.
    ///
    /// # Errors
    /// [`CallError::Login`] when the broker refuses; else as [`Connection::call`].
    pub async fn login_plain(&mut self, username: &str, password: &str) -> Result<(), CallError> {
        self.handshake("PLAIN").await?;
        self.authenticate(format!("\0{username}\0{password}").into_bytes())
            .await
            .map(drop)
    }

    /// Announces a SASL mechanism.
    ///
    /// # Errors
    /// [`CallError::Login`] when the broker does not offer it; else as [`Connection::call`].
    pub async fn handshake(&mut self, mechanism: &str) -> Result<(), CallError> {
        let mechanism = StrBytes::from_string(mechanism.to_owned());
        let request = SaslHandshakeRequest::default().with_mechanism(mechanism);
        match self.call(&request, 1).await?.error_code {
            0 => Ok(()),
            code => Err(CallError::Login(code)),
        }
    }

    /// Sends a message of the announced mechanism; gives the broker's.
    ///
    /// # Errors
    /// [`CallError::Login`] when the broker refuses; else as [`Connection::call`].
    pub async fn authenticate(&mut self, token: Vec<u8>) -> Result<Bytes, CallError> {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(token));
        let answer = self.call(&request, 1).await?;
        match answer.error_code {
            0 => Ok(answer.auth_bytes),
            code => Err(CallError::Login(code)),
        }
    }

    /// The broker's `ApiVersions`, in the version that both know.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub async fn api_versions(&mut self) -> Result<ApiVersionsResponse, CallError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("weir"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        self.call(&request, 3).await
    }

    /// Which versions of which request the broker understands: (least, greatest) by API key.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub async fn versions(&mut self) -> Result<BTreeMap<i16, (i16, i16)>, CallError> {
        let answer = self.api_versions().await?;
        Ok(answer
            .api_keys
            .iter()
            .map(|it| (it.api_key, (it.min_version, it.max_version)))
            .collect())
    }

    /// Sends a request of this version and awaits its answer, within the timeout.
    ///
    /// # Errors
    /// [`CallError`]; the error code inside an answer is the caller's to read.
    pub async fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, CallError> {
        if self.broken {
            return Err(CallError::Broken);
        }
        self.correlation_id = self.correlation_id.wrapping_add(1) & i32::MAX;
        let header = RequestHeader {
            api_key: R::KEY,
            version,
            correlation_id: self.correlation_id,
            client_id: Some(Bytes::copy_from_slice(self.options.client_id.as_bytes())),
        };
        let out = frame_request(&header, request)?;
        // Until the answer is read whole, the stream is out of step: also when this future is dropped.
        self.broken = true;
        let frame = timeout(self.options.timeout, self.exchange(&out))
            .await
            .map_err(|_elapsed| CallError::Timeout)??;
        let (correlation_id, body) = split_response(frame, R::KEY, version)?;
        if correlation_id != self.correlation_id {
            return Err(CallError::OutOfStep);
        }
        let answer = decode_response::<R>(version, body, Budget::BROKER)?;
        self.broken = false;
        Ok(answer)
    }

    async fn exchange(&mut self, out: &[u8]) -> Result<Bytes, CallError> {
        self.stream.write_all(out).await?;
        loop {
            if let Some(frame) = frame::next(&mut self.buffer, self.options.frame_limit)? {
                return Ok(frame);
            }
            self.buffer.reserve(16 * 1024);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// The stream and what was read beyond the last answer, for a caller that goes on by itself.
    #[must_use]
    pub fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.buffer)
    }
}
