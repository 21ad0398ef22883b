//! How the registry answers: its media types, and errors as `{error_code, message}`.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::kernel::{Error, ErrorKind};
use crate::resources::contract::{Failure, Refusal};
use crate::rest::Failed;

/// The media types of requests and answers, best first.
const MEDIA: [&str; 3] = [
    "application/vnd.schemaregistry.v1+json",
    "application/vnd.schemaregistry+json",
    "application/json",
];

/// The media types of bodies: those, and what clients send that do not say.
pub fn is_readable(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let text = text.to_str().unwrap_or("-");
    let essence = text.split(';').next().unwrap_or_default().trim();
    MEDIA
        .iter()
        .chain(&["application/octet-stream"])
        .any(|it| it.eq_ignore_ascii_case(essence))
}

/// The media type that the caller reads: the best that it names, or the best of all.
pub fn media_of(headers: &HeaderMap) -> &'static str {
    let accepted: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(|it| it.split(';').next().unwrap_or_default().trim())
        .collect();
    let named = |media: &&'static str| accepted.iter().any(|it| it.eq_ignore_ascii_case(media));
    MEDIA.into_iter().find(named).unwrap_or(MEDIA[0])
}

/// A JSON answer.
pub fn json(media: &'static str, value: &Value) -> Response {
    text(media, value.to_string())
}

/// An answer that is its text: schemas are given as they are.
pub fn text(media: &'static str, text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(media))], text).into_response()
}

/// What a handler fails with.
#[derive(Debug)]
pub struct Refused(Failure);

impl<T: Into<Failure>> From<T> for Refused {
    fn from(failure: T) -> Self {
        Self(failure.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self.0 {
            Failure::Refused(refusal) => refused(&refusal),
            Failure::Broken(error) => error.into_response(),
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    body(refusal.status(), refusal.code(), &refusal.to_string())
}

fn body(status: u16, code: u32, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let value = json!({"error_code": code, "message": message});
    (status, json(MEDIA[0], &value)).into_response()
}

/// The number of an error that is not the registry's own: upstream's where it has one, otherwise the status.
fn code_of(error: &Error) -> u32 {
    match error.kind {
        ErrorKind::Denied => 40301,
        ErrorKind::Internal => 50001,
        ErrorKind::Unavailable => 50002,
        ErrorKind::TooLarge => 42209,
        kind => u32::from(kind.status()),
    }
}

/// Turns failures of what all faces share into the registry's words: sign-in, permissions, quotas, the database.
pub async fn speak(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() else {
        return response;
    };
    let (mut parts, _empty) = response.into_parts();
    if error.kind == ErrorKind::TooLarge {
        parts.status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA[0]));
    let value = json!({"error_code": code_of(&error), "message": error.detail});
    Response::from_parts(parts, value.to_string().into())
}

/// 404 for a path that does not exist.
pub async fn no_route() -> Response {
    body(404, 404, "HTTP 404 Not Found")
}

/// 405 for a path that has other methods.
pub async fn wrong_method() -> Response {
    body(405, 405, "HTTP 405 Method Not Allowed")
}

/// 415 for a body that is not JSON.
pub fn unreadable() -> Response {
    body(415, 415, "HTTP 415 Unsupported Media Type")
}

/// 400 for a body that says it is JSON.
pub fn malformed(detail: &str) -> Response {
    body(400, 400, detail)
}

/// 42209 for a body that is larger than is read.
pub fn too_large() -> Response {
    let text = format!(
        "Register operation failed because schema is too large: a request has at most {} bytes",
        crate::registry::BODY_BYTES_MAX
    );
    refused(&Refusal::TooLarge(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_answer_has_the_best_media_type_that_the_caller_names() {
        for (accept, media) in [
            (&[][..], MEDIA[0]),
            (&["*/*"], MEDIA[0]),
            (&["application/json"], MEDIA[2]),
            (
                &["application/json", "application/vnd.schemaregistry+json"],
                MEDIA[1],
            ),
            (
                &["application/vnd.schemaregistry.v1+json, application/json;q=0.5"],
                MEDIA[0],
            ),
            (&["text/html"], MEDIA[0]),
        ] {
            assert_eq!(media_of(&headers(ACCEPT, accept)), media, "{accept:?}");
        }
    }

    #[test]
    fn bodies_come_under_every_name_that_clients_use() {
        for (sent, readable) in [
            ("application/vnd.schemaregistry.v1+json", true),
            ("application/vnd.schemaregistry+json; charset=utf-8", true),
            ("application/json", true),
            ("Application/JSON", true),
            ("application/octet-stream", true),
            ("text/plain", false),
            ("multipart/form-data", false),
        ] {
            assert_eq!(is_readable(&headers(CONTENT_TYPE, &[sent])), readable, "{sent}");
        }
        assert!(is_readable(&HeaderMap::new()));
    }
}
