//! `/v1/sessions`.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, COOKIE, SignedIn, session_token};
use crate::kernel::{Error, Result};
use crate::resources::session::api::{Session, SignIn};
use crate::resources::session::service;
use crate::rest::{CallHeaders, CallQuery, Empty, Mutation};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(get_current, delete_current))
}

fn with_cookie(mut response: Response, value: &str, seconds: i64, secure: bool) -> Result<Response> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let cookie = HeaderValue::from_str(&cookie).map_err(Error::internal)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Sign in
#[utoipa::path(post, path = "/v1/sessions", operation_id = "session_create", tag = "Session", request_body = SignIn,
    security(()), responses((status = 201, description = "Signed in; the console's cookie is set too.", body = Session)))]
async fn create(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Mutation { body, call }: Mutation<SignIn>,
) -> Result<Response> {
    let address = peer.map(|Extension(ConnectInfo(it))| it.ip());
    let service::SignedIn { answer, token, life } = service::sign_in(&app, call, body, address).await?;
    with_cookie(
        answer.into_response(),
        &token,
        life.num_seconds(),
        app.settings.secure_cookies(),
    )
}

/// Get the own session
#[utoipa::path(get, path = "/v1/sessions/current", operation_id = "session_get_current", tag = "Session",
    responses((status = 200, description = "The session.", body = Session)))]
async fn get_current(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<SignedIn>,
    headers: HeaderMap,
) -> Result<axum::Json<Session>> {
    let token = session_token(&headers)?;
    service::current(&app, &caller, &token).await.map(axum::Json)
}

/// Sign out
#[utoipa::path(delete, path = "/v1/sessions/current", operation_id = "session_delete_current", tag = "Session",
    params(CallQuery, CallHeaders), responses((status = 204, description = "Signed out.")))]
async fn delete_current(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<SignedIn>,
    headers: HeaderMap,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Response> {
    let token = session_token(&headers)?;
    let answer = service::sign_out(&app, &caller, &call, &token).await?;
    with_cookie(answer.into_response(), "", 0, app.settings.secure_cookies())
}
