//! Dead letters: how they are copied, what there is of them, and sending them again.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::Inside;
use super::problem::Problem;
use crate::dead_letters::{Asked, Page, Progress, Row, Wish};

/// Of a wish, which names a rule at most.
pub(super) const BODY_BYTES_MAX: usize = 4096;

/// Every topic under DLQ.
#[derive(Debug, Serialize)]
pub(super) struct Topics {
    topics: Vec<Row>,
}

pub(super) async fn list(State(inside): State<Inside>) -> Json<Topics> {
    Json(Topics {
        topics: inside.sources.dead_letters.copying(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    partition: Option<i32>,
    offset: Option<i64>,
    limit: Option<usize>,
    #[serde(default)]
    payload: bool,
}

/// Letters of a topic.
pub(super) async fn letters(
    State(inside): State<Inside>,
    Path(id): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Page>, Problem> {
    let Query(Which {
        partition,
        offset,
        limit,
        payload,
    }) = which.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    if payload {
        inside.sources.token.admits(&headers)?;
    }
    let asked = Asked {
        partition,
        offset,
        limit,
        payload,
    };
    Ok(Json(inside.sources.dead_letters.list(&id, asked).await?))
}

/// Begins to redrive.
pub(super) async fn begin(
    State(inside): State<Inside>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Progress>), Problem> {
    inside.sources.token.admits(&headers)?;
    let body = body.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    let wish = if body.trim_ascii().is_empty() {
        Wish::default()
    } else {
        serde_json::from_slice(&body).map_err(|it| Problem::of(StatusCode::BAD_REQUEST, it))?
    };
    let begun = inside.sources.dead_letters.begin(&id, wish)?;
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

/// How it goes.
pub(super) async fn look(
    State(inside): State<Inside>,
    Path(id): Path<String>,
) -> Result<Json<Progress>, Problem> {
    Ok(Json(inside.sources.dead_letters.look(&id)?))
}

/// Wants no more of it.
pub(super) async fn cancel(
    State(inside): State<Inside>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Progress>, Problem> {
    inside.sources.token.admits(&headers)?;
    Ok(Json(inside.sources.dead_letters.cancel(&id)?))
}
