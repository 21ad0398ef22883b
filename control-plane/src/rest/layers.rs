//! What surrounds every handler: request ids, problem bodies, panics, unknown paths, and writes that outlive their caller.

use std::any::Any;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use uuid::Uuid;

use crate::kernel::{Error, ErrorKind, code};
use crate::rest::problem::{Failed, Problem};

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Names one request in answers, audit and log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives each request an id and each failure its problem document.
pub async fn request_id(mut request: Request, next: Next) -> Response {
    let id = format!("req_{}", Uuid::now_v7().simple());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() {
        let body = serde_json::to_vec(&Problem::of(&error, &id)).unwrap_or_default();
        let (mut parts, _empty) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response = Response::from_parts(parts, body.into());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Runs a mutation in a task of its own: a caller that hangs up does not cancel a transaction half way.
pub async fn detached(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(panic) => Error::internal(panic).into_response(),
    }
}

/// 404 for a path that does not exist.
pub async fn no_route() -> Error {
    Error::new(
        ErrorKind::NotFound,
        code::NOT_FOUND,
        "There is nothing at this path. The API is described at /docs.",
    )
}

/// 405 for a path that has other methods.
pub async fn wrong_method() -> Error {
    let detail = "The path exists, but not with this method; the Allow header names those that it has.";
    Error::new(ErrorKind::MethodNotAllowed, code::METHOD_NOT_ALLOWED, detail)
}

/// 500 for a handler that panicked; the text goes to the log.
pub fn panicked(panic: Box<dyn Any + Send>) -> http::Response<axum::body::Body> {
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()))
        .unwrap_or_default();
    let mut response = Error::internal(format!("panic: {text}")).into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
