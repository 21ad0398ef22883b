//! Errors as RFC 9457 problem documents.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::kernel::{Error, ErrorKind, FieldError};

/// `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A page that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here and what to do.
    pub detail: String,
    /// Stable code, explained in docs/errors.md. New codes may appear.
    pub code: String,
    /// Names this request in our log.
    pub request_id: String,
    /// Each bad field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The document of an error, for the request with this id.
    #[must_use]
    pub fn of(error: &Error, request_id: &str) -> Self {
        let status = error.kind.status();
        let title = StatusCode::from_u16(status)
            .ok()
            .and_then(|it| it.canonical_reason())
            .unwrap_or("Error");
        Self {
            kind: format!("/docs/errors#{}", error.code),
            title: title.to_owned(),
            status,
            detail: error.detail.clone(),
            code: error.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: error.fields.clone(),
        }
    }
}

/// Carries an error to the layer that knows the request id and writes the body.
#[derive(Debug, Clone)]
pub struct Failed(pub std::sync::Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if self.kind == ErrorKind::Internal {
            tracing::error!(error = &self as &dyn std::error::Error, "answer a request");
        }
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            if self.kind == ErrorKind::TooMany {
                let headers = response.headers_mut();
                headers.insert("ratelimit-remaining", HeaderValue::from_static("0"));
                headers.insert("ratelimit-reset", HeaderValue::from(seconds));
            }
        }
        if self.kind == ErrorKind::Unauthenticated {
            let challenge = HeaderValue::from_static("Bearer realm=\"weir\", Basic realm=\"weir\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
            .extensions_mut()
            .insert(Failed(std::sync::Arc::new(self)));
        response
    }
}
