//! What the endpoint says when it does not do it: a sentence, as JSON.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::dead_letters::Refusal;

/// A status and a sentence.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    /// What was asked cannot be understood.
    pub(super) fn of(status: StatusCode, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self { status, detail }
    }

    /// As HTTP says it.
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence.
    pub(super) fn into_detail(self) -> String {
        self.detail
    }

    /// The token is missing.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            detail: detail.to_owned(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::Unknown | Refusal::NoRedrive => StatusCode::NOT_FOUND,
            Refusal::Running => StatusCode::CONFLICT,
            Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Kafka(_error) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self {
            status,
            detail: refusal.to_string(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail } = self;
        let body = Json(json!({"status": status.as_u16(), "detail": detail}));
        let mut response = (status, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
