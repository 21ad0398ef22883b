//! `POST /v1/oauth/token` and `GET /.well-known/jwks.json`.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::Utc;
use http::{HeaderMap, HeaderValue, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kernel::Result;
use crate::resources::access_token::api::{KeySet, TokenAnswer, TokenForm, TokenRefusal, read};
use crate::resources::access_token::service;
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(key_set))
}

/// Get an access token
///
/// Client credentials (RFC 6749, 4.4): the client is an API key, in the form or by HTTP Basic. Kafka clients log in with the token by
/// SASL/OAUTHBEARER. It opens what the key opens, and ends with it.
#[utoipa::path(post, path = "/v1/oauth/token", operation_id = "access_token_create", tag = "AccessToken",
    security((), ("basic" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "A token.", body = TokenAnswer),
        (status = 400, description = "Refused, as RFC 6749 (5.2) says.", body = TokenRefusal),
        (status = 401, description = "The client is unknown.", body = TokenRefusal),
        (status = 429, description = "Too many requests.", body = TokenRefusal)))]
async fn create(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let asked = match read(&headers, &body) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let address = peer.map(|Extension(ConnectInfo(it))| it.ip());
    Ok(match service::issue(&app, asked, address, Utc::now()).await? {
        Ok(answer) => answer.into_response(),
        Err(refusal) => refusal.into_response(),
    })
}

/// Get the keys that sign access tokens
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "access_token_keys", tag = "AccessToken",
    security(()), responses((status = 200, description = "A JWK set (RFC 7517).", body = KeySet)))]
async fn key_set(State(app): State<App>) -> Result<Response> {
    let keys = service::key_set(&app).await?;
    // A new key is there a day before it signs.
    let cache = HeaderValue::from_static("public, max-age=300");
    Ok(([(header::CACHE_CONTROL, cache)], axum::Json(keys)).into_response())
}
