//! Previews of jobs: what steps would make of records. For whoever has the token, since it shows what records hold.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{MethodRouter, post};
use serde::Deserialize;

use super::Inside;
use super::problem::Problem;
use crate::preview::{Answer, BODY_BYTES_MAX, Preview, Refusal, SELECT_BYTES_MAX, Tables};

/// The route, with a bound of its own on what is sent.
pub(super) fn route() -> MethodRouter<Inside> {
    post(make).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn make(
    State(inside): State<Inside>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Preview>, Problem> {
    inside.sources.token.admits(&headers)?;
    let body = body.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    let asked = serde_json::from_slice(&body).map_err(|it| Problem::of(StatusCode::BAD_REQUEST, it))?;
    Ok(Json(inside.sources.previews.make(asked).await?))
}

/// `POST /v1/job-selects`, with a bound of its own, too.
pub(super) fn selects() -> MethodRouter<Inside> {
    post(select).layer(DefaultBodyLimit::max(SELECT_BYTES_MAX))
}

async fn select(
    State(inside): State<Inside>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Answer>, Problem> {
    let sources = &inside.sources;
    sources.token.admits(&headers)?;
    let body = body.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    let wanted = serde_json::from_slice(&body).map_err(|it| Problem::of(StatusCode::BAD_REQUEST, it))?;
    Ok(Json(sources.previews.select(wanted).await?))
}

/// Which job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    job: String,
}

/// `GET /v1/job-tables?job=`: the tables that a job in SQL sees.
pub(super) async fn tables(
    State(inside): State<Inside>,
    headers: HeaderMap,
    whose: Result<Query<Whose>, QueryRejection>,
) -> Result<Json<Tables>, Problem> {
    inside.sources.token.admits(&headers)?;
    let Query(whose) = whose.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    Ok(Json(inside.sources.previews.tables(&whose.job)?))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::Busy => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Asked(_sentence) => StatusCode::BAD_REQUEST,
            Refusal::Steps { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Unauthorized | Refusal::Table(_) => StatusCode::FORBIDDEN,
            Refusal::Asleep | Refusal::Exhausted | Refusal::Moving => StatusCode::CONFLICT,
            Refusal::Kafka(_error) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::of(status, refusal)
    }
}
