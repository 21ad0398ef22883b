//! Typed messages: checked before they are decoded, framed when they are encoded.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, Request};

use crate::bounds::{self, BoundsError, Budget};
use crate::header::{self, RequestHeader};
use crate::shape::Direction;

/// Why a message cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Refused before decoding.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// The decoder refused it.
    #[error("message {api_key} of version {version} cannot be decoded")]
    Decode {
        /// Which message.
        api_key: i16,
        /// In which version.
        version: i16,
    },
    /// A field is set that this version does not have.
    #[error("message {api_key} of version {version} cannot be encoded")]
    Encode {
        /// Which message.
        api_key: i16,
        /// In which version.
        version: i16,
    },
}

/// Reads a request's body; bytes that follow it are ignored, as brokers do.
///
/// # Errors
/// [`MessageError`] when it is out of bounds or malformed.
pub fn decode_request<R: Request>(version: i16, mut body: Bytes, budget: Budget) -> Result<R, MessageError> {
    body.truncate(bounds::request_length(R::KEY, version, &body, budget)?);
    decode(R::KEY, version, body)
}

/// Reads an answer's body.
///
/// # Errors
/// [`MessageError`] when it is out of bounds or malformed.
pub fn decode_response<R: Request>(
    version: i16,
    body: Bytes,
    budget: Budget,
) -> Result<R::Response, MessageError> {
    bounds::check(Direction::Response, R::KEY, version, &body, budget)?;
    decode(R::KEY, version, body)
}

fn decode<M: Decodable>(api_key: i16, version: i16, mut body: Bytes) -> Result<M, MessageError> {
    match M::decode(&mut body, version) {
        Ok(message) if body.is_empty() => Ok(message),
        _refused => Err(MessageError::Decode { api_key, version }),
    }
}

/// A whole frame: prefix, header, request.
///
/// # Errors
/// [`MessageError::Encode`].
pub fn frame_request<R: Request>(header: &RequestHeader, request: &R) -> Result<Bytes, MessageError> {
    let mut out = begin();
    header::put_request(&mut out, header);
    finish(out, R::KEY, header.version, request)
}

/// A whole frame: prefix, header, answer.
///
/// # Errors
/// [`MessageError::Encode`].
pub fn frame_response<R: Request>(
    version: i16,
    correlation_id: i32,
    response: &R::Response,
) -> Result<Bytes, MessageError> {
    let mut out = begin();
    header::put_response(&mut out, R::KEY, version, correlation_id);
    finish(out, R::KEY, version, response)
}

fn begin() -> BytesMut {
    let mut out = BytesMut::with_capacity(256);
    out.extend_from_slice(&[0; 4]);
    out
}

fn finish<M: Encodable>(
    mut out: BytesMut,
    api_key: i16,
    version: i16,
    message: &M,
) -> Result<Bytes, MessageError> {
    let refused = MessageError::Encode { api_key, version };
    if message.encode(&mut out, version).is_err() {
        return Err(refused);
    }
    let length = i32::try_from(out.len() - 4).map_err(|_too_long| refused)?;
    out[..4].copy_from_slice(&length.to_be_bytes());
    Ok(out.freeze())
}
