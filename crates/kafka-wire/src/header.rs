//! Request and response headers, read without the decoder.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::bounds::{BoundsError, Budget, after_tagged_fields};
use crate::shape::{Direction, shape};

/// `ApiVersions`: its answers have header version 0 whatever their version.
pub const API_VERSIONS: i16 = 18;

/// What every request begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// Which request.
    pub api_key: i16,
    /// Which version of it.
    pub version: i16,
    /// Repeated in the answer.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<Bytes>,
}

/// Why a request's header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Shorter than a header, or its lengths are wrong.
    #[error("a malformed request header")]
    Malformed,
    /// Kafka has no such request. `ApiVersions` of a version to come is answered all the same.
    #[error("no request has key {api_key} and version {version}")]
    Unknown {
        /// What was asked.
        api_key: i16,
        /// In which version.
        version: i16,
        /// Of which request.
        correlation_id: i32,
    },
}

impl From<BoundsError> for HeaderError {
    fn from(_error: BoundsError) -> Self {
        Self::Malformed
    }
}

/// Splits a request's frame into header and body.
///
/// # Errors
/// [`HeaderError`] when it is malformed, or of an unknown key and version.
pub fn split_request(mut frame: Bytes) -> Result<(RequestHeader, Bytes), HeaderError> {
    if frame.len() < 8 {
        return Err(HeaderError::Malformed);
    }
    let api_key = frame.get_i16();
    let version = frame.get_i16();
    let correlation_id = frame.get_i32();
    let shape = shape(Direction::Request, api_key, version).ok_or(HeaderError::Unknown {
        api_key,
        version,
        correlation_id,
    })?;
    if frame.len() < 2 {
        return Err(HeaderError::Malformed);
    }
    let client_id = match frame.get_i16() {
        -1 => None,
        length => {
            let length = usize::try_from(length).map_err(|_negative| HeaderError::Malformed)?;
            if length > frame.len() || std::str::from_utf8(&frame[..length]).is_err() {
                return Err(HeaderError::Malformed);
            }
            Some(frame.split_to(length))
        }
    };
    if shape.flexible {
        let rest = after_tagged_fields(&frame, Budget::STRANGER)?.len();
        frame.advance(frame.len() - rest);
    }
    let header = RequestHeader {
        api_key,
        version,
        correlation_id,
        client_id,
    };
    Ok((header, frame))
}

/// Does the answer's header carry tagged fields?
#[must_use]
pub fn response_is_flexible(api_key: i16, version: i16) -> bool {
    api_key != API_VERSIONS && shape(Direction::Response, api_key, version).is_some_and(|it| it.flexible)
}

/// Splits an answer's frame into correlation id and body.
///
/// # Errors
/// [`HeaderError::Malformed`].
pub fn split_response(mut frame: Bytes, api_key: i16, version: i16) -> Result<(i32, Bytes), HeaderError> {
    if frame.len() < 4 {
        return Err(HeaderError::Malformed);
    }
    let correlation_id = frame.get_i32();
    if response_is_flexible(api_key, version) {
        let rest = after_tagged_fields(&frame, Budget::CLIENT)?.len();
        frame.advance(frame.len() - rest);
    }
    Ok((correlation_id, frame))
}

/// Writes a request's header, without the frame's prefix.
pub fn put_request(out: &mut BytesMut, header: &RequestHeader) {
    out.put_i16(header.api_key);
    out.put_i16(header.version);
    out.put_i32(header.correlation_id);
    match &header.client_id {
        Some(id) => {
            let id = &id[..id.len().min(i16::MAX as usize)];
            out.put_u16(id.len() as u16);
            out.put_slice(id);
        }
        None => out.put_i16(-1),
    }
    if shape(Direction::Request, header.api_key, header.version).is_some_and(|it| it.flexible) {
        out.put_u8(0);
    }
}

/// Writes an answer's header, without the frame's prefix.
pub fn put_response(out: &mut BytesMut, api_key: i16, version: i16, correlation_id: i32) {
    out.put_i32(correlation_id);
    if response_is_flexible(api_key, version) {
        out.put_u8(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_round_trip_in_both_forms() {
        for (api_key, version) in [(3, 1), (3, 12), (18, 3), (0, 3)] {
            for client_id in [None, Some(Bytes::from_static(b"client"))] {
                let header = RequestHeader {
                    api_key,
                    version,
                    correlation_id: 77,
                    client_id,
                };
                let mut out = BytesMut::new();
                put_request(&mut out, &header);
                out.put_slice(b"body");
                let (read, body) = split_request(out.freeze()).unwrap();
                assert_eq!((read, &body[..]), (header, &b"body"[..]));
            }
        }
    }

    #[test]
    fn answers_of_api_versions_have_a_plain_header() {
        assert!(!response_is_flexible(18, 4));
        assert!(response_is_flexible(3, 12));
        assert!(!response_is_flexible(3, 8));
    }

    #[test]
    fn an_unknown_version_still_tells_its_correlation_id() {
        let frame = Bytes::from_static(&[0, 18, 0, 99, 0, 0, 0, 5, 1, 2, 3]);
        assert_eq!(
            split_request(frame),
            Err(HeaderError::Unknown {
                api_key: 18,
                version: 99,
                correlation_id: 5
            })
        );
        assert_eq!(
            split_request(Bytes::from_static(&[0, 18])),
            Err(HeaderError::Malformed)
        );
    }
}
